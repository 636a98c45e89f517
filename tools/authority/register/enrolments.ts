// Enrolments in the register, pure: what a code allows may be asked for, and an enrolment is granted when the approvals that its code
// wants are there and its participant has a credential. They are rules of the register, so that its audit finds one that was not.

import { type Applied, applied, refused } from "./applied.js";
import { isEic, isGln } from "./codes.js";
import { useCode } from "./enrolment-codes.js";
import {
  type Asked,
  type CodeRow,
  credentialsOf,
  currentCredential,
  type EnrolmentRow,
  type RegisterView,
} from "./rows.js";

export function applyEnrol(
  view: RegisterView,
  { key, asked }: { readonly key: string; readonly asked: Asked },
  time_s: number,
): Applied {
  const before = view.get("enrolments", key);
  if (before !== undefined) return refused(`the enrolment of key ${key} is ${before.state} already`);
  const known = credentialsOf(view, "keys", key).at(-1);
  if (known !== undefined) return refused(`key ${key} has a credential as ${known.subject}: it is renewed by requests`);
  const code = view.get("codes", asked.code);
  if (code === undefined) return refused(`there is no code ${asked.code}`);
  const used = useCode(code, key, time_s);
  if (typeof used === "string") return refused(used);
  const problem = beyondCode(code, asked) ?? organisationProblem(view, code, asked);
  if (problem !== undefined) return refused(problem);
  const row = { ...asked, state: "waiting" as const, received_s: time_s, approvals: [] };
  return applied(view, [used, { table: "enrolments", id: key, row }]);
}

/** What is asked for that the code does not allow. */
function beyondCode(code: CodeRow, { roles, services, jurisdiction }: Asked): string | undefined {
  const role = roles.find((each) => !code.roles.includes(each));
  if (role !== undefined) return `the code is for ${code.roles.join(", ")}, not ${role}`;
  const service = services.find((each) => !code.services.includes(each));
  if (service !== undefined) return `the code is for services ${code.services.join(", ") || "none"}, not ${service}`;
  if (code.jurisdiction === undefined || code.jurisdiction === jurisdiction) return undefined;
  return `the code is for jurisdiction ${code.jurisdiction}, not ${jurisdiction ?? "none"}`;
}

/** Codes of firms are public: who states one does not join its organisation by that, but by a code of that organisation. */
function organisationProblem(view: RegisterView, code: CodeRow, { eic, gln }: Asked): string | undefined {
  if (eic !== undefined && !isEic(eic)) return `${eic} is no EIC: its check character is wrong, or its form`;
  if (gln !== undefined && !isGln(gln)) return `${gln} is no GLN: its check digit is wrong, or its form`;
  if (code.organisation === undefined) {
    const firm = eic ?? gln;
    if (firm !== undefined && code.approvals === 0)
      return `nobody is to check that ${firm} is yours: ask for another code`;
    const taken = [eic, gln].find((id) => id !== undefined && view.get("organisations", id) !== undefined);
    return taken === undefined ? undefined : `organisation ${taken} is registered: ask for a code of it`;
  }
  const known = view.get("organisations", code.organisation)!;
  if (eic !== undefined && eic !== known.eic) return `${eic} is not the EIC of organisation ${known.id}`;
  if (gln !== undefined && gln !== known.gln) return `${gln} is not the GLN of organisation ${known.id}`;
  return undefined;
}

/** How many more approvers must grant it. */
export function approvalsMissing(
  view: RegisterView,
  { code, approvals }: Pick<EnrolmentRow, "code" | "approvals">,
): number {
  return Math.max(0, view.get("codes", code)!.approvals - approvals.length);
}

export function applyGrant(view: RegisterView, key: string, id: string): Applied {
  const row = view.get("enrolments", key);
  if (row === undefined) return refused(`there is no enrolment of key ${key}`);
  if (row.state !== "waiting") return refused(`the enrolment of key ${key} is ${row.state} already`);
  const missing = approvalsMissing(view, row);
  if (missing > 0) return refused(`the enrolment of key ${key} lacks ${missing} approval${missing === 1 ? "" : "s"}`);
  const credential = currentCredential(view, id);
  if (credential?.meter !== key) return refused(`${id} has no credential for key ${key}`);
  if (credential.roles.join() !== row.roles.join() || credential.services.join() !== row.services.join()) {
    return refused(`the credential of ${id} is not what key ${key} has asked for`);
  }
  return applied(view, [{ table: "enrolments", id: key, row: { ...row, state: "granted", id } }]);
}
