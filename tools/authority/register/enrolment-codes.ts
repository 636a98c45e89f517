// One-time codes of enrolments, pure: each is used once and ends at its time. The code is kept nowhere, and shown once, when it is made.
// Guesses are not counted: the secret has 95 bits, and a count would let who knows a code's name lock its applicant out.

import { isDevice, type Role } from "../../../src/wire/credential.js";
import { isCodeName } from "../../../src/wire/enrolment-code.js";
import { type Applied, applied, refused } from "./applied.js";
import type { Code, CodeRow, Put, RegisterView } from "./rows.js";

/** Approvers that one enrolment may need. */
export const APPROVALS_MAX = 2;

export type CodeState = "open" | "used" | "ended" | "expired";

/** What has become of a code: but for `open` it lets nobody in. */
export function codeStateOf({ used, ended, expires_s }: CodeRow, time_s: number): CodeState {
  if (used !== undefined) return "used";
  if (ended !== undefined) return "ended";
  return time_s >= expires_s ? "expired" : "open";
}

/** Why a code that is not open lets nobody in. */
export const codeReasons: Readonly<Record<Exclude<CodeState, "open">, string>> = {
  used: "the code has been used",
  ended: "the authority has ended the code",
  expired: "the code's time is over",
};

export function applyCode(view: RegisterView, code: Code): Applied {
  const { name, key, roles, organisation, approvals } = code;
  if (!isCodeName(name)) return refused(`${name} is no name of a code`);
  if (view.get("codes", name) !== undefined) return refused(`there is a code ${name} already`);
  if (!/^[0-9a-f]{64}$/.test(key)) return refused("the code has no key");
  if (roles.length === 0 || isDevice({ roles: roles as readonly Role[] })) {
    return refused("a code is for roles of participants, one at least");
  }
  if (!Number.isInteger(approvals) || approvals < 0 || approvals > APPROVALS_MAX) {
    return refused(`an enrolment needs 0 to ${APPROVALS_MAX} approvals, not ${approvals}`);
  }
  if (organisation !== undefined && view.get("organisations", organisation) === undefined) {
    return refused(`there is no organisation ${organisation}`);
  }
  return applied(view, [{ table: "codes", id: name, row: code }]);
}

export function applyEndCode(view: RegisterView, name: string, reason: string): Applied {
  const row = view.get("codes", name);
  if (row === undefined) return refused(`there is no code ${name}`);
  if (row.used !== undefined) return refused(`code ${name} has been used by key ${row.used}`);
  if (row.ended !== undefined) return refused(`code ${name} was ended before: ${row.ended}`);
  return applied(view, [{ table: "codes", id: name, row: { ...row, ended: reason } }]);
}

/** The code's row with the key that uses it; why not where it lets nobody in. */
export function useCode(row: CodeRow, key: string, time_s: number): Put | string {
  const state = codeStateOf(row, time_s);
  if (state !== "open") return codeReasons[state];
  return { table: "codes", id: row.name, row: { ...row, used: key } };
}
