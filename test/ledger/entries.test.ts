// Messages and deadlines as blocks take them: in order, each once, whatever temporary blocks bring.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { InstallAction } from "../../src/wire/contract-order.js";
import type { Entry } from "../../src/wire/entry.js";
import { entryText } from "../../src/wire/entry.js";
import { type CarriedMessage, MESSAGE_BODY_BYTES_MAX } from "../../src/wire/message.js";
import { encodeDue } from "../../src/wire/notice.js";
import { BLOCK_EFFECTS_MAX, placedMessages } from "../../src/wire/outcome.js";
import type { Receipt } from "../../src/wire/receipt.js";
import { BLOCK_SLOTS_MAX } from "../../src/wire/slot.js";
import { decodeValue, encodeValue, type Value } from "../../src/wire/value.js";
import { ranBlock } from "../../tools/ledger/compose.js";
import { newestEngine } from "../../tools/ledger/engines.js";
import { planEntries } from "../../tools/ledger/entries.js";
import { type ChainView, type ExecutionNotice, execute } from "../../tools/ledger/execution.js";
import { CONTRACTS_SERVICE, initialGovernance } from "../../tools/ledger/governance.js";
import { BLOCK_MESSAGES_MAX, SOURCE_MESSAGES_MAX } from "../../tools/ledger/intake.js";
import { MemoryState } from "../../tools/ledger/memory-state.js";
import { messageEntries, Numbering } from "../../tools/ledger/messages.js";
import type { Outcome, RunResult } from "../../tools/ledger/outcome.js";
import { firstDue, nextDue, sentTo, takenFrom, valueIn } from "../../tools/ledger/reserved-keys.js";
import type { Room } from "../../tools/ledger/room.js";
import { BLOCK_CALLS_MAX, kindShare, type PlannedCall } from "../../tools/ledger/run-plan.js";
import { MemorySettlement } from "../../tools/ledger/settlement/memory-settlement.js";
import { restingSettlement } from "../../tools/ledger/settlement/settle.js";
import type { OriginState } from "../../tools/ledger/state.js";
import { TOLD_MESSAGES_MAX, TOLD_ROWS_MAX, toldOutcomes } from "../../tools/ledger/told.js";
import type { Violation } from "../../tools/ledger/violations.js";
import { testNetwork } from "../wire/network.js";

const { genesis } = testNetwork();
const first = initialGovernance(genesis);
const [known] = first.chains;
const governance = {
  ...first,
  chains: [...first.chains, { ...known!, chain: { ...known!.chain, service: CONTRACTS_SERVICE, name: "contracts" } }],
};
const [own, ...others] = genesis.chains.map(({ service }) => service);
const SERVICE = own!;
const origin = new Uint8Array(8).fill(9);

function installed(name: string, change: Partial<InstallAction> = {}): InstallAction {
  return {
    ...({ type: "install", service: SERVICE, name, version: 1, source: new Uint8Array(32), ...newestEngine } as const),
    ...{
      budget: 10,
      pages: 16,
      output: 10_000,
      types: [],
      messages: [],
      vectors: new Uint8Array(32),
      ready: [],
      fromHeight: 1,
    },
    ...change,
  };
}

/** A chain in memory with contracts whose runs are a function of their call. */
function createChain(contracts: readonly InstallAction[], run: (call: PlannedCall, contract: string) => RunResult) {
  const state = new MemoryState();
  const origins = new Map<string, OriginState>();
  const view: ChainView = {
    state,
    meter: () => undefined,
    origin: (id) => origins.get(id),
    faults: () => [],
    sealedHash: () => undefined,
    credential: () => undefined,
    settlement: new MemorySettlement(),
  };
  let number = 0;
  return {
    state,
    seal(notices: readonly ExecutionNotice[], time_ms = 0) {
      const place = { service: SERVICE, height: number + 1, governance, judgedAt: 0, time_ms, view };
      const inForce = contracts.map((install) => ({ install, parameters: [] }));
      const judge = (room?: Room) => {
        const execution = execute({ ...place, room }, [{ origin, number, notices, records: [] }]);
        const settlement = restingSettlement;
        const where = {
          ...{ height: place.height, time_ms, contracts: inForce, view, settlement, room },
          sourceOf: () => "",
        };
        return {
          execution,
          settling: { readings: [], settling: undefined },
          settlement,
          planned: planEntries(where, execution),
        };
      };
      const judged = judge();
      const { plan } = judged.planned;
      const calls = plan?.calls ?? [];
      const ran = calls.map((call) => run(call, plan!.contracts[call.contract]!.name));
      const { execution, entries: result } = ranBlock(view, { judge, judged }, ran);
      number += 1;
      for (const [id, after] of execution.origins) origins.set(id, after);
      state.apply(result);
      return { result, kept: execution.sealed[0]!.notices, calls, plan };
    },
  };
}

const done = (change: Partial<Extract<Outcome, { type: "done" }>> = {}): Outcome => ({
  ...({ type: "done", used: 1, writes: [], emissions: [] } as const),
  ...change,
});

function messageNotice(
  service: number,
  number: number,
  change: Partial<CarriedMessage["message"]> = {},
): ExecutionNotice {
  const entry: Entry = { kind: "operation", leaf: 1 };
  const message = {
    service,
    height: 1 + number,
    entry,
    contract: "sender",
    name: "told",
    to: SERVICE,
    number,
    hops: 0,
  };
  const carried = {
    message: { ...message, body: encodeValue({ number }), ...change },
    time_s: 5,
    receipt: {} as Receipt,
    orderedAt: 0,
  };
  return { kind: "message", bytes: Uint8Array.of(service, number & 255, number >> 8), carried };
}

const deliveries = fc.array(
  fc.array(fc.tuple(fc.constantFrom(...others), fc.nat(24)), { minLength: 1, maxLength: 24 }),
  { minLength: 1, maxLength: 30 },
);

test("messages are taken in the order of their numbers and each once, whatever comes, and no more of one chain than its share", () => {
  const contracts = [installed("taker", { messages: [{ service: 0, name: "told" }] })];
  fc.assert(
    fc.property(deliveries, (blocks) => {
      const chain = createChain(contracts, () => done());
      const model = new Map<number, number>();
      for (const block of blocks) {
        const { result, kept, calls } = chain.seal(block.map(([service, number]) => messageNotice(service, number)));
        const expected: [number, number][] = [];
        for (const [service, number] of block) {
          const ofSource = expected.filter(([from]) => from === service).length;
          const next = model.get(service) ?? 0;
          if (number !== next || ofSource === SOURCE_MESSAGES_MAX || expected.length === BLOCK_MESSAGES_MAX) continue;
          model.set(service, next + 1);
          expected.push([service, number]);
        }
        assert.equal(kept.length, expected.length);
        const called = calls.map(({ argument }) => argument as Readonly<Record<string, Value>>);
        const inOrder = expected.toSorted(([one, first], [two, second]) => one - two || first - second);
        assert.deepEqual(
          called.map(({ service, number, body }) => [service, number, body]),
          inOrder.map(([service, number]) => [service, number, { number }]),
        );
        assert.deepEqual(
          result.outcomes.map(({ entry }) => entryText(entry)),
          inOrder.map(([service, number]) => `message ${service}/${number}`),
        );
        for (const service of others) assert.equal(takenFrom(chain.state, service).next, model.get(service) ?? 0);
      }
    }),
  );
});

test("a message for another chain, of a chain unknown, or sealed by members before those of the one before falls out", () => {
  const [from] = others as [number];
  const { seal, state } = createChain([], () => done());
  const kept = (...notices: ExecutionNotice[]) => seal(notices).kept.length;
  const by = (number: number, orderedAt: number) => {
    const notice = messageNotice(from, number) as Extract<ExecutionNotice, { kind: "message" }>;
    return { ...notice, carried: { ...notice.carried, orderedAt } };
  };
  assert.equal(kept(messageNotice(from, 0, { to: from })), 0);
  assert.equal(kept(messageNotice(4_711, 0)), 0);
  assert.equal(kept(by(0, 7)), 0, "by an order behind the contracts height");
  assert.equal(kept(messageNotice(from, 0), messageNotice(from, 0)), 1);
  assert.equal(takenFrom(state, from).next, 1);
});

test("what answers a message is one step further than it, and what no message led to begins anew", () => {
  const [from] = others as [number];
  const contracts = [installed("taker", { messages: [{ service: from, name: "told" }] })];
  const answer = { type: "message", service: from, name: "again", body: encodeValue(null) } as const;
  const { seal } = createChain(contracts, () =>
    done({ emissions: [answer], writes: [["due/k", encodeValue([3, null])]] }),
  );
  const hopsOf = ({ result }: ReturnType<typeof seal>) =>
    result.outcomes.flatMap((outcome) => ("effects" in outcome ? outcome.effects.map(({ to }) => to?.hops) : []));
  const first = seal([messageNotice(from, 0, { hops: 7 })], 1_000);
  assert.deepEqual([hopsOf(first), first.calls.map(({ hops }) => hops)], [[8], [8]]);
  assert.deepEqual(hopsOf(seal([], 3_000)), [0], "a deadline");
});

test("what a block holds against somebody is told to the contracts chain: each once, so many in a message, with what runs say", () => {
  const [from] = others as [number];
  const contracts = [installed("taker", { messages: [{ service: from, name: "told" }] })];
  const subject = new Uint8Array(8).fill(3);
  const accuse = { type: "violation", name: "late", subject, body: encodeValue(null) } as const;
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 350 }), fc.integer({ min: 0, max: 3 }), (count, sent) => {
      const messages = Array.from({ length: sent }, () => ({
        ...({ type: "message", service: CONTRACTS_SERVICE, name: "hello", body: encodeValue(null) } as const),
      }));
      const chain = createChain(contracts, () => done({ emissions: [...Array(count).fill(accuse), ...messages] }));
      const { result } = chain.seal([messageNotice(from, 0)]);
      const told = result.outcomes.filter(({ type }) => type === "told");
      const effects = told.flatMap((outcome) => ("effects" in outcome ? outcome.effects : []));
      const bodies = effects.map(({ body }) => decodeValue(body) as readonly [number, readonly Value[]]);
      assert.equal(told.length, count === 0 ? 0 : 1);
      assert.deepEqual(
        bodies.map(([first]) => first),
        bodies.map((_, part) => TOLD_ROWS_MAX * part),
      );
      const rows = bodies.flatMap(([, some]) => some);
      assert.deepEqual(rows, Array(count).fill([6, "0303030303030303", null, "taker/late"]));
      assert.deepEqual(
        effects.map(({ to }) => to),
        effects.map((_, part) => ({ service: CONTRACTS_SERVICE, number: sent + part, hops: 0 })),
      );
      assert.equal(sentTo(chain.state, CONTRACTS_SERVICE), sent + effects.length);
    }),
    { numRuns: 40 },
  );
});

test("the largest message of the rules fits a message, and the most of them a block's leaves", () => {
  const violation: Violation = {
    ...{ kind: "contract", subject: new Uint8Array(8), entry: { kind: "operation", leaf: 1 } },
    ...{ contract: "c".repeat(32), name: "n".repeat(64), body: encodeValue(null) },
  };
  const [outcome] = toldOutcomes(Array<Violation>(10_000).fill(violation), new Numbering(new MemoryState()));
  assert.ok(outcome?.type === "told");
  assert.equal(outcome.effects.length, TOLD_MESSAGES_MAX);
  for (const { body } of outcome.effects) assert.ok(body.length <= MESSAGE_BODY_BYTES_MAX, `${body.length} bytes`);
  const leaves = BLOCK_CALLS_MAX + 4 * kindShare.emissions + 1 + TOLD_MESSAGES_MAX + BLOCK_SLOTS_MAX;
  assert.ok(leaves <= BLOCK_EFFECTS_MAX, `${leaves} leaves`);
});

test("a message that no contract takes is consumed, and one whose run fails as well", () => {
  const [from] = others as [number];
  const contracts = [installed("taker", { messages: [{ service: from, name: "told" }] })];
  const { seal, state } = createChain(contracts, () => ({ type: "failed", reason: "threw", used: 1, detail: "" }));
  const { result } = seal([messageNotice(from, 0), messageNotice(from, 1, { name: "other" })]);
  assert.deepEqual(
    result.outcomes.map(({ type }) => type),
    ["failed", "unhandled"],
  );
  assert.equal(takenFrom(state, from).next, 2);
});

test("messages that are sent get numbers without holes for each chain, in the order in which they were put out", () => {
  const [from] = others as [number];
  const contracts = [installed("taker", { messages: [{ service: 0, name: "told" }] })];
  const targets = fc.array(fc.array(fc.constantFrom(1, 2, 3, 77), { maxLength: 5 }), { maxLength: 12 });
  fc.assert(
    fc.property(targets, (runs) => {
      let run = 0;
      const { seal, state } = createChain(contracts, () => {
        const emissions = runs[run]!.flatMap((service) => [
          { type: "effect", name: "said", body: encodeValue(null) } as const,
          { type: "message", service, name: "hello", body: encodeValue(null) } as const,
        ]);
        run += 1;
        return run % 3 === 0 ? { type: "failed", reason: "budget", used: 1, detail: "" } : done({ emissions });
      });
      const model = new Map<number, number>();
      for (const [number, sent] of runs.entries()) {
        const { result } = seal([messageNotice(from, number)]);
        const placed = placedMessages(result.outcomes);
        const expected = (number + 1) % 3 === 0 ? [] : sent;
        assert.deepEqual(
          placed.map(({ to }) => to.service),
          expected,
        );
        for (const [index, { to, index: leaf }] of placed.entries()) {
          assert.deepEqual([to.number, leaf], [model.get(to.service) ?? 0, 2 + 2 * index]);
          model.set(to.service, to.number + 1);
        }
      }
      for (const service of [1, 2, 3, 77]) assert.equal(sentTo(state, service), model.get(service) ?? 0);
    }),
  );
});

const changes = fc.array(
  fc.record({
    contract: fc.constantFrom("a", "b"),
    key: fc.constantFrom("x", "y", "z/1", "ä"),
    time_s: fc.option(fc.integer({ min: 0, max: 40 }), { nil: null }),
  }),
  { maxLength: 6 },
);

test("deadlines fall due in the order of time, contract and key, each once, none before its time, as they stand before the block", () => {
  const [from] = others as [number];
  const contracts = ["a", "b"].map((name, index) =>
    installed(name, { messages: [{ service: from, name: `to-${index}` }] }),
  );
  const blocks = fc.array(fc.tuple(fc.nat(8), changes, fc.boolean()), { maxLength: 12 });
  fc.assert(
    fc.property(blocks, (steps) => {
      let writing: readonly { contract: string; key: string; time_s: number | null }[] = [];
      const chain = createChain(contracts, ({ entry }, contract) => {
        if (entry === "due") return done();
        const writes = writing
          .filter((write) => write.contract === contract)
          .map(({ key, time_s }) => [`due/${key}`, time_s === null ? null : encodeValue([time_s, "b"])] as const);
        return done({ writes: [...new Map(writes)] });
      });
      const model = new Map<string, { contract: string; key: string; time_s: number }>();
      let now_s = 0;
      let number = 0;
      for (const [passed_s, written, isDueNoticed] of steps) {
        now_s += passed_s;
        writing = written;
        const next = nextDue(chain.state);
        const due: ExecutionNotice[] =
          isDueNoticed && next !== undefined ? [{ kind: "due", bytes: encodeDue(next), time_s: next }] : [];
        const told = [messageNotice(from, number, { name: "to-0" }), messageNotice(from, number + 1, { name: "to-1" })];
        number += 2;
        const { kept, calls, plan } = chain.seal([...due, ...told], now_s * 1_000);
        const isPassed = next !== undefined && next <= now_s;
        assert.equal(
          kept.some(({ kind }) => kind === "due"),
          isDueNoticed && isPassed,
        );
        const ordered = [...model.values()].sort(
          (one, two) =>
            one.time_s - two.time_s ||
            (one.contract < two.contract ? -1 : one.contract > two.contract ? 1 : one.key < two.key ? -1 : 1),
        );
        const expected = ordered.filter(({ time_s }) => time_s <= now_s).slice(0, 16);
        assert.deepEqual(
          calls
            .filter(({ entry }) => entry === "due")
            .map((call) => [plan!.contracts[call.contract]!.name, call.argument]),
          expected.map(({ contract, key, time_s }) => [contract, { key, time_s, body: "b" }]),
        );
        for (const { contract, key } of expected) model.delete(`${contract}/${key}`);
        for (const name of ["a", "b"]) {
          const latest = new Map(
            written.filter(({ contract }) => contract === name).map((write) => [write.key, write]),
          );
          for (const { contract, key, time_s } of latest.values()) {
            if (time_s === null) model.delete(`${contract}/${key}`);
            else model.set(`${contract}/${key}`, { contract, key, time_s });
          }
        }
        assert.equal(firstDue(chain.state, 100).length, model.size);
        for (const { contract, key, time_s } of model.values()) {
          assert.deepEqual(decodeValue(valueIn(chain.state, `${contract}/due/${key}`)!), [time_s, "b"]);
        }
      }
    }),
  );
});

test("a deadline of a contract that is in force no more is taken and nobody's; it is called for once where its run fails", () => {
  const [from] = others as [number];
  const contracts = [installed("a", { messages: [{ service: from, name: "told" }] })];
  let isFailing = false;
  const run = (): Outcome =>
    isFailing
      ? { type: "failed", reason: "threw", used: 1, detail: "" }
      : done({ writes: [["due/k", encodeValue([3, null])]] });
  const { seal, state } = createChain(contracts, run);
  seal([messageNotice(from, 0)], 1_000);
  isFailing = true;
  assert.equal(nextDue(state), 3);
  assert.deepEqual(
    seal([], 3_000).result.outcomes.map(({ type }) => type),
    ["failed"],
  );
  assert.equal(nextDue(state), undefined);
  assert.deepEqual(seal([], 4_000).result.outcomes, []);
  isFailing = false;
  seal([messageNotice(from, 1)], 5_000);
  contracts.pop();
  const gone = seal([], 6_000).result.outcomes;
  assert.deepEqual(
    gone.map(({ type, entry }) => [type, entryText(entry)]),
    [["unhandled", "due 3 a k"]],
  );
  assert.equal(firstDue(state, 1).length, 0);
});

test("messages and deadlines that a block leaves no room for come in the next ones: all in their order, each once, none is lost", () => {
  const [from] = others as [number];
  const contracts = [installed("a", { messages: [{ service: from, name: "told" }] })];
  const costs = fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(costs, fc.nat(12), (sizes, deadlines) => {
      let next = 0;
      let left = new Map<string, number>();
      /** As an engine does: what needs more than is left of ten is postponed, with those of its kind behind it. */
      const chain = createChain(contracts, ({ entry }) => {
        const of = left.get(entry) ?? 10;
        const size = sizes[next++ % sizes.length]!;
        left.set(entry, size > of ? 0 : of - size);
        if (size > of) return { type: "postponed" };
        const writes = next === 1 ? named : [];
        return done({ writes });
      });
      const named = Array.from(
        { length: deadlines },
        (_, index) => [`due/k${index}`, encodeValue([index, null])] as const,
      ).sort(([one], [other]) => (one < other ? -1 : 1));
      const taken: string[] = [];
      const seal = (notices: readonly ExecutionNotice[]) => {
        left = new Map();
        const { result, kept } = chain.seal(notices, 100_000);
        assert.equal(kept.length, result.outcomes.filter(({ entry }) => entry.kind === "message").length);
        taken.push(...result.outcomes.map(({ entry }) => entryText(entry)));
      };
      const all = 30;
      for (let block = 0; takenFrom(chain.state, from).next < all || nextDue(chain.state) !== undefined; block += 1) {
        assert.ok(block < 100, `${taken.length} of ${all + deadlines} are taken`);
        const first = takenFrom(chain.state, from).next;
        seal(Array.from({ length: Math.min(4, all - first) }, (_, index) => messageNotice(from, first + index)));
      }
      const of = (kind: string) => taken.filter((name) => name.startsWith(kind));
      assert.deepEqual(
        of("message"),
        Array.from({ length: all }, (_, index) => `message ${from}/${index}`),
      );
      assert.deepEqual(
        of("due"),
        Array.from({ length: deadlines }, (_, index) => `due ${index} a k${index}`),
      );
    }),
  );
});

test("chains take turns at being first, whichever of them have messages", () => {
  const orderAt = (height: number, services: readonly number[]) => {
    const taken = services.flatMap((service) =>
      [1, 0].map((number) => (messageNotice(service, number) as Extract<ExecutionNotice, { kind: "message" }>).carried),
    );
    const place = { height, contracts: [] } as unknown as Parameters<typeof messageEntries>[0];
    return messageEntries(place, taken).map(({ entry }) => entryText(entry));
  };
  const firsts = new Map<string, number>();
  for (let height = 1; height <= 300; height += 1) {
    const all = orderAt(height, [1, 2, 3]);
    firsts.set(all[0]!, (firsts.get(all[0]!) ?? 0) + 1);
    assert.deepEqual(
      orderAt(height, [3, 1]),
      all.filter((name) => !name.startsWith("message 2/")),
      "who has none leaves the others' order as it is",
    );
  }
  assert.deepEqual([...firsts.keys()].sort(), ["message 1/0", "message 2/0", "message 3/0"]);
  assert.ok(
    [...firsts.values()].every((count) => count > 60),
    `each is first often: ${[...firsts.values()].join()}`,
  );
});
