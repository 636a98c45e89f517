// What a meter holds of its network, as the nonce of its request names it: so who collects the request finds a wrong anchor of trust
// before the meter has a credential (PROTOCOL.md, section 25).

import { encodeCbor } from "./cbor.js";
import { sha256 } from "./hash.js";

const HOLDING = "gs1/holding";

export interface Holding {
  /** hash of the genesis */
  readonly genesis: Uint8Array;
  /** URLs, in the order in which they are tried */
  readonly brokers: readonly string[];
  /** ascending */
  readonly services: readonly number[];
  /** hash of the certificate that brokers' are checked against */
  readonly ca?: Uint8Array | undefined;
}

/** The nonce of a request by a meter that holds this, to whoever gave the challenge. */
export function holdingNonce(challenge: Uint8Array, { genesis, brokers, services, ca }: Holding): Uint8Array {
  return sha256(encodeCbor([HOLDING, challenge, genesis, [...brokers], [...services], ca ?? null]));
}
