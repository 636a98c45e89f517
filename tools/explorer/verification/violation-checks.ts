// That a sealed block says what a node tells of a violation: the block's seal, then the statement at its place in the block's results.

import { WireError } from "../../../src/wire/error.js";
import { violationComplaint } from "../../contracts/told-violation.js";
import { decodeResults } from "../../ledger/violations.js";
import type { ViolationShown } from "../../routes/violations.js";
import { type BlockQuestion, blockIn, type SealCheck, sealChecks } from "./block-checks.js";
import type { Checks, Facts } from "./finding.js";

export interface ViolationQuestion extends BlockQuestion {
  /** as the node tells it */
  readonly told: ViolationShown;
}

export const violationChecks: Checks<ViolationQuestion, SealCheck | "statement"> = [
  ...sealChecks,
  ["statement", checkStatement],
];

function checkStatement(question: ViolationQuestion): Facts {
  const { told } = question;
  const sealed = decodeResults(blockIn(question).results).violations[told.index];
  if (sealed === undefined) throw new WireError("unproven", `the block has no violation ${told.index}`);
  const complaint = violationComplaint(told, sealed);
  if (complaint !== undefined) throw new WireError("unproven", complaint);
  return { subject: told.subject, index: told.index };
}
