// What sealed blocks say against somebody, as JSON has it; and what a node tells of it against what its block has sealed.

import { toHex } from "../../src/wire/bytes.js";
import { decodeOutput } from "../../src/wire/value.js";
import { violationFacts } from "../ledger/violation-place.js";
import { isOfNode, type Violation } from "../ledger/violations.js";
import { valueToJson } from "./value-json.js";

/** What proves a violation, or what a contract says. */
export function violationDetail(violation: Violation) {
  if (violation.kind === "contract") return { body: valueToJson(decodeOutput(violation.body)) };
  if (isOfNode(violation)) return { evidence: toHex(violation.evidence) };
  const { kind, detail } = violation;
  if (typeof detail === "number") return { last: detail };
  return kind === "fork" ? { record: toHex(detail) } : { hash: toHex(detail) };
}

/** A sealed violation as a node tells it, but for its place. */
function toldParts(violation: Violation) {
  return { ...violationFacts(violation), detail: violationDetail(violation) };
}

/** What a node tells otherwise of a violation than its block has sealed; undefined where it tells the same. */
export function violationComplaint(
  told: Readonly<Record<keyof ReturnType<typeof toldParts>, unknown>>,
  sealed: Violation,
): string | undefined {
  const own = toldParts(sealed);
  const names = Object.keys(own) as (keyof typeof own)[];
  const other = names.find((name) => JSON.stringify(own[name]) !== JSON.stringify(told[name]));
  return other && `the node tells another ${other} of it than the block has sealed`;
}
