// The stranger on chains whose members change and on one that an order added: it comes to what the audit comes to, and both refuse
// whatever was not ordered.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeBlock } from "../../src/wire/block.js";
import { toHex } from "../../src/wire/bytes.js";
import { type CborValue, encodeCbor } from "../../src/wire/cbor.js";
import { sign1 } from "../../src/wire/cose.js";
import { memberToArray } from "../../src/wire/genesis.js";
import type { Action } from "../../src/wire/order.js";
import { auditNetwork } from "../../tools/audit/network.js";
import {
  added,
  broken,
  type ChainName,
  CONTRACTS,
  type Edits,
  exported,
  HEAT,
  type History,
  history,
  lastOrders,
  members,
  meter,
  network,
  nodes,
  order,
  pick,
  ready,
  services,
  TRADING,
} from "./governed-network.js";
import { signerNamed, startTime_s } from "./network.js";
import { type StrangerChainReport, verifyExport } from "./stranger.js";
import { contradictedAnchors } from "./stranger-anchors.js";

const { genesis, genesisBytes } = network;
const names: readonly ChainName[] = ["contracts", "trading", "heat"];
const good = history();
const oldSet = pick(0, 1, 2, 3);
const newSet = pick(0, 1, 2, 5);
const last = pick(1, 2, 5);

/** What the stranger makes of the chains, contracts first, and the first one that it refuses. */
function strangerReads(chains: History) {
  const reports = new Map<number, StrangerChainReport>();
  for (const name of names) {
    const orders = reports.get(CONTRACTS)?.orders;
    try {
      reports.set(services[name], verifyExport(genesisBytes, exported(chains[name]), orders));
    } catch (error) {
      return { reports, refused: services[name], why: (error as Error).message };
    }
  }
  return { reports, refused: undefined, why: undefined };
}

/** What the product's audit makes of them. */
function productReads(chains: History) {
  const open = (service: number) => {
    const name = names.find((known) => services[known] === service)!;
    return async function* () {
      yield* chains[name].map(encodeBlock);
    };
  };
  return auditNetwork(genesis, { open, runContracts: undefined }, undefined);
}

test("the stranger and the audit come to the same of all chains, an added one included", async () => {
  const { reports, why } = strangerReads(good);
  assert.equal(why, undefined);
  const audited = await productReads(good);
  assert.equal(audited.length, names.length);
  for (const { service, height, header, records, orders, firstProblem } of audited) {
    const report: StrangerChainReport = reports.get(service)!;
    assert.deepEqual(
      [firstProblem, height, header, records],
      [undefined, report.height, report.header, report.records.length],
    );
    assert.equal(orders, service === CONTRACTS ? report.orders.last : 0);
  }
  const idsOf = (...positions: readonly number[]) => pick(...positions).map(({ id }) => toHex(id));
  const [before, between, after] = [idsOf(0, 1, 2, 3), idsOf(0, 1, 2, 5), idsOf(1, 2, 5)];
  assert.deepEqual(reports.get(TRADING)?.members, [before, before, between, between, after, after]);
  assert.deepEqual(reports.get(HEAT)?.members[0], idsOf(5, 0, 1, 4));
  assert.deepEqual(reports.get(HEAT)?.members[3], idsOf(5, 2, 1, 4));
});

test("the stranger and the audit name the same who answers for an anchor that contradicts its chain", async () => {
  const anchors = [{ chain: CONTRACTS, height: 1, headerHash: new Uint8Array(32).fill(0xee) }];
  const lied = history({ trading: { 2: { anchors } } });
  const { reports, why } = strangerReads(lied);
  assert.equal(why, undefined, "each chain is good by itself");
  const [found, ...others] = contradictedAnchors([...reports.values()]);
  assert.deepEqual(others, []);
  const report = (await productReads(lied)).find(({ service }) => service === TRADING)!;
  assert.equal(report.firstProblem, undefined);
  const [same] = report.anchors.contradictions;
  const { by, chain, hash, ...stranger } = found!;
  assert.deepEqual([by, chain, hash], [TRADING, CONTRACTS, "ee".repeat(32)]);
  const { service, named, sealed, ...product } = same!;
  assert.deepEqual([service, named, sealed], [CONTRACTS, hash, reports.get(CONTRACTS)!.headers[0]]);
  assert.deepEqual(product, stranger);
});

test("the stranger proves neither an added chain nor a change without the contracts chain", () => {
  assert.throws(() => verifyExport(genesisBytes, exported(good.heat)), /chain 7/);
  assert.throws(() => verifyExport(genesisBytes, exported(good.trading)), /holds no known order/);
  const { orders } = verifyExport(genesisBytes, exported(good.contracts.slice(0, 2)));
  assert.throws(() => verifyExport(genesisBytes, exported(good.trading), orders), /holds no known order/);
  assert.equal(verifyExport(genesisBytes, exported(good.heat.slice(0, 1)), orders).height, 1);
});

test("members go on until their chain names the order that replaces them, if that is after its effective height", async () => {
  const late = history({
    trading: { 2: { judgedAt: 0, nextMembers: oldSet }, 3: { members: oldSet, judgedAt: 1, nextMembers: newSet } },
  });
  const { reports, why } = strangerReads(late);
  assert.deepEqual([why, reports.get(TRADING)?.height], [undefined, 5]);
  assert.ok((await productReads(late)).every(({ firstProblem }) => firstProblem === undefined));
});

test("an order that is taken back counts no more, for the stranger and the audit alike, and only the last one of a chain can be", async () => {
  const taken = (number: number): Edits => ({
    contracts: { 3: { orders: [...lastOrders, order(5, { type: "withdraw", order: number })] } },
  });
  const stay: Edits = { ...taken(3), trading: { 5: { members: newSet } } };
  const { reports, why } = strangerReads(history(stay));
  assert.equal(why, undefined);
  assert.deepEqual(
    reports.get(TRADING)?.members.at(-1),
    newSet.map(({ id }) => toHex(id)),
  );
  assert.ok((await productReads(history(stay))).every(({ firstProblem }) => firstProblem === undefined));
  // Sealed by those whom the order taken back has named; and with orders that cannot be taken back.
  for (const [edits, refused] of [
    [taken(3), TRADING],
    [taken(1), CONTRACTS],
    [taken(2), CONTRACTS],
    [taken(5), CONTRACTS],
  ] as const) {
    assert.equal(strangerReads(history(edits)).refused, refused, JSON.stringify(refused));
    const bad = (await productReads(history(edits))).filter(({ firstProblem }) => firstProblem !== undefined);
    assert.ok(
      bad.some(({ service }) => service === refused),
      JSON.stringify(bad.map(({ service }) => service)),
    );
  }
});

/** An order whose action is written as it stands. */
function rawOrder(number: number, action: CborValue): Uint8Array {
  const payload = new Map<number, CborValue>([
    [1, 1],
    [2, genesis.hash],
    [3, number],
    [4, startTime_s],
    [5, action],
  ]);
  return sign1(encodeCbor(payload), network.authority);
}

const joiner = nodes[5]!;
const arraysOf = (...positions: readonly number[]) => pick(...positions).map(memberToArray);
const firstOrder = (bytes: Uint8Array): Edits => ({ contracts: { 1: { orders: [bytes] } } });
const secondOrder = (bytes: Uint8Array): Edits => ({ contracts: { 2: { orders: [bytes] } } });
const admission = members(TRADING, 3, newSet, [ready(joiner, TRADING)]);

const endFrom = (seq: number) =>
  ({ type: "end", meter: meter.kid, ends: [[TRADING, seq]], successor: undefined }) as const;
/** The orders of block 3 of contracts and these behind them: blocks 4 and 5 of trading, with records 3 and 4, are judged by them. */
const behind = (...actions: readonly Action[]): Edits => ({
  contracts: { 3: { orders: [...lastOrders, ...actions.map((action, index) => order(5 + index, action))] } },
});
const meters = [meter.kid];

test("the stranger and the audit take what a meter signed before its end, and what it signs when it is resumed", async () => {
  for (const edits of [behind(endFrom(5)), behind({ type: "suspend", meters }, { type: "resume", meters })]) {
    const { heat: _heat, ...chains } = history(edits);
    const { why } = strangerReads({ ...chains, heat: good.heat.slice(0, 1) });
    assert.equal(why, undefined);
    const audited = await productReads({ ...chains, heat: good.heat.slice(0, 1) });
    assert.ok(audited.every(({ firstProblem }) => firstProblem === undefined));
  }
});

const recordsThatFallOut: readonly (readonly [string, Edits, RegExp])[] = [
  ["of a revoked meter", behind({ type: "revoke", meters }), /revoked, suspended or ended/],
  ["of a suspended meter", behind({ type: "suspend", meters }), /revoked, suspended or ended/],
  ["behind its meter's end", behind(endFrom(3)), /revoked, suspended or ended/],
  ["of a service that its meter's end does not name", behind({ ...endFrom(9), ends: [[9, 9]] }), /suspended or ended/],
];

const ordersThatDoNotApply: readonly (readonly [string, Edits, RegExp])[] = [
  ["a broken signature", firstOrder(broken(order(1, admission))), /not signed by the authority/],
  ["another authority", firstOrder(order(1, admission, signerNamed("other"))), /not signed by the authority/],
  ["another network", firstOrder(order(1, admission, network.authority, new Uint8Array(32))), /network of an order/],
  ["another number", firstOrder(order(2, admission)), /does not follow/],
  ["no READY", firstOrder(order(1, members(TRADING, 3, newSet))), /not ready/],
  [
    "READY by another node",
    firstOrder(order(1, members(TRADING, 3, newSet, [ready(joiner, TRADING, nodes[1]!.signer)]))),
    /READY is not signed/,
  ],
  [
    "READY for another chain",
    firstOrder(order(1, members(TRADING, 3, newSet, [ready(joiner, HEAT)]))),
    /READY is not signed/,
  ],
  [
    "a member's broken READY beside",
    firstOrder(order(1, members(TRADING, 3, newSet, [ready(joiner, TRADING), ready(nodes[0]!, HEAT)]))),
    /READY is not signed/,
  ],
  [
    "READY of no member",
    firstOrder(rawOrder(1, [1, TRADING, 3, arraysOf(0, 1, 2), [[joiner.id, ready(joiner, TRADING).signature]], 2])),
    /of no member/,
  ],
  ["a member twice", firstOrder(rawOrder(1, [1, TRADING, 3, arraysOf(0, 1, 2, 3, 3), [], 2])), /named twice/],
  ["no members", firstOrder(rawOrder(1, [1, TRADING, 3, [], [], 1])), /1 to 128 members/],
  [
    "two admitted",
    firstOrder(
      order(1, members(TRADING, 3, pick(0, 1, 2, 3, 4, 5), [ready(joiner, TRADING), ready(nodes[4]!, TRADING)])),
    ),
    /more than one/,
  ],
  ["two removed", firstOrder(order(1, members(TRADING, 3, pick(0, 1)))), /more than one/],
  ["nothing changed", firstOrder(order(1, members(TRADING, 3, pick(0, 1, 2, 3)))), /changes nothing/],
  [
    "effective from the start",
    firstOrder(order(1, members(TRADING, 1, newSet, [ready(joiner, TRADING)]))),
    /effective height/,
  ],
  ["a chain that there is not", firstOrder(order(1, members(HEAT, 3, newSet, [ready(joiner, HEAT)]))), /for no chain/],
  ["a chain that there is", secondOrder(order(2, added(pick(0, 1), TRADING, "again"))), /that there is/],
  ["a name that there is", secondOrder(order(2, added(pick(0, 1), HEAT, "trading"))), /that there is/],
  ["a member that nobody knows", firstOrder(order(1, added([joiner]))), /no node of the network/],
  ["a name that is none", secondOrder(rawOrder(2, [2, HEAT, "Heat", arraysOf(0, 1), 0, 1])), /no name/],
  ["a target that is none", secondOrder(rawOrder(2, [2, HEAT, "heat", arraysOf(0, 1), 1, 1])), /target is none/],
  ["nobody who is to verify", secondOrder(rawOrder(2, [2, HEAT, "heat", arraysOf(0, 1), 0, 0])), /unsigned integer/],
  [
    "more who are to verify than members",
    firstOrder(rawOrder(1, [1, TRADING, 3, arraysOf(0, 1, 2), [], 4])),
    /above its bound/,
  ],
  ["an action that is none", secondOrder(rawOrder(2, [200, []])), /not known/],
  [
    "meters out of order",
    secondOrder(rawOrder(2, [3, [new Uint8Array(8).fill(2), new Uint8Array(8).fill(1)]])),
    /ascending/,
  ],
  ["a register's head that is no newer", secondOrder(rawOrder(2, [8, 0, new Uint8Array(32)])), /register/],
  ["a suspension of nobody", secondOrder(rawOrder(2, [5, []])), /no id/],
  ["a resumption of who is not suspended", secondOrder(order(2, { type: "resume", meters: [meter.kid] })), /cannot/],
  [
    "an end of services out of order",
    secondOrder(
      rawOrder(2, [
        7,
        meter.kid,
        [
          [3, 0],
          [1, 0],
        ],
        null,
      ]),
    ),
    /ascending/,
  ],
  ["a meter as its own successor", secondOrder(rawOrder(2, [7, meter.kid, [], meter.kid])), /own successor/],
  [
    "an end of who is revoked",
    {
      contracts: {
        1: { orders: [order(1, { type: "revoke", meters: [meter.kid] })] },
        2: { orders: [order(2, endFrom(0))] },
      },
    },
    /is over/,
  ],
  ["a ban of nobody", secondOrder(rawOrder(2, [4, []])), /no id/],
  ["a ban of a member", secondOrder(order(2, { type: "ban", nodes: [joiner.id] })), /bans a member/],
  [
    "a chain of a banned node",
    {
      contracts: {
        1: { orders: [order(1, { type: "ban", nodes: [joiner.id] })] },
        2: { orders: [order(2, admission)] },
      },
    },
    /is banned/,
  ],
];

const blocksThatWereNotOrdered: readonly (readonly [string, Edits, RegExp])[] = [
  ["a block of the new members sealed by the old", { trading: { 3: { signedBy: pick(0, 1, 3) } } }, /not members/],
  ["a block of the new members that names the old", { trading: { 3: { members: oldSet } } }, /next member set/],
  [
    "the old members go on as if there were no order",
    { trading: { 2: { nextMembers: oldSet }, 3: { members: oldSet } } },
    /next member set/,
  ],
  [
    "members other than those that the block before binds",
    { trading: { 2: { nextMembers: newSet }, 3: { members: oldSet } } },
    /member set/,
  ],
  [
    "the new members before their height",
    { trading: { 1: { judgedAt: 1, nextMembers: newSet }, 2: { members: newSet } } },
    /next member set/,
  ],
  ["a removed node's vote in the place of a member's", { trading: { 5: { signedBy: pick(0, 1, 2) } } }, /not members/],
  [
    "a removed node's vote beside too few others",
    { trading: { 5: { signedBy: pick(1, 2), signers: 2 } } },
    /not of a quorum/,
  ],
  ["a removed node's acknowledgement", { trading: { 5: { acknowledgedBy: pick(0, 1, 2, 5) } } }, /in their order/],
  ["a removed node's temporary block", { trading: { 5: { origin: nodes[0]! } } }, /no member/],
  ["a newcomer's vote before its height", { trading: { 2: { signedBy: newSet, signers: 4 } } }, /not members/],
  ["the contracts height falls", { trading: { 4: { judgedAt: 3 }, 5: { judgedAt: 2 } } }, /below/],
  ["a contracts height without an order", { trading: { 4: { judgedAt: 4 } } }, /no known order/],
  ["a contracts block judged at itself", { contracts: { 1: { judgedAt: 1 } } }, /no known order/],
  ["an added chain with another member list", { heat: { 1: { members: oldSet, nextMembers: oldSet } } }, /not members/],
  [
    "an added chain that names another member list",
    { heat: { 1: { members: oldSet, nextMembers: oldSet, signedBy: pick(5, 0, 1), acknowledgedBy: oldSet } } },
    /member set/,
  ],
  ["an added chain with its members in another order", { heat: { 1: { members: pick(0, 1, 4, 5) } } }, /member set/],
  ["an added chain sealed by others", { heat: { 1: { signedBy: pick(0, 1, 2, 3) } } }, /not members/],
  ["an added chain before its order", { heat: { 1: { judgedAt: 1 } } }, /below/],
  ["an added chain with another target", { heat: { 1: { target: 0x2007ffff } } }, /target/],
  ["an added chain's removed member", { heat: { 3: { signedBy: pick(5, 0, 1, 4) } } }, /not members/],
  [
    "an added chain whose change nobody ordered",
    { heat: { 2: { nextMembers: last }, 3: { members: last } } },
    /next member set/,
  ],
  [
    "an anchor of a chain before its order",
    { trading: { 2: { anchors: [{ chain: HEAT, height: 1, headerHash: new Uint8Array(32) }] } } },
    /not known by the contracts height/,
  ],
  [
    "an anchor of height 0",
    { trading: { 2: { anchors: [{ chain: CONTRACTS, height: 0, headerHash: new Uint8Array(32) }] } } },
    /an unsigned integer is missing/,
  ],
];

for (const [what, cases] of [
  ["an order that does not apply", ordersThatDoNotApply],
  ["a record", recordsThatFallOut],
  ["a block that was not ordered", blocksThatWereNotOrdered],
] as const) {
  test(`the stranger and the audit refuse ${what}`, async (t) => {
    for (const [name, edits, reason] of cases) {
      await t.test(name, async () => {
        const chains = history(edits);
        const { refused, why } = strangerReads(chains);
        assert.match(why ?? "", reason);
        const audited = await productReads(chains);
        const report = audited.find(({ service }) => service === refused);
        assert.ok(report?.firstProblem !== undefined, "the audit finds nothing");
      });
    }
  });
}
