// What a session token proves, and by which signatures: those of the authority and the holder, or, of a node, of the node alone. Whether
// its time and audience are right, and what orders say of its holder, is the reader's to judge, and when the signatures are verified.

import { TIME_S_MAX } from "./bounds.js";
import { equalBytes } from "./bytes.js";
import { decodeCbor } from "./cbor.js";
import { parseSign1, type Sign1, verifySign1 } from "./cose.js";
import { CREDENTIAL_BYTES_MAX, type Credential, type Issuer, verifyCredential } from "./credential.js";
import { WireError } from "./error.js";
import { keyId, type PublicKey, type Verify } from "./key.js";
import {
  AUDIENCE_CHARACTERS_MAX,
  SESSION_DOMAIN,
  SESSION_RANDOM_BYTES,
  SESSION_S_MAX,
  type SessionClaims,
} from "./session.js";
import { asArray, asBytes, asText, asUint } from "./shape.js";

/** Of the signed half: the claims with the longest audience and the overhead of COSE_Sign1. */
export const SESSION_BYTES_MAX = 512;
export const TOKEN_CHARACTERS_MAX =
  1 + Math.ceil((CREDENTIAL_BYTES_MAX * 4) / 3) + Math.ceil((SESSION_BYTES_MAX * 4) / 3);

/** Who a token says that its holder is, and what is to be verified for that: all of it holds where each signature is good. */
export interface SessionProof {
  /** id of the key that signed */
  readonly kid: Uint8Array;
  /** absent of a node */
  readonly credential?: Credential;
  /** three at most: of the token, of its credential, of the credential's warrant */
  readonly signed: readonly Parameters<Verify>[];
}

export interface SessionIssuer extends Issuer {
  /** the genesis' */
  readonly hash: Uint8Array;
  /** The key of the network's node with this id. */
  nodeKey(id: Uint8Array): PublicKey | undefined;
}

/** A token as it was read: its signatures are not checked. */
export interface SignedSession {
  readonly claims: SessionClaims;
  /** empty of a node */
  readonly credential: Uint8Array;
  readonly message: Sign1;
}

/** Reads a token; nothing that it says is proved. Throws a WireError. */
export function readSessionToken(token: string): SignedSession {
  if (token.length > TOKEN_CHARACTERS_MAX) {
    throw new WireError("limit", `session token of ${token.length} characters is longer than ${TOKEN_CHARACTERS_MAX}`);
  }
  const dot = token.indexOf(".");
  if (dot < 0) throw new WireError("shape", "session token must be two parts with a full stop between them");
  const message = parseSign1(fromBase64Url(token.slice(dot + 1)), SESSION_BYTES_MAX);
  const credential = fromBase64Url(token.slice(0, dot));
  if ((credential.length === 0) !== (message.kid?.length === 8)) {
    throw new WireError("shape", "session token must have either a credential or the id of a node's key");
  }
  return { claims: claimsOf(message), credential, message };
}

/** Throws a WireError, `unproven` where the token proves nothing whatever its signatures are. */
export function proofOfSession(session: SignedSession, issuer: SessionIssuer): SessionProof {
  const { claims, credential: shown, message } = session;
  if (!equalBytes(claims.genesis, issuer.hash)) throw new WireError("unproven", "session token is of another network");
  const signed: Parameters<Verify>[] = [];
  const note = (...given: Parameters<Verify>) => signed.push(given) > 0;
  if (shown.length === 0) {
    const kid = message.kid!;
    const key = issuer.nodeKey(kid);
    if (key === undefined) throw new WireError("unproven", "session token has no credential, and names no node");
    requireSigned(verifySign1(message, key, note));
    return { kid, signed };
  }
  const credential = verifyCredential(shown, issuer, note);
  requireSigned(verifySign1(message, credential.key, note));
  return { kid: keyId(credential.key), credential, signed };
}

/** Of another algorithm than its key's nothing is there to verify. */
function requireSigned(isOfKey: boolean): void {
  if (!isOfKey) throw new WireError("unproven", "session token is signed by another algorithm than its key's");
}

function claimsOf(message: Sign1): SessionClaims {
  if (message.unprotected.size !== 0) throw new WireError("shape", "session has an unprotected header");
  const [domain, genesis, audience, issued, expires, random] = asArray(decodeCbor(message.payload), "session", 6);
  if (domain !== SESSION_DOMAIN) throw new WireError("shape", "session does not begin with its name");
  const claims: SessionClaims = {
    genesis: asBytes(genesis, "session genesis", 32),
    audience: asText(audience, "session audience", AUDIENCE_CHARACTERS_MAX),
    issued_s: asUint(issued, "session begin", TIME_S_MAX),
    expires_s: asUint(expires, "session end", TIME_S_MAX),
    random: asBytes(random, "session random", SESSION_RANDOM_BYTES),
  };
  const lasts_s = claims.expires_s - claims.issued_s;
  if (lasts_s <= 0 || lasts_s > SESSION_S_MAX) {
    throw new WireError("shape", `session must last 1 to ${SESSION_S_MAX} seconds, not ${lasts_s}`);
  }
  return claims;
}

/** The one text that bytes have: without padding, the bits that are left over zero. */
function fromBase64Url(text: string): Uint8Array {
  const bytes = new Uint8Array((text.length * 6) >> 3);
  let held = 0;
  let bits = 0;
  let at = 0;
  for (let index = 0; index < text.length; index += 1) {
    held = ((held << 6) | digitOf(text.charCodeAt(index))) & 0xfff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at] = held >> bits;
    at += 1;
  }
  if (bits >= 6 || (held & ((1 << bits) - 1)) !== 0) throw notBase64Url();
  return bytes;
}

function digitOf(code: number): number {
  if (code >= 65 && code <= 90) return code - 65;
  if (code >= 97 && code <= 122) return code - 71;
  if (code >= 48 && code <= 57) return code + 4;
  if (code === 45) return 62;
  if (code === 95) return 63;
  throw notBase64Url();
}

function notBase64Url(): WireError {
  return new WireError("encoding", "session token is no base64url of RFC 4648, section 5");
}
