// Who may grant or refuse enrolments, and what they said, pure. Signatures are verified here, so that an audit of the register finds an
// approval that nobody gave.

import { fromHex, toHex } from "../../../src/wire/bytes.js";
import { readApproval, verifyApproval } from "../../../src/wire/enrolment.js";
import { WireError } from "../../../src/wire/error.js";
import { decodeKey, keyId } from "../../../src/wire/key.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { type Applied, applied, refused } from "./applied.js";
import type { Approver, RegisterView } from "./rows.js";

export function applyApprover(view: RegisterView, { name, key }: Omit<Approver, "stopped">): Applied {
  if (name === "") return refused("an approver has a name");
  const bytes = fromHex(key);
  if (bytes === undefined) return refused("the approver's key is not hex");
  let id: string;
  try {
    id = toHex(keyId(decodeKey(bytes)));
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return refused(error.message);
  }
  const before = view.get("approvers", id);
  if (before !== undefined && before.stopped === undefined) {
    return refused(`key ${id} is that of approver ${before.name} already`);
  }
  return applied(view, [{ table: "approvers", id, row: { name, key } }]);
}

export function applyStopApprover(view: RegisterView, id: string, reason: string): Applied {
  const row = view.get("approvers", id);
  if (row === undefined) return refused(`there is no approver with key ${id}`);
  if (row.stopped !== undefined) return refused(`approver ${row.name} is stopped already: ${row.stopped}`);
  return applied(view, [{ table: "approvers", id, row: { ...row, stopped: reason } }]);
}

/** A word for an enrolment that waits: each approver has one, and nobody has one for an enrolment of the same key. */
export function applyApproval(view: RegisterView, key: string, approval: string): Applied {
  const row = view.get("enrolments", key);
  if (row === undefined) return refused(`there is no enrolment of key ${key}`);
  if (row.state !== "waiting") return refused(`the enrolment of key ${key} is ${row.state} already`);
  const bytes = Uint8Array.from(Buffer.from(approval, "base64url"));
  const genesisHash = Uint8Array.from(Buffer.from(row.genesis, "hex"));
  let by: string;
  let reason: string | undefined;
  try {
    by = toHex(readApproval(bytes, genesisHash).kid);
    const approver = view.get("approvers", by);
    if (approver === undefined) return refused(`key ${by} is no approver's`);
    if (approver.stopped !== undefined) return refused(`approver ${approver.name} is stopped: ${approver.stopped}`);
    const verified = verifyApproval(bytes, { genesisHash, key: decodeKey(fromHex(approver.key)!) }, nodeVerify);
    if (toHex(verified.enrolment) !== row.hash) return refused("the approval is for another enrolment");
    reason = verified.reason;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return refused(error.message);
  }
  if (by === key) return refused("nobody approves an enrolment of the own key");
  if (row.approvals.some((other) => other.by === by)) return refused(`approver ${by} has granted it already`);
  const approvals = [...row.approvals, { by, bytes: approval }];
  const outcome = reason === undefined ? { approvals } : { approvals, state: "refused" as const, reason };
  return applied(view, [{ table: "enrolments", id: key, row: { ...row, ...outcome } }]);
}
