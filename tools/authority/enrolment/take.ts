// Takes enrolments and approvals into the register, and grants what is to be granted: organisation, participant and credential in one
// transaction. What is asked again is answered the same, so that a lost answer costs nothing.

import { randomBytes } from "node:crypto";
import { fromHex } from "../../../src/wire/bytes.js";
import { readEnrolment } from "../../../src/wire/enrolment.js";
import { GridsealError } from "../../errors.js";
import { type Authority, changesFor, issueOne } from "../issue.js";
import type { Change } from "../register/changes.js";
import type { Draft } from "../register/draft.js";
import { approvalsMissing } from "../register/enrolments.js";
import type { Register } from "../register/register.js";
import { type Asked, credentialsOf, type EnrolmentRow, type RegisterView } from "../register/rows.js";
import { judgeEnrolment } from "./judge.js";

/** What has become of an enrolment; `key` is the id of its key. */
export type EnrolmentOutcome =
  | { readonly type: "granted"; readonly key: string; readonly id: string; readonly credential: Uint8Array }
  | { readonly type: "waiting"; readonly key: string; readonly approvals: number; readonly missing: number }
  | { readonly type: "refused"; readonly key?: string; readonly reason: string };

export interface Enrolling {
  readonly authority: Authority;
  readonly register: Register;
  /** services that the network has */
  readonly services: readonly number[];
  /** validity of what is issued */
  readonly days: number;
  now_s(): number;
  isFresh(nonce: Uint8Array): boolean;
}

/** In a file an enrolment is as old as the way that it came. */
export const anyNonce = () => true;

/** Takes an enrolment as it was sent. Durable when it returns. */
export function takeEnrolment(enrolling: Enrolling, bytes: Uint8Array): EnrolmentOutcome {
  const { authority, register, services, isFresh } = enrolling;
  const now_s = enrolling.now_s();
  let outcome: EnrolmentOutcome = { type: "refused", reason: "" };
  const take = (draft: Draft): readonly Change[] => {
    const judgement = judgeEnrolment(draft, bytes, { genesisHash: authority.genesis.hash, services, isFresh });
    switch (judgement.type) {
      case "known":
        outcome = outcomeOf(draft, judgement.key, judgement.row);
        return [];
      case "refused":
        outcome = judgement;
        return [];
      case "new":
        outcome = enrol(enrolling, draft, { key: judgement.key, asked: judgement.asked, now_s });
        return [];
    }
  };
  try {
    register.update(now_s, take);
  } catch (error) {
    // No credential can say what is asked for: nothing of it was kept.
    if (!(error instanceof GridsealError) || error.code !== "USAGE") throw error;
    return { type: "refused", reason: error.message };
  }
  return outcome;
}

function enrol(enrolling: Enrolling, draft: Draft, { key, asked, now_s }: Granting): EnrolmentOutcome {
  const enrolled: Change = { type: "enrol", key, asked };
  const isByRules = draft.get("codes", asked.code)!.approvals === 0;
  const granting = isByRules ? grantingOf(enrolling, draft, { key, asked, now_s }) : undefined;
  const reason = draft.attempt([enrolled, ...(granting?.changes ?? [])]);
  if (reason !== undefined) return { type: "refused", key, reason };
  return outcomeOf(draft, key, draft.get("enrolments", key)!);
}

/** Takes an approver's word for the enrolment of a key. Throws REGISTER_REFUSED where it does not count, or cannot be granted. */
export function takeApproval(enrolling: Enrolling, key: string, approval: Uint8Array): EnrolmentOutcome {
  const now_s = enrolling.now_s();
  let outcome: EnrolmentOutcome = { type: "refused", key, reason: "" };
  enrolling.register.update(now_s, (draft) => {
    const bytes = Buffer.from(approval).toString("base64url");
    const reason = draft.attempt([{ type: "approval", key, approval: bytes }]);
    if (reason !== undefined) throw new GridsealError("REGISTER_REFUSED", reason);
    const row = draft.get("enrolments", key)!;
    outcome = outcomeOf(draft, key, row);
    if (outcome.type !== "waiting" || outcome.missing > 0) return [];
    const problem = draft.attempt(grantingOf(enrolling, draft, { key, asked: row, now_s }).changes);
    if (problem !== undefined) throw new GridsealError("REGISTER_REFUSED", problem);
    outcome = outcomeOf(draft, key, draft.get("enrolments", key)!);
    return [];
  });
  return outcome;
}

interface Granting {
  readonly key: string;
  readonly asked: Asked;
  readonly now_s: number;
}

/** The participant with its credential. Throws USAGE where no credential can say what is asked for. */
function grantingOf({ authority, days }: Enrolling, draft: Draft, { key, asked, now_s }: Granting) {
  const message = Uint8Array.from(Buffer.from(asked.message, "base64url"));
  const { key: publicKey, ...enrolment } = readEnrolment(message, fromHex(asked.genesis)!);
  const id = freshId(draft);
  const { roles, services, jurisdiction, deliveryKey } = enrolment;
  const terms = {
    ...{ id, roles, services, days },
    ...(jurisdiction !== undefined && { jurisdiction }),
    ...(deliveryKey !== undefined && { deliveryKey }),
  };
  const { row } = issueOne(authority, { terms, key: publicKey }, draft.issued, now_s);
  const grant: Change = { type: "grant", key, id };
  return { changes: [...participantChanges(draft, id, asked), ...changesFor(draft, terms, row, "first"), grant] };
}

/** The organisation where its code names none: a firm by its EIC or GLN, a person by the participant's ID. */
function participantChanges(view: RegisterView, id: string, asked: Asked): readonly Change[] {
  const { name, eic, gln, contact } = asked;
  const known = view.get("codes", asked.code)!.organisation;
  const organisation = known ?? eic ?? gln ?? id;
  const participant: Change = { type: "participant", participant: { id, organisation, contact } };
  if (known !== undefined) return [participant];
  const codes = { ...(eic !== undefined && { eic }), ...(gln !== undefined && { gln }) };
  return [{ type: "organisation", organisation: { id: organisation, name, ...codes, contact } }, participant];
}

/** An ID that says nothing of who has it: it stands on chains. */
function freshId(view: RegisterView): string {
  for (;;) {
    const id = `p-${randomBytes(5).toString("hex")}`;
    if (view.get("participants", id) === undefined && view.get("devices", id) === undefined) return id;
  }
}

/** What an enrolment in the register has come to. */
export function outcomeOf(view: RegisterView, key: string, row: EnrolmentRow): EnrolmentOutcome {
  if (row.state === "refused") return { type: "refused", key, reason: row.reason! };
  if (row.state === "waiting") {
    return { type: "waiting", key, approvals: row.approvals.length, missing: approvalsMissing(view, row) };
  }
  const { bytes } = credentialsOf(view, "keys", key).at(-1)!;
  return { type: "granted", key, id: row.id!, credential: Uint8Array.from(Buffer.from(bytes, "base64url")) };
}
