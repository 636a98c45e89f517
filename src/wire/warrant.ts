// A warrant: the authority's word that another key may issue credentials of its network for a time. The authority's own key stays
// offline; a credential carries the warrant of the key that signed it, so that the genesis is enough to verify it.

import { TIME_S_MAX } from "./bounds.js";
import { decodeCbor, encodeCbor } from "./cbor.js";
import { parseSign1, sign1, verifySign1 } from "./cose.js";
import { WireError } from "./error.js";
import { keyFromMap, keyToMap, type PublicKey, type Signer, type Verify } from "./key.js";
import { asArray, asText, asUint } from "./shape.js";

export const WARRANT_BYTES_MAX = 256;
const DOMAIN = "gs1/warrant";

/** What credentials and warrants call a network: its name, and of a test network that it is one. */
export function issuingName({ network, isTest }: { readonly network: string; readonly isTest?: true }): string {
  return isTest ? `${network}/test` : network;
}

export interface Warrant {
  /** what credentials call the network for which the key may issue them */
  readonly network: string;
  /** UTC seconds; a credential of the key begins within them */
  readonly notBefore_s: number;
  readonly expires_s: number;
  /** the issuing key */
  readonly key: PublicKey;
}

/** Signs a warrant with the authority's own key. Throws a WireError where it could not be read again. */
export function issueWarrant(warrant: Warrant, authority: Signer): Uint8Array {
  const { network, notBefore_s, expires_s, key } = warrant;
  const bytes = sign1(encodeCbor([DOMAIN, network, notBefore_s, expires_s, keyToMap(key)]), authority);
  readWarrant(bytes);
  return bytes;
}

/** Reads a warrant; its signature is not checked. */
export function readWarrant(bytes: Uint8Array): Warrant {
  const message = parseSign1(bytes, WARRANT_BYTES_MAX);
  if (message.unprotected.size !== 0) throw new WireError("shape", "warrant has an unprotected header");
  const [domain, network, notBefore, expires, key] = asArray(decodeCbor(message.payload), "warrant", 5);
  if (domain !== DOMAIN) throw new WireError("shape", "warrant does not begin with its name");
  const warrant: Warrant = {
    network: asText(network, "warrant network", 37),
    notBefore_s: asUint(notBefore, "warrant begin", TIME_S_MAX),
    expires_s: asUint(expires, "warrant end", TIME_S_MAX),
    key: keyFromMap(key),
  };
  if (warrant.expires_s <= warrant.notBefore_s) throw new WireError("shape", "warrant ends before it begins");
  return warrant;
}

/** Reads a warrant and checks that the authority of this network has signed it. */
export function verifyWarrant(
  bytes: Uint8Array,
  issuer: { readonly network: string; readonly isTest?: true; readonly authority: PublicKey },
  verify: Verify,
): Warrant {
  const warrant = readWarrant(bytes);
  if (!verifySign1(parseSign1(bytes, WARRANT_BYTES_MAX), issuer.authority, verify)) {
    throw new WireError("unproven", "warrant is not signed by the authority");
  }
  if (warrant.network !== issuingName(issuer)) {
    throw new WireError("unproven", `warrant is for network ${warrant.network}, not ${issuingName(issuer)}`);
  }
  return warrant;
}
