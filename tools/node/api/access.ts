// Who is answered: routes that are not public ask for a session token (PROTOCOL.md, section 24), as the bearer of RFC 6750.

import type { Role } from "../../../src/wire/credential.js";
import type { AccessLevel } from "../../routes/shape.js";
import type { Holder, TokenVerdict } from "../admission/token-judge.js";
import { type HiddenChain, type Objection, type Refused, refused } from "./route.js";

export interface ApiAdmission {
  /** Whether what is not public asks for a token. One that is shown is judged in any case. */
  readonly isAsked: boolean;
  judge(token: string): Promise<TokenVerdict>;
  /** Why a holder whose token was taken is admitted no longer. */
  objection(holder: Holder): Extract<TokenVerdict, { readonly type: "refused" }> | undefined;
  /** Roles that read the chain; undefined where its policy names none. */
  readersOf(service: number): readonly Role[] | undefined;
  /** The chains that the node has: what names none of them is of all. */
  services(): readonly number[];
}

export type Access = Granted | Refused;

export interface Granted {
  readonly type: "granted";
  readonly shown: Holder | undefined;
  /** all chains of the node that are not for who asks, whichever chain is asked for; none but at level chains */
  readonly hidden: readonly HiddenChain[];
}

/** Roles that read whole chains, beside the network's nodes, where no policy of a chain says otherwise. */
const readers: readonly Role[] = ["regulator"];

/** What is asked for: its level, and the chain that it is of; undefined of what is of all chains that the node has. */
export interface AskedFor {
  readonly level: AccessLevel;
  readonly service: number | undefined;
}

/** Resolves with who asks, where that is enough for the level. */
export async function accessOf(
  admission: ApiAdmission,
  asked: AskedFor,
  authorization: string | undefined,
): Promise<Access> {
  const { isAsked, judge } = admission;
  if (asked.level === "public") return granted(undefined);
  const token = /^Bearer ([A-Za-z0-9._-]+)$/i.exec(authorization ?? "")?.[1];
  if (token === undefined) {
    if (!isAsked && authorization === undefined) return granted(undefined);
    return refused(
      "unauthorized",
      "This is answered to holders of a credential alone, and no session token was shown.",
    );
  }
  const verdict = await judge(token);
  if (verdict.type === "refused") return notTaken(verdict);
  const { holder } = verdict;
  const objection = objectionTo(admission, asked, holder);
  if (objection !== undefined) return objection;
  if (asked.level !== "chains" || !isAsked) return granted(holder);
  return granted(holder, hiddenFrom(admission, { ...asked, service: undefined }, holder));
}

/**
 * Why who has shown a token that was taken is not answered: by its credential's standing now, or by the chains' policies now. Undefined
 * where it is.
 */
export function objectionTo(
  admission: ApiAdmission,
  asked: AskedFor,
  shown: Holder | undefined,
): Objection | undefined {
  if (asked.level === "public" || shown === undefined) return undefined;
  const objected = admission.objection(shown);
  if (objected !== undefined) return notTaken(objected);
  if (asked.level === "holder" || !admission.isAsked) return undefined;
  const hidden = hiddenFrom(admission, asked, shown);
  const isPart = asked.level === "chains" && hidden.length < wantedOf(admission, asked).length;
  if (hidden.length === 0 || isPart) return undefined;
  return {
    type: "refused",
    code: "forbidden",
    message: `The credential of ${shown.id} has no role that reads ${hidden.map(hiddenText).join(", ")}.`,
  };
}

/** What one chain's policy hides must not come by what is of several. */
function wantedOf({ services }: ApiAdmission, { service }: AskedFor): readonly number[] {
  return service === undefined ? services() : [service];
}

function hiddenFrom(admission: ApiAdmission, asked: AskedFor, holder: Holder): HiddenChain[] {
  return wantedOf(admission, asked).flatMap((service): HiddenChain[] => {
    const named = admission.readersOf(service);
    return readsChains(holder, named) ? [] : [{ service, readers: named ?? readers }];
  });
}

function notTaken({ message }: { readonly message: string }): Objection {
  return { type: "refused", code: "unauthorized", message: `The session token is not taken: ${message}.` };
}

function granted(shown: Holder | undefined, hidden: readonly HiddenChain[] = []): Granted {
  return { type: "granted", shown, hidden };
}

/** The chain, and who reads it. */
function hiddenText({ service, readers: named }: HiddenChain): string {
  return `chain ${service} (${["node", ...named].join(", ")})`;
}

/** Whether the holder is answered on routes of level chain, where the chain's policy names these roles, or none. */
export function readsChains({ credential }: Holder, named: readonly Role[] = readers): boolean {
  return credential === undefined || credential.roles.some((role) => named.includes(role));
}
