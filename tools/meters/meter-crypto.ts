// AES-128-GCM and -CBC of encrypted meter ports by node:crypto, as src/meter/cipher.ts asks for it.

import { createDecipheriv } from "node:crypto";
import type { MeterCrypto } from "../../src/meter/cipher.js";

const tagBytes = 12;

/** For readers that run on Node. */
export const nodeMeterCrypto: MeterCrypto = {
  aesGcmDecrypt(key, iv, aad, ciphertext, tag) {
    const decipher = createDecipheriv("aes-128-gcm", key, iv, { authTagLength: tagBytes });
    decipher.setAAD(aad);
    const plaintext = Uint8Array.from(decipher.update(ciphertext));
    // Encryption alone: without a tag there is nothing that `final` could check.
    if (tag.length === 0) return plaintext;
    decipher.setAuthTag(tag);
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    return plaintext;
  },
  aesCbcDecrypt(key, iv, ciphertext) {
    const decipher = createDecipheriv("aes-128-cbc", key, iv).setAutoPadding(false);
    return Uint8Array.from(Buffer.concat([decipher.update(ciphertext), decipher.final()]));
  },
};
