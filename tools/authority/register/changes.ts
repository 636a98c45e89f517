// The changes of the authority's register and what each makes of it, pure: the rows to write, or why it does not apply.
// The register is the fold of its changes; `audit.ts` folds them again.

import { isEic, isGln } from "./codes.js";
import {
  type CredentialRow,
  type CredentialState,
  credentialRowId,
  credentialsOf,
  type Device,
  type Organisation,
  type Participant,
  type Point,
  type Put,
  type RegisterView,
} from "./rows.js";

/** A credential that was issued; why it may stand beside or in the place of others is said by `issue`, `renew` and `replace`. */
export type NewCredential = Omit<CredentialRow, "state" | "issued_s">;

export type Change =
  | { readonly type: "organisation"; readonly organisation: Organisation }
  | { readonly type: "participant"; readonly participant: Participant }
  | { readonly type: "point"; readonly point: Point }
  | { readonly type: "device"; readonly device: Device }
  | { readonly type: "assign"; readonly device: string; readonly point: string }
  /** `forced`: although the subject or the key has one already */
  | { readonly type: "issue"; readonly credential: NewCredential; readonly forced: boolean }
  /** for the same subject; the one before stays good until it ends */
  | { readonly type: "renew"; readonly credential: NewCredential }
  | { readonly type: "state"; readonly meter: string; readonly to: StateChange; readonly reason: string };

/** What an order that the authority signed makes of a credential. */
export type StateChange = "suspended" | "valid" | "revoked" | "replaced";

export type Applied =
  | { readonly type: "applied"; readonly puts: readonly Put[]; readonly issued: number }
  /** the change does not apply; `reason` says why */
  | { readonly type: "refused"; readonly reason: string };

/** What a change makes of the register at a time. */
export function applyChange(view: RegisterView, change: Change, time_s: number): Applied {
  switch (change.type) {
    case "organisation":
      return applyOrganisation(view, change.organisation);
    case "participant":
      return applyParticipant(view, change.participant);
    case "point":
      return applyPoint(view, change.point);
    case "device":
      return applyNew(view, "devices", "device", change.device);
    case "assign":
      return applyAssign(view, change, time_s);
    case "issue":
      return applyIssue(view, change.credential, change.forced, time_s);
    case "renew":
      return applyRenew(view, change.credential, time_s);
    case "state":
      return applyState(view, change.meter, change.to);
    default:
      return refused("its type is not known");
  }
}

/** The credential by which a subject is known now: the newest that is not renewed, replaced or revoked. */
export function currentCredential(view: RegisterView, subject: string): CredentialRow | undefined {
  return credentialsOf(view, "subjects", subject).findLast(({ state }) => state === "valid" || state === "suspended");
}

function applyOrganisation(view: RegisterView, organisation: Organisation): Applied {
  const { eic, gln } = organisation;
  if (eic !== undefined && !isEic(eic)) return refused(`${eic} is no EIC: its check character is wrong, or its form`);
  if (gln !== undefined && !isGln(gln)) return refused(`${gln} is no GLN: its check digit is wrong, or its form`);
  return applyNew(view, "organisations", "organisation", organisation);
}

function applyParticipant(view: RegisterView, participant: Participant): Applied {
  const { id, organisation } = participant;
  if (view.get("organisations", organisation) === undefined) return refused(`there is no organisation ${organisation}`);
  if (view.get("devices", id) !== undefined) return refused(`${id} is a device`);
  return applyNew(view, "participants", "participant", participant);
}

function applyPoint(view: RegisterView, point: Point): Applied {
  const { organisation } = point;
  if (organisation !== undefined && view.get("organisations", organisation) === undefined) {
    return refused(`there is no organisation ${organisation}`);
  }
  return applyNew(view, "points", "point", point);
}

function applyNew(
  view: RegisterView,
  table: "organisations" | "participants" | "points" | "devices",
  what: string,
  row: Organisation | Participant | Point | Device,
): Applied {
  if (view.get(table, row.id) !== undefined) return refused(`${what} ${row.id} is registered already`);
  if (table === "devices" && view.get("participants", row.id) !== undefined)
    return refused(`${row.id} is a participant`);
  return applied(view, [{ table, id: row.id, row }]);
}

function applyAssign(view: RegisterView, change: { device: string; point: string }, time_s: number): Applied {
  const { device, point } = change;
  if (view.get("devices", device) === undefined) return refused(`there is no device ${device}`);
  if (view.get("points", point) === undefined) return refused(`there is no point ${point}`);
  const before = view.get("assignments", device);
  if (before?.point === point) return refused(`device ${device} is assigned to point ${point} already`);
  return applied(view, [{ table: "assignments", id: device, row: { device, point, from_s: time_s } }]);
}

function applyIssue(view: RegisterView, credential: NewCredential, forced: boolean, time_s: number): Applied {
  const { subject, meter } = credential;
  const isKnown = view.get("devices", subject) !== undefined || view.get("participants", subject) !== undefined;
  if (!isKnown) return refused(`there is no device or participant ${subject}`);
  if (!forced) {
    const ofSubject = credentialsOf(view, "subjects", subject).at(-1);
    if (ofSubject !== undefined) return refused(`ID ${subject} has a credential since ${dayOf(ofSubject)}`);
    const ofKey = credentialsOf(view, "keys", meter).at(-1);
    if (ofKey !== undefined) return refused(`key ${meter} has a credential since ${dayOf(ofKey)}`);
  }
  return addCredential(view, credential, time_s, []);
}

function applyRenew(view: RegisterView, credential: NewCredential, time_s: number): Applied {
  const { subject, meter } = credential;
  const before = currentCredential(view, subject);
  if (before === undefined) return refused(`ID ${subject} has no credential that could be renewed`);
  if (before.state === "suspended") return refused(`the credential of ${subject} is suspended: resume it first`);
  const taken = credentialsOf(view, "keys", meter).find((other) => other.subject !== subject);
  if (taken !== undefined) return refused(`key ${meter} is that of ${taken.subject}`);
  return addCredential(view, credential, time_s, [stated(before, "renewed")]);
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
function applyState(view: RegisterView, meter: string, to: StateChange): Applied {
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

function applied(view: RegisterView, puts: readonly Put[]): Applied {
  return { type: "applied", puts, issued: view.issued };
}

function refused(reason: string): Applied {
  return { type: "refused", reason };
}
