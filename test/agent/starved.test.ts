import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { SEAL_AGE_MAX_MS } from "../../src/agent/health.js";
import { STALL_MAX_MS, STALL_MS } from "../../src/agent/patience.js";
import { SPAN_MAX, WINDOW_MAX } from "../../src/agent/window.js";
import { type RefusalReason, refusalReasons } from "../../src/wire/refusal.js";
import { type Broker, createLife, honest, type Treatment } from "./brokers.js";

const reasons = Object.keys(refusalReasons) as RefusalReason[];
/** a connection, its pauses, and the tick that notices */
const GRACE_S = 15;
const stall_s = STALL_MS / 1_000;

/** Honest for so long, then so. */
const turning = (from_ms: number, then: Broker): Broker => ({
  onRecord: (record, now_ms) => (now_ms < from_ms ? honest : then).onRecord(record, now_ms),
  unasked: (now_ms) => (now_ms < from_ms ? [] : (then.unasked?.(now_ms) ?? [])),
});
const refusing = (reason: RefusalReason): Broker => ({ onRecord: () => ({ refusals: [reason] }) });

describe("a meter that is being starved", () => {
  const busy: Broker = { onRecord: () => ({ refusals: ["busy"] }), unasked: () => ["busy"] };
  for (const [what, liar] of [
    ["says busy all the time", busy],
    ["says rate-limited whenever nothing is on its way", { ...busy, unasked: () => ["rate-limited"] }],
    ["acknowledges and seals nothing", { onRecord: () => ({}) }],
  ] as const satisfies readonly (readonly [string, Broker])[]) {
    test(`leaves a broker that ${what}, within a minute, and is not healthy meanwhile`, () => {
      const life = createLife({ brokers: [turning(10_000, liar), honest, honest] });
      life.run(10 + SEAL_AGE_MAX_MS / 1_000 + 5);
      assert.match(life.state(), /^(not sealed|refused: (busy|rate-limited))$/);
      life.run(stall_s);
      assert.deepEqual(life.homes, [0, 1]);
      assert.equal(life.state(), "healthy");
      assert.ok(life.longest_s() < stall_s + GRACE_S, `${life.longest_s()} s`);
      assert.deepEqual(life.gaps, []);
    });
  }

  test("says so where no other broker is named, and goes on offering its records", () => {
    const life = createLife({ brokers: [turning(10_000, busy)] });
    life.run(600);
    assert.equal(life.state(), "refused: busy");
    assert.ok(!life.states.slice(life.states.indexOf("refused: busy")).includes("healthy"));
    assert.ok(life.offers > 2 * WINDOW_MAX, "pauses have come to their end");
  });

  test("leaves a broker that seals a record now and then, and one that seals fewer than come", () => {
    let last_ms = 0;
    const drip: Broker = {
      onRecord(_, now_ms) {
        if (now_ms < last_ms + 35_000) return {};
        last_ms = now_ms;
        return { seals_ms: 1_000 };
      },
    };
    const slow: Broker = { onRecord: () => ({ seals_ms: 50_000 }) };
    for (const liar of [drip, slow]) {
      last_ms = 0;
      const life = createLife({ brokers: [liar, honest] });
      life.run(3 * stall_s);
      assert.deepEqual(life.homes, [0, 1]);
      assert.equal(life.state(), "healthy");
      assert.ok(life.oldest_s() < 5, `${life.oldest_s()} s`);
    }
  });

  test("gets the one record sealed elsewhere that a broker refuses for ever, before a gap could be closed", () => {
    for (const reason of reasons) {
      const liar: Broker = {
        onRecord: ({ seq }) => (seq === 20 ? { refusals: [reason] } : { seals_ms: 1_000 }),
      };
      const life = createLife({ brokers: [liar, honest] });
      life.run(20 + stall_s + GRACE_S);
      assert.equal(life.oldest_s() < 5, true, reason);
      assert.equal(life.state(), "healthy", reason);
      life.run(1_800);
      assert.deepEqual(life.gaps, [], reason);
      assert.deepEqual(life.homes, [0, 1], reason);
    }
  });

  test("stops at the span where its only broker refuses one record for ever, says why, and makes no gap", () => {
    for (const reason of reasons) {
      const liar: Broker = {
        onRecord: ({ seq }) => (seq === 20 ? { refusals: [reason] } : { seals_ms: 1_000 }),
      };
      const life = createLife({ brokers: [liar] });
      life.run(1_500);
      assert.deepEqual(life.gaps, []);
      assert.equal(life.highest(1), 20 + SPAN_MAX, reason);
      assert.equal(life.state(), `refused: ${reason}`);
    }
  });

  test("goes on behind the span as soon as the record is sealed", () => {
    const liar: Broker = {
      onRecord: ({ seq }, now_ms) =>
        seq === 20 && now_ms < 1_300_000 ? { refusals: ["malformed"] } : { seals_ms: 1_000 },
    };
    const life = createLife({ brokers: [liar] });
    life.run(1_300);
    assert.equal(life.highest(1), 20 + SPAN_MAX);
    life.run(700);
    assert.deepEqual([life.gaps, life.state()], [[], "healthy"]);
    assert.ok(life.oldest_s() < 5);
  });

  test("lets its other services go on where one is refused, however many of its records there are", () => {
    for (const reason of ["service-not-permitted", "malformed", "clock-far-off"] as const) {
      const picky: Broker = {
        onRecord: ({ service }) => (service === 2 ? { refusals: [reason] } : { seals_ms: 1_000 }),
      };
      const life = createLife({ brokers: [picky], services: 3, interval_ms: 2_000 });
      life.run(1_800);
      assert.equal(life.state(), `refused: ${reason}`);
      for (const service of [1, 3]) assert.ok(life.highest(service) > 880, `${reason} ${life.highest(service)}`);
      assert.equal(life.highest(2), -1);
    }
  });

  test("serves two chains by way of two brokers of which each seals one", () => {
    const only = (served: number): Broker => ({
      onRecord: ({ service }) => (service === served ? { seals_ms: 1_000 } : { refusals: ["service-not-permitted"] }),
    });
    const life = createLife({ brokers: [only(1), only(2)], services: 2 });
    life.run(1_800);
    assert.deepEqual(life.gaps, []);
    assert.ok(life.oldest_s() < 2 * stall_s + GRACE_S, `${life.oldest_s()} s`);
  });

  test("takes the receipt of a record that somebody has refused in a node's name", () => {
    for (const reason of reasons) {
      const shared: Broker = { onRecord: () => ({ seals_ms: 1_000, refusals: [reason, reason] }) };
      const life = createLife({ brokers: [shared] });
      life.run(600);
      assert.deepEqual(life.gaps, []);
      // Who says that the meter itself is refused slows it down to what is on its way, no more.
      assert.ok(life.longest_s() < GRACE_S, `${reason}: ${life.longest_s()} s`);
      assert.ok(life.outbox.counters.waiting < WINDOW_MAX, `${reason}: ${life.outbox.counters.waiting}`);
    }
  });

  test("asks another broker at once where its records are refused for their time, and each one once alone", () => {
    const life = createLife({ brokers: [refusing("clock-far-off"), honest] });
    life.run(GRACE_S);
    assert.deepEqual(life.homes, [0, 1]);
    assert.equal(life.state(), "healthy");
    const all = createLife({ brokers: [refusing("clock-far-off"), refusing("clock-far-off")] });
    all.run(30);
    assert.deepEqual(all.homes, [0, 1, 0]);
    assert.equal(all.state(), "refused: clock-far-off");
  });

  test("says at once that it is revoked, and offers little until that may have changed", () => {
    const life = createLife({ brokers: [refusing("revoked")] });
    life.run(5);
    assert.equal(life.state(), "refused: revoked");
    life.run(590);
    assert.ok(life.offers <= WINDOW_MAX, `${life.offers} in ten minutes`);
    const two = createLife({ brokers: [refusing("revoked"), refusing("revoked")] });
    two.run(3_600);
    assert.equal(two.state(), "refused: revoked");
    assert.ok(two.homes.length < 3_600 / (STALL_MAX_MS / 1_000) + 8, `${two.homes.length} connections in an hour`);
    const wrong = createLife({ brokers: [refusing("revoked"), honest] });
    wrong.run(stall_s + GRACE_S);
    assert.equal(wrong.state(), "healthy");
  });

  test("has all sealed in bounded time and never a gap, whatever all brokers but one do", () => {
    const treatment = fc.record<Treatment>(
      {
        acknowledges: fc.boolean(),
        seals_ms: fc.integer({ min: 100, max: 70_000 }),
        refusals: fc.array(fc.constantFrom(...reasons), { maxLength: 3 }),
      },
      { requiredKeys: [] },
    );
    const liars = fc.array(
      fc.record({ kinds: fc.array(treatment, { minLength: 1, maxLength: 5 }), period: fc.nat(40) }),
      {
        minLength: 1,
        maxLength: 3,
      },
    );
    const brokerOf = ({ kinds, period }: { kinds: Treatment[]; period: number }): Broker => ({
      // So that it treats most records alike and singles some out.
      onRecord: ({ seq }) => (seq % (period + 2) > 0 ? kinds[0]! : kinds[seq % kinds.length]!),
    });
    fc.assert(
      fc.property(liars, fc.nat(3), fc.integer({ min: 1, max: 2 }), (all, place, services) => {
        const brokers = all.map(brokerOf);
        brokers.splice(place, 0, honest);
        const life = createLife({ brokers, services, interval_ms: 1_000 });
        life.run(1_600);
        assert.deepEqual(life.gaps, []);
        const bound_s = 2 * brokers.length * (stall_s + GRACE_S) + STALL_MAX_MS / 1_000;
        assert.ok(life.oldest_s() < bound_s, `${life.oldest_s()} s, ${life.homes}`);
      }),
      { numRuns: 40 },
    );
  });
});
