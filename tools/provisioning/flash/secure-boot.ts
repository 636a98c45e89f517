// Whose key has signed an image for secure boot, as a chip would find it: a sector behind the image with up to three blocks of 1,216
// bytes, each with the image's SHA-256, an RSA-3072 key and its signature (ESP-IDF, "Secure Boot v2", signature block format).

import { constants, createPublicKey, type KeyObject, verify } from "node:crypto";
import { crc32 } from "node:zlib";
import { equalBytes } from "../../../src/wire/bytes.js";
import { WireError } from "../../../src/wire/error.js";
import { sha256 } from "../../../src/wire/hash.js";

const SECTOR_BYTES = 4_096;
const MAGIC = 0xe7;
const VERSION_RSA = 2;
const IMAGE_HASH = 4;
const KEY = 36;
const MODULUS_BYTES = 384;
const EXPONENT = KEY + MODULUS_BYTES;
const R = EXPONENT + 4;
const M = R + MODULUS_BYTES;
const SIGNATURE = M + 4;
const CHECKSUM = SIGNATURE + MODULUS_BYTES;
const SALT_BYTES = 32;

/** SHA-256 of the key, 32 bytes, as a chip keeps it. Throws a WireError where the image has no signature that this key made. */
export function bootDigestOf(file: string, image: Uint8Array): Uint8Array {
  const signed = image.subarray(0, image.length - SECTOR_BYTES);
  const block = image.subarray(signed.length);
  const isThere = image.length > SECTOR_BYTES && image.length % SECTOR_BYTES === 0 && block[0] === MAGIC;
  if (!isThere) throw new WireError("unproven", `${file} is not signed for secure boot`);
  if (block[1] !== VERSION_RSA)
    throw new WireError("unsupported", `${file} is signed by a scheme of number ${block[1]}`);
  if (!equalBytes(block.subarray(IMAGE_HASH, KEY), sha256(signed)))
    throw new WireError("unproven", `${file} was changed after it was signed`);
  if (!isWhole(block)) throw new WireError("shape", `${file}: its block of signature is damaged`);
  const key = { key: keyOf(block), padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: SALT_BYTES };
  const signature = backwards(block.subarray(SIGNATURE, SIGNATURE + MODULUS_BYTES));
  if (!verify("sha256", signed, key, signature))
    throw new WireError("unproven", `${file}: its signature does not verify`);
  return sha256(block.subarray(KEY, SIGNATURE));
}

/** Whether its checksum is right, and what a chip computes with: R = 2^6144 mod n, M' = -1 / n mod 2^32. */
function isWhole(block: Uint8Array): boolean {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  if (view.getUint32(CHECKSUM, true) !== crc32(block.subarray(0, CHECKSUM))) return false;
  const n = numberOf(block.subarray(KEY, EXPONENT));
  if (n % 2n === 0n) return false;
  const r = (1n << BigInt(16 * MODULUS_BYTES)) % n;
  const isInverse = BigInt.asUintN(32, n * BigInt(view.getUint32(M, true)) + 1n) === 0n;
  return isInverse && numberOf(block.subarray(R, M)) === r;
}

function keyOf(block: Uint8Array): KeyObject {
  const [n, e] = [block.subarray(KEY, EXPONENT), block.subarray(EXPONENT, R)].map((bytes) =>
    Buffer.from(
      numberOf(bytes)
        .toString(16)
        .padStart(2 * bytes.length, "0"),
      "hex",
    ).toString("base64url"),
  );
  return createPublicKey({ key: { kty: "RSA", n: n!, e: e! }, format: "jwk" });
}

/** Chips keep numbers with the lowest byte first. */
function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(backwards(bytes)).toString("hex")}`);
}

function backwards(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes).reverse();
}
