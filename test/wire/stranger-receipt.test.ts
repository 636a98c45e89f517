// The stranger on lineages and receipts of chains whose members change: it comes to the members that the orders give, and it and the
// product refuse whatever does not lead there.

import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../src/wire/bytes.js";
import { WireError } from "../../src/wire/error.js";
import { memberSets, splitLineage } from "../../src/wire/lineage.js";
import { decodeReceiptFile, verifyReceipt as productVerifyReceipt } from "../../src/wire/receipt.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import {
  added,
  broken,
  type Edits,
  exported,
  foundingOrder,
  HEAT,
  handoverOf,
  history,
  members,
  network,
  nodes,
  order,
  pick,
  ready,
  receiptOf,
  TRADING,
} from "./governed-network.js";
import { signerNamed } from "./network.js";
import { verifyExport } from "./stranger.js";
import { followLineage, sequenceOf, verifyReceipt } from "./stranger-receipt.js";

const { genesis, genesisBytes } = network;
const good = history();
const contracts = verifyExport(genesisBytes, exported(good.contracts));
const oldSet = pick(0, 1, 2, 3);
const newSet = pick(0, 1, 2, 5);
const last = pick(1, 2, 5);
const { trading, heat } = good;
const toNew = handoverOf(trading[1]!, newSet);
const toLast = handoverOf(trading[3]!, last);
const heatToNext = handoverOf(heat[1]!, pick(5, 2, 1, 4));
const lineages: readonly (readonly [number, readonly Uint8Array[]])[] = [
  [TRADING, [toNew, toLast]],
  [HEAT, [foundingOrder, heatToNext]],
];

test("the stranger follows lineages to the members that orders give, and verifies the receipts of all heights", () => {
  for (const [service, items] of lineages) {
    const bytes = Buffer.concat(items);
    assert.deepEqual(sequenceOf(bytes).map(toHex), items.map(toHex));
    const sets = followLineage(genesisBytes, service, items);
    const proved = memberSets(genesis, service, splitLineage(bytes), nodeVerify);
    assert.deepEqual(
      sets.map(({ from, members: list }) => [from, list.map(({ id }) => id)]),
      proved.map(({ from, members: list }) => [from, list.map(({ id }) => toHex(id))]),
    );
    const report = verifyExport(genesisBytes, exported(service === HEAT ? heat : trading), contracts.orders);
    for (const { from, members: list } of sets)
      assert.deepEqual(
        list.map(({ id }) => id),
        report.members[from - 1],
      );
    for (const block of service === HEAT ? heat : trading) {
      const file = Buffer.concat([receiptOf(block), bytes]);
      const { height, chain, record } = verifyReceipt(genesisBytes, file);
      const sealed = report.records.find((found) => found.height === height)!;
      assert.deepEqual([chain, height, record], [service, block.height, sealed.hash]);
    }
  }
});

const forgedBy = (chain: "trading" | "heat", height: number, signedBy: Edits["trading"]) =>
  history({ [chain]: signedBy } as Edits)[chain][height - 1]!;

/** Lineages that prove nothing, each behind the receipt of a block that is good. */
const lineagesThatProveNothing: readonly (readonly [string, number, readonly Uint8Array[], RegExp])[] = [
  ["a handover left out", TRADING, [toLast], /member set of a handover's block/],
  ["handovers out of order", TRADING, [toLast, toNew], /member set/],
  ["a handover twice", TRADING, [toNew, toNew], /order of their heights/],
  ["other members than the block binds", TRADING, [handoverOf(trading[1]!, oldSet)], /next member set/],
  ["the new members in another order", TRADING, [handoverOf(trading[1]!, pick(5, 0, 1, 2))], /next member set/],
  ["a handover of another chain", TRADING, [heatToNext], /another network or chain/],
  [
    "a handover sealed by those who come",
    TRADING,
    [handoverOf(forgedBy("trading", 2, { 2: { signedBy: newSet, signers: 4 } }), newSet)],
    /not members/,
  ],
  [
    "a handover by too few",
    TRADING,
    [handoverOf(forgedBy("trading", 2, { 2: { signers: 2 } }), newSet)],
    /not of a quorum/,
  ],
  [
    "a later handover sealed by the first members",
    TRADING,
    [toNew, handoverOf(forgedBy("trading", 4, { 4: { signedBy: pick(0, 1, 3) } }), last)],
    /not members/,
  ],
  ["an order for a chain of the genesis", TRADING, [order(1, added(last, TRADING, "trading"))], /head of the lineage/],
  ["no order for an added chain", HEAT, [heatToNext], /nothing says who seals/],
  ["nothing for an added chain", HEAT, [], /first members/],
  ["an order with a broken signature", HEAT, [broken(foundingOrder)], /not signed by the authority/],
  [
    "an order by another authority",
    HEAT,
    [order(2, added(pick(5, 0, 1, 4)), signerNamed("other"))],
    /not signed by the authority/,
  ],
  [
    "an order for another network",
    HEAT,
    [order(2, added(last), network.authority, new Uint8Array(32))],
    /network of an order/,
  ],
  ["an order that adds another chain", HEAT, [order(2, added(last, 8, "water"))], /another chain/],
  [
    "an order that adds no chain",
    HEAT,
    [order(1, members(TRADING, 3, newSet, [ready(nodes[5]!, TRADING)]))],
    /adds no chain/,
  ],
  ["the order again behind a handover", HEAT, [foundingOrder, heatToNext, foundingOrder], /head of the lineage/],
];

test("the stranger and the product refuse", async (t) => {
  const productRefuses = (file: Uint8Array) => {
    const { receipt, lineage } = decodeReceiptFile(file);
    assert.throws(() => productVerifyReceipt(receipt, genesis, nodeVerify, lineage), WireError);
  };
  for (const [name, service, items, reason] of lineagesThatProveNothing) {
    await t.test(name, () => {
      assert.throws(() => followLineage(genesisBytes, service, items), reason);
      productRefuses(Buffer.concat([receiptOf((service === HEAT ? heat : trading)[0]!), ...items]));
    });
  }
  await t.test("a receipt of the new members' block that the old have sealed", () => {
    const forged = receiptOf(forgedBy("trading", 3, { 3: { signedBy: pick(0, 1, 3) } }));
    const file = Buffer.concat([forged, toNew]);
    assert.throws(() => verifyReceipt(genesisBytes, file), /not members/);
    productRefuses(file);
  });
  await t.test("a receipt with a removed node's vote", () => {
    const file = Buffer.concat([receiptOf(forgedBy("trading", 5, { 5: { signedBy: pick(0, 1, 2) } })), toNew, toLast]);
    assert.throws(() => verifyReceipt(genesisBytes, file), /not members/);
    productRefuses(file);
  });
  await t.test("a receipt of an added chain without its order", () => {
    assert.throws(() => verifyReceipt(genesisBytes, receiptOf(heat[0]!)), /first members/);
    productRefuses(receiptOf(heat[0]!));
  });
});

test("the stranger refuses a change of any byte of a handover and of an order", () => {
  for (const [service, item] of [
    [TRADING, toNew],
    [HEAT, foundingOrder],
  ] as const) {
    for (let place = 0; place < item.length; place += 1) {
      const changed = Uint8Array.from(item);
      changed[place]! ^= 1 << (place & 7);
      assert.throws(() => followLineage(genesisBytes, service, [changed]), Error, `byte ${place}`);
    }
  }
});
