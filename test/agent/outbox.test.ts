import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Outbox, openOutbox, RESERVATION, type Waiting } from "../../src/agent/outbox.js";
import { type EraseCut, PowerCut, type SimulatedStores, simulatedStores } from "./norFlash.js";

const SECTOR = 1024;
const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(bytes).digest());
const open = ({ flash, keyValue }: SimulatedStores): Outbox => openOutbox({ flash, keyValue, recordHash: sha256 });

/** A record whose bytes name its service, its seq and its predecessor, as a signed one does. */
function recordOf(service: number, seq: number, previous: Uint8Array, length: number): Uint8Array {
  const record = new Uint8Array(Math.max(40, length)).fill(service);
  new DataView(record.buffer).setUint32(0, seq);
  record.set(previous, 4);
  return record;
}

function append(outbox: Outbox, service: number, length = 60): string | undefined {
  const { seq, previous } = outbox.chain(service);
  const record = recordOf(service, seq, previous, length);
  return outbox.append(service, seq, record, sha256(record));
}

function drain(outbox: Outbox): Waiting[] {
  const all: Waiting[] = [];
  for (let next = outbox.next(); next !== undefined; next = outbox.next()) all.push(next);
  return all;
}

const keys = (all: readonly Waiting[]): string[] => all.map(({ service, seq }) => `${service}/${seq}`);

describe("outbox", () => {
  test("hands records out oldest first, and keeps them until they are done", () => {
    const stores = simulatedStores(4 * SECTOR, SECTOR);
    const outbox = open(stores);
    for (const service of [1, 2, 1]) assert.equal(append(outbox, service), undefined);
    const first = outbox.next()!;
    assert.deepEqual([first.service, first.seq], [1, 0]);
    outbox.done(first.position);
    assert.deepEqual(keys(drain(outbox)), ["2/0", "1/1"]);
    assert.equal(outbox.next(), undefined);
    assert.deepEqual(keys(drain(open(stores))), ["2/0", "1/1"]);
    assert.equal(outbox.counters.waiting, 2);
  });

  test("names the record before it, across a restart and across sectors that were erased since", () => {
    const stores = simulatedStores(3 * SECTOR, SECTOR);
    let outbox = open(stores);
    append(outbox, 7, 100);
    const hash = outbox.chain(7).previous;
    for (let index = 0; index < 200; index += 1) {
      assert.equal(append(outbox, 1, 200), undefined);
      for (const waiting of drain(outbox)) outbox.done(waiting.position);
    }
    assert.ok(outbox.counters.erases > 9);
    outbox = open(stores);
    assert.deepEqual(outbox.chain(7), { seq: 1, previous: hash });
    assert.equal(outbox.chain(1).seq, 200);
  });

  test("refuses new records when it is full and keeps the old ones", () => {
    const stores = simulatedStores(2 * SECTOR, SECTOR);
    const outbox = open(stores);
    let accepted = 0;
    while (append(outbox, 1, 200) === undefined) accepted += 1;
    assert.equal(append(outbox, 1, 200), "full");
    assert.equal(outbox.counters.refused, 2);
    assert.equal(outbox.counters.waiting, accepted);
    const reopened = open(stores);
    const all = drain(reopened);
    assert.equal(all.length, accepted);
    for (const { position } of all) reopened.done(position);
    assert.equal(append(reopened, 1, 200), undefined);
    assert.equal(reopened.chain(1).seq, accepted + 1);
  });

  test("makes room again after all was done just before a restart", () => {
    const stores = simulatedStores(2 * SECTOR, SECTOR);
    const outbox = open(stores);
    while (append(outbox, 1, 200) === undefined);
    for (const { position } of drain(outbox)) outbox.done(position);
    assert.equal(append(open(stores), 1, 200), undefined);
  });

  test("refuses a record that is too large, out of turn, or of one service too many", () => {
    const outbox = open(simulatedStores(4 * SECTOR, SECTOR));
    assert.equal(append(outbox, 1, outbox.recordBytesMax), undefined);
    assert.equal(append(outbox, 1, outbox.recordBytesMax + 1), "record too large");
    assert.equal(outbox.append(1, 5, new Uint8Array(40), new Uint8Array(32)), "wrong seq");
    for (let service = 2; service <= 16; service += 1) assert.equal(append(outbox, service), undefined);
    assert.equal(append(outbox, 17), "too many services");
  });

  test("hands a parked record out again after a rewind, and never one that is handed out", () => {
    const stores = simulatedStores(3 * SECTOR, SECTOR);
    const outbox = open(stores);
    for (let index = 0; index < 4; index += 1) append(outbox, 1);
    const [first, second] = drain(outbox);
    outbox.park(first!.position);
    assert.equal(outbox.next(), undefined);
    outbox.done(second!.position);
    outbox.rewind();
    assert.deepEqual(keys(drain(outbox)), ["1/0"]);
  });

  test("keeps the sector of a parked record from being used again", () => {
    const stores = simulatedStores(3 * SECTOR, SECTOR);
    const outbox = open(stores);
    append(outbox, 1);
    outbox.park(outbox.next()!.position);
    while (append(outbox, 2, 200) === undefined) for (const { position } of drain(outbox)) outbox.done(position);
    assert.equal(outbox.counters.waiting, 1);
    outbox.rewind();
    assert.deepEqual(keys(drain(outbox)), ["1/0"]);
  });

  test("goes on at the reservation where a committed record has rotted, and counts it", () => {
    const stores = simulatedStores(4 * SECTOR, SECTOR);
    const outbox = open(stores);
    for (let index = 0; index < 3; index += 1) append(outbox, 1);
    append(outbox, 2);
    const [, , third] = drain(outbox);
    stores.bytes[third!.position.offset + 30]! &= 0x10;
    const reopened = open(stores);
    assert.deepEqual(keys(drain(reopened)), ["1/0", "1/1", "2/0"]);
    assert.equal(reopened.counters.damaged, 1);
    assert.equal(reopened.chain(1).seq, RESERVATION);
    assert.deepEqual(reopened.chain(2).seq, 1, "service 2 has a whole record behind the damage");
    assert.equal(append(reopened, 1), undefined);
    assert.equal(open(stores).chain(1).seq, RESERVATION + 1);
  });

  test("goes on at the reservation where the ring is gone", () => {
    const stores = simulatedStores(4 * SECTOR, SECTOR);
    const outbox = open(stores);
    for (let index = 0; index < 70; index += 1) {
      append(outbox, 1);
      for (const { position } of drain(outbox)) outbox.done(position);
    }
    stores.bytes.fill(0xff);
    const { seq, previous } = open(stores).chain(1);
    assert.ok(seq >= 70 && seq <= 2 * RESERVATION, `seq ${seq}`);
    assert.deepEqual(previous, new Uint8Array(32));
  });

  test("refuses flash that cannot be a ring", () => {
    assert.throws(() => open(simulatedStores(SECTOR, SECTOR)), /too small/);
    assert.throws(() => open(simulatedStores(3 * SECTOR, 512)), /too small/);
  });

  test("opens on any rubbish without a throw, and never hands out what fails its CRC", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 2 * SECTOR, maxLength: 2 * SECTOR }), (rubbish) => {
        const stores = simulatedStores(2 * SECTOR, SECTOR);
        stores.bytes.set(rubbish);
        const outbox = open(stores);
        assert.equal(drain(outbox).length, 0);
        assert.equal(append(outbox, 1), undefined);
        assert.deepEqual(keys(drain(open(stores))), ["1/0"]);
      }),
      { numRuns: 50 },
    );
  });
});

/** What must be true of the outbox, kept beside it by somebody who does not lose power. */
interface Model {
  /** accepted and not done, in order */
  waiting: string[];
  readonly chains: Map<number, { seq: number; previous: Uint8Array }>;
}

type Action =
  | { readonly kind: "append"; readonly service: number; readonly length: number }
  | { readonly kind: "next" | "done" | "park" | "rewind" | "restart" };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("append" as const),
      service: fc.integer({ min: 1, max: 3 }),
      length: fc.integer({ min: 40, max: 300 }),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ kind: "next" as const }) },
  { weight: 4, arbitrary: fc.constant({ kind: "done" as const }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom({ kind: "park" as const }, { kind: "rewind" as const }, { kind: "restart" as const }),
  },
);

class Run {
  readonly stores = simulatedStores(3 * SECTOR, SECTOR);
  readonly model: Model = { waiting: [], chains: new Map() };
  /** every (service, seq) that was ever accepted, and so may have left */
  readonly left = new Set<string>();
  outbox = open(this.stores);
  handedOut: Waiting[] = [];

  /** Performs one action; a cut inside it restarts the outbox and checks what it recovered. */
  perform(action: Action): void {
    try {
      this.#act(action);
    } catch (thrown) {
      if (!(thrown instanceof PowerCut)) throw thrown;
      this.#recover(action);
    }
  }

  #act(action: Action): void {
    const { outbox, model } = this;
    switch (action.kind) {
      case "append": {
        const { service } = action;
        const expected = model.chains.get(service) ?? { seq: 0, previous: new Uint8Array(0) };
        assert.deepEqual(outbox.chain(service), expected);
        const record = recordOf(service, expected.seq, expected.previous, action.length);
        if (outbox.append(service, expected.seq, record, sha256(record)) === undefined) this.#accepted(service, record);
        return;
      }
      case "next": {
        const next = outbox.next();
        if (next === undefined) return;
        this.handedOut.push(next);
        assert.ok(model.waiting.includes(`${next.service}/${next.seq}`), "only what waits is handed out");
        const record = outbox.read(next.position)!;
        assert.deepEqual(next.hash, sha256(record));
        return;
      }
      case "done": {
        const waiting = this.handedOut[0];
        if (waiting === undefined) return;
        outbox.done(waiting.position);
        this.handedOut.shift();
        model.waiting = model.waiting.filter((key) => key !== `${waiting.service}/${waiting.seq}`);
        return;
      }
      case "park":
        if (this.handedOut.length > 0) outbox.park(this.handedOut.pop()!.position);
        return;
      case "rewind":
        outbox.rewind();
        return;
      case "restart":
        throw new PowerCut("between two actions");
    }
  }

  #accepted(service: number, record: Uint8Array): void {
    const seq = this.model.chains.get(service)?.seq ?? 0;
    const key = `${service}/${seq}`;
    assert.ok(!this.left.has(key), `${key} is given out once`);
    this.left.add(key);
    this.model.waiting.push(key);
    this.model.chains.set(service, { seq: seq + 1, previous: sha256(record) });
  }

  #recover(during: Action): void {
    this.stores.restore();
    const interrupted = this.handedOut[0];
    this.handedOut = [];
    this.outbox = open(this.stores);
    const recovered = drain(this.outbox);
    const found = new Set(keys(recovered));
    if (during.kind === "append") this.#settleAppend(during, recovered);
    if (during.kind === "done" && interrupted !== undefined) {
      const key = `${interrupted.service}/${interrupted.seq}`;
      if (!found.has(key)) this.model.waiting = this.model.waiting.filter((other) => other !== key);
    }
    assert.deepEqual(keys(recovered), this.model.waiting, "accepted = recovered");
    assert.equal(this.outbox.counters.waiting, recovered.length);
    assert.equal(this.outbox.counters.damaged, 0);
    for (const [service, chain] of this.model.chains) assert.deepEqual(this.outbox.chain(service), chain);
    this.outbox = open(this.stores);
  }

  /** An append that was cut either happened as a whole or not at all; the record never left. */
  #settleAppend({ service, length }: { service: number; length: number }, recovered: readonly Waiting[]): void {
    const expected = this.model.chains.get(service) ?? { seq: 0, previous: new Uint8Array(0) };
    if (!recovered.some((waiting) => waiting.service === service && waiting.seq === expected.seq)) return;
    this.#accepted(service, recordOf(service, expected.seq, expected.previous, length));
  }
}

describe("outbox under power cuts", () => {
  const eraseCuts: readonly EraseCut[] = ["first", "last", "rubbish"];

  test("recovers what it accepted, no seq twice and none left out, from a cut at every byte of a story", () => {
    const story: Action[] = [];
    for (let index = 0; index < 15; index += 1) {
      story.push({ kind: "append", service: 1 + (index % 2), length: 270 + index });
      story.push({ kind: "next" }, { kind: "done" });
    }
    const whole = new Run();
    for (const step of story) whole.perform(step);
    assert.ok(whole.stores.erases >= 4, "the story wraps round the ring");
    const bytes = whole.stores.spent;
    for (let cut = 0; cut < bytes; cut += 1) {
      const run = new Run();
      run.stores.cutAfter(cut, eraseCuts[cut % 3]!);
      for (const step of story) run.perform(step);
      run.perform({ kind: "restart" });
    }
  });

  test("recovers from many cuts at random places", () => {
    const cut = fc.record({ after: fc.integer({ min: 0, max: 2500 }), erase: fc.constantFrom(...eraseCuts) });
    const chapter = fc.record({
      cut: fc.option(cut, { nil: undefined }),
      actions: fc.array(action, { maxLength: 25 }),
    });
    fc.assert(
      fc.property(fc.array(chapter, { minLength: 1, maxLength: 8 }), (chapters) => {
        const run = new Run();
        for (const { cut, actions } of chapters) {
          if (cut !== undefined) run.stores.cutAfter(cut.after, cut.erase);
          for (const step of actions) run.perform(step);
        }
        run.stores.restore();
        run.perform({ kind: "restart" });
      }),
      { numRuns: 400 },
    );
  });
});
