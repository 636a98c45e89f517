// What orders make of a network: which sets of members a chain has at which height, what does not apply, and that nothing else matters.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toHex } from "../../src/wire/bytes.js";
import type { Genesis, Member } from "../../src/wire/genesis.js";
import { keyId } from "../../src/wire/key.js";
import type { Action, Order } from "../../src/wire/order.js";
import {
  everMember,
  type Governance,
  govern,
  governedHeight,
  holdsOrder,
  initialGovernance,
  membersAfter,
  standingOf,
} from "../../tools/ledger/governance.js";
import { signerNamed, testNetwork } from "../wire/network.js";

const { genesis } = testNetwork();
const nodes = genesis.nodes;
const newcomers: readonly Member[] = ["kim", "lee", "max"].map((name) => {
  const { key } = signerNamed(name);
  return { id: keyId(key), key, name };
});
const [kim, lee] = newcomers as [Member, Member];
const noSignature = new Uint8Array(64);

const membersAction = (
  chain: number,
  effectiveHeight: number,
  members: readonly Member[],
  ready = newcomers,
  verifiers = 1,
): Action => ({
  type: "members",
  chain,
  effectiveHeight,
  members,
  verifiers,
  ready: ready.filter((node) => members.includes(node)).map(({ id }) => ({ node: id, signature: noSignature })),
});

/** The state after these actions, each in the contracts block of its height. */
function governed(...actions: readonly (readonly [number, Action])[]): Governance {
  let governance = initialGovernance(genesis);
  for (const [contractsHeight, action] of actions) governance = accepted(governance, action, contractsHeight);
  return governance;
}

function accepted(governance: Governance, action: Action, contractsHeight: number): Governance {
  const result = govern(governance, orderOf(governance, action), contractsHeight);
  assert.equal(result.type, "governed", result.type === "refused" ? result.reason : "");
  return result.type === "governed" ? result.governance : governance;
}

function refusal(governance: Governance, action: Action): string {
  const result = govern(governance, orderOf(governance, action), 99);
  return result.type === "refused" ? result.reason : "";
}

const orderOf = ({ lastOrder }: Governance, action: Action): Order => ({ number: lastOrder + 1, time_s: 0, action });
const names = (members: readonly Member[]) => members.map(({ name }) => name);
const namesAfter = (...place: Parameters<typeof membersAfter>) => names(membersAfter(...place).members);
const [a, b, c, d] = nodes as [Member, Member, Member, Member];

test("a chain keeps the members of its genesis until an order is effective and known to it", () => {
  const governance = governed([5, membersAction(1, 40, [a, b, c, kim])]);
  assert.deepEqual(namesAfter(governance, 1, 38, 5), names(nodes));
  assert.deepEqual(namesAfter(governance, 1, 39, 4), names(nodes));
  assert.deepEqual(namesAfter(governance, 1, 39, 5), [...names([a, b, c]), "kim"]);
  assert.deepEqual(namesAfter(governance, 1, 1_000, 6), [...names([a, b, c]), "kim"]);
  assert.deepEqual(namesAfter(governance, 3, 1_000, 6), names([...nodes].reverse()));
  assert.throws(() => membersAfter(governance, 9, 1, 1), RangeError);
});

test("an order that is already effective when the chain learns of it takes effect at the next height", () => {
  const governance = governed([5, membersAction(1, 10, [a, b, c])], [6, membersAction(1, 20, [a, b])]);
  assert.deepEqual(namesAfter(governance, 1, 500, 4), names(nodes));
  assert.deepEqual(namesAfter(governance, 1, 501, 5), names([a, b, c]));
  assert.deepEqual(namesAfter(governance, 1, 502, 6), names([a, b]));
});

test("an order of members that is taken back counts no more from there on, effective or not, and another may come at a lower height", () => {
  const waiting = governed([5, membersAction(1, 900, [a, b, c, kim])]);
  const after = accepted(waiting, { type: "withdraw", order: 1 }, 7);
  assert.deepEqual(namesAfter(after, 1, 1_000, 6), [...names([a, b, c]), "kim"]);
  assert.deepEqual(namesAfter(after, 1, 1_000, 7), names(nodes));
  const anew = accepted(after, membersAction(1, 20, [a, b, c]), 8);
  assert.deepEqual(namesAfter(anew, 1, 1_000, 6), [...names([a, b, c]), "kim"], "what was judged before stays");
  assert.deepEqual(namesAfter(anew, 1, 1_000, 8), names([a, b, c]));
  assert.deepEqual(namesAfter(anew, 1, 18, 8), names(nodes));
});

test("only the last order of a chain's members that stands is taken back, once, and no banned member with it", () => {
  const two = governed([5, membersAction(1, 10, [a, b, c])], [6, membersAction(1, 20, [a, b])]);
  const back = (order: number): Action => ({ type: "withdraw", order });
  assert.match(refusal(two, back(1)), /order 1 is not the last one of a chain's members that stands/);
  assert.match(refusal(two, back(3)), /order 3 is not/);
  const one = accepted(two, back(2), 7);
  assert.match(refusal(one, back(2)), /order 2 is not/);
  assert.deepEqual(namesAfter(accepted(one, back(1), 8), 1, 100, 8), names(nodes));
  const free = genesis.chains
    .filter(({ service }) => service !== 1)
    .reduce((governance, { service, members }, place) => {
      const others = members.filter(({ name }) => name !== c.name);
      return accepted(governance, membersAction(service, 10, others), 7 + place);
    }, two);
  const banned = accepted(free, { type: "ban", nodes: [c.id] }, 20);
  assert.match(refusal(banned, back(2)), new RegExp(`${c.name}, a member before order 2, is banned`));
});

test("several orders may stand in one contracts block, and its height counts once", () => {
  const governance = governed([7, membersAction(1, 10, [a, b, c])], [7, { type: "revoke", meters: [a.id] }]);
  assert.deepEqual([governance.heights, governedHeight(governance), governance.lastOrder], [[7], 7, 2]);
  assert.deepEqual(
    [6, 7, 8].map((height) => holdsOrder(governance, height)),
    [false, true, false],
  );
});

test("refuses orders that do not follow each other", () => {
  const governance = governed([1, membersAction(1, 10, [a, b, c])]);
  for (const number of [0, 1, 3]) {
    const result = govern(governance, { ...orderOf(governance, membersAction(1, 20, nodes)), number }, 2);
    assert.equal(result.type, "refused", `number ${number}`);
  }
});

test("one node comes and one goes at a time, and who comes has said that it is ready", () => {
  const governance = initialGovernance(genesis);
  const cases: readonly (readonly [readonly Member[], RegExp])[] = [
    [[...nodes, kim, lee], /admits 2 nodes/],
    [[a, b], /removes 2 nodes/],
  ];
  const unchanged = membersAction(1, 10, nodes, newcomers, genesis.chains[0]!.verifiers);
  assert.match(refusal(governance, unchanged), /changes nothing/);
  for (const [members, message] of cases) assert.match(refusal(governance, membersAction(1, 10, members)), message);
  assert.match(refusal(governance, membersAction(1, 10, [...nodes, kim], [])), /kim has not said that it is ready/);
  assert.match(refusal(governance, membersAction(9, 10, nodes)), /no chain 9/);
  assert.match(refusal(governance, membersAction(1, 1, [a, b, c])), /effective height 1/);
  const removed = accepted(governance, membersAction(1, 10, [a, b, c]), 1);
  assert.match(refusal(removed, membersAction(1, 10, [a, b])), /not above 10/);
  assert.match(refusal(removed, membersAction(1, 11, nodes)), /has not said that it is ready/);
  for (const members of [
    [b, a, c, d],
    [a, b, c],
    [a, b, c, kim],
    [...nodes, kim],
  ]) {
    accepted(governance, membersAction(1, 10, members), 1);
  }
});

test("another number of members verifies from the order's effective height on, though they stay who they are", () => {
  const governance = governed([5, membersAction(1, 40, nodes, newcomers, 4)]);
  const before = genesis.chains[0]!.verifiers;
  assert.notEqual(before, 4);
  assert.deepEqual(
    [38, 39].map((height) => membersAfter(governance, 1, height, 5).verifiers),
    [before, 4],
  );
});

test("a chain is added among nodes that the network knows", () => {
  const water = (members: readonly Member[], service = 7, name = "water"): Action => ({
    type: "chain",
    service,
    name,
    members,
    target: 0,
    verifiers: 1,
  });
  const governance = governed([3, water([a, b])], [4, membersAction(7, 12, [a, b, kim])], [5, water([kim], 8, "heat")]);
  assert.deepEqual(namesAfter(governance, 7, 0, 3), names([a, b]));
  assert.deepEqual(namesAfter(governance, 7, 11, 4), [...names([a, b]), "kim"]);
  assert.match(refusal(governance, water([a])), /chain 7 already/);
  assert.match(refusal(governance, water([a], 9)), /named water already/);
  assert.match(refusal(governance, water([lee], 9, "gas")), /lee is no node of the network/);
});

test("a meter is revoked once", () => {
  const governance = governed([3, { type: "revoke", meters: [a.id, b.id] }]);
  assert.equal(governance.revoked.get(toHex(a.id)), 3);
  assert.match(refusal(governance, { type: "revoke", meters: [b.id] }), /revoked already/);
});

test("a suspended meter is resumed, each in turn, and stands by the last order up to a contracts height", () => {
  const suspend = (...meters: readonly Member[]): Action => ({ type: "suspend", meters: meters.map(({ id }) => id) });
  const resume = (...meters: readonly Member[]): Action => ({ type: "resume", meters: meters.map(({ id }) => id) });
  assert.match(refusal(governed(), resume(a)), /is not suspended/);
  const governance = governed([3, suspend(a, b)], [5, resume(a)], [9, suspend(a)], [9, resume(a)]);
  assert.match(refusal(governance, suspend(b)), /is suspended already/);
  assert.match(refusal(governance, resume(a)), /is not suspended/);
  const at = (node: Member, height: number) => standingOf(governance, toHex(node.id), 1, 0, height);
  assert.deepEqual(
    [0, 2, 3, 4, 5, 9].map((height) => at(a, height)),
    ["good", "good", "suspended", "suspended", "good", "good"],
  );
  assert.deepEqual([at(b, 2), at(b, 99), at(c, 99)], ["good", "suspended", "good"]);
});

test("a register's head is named by ever newer entries", () => {
  const head = (entry: number): Action => ({ type: "register", entry, hash: new Uint8Array(32).fill(entry) });
  const governance = governed([3, head(4)], [5, head(9)]);
  assert.deepEqual(governance.register, { entry: 9, hash: new Uint8Array(32).fill(9) });
  for (const entry of [0, 4, 9]) assert.match(refusal(governance, head(entry)), /is not above entry 9/);
  assert.match(refusal(governed(), head(0)), /is not above entry 0/);
});

test("by all orders that there are, a meter of which none speaks stands good", () => {
  const governance = governed([3, { type: "suspend", meters: [b.id] }], [4, { type: "revoke", meters: [c.id] }]);
  const now = (node: Member) => standingOf(governance, toHex(node.id), 1, 0, Number.POSITIVE_INFINITY);
  assert.deepEqual([a, b, c].map(now), ["good", "suspended", "revoked"]);
});

test("an ended meter keeps the numbers before its end, and can be revoked, but neither resumed nor ended again", () => {
  const end = (node: Member, ...ends: readonly (readonly [number, number])[]): Action => ({
    ...{ type: "end", meter: node.id, ends, successor: undefined },
  });
  const governance = governed([3, { type: "suspend", meters: [b.id] }], [4, end(a, [1, 7], [3, 0])], [4, end(b)]);
  const at = (service: number, seq: number, height = 4) => standingOf(governance, toHex(a.id), service, seq, height);
  assert.deepEqual([at(1, 6), at(1, 7), at(1, 99, 3), at(3, 0), at(2, 0)], ["good", "ended", "good", "ended", "ended"]);
  assert.equal(standingOf(governance, toHex(b.id), 1, 0, 3), "suspended");
  for (const action of [end(a), end(b), { type: "suspend", meters: [a.id] } as const]) {
    assert.match(refusal(governance, action), /is ended already/);
  }
  assert.match(refusal(governance, { type: "resume", meters: [b.id] }), /is not suspended/);
  const revoked = accepted(governance, { type: "revoke", meters: [a.id] }, 6);
  assert.deepEqual(
    [5, 6].map((height) => standingOf(revoked, toHex(a.id), 1, 0, height)),
    ["good", "revoked"],
  );
  assert.match(refusal(revoked, end(a)), /is revoked already/);
  assert.match(refusal(revoked, { type: "suspend", meters: [a.id] }), /is revoked already/);
});

test("a node that is no member is banned, once, and no order gives it a chain again", () => {
  const ban = (...banned: readonly Member[]): Action => ({ type: "ban", nodes: banned.map(({ id }) => id) });
  assert.match(refusal(governed(), ban(d)), /is a member of chain \d+: remove it first/);
  const governance = governed([4, membersAction(1, 10, [a, b, c])], [6, ban(lee)]);
  assert.equal(governance.banned.get(toHex(lee.id)), 6);
  assert.match(refusal(governance, ban(lee)), /banned already/);
  assert.match(refusal(governance, membersAction(1, 20, [a, b, c, lee])), /lee is banned/);
});

test("whoever was ever given to a chain can be held to what it signed there", () => {
  const governance = governed([5, membersAction(1, 40, [a, b, c, kim])]);
  assert.equal(everMember(governance, 1, d.id, 5)?.name, d.name);
  assert.equal(everMember(governance, 1, kim.id, 5)?.name, "kim");
  assert.equal(everMember(governance, 1, kim.id, 4), undefined);
  assert.equal(everMember(governance, 3, kim.id, 5), undefined);
});

test("whatever orders come, sets are never empty, differ by one node, and do not change behind what was judged", () => {
  const drawn = fc.array(
    fc.record({
      chain: fc.constantFrom(1, 3),
      height: fc.nat(60),
      members: fc.shuffledSubarray([...nodes, ...newcomers]),
    }),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(drawn, (orders) => {
      let governance = initialGovernance(genesis);
      for (const [index, { chain, height, members }] of orders.entries()) {
        const before = governance;
        if (members.length === 0) continue;
        const order = orderOf(governance, membersAction(chain, height, members));
        const result = govern(governance, order, 1 + Math.floor(index / 2));
        if (result.type === "refused") continue;
        governance = result.governance;
        for (const judgedAt of before.heights.slice(0, -1)) {
          for (let at = 0; at < 70; at += 7) {
            assert.deepEqual(membersAfter(governance, chain, at, judgedAt), membersAfter(before, chain, at, judgedAt));
          }
        }
      }
      checkSets(governance, genesis);
    }),
  );
});

function checkSets(governance: Governance, of: Genesis): void {
  for (const { chain, orders } of governance.chains) {
    let before = chain.members;
    for (const [index, { effectiveHeight, members }] of orders.entries()) {
      assert.ok(members.length > 0);
      assert.ok(effectiveHeight > (orders[index - 1]?.effectiveHeight ?? 1));
      assert.ok(members.filter((member) => !before.includes(member)).length <= 1);
      assert.ok(before.filter((member) => !members.includes(member)).length <= 1);
      before = members;
    }
    assert.ok(of.chains.includes(chain));
  }
}
