// The session token of a node, which has no credential: it names its key, so that a verifier has one signature to verify, and not one for
// each node of the network.

import { encodeCbor } from "../../src/wire/cbor.js";
import { sign1 } from "../../src/wire/cose.js";
import { keyId, type Signer } from "../../src/wire/key.js";
import { SESSION_DOMAIN, type SessionClaims } from "../../src/wire/session.js";

export function nodeSessionToken(claims: SessionClaims, signer: Signer): string {
  const { genesis, audience, issued_s, expires_s, random } = claims;
  const payload = encodeCbor([SESSION_DOMAIN, genesis, audience, issued_s, expires_s, random]);
  return `.${Buffer.from(sign1(payload, signer, keyId(signer.key))).toString("base64url")}`;
}
