// The register's rules for credentials, pure: who may be given one, in whose place it stands, and what states it passes through.

import { type Applied, applied, refused } from "./applied.js";
import { countRegistered } from "./registrars.js";
import {
  type CredentialRow,
  type CredentialState,
  credentialRowId,
  credentialsOf,
  currentCredential,
  type NewCredential,
  type Put,
  type RegisterView,
} from "./rows.js";

/** What an order that the authority signed makes of a credential. */
export type StateChange = "suspended" | "valid" | "revoked" | "replaced";

export function applyIssue(view: RegisterView, credential: NewCredential, forced: boolean, time_s: number): Applied {
  const { subject, meter, registrar } = credential;
  const device = view.get("devices", subject);
  const isKnown = device !== undefined || view.get("participants", subject) !== undefined;
  if (!isKnown) return refused(`there is no device or participant ${subject}`);
  if (device?.key !== undefined && device.key !== meter && !forced) {
    return refused(`the maker of ${subject} attests key ${device.key}, not ${meter}`);
  }
  if (!forced) {
    const ofSubject = credentialsOf(view, "subjects", subject).at(-1);
    if (ofSubject !== undefined) return refused(`ID ${subject} has a credential since ${dayOf(ofSubject)}`);
    const ofKey = credentialsOf(view, "keys", meter).at(-1);
    if (ofKey !== undefined) return refused(`key ${meter} has a credential since ${dayOf(ofKey)}`);
  }
  if (registrar === undefined) return addCredential(view, credential, time_s, []);
  const counted = countRegistered(view, { credential, registrar, lot: device?.lot, time_s });
  return typeof counted === "string" ? refused(counted) : addCredential(view, credential, time_s, [counted]);
}

export function applyRenew(view: RegisterView, credential: NewCredential, time_s: number): Applied {
  const { subject } = credential;
  const before = currentCredential(view, subject);
  if (before === undefined) return refused(`ID ${subject} has no credential that could be renewed`);
  if (before.state === "suspended") return refused(`the credential of ${subject} is suspended: resume it first`);
  const problem = successorProblem(view, credential);
  return problem === undefined
    ? addCredential(view, credential, time_s, [stated(before, "renewed")])
    : refused(problem);
}

/** Another key takes the place of the one before, which an order ends. */
export function applyReplace(view: RegisterView, credential: NewCredential, time_s: number): Applied {
  const { subject, meter } = credential;
  const before = currentCredential(view, subject);
  if (before === undefined) return refused(`ID ${subject} has no credential that could be replaced`);
  if (before.meter === meter) return refused(`key ${meter} cannot take its own place: renew its credential`);
  const problem = successorProblem(view, credential);
  return problem === undefined
    ? addCredential(view, credential, time_s, [stated(before, "replaced")])
    : refused(problem);
}

/** What speaks against the key of a credential that follows another of the same subject. */
function successorProblem(view: RegisterView, { subject, meter }: NewCredential): string | undefined {
  const known = credentialsOf(view, "keys", meter);
  const taken = known.find((other) => other.subject !== subject);
  if (taken !== undefined) return `key ${meter} is that of ${taken.subject}`;
  const over = known.find(({ state }) => state === "revoked" || state === "replaced");
  return over === undefined ? undefined : `key ${meter} is ${over.state}: let the holder make another`;
}

function addCredential(view: RegisterView, credential: NewCredential, time_s: number, puts: readonly Put[]): Applied {
  const { statusIndex, subject, meter } = credential;
  if (statusIndex !== view.issued) return refused(`status index ${statusIndex} is not the next one, ${view.issued}`);
  const row: CredentialRow = { ...credential, issued_s: time_s, state: "valid" };
  const added: Put[] = [
    { table: "credentials", id: credentialRowId(statusIndex), row },
    { table: "subjects", id: subject, row: [...(view.get("subjects", subject) ?? []), statusIndex] },
    { table: "keys", id: meter, row: [...(view.get("keys", meter) ?? []), statusIndex] },
  ];
  return { type: "applied", puts: [...puts, ...added], issued: view.issued + 1 };
}

/** States that a state may change into; what is revoked or replaced stays so. */
const successors: Readonly<Record<CredentialState, readonly StateChange[]>> = {
  valid: ["suspended", "revoked", "replaced"],
  suspended: ["valid", "revoked", "replaced"],
  renewed: ["revoked"],
  replaced: [],
  revoked: [],
};

/** Whether an order may make this of a credential in that state. */
export function canBecome(state: CredentialState, to: StateChange): boolean {
  return successors[state].includes(to);
}

/** An order names a key, so all credentials of the key change that can. */
export function applyState(view: RegisterView, meter: string, to: StateChange): Applied {
  const known = credentialsOf(view, "keys", meter);
  if (known.length === 0) return refused(`key ${meter} has no credential`);
  const changed = known.filter(({ state }) => canBecome(state, to));
  if (changed.length === 0) return refused(`the credential of key ${meter} is ${known.at(-1)!.state}, not to be ${to}`);
  return applied(
    view,
    changed.map((row) => stated(row, to)),
  );
}

function stated(row: CredentialRow, state: CredentialState): Put {
  return { table: "credentials", id: credentialRowId(row.statusIndex), row: { ...row, state } };
}

function dayOf({ issued_s }: CredentialRow): string {
  return new Date(issued_s * 1000).toISOString().slice(0, 10);
}
