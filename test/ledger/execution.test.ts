import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { concatBytes, toHex } from "../../src/wire/bytes.js";
import { type Credential, issueCredential } from "../../src/wire/credential.js";
import { entryText } from "../../src/wire/entry.js";
import { keyId } from "../../src/wire/key.js";
import { leafHash } from "../../src/wire/merkle.js";
import type { Action } from "../../src/wire/order.js";
import { generateSeed, signerFromSeed } from "../../tools/crypto/signatures.js";
import {
  type ChainView,
  type Execution,
  type ExecutionBatch,
  type ExecutionNotice,
  execute,
  FAULTS_MAX,
  SEQUENCE_WINDOW,
} from "../../tools/ledger/execution.js";
import { govern, initialGovernance } from "../../tools/ledger/governance.js";
import { MemoryState } from "../../tools/ledger/memory-state.js";
import { readNotice } from "../../tools/ledger/notices.js";
import type { ExecutionRecord } from "../../tools/ledger/record-scan.js";
import { MemorySettlement } from "../../tools/ledger/settlement/memory-settlement.js";
import { decodeMeterState, encodeMeterState, type MeterState, type OriginState } from "../../tools/ledger/state.js";
import type { Violation } from "../../tools/ledger/violations.js";
import { decodeResults, encodeResults } from "../../tools/ledger/violations.js";
import { testNetwork } from "../wire/network.js";

const { genesis } = testNetwork();
const authority = signerFromSeed(generateSeed());
const key = signerFromSeed(generateSeed()).key;
const kid = keyId(key);
const credential = issued({});

function issued(more: Partial<Credential>): Uint8Array {
  const whole: Credential = {
    issuer: "test/authority",
    subject: "meter",
    notBefore_s: 0,
    expires_s: 4_000_000_000,
    id: kid,
    key,
    statusIndex: 0,
    services: [1],
    roles: ["meter"],
    ...more,
  };
  return issueCredential(whole, authority);
}

const origin = new Uint8Array(8).fill(9);

/** A record whose hash is told by number and variant; the rules look at nothing else. */
function record(seq: number, variant = 0, previous: Uint8Array = hash(seq - 1)): ExecutionRecord {
  const name = hash(seq, variant);
  return {
    bytes: concatBytes(new Uint8Array(8), kid, previous, Uint8Array.of(seq & 255, variant)),
    hash: name,
    leaf: leafHash(name),
    meter: toHex(kid),
    seq,
    previousAt: 16,
    type: undefined,
    hides: false,
  };
}

function hash(seq: number, variant = 0): Uint8Array {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setFloat64(0, seq);
  bytes[31] = variant;
  return bytes;
}

/** A chain in memory that blocks are applied to. */
function createState() {
  const meters = new Map<string, MeterState>();
  const origins = new Map<string, OriginState>();
  const faults = new Map<string, readonly number[]>();
  const sealed = new Map<string, Uint8Array>();
  const credentials = new Map<string, Uint8Array>();
  let number = 0;
  const view: ChainView = {
    meter: (id) => meters.get(id),
    origin: (id) => origins.get(id),
    faults: (id) => faults.get(id) ?? [],
    sealedHash: (id, seq) => sealed.get(`${id}/${seq}`),
    credential: (id) => credentials.get(id),
    state: new MemoryState(),
    settlement: new MemorySettlement(),
  };
  const place = { service: 1, height: 20, governance: initialGovernance(genesis), judgedAt: 0, time_ms: 0, view };
  return {
    place,
    sealed,
    batch(records: readonly ExecutionRecord[], brought: readonly Uint8Array[] = [credential]): ExecutionBatch {
      const notices = brought.map((bytes) => readNotice(genesis.hash, { kind: "credential", bytes }));
      const batch = { origin, number, notices, records };
      number += 1;
      return batch;
    },
    apply(execution: Execution) {
      for (const [id, state] of execution.meters) meters.set(id, state);
      for (const [id, state] of execution.origins) origins.set(id, state);
      for (const [id, heights] of execution.faults) faults.set(id, heights);
      for (const [id, bytes] of execution.credentials) credentials.set(id, bytes);
      for (const { records } of execution.sealed) {
        for (const { seq, hash: sealedHash } of records) {
          assert.ok(!sealed.has(`${toHex(kid)}/${seq}`), `record ${seq} is sealed once`);
          sealed.set(`${toHex(kid)}/${seq}`, sealedHash);
        }
      }
      return execution;
    },
    run(...records: ExecutionRecord[]) {
      return this.apply(execute(place, [this.batch(records)]));
    },
  };
}

const seqs = (execution: Execution) => execution.sealed.flatMap(({ records }) => records.map(({ seq }) => seq));
const resultsOf = ({ violations }: Execution) => encodeResults({ violations, outcomes: [], slots: [] });
const encodedNumber = (violation: Violation) => {
  if (violation.kind === "equivocation") return violation.height;
  if (violation.kind === "contract") return entryText(violation.entry);
  return violation.kind === "falseAcknowledgement" ? violation.number : violation.seq;
};
const kinds = (execution: Execution) =>
  execution.violations.map((violation) => `${violation.kind} ${encodedNumber(violation)}`);

test("a record whose meter does not stand good for it at the block's contracts height falls out, in a gap too", () => {
  const governance = (action: Action, contractsHeight = 4) => {
    const result = govern(initialGovernance(genesis), { number: 1, time_s: 1, action }, contractsHeight);
    assert.ok(result.type === "governed");
    return result.governance;
  };
  const run = (action: Action, judgedAt: number) => {
    const state = createState();
    state.run(record(0), record(4));
    const place = { ...state.place, governance: governance(action), judgedAt };
    const execution = state.apply(execute(place, [state.batch([record(2), record(5), record(6)])]));
    // What is not sealed may come again, once it stands good.
    const later = state.run(record(2), record(5), record(6));
    return [seqs(execution), seqs(later), kinds(execution)];
  };
  for (const type of ["revoke", "suspend"] as const) {
    assert.deepEqual(run({ type, meters: [kid] }, 3), [[2, 5, 6], [], []]);
    assert.deepEqual(run({ type, meters: [kid] }, 4), [[], [2, 5, 6], []]);
  }
  const end = (...ends: readonly (readonly [number, number])[]): Action => ({
    ...{ type: "end", meter: kid, ends, successor: undefined },
  });
  assert.deepEqual(run(end([1, 6]), 4), [[2, 5], [6], []]);
  assert.deepEqual(run(end([1, 1], [3, 99]), 4), [[], [2, 5, 6], []]);
  assert.deepEqual(run(end([2, 99]), 4), [[], [2, 5, 6], []]);
});

test("a fork of a revoked meter is recorded all the same", () => {
  const state = createState();
  state.run(record(0), record(1));
  const action: Action = { type: "revoke", meters: [kid] };
  const result = govern(initialGovernance(genesis), { number: 1, time_s: 1, action }, 4);
  assert.ok(result.type === "governed");
  const place = { ...state.place, governance: result.governance, judgedAt: 4 };
  assert.deepEqual(kinds(state.apply(execute(place, [state.batch([record(1, 1)])]))), ["fork 1"]);
});

test("a record is sealed while its meter's credential is valid at the block's time, to the millisecond, in a gap too", () => {
  const short = issued({ notBefore_s: 10, expires_s: 20 });
  const at = (time_ms: number) => {
    const state = createState();
    state.apply(execute({ ...state.place, time_ms: 15_000 }, [state.batch([record(0), record(4)], [short])]));
    const execution = execute({ ...state.place, time_ms }, [state.batch([record(2), record(5), record(4, 1)], [])]);
    return [seqs(execution), kinds(execution)];
  };
  assert.deepEqual(at(10_000), [[2, 5], ["fork 4"]]);
  assert.deepEqual(at(19_999), [[2, 5], ["fork 4"]]);
  assert.deepEqual(at(20_000), [[], ["fork 4"]]);
  assert.deepEqual(at(9_999), [[], ["fork 4"]]);
});

test("a credential that prolongs the one on the chain takes its place, and what fell out before is sealed", () => {
  const state = createState();
  state.apply(execute({ ...state.place, time_ms: 15_000 }, [state.batch([record(0)], [issued({ expires_s: 20 })])]));
  const late = { ...state.place, time_ms: 20_000 };
  assert.deepEqual(seqs(state.apply(execute(late, [state.batch([record(1)], [])]))), []);
  const later = issued({ expires_s: 40, jurisdiction: "DE", id: new Uint8Array(8) });
  const prolonged = state.apply(execute(late, [state.batch([record(1)], [later])]));
  assert.deepEqual(seqs(prolonged), [1]);
  assert.deepEqual([...prolonged.credentials.values()], [later]);
  assert.deepEqual(seqs(state.apply(execute({ ...late, time_ms: 39_999 }, [state.batch([record(2)], [])]))), [2]);
  assert.deepEqual(seqs(state.apply(execute({ ...late, time_ms: 40_000 }, [state.batch([record(3)], [])]))), []);
});

test("a credential prolongs none that ends as late, or that says other services or roles", () => {
  for (const more of [
    { expires_s: 19 },
    { expires_s: 20, id: new Uint8Array(8) },
    { expires_s: 40, services: [1, 2] },
    { expires_s: 40, roles: ["meter", "gateway"] as const },
  ]) {
    const state = createState();
    state.apply(execute({ ...state.place, time_ms: 15_000 }, [state.batch([record(0)], [issued({ expires_s: 20 })])]));
    const offered = state.batch([record(1)], [issued(more)]);
    const execution = execute({ ...state.place, time_ms: 20_000 }, [offered]);
    assert.deepEqual([seqs(execution), execution.credentials.size], [[], 0], JSON.stringify(more));
  }
});

test("a credential of other services, or not valid at the block's time, comes onto no chain, first or later", () => {
  const state = createState();
  const foreign = state.batch([], [issued({ services: [2], expires_s: 90 })]);
  const first = execute({ ...state.place, time_ms: 15_000 }, [
    foreign,
    state.batch([record(0)], [issued({ expires_s: 20 })]),
  ]);
  assert.deepEqual([seqs(first), first.credentials.size], [[0], 1]);
  state.apply(first);
  const early = execute({ ...state.place, time_ms: 16_000 }, [
    state.batch([record(1)], [issued({ notBefore_s: 17, expires_s: 90 })]),
  ]);
  assert.deepEqual([seqs(early), early.credentials.size], [[1], 0], "the one before counts until then");
});

test("a record that was verified by another credential of the same key falls out where the one that counts forbids it", () => {
  const state = createState();
  const own = issued({ expires_s: 20 });
  const customers = issued({ expires_s: 20, roles: ["customer"], id: new Uint8Array(8) });
  const execution = execute({ ...state.place, time_ms: 15_000 }, [
    state.batch([], [customers]),
    state.batch([record(0)], [own]),
  ]);
  assert.deepEqual([seqs(execution), [...execution.credentials.values()]], [[], [customers]]);
});

test("seals records in order and brings a meter's credential onto the chain once", () => {
  const state = createState();
  const first = state.run(record(0), record(1));
  assert.deepEqual(seqs(first), [0, 1]);
  assert.deepEqual([...first.credentials.keys()], [toHex(kid)]);
  const second = state.run(record(2));
  assert.deepEqual(seqs(second), [2]);
  assert.equal(second.credentials.size, 0);
  assert.deepEqual(second.violations, []);
});

test("drops a record whose meter has no credential on the chain", () => {
  const state = createState();
  const execution = execute(state.place, [{ origin, number: 0, notices: [], records: [record(0)] }]);
  assert.deepEqual(seqs(execution), []);
});

test("drops a batch that is sealed already", () => {
  const state = createState();
  const batch = state.batch([record(0)]);
  state.apply(execute(state.place, [batch]));
  assert.deepEqual(seqs(execute(state.place, [{ ...batch, records: [record(1)] }])), []);
});

test("drops a duplicate in the order of the chain, within a block and across blocks", () => {
  const state = createState();
  assert.deepEqual(seqs(state.run(record(0), record(0), record(1))), [0, 1]);
  const again = state.run(record(1), record(2));
  assert.deepEqual(seqs(again), [2]);
  assert.deepEqual(kinds(again), []);
});

test("takes records out of order within the window", () => {
  const state = createState();
  assert.deepEqual(seqs(state.run(record(0), record(5))), [0, 5]);
  const late = state.run(record(3), record(1), record(2), record(4));
  assert.deepEqual(seqs(late), [3, 1, 2, 4]);
  assert.deepEqual(kinds(late), []);
});

test("counts a gap that stays open past the window, once, and takes no record of it afterwards", () => {
  const state = createState();
  state.run(record(0), record(3));
  assert.deepEqual(kinds(state.run(record(2 + SEQUENCE_WINDOW))), []);
  const closing = state.run(record(3 + SEQUENCE_WINDOW));
  assert.deepEqual(closing.violations, [{ kind: "gap", meter: kid, seq: 1, detail: 2 }]);
  const late = state.run(record(1));
  assert.deepEqual(seqs(late), []);
  assert.deepEqual(kinds(late), []);
});

test("counts a fork once, keeps the first record, and has the second as its proof", () => {
  const state = createState();
  state.run(record(0), record(1));
  const fork = state.run(record(1, 7));
  assert.deepEqual(fork.violations, [{ kind: "fork", meter: kid, seq: 1, detail: record(1, 7).bytes }]);
  assert.deepEqual(seqs(fork), []);
  assert.deepEqual(kinds(state.run(record(1, 8))), []);
});

test("counts one fork of a meter in a block", () => {
  const state = createState();
  state.run(record(0), record(1), record(2));
  assert.deepEqual(kinds(state.run(record(0, 1), record(1, 1), record(2, 1))), ["fork 0"]);
});

test("counts a record that names another predecessor, and seals it", () => {
  const state = createState();
  state.run(record(0));
  const broken = state.run(record(1, 0, hash(99)));
  assert.deepEqual(seqs(broken), [1]);
  assert.deepEqual(kinds(broken), ["link 1"]);
});

test("a meter's forks are counted at eight numbers and no more, whatever comes again", () => {
  const state = createState();
  state.run(...Array.from({ length: 12 }, (_, seq) => record(seq)));
  const found: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    for (let seq = 0; seq < 12; seq += 1) found.push(...kinds(state.run(record(seq, 4))));
  }
  assert.deepEqual(
    found,
    Array.from({ length: 8 }, (_, seq) => `fork ${seq}`),
  );
});

test("results and states are the same after encoding", () => {
  const state = createState();
  state.run(record(0), record(3), record(3 + SEQUENCE_WINDOW + 1), record(0, 4));
  const execution = state.run(record(9 + SEQUENCE_WINDOW), record(0, 5), record(3, 5));
  assert.deepEqual(decodeResults(resultsOf(execution)).violations, execution.violations);
  const meter = execution.meters.get(toHex(kid))!;
  assert.deepEqual(decodeMeterState(encodeMeterState(meter)), meter);
});

test("whatever comes, each number is sealed at most once, a replay of what was sealed finds the same, and states stay bounded", () => {
  const arrivals = fc.array(fc.record({ seq: fc.oneof(fc.nat(30), fc.nat(4 * SEQUENCE_WINDOW)), variant: fc.nat(2) }), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(fc.array(arrivals, { minLength: 1, maxLength: 8 }), (blocks) => {
      const state = createState();
      const replayed = createState();
      for (const block of blocks) {
        const batch = state.batch(block.map(({ seq, variant }) => record(seq, variant)));
        const execution = state.apply(execute(state.place, [batch]));
        const forks = execution.violations.flatMap((violation) =>
          violation.kind === "fork" ? [record(violation.seq, (violation.detail as Uint8Array).at(-1)!)] : [],
        );
        const again = replayed.apply(
          execute(replayed.place, [{ ...batch, ...execution.sealed[0]! }], { forks, evidence: [] }),
        );
        assert.deepEqual(seqs(again), seqs(execution));
        assert.deepEqual(resultsOf(again), resultsOf(execution));
        assert.deepEqual(again.meters, execution.meters);
        for (const meter of execution.meters.values()) {
          assert.ok(meter.gaps.length <= SEQUENCE_WINDOW / 2 + 1);
          assert.ok(meter.forks.length <= 8);
          assert.ok(encodeMeterState(meter).length < 16_384);
        }
      }
    }),
    { numRuns: 200 },
  );
});

/** Evidence as the rules take it; they look at nothing but node, violation and number. */
const evidenceOf = (node: Uint8Array, height: number): ExecutionNotice => ({
  kind: "evidence",
  bytes: Uint8Array.of(height),
  node,
  violation: "equivocation",
  number: height,
});

test("counts a node's false word on a temporary block once, whatever else is recorded of it, and of members alone", () => {
  const state = createState();
  const [member] = genesis.nodes;
  const ruled = (...notices: ExecutionNotice[]) => state.apply(execute(state.place, [{ ...state.batch([]), notices }]));
  const falseWord = (node: Uint8Array, number: number): ExecutionNotice => ({
    kind: "evidence",
    bytes: Uint8Array.of(number),
    node,
    violation: "falseAcknowledgement",
    number,
  });
  const full = Array.from({ length: FAULTS_MAX }, (_, index) => evidenceOf(member!.id, 1 + index));
  assert.equal(kinds(ruled(...full)).length, FAULTS_MAX);
  const counted = ruled(falseWord(member!.id, 7), falseWord(member!.id, 8), falseWord(kid, 7));
  assert.deepEqual(kinds(counted), ["falseAcknowledgement 7"]);
  assert.deepEqual(counted.sealed[0]!.notices, [], "it stands in the results alone");
  assert.deepEqual(kinds(ruled(falseWord(member!.id, 9))), []);
  const [, other] = genesis.nodes;
  assert.deepEqual(kinds(ruled(falseWord(other!.id, 0))), ["falseAcknowledgement 0"]);
  const after = Array.from({ length: FAULTS_MAX }, (_, index) => evidenceOf(other!.id, 1 + index));
  assert.equal(kinds(ruled(...after)).length, FAULTS_MAX, "it takes no height's place");
});

test("counts a node's equivocation once a height, of members alone, not ahead of the block, and eight heights at most", () => {
  const state = createState();
  const [member] = genesis.nodes;
  const ruled = (...notices: ExecutionNotice[]) => state.apply(execute(state.place, [{ ...state.batch([]), notices }]));
  const counted = ruled(
    evidenceOf(member!.id, 3),
    evidenceOf(member!.id, 3),
    evidenceOf(kid, 3),
    evidenceOf(member!.id, 21),
  );
  assert.deepEqual(kinds(counted), ["equivocation 3"]);
  assert.deepEqual(counted.sealed[0]!.notices, [], "it stands in the results alone");
  assert.deepEqual(kinds(ruled(evidenceOf(member!.id, 3), evidenceOf(member!.id, 2))), ["equivocation 2"]);
  const many = Array.from({ length: 15 }, (_, index) => evidenceOf(member!.id, 4 + index));
  assert.equal(kinds(ruled(...many)).length, FAULTS_MAX - 2);
  assert.deepEqual(kinds(ruled(evidenceOf(member!.id, 1))), []);
});
