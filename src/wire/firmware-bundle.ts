// The manifest of everything that a new chip's flash gets: bootloader, partitions and program, each with its place and hash, in
// COSE_Sign1 by whoever makes the firmware. The files travel beside it. Meters never read it; who flashes them does.

import { CODE_MAX } from "./bounds.js";
import { type CborValue, decodeCbor, encodeCbor } from "./cbor.js";
import { parseSign1, sign1, verifySign1 } from "./cose.js";
import { WireError } from "./error.js";
import { BOARD_PATTERN, FILE_PATTERN, IMAGE_BYTES_MAX, VERSION_MAX } from "./firmware.js";
import type { PublicKey, Signer, Verify } from "./key.js";
import { asArray, asBytes, asList, asMap, asText, asUint } from "./shape.js";

export const BUNDLE_BYTES_MAX = 2_048;
export const BUNDLE_PARTS_MAX = 16;
/** Bytes of the largest flash that a chip addresses this way: 2^27. */
export const FLASH_BYTES_MAX = 134_217_728;
/** Flash is erased by sectors, so a part begins at one. */
export const FLASH_SECTOR_BYTES = 4_096;

export interface BundlePart {
  /** byte of the flash at which the part begins, a multiple of 4,096 */
  readonly offset: number;
  /** bytes of the part, 1 or more */
  readonly size: number;
  /** SHA-256 of the part, 32 bytes */
  readonly hash: Uint8Array;
  /** the part's file beside the manifest, a plain name as that of a firmware manifest */
  readonly file: string;
}

export interface FirmwareBundle {
  /** the board that it is built for, as hosts/esp32/boards names it */
  readonly board: string;
  /** the version of the program, as an update's manifest counts it */
  readonly version: number;
  /** the chip as an image's header names it (ESP-IDF, esp_chip_id_t): 0 ESP32, 5 ESP32-C3, 9 ESP32-S3, 13 ESP32-C6 */
  readonly chip: number;
  /** bytes of flash that the board must have at least */
  readonly flashBytes: number;
  /** by ascending offset, without overlap, within the flash */
  readonly parts: readonly BundlePart[];
}

/** Signs a bundle's manifest. Throws a WireError where nobody would flash it. */
export function issueBundle(bundle: FirmwareBundle, signer: Signer): Uint8Array {
  const { board, version, chip, flashBytes, parts } = bundle;
  const payload = new Map<number, CborValue>([
    [1, 1],
    [2, board],
    [3, version],
    [4, chip],
    [5, flashBytes],
    [6, parts.map(({ offset, size, hash, file }) => [offset, size, hash, file])],
  ]);
  const bytes = sign1(encodeCbor(payload), signer);
  parseBundle(bytes); // what is issued can be read
  return bytes;
}

/** Reads a bundle's manifest that `signer` has signed. Throws a WireError. */
export function verifyBundle(bytes: Uint8Array, signer: PublicKey, verify: Verify): FirmwareBundle {
  const bundle = parseBundle(bytes);
  if (!verifySign1(parseSign1(bytes, BUNDLE_BYTES_MAX), signer, verify))
    throw new WireError("unproven", "bundle is not signed by the key that was named");
  return bundle;
}

function parseBundle(bytes: Uint8Array): FirmwareBundle {
  const message = parseSign1(bytes, BUNDLE_BYTES_MAX);
  if (message.unprotected.size !== 0) throw new WireError("shape", "bundle has an unprotected header");
  const map = asMap(decodeCbor(message.payload), "bundle", [1, 2, 3, 4, 5, 6]);
  const format = asUint(map.get(1), "bundle format", CODE_MAX);
  if (format !== 1) throw new WireError("unsupported", `bundle format version ${format} is not supported`);
  const bundle: FirmwareBundle = {
    board: asText(map.get(2), "bundle board", 32),
    version: asUint(map.get(3), "bundle version", VERSION_MAX),
    chip: asUint(map.get(4), "bundle chip", 0xffff),
    flashBytes: asUint(map.get(5), "bundle flash", FLASH_BYTES_MAX),
    parts: asList(map.get(6), "bundle parts", BUNDLE_PARTS_MAX).map(parsePart),
  };
  if (!BOARD_PATTERN.test(bundle.board)) throw new WireError("shape", "bundle board must be of a-z, 0-9 and -");
  checkPlaces(bundle);
  return bundle;
}

function parsePart(value: CborValue): BundlePart {
  const [offset, size, hash, file] = asArray(value, "bundle part", 4);
  const part = {
    offset: asUint(offset, "part offset", FLASH_BYTES_MAX),
    size: asUint(size, "part size", IMAGE_BYTES_MAX),
    hash: asBytes(hash, "part hash", 32),
    file: asText(file, "part file"),
  };
  if (part.offset % FLASH_SECTOR_BYTES !== 0) throw new WireError("shape", "part offset must be that of a sector");
  if (part.size === 0) throw new WireError("shape", "part size must not be 0");
  if (!FILE_PATTERN.test(part.file)) throw new WireError("shape", "part file must be a plain name");
  return part;
}

function checkPlaces({ parts, flashBytes }: FirmwareBundle): void {
  if (parts.length === 0) throw new WireError("shape", "bundle must hold a part");
  let end = 0;
  for (const { offset, size, file } of parts) {
    if (offset < end) throw new WireError("shape", `part ${file} begins within the one before it`);
    end = offset + size;
    // What is written erases its last sector whole.
    end += (FLASH_SECTOR_BYTES - (end % FLASH_SECTOR_BYTES)) % FLASH_SECTOR_BYTES;
  }
  if (end > flashBytes) throw new WireError("shape", `bundle ends at byte ${end}, behind a flash of ${flashBytes}`);
  if (new Set(parts.map(({ file }) => file)).size < parts.length)
    throw new WireError("shape", "bundle names a file twice");
}
