import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createPeerBudget, defaultBudgetLimits, type PeerWork } from "../../../tools/node/network/budget.js";

const MIB = 1_048_576;

/** Charges `per_s` a second, evenly, for so many seconds; what was answered, by its type. */
function spend(work: PeerWork, per_s: number, seconds: number, budget = createPeerBudget(defaultBudgetLimits)) {
  const answers = { within: 0, delay: 0, shut: 0 };
  for (let count = 0; count < per_s * seconds; count += 1) {
    const verdict = budget.charge("peer", work, 1, (count * 1_000) / per_s);
    answers[verdict.type] += 1;
  }
  return answers;
}

test("what an honest member causes is within its share for ever", () => {
  assert.deepEqual(spend("message", 2_000, 60), { within: 120_000, delay: 0, shut: 0 });
  assert.deepEqual(spend("verification", 1_000, 60), { within: 60_000, delay: 0, shut: 0 });
  assert.deepEqual(spend("failure", 20, 600), { within: 12_000, delay: 0, shut: 0 });
});

test("a node that catches up with 20 MiB a second is held back by nothing", () => {
  const budget = createPeerBudget(defaultBudgetLimits);
  for (let second = 0; second < 120; second += 1) {
    for (let part = 0; part < 5; part += 1) {
      const verdict = budget.charge("peer", "served", 4 * MIB, second * 1_000 + part * 200);
      assert.equal(verdict.type, "within");
    }
  }
});

test("who asks without end is read more slowly and never shut out for it", () => {
  const budget = createPeerBudget(defaultBudgetLimits);
  let delayed = 0;
  for (let count = 0; count < 1_000; count += 1) {
    const verdict = budget.charge("peer", "served", 4 * MIB, count);
    assert.notEqual(verdict.type, "shut");
    if (verdict.type === "delay") delayed += 1;
  }
  assert.ok(delayed > 900);
});

test("a flood of bad signatures is delayed first, then shut out", () => {
  const budget = createPeerBudget(defaultBudgetLimits);
  const kinds: string[] = [];
  let now_ms = 0;
  while (kinds.at(-1) !== "shut" && kinds.length < 100_000) {
    const verdict = budget.charge("peer", "failure", 1, now_ms);
    if (verdict.type !== kinds.at(-1)) kinds.push(verdict.type);
    now_ms += verdict.type === "delay" ? verdict.for_ms : 0.1; // it sends as fast as it is read
  }
  assert.deepEqual(kinds.slice(0, 2), ["within", "delay"]);
  assert.equal(kinds.at(-1), "shut");
  assert.ok(now_ms < 60_000);
  assert.ok(budget.isShut("peer", now_ms) && !budget.isShut("another", now_ms));
});

test("each further time it is kept out twice as long, up to a limit, and begins anew in between", () => {
  const budget = createPeerBudget(defaultBudgetLimits);
  let now_ms = 0;
  const times: number[] = [];
  for (let time = 0; time < 4; time += 1) {
    const verdict = budget.charge("peer", "failure", 10_000, now_ms);
    assert.ok(verdict.type === "shut");
    times.push(verdict.for_ms);
    assert.ok(budget.isShut("peer", now_ms + verdict.for_ms - 1));
    now_ms += verdict.for_ms;
    assert.ok(!budget.isShut("peer", now_ms));
    assert.equal(budget.charge("peer", "message", 1, now_ms).type, "within");
  }
  assert.deepEqual(times, [30_000, 60_000, 120_000, 120_000]);
});

test("who wastes nothing is never shut out, and no delay exceeds its limit", () => {
  const works: readonly PeerWork[] = ["message", "verification", "served"];
  const charges = fc.array(fc.record({ work: fc.constantFrom(...works), amount: fc.nat(1_000) }), { maxLength: 200 });
  fc.assert(
    fc.property(charges, (list) => {
      const budget = createPeerBudget(defaultBudgetLimits);
      let now_ms = 0;
      for (const { work, amount } of list) {
        const verdict = budget.charge("peer", work, amount, now_ms);
        assert.notEqual(verdict.type, "shut");
        if (verdict.type !== "delay") continue;
        assert.ok(verdict.for_ms > 0 && verdict.for_ms <= defaultBudgetLimits.delay_max_ms);
        now_ms += verdict.for_ms;
      }
    }),
  );
});

test("accounts of more peers than there are links are forgotten, but not of those who are kept out", () => {
  const budget = createPeerBudget(defaultBudgetLimits);
  assert.equal(budget.charge("liar", "failure", 10_000, 0).type, "shut");
  for (let peer = 0; peer < 2_000; peer += 1) budget.charge(`peer ${peer}`, "message", 1, peer);
  assert.ok(budget.isShut("liar", 2_000));
});
