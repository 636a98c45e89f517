import assert from "node:assert/strict";
import { test } from "node:test";
import type { Input } from "../../../../tools/consensus/types.js";
import { GridsealError } from "../../../../tools/errors.js";
import type { ReadBatch } from "../../../../tools/ledger/compose.js";
import { encodeProposalBody } from "../../../../tools/ledger/proposal.js";
import { emptyMeterState } from "../../../../tools/ledger/state.js";
import type { Exchange } from "../../../../tools/node/chain/batches/exchange.js";
import { createPool } from "../../../../tools/node/chain/batches/pool.js";
import { createProposals } from "../../../../tools/node/chain/blocks/proposals.js";
import type { Sealer } from "../../../../tools/node/chain/blocks/sealer.js";
import type { ChainPorts } from "../../../../tools/node/chain/ports.js";
import { batch, by, nameOf, set } from "../batches.js";

/** Judging with a clock and a timer of its own; a value's body says how many temporary blocks it holds. */
function bench() {
  const pool = createPool(set);
  const built: number[] = [];
  let now_ms = 1_000;
  let timer: { readonly at_ms: number; readonly callback: () => void } | undefined;
  const ports = {
    chain: { service: 1 },
    store: { get: () => undefined },
    monotonic_ms: () => now_ms,
    setTimer: (_name: string, delay_ms: number, callback: () => void) =>
      (timer = { at_ms: now_ms + delay_ms, callback }),
    clearTimer: () => (timer = undefined),
    anchors: () => [],
  };
  const sealer = {
    members: pool.members,
    head: { headerHash: new Uint8Array(32) },
    tip: {
      chain: { service: 1 },
      governance: { heights: [], revoked: new Map(), rulings: new Map() },
      judgedAt: 0,
      time_ms: 0,
      view: { meter: () => emptyMeterState, origin: () => undefined },
    },
    build: ({ batches }: { batches: readonly unknown[] }) => ({
      type: "built",
      id: new Uint8Array(32),
      body: [batches.length],
    }),
  };
  const proposals = createProposals(ports as unknown as ChainPorts, {
    pool,
    sealer: sealer as unknown as Sealer,
    exchange: {} as Exchange,
    feed(input: Input) {
      if (input.type === "built") built.push(input.body[0]!);
    },
    onWaiting: () => assert.fail("nothing is asked"),
  });
  return {
    proposals,
    built,
    come(origin: number): ReadBatch {
      const read = batch(0, origin);
      pool.add(read, now_ms);
      return read;
    },
    accept(read: ReadBatch) {
      for (const node of [1, 2, 3]) pool.acknowledge(nameOf(read), by(node));
      proposals.retry();
    },
    pass(delay_ms: number) {
      now_ms += delay_ms;
      if (timer === undefined || timer.at_ms > now_ms) return;
      const { callback } = timer;
      timer = undefined;
      callback();
    },
  };
}

test("a new value is built at once where no temporary block is about to be accepted", () => {
  const { proposals, built, come, accept } = bench();
  accept(come(0));
  proposals.build(1, 0);
  assert.deepEqual(built, [1]);
});

test("a new value waits for the temporary blocks that have just come, and is built once", () => {
  const { proposals, built, come, accept, pass } = bench();
  const [first, second, third] = [0, 1, 2].map(come);
  accept(first!);
  proposals.build(1, 0);
  accept(second!);
  assert.deepEqual(built, []);
  accept(third!);
  assert.deepEqual(built, [3]);
  pass(1_000);
  assert.deepEqual(built, [3]);
});

test("a new value waits no longer than a moment for a temporary block that is not accepted", () => {
  const { proposals, built, come, accept, pass } = bench();
  const first = come(0);
  come(1);
  pass(10);
  accept(first);
  proposals.build(1, 0);
  pass(10);
  assert.deepEqual(built, []);
  pass(15);
  assert.deepEqual(built, [1]);
  proposals.build(2, 0);
  assert.deepEqual(built, [1, 1], "it came too long ago");
});

test("a value that the end of its height overtakes is not built", () => {
  const { proposals, built, come, accept, pass } = bench();
  accept(come(0));
  come(1);
  proposals.build(1, 0);
  proposals.clear();
  pass(1_000);
  proposals.retry();
  assert.deepEqual(built, []);
});

/** Judging whose sealer throws when it is to judge or to build with one of the temporary blocks. */
function throwing(error: Error, poisoned?: ReadBatch) {
  const pool = createPool(set);
  const fed: Input[] = [];
  const said: string[] = [];
  const say = (fields: object, message: string) => said.push(`${message} ${JSON.stringify(fields)}`);
  const { id } = batch(0);
  const ports = {
    chain: { service: 1 },
    store: { get: () => undefined },
    log: { warn: say, error: say },
    monotonic_ms: () => 0,
    setTimer() {},
    anchors: () => [],
  };
  const sealer = {
    members: pool.members,
    head: { height: 6, headerHash: new Uint8Array(32) },
    tip: {
      chain: { service: 1 },
      governance: { heights: [], revoked: new Map(), rulings: new Map() },
      judgedAt: 0,
      time_ms: 0,
      view: { meter: () => emptyMeterState, origin: () => undefined },
    },
    noteProposed() {},
    isKnown: () => false,
    awaits: () => false,
    check() {
      throw error;
    },
    build({ batches }: { batches: readonly { readonly read: ReadBatch }[] }) {
      if (batches.some(({ read }) => read === poisoned)) throw error;
      return { type: "built", id: new Uint8Array(32), body: [batches.length] };
    },
  };
  const proposals = createProposals(ports as unknown as ChainPorts, {
    pool,
    sealer: sealer as unknown as Sealer,
    exchange: { isAccepted: () => true, isRefuted: () => false } as unknown as Exchange,
    feed: (input) => fed.push(input),
    onWaiting: () => assert.fail("nothing is asked"),
  });
  const body = encodeProposalBody({
    header: new Uint8Array(80),
    time_ms: 1,
    anchors: [],
    judgedAt: 0,
    calls: 32,
    batches: [{ origin: new Uint8Array(8), number: 0, id, acknowledgements: [] }],
  });
  const question = { type: "validate" as const, height: 7, round: 0, id: new Uint8Array(32), body, fresh: true };
  return { pool, proposals, fed, said, question };
}

test("a proposal that makes the code throw is a bad one, with a line in the log", () => {
  const { pool, proposals, fed, said, question } = throwing(new RangeError("out of range"));
  pool.add(batch(0), 0);
  proposals.check(question);
  assert.deepEqual(
    fed.map((input) => input.type === "validated" && input.valid),
    [false],
  );
  assert.match(said.join(), /cannot be judged/);
  proposals.check({ ...question, body: Uint8Array.of(0xff) });
  assert.deepEqual([fed.length, fed.at(-1)?.type === "validated"], [2, true]);
  assert.match(said.at(-1) ?? "", /malformed/);
});

test("a damaged row of the own store is no bad proposal", () => {
  const { pool, proposals, fed, question } = throwing(new GridsealError("STORE_CORRUPT", "a row is damaged"));
  pool.add(batch(0), 0);
  assert.throws(() => proposals.check(question), { code: "STORE_CORRUPT" });
  assert.deepEqual(fed, []);
});

test("a temporary block that no block can be built of falls out, and the others are proposed", () => {
  const poisoned = batch(1, 1);
  const { pool, proposals, fed, said } = throwing(new RangeError("out of range"), poisoned);
  for (const read of [batch(0), poisoned, batch(2, 2)]) {
    pool.add(read, -1_000);
    for (const node of [1, 2, 3]) pool.acknowledge(nameOf(read), by(node));
  }
  proposals.build(7, 0);
  const built = fed.at(-1);
  assert.ok(built?.type === "built");
  assert.deepEqual([built.body[0], pool.find(poisoned.id), said.length], [2, undefined, 1]);
});
