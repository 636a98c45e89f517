// Whether a bundle may go onto the chip that answered, decided before the first byte is written.

import type { FirmwareBundle } from "../../src/wire/firmware-bundle.js";
import { nameOf } from "./compose-bundle.js";

/** What a chip in download mode says of itself. */
export interface FoundChip {
  /** as an image's header numbers it; undefined for a chip that such images are not made for */
  readonly chip: number | undefined;
  /** as esptool names it */
  readonly name: string;
  /** six bytes as hex with colons; a locked chip does not tell */
  readonly mac: string | undefined;
  /** bytes of its flash; a locked chip does not tell */
  readonly flashBytes: number | undefined;
  /** Secure Download Mode: it takes what is written and shows nothing */
  readonly isLocked: boolean;
  /** flash is encrypted: what is written as it is would not start */
  readonly isEncrypted: boolean;
  /** the chip starts only what is signed by the key whose hash is burnt into it */
  readonly isSecureBoot: boolean;
  /** what it says of its locks; undefined of the first ESP32, which has no such answer */
  readonly locks: ChipLocks | undefined;
}

/** GET_SECURITY_INFO (esptool's "Serial Protocol"), and eFuses that say more, where the chip still shows them. */
export interface ChipLocks {
  /** bits of SPI_BOOT_CRYPT_CNT: 0 to 7 */
  readonly cryptCount: number;
  /** KEY_PURPOSE_0 to KEY_PURPOSE_5: 0 free, 4 XTS_AES_128_KEY, 9 SECURE_BOOT_DIGEST0 */
  readonly keyPurposes: readonly number[];
  readonly isSecureBoot: boolean;
  readonly isSecureDownload: boolean;
  /** SECURE_BOOT_KEY_REVOKE0 to 2 */
  readonly revoked: readonly boolean[];
  readonly isPadJtagOff: boolean;
  readonly isDownloadCacheOff: boolean;
  /** undefined in Secure Download Mode, which shows no register */
  readonly efuses: ReadEfuses | undefined;
}

export interface ReadEfuses {
  /** RD_DIS: a bit a key block that cannot be read */
  readonly hiddenKeys: number;
  /** WR_DIS, bit 0: RD_DIS stays as it is */
  readonly isHidingOver: boolean;
  /** DIS_DOWNLOAD_MANUAL_ENCRYPT */
  readonly isManualEncryptOff: boolean;
  /** what the block with SECURE_BOOT_DIGEST0 holds, 32 bytes; undefined where no block has it */
  readonly bootDigest: Uint8Array | undefined;
}

export const XTS_AES_128_KEY = 4;
export const SECURE_BOOT_DIGEST0 = 9;

/** What is about to be written. */
export interface FlashPart {
  readonly file: string;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export type FlashPlan =
  | { readonly type: "write"; readonly parts: readonly FlashPart[]; readonly warnings: readonly string[] }
  | { readonly type: "refused"; readonly reason: string };

const SECTOR_BYTES = 4_096;
const SIGNATURE_MAGIC = 0xe7;

/** Judges chip and bundle; `parts` are the bundle's files, their hashes compared already. */
export function planFlash(bundle: FirmwareBundle, parts: readonly FlashPart[], found: FoundChip): FlashPlan {
  const board = `${bundle.board}, version ${bundle.version}`;
  if (found.chip !== bundle.chip) {
    return refused(`the chip is an ${found.name}, and ${board} is for the ${nameOf(bundle.chip)}`);
  }
  if (found.flashBytes !== undefined && found.flashBytes < bundle.flashBytes) {
    return refused(
      `the board has ${megabytes(found.flashBytes)} of flash, and ${board} needs ${megabytes(bundle.flashBytes)}`,
    );
  }
  if (found.isEncrypted)
    return refused("the chip encrypts its flash: what comes by its port would not start; update it over the air");
  const unsigned = parts.find(({ bytes }) => bytes[0] === 0xe9 && !isSigned(bytes));
  if (found.isSecureBoot && unsigned !== undefined) {
    return refused(`the chip starts signed images alone (secure boot), and ${unsigned.file} is not signed for it`);
  }
  const warnings = found.isLocked
    ? ["the chip is locked (Secure Download Mode): its flash cannot be read back, so what is written is not compared"]
    : [];
  return { type: "write", parts, warnings };
}

/** Whether an image ends in a sector of signatures (ESP-IDF, "Secure Boot v2", signature block format). */
function isSigned(image: Uint8Array): boolean {
  return image.length % SECTOR_BYTES === 0 && image[image.length - SECTOR_BYTES] === SIGNATURE_MAGIC;
}

function refused(reason: string): FlashPlan {
  return { type: "refused", reason };
}

function megabytes(bytes: number): string {
  return `${bytes / 1_048_576} MB`;
}
