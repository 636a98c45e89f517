// What the contracts of three chains tell each other, each run in the engine: what one says the other takes. A limit of credit binds in
// the auction, a clearing is judged by dispatch, what is not carried is not traded, and a deviation lowers the limit.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Value } from "../../src/wire/value.js";
import { canonicalText } from "../../tools/dispatch/contract/canonical.js";
import { operationTypes as dispatching } from "../../tools/dispatch/contract/kinds.js";
import { bidDigest, operationTypes as bidding, type Opening } from "../../tools/market/auction/types.js";
import { operationTypes as rating } from "../../tools/market/credit/kinds.js";
import { effects, openChains, type Said, type Signer, type TestChain } from "./chain.js";

const sourceOf = (path: string) => fileURLToPath(new URL(`../../tools/${path}.ts`, import.meta.url));
const auctions = await openChains(sourceOf("market/auction/auction"));
const credits = await openChains(sourceOf("market/credit/credit"));
const dispatches = await openChains(sourceOf("dispatch/contract/dispatch"));
after(() => Promise.all([auctions, credits, dispatches].map(({ close }) => close())));

const grid: Signer = { id: "bb00000000000002", role: 5 };
const market: Signer = { id: "bb00000000000007", role: 7 };
const anna: Signer = { id: "aa00000000000001", role: 2 };
const works: Signer = { id: "cc00000000000003", role: 4 };
const NOW = 1_790_000_100;
const SLOT = NOW + 7_200 - (NOW % 900);

/** Some 6.9 kW, for a quarter of an hour 1.73 kWh. */
const feeder = {
  buses: [
    { id: "busbar", nominal_V: 400 },
    { id: "house", nominal_V: 400 },
  ],
  slack: { bus: "busbar", voltage_ppm: 1_000_000 },
  lines: [{ id: "L1", from: "busbar", to: "house", r_nOhm: 60_000_000, x_nOhm: 25_000_000, rating_mA: 10_000 }],
  points: [
    { id: "AT-roof", bus: "house" },
    { id: "AT-works", bus: "busbar" },
  ],
};

interface World {
  readonly chains: ReadonlyMap<number, TestChain>;
  readonly trading: TestChain;
  readonly credit: TestChain;
  readonly dispatch: TestChain;
  /** Brings messages to their chains, and the answers to these, until nobody says anything more; all that was said. */
  carry(from: number, said: readonly Said[]): Promise<readonly Said[]>;
}

const contractNames: Readonly<Record<number, string>> = { 1: "auction", 2: "credit", 3: "dispatch" };

async function openWorld(parameters: { readonly credit?: Readonly<Record<string, Value>> } = {}): Promise<World> {
  const trading = auctions.chain();
  const credit = credits.chain(parameters.credit);
  const dispatch = dispatches.chain();
  const chains = new Map([
    [1, trading],
    [2, credit],
    [3, dispatch],
  ]);
  for (const chain of chains.values()) chain.time_s = NOW;
  const hash = createHash("sha256").update(canonicalText(feeder)).digest("hex");
  await dispatch.done(grid, dispatching.network, { part: 0, of: 1, hash, ...feeder });
  const points = [
    ["AT-roof", anna.id],
    ["AT-works", works.id],
  ];
  await trading.done(grid, bidding.points, { points });
  const carry: World["carry"] = async (from, said) => {
    const all = [...said];
    for (const { type, service, name, body } of said) {
      if (type !== "message") continue;
      const to = chains.get(service!)!;
      const place = { service: from, number: to.height, contract: contractNames[from]!, height: 9, time_s: to.time_s };
      const answered = await to.run("message", { ...place, name, body });
      const denied = answered.filter((each) => each.type === "denial");
      assert.deepEqual(denied, [], `${name} of chain ${from} is taken by chain ${service}`);
      all.push(...(await carry(service!, answered)));
    }
    return all;
  };
  return { chains, trading, credit, dispatch, carry };
}

const at = (world: World, time_s: number) => {
  for (const chain of world.chains.values()) chain.time_s = time_s;
};

/** Anna sells and the works buy so much; everything that is said of it, on all chains. */
async function trade(world: World, slot: number, volume: number): Promise<readonly Said[]> {
  const bids: readonly (readonly [Signer, Opening])[] = [
    [anna, { slot, side: "sell", price: 8_000, volume, salt: "0".repeat(32) }],
    [works, { slot, side: "buy", price: 12_000, volume, salt: "1".repeat(32) }],
  ];
  for (const [who, bid] of bids) await world.trading.done(who, bidding.bid, { slot, digest: bidDigest(who.id, bid) });
  at(world, slot - 3_600);
  for (const [who, bid] of bids) await world.trading.done(who, bidding.open, { ...bid });
  const cleared = await world.trading.pass(slot - 2_700);
  at(world, slot - 2_700);
  return world.carry(1, cleared);
}

test("a clearing is judged by dispatch, and what the grid does not carry is neither traded nor an imbalance", async () => {
  const world = await openWorld();
  const said = await trade(world, SLOT, 2_000_000);
  const [verdict] = effects(said, "verdict");
  assert.equal(verdict!.verdict, "curtailed");
  const [carried] = effects<{ rows: readonly (readonly [string, string, number, number])[] }>(said, "carried");
  const [sold, bought] = carried!.rows;
  assert.deepEqual([sold![0], sold![1], sold![3]], [anna.id, "AT-roof", 2_000_000]);
  assert.ok(sold![2] > 1_500_000 && sold![2] < 2_000_000, `${sold![2]} mWh are carried`);
  assert.equal(sold![2], -bought![2], "both sides lose the same");
  const signed = await world.dispatch.done(grid, dispatching.countersign, { numbers: [0] });
  const told = await world.carry(3, signed);
  assert.deepEqual(effects(told, "transmission"), [{ slot_s: SLOT, number: 0 }]);
  const kept = sold![2];
  const closed = await world.trading.close(SLOT, [
    ["AT-roof", null, kept, 1],
    ["AT-works", kept, null, 1],
  ]);
  const [imbalance] = effects<{ rows: readonly (readonly number[])[] }>(closed, "imbalance");
  assert.deepEqual(
    imbalance!.rows.map((row) => [row[1], row[3]]),
    [
      [kept, 0],
      [-kept, 0],
    ],
  );
});

test("who does not deliver is rated lower, and may owe less in the next slot", async () => {
  const world = await openWorld({ credit: { limit_usual: 25_000 } });
  const kind = await world.credit.done(market, rating.kind, { participant: works.id, kind: "firm" });
  const first = await world.carry(2, kind);
  assert.equal(effects(first, "limit").length, 1, "trading is told of the limit");
  assert.equal((await trade(world, SLOT, 1_000_000)).filter(({ name }) => name === "verdict").length, 2);
  const signed = await world.dispatch.done(grid, dispatching.countersign, { numbers: [0] });
  await world.carry(3, signed);
  const closed = await world.dispatch.close(SLOT, [
    ["AT-roof", null, 1_000_000, 1],
    ["AT-works", 0, 0, 1],
  ]);
  assert.deepEqual(
    closed.filter(({ type }) => type === "violation").map(({ subject }) => subject),
    [works.id],
  );
  const moved = await world.carry(3, closed);
  const limits = effects<{ participant: string; limit: number; grade: string }>(moved, "limit");
  const lowered = limits.find(({ participant }) => participant === works.id)!;
  assert.deepEqual([lowered.grade, lowered.limit], ["C", 16_666]);
  const slot = SLOT + 9_000;
  at(world, SLOT + 900);
  // 1.5 kWh at 0.12 were within 0.25, and are not within 0.16666.
  const bid: Opening = { slot, side: "buy", price: 12_000, volume: 1_500_000, salt: "2".repeat(32) };
  await world.trading.done(works, bidding.bid, { slot, digest: bidDigest(works.id, bid) });
  await world.trading.done(works, bidding.bid, { slot, digest: "3".repeat(64) });
  at(world, slot - 3_600);
  const opened = await world.trading.ask(works, bidding.open, { ...bid });
  assert.deepEqual(
    opened.map(({ type, name }) => [type, name]),
    [["denial", "credit-limit"]],
  );
  await world.trading.pass(slot - 3_150);
  const said = await world.trading.pass(slot - 2_700);
  at(world, slot - 2_700);
  const told = said.filter(({ type }) => type === "message");
  assert.deepEqual(
    told.map(({ service, name }) => [service, name]),
    [[2, "breach"]],
    "credit hears of the bid that nobody tried to open, and of no other",
  );
  await world.carry(1, said);
});

test("a schedule that dispatch denies is answered: nothing of it is carried, so nothing of it is traded", async () => {
  const world = await openWorld();
  const body = { slot_s: SLOT, length_s: 1_800, rows: [["AT-roof", 1, "t", anna.id]] };
  const message = { service: 1, number: 0, contract: "auction", name: "schedule", height: 1, time_s: NOW, body };
  const said = await world.dispatch.run("message", message);
  const denial = said.find(({ type }) => type === "denial");
  assert.equal(denial?.name, "slot-length");
  const answer = said.find(({ type }) => type === "message");
  assert.deepEqual(answer?.body, {
    ...{ slot_s: SLOT, number: null, verdict: "refused", kept_permille: 0 },
    ...{ binding: { type: "denied", rule: "slot-length" }, rows: [["AT-roof", 0, "t", anna.id, 1]] },
  });
});

test("a row of a schedule that is wrong, or of a point that the network has not, is denied alone", async () => {
  const world = await openWorld();
  const rows = [
    ["AT-roof", 1_000, "t", anna.id],
    ["AT-works", -1_000, "t", "no ID"],
    ["AT-nowhere", -1_000, "t", works.id],
  ];
  const place = { service: 1, number: 0, contract: "auction", name: "schedule", height: 1, time_s: NOW };
  const said = await world.dispatch.run("message", { ...place, body: { slot_s: SLOT, length_s: 900, rows } });
  assert.deepEqual(
    said.filter(({ type }) => type === "denial").map(({ name, body }) => [name, body]),
    [
      ["malformed", { row: 1, about: "participant" }],
      ["unknown-point", "AT-nowhere"],
    ],
  );
  const answers = said.filter(({ type }) => type === "message").map(({ body }) => body as { rows: Value });
  assert.deepEqual(
    answers.map((answer) => answer.rows),
    [[["AT-nowhere", 0, "t", works.id, -1_000]], [["AT-roof", 1_000, "t", anna.id, 1_000]]],
  );
  assert.equal(effects(said, "verdict")[0]!.verdict, "accepted");
});
