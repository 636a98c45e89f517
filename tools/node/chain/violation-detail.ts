// What proves a violation, or what a contract says, as JSON has it.

import { toHex } from "../../../src/wire/bytes.js";
import { decodeOutput } from "../../../src/wire/value.js";
import { valueToJson } from "../../contracts/value-json.js";
import { isOfNode, type Violation } from "../../ledger/violations.js";
import type { ViolationShown } from "../../routes/violations.js";

export function violationDetail(violation: Violation): ViolationShown["detail"] {
  if (violation.kind === "contract") return { body: valueToJson(decodeOutput(violation.body)) };
  if (isOfNode(violation)) return { evidence: toHex(violation.evidence) };
  const { kind, detail } = violation;
  if (typeof detail === "number") return { last: detail };
  return kind === "fork" ? { record: toHex(detail) } : { hash: toHex(detail) };
}
