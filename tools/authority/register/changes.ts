// The changes of the authority's register and what each makes of it, pure: the rows to write, or why it does not apply.
// The register is the fold of its changes; `audit.ts` folds them again.

import { type Applied, applied, refused } from "./applied.js";
import { applyApproval, applyApprover, applyStopApprover } from "./approvals.js";
import { isEic, isGln } from "./codes.js";
import { applyIssue, applyRenew, applyReplace, applyState, type StateChange } from "./credential-rules.js";
import { applyCode, applyEndCode } from "./enrolment-codes.js";
import { applyEnrol, applyGrant } from "./enrolments.js";
import { applyRegistrar, applyStop } from "./registrars.js";
import type {
  Approver,
  Asked,
  Code,
  Device,
  Limits,
  NewCredential,
  Organisation,
  Participant,
  Point,
  RegisterView,
} from "./rows.js";

export type Change =
  | { readonly type: "organisation"; readonly organisation: Organisation }
  | { readonly type: "participant"; readonly participant: Participant }
  | { readonly type: "point"; readonly point: Point }
  | { readonly type: "device"; readonly device: Device }
  | { readonly type: "assign"; readonly device: string; readonly point: string }
  /** to another owner, by the shipment file of this hash where there is one */
  | { readonly type: "transfer"; readonly device: string; readonly to: string; readonly shipment?: string }
  | { readonly type: "registrar"; readonly id: string; readonly limits: Limits }
  | { readonly type: "stop"; readonly registrar: string; readonly reason: string }
  /** `forced`: although the subject or the key has one already, or its maker attests another key */
  | { readonly type: "issue"; readonly credential: NewCredential; readonly forced: boolean }
  /** for the same subject; the one before stays good until it ends */
  | { readonly type: "renew"; readonly credential: NewCredential }
  /** for the same subject and another key; the order of this number ends the key before */
  | { readonly type: "replace"; readonly credential: NewCredential; readonly order: number }
  | { readonly type: "state"; readonly meter: string; readonly to: StateChange; readonly reason: string }
  | { readonly type: "code"; readonly code: Code }
  | { readonly type: "end-code"; readonly code: string; readonly reason: string }
  | { readonly type: "approver"; readonly approver: Omit<Approver, "stopped"> }
  | { readonly type: "stop-approver"; readonly key: string; readonly reason: string }
  /** by a key, whose id `key` is */
  | { readonly type: "enrol"; readonly key: string; readonly asked: Asked }
  /** of the enrolment of a key: granted or refused, as an approver signed it, in base64url */
  | { readonly type: "approval"; readonly key: string; readonly approval: string }
  /** the enrolment has made this participant, who has a credential */
  | { readonly type: "grant"; readonly key: string; readonly id: string };

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
      return applyDevice(view, change.device);
    case "assign":
      return applyAssign(view, change, time_s);
    case "transfer":
      return applyTransfer(view, change);
    case "registrar":
      return applyRegistrar(view, change.id, change.limits);
    case "stop":
      return applyStop(view, change.registrar, change.reason);
    case "issue":
      return applyIssue(view, change.credential, change.forced, time_s);
    case "renew":
      return applyRenew(view, change.credential, time_s);
    case "replace":
      return applyReplace(view, change.credential, time_s);
    case "state":
      return applyState(view, change.meter, change.to);
    case "code":
      return applyCode(view, change.code);
    case "end-code":
      return applyEndCode(view, change.code, change.reason);
    case "approver":
      return applyApprover(view, change.approver);
    case "stop-approver":
      return applyStopApprover(view, change.key, change.reason);
    case "enrol":
      return applyEnrol(view, change, time_s);
    case "approval":
      return applyApproval(view, change.key, change.approval);
    case "grant":
      return applyGrant(view, change.key, change.id);
    default:
      return refused("its type is not known");
  }
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

function applyDevice(view: RegisterView, device: Device): Applied {
  const { id, owner } = device;
  if (view.get("participants", id) !== undefined) return refused(`${id} is a participant`);
  if (owner !== undefined && view.get("organisations", owner) === undefined) {
    return refused(`there is no organisation ${owner}`);
  }
  return applyNew(view, "devices", "device", device);
}

function applyNew(
  view: RegisterView,
  table: "organisations" | "participants" | "points" | "devices",
  what: string,
  row: Organisation | Participant | Point | Device,
): Applied {
  if (view.get(table, row.id) !== undefined) return refused(`${what} ${row.id} is registered already`);
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

function applyTransfer(view: RegisterView, change: { device: string; to: string; shipment?: string }): Applied {
  const { device: id, to, shipment } = change;
  const device = view.get("devices", id);
  if (device === undefined) return refused(`there is no device ${id}`);
  if (view.get("organisations", to) === undefined) return refused(`there is no organisation ${to}`);
  if (device.owner === to) return refused(`device ${id} is ${to}'s already`);
  const { shipment: _earlier, ...kept } = device;
  const row = { ...kept, owner: to, ...(shipment !== undefined && { shipment }) };
  return applied(view, [{ table: "devices", id, row }]);
}
