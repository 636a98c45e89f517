// Where two results of a block differ, in words that name the effect, the verdict or the reason.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Effect, EntryOutcome } from "../../src/wire/outcome.js";
import { encodeValue } from "../../src/wire/value.js";
import { resultsDifference } from "../../tools/ledger/results-difference.js";
import { encodeResults, type Results, type Violation } from "../../tools/ledger/violations.js";

const effect = (name: string, value: number): Effect => ({ name, body: encodeValue(value) });
const entry = { kind: "operation", leaf: 1 } as const;
const done = (...effects: readonly Effect[]): EntryOutcome => ({
  ...{ type: "done", entry, contract: "community", used: 9, effects },
});
const denied = (rule: string): EntryOutcome => ({
  ...{ type: "denied", entry, contract: "community", used: 9, effects: [], denials: [{ rule, body: encodeValue(1) }] },
});
const gap = (detail: number): Violation => ({ kind: "gap", meter: new Uint8Array(8), seq: 1, detail });
const results = (outcomes: readonly EntryOutcome[], violations: readonly Violation[] = []): Results => ({
  ...{ outcomes, violations, slots: [] },
});

test("the first thing that differs is named", () => {
  const bills = done(effect("bill", 1), effect("bills", 2));
  for (const [computed, sealed, words] of [
    [
      results([bills]),
      results([done(effect("bill", 9), effect("bills", 2))]),
      "operation 1: effect 0, bill, of contract community is another than it comes to",
    ],
    [
      results([bills]),
      results([done(effect("bill", 1))]),
      "operation 1: effect 1, bills, of contract community is left out",
    ],
    [
      results([done()]),
      results([bills]),
      "operation 1: effect 0, bill, of contract community is not what it comes to: there is none",
    ],
    [results([bills]), results([denied("not-manager")]), "operation 1: it is denied, and comes to done"],
    [
      results([denied("not-manager")]),
      results([denied("other")]),
      "operation 1: why it is denied of contract community is another",
    ],
    [
      results([bills]),
      results([{ ...bills, used: 3 } as EntryOutcome]),
      "operation 1: 3 of the budget is used, where it is 9",
    ],
    [results([bills]), results([]), "the outcome of operation 1 is missing"],
    [results([]), results([bills]), "operation 1 has an outcome, and comes to none"],
    [results([], [gap(3)]), results([], [gap(2)]), "violation 0, gap, is another than is found"],
    [results([], [gap(3)]), results([]), "violation 0, gap, is left out"],
    [results([]), results([], [gap(3)]), "violation 0, gap, is found by nobody"],
  ] as const) {
    assert.equal(resultsDifference(computed, encodeResults(sealed)), words);
  }
});
