// What a chip says of its locks: GET_SECURITY_INFO of its ROM, and eFuses by their registers while it still shows them. ESP-IDF,
// components/soc, efuse_reg.h: WR_DIS, then RD_DIS with the bits behind it, then the key blocks.

import type { ESPLoader } from "esptool-js";
import { type ChipLocks, type ReadEfuses, SECURE_BOOT_DIGEST0 } from "./plan.js";

/** Where the eFuses of a chip are read, by the number that images have for it. */
const efuseBases: ReadonlyMap<number, number> = new Map([
  [5, 0x60008800],
  [9, 0x60007000],
  [13, 0x600b0800],
]);
const WR_DIS = 0x2c;
const REPEAT_DATA0 = 0x30;
const KEY_BLOCKS = 0x9c;
const KEY_BLOCK_WORDS = 8;
const HIDDEN_BITS = 0x3f;
const MANUAL_ENCRYPT_OFF = 1 << 20;
const CRYPT_BITS = 0b111;
const KEY_BLOCK_COUNT = 6;

/** Undefined where the chip has no such answer, as the first ESP32. Rejects where it falls silent. */
export async function readLocks(loader: ESPLoader, chip: number | undefined): Promise<ChipLocks | undefined> {
  const security = await loader.getSecurityInfo().catch(() => undefined);
  if (security === undefined) return undefined;
  const { parsedFlags: flags } = security;
  const keyPurposes = security.keyPurposes.slice(0, KEY_BLOCK_COUNT);
  const base = chip === undefined || loader.secureDownloadMode ? undefined : efuseBases.get(chip);
  return {
    cryptCount: security.flashCryptCnt & CRYPT_BITS,
    keyPurposes,
    isSecureBoot: flags.SECURE_BOOT_EN,
    isSecureDownload: flags.SECURE_DOWNLOAD_ENABLE,
    revoked: [flags.SECURE_BOOT_KEY_REVOKE0, flags.SECURE_BOOT_KEY_REVOKE1, flags.SECURE_BOOT_KEY_REVOKE2],
    isPadJtagOff: flags.HARD_DIS_JTAG,
    isDownloadCacheOff: flags.DIS_DOWNLOAD_ICACHE,
    efuses: base === undefined ? undefined : await readEfuses(loader, base, keyPurposes),
  };
}

async function readEfuses(loader: ESPLoader, base: number, keyPurposes: readonly number[]): Promise<ReadEfuses> {
  const [writes, first] = [await loader.readReg(base + WR_DIS), await loader.readReg(base + REPEAT_DATA0)];
  const block = keyPurposes.indexOf(SECURE_BOOT_DIGEST0);
  return {
    hiddenKeys: first & HIDDEN_BITS,
    isHidingOver: (writes & 1) === 1,
    isManualEncryptOff: (first & MANUAL_ENCRYPT_OFF) !== 0,
    bootDigest: block < 0 ? undefined : await readBlock(loader, base + KEY_BLOCKS + 4 * KEY_BLOCK_WORDS * block),
  };
}

async function readBlock(loader: ESPLoader, address: number): Promise<Uint8Array> {
  const bytes = new DataView(new ArrayBuffer(4 * KEY_BLOCK_WORDS));
  for (let word = 0; word < KEY_BLOCK_WORDS; word += 1)
    bytes.setUint32(4 * word, (await loader.readReg(address + 4 * word)) >>> 0, true);
  return new Uint8Array(bytes.buffer);
}
