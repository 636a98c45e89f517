// The auction contract in the engine that nodes run it in: bids stay sealed until the gate is closed, clear as the market's vectors say,
// and are held against what was metered.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { bidDigest, type Opening, operationTypes as types } from "../../tools/market/auction/types.js";
import { sha256OfText } from "../../tools/market/sha256.js";
import { shared } from "../shared.js";
import { effects, openChains, type Signer, type TestChain } from "./chain.js";

const file = fileURLToPath(new URL("../../tools/market/auction/auction.ts", import.meta.url));
const { chain: newChain, close } = await openChains(file);
after(close);

const operator: Signer = { id: "bb00000000000002", role: 5 };
const traders: readonly Signer[] = ["a", "b", "c"].map((digit) => ({ id: `cc0000000000000${digit}`, role: 2 }));
const SLOT = 909_000;
const GATE = SLOT - 3_600;
const CLEARING = GATE + 900;

/** With a point each. */
async function market(parameters = {}): Promise<TestChain> {
  const chain = newChain(parameters);
  await chain.done(operator, types.points, { points: traders.map(({ id }, index) => [`AT${index}`, id]) });
  return chain;
}

const opening = (side: "buy" | "sell", price: number, volume: number, salt = "s"): Opening => ({
  ...{ slot: SLOT, side, price, volume, salt },
});
const seal = (who: Signer, bid: Opening) => ({ slot: SLOT, digest: bidDigest(who.id, bid) });

interface Cleared {
  readonly price: number | null;
  readonly volume: number;
  readonly trades: readonly (readonly [string, string, number])[];
}

test("the digest of a text is SHA-256", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary-ascii", maxLength: 200 }), (text) => {
      assert.equal(sha256OfText(text), createHash("sha256").update(text).digest("hex"));
    }),
  );
});

test("a bid is sealed before the gate and opened behind it, by its signer, as it was sealed", async () => {
  const chain = await market();
  const [anna, bert] = traders as [Signer, Signer];
  const bid = opening("buy", 20_000, 1_000_000);
  assert.equal(await chain.denied({ id: "dd00000000000000", role: 2 }, types.bid, seal(anna, bid)), "no-point");
  await chain.done(anna, types.bid, seal(anna, bid));
  assert.equal(await chain.denied(anna, types.bid, seal(anna, bid)), "exists");
  assert.equal(await chain.denied(anna, types.open, { ...bid }), "gate-open");
  // A digest that is copied opens nothing: it holds who has made it.
  await chain.done(bert, types.bid, seal(anna, bid));
  chain.time_s = GATE;
  assert.equal(await chain.denied(anna, types.bid, seal(anna, opening("buy", 1, 1))), "gate-closed");
  assert.equal(await chain.denied(bert, types.open, { ...bid }), "no-bid");
  assert.equal(await chain.denied(anna, types.open, { ...bid, price: 20_001 }), "no-bid");
  assert.equal(await chain.denied(anna, types.open, { ...bid, price: 400_001 }), "malformed");
  await chain.done(anna, types.open, { ...bid });
  assert.equal(await chain.denied(anna, types.open, { ...bid }), "no-bid", "it is open already");
  const said = await chain.pass(CLEARING);
  const breaches = said.filter(({ type }) => type === "violation");
  assert.deepEqual(
    breaches.map(({ name, subject }) => [name, subject]),
    [["unopened", bert.id]],
  );
  assert.deepEqual(
    [...chain.state.keys()].filter((key) => !key.startsWith("point")),
    [],
    "nothing of it is kept",
  );
});

test("opened bids clear as the market's vectors", { skip: shared("vectors/market/auction.json").skip }, async () => {
  interface Vector {
    readonly cap: number;
    readonly floor: number;
    readonly orders: readonly { readonly side: "buy" | "sell"; readonly price: number; readonly volume: number }[];
    readonly price: number | null;
    readonly volume: number;
    readonly fills: readonly number[];
  }
  const vectors = JSON.parse(readFileSync(shared("vectors/market/auction.json").path, "utf8")) as readonly Vector[];
  const fit = vectors
    .filter(({ orders }) => orders.every(({ volume }) => volume > 0) && orders.length > 0 && orders.length <= 12)
    .slice(0, 30);
  assert.ok(fit.length >= 20, `${fit.length} vectors fit`);
  for (const { cap, floor, orders, price, volume, fills } of fit) {
    const chain = await market({ cap, floor });
    const bids = orders.map((order, index) => ({
      who: traders[index % traders.length]!,
      bid: opening(order.side, order.price, order.volume, `${index}`),
    }));
    for (const { who, bid } of bids) await chain.done(who, types.bid, seal(who, bid));
    chain.time_s = GATE;
    // In another order: that of the sealing counts.
    for (const { who, bid } of [...bids].reverse()) await chain.done(who, types.open, { ...bid });
    const [cleared] = effects<Cleared>(await chain.pass(CLEARING), "cleared");
    assert.deepEqual([cleared!.price, cleared!.volume], [price, volume], JSON.stringify(orders));
    const expected = fills.flatMap((fill, index) =>
      fill > 0 ? [[bids[index]!.who.id, orders[index]!.side, fill]] : [],
    );
    assert.deepEqual(cleared!.trades, expected, JSON.stringify(orders));
  }
});

test("dispatch hears of the trades, and what is metered otherwise is imbalance, over parts of a slot", async () => {
  const chain = await market({ price_long: 9_000, price_short: 15_000 });
  const [anna, bert] = traders as [Signer, Signer];
  const [buy, sell] = [opening("buy", 20_000, 1_000_000), opening("sell", 10_000, 600_000)];
  await chain.done(anna, types.bid, seal(anna, buy));
  await chain.done(bert, types.bid, seal(bert, sell));
  chain.time_s = GATE;
  await chain.done(anna, types.open, { ...buy });
  await chain.done(bert, types.open, { ...sell });
  const said = await chain.pass(CLEARING);
  const [told] = said.filter(({ type }) => type === "message");
  assert.deepEqual(told?.body, {
    ...{ slot: SLOT, length: 900, price: 20_000, first: 0, count: 2 },
    trades: [
      [anna.id, "AT0", "buy", 600_000],
      [bert.id, "AT1", "sell", 600_000],
    ],
  });
  const rows = [
    ["AT0", 700_000, null, 1],
    ["AT1", null, 800_000, 2],
    ["AT2", 5, 5, 1],
  ] as const;
  const closed = await chain.close(SLOT, rows, 1);
  const [imbalance] = effects<{ rows: readonly (readonly (string | number)[])[] }>(closed, "imbalance");
  assert.deepEqual(imbalance!.rows, [
    [anna.id, -600_000, -700_000, -100_000, 15_000, -1_500, 0],
    [bert.id, 600_000, 800_000, 200_000, 9_000, 1_800, 0],
  ]);
  assert.deepEqual(effects(await chain.close(SLOT, rows), "imbalance"), [], "a slot is settled once");
});

test("nobody opens more to buy than credit lets him owe", async () => {
  const chain = await market();
  const [anna] = traders as [Signer];
  await chain.run("message", {
    ...{ service: 2, number: 0, contract: "rating", name: "limit", height: 1, time_s: 0 },
    body: { participant: anna.id, limit: 30_000 },
  });
  const bids = [opening("buy", 20_000, 1_000_000, "1"), opening("buy", 11_000, 1_000_000, "2")];
  for (const bid of bids) await chain.done(anna, types.bid, seal(anna, bid));
  chain.time_s = GATE;
  await chain.done(anna, types.open, { ...bids[0]! });
  assert.equal(await chain.denied(anna, types.open, { ...bids[1]! }), "credit-limit");
});
