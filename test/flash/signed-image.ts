// Images signed for secure boot, for tests: the block of ESP-IDF's "Secure Boot v2" laid out by offsets, without the code under test.

import { constants, createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

const SECTOR_BYTES = 4_096;

export interface BootKey {
  readonly privateKey: KeyObject;
  readonly n: Buffer;
}

export function makeBootKey(): BootKey {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 3_072 });
  return { privateKey, n: Buffer.from(publicKey.export({ format: "jwk" }).n!, "base64url") };
}

/** The image up to a whole sector, and the sector with its signature. */
export function signedImage(image: Uint8Array, { privateKey, n }: BootKey): Buffer {
  const padded = Buffer.concat([
    image,
    Buffer.alloc((SECTOR_BYTES - (image.length % SECTOR_BYTES)) % SECTOR_BYTES, 0xff),
  ]);
  const block = Buffer.alloc(SECTOR_BYTES, 0xff);
  block.fill(0, 0, 1_216);
  block[0] = 0xe7;
  block[1] = 2;
  createHash("sha256").update(padded).digest().copy(block, 4);
  const modulus = BigInt(`0x${n.toString("hex")}`);
  little(modulus, 384).copy(block, 36);
  block.writeUInt32LE(65_537, 420);
  little((1n << 6_144n) % modulus, 384).copy(block, 424);
  block.writeUInt32LE(Number(minusInverse(modulus)), 808);
  const pss = { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  Buffer.from(sign("sha256", padded, pss))
    .reverse()
    .copy(block, 812);
  block.writeUInt32LE(crc(block.subarray(0, 1_196)), 1_196);
  return Buffer.concat([padded, block]);
}

function little(number: bigint, bytes: number): Buffer {
  return Buffer.from(number.toString(16).padStart(2 * bytes, "0"), "hex").reverse();
}

/** -1 / n mod 2^32, by Newton's steps, each of which doubles the bits that are right. */
function minusInverse(n: bigint): bigint {
  let inverse = 1n;
  for (let bits = 1; bits < 32; bits *= 2) inverse = BigInt.asUintN(32, inverse * (2n - n * inverse));
  return BigInt.asUintN(32, -inverse);
}

/** CRC-32 of ISO 3309, a bit at a time. */
export function crc(bytes: Uint8Array): number {
  let register = 0xffffffff;
  for (const byte of bytes) {
    register ^= byte;
    for (let bit = 0; bit < 8; bit += 1) register = (register >>> 1) ^ (register & 1 ? 0xedb88320 : 0);
  }
  return ~register >>> 0;
}
