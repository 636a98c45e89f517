// Orders of the authority: written, read, refused.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Assignment, compareRows } from "../../src/wire/assignment-order.js";
import { compareBytes } from "../../src/wire/bytes.js";
import { type CborValue, encodeCbor } from "../../src/wire/cbor.js";
import {
  type InstallAction,
  type ParameterValue,
  signTried,
  sourceHash,
  withSource,
} from "../../src/wire/contract-order.js";
import { sign1 } from "../../src/wire/cose.js";
import { memberToArray } from "../../src/wire/genesis.js";
import { keyToMap } from "../../src/wire/key.js";
import {
  type Action,
  issueOrder,
  ORDER_BYTES_MAX,
  type Order,
  readOrder,
  readyBytes,
  verifyOrder,
} from "../../src/wire/order.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import { fixedBytes, heights, services, times_s, upTo } from "./arbitraries.js";
import { independentCbor } from "./independent-cbor.js";
import { sha256, startTime_s, testNetwork } from "./network.js";

const network = testNetwork("alpha", 6);
const { genesis, authority, nodes } = network;
const members = nodes.map(({ id, key, name }) => ({ id, key, name }));
const someMembers = fc.shuffledSubarray(members, { minLength: 1 });

const contractNames = fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/);
const parameterValues: fc.Arbitrary<ParameterValue> = fc.oneof(
  fc.boolean(),
  fc.maxSafeInteger(),
  fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n)),
  fc.string({ maxLength: 40 }),
);

const actions: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ chain: services, effectiveHeight: heights, members: someMembers, willing: fc.nat(3) }).map(
    ({ chain, effectiveHeight, members: set, willing }): Action => ({
      type: "members",
      chain,
      effectiveHeight,
      members: set,
      ready: set.slice(0, willing).map(({ id }) => readyOf(chain, id)),
      verifiers: 1 + (willing % set.length),
    }),
  ),
  fc
    .record({ service: services, name: fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/), members: someMembers })
    .map((chain): Action => ({ type: "chain", ...chain, target: 0, verifiers: 1 })),
  fc
    .uniqueArray(fixedBytes(8), { minLength: 1, maxLength: 20, selector: String })
    .map((meters): Action => ({ type: "revoke", meters: [...meters].sort(compareBytes) })),
  fc
    .record({ entry: upTo(2 ** 48 - 1, 1), hash: fixedBytes(32) })
    .map((head): Action => ({ type: "register", ...head })),
  fc
    .uniqueArray(fixedBytes(8), { minLength: 1, maxLength: 128, selector: String })
    .map((banned): Action => ({ type: "ban", nodes: [...banned].sort(compareBytes) })),
  fc
    .uniqueArray(fixedBytes(8), { minLength: 1, maxLength: 20, selector: String })
    .chain((meters) =>
      fc
        .constantFrom("suspend" as const, "resume" as const)
        .map((type): Action => ({ type, meters: [...meters].sort(compareBytes) })),
    ),
  fc
    .record({
      meter: fixedBytes(8),
      ends: fc.uniqueArray(fc.tuple(services, upTo(2 ** 32 - 2)), { maxLength: 5, selector: ([service]) => service }),
      successor: fc.option(fixedBytes(8), { nil: undefined }),
    })
    .filter(({ meter, successor }) => successor === undefined || compareBytes(meter, successor) !== 0)
    .map(({ ends, ...rest }): Action => ({ type: "end", ends: ends.sort(([left], [right]) => left - right), ...rest })),
  fc
    .record({
      service: services,
      name: contractNames,
      version: upTo(2 ** 32 - 1, 1),
      source: fixedBytes(32),
      engine: fixedBytes(32),
      prelude: fixedBytes(32),
      budget: upTo(1_000, 1),
      pages: upTo(1_024, 16),
      output: upTo(262_144),
      types: fc.uniqueArray(upTo(65_535, 1), { maxLength: 64 }),
      messages: fc.uniqueArray(fc.record({ service: upTo(65_535), name: contractNames }, { noNullPrototype: true }), {
        maxLength: 64,
        selector: ({ service, name }) => `${service}/${name}`,
      }),
      slots: fc.option(
        upTo(86_400, 1).chain((slot_s) =>
          fc.record(
            { slot_s: fc.constant(slot_s), lateness_s: upTo(96 * slot_s), gapMax_s: upTo(31 * 86_400) },
            { noNullPrototype: true },
          ),
        ),
        { nil: undefined },
      ),
      vectors: fixedBytes(32),
      ready: fc.subarray([...nodes]),
      fromHeight: heights,
    })
    .map(({ types, messages, slots, ready: tried, ...rest }): Action => {
      const ordered = messages.sort((one, two) => one.service - two.service || (one.name < two.name ? -1 : 1));
      const asked = slots === undefined ? {} : { slots };
      const sorted = types.sort((one, two) => one - two);
      const untried = { type: "install", types: sorted, messages: ordered, ...asked, ...rest } as const;
      const signers = tried.map(({ signer }) => signer);
      return { ...untried, ready: signTried(genesis.hash, untried, signers) };
    }),
  fc
    .record({
      service: services,
      contract: contractNames,
      jurisdiction: fc.constantFrom(undefined, "DE", "AT-9", "FR-IDF"),
      parameters: fc
        .uniqueArray(fc.tuple(fc.string({ minLength: 1, maxLength: 20 }), parameterValues), {
          maxLength: 64,
          selector: ([name]) => name,
        })
        .map((pairs) => new Map(pairs)),
      fromHeight: heights,
    })
    .map((set): Action => ({ type: "parameters", ...set })),
  fc
    .record({ service: services, name: contractNames, fromHeight: heights })
    .map((gone): Action => ({ type: "retire", ...gone })),
  fc.integer({ min: 1, max: 2 ** 32 - 1 }).map((order): Action => ({ type: "withdraw", order })),
  fc
    .uniqueArray(
      fc.record(
        {
          point: fc.stringMatching(/^[!-~]{1,64}$/),
          meter: fixedBytes(8),
          from_s: times_s,
          until_s: fc.option(times_s, { nil: undefined }),
          sign: fc.constantFrom(1 as const, -1 as const),
          capacity: fc.option(fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }), { nil: undefined }),
        },
        { noNullPrototype: true },
      ),
      { minLength: 1, maxLength: 30, comparator: (one, other) => compareRows(one, other) === 0 },
    )
    .map((rows): Action => {
      const lasting = rows.map((row) => (row.until_s === undefined || row.until_s >= row.from_s ? row : noEnd(row)));
      return { type: "assign", assignments: lasting.sort(compareRows) };
    }),
);
function noEnd(row: Assignment): Assignment {
  return { ...row, until_s: undefined };
}

const orders: fc.Arbitrary<Order> = fc.record(
  { number: upTo(2 ** 32 - 1, 1), time_s: times_s, action: actions },
  { noNullPrototype: true },
);

function readyOf(chain: number, id: Uint8Array) {
  const node = nodes.find((candidate) => compareBytes(candidate.id, id) === 0)!;
  return { node: id, signature: node.signer.sign(readyBytes(genesis.hash, chain, id)) };
}

test("reads and verifies every order that it issues", () => {
  fc.assert(
    fc.property(orders, (order) => {
      const bytes = issueOrder(order, genesis, authority);
      assert.deepEqual(readOrder(bytes, genesis), order);
      assert.deepEqual(verifyOrder(bytes, genesis, nodeVerify), order);
    }),
  );
});

test("refuses an end out of order, twice for a service, beyond its bounds, or by which a meter succeeds itself", () => {
  const [meter, other] = [new Uint8Array(8).fill(1), new Uint8Array(8).fill(2)];
  const end = (ends: readonly (readonly [number, number])[], successor?: Uint8Array) =>
    issueOrder({ number: 1, time_s: 1, action: { type: "end", meter, ends, successor } }, genesis, authority);
  end([], other);
  end([
    [1, 0],
    [2, 2 ** 32 - 2],
  ]);
  for (const [ends, successor, message] of [
    [
      [
        [2, 0],
        [1, 0],
      ],
      undefined,
      /ascending/,
    ],
    [
      [
        [1, 0],
        [1, 1],
      ],
      undefined,
      /ascending/,
    ],
    [[[0, 0]], undefined, /service/],
    [[[1, 2 ** 32 - 1]], undefined, /number/],
    [[], meter, /own successor/],
    [[], new Uint8Array(7), /successor/],
  ] as const) {
    assert.throws(() => end(ends, successor), message);
  }
});

test("refuses an order with any byte changed", () => {
  fc.assert(
    fc.property(orders, fc.nat(), fc.integer({ min: 1, max: 255 }), (order, place, change) => {
      const bytes = issueOrder(order, genesis, authority);
      bytes[place % bytes.length]! ^= change;
      assert.throws(() => verifyOrder(bytes, genesis, nodeVerify));
    }),
  );
});

test("never throws anything but a WireError for bytes that are no order", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.throws(() => readOrder(bytes, genesis), { name: "WireError" });
      assert.throws(() => readOrder(Uint8Array.of(0xd2, ...bytes), genesis), { name: "WireError" });
    }),
  );
});

test("refuses an order of another network, another authority, or whose READY another node has signed", () => {
  const revoke: Order = { number: 1, time_s: startTime_s, action: { type: "revoke", meters: [nodes[0]!.id] } };
  const elsewhere = testNetwork("beta");
  const foreign = issueOrder(revoke, elsewhere.genesis, authority);
  assert.throws(() => verifyOrder(foreign, genesis, nodeVerify), /another network/);
  const usurped = issueOrder(revoke, genesis, elsewhere.authority);
  assert.throws(() => verifyOrder(usurped, genesis, nodeVerify), /not signed by the authority/);

  const action = { type: "members", chain: 1, effectiveHeight: 9, members, verifiers: 2 } as const;
  for (const ready of [readyOf(3, members[0]!.id), { ...readyOf(1, members[1]!.id), node: members[0]!.id }]) {
    const order = issueOrder(
      { number: 1, time_s: startTime_s, action: { ...action, ready: [ready] } },
      genesis,
      authority,
    );
    assert.throws(() => verifyOrder(order, genesis, nodeVerify), /READY of node-0 is not signed by it/);
  }
});

test("refuses orders of a wrong shape, signed as they are", () => {
  const set = members.slice(0, 2).map(memberToArray);
  const [id] = set[0] as readonly CborValue[];
  const ready = [id!, new Uint8Array(64)];
  const signed = (entries: readonly (readonly [number, CborValue])[]) => sign1(encodeCbor(new Map(entries)), authority);
  const payload = (action: CborValue, number: CborValue = 1, version = 1, hash = genesis.hash) =>
    signed([
      [1, version],
      [2, hash],
      [3, number],
      [4, startTime_s],
      [5, action],
    ]);
  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ["another version", payload([3, [id!]], 1, 2), /version 2/],
    ["number 0", payload([3, [id!]], 0), /number/],
    [
      "an entry too many",
      signed([
        [1, 1],
        [6, 0],
      ]),
      /order/,
    ],
    ["an unknown action", payload([200]), /action type 200/],
    ["a ban of nobody", payload([4, []]), /1 to 128 nodes, not 0/],
    ["no action", payload([]), /action type/],
    ["no members", payload([1, 1, 9, [], [], 1]), /1 to 128 members/],
    ["a member twice", payload([1, 1, 9, [set[0]!, set[0]!], [], 1]), /twice/],
    ["chain 0", payload([1, 0, 9, set, [], 1]), /chain/],
    ["effective height 0", payload([1, 1, 0, set, [], 1]), /effective height/],
    ["READY of no member", payload([1, 1, 9, set.slice(1), [ready], 1]), /READY/],
    ["READY twice", payload([1, 1, 9, set, [ready, ready], 1]), /READY/],
    ["READY too short", payload([1, 1, 9, set, [[id!, new Uint8Array(63)]], 1]), /READY signature/],
    ["an id that is not its key's", payload([1, 1, 9, [[new Uint8Array(8), ...(set[0] as []).slice(1)]], [], 1]), /id/],
    ["a chain's bad name", payload([2, 7, "Water", set, 0, 1]), /name/],
    ["a chain's bad target", payload([2, 7, "water", set, 1, 1]), /difficulty/],
    ["nobody who verifies", payload([1, 1, 9, set, [], 0]), /verifiers/],
    ["more who verify than members", payload([1, 1, 9, set, [], 3]), /verifiers|verify/],
    ["a chain that more are to verify than there are", payload([2, 7, "water", set, 0, 3]), /verifiers|verify/],
    ["no meter", payload([3, []]), /1 to 1000 meters/],
    ["meters out of order", payload([3, [Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0), new Uint8Array(8)]]), /ascending/],
    ["a meter twice", payload([3, [id!, id!]]), /ascending/],
    ["too large", new Uint8Array(ORDER_BYTES_MAX + 2).fill(0xd2), /larger|COSE/],
  ];
  for (const [name, bytes, message] of cases) assert.throws(() => readOrder(bytes, genesis), message, name);
});

test("refuses orders about contracts of a wrong shape", () => {
  const hash = new Uint8Array(32);
  const install: readonly CborValue[] = [
    9,
    1,
    "limits",
    1,
    hash,
    hash,
    hash,
    1_000,
    256,
    65_536,
    [1],
    [],
    null,
    hash,
    [],
    40,
  ];
  const at = (index: number, value: CborValue) => install.map((item, place) => (place === index ? value : item));
  const parameters = (values: CborValue, place: CborValue = "DE") => [10, 1, "limits", place, values, 40];
  const assignment: readonly CborValue[] = ["P", new Uint8Array(8), 5, null, 1, null];
  /** An assignment with other items, and one like it behind where none is other. */
  const assigned = (other?: Readonly<Record<number, CborValue>>) => [
    12,
    other === undefined ? [assignment, assignment] : [assignment.map((item, place) => other[place] ?? item)],
  ];
  const many = new Map(Array.from({ length: 65 }, (_, index) => [`p${index}`, 1]));
  const cases: readonly (readonly [CborValue, RegExp])[] = [
    [install.slice(1), /action type 1|members/],
    [[...install, 0], /16 items/],
    [at(1, 0), /order chain/],
    [at(2, "Limits"), /contract/],
    [at(3, 0), /version must be an integer from 1/],
    [at(4, new Uint8Array(31)), /source hash/],
    [at(7, 0), /budget must be an integer from 1/],
    [at(7, 2_001), /budget/],
    [at(8, 15), /pages must be an integer from 16/],
    [at(8, 1_025), /pages/],
    [at(9, 262_145), /output/],
    [at(12, []), /order slots must be an array of 3/],
    [at(12, [0, 0, 0]), /at least 1 s/],
    [at(12, [86_401, 0, 0]), /slot length/],
    [at(12, [900, 96 * 900 + 1, 0]), /lateness/],
    [at(12, [900, 0, 2_678_401]), /longest gap/],
    [[12, []], /1 to 1000 times, not 0/],
    [assigned(), /ascending/],
    [assigned({ 0: "a b" }), /visible ASCII/],
    [assigned({ 0: "x".repeat(65) }), /1 to 64 characters/],
    [assigned({ 1: new Uint8Array(7) }), /meter/],
    [assigned({ 3: 4 }), /ends before it begins/],
    [assigned({ 4: 0 }), /1 or -1/],
    [assigned({ 5: 0 }), /capacity must be above 0/],
    [
      at(
        10,
        Array.from({ length: 65 }, (_, index) => index + 1),
      ),
      /at most 64 types, not 65/,
    ],
    [at(10, [2, 1]), /ascending/],
    [at(10, [1, 1]), /ascending/],
    [at(10, [65_536]), /order type/],
    [at(10, [0]), /order type/],
    [at(11, null), /order messages/],
    [at(11, [[2]]), /order messages/],
    [at(11, [[65_536, "a"]]), /order messages' chain/],
    [at(11, [[2, "Late"]]), /name of an order's messages/],
    [
      at(11, [
        [2, "b"],
        [2, "a"],
      ]),
      /ascending/,
    ],
    [
      at(11, [
        [2, "a"],
        [2, "a"],
      ]),
      /ascending/,
    ],
    [at(13, null), /vectors/],
    [at(14, null), /order READY/],
    [at(14, [[new Map(), new Uint8Array(64)]]), /COSE_Key/],
    [at(14, [[keyToMap(nodes[0]!.key), new Uint8Array(63)]]), /READY signature/],
    [at(15, 0), /order height/],
    [parameters([]), /order parameters/],
    [parameters(new Map([[1, 1]])), /name of an order's parameter/],
    [parameters(new Map([["", 1]])), /name of an order's parameter/],
    [parameters(new Map([["a", null]])), /order's parameter/],
    [parameters(new Map([["a", [1]]])), /order's parameter/],
    [parameters(new Map([["a", "x".repeat(257)]])), /at most 256 characters/],
    [parameters(many), /at most 64 parameters/],
    [parameters(new Map(), "de"), /ISO 3166/],
    [[11, 1, "limits"], /4 items/],
    [[11, 1, "limits", 0], /order height/],
  ];
  for (const [action, message] of cases) {
    const entries: readonly (readonly [number, CborValue])[] = [
      [1, 1],
      [2, genesis.hash],
      [3, 1],
      [4, startTime_s],
      [5, action],
    ];
    const bytes = sign1(encodeCbor(new Map(entries)), authority);
    assert.throws(() => readOrder(bytes, genesis), message);
  }
});

test("an order travels with the source that it names, and with no other", () => {
  const source = "export const reads = [], writes = []; // ä";
  const hash = new Uint8Array(32);
  const limits = { budget: 1, pages: 16, output: 0, types: [1], messages: [], vectors: hash, ready: [], fromHeight: 1 };
  const named = { type: "install", service: 1, name: "a", version: 1, source: sourceHash(source) } as const;
  const action: Action = { ...named, engine: hash, prelude: hash, ...limits };
  const order = issueOrder({ number: 1, time_s: 1, action }, genesis, authority);
  assert.deepEqual(verifyOrder(withSource(order, source), genesis, nodeVerify), { ...readOrder(order), source });
  assert.throws(() => readOrder(withSource(order, `${source} `), genesis), /source that it does not name/);
  const revoke = issueOrder(
    { number: 1, time_s: 1, action: { type: "revoke", meters: [nodes[0]!.id] } },
    genesis,
    authority,
  );
  assert.throws(() => readOrder(withSource(revoke, source), genesis), /source that it does not name/);
  const usurped = Uint8Array.from(order);
  usurped[usurped.length - 1]! ^= 1;
  assert.throws(() => verifyOrder(withSource(usurped, source), genesis, nodeVerify), /not signed by the authority/);
  const long = "x".repeat(65_536);
  const longest = { ...action, source: sourceHash(long) };
  const fitting = issueOrder({ number: 1, time_s: 1, action: longest }, genesis, authority);
  assert.equal(readOrder(withSource(fitting, long)).source, long);
  const beyond = "ä".repeat(40_000);
  const tooLong = issueOrder(
    { number: 1, time_s: 1, action: { ...action, source: sourceHash(beyond) } },
    genesis,
    authority,
  );
  assert.throws(() => readOrder(withSource(tooLong, beyond)), /80000 bytes|larger/);
});

test("the bytes of READY are those of the protocol", () => {
  const { id } = nodes[0]!;
  assert.deepEqual(Buffer.from(readyBytes(genesis.hash, 7, id)), independentCbor(["gs1/ready", genesis.hash, 7, id]));
  assert.notDeepEqual(readyBytes(sha256(genesis.hash), 7, id), readyBytes(genesis.hash, 7, id));
});

test("READY for a contract is its node's, over what was tried, and of each node once", () => {
  const hash = new Uint8Array(32);
  const limits = { budget: 1, pages: 16, output: 0, types: [1], messages: [], vectors: hash, fromHeight: 1 };
  const untried = {
    ...({ type: "install", service: 1, name: "a", version: 1, source: hash, engine: hash, prelude: hash } as const),
    ...limits,
  };
  const ready = signTried(
    genesis.hash,
    untried,
    nodes.map(({ signer }) => signer),
  );
  const issued = (action: Action) => issueOrder({ number: 1, time_s: 1, action }, genesis, authority);
  assert.equal(ready.length, nodes.length);
  assert.equal(verifyOrder(issued({ ...untried, ready }), genesis, nodeVerify).action.type, "install");
  const other = sha256(hash);
  const changes: Partial<InstallAction>[] = [
    ...[{ service: 2 }, { name: "b" }, { version: 2 }, { source: other }, { engine: other }, { prelude: other }],
    ...[{ budget: 2 }, { pages: 17 }, { output: 1 }, { types: [1, 2] }, { messages: [{ service: 0, name: "told" }] }],
    ...[{ slots: { slot_s: 900, lateness_s: 0, gapMax_s: 0 } }, { vectors: other }, { fromHeight: 2 }],
  ];
  for (const change of changes) {
    const changed = issued({ ...untried, ...change, ready });
    assert.throws(
      () => verifyOrder(changed, genesis, nodeVerify),
      /READY of node .* is not signed by it/,
      Object.keys(change).join(),
    );
  }
  assert.throws(() => issued({ ...untried, ready: [...ready].reverse() }), /READY is not in ascending order/);
  assert.throws(() => issued({ ...untried, ready: [ready[0]!, ready[0]!] }), /READY is not in ascending order/);
});
