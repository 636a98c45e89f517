// AES-128-GCM (NIST SP 800-38D) by the SDK's native cipher and GHASH, for encrypted meter ports. The tag is checked before anything is
// deciphered.

import { BlockCipher, GHASH, Mode } from "crypt";

const BLOCK_BYTES = 16;
const IV_BYTES = 12;

/** As src/meter/cipher.ts asks for it. */
export function aesGcmDecrypt(
  key: Uint8Array,
  iv: Uint8Array,
  aad: Uint8Array,
  ciphertext: Uint8Array,
  tag: Uint8Array,
): Uint8Array | undefined {
  const block = new BlockCipher("AES", bufferOf(key));
  if (tag.length > 0 && !holds(block, iv, aad, ciphertext, tag)) return undefined;
  if (ciphertext.length === 0) return new Uint8Array(0);
  const counting = new Mode("CTR", block);
  counting.setIV(counterBlock(iv, 2));
  return new Uint8Array(counting.decrypt(ciphertext));
}

/** Whether the first bytes of GHASH, ciphered with the first counter block, are the tag; all are compared, whichever differ. */
function holds(block: BlockCipher, iv: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): boolean {
  const hash = new GHASH(block.encrypt(new ArrayBuffer(BLOCK_BYTES)), bufferOf(aad));
  // It reads words: a copy begins where one does.
  hash.write(ciphertext.slice());
  const sum = new Uint8Array(hash.close());
  const mask = new Uint8Array(block.encrypt(counterBlock(iv, 1)));
  let difference = 0;
  for (let index = 0; index < tag.length; index++) difference |= sum[index]! ^ mask[index]! ^ tag[index]!;
  return difference === 0;
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer as ArrayBuffer;
}

function counterBlock(iv: Uint8Array, count: number): ArrayBuffer {
  const bytes = new Uint8Array(BLOCK_BYTES);
  bytes.set(iv);
  bytes[IV_BYTES + 3] = count;
  return bytes.buffer;
}
