// This node as original node against whatever comes in whatever order: records, writes that end late, blocks of it and of earlier
// selves of it, temporary blocks that come back.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Block } from "../../../../../src/wire/block.js";
import { toHex } from "../../../../../src/wire/bytes.js";
import type { Credential } from "../../../../../src/wire/credential.js";
import { keyId } from "../../../../../src/wire/key.js";
import { simulatedSigner } from "../../../../../tools/lab/simulation/world/keys.js";
import { makeBatch, type ReadBatch } from "../../../../../tools/ledger/compose.js";
import type { ChainView } from "../../../../../tools/ledger/execution.js";
import { memberSetOf } from "../../../../../tools/ledger/members.js";
import { MemoryState } from "../../../../../tools/ledger/memory-state.js";
import { type ExecutionRecord, executionRecord } from "../../../../../tools/ledger/record-scan.js";
import { MemorySettlement } from "../../../../../tools/ledger/settlement/memory-settlement.js";
import { type OriginState, sealNumber } from "../../../../../tools/ledger/state.js";
import { takeRecord } from "../../../../../tools/node/chain/batches/origin/admission.js";
import {
  createOriginNode,
  type OriginEffect,
  type OriginInput,
} from "../../../../../tools/node/chain/batches/origin/state.js";
import { displacedBy, onSealed, step } from "../../../../../tools/node/chain/batches/origin/step.js";
import { createPool } from "../../../../../tools/node/chain/batches/pool.js";
import type { WaitingNotices } from "../../../../../tools/node/chain/batches/waiting-notices.js";
import type { SealedBlock } from "../../../../../tools/node/chain/ports.js";
import { createMeter } from "../../cluster.js";

const genesisHash = new Uint8Array(32);
const signer = simulatedSigner("origin");
const self = { id: keyId(signer.key), key: signer.key, name: "origin" };
const meter = createMeter(simulatedSigner("authority"));
const records = Array.from({ length: 40 }, () => executionRecord(meter.next()));
const waitingNotices = {
  pending: 0,
  take: () => ({ chosen: [], spent: [] }),
  keep() {},
  add() {},
  remove() {},
  restore() {},
} as unknown as WaitingNotices;

type Event =
  | { readonly type: "admit" | "due" | "written" }
  | { readonly type: "seal" | "giveUp"; readonly which: number }
  | { readonly type: "rival" | "returned"; readonly number: number };

const event: fc.Arbitrary<Event> = fc.oneof(
  { arbitrary: fc.record({ type: fc.constantFrom("admit" as const, "due" as const, "written" as const) }), weight: 6 },
  fc.record({ type: fc.constantFrom("seal" as const, "seal" as const, "giveUp" as const), which: fc.nat({ max: 4 }) }),
  fc.record({ type: fc.constantFrom("rival" as const, "returned" as const), number: fc.nat({ max: 5 }) }),
);

/** A shell over a disk that keeps single records, temporary blocks and what is sealed. */
function bench() {
  let numbers: OriginState | undefined;
  const sealed = new Set<ExecutionRecord>();
  const singles = new Set<ExecutionRecord>();
  const rows = new Map<string, ReadBatch>();
  const used = new Set<number>();
  const admitted: ExecutionRecord[] = [];
  const givenUp = new Set<string>();
  const writes: (() => void)[] = [];
  /** whether a timer runs until the next cut */
  let isTimed = false;
  /** of the credential that counts */
  const counting: { roles: Credential["roles"] } = { roles: ["meter"] };
  const pool = createPool(memberSetOf([self], 1));
  const view: ChainView = {
    meter: () => undefined,
    origin: () => numbers,
    faults: () => [],
    sealedHash: (_meter, seq) => [...sealed].find((record) => record.seq === seq)?.hash,
    credential: () => undefined,
    state: new MemoryState(),
    settlement: new MemorySettlement(),
  };
  const node = createOriginNode(
    {
      service: 1,
      self: self.id,
      records_max: 3,
      view,
      place: () => ({}) as never,
      sealsSomething: () => true,
      shownCredential: () => meter.credential,
      rolesOf: () => counting,
      isCertified: () => false,
      isGivenUp: (id) => givenUp.has(toHex(id)),
      isStopped: () => false,
    },
    { pool, waitingNotices, used: [] },
  );

  const batchOf = (number: number, taken: readonly ExecutionRecord[]) =>
    makeBatch(genesisHash, { chain: 1, origin: self.id, number, notices: [] }, taken, signer.sign);

  const feed = (input: OriginInput): void => {
    for (const effect of step(node, input, 0)) perform(effect);
  };

  const perform = (effect: OriginEffect): void => {
    if (effect.type === "make") {
      const { cut } = effect;
      assert.ok(!used.has(cut.number), `number ${cut.number} is used twice`);
      used.add(cut.number);
      feed({ type: "made", cut, read: batchOf(cut.number, cut.records) });
    }
    if (effect.type === "write") {
      const { cut, read } = effect;
      writes.push(() => {
        for (const record of cut.taken) singles.delete(record);
        if (read !== undefined) rows.set(toHex(read.id), read);
        feed({ type: "written", cut, read });
      });
    }
    if (effect.type === "giveBack") {
      const { read } = effect;
      writes.push(() => {
        rows.delete(toHex(read.id));
        for (const record of read.records) singles.add(record);
        feed({ type: "gaveBack", read, records: read.records });
      });
    }
    if (effect.type === "setTimer") isTimed = true;
    if (effect.type === "clearTimer") isTimed = false;
    if (effect.type === "publish") assert.equal(pool.add(effect.read, 0), "added");
  };

  /** A block with one temporary block of this node. */
  const seal = (read: ReadBatch) => {
    if (sealNumber(numbers, read.batch.number) === undefined) return;
    const named = { origin: self.id, number: read.batch.number, id: read.id };
    const block = { batches: [named] } as unknown as Block;
    rows.delete(toHex(read.id));
    for (const displaced of displacedBy(node, block)) {
      rows.delete(toHex(displaced.id));
      if (!givenUp.has(toHex(displaced.id))) for (const record of displaced.records) singles.add(record);
    }
    numbers = sealNumber(numbers, read.batch.number);
    used.add(read.batch.number);
    for (const record of read.records) sealed.add(record);
    onSealed(node, { block, records: read.records } as unknown as SealedBlock, { leftOut: [], now_ms: 0 });
    pool.remove([read.id]);
    pool.retain((name) => sealNumber(numbers, name.number) !== undefined);
    feed({ type: "sealed" });
  };

  const take = (event: Event): void => {
    const own = pool.readsOf(self.id);
    switch (event.type) {
      case "admit": {
        const record = records[admitted.length];
        if (record === undefined) return;
        const taking = takeRecord(node, record, 0);
        assert.notEqual(taking, "busy");
        admitted.push(record);
        singles.add(record);
        return feed({ type: taking === "full" ? "full" : "waits" });
      }
      case "due":
        isTimed = false;
        return feed({ type: "due" });
      case "written":
        return writes.shift()?.();
      case "seal": {
        const read = own[event.which % Math.max(1, own.length)];
        return read === undefined ? undefined : seal(read);
      }
      case "giveUp": {
        const read = own[event.which % Math.max(1, own.length)];
        if (read === undefined || givenUp.has(toHex(read.id))) return;
        givenUp.add(toHex(read.id));
        for (const record of read.records) singles.add(record);
        return feed({ type: "takenBack", read, displaced: read });
      }
      case "rival":
        // Of an earlier self: it holds nothing that this one knows. This one's own of the number may be being written.
        return seal(batchOf(event.number, []));
      case "returned": {
        const isFree = !used.has(event.number) && sealNumber(numbers, event.number) !== undefined;
        if (!isFree || [...node.cuts].some(({ batch }) => batch.number === event.number)) return;
        used.add(event.number);
        const read = batchOf(event.number, []);
        assert.equal(pool.add(read, 0), "added");
        rows.set(toHex(read.id), read);
        return feed({ type: "takenBack", read, displaced: undefined });
      }
    }
  };

  const isKept = (record: ExecutionRecord) =>
    singles.has(record) || sealed.has(record) || [...rows.values()].some((read) => read.records.includes(record));

  return { node, admitted, sealed, rows, writes, counting, take, isKept, isTimed: () => isTimed };
}

test("no number is used twice, and what was admitted is always single, in a temporary block, given back or sealed", () => {
  let sealedRecords = 0;
  const property = fc.property(fc.array(event, { maxLength: 80 }), (events) => {
    const { node, admitted, sealed, take, isKept } = bench();
    for (const event of events) {
      take(event);
      for (const record of admitted) {
        assert.ok(isKept(record), `record ${record.seq} is lost`);
        if (!sealed.has(record)) assert.ok(node.gather.isWaiting(record.meter, record.seq), "what is not sealed waits");
      }
    }
    sealedRecords += sealed.size;
  });
  fc.assert(property, { numRuns: 300 });
  assert.ok(sealedRecords > 0, "runs come as far as that");
});

test("all that was admitted is sealed once writes end and blocks come", () => {
  const property = fc.property(fc.array(event, { maxLength: 60 }), (events) => {
    const { admitted, sealed, writes, take } = bench();
    for (const event of events) take(event);
    for (let count = 0; count < 200; count += 1) {
      while (writes.length > 0) take({ type: "written" });
      take({ type: "seal", which: 0 });
      take({ type: "seal", which: 1 });
      take({ type: "due" });
    }
    assert.equal(admitted.filter((record) => !sealed.has(record)).length, 0);
  });
  fc.assert(property, { numRuns: 100 });
});

test("a block has the next temporary block cut of what came while it was made, unless one is under way", () => {
  const { node, rows, writes, take, isTimed } = bench();
  const [admit, due, written, seal] = [
    ...(["admit", "due", "written"] as const).map((type): Event => ({ type })),
    { type: "seal", which: 0 } as const,
  ] as [Event, Event, Event, Event];
  for (const event of [admit, due, written, admit]) take(event);
  assert.deepEqual([rows.size, node.gather.pending, isTimed()], [1, 1, true]);
  take(seal);
  assert.deepEqual([node.gather.pending, writes.length, isTimed()], [0, 1, false], "cut, and being written");
  take(admit);
  take({ type: "rival", number: 3 });
  assert.deepEqual([node.gather.pending, writes.length, isTimed()], [1, 1, true], "one is being written");
  take(written);
  take({ type: "rival", number: 4 });
  assert.deepEqual([node.gather.pending, isTimed()], [1, true], "one waits for its block");
  take(seal);
  assert.deepEqual([node.gather.pending, writes.length, isTimed()], [0, 1, false]);
  take(written);
  take(seal);
  assert.equal(isTimed(), false, "nothing waits");
});

test("a record that its meter may not sign any more is cut into no temporary block", () => {
  const { node, rows, writes, counting, take } = bench();
  take({ type: "admit" });
  counting.roles = ["customer"];
  take({ type: "due" });
  while (writes.length > 0) take({ type: "written" });
  assert.deepEqual([rows.size, node.gather.pending], [0, 0]);
  assert.ok(!node.gather.isWaiting(records[0]!.meter, records[0]!.seq), "who offers it again is refused");
});

test("a record that a block leaves out of another origin's temporary block is under way here all the same", () => {
  const { node, take, admitted } = bench();
  for (const type of ["admit", "due", "written"] as const) take({ type });
  const [record] = admitted as [ExecutionRecord];
  const other = { id: new Uint8Array(8).fill(7), key: signer.key, name: "other" };
  const read = makeBatch(genesisHash, { chain: 1, origin: other.id, number: 0, notices: [] }, [record], signer.sign);
  node.pool.changeMembers(memberSetOf([self, other], 1));
  assert.equal(node.pool.add(read, 0), "added");
  const block = { batches: [{ origin: other.id, number: 0, id: read.id }] } as unknown as Block;
  onSealed(node, { block, records: [] } as unknown as SealedBlock, { leftOut: [], now_ms: 0 });
  assert.ok(node.gather.isWaiting(record.meter, record.seq), "it is not taken once more");
});
