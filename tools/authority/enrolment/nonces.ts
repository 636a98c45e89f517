// Nonces that show an enrolment to be made now. They are kept nowhere: each is a time and a MAC of it, so that nobody who asks for many
// takes memory. One may be used again while it is good: the register answers the same key the same.

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** How long a nonce is good, in which somebody finishes a form. */
export const NONCE_S = 600;
const TIME_BYTES = 6;
const SALT_BYTES = 8;
const MAC_BYTES = 16;

export interface Nonces {
  fresh(now_s: number): Uint8Array;
  isFresh(nonce: Uint8Array, now_s: number): boolean;
}

/** Nonces of one process; those of another are not fresh. */
export function createNonces(): Nonces {
  const key = randomBytes(32);
  const macOf = (head: Uint8Array) => createHmac("sha256", key).update(head).digest().subarray(0, MAC_BYTES);
  return {
    fresh(now_s) {
      const head = Buffer.alloc(TIME_BYTES + SALT_BYTES);
      head.writeUIntBE(now_s, 0, TIME_BYTES);
      randomBytes(SALT_BYTES).copy(head, TIME_BYTES);
      return Uint8Array.from(Buffer.concat([head, macOf(head)]));
    },
    isFresh(nonce, now_s) {
      if (nonce.length !== TIME_BYTES + SALT_BYTES + MAC_BYTES) return false;
      const bytes = Buffer.from(nonce);
      const head = bytes.subarray(0, TIME_BYTES + SALT_BYTES);
      if (!timingSafeEqual(macOf(head), bytes.subarray(head.length))) return false;
      const given_s = head.readUIntBE(0, TIME_BYTES);
      return given_s <= now_s && now_s < given_s + NONCE_S;
    },
  };
}
