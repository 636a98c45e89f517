// Who verifies a temporary block, and when others do it in their place.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toHex } from "../../../../../src/wire/bytes.js";
import { badRecordOf, decodeDisproof } from "../../../../../tools/ledger/disproof.js";
import type { ChainView } from "../../../../../tools/ledger/execution.js";
import { memberSetOf } from "../../../../../tools/ledger/members.js";
import {
  dutyDelay,
  dutyOrder,
  TAKE_OVER_MAX_MS,
  TAKE_OVER_MS,
} from "../../../../../tools/node/chain/batches/exchange/duty.js";
import {
  createExchangeState,
  type ExchangeEffect,
  type ExchangeInput,
} from "../../../../../tools/node/chain/batches/exchange/state.js";
import { step } from "../../../../../tools/node/chain/batches/exchange/step.js";
import { createPool } from "../../../../../tools/node/chain/batches/pool.js";
import { batch, by, members, nameOf } from "../../batches.js";

const ids = members.map(({ id }) => toHex(id));
const view = { origin: () => undefined, meter: () => undefined } as unknown as ChainView;

/** Member `self` of four, two of which are to verify. */
function member(self: number, away: readonly number[] = [], verifiers = 2) {
  const pool = createPool(memberSetOf(members, verifiers));
  const isAway = (node: string) => away.some((position) => ids[position] === node);
  const places = { genesisHash: new Uint8Array(32), service: 1, self: members[self]!.id, view };
  const state = createExchangeState({ ...places, verify: () => true, mayTake: () => true, isAway }, pool);
  const feed = (input: ExchangeInput, now_ms = 0): ExchangeEffect[] => step(state, input, now_ms);
  return { pool, state, feed };
}

/** The positions of the members in the order of their duty. */
const orderOf = (read: ReturnType<typeof batch>) =>
  dutyOrder(read.id, read.batch.origin, members).map((id) => ids.indexOf(id));

test("the order of duty has each member once, the origin first, and is the same whoever computes it", () => {
  const identifiers = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const seconds = new Set<string>();
  fc.assert(
    fc.property(identifiers, fc.nat(3), fc.shuffledSubarray(members, { minLength: 4 }), (id, origin, shuffled) => {
      const order = dutyOrder(id, members[origin]!.id, members);
      assert.deepEqual([...order].sort(), [...ids].sort());
      assert.equal(order[0], ids[origin]);
      assert.deepEqual(dutyOrder(id, members[origin]!.id, shuffled), order);
      seconds.add(order[1]!);
    }),
  );
  assert.equal(seconds.size, 4, "each of them is on duty at some time");
});

test("of four members two are on duty, the third takes over after one period and the fourth after two", () => {
  fc.assert(
    fc.property(fc.nat(60), fc.nat(3), (number, origin) => {
      const read = batch(number, origin);
      const delays = orderOf(read).map((self) => dutyDelay(member(self).state, read) / TAKE_OVER_MS);
      assert.deepEqual(delays, [0, 0, 1, 2]);
      const all = orderOf(read).map((self) => dutyDelay(member(self, [], 4).state, read));
      assert.deepEqual(all, [0, 0, 0, 0], "where all are to verify, nobody waits");
    }),
  );
});

test("who is away is passed over: the next one is on duty at once", () => {
  const read = batch(3);
  const [, second, third, fourth] = orderOf(read);
  assert.equal(dutyDelay(member(third!, [second!]).state, read), 0);
  assert.equal(dutyDelay(member(fourth!, [second!]).state, read), TAKE_OVER_MS);
});

test("a member that only stored a temporary block takes it over where its acceptance is late, and says verified then", () => {
  const read = batch(4);
  const [origin, second, third] = orderOf(read) as [number, number, number];
  const { feed, state, pool } = member(third);
  const from = ids[origin]!;
  const verify = feed({ type: "batch", from, payload: read.bytes }).at(-1);
  assert.ok(verify?.type === "verify" && !verify.records, "it is another's to verify");
  const kept = feed({ type: "verified", from, read, records: false })[0]!;
  assert.equal(kept.type, "keep");
  const arrival = (kept as Extract<ExchangeEffect, { type: "keep" }>).arrival;
  const effects = feed({ type: "kept", arrival });
  assert.deepEqual(
    effects.map((effect) => (effect.type === "sign" ? effect.verified : effect.type)),
    [false, "examine", "setTimer"],
    "it says stored, verifies when it has time, and looks again",
  );
  assert.deepEqual(effects.at(-1), { type: "setTimer", delay_ms: TAKE_OVER_MS });
  assert.deepEqual(feed({ type: "takeOver" }, TAKE_OVER_MS), [{ type: "examine", read, urgency: "duty" }]);
  const outcome = { type: "verified" } as const;
  const said = feed({ type: "examined", read, urgency: "duty", outcome }, TAKE_OVER_MS + 5);
  assert.deepEqual(said, [{ type: "sign", read, verified: true }]);
  assert.equal(state.late.size, 0);
  for (const node of [origin, second, third]) pool.acknowledge(nameOf(read), by(node));
  assert.deepEqual(feed({ type: "examined", read, urgency: "late", outcome }, TAKE_OVER_MS + 9), []);
});

/** Temporary blocks from the first number on, each accepted so long after it came to a member that only stored it. */
function accept({ pool, feed, state }: ReturnType<typeof member>, numbers: readonly number[], after_ms: number): void {
  const self = ids.indexOf(state.self);
  for (const number of numbers) {
    const read = batch(number, 0);
    const others = orderOf(read).filter((position) => position !== self);
    pool.add(read, 0);
    const acknowledgements = others.map((position) => by(position));
    const note = { ...nameOf(read), acknowledgements };
    feed({ type: "accepted", from: ids[0]!, note, payload: new Uint8Array(1) }, after_ms);
    pool.remove([read.id]);
  }
}

test("where acceptances are slow, a member waits twice as long as they take, and eight seconds at most", () => {
  const read = batch(9);
  const third = member(orderOf(read)[2]!);
  const numbers = (from: number) => Array.from({ length: 60 }, (_, index) => from + index);
  accept(third, numbers(100), 3_000);
  const slow_ms = dutyDelay(third.state, read);
  assert.ok(slow_ms > 5_900 && slow_ms <= 6_000, `it waits ${slow_ms} ms`);
  accept(third, numbers(200), 100_000);
  assert.equal(dutyDelay(third.state, read), TAKE_OVER_MAX_MS);
  accept(third, numbers(300), 50);
  assert.equal(dutyDelay(third.state, read), TAKE_OVER_MS);
});

test("a silent member on duty, one of three, makes the others wait no longer each time", () => {
  const read = batch(9);
  const fourth = member(orderOf(read)[3]!);
  const waits: number[] = [];
  for (let turn = 0; turn < 200; turn += 1) {
    const number = 400 + 3 * turn;
    accept(fourth, [number, number + 1], 300);
    accept(fourth, [number + 2], dutyDelay(fourth.state, read) / 2 + 100);
    waits.push(dutyDelay(fourth.state, read) / 2);
  }
  assert.deepEqual([...new Set(waits)], [TAKE_OVER_MS], "always after two seconds");
});

test("nothing is taken over that is accepted by then", () => {
  const read = batch(5);
  const [origin, second, third, fourth] = orderOf(read) as [number, number, number, number];
  const { feed, pool } = member(fourth);
  pool.add(read, 0);
  for (const node of [origin, second]) pool.acknowledge(nameOf(read), by(node));
  assert.equal(pool.acknowledge(nameOf(read), by(third, false)), true, "two have verified, and a quorum has it");
  assert.deepEqual(feed({ type: "takeOver" }, 10 * TAKE_OVER_MS), []);
});

test("what is found wrong later is held against all who said verified: the origin, and those of the acceptance or of the block", () => {
  const read = batch(6);
  const [origin, second, third, fourth] = orderOf(read) as [number, number, number, number];
  const refuted = { type: "refuted", bad: badRecordOf(read, 0, new Uint8Array(8)) } as const;
  const accusedIn = (effects: readonly ExchangeEffect[]) =>
    effects.flatMap((effect) =>
      effect.type === "accuse" ? [ids.indexOf(toHex(decodeDisproof(effect.evidence).word.node))] : [],
    );
  const late = member(fourth);
  late.pool.add(read, 0);
  late.feed({ type: "kept", arrival: { read, isOwn: false, displaced: undefined, acceptance: undefined } });
  const acknowledgements = [by(second), by(third, false), by(origin)];
  late.feed({ type: "sealed", sealed: [{ id: read.id, acknowledgements }] });
  late.pool.remove([read.id]);
  const found = late.feed({ type: "examined", read, urgency: "late", outcome: refuted });
  assert.deepEqual(accusedIn(found), [origin, second], "a block that is sealed already");
  const early = member(fourth);
  early.pool.add(read, 0);
  early.feed({ type: "kept", arrival: { read, isOwn: false, displaced: undefined, acceptance: undefined } });
  assert.deepEqual(accusedIn(early.feed({ type: "examined", read, urgency: "late", outcome: refuted })), [origin]);
  for (const node of [origin, second, third]) early.pool.acknowledge(nameOf(read), by(node));
  assert.equal(early.pool.hasWork(), false, "it is proposed in no block");
  const after = early.feed({ type: "sealed", sealed: [{ id: read.id, acknowledgements: [by(second), by(third)] }] });
  assert.deepEqual(accusedIn(after), [second, third], "what is accepted all the same names the others");
});

test("what waits to be verified later is bounded, and what is skipped is counted", () => {
  const { feed, state, pool } = member(3);
  let skipped = 0;
  for (let number = 0; number < 100; number += 1) {
    const read = batch(number, number % 3);
    pool.add(read, 0);
    const effects = feed({
      type: "kept",
      arrival: { read, isOwn: false, displaced: undefined, acceptance: undefined },
    });
    skipped += effects.filter((effect) => effect.type === "drop" && effect.reason === "verification-skipped").length;
  }
  assert.equal(state.late.size, 64);
  assert.equal(skipped, 36);
});
