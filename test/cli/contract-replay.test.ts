// What `contract replay` and `contract diff` say: whether a run is as it was sealed, each call as people read it, lines that differ.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { EntryOutcome } from "../../src/wire/outcome.js";
import { encodeValue } from "../../src/wire/value.js";
import { diffLines, diffText } from "../../tools/cli/contract/line-diff.js";
import { callText } from "../../tools/contracts/call-text.js";
import type { GuestCall } from "../../tools/contracts/engine.js";
import { createEngine } from "../../tools/contracts/engine.js";
import { defaultLimits } from "../../tools/contracts/limits.js";
import { isAsSealed } from "../../tools/contracts/replayed-runs.js";
import { stateOf } from "../../tools/contracts/run-state.js";
import type { Outcome } from "../../tools/ledger/outcome.js";
import { encodeOutcome } from "../../tools/ledger/outcome.js";
import { readEngine } from "../../tools/node/contracts/sandbox.js";

const body = encodeValue({ asked: 1 });
const ran: Outcome = {
  ...{ type: "done", used: 3, writes: [["asked/1", body]] },
  emissions: [{ type: "effect", name: "counted", body }],
};
const sealed: EntryOutcome = {
  ...{ entry: { kind: "operation", leaf: 1 }, type: "done", contract: "limits", used: 3 },
  effects: [{ name: "counted", body }],
};
const of = (outcome: Outcome, contract = "limits") => ({ contract, outcome });

test("a run is as sealed where contract, budget, effects, denials and failure are the same, and not otherwise", () => {
  assert.ok(isAsSealed(sealed, of(ran)), "the same");
  const denial = { type: "denial", name: "limit-reached", body } as const;
  const denied: EntryOutcome = { ...sealed, type: "denied", effects: [], denials: [{ rule: "limit-reached", body }] };
  assert.ok(isAsSealed(denied, of({ ...ran, emissions: [denial] })), "the same denial");
  const failed: EntryOutcome = {
    ...{ entry: sealed.entry, type: "failed", contract: "limits", used: 3, reason: "threw" },
  };
  const threw: Outcome = { type: "failed", reason: "threw", used: 3, detail: "" };
  assert.ok(isAsSealed(failed, of(threw)), "the same failure");
  for (const [what, one, other] of [
    ["contract", sealed, of(ran, "other")],
    ["budget", sealed, of({ ...ran, used: 4 })],
    ["an effect less", sealed, of({ ...ran, emissions: [] })],
    ["another effect", sealed, of({ ...ran, emissions: [{ type: "effect", name: "other", body }] })],
    ["a denial", sealed, of({ ...ran, emissions: [...ran.emissions, denial] })],
    ["another rule", denied, of({ ...ran, emissions: [{ ...denial, name: "other" }] })],
    ["a failure", sealed, of(threw)],
    ["no failure", failed, of(ran)],
    ["another reason", failed, of({ ...threw, reason: "state" })],
    ["no run", { entry: sealed.entry, type: "unhandled" } as const, of(ran)],
  ] as const) {
    assert.ok(!isAsSealed(one, other), what);
  }
});

test("each call of a contract is told, refused ones too, and being looked at changes nothing", async () => {
  const engine = await createEngine(await readEngine());
  const source = `
    export const reads = ["read/"], writes = ["asked/"];
    export function operation(context, operation) {
      context.put("asked/1", [context.get("read/a") ?? 9007199254740993n, context.keys("asked/")]);
      context.remove("asked/2");
      context.effect("counted", operation.body);
      context.violation("too-often", "00112233aabbccdd", null);
      context.deny("limit", { limit: 1 });
      context.message(5, "told", "x");
      try { context.get("elsewhere"); } catch {}
    }`;
  const run = {
    ...({ source, entry: "operation", argument: { body: "now" }, parameters: {}, height: 1, time_s: 0 } as const),
    ...{ state: stateOf(new Map([["asked/2", encodeValue(1)]])), limits: defaultLimits },
  };
  const calls: GuestCall[] = [];
  const outcome = await engine.run({ ...run, onCall: (call) => void calls.push(call) });
  assert.deepEqual(encodeOutcome(outcome), encodeOutcome(await engine.run(run)));
  const said = calls.map(callText);
  assert.match(said.pop()!, /^get "elsewhere" {2}REFUSED: .*none of its prefixes/);
  assert.deepEqual(said, [
    'get "read/a"',
    'keys "asked/" -> ["asked/2"]',
    'put "asked/1" [{"integer":"9007199254740993"},["asked/2"]]',
    'remove "asked/2"',
    'effect counted "now"',
    "violation too-often to 00112233aabbccdd null",
    'deny limit {"limit":1}',
    'message told to 5 "x"',
  ]);
  const used = calls.map((call) => call.used);
  assert.deepEqual(
    used,
    [...used].sort((one, other) => one - other),
  );
});

test("lines that stay and go are the text before, those that stay and come the one after", () => {
  const texts = fc.array(fc.constantFrom("", "a", "b", "c"), { maxLength: 12 }).map((lines) => lines.join("\n"));
  fc.assert(
    fc.property(texts, texts, (before, after) => {
      const lines = diffLines(before, after);
      const without = (sign: "+" | "-") => lines.filter((line) => line.sign !== sign).map(({ text }) => text);
      assert.equal(without("+").join("\n"), before);
      assert.equal(without("-").join("\n"), after);
      if (before === after) assert.deepEqual(diffText(lines), []);
    }),
  );
  const long = Array.from({ length: 20 }, (_, index) => String(index)).join("\n");
  assert.deepEqual(diffText(diffLines(long, long.replace("\n9\n", "\nnine\n"))), [
    ...["  6", "  7", "  8", "- 9", "+ nine", "  10", "  11", "  12"],
    "...",
  ]);
});
