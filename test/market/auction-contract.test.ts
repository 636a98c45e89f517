// The auction contract in the engine that nodes run it in: bids stay sealed until the gate is closed, clear as the market's vectors say,
// and are held against what was metered.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import type { Value } from "../../src/wire/value.js";
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
const HALF = GATE + 450;
const CLEARING = GATE + 900;

/** With a point each. */
async function market(parameters = {}): Promise<TestChain> {
  const chain = newChain(parameters);
  await chain.done(operator, types.points, { points: traders.map(({ id }, index) => [`AT${index}`, id]) });
  return chain;
}

const opening = (side: "buy" | "sell", price: number, volume: number, salt = 0): Opening => ({
  ...{ slot: SLOT, side, price, volume, salt: `${salt}`.padStart(32, "0") },
});
const seal = (who: Signer, bid: Opening) => ({ slot: SLOT, digest: bidDigest(who.id, bid) });

interface Cleared {
  readonly tie: string;
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
  assert.equal(await chain.denied(anna, types.open, { ...bid, price: 400_001 }), "law");
  await chain.done(anna, types.open, { ...bid });
  assert.equal(await chain.denied(anna, types.open, { ...bid }), "no-bid", "it is open already");
  await chain.pass(HALF);
  assert.deepEqual(await accusedOf(chain), [bert.id]);
  assert.deepEqual(
    [...chain.state.keys()].filter((key) => !key.startsWith("point") && !key.startsWith("stated/")),
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
      bid: opening(order.side, order.price, order.volume, index),
    }));
    for (const { who, bid } of bids) await chain.done(who, types.bid, seal(who, bid));
    chain.time_s = GATE;
    // In another order: that of the sealing counts.
    for (const { who, bid } of [...bids].reverse()) await chain.done(who, types.open, { ...bid });
    const [cleared] = effects<Cleared>(await chain.pass(CLEARING), "cleared");
    assert.deepEqual([cleared!.price, cleared!.volume], [price, volume], JSON.stringify(orders));
    const expected = fills.flatMap((fill, index) =>
      fill > 0 ? [[bids[index]!.who.id, orders[index]!.side, fill, `AT${index % traders.length}`]] : [],
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
  const told = said.filter(({ type }) => type === "message");
  assert.deepEqual(
    told.map(({ service, name, body }) => [service, name, body]),
    [
      [
        ...[3, "schedule"],
        {
          ...{ slot_s: SLOT, length_s: 900 },
          rows: [
            ["AT1", 600_000, `${SLOT}/0`, bert.id],
            ["AT0", -600_000, `${SLOT}/0`, anna.id],
          ],
        },
      ],
    ],
  );
  const rows = [
    ["AT0", 700_000, null, 1],
    ["AT1", null, 800_000, 2],
    ["AT2", 5, 5, 1],
  ] as const;
  const closed = await chain.close(SLOT, rows, 1);
  const [imbalance] = effects<{ rows: readonly (readonly (string | number)[])[] }>(closed, "imbalance");
  assert.deepEqual(imbalance!.rows, [
    [anna.id, -600_000, -700_000, -100_000, 15_000, -1_500, 0, -12_000, 0],
    [bert.id, 600_000, 800_000, 200_000, 9_000, 1_800, 0, 12_000, 0],
  ]);
  assert.deepEqual(effects(await chain.close(SLOT, rows), "imbalance"), [], "a slot is settled once");
});

/** Who is accused of a bid that was not opened when the slot clears: sealed, and told to credit. */
async function accusedOf(chain: TestChain, time_s = CLEARING): Promise<readonly string[]> {
  const said = await chain.pass(time_s);
  const accused = said.flatMap(({ name, subject }) => (name === "unopened" ? [subject!] : []));
  const told = said.filter(({ name }) => name === "breach").map(({ body }) => body as { rows: readonly Value[][] });
  assert.deepEqual(
    told.flatMap(({ rows }) => rows),
    accused.map((participant) => [participant, 3, "auction/unopened"]),
  );
  return accused;
}

/** The rule by which an opening is denied; undefined where the bid is open now. */
async function ruleOf(chain: TestChain, who: Signer, bid: Opening): Promise<string | undefined> {
  const said = await chain.ask(who, types.open, { ...bid });
  return said.find(({ type }) => type === "denial")?.name;
}

const limitOf = (who: Signer, limit: number | null, rebate = 0) => ({
  ...{ service: 2, number: 0, contract: "credit", name: "limit", height: 1, time_s: 0 },
  body: { rows: [[who.id, "BBB", limit, 100, rebate, "none"]] },
});

test("nobody opens more to buy than credit lets him owe, until credit lets go of the limit", async () => {
  const chain = await market();
  const [anna] = traders as [Signer];
  await chain.run("message", limitOf(anna, 30_000));
  const bids = [opening("buy", 20_000, 1_000_000, 1), opening("buy", 11_000, 1_000_000, 2)];
  for (const bid of bids) await chain.done(anna, types.bid, seal(anna, bid));
  chain.time_s = GATE;
  await chain.done(anna, types.open, { ...bids[0]! });
  assert.equal(await ruleOf(chain, anna, bids[1]!), "credit-limit");
  await chain.run("message", limitOf(anna, null));
  await chain.done(anna, types.open, { ...bids[1]! });
});

test("what a bid may bring makes up for nothing of what others may owe, and who pays to sell owes that", async () => {
  const chain = await market();
  const [anna, bert] = traders as [Signer, Signer];
  for (const who of [anna, bert]) await chain.run("message", limitOf(who, 30_000));
  const paidToTake = opening("buy", -50_000, 1_000_000_000_000, 1);
  const beyond = opening("buy", 30_001, 1_000_000, 2);
  const paysToGive = [opening("sell", -20_000, 1_000_000, 3), opening("sell", -10_001, 1_000_000, 4)];
  for (const bid of [paidToTake, beyond]) await chain.done(anna, types.bid, seal(anna, bid));
  for (const bid of paysToGive) await chain.done(bert, types.bid, seal(bert, bid));
  chain.time_s = GATE;
  await chain.done(anna, types.open, { ...paidToTake });
  assert.equal(await ruleOf(chain, anna, beyond), "credit-limit");
  await chain.done(bert, types.open, { ...paysToGive[0]! });
  assert.equal(await ruleOf(chain, bert, paysToGive[1]!), "credit-limit");
});

test("what is opened to buy and to sell stays within the limit together, in whatever order", async () => {
  const price = fc.integer({ min: -50_000, max: 50_000 });
  const bid = fc.record({
    side: fc.constantFrom("buy" as const, "sell" as const),
    price,
    volume: fc.integer({ min: 1, max: 2_000_000 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(bid, { minLength: 1, maxLength: 6 }), fc.nat(60_000), async (bids, limit) => {
      const chain = await market();
      const [anna] = traders as [Signer];
      await chain.run("message", limitOf(anna, limit));
      const openings = bids.map(({ side, price, volume }, salt) => opening(side, price, volume, salt));
      for (const each of openings) await chain.done(anna, types.bid, seal(anna, each));
      chain.time_s = GATE;
      let owed = 0;
      for (const each of openings) {
        const own = Math.max(0, (each.side === "buy" ? 1 : -1) * each.price * each.volume);
        const isWithin = Math.floor((owed + own) / 1_000_000) <= limit;
        assert.equal(await ruleOf(chain, anna, each), isWithin ? undefined : "credit-limit");
        if (isWithin) owed += own;
      }
    }),
    { numRuns: 20 },
  );
});

test("who shows a bid that he cannot open is not accused, who could have opened it is", async () => {
  const chain = await market();
  const [anna, bert, carl] = traders as [Signer, Signer, Signer];
  const bid = opening("buy", 20_000, 1_000_000);
  for (const who of [anna, bert, carl]) await chain.done(who, types.bid, seal(who, bid));
  await chain.run("message", limitOf(anna, 0));
  await chain.done(operator, types.points, { points: [["AT1", null]] });
  await chain.pass(HALF);
  assert.equal(await ruleOf(chain, anna, bid), "credit-limit");
  assert.equal(await ruleOf(chain, anna, bid), "credit-limit", "and may try again");
  assert.equal(await ruleOf(chain, bert, bid), "no-point");
  // Carl has a point, and names another one's: that is no way to take a bid back.
  const [denial] = await chain.ask(carl, types.open, { ...bid, point: "AT0" });
  assert.equal(denial!.name, "no-point");
  assert.deepEqual(await accusedOf(chain), [carl.id]);
});

test("a price that the law has come to deny is nobody's breach, and nothing is shown before the gate", async () => {
  const chain = await market();
  const [anna, bert] = traders as [Signer, Signer];
  const bid = opening("buy", 400_001, 1_000_000);
  for (const who of [anna, bert]) await chain.done(who, types.bid, seal(who, bid));
  assert.equal(await ruleOf(chain, bert, bid), "law");
  await chain.pass(HALF);
  assert.equal(await ruleOf(chain, anna, bid), "law");
  assert.deepEqual(await accusedOf(chain), [bert.id]);
});

test("nobody is accused where the chain sealed no block in the second half of the time to open", async () => {
  const [anna] = traders as [Signer];
  for (const [at, isAccused] of [
    [HALF, true],
    [CLEARING - 1, true],
    [CLEARING, false],
    [SLOT + 90_000, false],
  ] as const) {
    const chain = await market();
    await chain.done(anna, types.bid, seal(anna, opening("buy", 20_000, 1_000_000)));
    await chain.pass(GATE);
    if (at < CLEARING) await chain.pass(at);
    assert.deepEqual(await accusedOf(chain, Math.max(at, CLEARING)), isAccused ? [anna.id] : [], `${at - GATE} s`);
    assert.deepEqual(
      [...chain.state.keys()].filter((key) => !key.startsWith("point") && !key.startsWith("stated/")),
      [],
      "nothing of it is kept",
    );
  }
});

test("a row of credit that is none is denied alone", async () => {
  const chain = await market();
  const [anna] = traders as [Signer];
  const said = limitOf(anna, 30_000);
  const rows = [["nobody", "BBB", 1, 100, 0, "none"], ...said.body.rows];
  const emitted = await chain.run("message", { ...said, body: { rows } });
  assert.deepEqual(
    emitted.map(({ type, name }) => [type, name]),
    [
      ["denial", "malformed"],
      ["effect", "limit"],
    ],
  );
  assert.deepEqual(chain.get(`limit/${anna.id}`), [30_000, 0]);
});

test("a digest is 64 lower-case hex digits, so that no bid takes the room of others", async () => {
  const chain = await market();
  const [anna] = traders as [Signer];
  for (const digest of ["\u{20ac}".repeat(64), "A".repeat(64), "a".repeat(63), "g".repeat(64)]) {
    assert.equal(await chain.denied(anna, types.bid, { slot: SLOT, digest }), "malformed", digest);
  }
  assert.equal(await chain.denied(anna, types.open, { ...opening("buy", 1, 1), salt: "S" }), "malformed");
});

/** A market of so many traders, with a point each that has as long a name as there is. */
async function crowdedMarket(count: number): Promise<{ chain: TestChain; crowd: readonly Signer[] }> {
  const chain = newChain();
  const crowd = Array.from({ length: count }, (_, index) => ({ id: index.toString(16).padStart(16, "0"), role: 2 }));
  const points = crowd.map(({ id }, index) => [`${index}`.padEnd(64, "P"), id]);
  for (let at = 0; at < count; at += 50) {
    await chain.done(operator, types.points, { points: points.slice(at, at + 50) });
  }
  return { chain, crowd };
}

test("twenty bids are one participant's, and half of a slot's places are for who has none", async () => {
  const { chain, crowd } = await crowdedMarket(11);
  const sealed = (who: Signer, salt: number) => seal(who, opening("buy", 1, 1, salt));
  for (const who of crowd.slice(0, 10)) {
    for (let salt = 0; salt < 20; salt += 1) await chain.done(who, types.bid, sealed(who, salt));
  }
  assert.equal(await chain.denied(crowd[0]!, types.bid, sealed(crowd[0]!, 20)), "full");
  const last = crowd[10]!;
  await chain.done(last, types.bid, sealed(last, 0));
  assert.equal(await chain.denied(last, types.bid, sealed(last, 1)), "full", "a second one has to wait");
});

test("a full slot clears within a run: each part that dispatch hears of takes as much as it gives", async (t) => {
  const { chain, crowd } = await crowdedMarket(400);
  const bids = crowd.map((who, index) => ({
    who,
    bid: opening(index % 2 === 0 ? "buy" : "sell", index % 2 === 0 ? 20_000 + index : 10_000 - index, 1_000 + index),
  }));
  for (const { who, bid } of bids) await chain.done(who, types.bid, seal(who, bid));
  const another = { id: "ff".repeat(8), role: 2 };
  await chain.done(operator, types.points, { points: [["another", another.id]] });
  assert.equal(await chain.denied(another, types.bid, seal(another, opening("buy", 1, 1))), "full");
  chain.time_s = GATE;
  for (const { who, bid } of bids) await chain.done(who, types.open, { ...bid });
  const said = await chain.pass(CLEARING);
  t.diagnostic(`clearing ${bids.length} bids takes ${chain.used} of the budget`);
  const schedules = said.filter(({ name }) => name === "schedule");
  assert.ok(schedules.length > 4 && schedules.length <= 16, `${schedules.length} schedules`);
  let sold = 0;
  for (const { body } of schedules) {
    const { rows } = body as { rows: readonly (readonly [string, number])[] };
    assert.ok(rows.length <= 80, `${rows.length} rows`);
    assert.equal(
      rows.reduce((sum, [, energy]) => sum + energy, 0),
      0,
      "a part takes as much as it gives",
    );
    sold += rows.reduce((sum, [, energy]) => sum + Math.max(0, energy), 0);
  }
  assert.equal(sold, effects<Cleared>(said, "cleared")[0]!.volume);
  await chain.close(
    SLOT,
    crowd.map((_, index) => [`${index}`.padEnd(64, "P"), 1, 1, 1] as const),
  );
  assert.deepEqual(
    [...chain.state.keys()].filter((key) => !key.startsWith("point") && !key.startsWith("stated/")),
    [],
  );
});

test("a bid names its point where its signer has several, and none of another one", async () => {
  const chain = await market();
  const [anna] = traders as [Signer];
  await chain.done(operator, types.points, { points: [["AT9", anna.id]] });
  const bid = opening("buy", 1, 1);
  await chain.done(anna, types.bid, seal(anna, bid));
  chain.time_s = GATE;
  assert.equal(await chain.denied(anna, types.open, { ...bid }), "which-point");
  assert.equal(await chain.denied(anna, types.open, { ...bid, point: "AT1" }), "no-point");
  const [opened] = effects(await chain.done(anna, types.open, { ...bid, point: "AT9" }), "opened");
  assert.equal(opened!.point, "AT9");
});

test("slots are bid for a week ahead at most, and a slot that never closes is let go of", async () => {
  const chain = await market();
  const [anna, bert] = traders as [Signer, Signer];
  const far = SLOT + 900 * 1_000;
  assert.equal(await chain.denied(anna, types.bid, { slot: far, digest: "a".repeat(64) }), "too-far");
  const [buy, sell] = [opening("buy", 2, 9), opening("sell", 1, 9)];
  await chain.done(anna, types.bid, seal(anna, buy));
  await chain.done(bert, types.bid, seal(bert, sell));
  chain.time_s = GATE;
  await chain.done(anna, types.open, { ...buy });
  await chain.done(bert, types.open, { ...sell });
  await chain.pass(CLEARING);
  const kept = () => [...chain.state.keys()].filter((key) => !key.startsWith("point") && !key.startsWith("stated/"));
  assert.equal(kept().length, 2, "the trades and their deadline");
  await chain.pass(SLOT + 900 + 7 * 86_400);
  assert.deepEqual(kept(), []);
});

test("who measures states so many points, each of a participant, and takes them back", async () => {
  const chain = newChain();
  const [anna] = traders as [Signer];
  assert.equal(await chain.denied(operator, types.points, { points: [["AT0", "anna"]] }), "malformed");
  const twice = [
    ["AT0", anna.id],
    ["AT0", anna.id],
  ];
  assert.equal(await chain.denied(operator, types.points, { points: twice }), "malformed");
  await chain.done(operator, types.points, { points: [["AT0", anna.id]] });
  await chain.done(operator, types.points, { points: [["AT0", null]] });
  assert.equal(chain.state.size, 0, "nothing of it is kept");
});

test("a fee is of what is traded, less what credit gives back of it", async () => {
  const chain = await market({ fee: 1_000 });
  const [anna, bert] = traders as [Signer, Signer];
  await chain.run("message", limitOf(anna, 1_000_000, 50));
  const [buy, sell] = [opening("buy", 20_000, 600_000), opening("sell", 10_000, 600_000)];
  await chain.done(anna, types.bid, seal(anna, buy));
  await chain.done(bert, types.bid, seal(bert, sell));
  chain.time_s = GATE;
  await chain.done(anna, types.open, { ...buy });
  await chain.done(bert, types.open, { ...sell });
  await chain.pass(CLEARING);
  const closed = await chain.close(SLOT, [
    ["AT0", 600_000, null, 1],
    ["AT1", null, 2_000_000_000_000, 1],
  ]);
  const [imbalance] = effects<{ rows: readonly (readonly number[])[] }>(closed, "imbalance");
  const [paid, got] = imbalance!.rows;
  assert.deepEqual([paid![7], paid![8]], [-9_000, 570], "0.6 kWh at 0.15, fee 0.01 less 5 per cent");
  assert.deepEqual([got![6], got![8]], [1, 600], "what no point can carry is missing");
});

test("under the parameters of the EU a price beyond the band is denied by the paragraph", async () => {
  const path = fileURLToPath(new URL("../../tools/market/auction/parameters/EU.json", import.meta.url));
  const { parameters } = JSON.parse(readFileSync(path, "utf8")) as { parameters: Record<string, string | number> };
  const chain = await market(parameters);
  const [anna] = traders as [Signer];
  for (const [parameter, price] of [
    ["floor", -50_001],
    ["cap", 400_001],
  ] as const) {
    const [denial] = await chain.ask(anna, types.open, { ...opening("buy", price, 1) });
    const law = { parameter, value: parameters[parameter], law: "Regulation (EU) 2015/1222, Art. 41(1)" };
    assert.deepEqual([denial!.name, denial!.body], ["law", law]);
  }
});

test("of equal prices, those whom credit rewards come first where the parameter says so, and any other word is `time`", async () => {
  for (const [tie, said, fills] of [
    ["reward", "reward", [400_000, 600_000]],
    ["share", "share", [500_000, 500_000]],
    ["time", "time", [600_000, 400_000]],
    ["by lot", "time", [600_000, 400_000]],
  ] as const) {
    const chain = await market({ tie });
    const [anna, bert, cleo] = traders as [Signer, Signer, Signer];
    await chain.run("message", limitOf(bert, 1_000_000, 50));
    const bids = [
      [anna, opening("buy", 20_000, 600_000, 1)],
      [bert, opening("buy", 20_000, 600_000, 2)],
      [cleo, opening("sell", 10_000, 1_000_000, 3)],
    ] as const;
    for (const [who, bid] of bids) await chain.done(who, types.bid, seal(who, bid));
    chain.time_s = GATE;
    for (const [who, bid] of bids) await chain.done(who, types.open, { ...bid });
    const [cleared] = effects<Cleared>(await chain.pass(CLEARING), "cleared");
    const bought = cleared!.trades.filter(([, side]) => side === "buy").map(([, , energy]) => energy);
    assert.deepEqual([cleared!.tie, bought], [said, fills], tie);
  }
});
