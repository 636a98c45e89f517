// Whoever opens sums over a group believes what f + 1 custodians have signed alike, and names who has signed something else.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Aggregate, aggregateInfo, decodeAggregate, signAggregate } from "../../../src/wire/aggregate.js";
import { toHex } from "../../../src/wire/bytes.js";
import { DAY_S } from "../../../src/wire/envelope.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import { keyId } from "../../../src/wire/key.js";
import {
  type AgreedSums,
  agreedSums,
  type Computing,
  computingAt,
  rangesOf,
} from "../../../tools/cli/access/group-sums.js";
import { slotViews, sumsText } from "../../../tools/cli/access/open-sums.js";
import { generateDeliveryKeys, sealTo } from "../../../tools/crypto/hpke.js";
import { generateSeed, signerFromSeed } from "../../../tools/crypto/signatures.js";
import { GridsealError } from "../../../tools/errors.js";
import type { FoundSums } from "../../../tools/sources/group-grants.js";

const SERVICE = 3;
const REQUEST = "bb00000000000001-4";
const DAY = 20_000;
const signers = [1, 2, 3, 4].map(() => signerFromSeed(generateSeed()));
const members = signers.map(({ key }, index) => ({ id: keyId(key), key, name: `node-${index}` }));
const genesis = {
  hash: new Uint8Array(32).fill(9),
  chains: [{ service: SERVICE, name: "dispatch", members, target: 0, verifiers: 2 }],
} as unknown as Genesis;
const keys = generateDeliveryKeys();
const terms = { genesis, keys, service: SERVICE, request: REQUEST, lineage: [] };
const computing = members.slice(0, 3).map(({ id }) => toHex(id));
const right = [
  { count: 120, sum: 4_321_500n },
  { count: 3, sum: null },
];

/** A node that answers with these slots, signed and sealed by itself unless it is told to do otherwise. */
function nodeAt(
  index: number,
  slots: Aggregate["slots"] = right,
  changed: Partial<Aggregate> = {},
  by = index,
): Computing {
  const { id } = members[index]!;
  const grant = {
    ...{ requester: "bb00000000000001", group: "north", meters: 120, register: "0100010700ff", unit: 27, purpose: 8 },
    ...{ from: DAY, until: DAY + 1, slot_s: 900, lateness_s: 60, key: toHex(keys.key), until_s: 1 },
    ...{ custodian: toHex(id), computing, head_s: DAY * DAY_S + 1_800 + 60 + 899 },
  };
  const sums = async (from_s: number): Promise<FoundSums> => {
    const content = { node: id, chain: SERVICE, request: REQUEST, from_s, slot_s: 900, slots, ...changed };
    const bytes = signAggregate(genesis.hash, content, signers[by]!);
    return { type: "sums", sealed: sealTo(keys.key, aggregateInfo(id, REQUEST, from_s), bytes) };
  };
  return { grant, source: { origin: `http://node-${index}`, grant: async () => grant, sums } };
}

async function open(nodes: readonly Computing[], complaints: string[] = []): Promise<readonly AgreedSums[]> {
  const all: AgreedSums[] = [];
  for await (const agreed of agreedSums(terms, nodes, complaints)) all.push(agreed);
  return all;
}

const isClosed = (pattern: RegExp) => (error: unknown) =>
  error instanceof GridsealError && error.code === "GRANT_CLOSED" && pattern.test(error.message);

test("what f + 1 have signed alike is taken, with both signatures, and who signs something else is named", async () => {
  const complaints: string[] = [];
  const [agreed, ...more] = await open(
    [nodeAt(0, [{ count: 120, sum: 1n }, right[1]!]), nodeAt(1), nodeAt(2)],
    complaints,
  );
  assert.deepEqual(more, []);
  assert.deepEqual(agreed!.sums.slots, right);
  assert.deepEqual(
    agreed!.signed.map((bytes) => toHex(decodeAggregate(bytes).node)),
    [computing[1], computing[2]],
  );
  assert.deepEqual(complaints, [`node ${computing[0]} has signed other sums than 2 others`]);
});

test("no custodian is believed alone, nor two that differ, nor one in another one's name", async () => {
  await assert.rejects(open([nodeAt(0), nodeAt(3)]), isClosed(/1 of the nodes work .*, and 2 must/));
  await assert.rejects(open([nodeAt(0), nodeAt(1, [])]), isClosed(/fewer than 2 custodians/));
  await assert.rejects(open([nodeAt(0), nodeAt(1, right, {}, 0)]), isClosed(/fewer than 2 custodians/));
  await assert.rejects(open([nodeAt(0), nodeAt(1, right, { node: members[0]!.id }, 0)]), isClosed(/fewer than 2/));
  await assert.rejects(
    open([nodeAt(0), nodeAt(1, right, { request: "bb00000000000001-5" })]),
    isClosed(/fewer than 2/),
  );
});

test("a node that lies about its newest block makes nobody wait", async () => {
  const liar = nodeAt(0);
  const ahead = { ...liar, grant: { ...liar.grant, head_s: 2 ** 40 } };
  const [agreed] = await open([ahead, nodeAt(1), nodeAt(2)]);
  assert.equal(agreed!.sums.from_s, DAY * DAY_S);
});

test("a node that never answers holds up no sum that others have come to alike", async () => {
  const { grant, source } = nodeAt(0);
  const asleep = { grant, source: { ...source, sums: () => new Promise<FoundSums>(() => {}) } };
  const complaints: string[] = [];
  const [agreed] = await open([asleep, nodeAt(1), nodeAt(2)], complaints);
  assert.deepEqual([agreed!.sums.slots, complaints], [right, []]);
});

test("a day that f + 1 say is erased is left out, and the days beside it are told; one that says so alone is named", async () => {
  const erased = (index: number): Computing => {
    const { source, grant } = stating(nodeAt(index), { from: DAY - 1 });
    const sums = async (from_s: number, until_s: number): Promise<FoundSums> =>
      from_s < DAY * DAY_S ? { type: "withheld", message: "it is erased" } : source.sums(from_s, until_s);
    return { grant, source: { ...source, sums } };
  };
  const complaints: string[] = [];
  const [agreed, ...more] = await open([erased(0), erased(1), erased(2)], complaints);
  assert.deepEqual([agreed!.sums.from_s, agreed!.sums.slots, more], [DAY * DAY_S, right, []]);
  assert.equal(complaints[0], "http://node-0: it is erased");
  const alone: string[] = [];
  const { source, grant } = nodeAt(0);
  const liar = {
    grant,
    source: { ...source, sums: async (): Promise<FoundSums> => ({ type: "withheld", message: "no" }) },
  };
  const [told] = await open([liar, nodeAt(1), nodeAt(2)], alone);
  assert.deepEqual([told!.sums.slots, alone], [right, ["http://node-0: no"]]);
});

test("slots that fewer than f + 1 come to alike are named, and those of other days are told", async () => {
  const partly = (index: number): Computing => {
    const { source, grant } = stating(nodeAt(index), { from: DAY - 1 });
    const sums = async (from_s: number, until_s: number): Promise<FoundSums> =>
      from_s < DAY * DAY_S ? { type: "refused", message: "it cannot" } : source.sums(from_s, until_s);
    return { grant, source: { ...source, sums } };
  };
  const complaints: string[] = [];
  const [agreed, ...more] = await open([partly(0), partly(1), partly(2)], complaints);
  assert.deepEqual([agreed!.sums.from_s, more], [DAY * DAY_S, []]);
  assert.match(complaints.join(), /fewer than 2 custodians have come to the same sums from \d+ s on: it cannot/);
});

test("a custodian that works for others first is asked again", async () => {
  let asked = 0;
  const { grant, source } = nodeAt(0);
  const sums = async (from_s: number, until_s: number): Promise<FoundSums> => {
    asked += 1;
    return asked === 1 ? { type: "busy", message: "later" } : source.sums(from_s, until_s);
  };
  const complaints: string[] = [];
  const [agreed] = await open([{ grant, source: { ...source, sums } }, nodeAt(1)], complaints);
  assert.deepEqual([agreed!.sums.slots, asked, complaints], [right, 2, []]);
});

/** The node, which says that of the grant. */
function stating({ source, grant }: Computing, said: Partial<Computing["grant"]>): Computing {
  const stated = { ...grant, ...said };
  return { source: { ...source, grant: async () => stated }, grant: stated };
}

test("what a grant is of is what f + 1 nodes state alike, and who states something else is named", async () => {
  for (const [said, told] of [
    [{ unit: 29 }, /unit 29/],
    [{ register: "0100020700ff" }, /register 0100020700ff/],
    [{ group: "south" }, /group south/],
    [{ slot_s: 300, lateness_s: 0 }, /slot_s 300, lateness_s 0/],
    [{ from: 0, until: 100_000 }, /from 0, until 100000/],
  ] as const) {
    const complaints: string[] = [];
    const [agreed, ...more] = await open([stating(nodeAt(0), said), nodeAt(1), nodeAt(2)], complaints);
    assert.deepEqual([agreed!.sums.slots, more], [right, []]);
    const { group, register, unit } = agreed!.grant;
    assert.deepEqual([group, register, unit], ["north", "0100010700ff", 27]);
    assert.equal(complaints.length, 1);
    assert.match(complaints[0]!, /^http:\/\/node-0 states another grant than 2 others: /);
    assert.match(complaints[0]!, told);
  }
});

test("where no f + 1 nodes state the same, in what they differ is told", async () => {
  await assert.rejects(
    open([stating(nodeAt(0), { unit: 29, slot_s: 300 }), nodeAt(1)]),
    isClosed(/fewer than 2 custodians state the same grant bb00000000000001-4: they differ in unit, slot_s/),
  );
  // At two addresses it is one custodian.
  await assert.rejects(open([nodeAt(0), nodeAt(0)]), isClosed(/1 of the nodes work .*, and 2 must/));
});

test("a node that says it is another one takes nobody's place, wherever it is named", async () => {
  const impostor = stating(nodeAt(0), { custodian: computing[1]! });
  for (const nodes of [
    [impostor, nodeAt(1), nodeAt(2)],
    [nodeAt(1), impostor, nodeAt(2)],
    [nodeAt(1), nodeAt(2), impostor],
  ]) {
    const [agreed] = await open(await computingAt(nodes.map(({ source }) => source)));
    assert.deepEqual(
      agreed!.signed.map((bytes) => toHex(decodeAggregate(bytes).node)).sort(),
      [...computing.slice(1)].sort(),
    );
  }
});

test("one custodian's sums count once, at however many addresses", async () => {
  const complaints: string[] = [];
  await assert.rejects(open([nodeAt(0), nodeAt(0), nodeAt(1, [])]), isClosed(/fewer than 2 custodians/));
  const [agreed] = await open([nodeAt(0), nodeAt(0), nodeAt(1)], complaints);
  assert.deepEqual([agreed!.signed.length, complaints], [2, []]);
});

test("ranges are of one day each, up to where all records have come", () => {
  const grant = { from: DAY, until: DAY + 2, slot_s: 900 };
  const begin = DAY * DAY_S;
  assert.deepEqual(
    [...rangesOf(grant, begin + DAY_S + 1_800)],
    [
      [begin, begin + DAY_S],
      [begin + DAY_S, begin + DAY_S + 1_800],
    ],
  );
  assert.deepEqual([...rangesOf(grant, begin)], []);
  const fine = [...rangesOf({ ...grant, slot_s: 20 }, 2 * begin)];
  assert.deepEqual([fine.length, fine[0]], [6, [begin, begin + 28_800]]);
});

test("a slot is told with its sum and mean in the unit, and what is withheld with neither", () => {
  const views = slotViews(
    {
      from_s: 1_800,
      slot_s: 900,
      slots: [
        { count: 2, sum: -4_321n },
        { count: 1, sum: null },
      ],
    },
    { group: "north", register: "0100010700ff", unit: 27 },
  );
  assert.deepEqual(
    views.map(({ time, count, sum, mean }) => [time, count, sum, mean]),
    [
      ["1970-01-01T00:30:00.000Z", 2, "-4.321", "-2.160"],
      ["1970-01-01T00:45:00.000Z", 1, null, null],
    ],
  );
  const [heads, first, second] = sumsText(views, "csv").split(/\r?\n/);
  assert.equal(heads, "group,time,seconds,obis,unit,count,sum,mean");
  assert.match(first!, /^north,1970-01-01T00:30:00.000Z,900,1-0:1\.7\.0\S*,27,2,-4\.321,-2\.160$/);
  assert.match(second!, /,1,,$/);
  assert.equal(sumsText(views, "json").trim().split("\n").length, 2);
});
