// AES-128-CBC (NIST SP 800-38A, section 6.2) by the SDK's native cipher, for M-Bus meters that encrypt their records.

import { BlockCipher, Mode } from "crypt";

/** As src/meter/cipher.ts asks for it. */
export function aesCbcDecrypt(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  if (ciphertext.length === 0) return new Uint8Array(0);
  const chaining = new Mode("CBC", new BlockCipher("AES", bufferOf(key)));
  chaining.setIV(bufferOf(iv));
  // It reads words: a copy begins where one does.
  return new Uint8Array(chaining.decrypt(ciphertext.slice()));
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer as ArrayBuffer;
}
