// The manifest of a firmware image: what an update is and for which board, in COSE_Sign1 by whoever the meter's configuration lets
// update it. The image itself travels beside it and is known by its hash.

import { CODE_MAX } from "./bounds.js";
import { decodeCbor, encodeCbor } from "./cbor.js";
import { parseSign1, sign1, verifySign1 } from "./cose.js";
import { WireError } from "./error.js";
import type { PublicKey, Signer, Verify } from "./key.js";
import { asBytes, asMap, asText, asUint } from "./shape.js";

export const FIRMWARE_BYTES_MAX = 512;
/** What the largest slot of a board could hold. */
export const IMAGE_BYTES_MAX = 8 * 1024 * 1024;
export const VERSION_MAX = 0x7fffffff;
/** Names of boards: 1 to 32 of these, as PROTOCOL.md, section 23 has them. */
export const BOARD_PATTERN = /^[a-z][a-z0-9-]*$/;
/** Names of files beside a manifest: 1 to 64 of these. */
export const FILE_PATTERN = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;

export interface Firmware {
  /** the board that the image is built for, as hosts/esp32/boards names it: 1 to 32 of a-z, 0-9 and -, a letter first */
  readonly board: string;
  /** grows with every release */
  readonly version: number;
  /** the oldest version that takes this one */
  readonly least: number;
  /** bytes of the image */
  readonly size: number;
  /** SHA-256 of the image, 32 bytes */
  readonly hash: Uint8Array;
  /** where the image is: a name beside the manifest, 1 to 64 letters, digits, dots, hyphens and underscores */
  readonly file: string;
}

/** Signs a manifest. Throws a WireError where a meter would not take it. */
export function issueFirmware(firmware: Firmware, signer: Signer): Uint8Array {
  const { board, version, least, size, hash, file } = firmware;
  const payload = new Map<number, number | string | Uint8Array>([
    [1, 1],
    [2, board],
    [3, version],
    [4, least],
    [5, size],
    [6, hash],
    [7, file],
  ]);
  const bytes = sign1(encodeCbor(payload), signer);
  parseFirmware(bytes); // what is issued can be read
  return bytes;
}

/** Reads a manifest that `signer` has signed. Throws a WireError. */
export function verifyFirmware(bytes: Uint8Array, signer: PublicKey, verify: Verify): Firmware {
  const firmware = parseFirmware(bytes);
  if (!verifySign1(parseSign1(bytes, FIRMWARE_BYTES_MAX), signer, verify))
    throw new WireError("unproven", "firmware is not signed by the key that the configuration names");
  return firmware;
}

function parseFirmware(bytes: Uint8Array): Firmware {
  const message = parseSign1(bytes, FIRMWARE_BYTES_MAX);
  if (message.unprotected.size !== 0) throw new WireError("shape", "firmware has an unprotected header");
  const map = asMap(decodeCbor(message.payload), "firmware", [1, 2, 3, 4, 5, 6, 7]);
  const format = asUint(map.get(1), "firmware format", CODE_MAX);
  if (format !== 1) throw new WireError("unsupported", `firmware format version ${format} is not supported`);
  const firmware: Firmware = {
    board: asText(map.get(2), "firmware board", 32),
    version: asUint(map.get(3), "firmware version", VERSION_MAX),
    least: asUint(map.get(4), "firmware least version", VERSION_MAX),
    size: asUint(map.get(5), "firmware size", IMAGE_BYTES_MAX),
    hash: asBytes(map.get(6), "firmware hash", 32),
    file: asText(map.get(7), "firmware file"),
  };
  if (!BOARD_PATTERN.test(firmware.board)) throw new WireError("shape", "firmware board must be of a-z, 0-9 and -");
  if (!FILE_PATTERN.test(firmware.file)) throw new WireError("shape", "firmware file must be a plain name");
  if (firmware.size === 0) throw new WireError("shape", "firmware size must not be 0");
  if (firmware.least >= firmware.version)
    throw new WireError("shape", "firmware least version must be below its version");
  return firmware;
}
