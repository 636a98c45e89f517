// What locks a meter's chip for good, and how far it is: flash encryption in release mode, then secure boot, then Secure Download Mode, in
// the order of ESP-IDF's "Security Features Enablement Workflows". The order matters: with secure boot RD_DIS is closed, and no key can
// be hidden any more. Nothing is burnt here.

import { equalBytes, toHex } from "../../src/wire/bytes.js";
import type { FirmwareBundle } from "../../src/wire/firmware-bundle.js";
import { nameOf } from "./compose-bundle.js";
import { type ChipLocks, type FoundChip, SECURE_BOOT_DIGEST0, XTS_AES_128_KEY } from "./plan.js";

/** A step that cannot be undone. */
export interface LockStep {
  readonly name: string;
  /** as the chip says */
  readonly isDone: boolean;
  /** commands of ESP-IDF's tools, each with its parameters */
  readonly commands: readonly (readonly string[])[];
}

export type LockPlan =
  | { readonly type: "plan"; readonly steps: readonly LockStep[]; readonly isLocked: boolean }
  | { readonly type: "refused"; readonly reason: string };

/** What the commands name. */
export interface LockTerms {
  readonly bundle: FirmwareBundle;
  /** folder of the bundle's files */
  readonly folder: string;
  readonly port: string;
  /** of the key that has signed the images for secure boot, 32 bytes */
  readonly bootDigest: Uint8Array;
  /** files that the commands make or read */
  readonly files: { readonly flashKey: string; readonly digest: string };
}

/** Chips whose plan is known, by the number that images have for them, with the name that ESP-IDF's tools have. */
const lockable: ReadonlyMap<number, string> = new Map([
  [5, "esp32c3"],
  [9, "esp32s3"],
  [13, "esp32c6"],
]);
const CRYPT_FOR_GOOD = 7;
/** BLOCK_KEY5 of these chips takes no XTS-AES key. */
const XTS_BLOCKS = 5;
const S3 = 9;

/** Judges the chip, and says which steps are open. */
export function planLock(terms: LockTerms, found: FoundChip): LockPlan {
  const reason = whyNot(terms, found);
  if (reason !== undefined) return { type: "refused", reason };
  const steps = stepsFor(terms, found.chip!, found.locks!);
  return { type: "plan", steps, isLocked: found.locks!.isSecureDownload && steps.every(({ isDone }) => isDone) };
}

function whyNot({ bundle, bootDigest }: LockTerms, { chip, name, locks }: FoundChip): string | undefined {
  if (chip !== bundle.chip) return `the chip is an ${name}, and ${bundle.board} is for the ${nameOf(bundle.chip)}`;
  if (locks === undefined || !lockable.has(chip))
    return `the ${name} does not say how it is locked: lock it by ESP-IDF's own workflow`;
  const { cryptCount, keyPurposes, efuses } = locks;
  const hasFlashKey = keyPurposes.includes(XTS_AES_128_KEY);
  if (isOff(cryptCount)) return "its flash encryption was switched off again: it is a developer's board";
  if (locks.revoked[0]) return "its first key of secure boot is revoked: nothing signed by it would start";
  if (!hasFlashKey && (locks.isSecureBoot || efuses?.isHidingOver))
    return "secure boot is on and no key for its flash is there: none could be hidden any more";
  const block = keyPurposes.indexOf(XTS_AES_128_KEY);
  if (efuses?.isHidingOver && block >= 0 && (efuses.hiddenKeys & (1 << block)) === 0)
    return "the key of its flash can be read, and can no longer be hidden";
  if (efuses?.bootDigest !== undefined && !equalBytes(efuses.bootDigest, bootDigest))
    return `it starts what the key ${short(efuses.bootDigest)} has signed, and this bundle is signed by ${short(bootDigest)}`;
  const { flashBlock, bootBlock } = blocksFor(keyPurposes);
  if (flashBlock === undefined) return "no key block is free for its flash's key";
  if (bootBlock === undefined) return "no key block is free for the hash of the key that signs";
  return undefined;
}

/** Bits are set, and an even number of them. */
function isOff(cryptCount: number): boolean {
  return cryptCount !== 0 && ((cryptCount ^ (cryptCount >> 1) ^ (cryptCount >> 2)) & 1) === 0;
}

function short(digest: Uint8Array): string {
  return toHex(digest).slice(0, 16);
}

/** The first block below `most` without a purpose, but for one that is taken already. */
function freeBlock(keyPurposes: readonly number[], most: number, taken = -1): number | undefined {
  const block = keyPurposes.slice(0, most).findIndex((purpose, index) => purpose === 0 && index !== taken);
  return block < 0 ? undefined : block;
}

/** Where the chip has both keys, or is to get them: two blocks. */
function blocksFor(keyPurposes: readonly number[]) {
  const flashBlock = blockOf(keyPurposes, XTS_AES_128_KEY) ?? freeBlock(keyPurposes, XTS_BLOCKS);
  const bootBlock = blockOf(keyPurposes, SECURE_BOOT_DIGEST0) ?? freeBlock(keyPurposes, keyPurposes.length, flashBlock);
  return { flashBlock, bootBlock };
}

function stepsFor(terms: LockTerms, chip: number, locks: ChipLocks): LockStep[] {
  const { files, port, bootDigest } = terms;
  const { keyPurposes, efuses } = locks;
  const fuse = (...words: string[]) => ["espefuse", "--chip", lockable.get(chip)!, "--port", port, ...words];
  const burn = (...names: string[]) => fuse("burn-efuse", ...names.flatMap((name) => [name, "1"]));
  const { flashBlock, bootBlock } = blocksFor(keyPurposes);
  const caches = chip === S3 ? ["DIS_DOWNLOAD_ICACHE", "DIS_DOWNLOAD_DCACHE"] : ["DIS_DOWNLOAD_ICACHE"];
  return [
    {
      name: "a key for its flash, of its own",
      isDone: keyPurposes.includes(XTS_AES_128_KEY),
      commands: [
        ["espsecure", "generate-flash-encryption-key", files.flashKey],
        fuse("burn-key", `BLOCK_KEY${flashBlock}`, files.flashKey, "XTS_AES_128_KEY"),
      ],
    },
    // Told by the next one alone: nobody turns encryption on over plain firmware.
    { name: "its firmware, encrypted", isDone: locks.cryptCount !== 0, commands: imageCommands(terms) },
    {
      name: "flash encryption, for good",
      isDone: locks.cryptCount === CRYPT_FOR_GOOD,
      commands: [fuse("burn-efuse", "SPI_BOOT_CRYPT_CNT", String(CRYPT_FOR_GOOD))],
    },
    {
      name: "no encryption, cache or JTAG from outside",
      isDone: locks.isPadJtagOff && locks.isDownloadCacheOff && efuses?.isManualEncryptOff !== false,
      commands: [
        burn("DIS_DOWNLOAD_MANUAL_ENCRYPT", ...caches, "DIS_DIRECT_BOOT", "DIS_USB_JTAG", "DIS_PAD_JTAG"),
        fuse("write-protect-efuse", "DIS_ICACHE"),
      ],
    },
    {
      name: `the hash of the key that signs: ${short(bootDigest)}`,
      isDone: keyPurposes.includes(SECURE_BOOT_DIGEST0),
      commands: [fuse("burn-key", `BLOCK_KEY${bootBlock}`, files.digest, "SECURE_BOOT_DIGEST0")],
    },
    { name: "secure boot", isDone: locks.isSecureBoot, commands: [burn("SECURE_BOOT_EN")] },
    {
      name: "no further key, and the hash stays readable",
      isDone: locks.revoked[1]! && locks.revoked[2]! && efuses?.isHidingOver !== false,
      commands: [burn("SECURE_BOOT_KEY_REVOKE1", "SECURE_BOOT_KEY_REVOKE2"), fuse("write-protect-efuse", "RD_DIS")],
    },
    {
      name: "Secure Download Mode, last: no eFuse can be burnt behind it",
      isDone: locks.isSecureDownload,
      commands: [burn("ENABLE_SECURITY_DOWNLOAD")],
    },
  ];
}

function blockOf(keyPurposes: readonly number[], purpose: number): number | undefined {
  const block = keyPurposes.indexOf(purpose);
  return block < 0 ? undefined : block;
}

/** Each part encrypted for its own place, as ciphertext depends on it, and then all of them written. */
function imageCommands({ bundle, folder, port, files }: LockTerms): (readonly string[])[] {
  const hex = (offset: number) => `0x${offset.toString(16)}`;
  const encrypted = (file: string) => `${files.flashKey}.${file}`;
  const encrypting = bundle.parts.map(({ file, offset }) => [
    ...["espsecure", "encrypt-flash-data", "--aes-xts", "--keyfile", files.flashKey, "--address", hex(offset)],
    ...["--output", encrypted(file), `${folder}/${file}`],
  ]);
  const places = bundle.parts.flatMap(({ file, offset }) => [hex(offset), encrypted(file)]);
  return [...encrypting, ["esptool", "--port", port, "write-flash", ...places]];
}
