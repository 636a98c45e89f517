// Custodians that work out sums over a group: f + 1 of them come to the same, a liar is known, and nobody is given a share who may not
// have it.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { decodeAggregate, isSameAggregate } from "../../../src/wire/aggregate.js";
import { fromHex, toHex } from "../../../src/wire/bytes.js";
import { DAY_S } from "../../../src/wire/envelope.js";
import { keyId, type Signer } from "../../../src/wire/key.js";
import { type Claims, digestsOf, encodeDisclosure, parseRecord, signRecord } from "../../../src/wire/record.js";
import type { SealedDisclosures } from "../../../src/wire/sealed-disclosure.js";
import { encodeValue, type Value } from "../../../src/wire/value.js";
import { generateDeliveryKeys } from "../../../tools/crypto/hpke.js";
import { generateSeed, signerFromSeed } from "../../../tools/crypto/signatures.js";
import { byteOf, chainOf, payloadOf } from "../../../tools/node/chain/frame.js";
import { contractState } from "../../../tools/node/chain/tables/contract-state.js";
import { heads } from "../../../tools/node/chain/tables/heads.js";
import { putSealed } from "../../../tools/node/chain/tables/sealed-disclosures.js";
import { createCustodyDirectory } from "../../../tools/node/disclosures/custody-directory.js";
import { computingFor, groupGrantInForce, rangeComplaint } from "../../../tools/node/disclosures/groups/group-grant.js";
import { createGroups, type GroupAnswer, type Groups } from "../../../tools/node/disclosures/groups/groups.js";
import type { HidingReading } from "../../../tools/node/disclosures/groups/sealed-readings.js";
import { encodeQuestion } from "../../../tools/node/disclosures/groups/share-frames.js";
import { GROUP_QUESTION_FRAME, GROUP_SHARE_FRAME } from "../../../tools/node/disclosures/ports.js";
import { envelopes } from "../../../tools/node/disclosures/tables/envelopes.js";
import { missingDisclosures } from "../../../tools/node/disclosures/tables/missing-disclosures.js";
import { chainKey, hashKey, stateKey } from "../../../tools/node/store/keys.js";
import { createWorld, greet, SERVICE, TIME_S, type World } from "./world.js";

const REQUEST = "bb00000000000001-4";
/** A node whose rows come before those of others. */
const LIAR = "0000000000000001";
const DAY = Math.floor(TIME_S / DAY_S);
const SLOT_S = 900;
const FROM_S = Math.floor(TIME_S / SLOT_S) * SLOT_S;
const range = { from_s: FROM_S, until_s: FROM_S + 2 * SLOT_S, slot_s: SLOT_S };
const LATENESS_S = 600;
const READY_S = range.until_s + LATENESS_S;
const POWER = Uint8Array.of(1, 0, 1, 7, 0, 255);
const VOLTAGE = Uint8Array.of(1, 0, 32, 7, 0, 255);

/** Readings of one meter and slot that count. */
const READINGS_OF_SLOT = 256;
/** Shares that a custodian seals for another one. */
const SHARES_AT_ONCE = 1_024;
const SHARES_A_SECOND = 512;

interface Scene {
  readonly world: World;
  readonly groups: readonly Groups[];
  readonly meters: readonly Uint8Array[];
  /** Of these nodes, as they come to them. */
  sums(...nodes: readonly number[]): Promise<readonly GroupAnswer[]>;
  /** places of the nodes that work for the request, and of the one that does not */
  readonly working: readonly number[];
  readonly idle: number;
  /** whether the nodes have looked at all blocks for what they lack, and which they have let go of */
  readonly scene: { isLevel: boolean; letGoUntil_s: number };
  put(key: string, value: Value, nodes?: readonly number[]): Promise<void>;
  /** A reading of a meter of so many watts, sealed in a block of that time. */
  read(
    meter: number,
    reading: {
      seq: number;
      time_s: number;
      value: number;
      sealed_s?: number;
      unit?: number;
      /** what another node has added of the record besides, whose row comes first; or alone */
      lie?: "partial" | "unknown-envelope" | "no-envelope";
    },
  ): Promise<void>;
}

async function createScene(t: TestContext): Promise<Scene> {
  const world = await createWorld(t);
  const scene = { isLevel: true, letGoUntil_s: 0 };
  await greet(world);
  const signers: readonly Signer[] = [1, 2, 3].map(() => signerFromSeed(generateSeed()));
  const meters = signers.map(({ key }) => keyId(key));
  const sealed: HidingReading[] = [];
  const claimsOf = new Map<string, Claims>();
  const groups = world.nodes.map(({ ports }) => {
    const made = createGroups(
      {
        ...ports,
        afterOthers: () => Promise.resolve(),
        onFatal: (error) => assert.match(String(error), /is closed/),
        knowsMissing: () => scene.isLevel,
        letGoUntil_s: () => scene.letGoUntil_s,
        sealedBetween: ({ meters, from_s, until_s }) => [
          sealed.filter((each) => meters.has(each.meter) && each.sealed_s >= from_s && each.sealed_s < until_s),
        ],
        sealedClaims: (_chain, _meter, { hash }) => claimsOf.get(toHex(hash)),
      },
      createCustodyDirectory(ports),
    );
    t.after(() => made.stop());
    return made;
  });
  const idOf = (index: number) => toHex(world.nodes[index]!.ports.self);
  world.passes = (from, to, frame) => {
    if (byteOf(frame) === GROUP_QUESTION_FRAME) groups[to]!.onQuestion(idOf(from), chainOf(frame), payloadOf(frame));
    else if (byteOf(frame) === GROUP_SHARE_FRAME) groups[to]!.onShare(idOf(from), chainOf(frame), payloadOf(frame));
    else return frame;
    return undefined;
  };
  const all = world.nodes.map((_, index) => index);
  const put: Scene["put"] = async (key, value, nodes = all) => {
    for (const index of nodes) {
      const { store } = world.nodes[index]!.ports;
      await store.write((writer) => writer.put(contractState, stateKey(SERVICE, `access/${key}`), encodeValue(value)));
    }
  };
  await put("group/north", ["residential", meters.map(toHex).sort(), "dd00000000000001"]);
  await put(`grant/${REQUEST}`, {
    ...{ requester: "bb00000000000001", group: "north", register: toHex(POWER), unit: 27, purpose: 8 },
    ...{ from: DAY, until: DAY + 1, key: toHex(generateDeliveryKeys().key), until_s: READY_S + 1_000_000 },
    ...{ slot_s: SLOT_S, lateness_s: LATENESS_S, meters_min: 2, share_percent_max: 100 },
  });
  for (const { ports } of world.nodes) {
    const head = { height: 9, headerHash: new Uint8Array(32), counter: 0, records: 0, judgedAt: 1 };
    const row = { ...head, stateRoot: new Uint8Array(32), time_ms: 1_000 * READY_S };
    await ports.store.write((writer) => writer.put(heads, chainKey(SERVICE), row));
  }
  const computing = computingFor(REQUEST, world.nodes[0]!.ports.membersOf(SERVICE)!);
  const working = all.filter((index) => computing.includes(idOf(index)));
  return {
    ...{ world, groups, meters, working, put, scene },
    idle: all.find((index) => !working.includes(index))!,
    async read(meter, { seq, time_s, value, sealed_s = time_s + 1, unit = 27, lie }) {
      const hidden = encodeDisclosure({
        salt: new Uint8Array(16).fill(seq),
        label: "power",
        registers: [{ obis: POWER, value, scaler: 0, unit }],
      });
      const other = encodeDisclosure({
        salt: new Uint8Array(16).fill(seq + 100),
        label: "voltage",
        registers: [{ obis: VOLTAGE, value: 230, scaler: 0, unit: 35 }],
      });
      const claims: Claims = {
        ...{ service: SERVICE, serviceId: 0, seq, previous: new Uint8Array(seq === 0 ? 0 : 32), time_s, quality: 2 },
        digests: digestsOf([hidden, other]),
      };
      const record = parseRecord(signRecord(claims, [hidden, other], signers[meter]!, meters[meter]!));
      const sealBy = async (node: number, disclosures = record.disclosures) => {
        const sealing = await world.nodes[node]!.disclosures.seal({ ...record, disclosures });
        assert.ok(sealing.type === "sealed", sealing.type === "unready" ? sealing.reason : "");
        await world.settle();
        return sealing.sealed;
      };
      const putAll = async (origin: Uint8Array, row: SealedDisclosures) => {
        for (const { ports } of world.nodes) {
          await ports.store.write((writer) => putSealed(writer, { chain: SERVICE, origin }, row));
        }
      };
      const honest = await sealBy(0);
      sealed.push({ meter: toHex(meters[meter]!), seq, hash: record.hash, time_s, sealed_s });
      claimsOf.set(toHex(record.hash), record.claims);
      if (lie !== "no-envelope") await putAll(world.nodes[0]!.ports.self, honest);
      const liar = fromHex(LIAR)!;
      if (lie === "partial") await putAll(liar, await sealBy(1, record.disclosures.slice(1)));
      if (lie === "unknown-envelope" || lie === "no-envelope")
        await putAll(liar, { ...honest, envelope: new Uint8Array(32).fill(5) });
    },
    async sums(...nodes) {
      const grantOf = (index: number) => groupGrantInForce(world.nodes[index]!.ports, SERVICE, REQUEST)!;
      const ask = (index: number) => groups[index]!.ask(grantOf(index), range);
      for (let turn = 0; turn < 200; turn += 1) {
        const answers = nodes.map(ask);
        const isWorking = (each: GroupAnswer) => each.type === "waiting" && /worked out/.test(each.reason);
        if (!answers.some(isWorking)) return answers;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      return assert.fail("waited too long for sums");
    },
  };
}

const slotsOf = (answer: GroupAnswer) => {
  assert.equal(answer.type, "sums", JSON.stringify(answer));
  return decodeAggregate((answer as { readonly bytes: Uint8Array }).bytes).slots;
};

async function readAll({ read }: Scene): Promise<void> {
  await read(0, { seq: 0, time_s: FROM_S + 10, value: 100 });
  await read(0, { seq: 1, time_s: FROM_S + 20, value: 300 });
  await read(1, { seq: 0, time_s: FROM_S + 30, value: 1_000 });
  await read(2, { seq: 0, time_s: FROM_S + 40, value: 50, unit: 29 });
  await read(2, { seq: 1, time_s: FROM_S + 50, value: 7, sealed_s: FROM_S + SLOT_S + LATENESS_S });
  await read(2, { seq: 2, time_s: FROM_S + SLOT_S, value: 70 });
  await read(0, { seq: 2, time_s: FROM_S + SLOT_S, value: 70, sealed_s: FROM_S + SLOT_S - DAY_S - 1 });
}

const expected = [
  { count: 2, sum: 1_200_000n },
  { count: 1, sum: null },
];

test("those that work for a request come to the same sums, of what is in the unit and was sealed in time", async (t) => {
  const scene = await createScene(t);
  await readAll(scene);
  const answers = await scene.sums(...scene.working);
  assert.equal(answers.length, 3, "2 f + 1 of four");
  for (const answer of answers) assert.deepEqual(slotsOf(answer), expected);
  const [one, other] = answers.map((each) => decodeAggregate((each as { readonly bytes: Uint8Array }).bytes));
  assert.ok(isSameAggregate(one!, other!));
});

test("of a slot the first readings of a meter count, and no more: who floods the chain stops nobody", async (t) => {
  const scene = await createScene(t);
  for (let seq = 0; seq < READINGS_OF_SLOT; seq += 1) await scene.read(0, { seq, time_s: FROM_S + seq, value: 100 });
  await scene.read(0, { seq: READINGS_OF_SLOT, time_s: FROM_S + READINGS_OF_SLOT, value: 1_000_000 });
  await scene.read(1, { seq: 0, time_s: FROM_S + 30, value: 1_000 });
  for (const answer of await scene.sums(...scene.working)) {
    assert.deepEqual(slotsOf(answer)[0], { count: 2, sum: 1_100_000n });
  }
});

test("one grant has two ranges worked on at a time, whatever it asks for, and leaves the others' places", async (t) => {
  const scene = await createScene(t);
  await readAll(scene);
  const { world, groups, working } = scene;
  const [node = 0] = working;
  const grant = groupGrantInForce(world.nodes[node]!.ports, SERVICE, REQUEST)!;
  const ask = (slots: readonly [number, number]) =>
    groups[node]!.ask(grant, {
      from_s: FROM_S + slots[0] * SLOT_S,
      until_s: FROM_S + slots[1] * SLOT_S,
      slot_s: SLOT_S,
    });
  assert.deepEqual([ask([0, 1]).type, ask([1, 2]).type, ask([0, 2]).type], ["waiting", "waiting", "busy"]);
});

test("one that does not work for it computes nothing, and is given no share though it asks", async (t) => {
  const scene = await createScene(t);
  await readAll(scene);
  const { world, groups, idle, working, meters } = scene;
  const [answer] = await scene.sums(idle);
  assert.equal(answer!.type, "not-computing");
  let given = 0;
  const passes = world.passes;
  world.passes = (from, to, frame) => {
    if (byteOf(frame) === GROUP_SHARE_FRAME) given += 1;
    return passes(from, to, frame);
  };
  const idOf = (index: number) => toHex(world.nodes[index]!.ports.self);
  const [first, second] = working as [number, number];
  const ask = (by: number, question: Partial<Parameters<typeof encodeQuestion>[0]> = {}) =>
    groups[first]!.onQuestion(
      idOf(by),
      SERVICE,
      encodeQuestion({ request: REQUEST, meter: meters[0]!, day: DAY, ...question }),
    );
  ask(idle);
  ask(second, { request: "bb00000000000001-5" });
  ask(second, { day: DAY + 1 });
  ask(second, { meter: new Uint8Array(8).fill(5) });
  assert.equal(given, 0, "nor without a grant, of another day, of a meter outside of the group");
  await scene.put(`grant/${REQUEST}`, null, [first]);
  ask(second);
  assert.equal(given, 0, "nor where the grant does not stand in its own state");
  assert.ok(!world.refused.some((why) => why.includes("undefined")));
});

test("a custodian that asks for ever more shares is given them as time passes, and charged for asking alone", async (t) => {
  const scene = await createScene(t);
  await readAll(scene);
  const { world, groups, working, meters } = scene;
  let given = 0;
  world.passes = (_from, _to, frame) => {
    if (byteOf(frame) === GROUP_SHARE_FRAME) given += 1;
    return undefined;
  };
  const [first, second] = working as [number, number];
  const asker = toHex(world.nodes[second]!.ports.self);
  const question = encodeQuestion({ request: REQUEST, meter: meters[0]!, day: DAY });
  const began_ms = performance.now();
  for (let count = 0; count < 2 * SHARES_AT_ONCE; count += 1) groups[first]!.onQuestion(asker, SERVICE, question);
  const most = SHARES_AT_ONCE + (SHARES_A_SECOND * (performance.now() - began_ms)) / 1_000 + 1;
  assert.ok(given >= SHARES_AT_ONCE && given <= most, `${given} shares, at most ${most}`);
});

test("a custodian that gives false shares holds nobody up, and one that is away neither", async (t) => {
  const scene = await createScene(t);
  await readAll(scene);
  const { world, working } = scene;
  const [first, liar, away] = [working[0]!, working[1]!, scene.idle];
  const passes = world.passes;
  world.passes = (from, to, frame) => {
    if (byteOf(frame) !== GROUP_SHARE_FRAME) return from === away || to === away ? undefined : passes(from, to, frame);
    if (from === away) return undefined;
    const changed = Uint8Array.from(frame);
    if (from === liar) changed[changed.length - 1]! ^= 1;
    return passes(from, to, changed);
  };
  const [answer] = await scene.sums(first);
  assert.deepEqual(slotsOf(answer!), expected);
});

test("what a liar has encrypted of a record in part hides nothing of what another origin has encrypted", async (t) => {
  const scene = await createScene(t);
  await scene.read(0, { seq: 0, time_s: FROM_S + 10, value: 100, lie: "partial" });
  await scene.read(1, { seq: 0, time_s: FROM_S + 30, value: 1_000 });
  for (const answer of await scene.sums(...scene.working)) {
    assert.deepEqual(slotsOf(answer), [
      { count: 2, sum: 1_100_000n },
      { count: 0, sum: null },
    ]);
  }
});

test("a liar's row with an envelope that nobody knows holds up no sum of a record that another origin has encrypted", async (t) => {
  const scene = await createScene(t);
  await scene.read(0, { seq: 0, time_s: FROM_S + 10, value: 100, lie: "unknown-envelope" });
  await scene.read(1, { seq: 0, time_s: FROM_S + 30, value: 1_000 });
  for (const answer of await scene.sums(...scene.working)) {
    assert.deepEqual(slotsOf(answer), [
      { count: 2, sum: 1_100_000n },
      { count: 0, sum: null },
    ]);
  }
});

test("who alone has encrypted a record, in an envelope that nobody knows, is named by those who work", async (t) => {
  const scene = await createScene(t);
  await scene.read(0, { seq: 0, time_s: FROM_S + 10, value: 100, lie: "no-envelope" });
  await scene.read(1, { seq: 0, time_s: FROM_S + 30, value: 1_000 });
  const reason = `this node lacks an envelope of a meter of the group, which node ${LIAR} named`;
  for (const answer of await scene.sums(...scene.working)) assert.deepEqual(answer, { type: "waiting", reason });
});

test("without enough shares there are no sums, and the node says what it lacks", async (t) => {
  const scene = await createScene(t);
  await readAll(scene);
  scene.world.passes = () => undefined;
  const answer = await new Promise<GroupAnswer>((resolve) => {
    const grant = groupGrantInForce(scene.world.nodes[scene.working[0]!]!.ports, SERVICE, REQUEST)!;
    const look = () => {
      const found = scene.groups[scene.working[0]!]!.ask(grant, range);
      if (found.type === "waiting" && /worked out/.test(found.reason)) setTimeout(look, 50);
      else resolve(found);
    };
    look();
  });
  assert.deepEqual(answer, { type: "waiting", reason: "this node lacks shares of other custodians" });
});

test("a node that knows of disclosures that it lacks gives out no sum without them", async (t) => {
  const scene = await createScene(t);
  await readAll(scene);
  const index = scene.working[0]!;
  const { store } = scene.world.nodes[index]!.ports;
  const row = { hash: new Uint8Array(32), origin: new Uint8Array(8), day: DAY, since_s: 1 };
  const key = hashKey(SERVICE, scene.meters[1]!, 9, row.hash);
  await store.write((writer) => writer.put(missingDisclosures, key, row));
  const [answer] = await scene.sums(index);
  assert.deepEqual(answer, {
    type: "waiting",
    reason: "this node lacks sealed disclosures of a meter of the group",
  });
});

test("nor where it does not know yet what it lacks, or has no envelope of what a record hides", async (t) => {
  const scene = await createScene(t);
  await readAll(scene);
  const index = scene.working[0]!;
  const { store } = scene.world.nodes[index]!.ports;
  scene.scene.isLevel = false;
  /** Each question begins the work anew, and is told what came of it before. */
  const comesTo = async (pattern: RegExp) => {
    for (let turn = 0; turn < 200; turn += 1) {
      const [answer] = await scene.sums(index);
      if (pattern.test(answer!.type === "waiting" ? answer!.reason : answer!.type)) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.fail(`it does not come to ${pattern}`);
  };
  await comesTo(/lacks sealed disclosures/);
  scene.scene.isLevel = true;
  scene.scene.letGoUntil_s = FROM_S;
  await comesTo(/lacks blocks of that time/);
  scene.scene.letGoUntil_s = 0;
  const rows = store.range(envelopes, {});
  for (const { key } of rows) await store.write((writer) => writer.delete(envelopes, key));
  await comesTo(/lacks an envelope/);
  for (const { key, row } of rows) await store.write((writer) => writer.put(envelopes, key, row));
  await comesTo(/^sums$/);
});

test("sums of a day that one of the group has erased are given out no more, though they were worked out", async (t) => {
  const scene = await createScene(t);
  await readAll(scene);
  const index = scene.working[0]!;
  assert.equal((await scene.sums(index))[0]!.type, "sums");
  await scene.put(`erased/${toHex(scene.meters[2]!)}`, [[DAY, DAY + 1, "aa00000000000001-3", TIME_S]]);
  assert.deepEqual(await scene.sums(index), [{ type: "withheld" }]);
});

test("slots wait until no record may come for them any more", async (t) => {
  const scene = await createScene(t);
  const index = scene.working[0]!;
  const { store } = scene.world.nodes[index]!.ports;
  const head = store.get(heads, chainKey(SERVICE))!;
  await store.write((writer) => writer.put(heads, chainKey(SERVICE), { ...head, time_ms: 1_000 * READY_S - 1 }));
  const [answer] = await scene.sums(index);
  assert.ok(answer!.type === "waiting" && answer!.reason.includes(String(READY_S)), JSON.stringify(answer));
});

test("a sum changes nothing of what custodians keep", async (t) => {
  const scene = await createScene(t);
  await readAll(scene);
  const before = scene.world.nodes.map(({ ports }) => ports.store.range(envelopes, {}).length);
  await scene.sums(...scene.working);
  assert.deepEqual(
    scene.world.nodes.map(({ ports }) => ports.store.range(envelopes, {}).length),
    before,
  );
});

test("ranges are whole slots of one day of the grant, no more than an answer has", () => {
  const grant = { from: 10, until: 12, slot_s: 900 };
  const of = (from_s: number, until_s: number, slot_s = 900) =>
    rangeComplaint({ ...grant, slot_s }, { from_s, until_s });
  const day = 10 * DAY_S;
  assert.equal(of(day, day + DAY_S), undefined);
  for (const [from_s, until_s] of [
    [day + 1, day + 900],
    [day, day + 901],
    [day, day],
    [day + 900, day],
    [day - 900, day],
    [day, day + DAY_S + 900],
    [12 * DAY_S, 12 * DAY_S + 900],
  ] as const) {
    assert.notEqual(of(from_s, until_s), undefined, `${from_s} to ${until_s}`);
  }
  assert.match(of(day, day + 1_441 * 10, 10)!, /1440/);
});

test("what a contract of that name has put there otherwise is no grant", async (t) => {
  const scene = await createScene(t);
  const { ports } = scene.world.nodes[0]!;
  const good = groupGrantInForce(ports, SERVICE, REQUEST)!;
  assert.equal(good.meters.length, 3);
  const bytes = ports.store.get(contractState, stateKey(SERVICE, `access/grant/${REQUEST}`))!;
  assert.ok(bytes.length > 0);
  for (const changed of [
    { slot_s: 0 },
    { slot_s: 7 },
    { register: "01" },
    { key: "00".repeat(32) },
    { group: "south" },
    { group: null },
    { until_s: 1 },
    { lateness_s: -1 },
    { meters_min: "2" },
  ]) {
    const stated = { ...good, ...good.rule, ...changed };
    const { id: _id, chain: _chain, meters: _meters, rule: _rule, ...value } = stated;
    await scene.put(`grant/${REQUEST}`, value as unknown as Value, [0]);
    assert.equal(groupGrantInForce(ports, SERVICE, REQUEST), undefined, JSON.stringify(changed));
  }
  await scene.put(`grant/${REQUEST}`, { ...good, ...good.rule, meters: null, rule: null } as unknown as Value, [0]);
  await scene.put("group/north", ["residential", ["x"], "dd"], [0]);
  assert.equal(groupGrantInForce(ports, SERVICE, REQUEST), undefined);
  assert.equal(fromHex(good.register)!.length, 6);
});
