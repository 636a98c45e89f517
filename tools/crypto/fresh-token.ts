// A session token for a connection that begins now: what a node shows to a shared broker, and a participant's command to an API.

import { randomBytes } from "node:crypto";
import type { Signer } from "../../src/wire/key.js";

import { audienceOf, SESSION_RANDOM_BYTES, sessionToken } from "../../src/wire/session.js";
import { nodeSessionToken } from "./node-token.js";

/** How long it is good: connecting takes seconds, clocks are apart by more. */
const TOKEN_S = 300;

export interface TokenHolder {
  readonly signer: Signer;
  /** absent of a node */
  readonly credential?: Uint8Array;
  /** hash of the genesis */
  readonly genesis: Uint8Array;
}

export function freshToken({ signer, credential, genesis }: TokenHolder, url: string, now_ms: number): string {
  const issued_s = Math.floor(now_ms / 1_000);
  const random = Uint8Array.from(randomBytes(SESSION_RANDOM_BYTES));
  const claims = { genesis, audience: audienceOf(url), issued_s, expires_s: issued_s + TOKEN_S, random };
  return credential === undefined ? nodeSessionToken(claims, signer) : sessionToken(credential, claims, signer);
}
