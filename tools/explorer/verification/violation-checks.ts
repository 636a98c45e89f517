// That a sealed block says what a node tells of a violation: the block's seal, then the statement at its place in the block's results.

import { toHex } from "../../../src/wire/bytes.js";
import { entryText } from "../../../src/wire/entry.js";
import { WireError } from "../../../src/wire/error.js";
import { decodeOutput } from "../../../src/wire/value.js";
import { valueToJson } from "../../contracts/value-json.js";
import { decodeResults, subjectOf, type Violation } from "../../ledger/violations.js";
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
  const own = viewOf(sealed);
  for (const name of ["kind", "subject", "number", "rule", "entry", "detail"] as const) {
    if (JSON.stringify(own[name]) === JSON.stringify(told[name])) continue;
    throw new WireError("unproven", `the node tells another ${name} of it than the block has sealed`);
  }
  return { subject: own.subject, index: told.index };
}

/** A sealed violation as a node tells it. */
function viewOf(
  violation: Violation,
): Pick<ViolationShown, "kind" | "subject" | "number" | "rule" | "entry" | "detail"> {
  const common = { kind: violation.kind, subject: toHex(subjectOf(violation)), rule: null, entry: null };
  switch (violation.kind) {
    case "contract": {
      const { contract, name, entry, body } = violation;
      const said = { number: null, rule: `${contract}/${name}`, entry: entryText(entry) };
      return { ...common, ...said, detail: { body: valueToJson(decodeOutput(body)) } };
    }
    case "equivocation":
      return { ...common, number: violation.height, detail: { evidence: toHex(violation.evidence) } };
    case "falseAcknowledgement":
      return { ...common, number: violation.number, detail: { evidence: toHex(violation.evidence) } };
    default: {
      const { kind, seq, detail } = violation;
      if (typeof detail === "number") return { ...common, number: seq, detail: { last: detail } };
      return { ...common, number: seq, detail: kind === "fork" ? { record: toHex(detail) } : { hash: toHex(detail) } };
    }
  }
}
