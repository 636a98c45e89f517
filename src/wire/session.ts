// A session token: what a holder of a credential shows to a broker or an API. Its credential, and its key's signature over network,
// audience and time, as text (RFC 4648 section 5, without padding), since brokers read a password up to its first NUL.

import { encodeCbor } from "./cbor.js";
import { sign1 } from "./cose.js";
import type { Signer } from "./key.js";

export const SESSION_DOMAIN = "gs1/session";
/** From issue to end, at most: whoever gets hold of a token has it for so long. */
export const SESSION_S_MAX = 600;
export const SESSION_RANDOM_BYTES = 8;
export const AUDIENCE_CHARACTERS_MAX = 256;

export interface SessionClaims {
  /** hash of the genesis: a token is good in one network */
  readonly genesis: Uint8Array;
  /** host and port that the holder connects to, as its URL has them */
  readonly audience: string;
  /** UTC seconds */
  readonly issued_s: number;
  readonly expires_s: number;
  /** SESSION_RANDOM_BYTES, so that no two tokens are the same */
  readonly random: Uint8Array;
}

/** The token of a credential's holder. */
export function sessionToken(credential: Uint8Array, claims: SessionClaims, signer: Signer): string {
  const { genesis, audience, issued_s, expires_s, random } = claims;
  const signed = sign1(encodeCbor([SESSION_DOMAIN, genesis, audience, issued_s, expires_s, random]), signer);
  return `${toBase64Url(credential)}.${toBase64Url(signed)}`;
}

/** What a URL says behind its scheme and user, its path left out: the audience of a token for it. */
export function audienceOf(url: string): string {
  const place = url.slice(url.indexOf("//") + 2).split("/", 1)[0]!;
  return place.slice(place.lastIndexOf("@") + 1);
}

function toBase64Url(bytes: Uint8Array): string {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  let text = "";
  let bits = 0;
  let held = 0;
  for (let index = 0; index < bytes.length; index += 1) {
    held = (held << 8) | bytes[index]!;
    for (bits += 8; bits >= 6; bits -= 6) text += digits[(held >> (bits - 6)) & 63]!;
    held &= 63;
  }
  return bits === 0 ? text : text + digits[(held << (6 - bits)) & 63]!;
}
