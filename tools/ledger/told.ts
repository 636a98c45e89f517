// What a chain's rules tell the contracts chain by themselves, pure: each violation of a block, once, as messages without a contract. So
// a contract there can keep what becomes of it, and nobody can make one up.

import { toHex } from "../../src/wire/bytes.js";
import type { Effect, EntryOutcome } from "../../src/wire/outcome.js";
import { encodeValue, type Value } from "../../src/wire/value.js";
import { CONTRACTS_SERVICE } from "./governance.js";
import type { Numbering } from "./messages.js";
import { numberOf, ruleOf, subjectOf, type Violation, violationKinds } from "./violations.js";

/** Violations that one message tells: with the longest names they fit its body. */
export const TOLD_ROWS_MAX = 100;
/** Messages of one block: with what runs may say they fit its leaves. What is beyond stands in its results alone. */
export const TOLD_MESSAGES_MAX = 63;
/** What such a message is called. */
const TOLD_NAME = "violation";

/** The outcome that says them; none where there is nothing to say. */
export function toldOutcomes(violations: readonly Violation[], numbering: Numbering): EntryOutcome[] {
  const effects: Effect[] = [];
  for (let first = 0; first < violations.length && effects.length < TOLD_MESSAGES_MAX; first += TOLD_ROWS_MAX) {
    const rows = violations.slice(first, first + TOLD_ROWS_MAX).map(rowOf);
    effects.push({ name: TOLD_NAME, body: encodeValue([first, rows]), to: numbering.take(CONTRACTS_SERVICE, 0) });
  }
  return effects.length === 0 ? [] : [{ entry: { kind: "violations" }, type: "told", effects }];
}

/** Its kind, whom it is said against, its number, and the contract's rule. */
function rowOf(violation: Violation): Value {
  const subject = toHex(subjectOf(violation));
  return [violationKinds[violation.kind], subject, numberOf(violation), ruleOf(violation) ?? null];
}
