// A custodian's share of an envelope's key, or its part of another one's, as it is delivered: sealed to one key for one grant
// (PROTOCOL.md, sections 31 and 32).

import type { CborValue } from "./cbor.js";
import type { SealedShare } from "./envelope.js";
import { asArray, asBytes } from "./shape.js";

export interface DeliveredShare {
  readonly envelope: Uint8Array;
  /** where it is a part of another custodian's share: how that has divided it */
  readonly division: Uint8Array | undefined;
  readonly sealed: SealedShare;
}

/** [envelope, division / null, enc, ciphertext]. Throws a WireError. */
export function deliveredShareFrom(item: CborValue): DeliveredShare {
  const [envelope, division, enc, ciphertext] = asArray(item, "delivered share", 4);
  return {
    envelope: asBytes(envelope, "delivered envelope"),
    division: division === null ? undefined : asBytes(division, "delivered division"),
    sealed: { enc: asBytes(enc, "delivered enc", 32), ciphertext: asBytes(ciphertext, "delivered share") },
  };
}
