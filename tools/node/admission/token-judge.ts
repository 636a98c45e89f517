// Who may connect: judges a session token with the authority's key alone, by the network's time and by the orders sealed so far. What is
// cheap to see comes before signatures, which anybody can have checked.

import { toHex } from "../../../src/wire/bytes.js";
import type { Credential } from "../../../src/wire/credential.js";
import { WireError } from "../../../src/wire/error.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import type { Verify } from "../../../src/wire/key.js";
import type { SessionClaims } from "../../../src/wire/session.js";
import { proofOfSession, readSessionToken, type SignedSession } from "../../../src/wire/session-proof.js";
import { type Governance, holderStanding } from "../../ledger/governance.js";

/** A holder's clock may be so far from the node's; a token's whole life is little longer. */
export const CLOCK_APART_MAX_S = 120;

/** Why a token is not taken; also labels of the node's counters. */
export const tokenRefusals = [
  "token-missing",
  "token-malformed",
  "token-unproven",
  "token-audience",
  "token-untimely",
  "holder-expired",
  "holder-revoked",
  "holder-suspended",
  "holder-ended",
  "holder-banned",
] as const;
export type TokenRefusal = (typeof tokenRefusals)[number];

/** Who has shown to hold a key of the network. */
export interface Holder {
  /** the key's id as hex */
  readonly id: string;
  /** absent of a node, as its bytes are */
  readonly credential?: Credential;
  readonly credentialBytes?: Uint8Array;
}

export type TokenVerdict =
  | { readonly type: "admitted"; readonly holder: Holder }
  | { readonly type: "refused"; readonly reason: TokenRefusal; readonly message: string };

export interface TokenJudgePorts {
  readonly genesis: Genesis;
  governance(): Governance;
  now_ms(): number;
  /** Whether a signature that anybody may have brought is the key's. */
  verify(...signed: Parameters<Verify>): Promise<boolean>;
}

export interface TokenJudge {
  /** Judges a token for one of these host names; for any where none are stated. */
  judge(token: string | undefined, names: readonly string[]): Promise<TokenVerdict>;
  /** Why a holder that was admitted is so no longer. */
  objection(holder: Holder): Extract<TokenVerdict, { readonly type: "refused" }> | undefined;
}

export function createTokenJudge({ genesis, governance, now_ms, verify }: TokenJudgePorts): TokenJudge {
  const objection = ({ id, credential }: Holder) => {
    const now_s = now_ms() / 1_000;
    if (credential === undefined) {
      return governance().banned.has(id) ? refused("holder-banned", `node ${id} is banned`) : undefined;
    }
    if (now_s < credential.notBefore_s || now_s >= credential.expires_s) {
      const { notBefore_s, expires_s } = credential;
      return refused("holder-expired", `credential of ${id} is valid from ${notBefore_s} until ${expires_s}`);
    }
    const standing = holderStanding(governance(), id);
    return standing === "good" ? undefined : refused(`holder-${standing}`, `${id} is ${standing} by a sealed order`);
  };

  /** Signatures, which anybody can have checked, have their turn when the rest is good. */
  const prove = async (session: SignedSession): Promise<TokenVerdict> => {
    const nodeKey = (id: Uint8Array) => governance().nodes.get(toHex(id))?.key;
    const { kid, credential, signed } = proofOfSession(session, { ...genesis, nodeKey });
    const id = toHex(kid);
    const holder = credential === undefined ? { id } : { id, credential, credentialBytes: session.credential };
    const objected = objection(holder);
    if (objected !== undefined) return objected;
    for (const each of signed) {
      if (!(await verify(...each))) return refused("token-unproven", "session token or its credential is not signed");
    }
    return { type: "admitted", holder };
  };

  return {
    objection,
    async judge(token, names) {
      if (token === undefined || token === "") return refused("token-missing", "no session token was shown");
      try {
        const session = readSessionToken(token);
        return wrongPlace(session.claims, names) ?? wrongTime(session.claims, now_ms()) ?? (await prove(session));
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        return refused(error.code === "unproven" ? "token-unproven" : "token-malformed", error.message);
      }
    },
  };
}

function wrongPlace({ audience }: SessionClaims, names: readonly string[]) {
  const name = audience.toLowerCase().replace(/:\d*$/, "");
  if (names.length === 0 || names.includes(name)) return undefined;
  return refused("token-audience", "session token is for another host than this one is reached by");
}

function wrongTime({ issued_s, expires_s }: SessionClaims, now_ms: number) {
  const now_s = Math.floor(now_ms / 1_000);
  if (now_s >= issued_s - CLOCK_APART_MAX_S && now_s < expires_s + CLOCK_APART_MAX_S) return undefined;
  return refused("token-untimely", `session token is good from ${issued_s} until ${expires_s}, and it is ${now_s}`);
}

function refused(reason: TokenRefusal, message: string) {
  return { type: "refused", reason, message } as const;
}
