// The dispatch contract in the engine that nodes run it in: load flows to the last bit, verdicts as offline, transmission contracts and
// deviations from them.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Value } from "../../src/wire/value.js";
import { checkSchedule } from "../../tools/dispatch/check.js";
import { canonicalText, sha256OfText } from "../../tools/dispatch/contract/canonical.js";
import { BASE_W, gridFrom } from "../../tools/dispatch/grid.js";
import { loadFlow } from "../../tools/dispatch/load-flow.js";
import { effects, openChains, type TestChain } from "../market/chain.js";
import { bitsOf } from "./bits-of.js";
import { caseFiles, caseNames, readCase, statedGrid } from "./cases.js";

const sourceOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const NETWORK = 768;
const SCHEDULE = 769;
const COUNTERSIGN = 770;
const operator = { id: "00000000000000aa", role: 5 };
const other = { id: "00000000000000ab", role: 5 };
const dispatcher = { id: "00000000000000bb", role: 6 };
const anna = "00000000000000a1";
const SLOT = 900_000 + 3_600;

type Opened = Awaited<ReturnType<typeof openChains>>;
let flows: Opened;
let dispatch: Opened;
before(async () => {
  flows = await openChains(sourceOf("bits.ts"));
  dispatch = await openChains(sourceOf("../../tools/dispatch/contract/dispatch.ts"));
});
after(async () => {
  await flows.close();
  await dispatch.close();
});

const hashOf = (grid: Value) => createHash("sha256").update(canonicalText(grid)).digest("hex");

/** A feeder of two houses behind one line of 10 A, 400 V: some 6.9 kW. */
const feeder = {
  name: "feeder",
  buses: [
    { id: "busbar", nominal_V: 400 },
    { id: "near", nominal_V: 400 },
    { id: "far", nominal_V: 400 },
  ],
  slack: { bus: "busbar", voltage_ppm: 1_000_000 },
  lines: [
    { id: "L1", from: "busbar", to: "near", r_nOhm: 60_000_000, x_nOhm: 25_000_000, rating_mA: 10_000 },
    { id: "L2", from: "near", to: "far", r_nOhm: 60_000_000, x_nOhm: 25_000_000, rating_mA: 10_000 },
  ],
  points: [
    { id: "AT-near", bus: "near" },
    { id: "AT-far", bus: "far" },
    { id: "AT-supply", bus: "busbar" },
  ],
};

async function sealed(chain: TestChain, grid: { readonly [name: string]: Value }): Promise<string> {
  const hash = hashOf(grid);
  await chain.done(operator, NETWORK, { part: 0, of: 1, hash, ...grid });
  return hash;
}

for (const name of caseNames) {
  test(`${name}: QuickJS comes to the bits that this engine comes to, and to its verdicts`, {
    skip: caseFiles.skip,
  }, async (t) => {
    const file = readCase(name);
    const solved = file.cases.filter(({ outage }) => outage === null);
    assert.ok(solved.length > 0, "cases without outage");
    for (const each of solved) {
      const grid = statedGrid(file, each);
      const chain = flows.chain();
      const [said] = await chain.ask(operator, 1, grid as unknown as Value);
      assert.deepEqual(said!.body, bitsOf(loadFlow(gridFrom(grid as unknown as Value).network)));
      t.diagnostic(
        `${name}, load ${each.load_scale}: ${file.buses.length} buses, one load flow takes ${chain.used} of the budget`,
      );
    }
    const grid = statedGrid(file, solved[0]!) as unknown as { readonly [name: string]: Value };
    const chain = dispatch.chain();
    const hash = await sealed(chain, grid);
    const last = file.buses.at(-1)!.i;
    for (const [at, power_kW] of [1, 20_000].entries()) {
      const rows = [[`P${last}`, power_kW * 250_000, "a trade", anna]];
      const said = await chain.ask(dispatcher, SCHEDULE, { slot_s: SLOT + 900 * at, rows });
      const { network, limits, points } = gridFrom(grid);
      const bus = points.get(`P${last}`)!;
      const power = BigInt(power_kW * 250_000);
      const deliveries = [{ bus, power, reactive: 0n }];
      const here = checkSchedule({ network, limits, deliveries, base: BASE_W * 250, withOutages: false });
      const [verdict] = effects(said, "verdict");
      assert.deepEqual([verdict!.verdict, verdict!.kept_permille, verdict!.network], [here.type, here.kept, hash]);
      t.diagnostic(`${name}: ${power_kW} kW at bus ${last}, ${here.type}, takes ${chain.used} of the budget`);
    }
  });
}

test("SHA-256 in integers is that of Node, and a network's text is that of jq -cS", () => {
  for (const length of [0, 1, 55, 56, 63, 64, 119, 120, 1_000]) {
    const text = "grid".repeat(length).slice(0, length);
    assert.equal(sha256OfText(text), createHash("sha256").update(text).digest("hex"), `${length} characters`);
  }
  assert.equal(canonicalText({ b: [1, "x"], a: { d: null, c: true } }), '{"a":{"c":true,"d":null},"b":[1,"x"]}');
});

test("a network comes in parts, in order, by its operator, under the hash of the whole", async () => {
  const chain = dispatch.chain();
  const hash = hashOf(feeder);
  const { lines, ...rest } = feeder;
  const [first, second] = [
    { part: 0, of: 2, hash, ...rest },
    { part: 1, of: 2, hash, lines },
  ];
  assert.equal(await chain.denied(dispatcher, NETWORK, first), "role");
  assert.equal(await chain.denied(operator, NETWORK, second), "part-missing");
  await chain.done(operator, NETWORK, first);
  assert.equal(await chain.denied(operator, NETWORK, { ...second, of: 3 }), "other-parts");
  const changed = [{ ...lines[0]!, rating_mA: 20_000 }, lines[1]!];
  assert.equal(await chain.denied(operator, NETWORK, { ...second, lines: changed }), "hash");
  const said = await chain.done(operator, NETWORK, second);
  assert.deepEqual(effects(said, "network"), [{ hash, operator: operator.id, buses: 3, branches: 2 }]);
  assert.equal(await chain.denied(other, NETWORK, { part: 0, of: 1, hash, ...feeder }), "operator");
  const wrong = { ...feeder, lines: [{ ...lines[0]!, to: "nowhere" }] };
  assert.equal(await chain.denied(operator, NETWORK, { part: 0, of: 1, hash: hashOf(wrong), ...wrong }), "malformed");
});

test("an overload is curtailed alike for all trades, both sides of each, and names what binds", async () => {
  const chain = dispatch.chain();
  const hash = await sealed(chain, feeder);
  // 4 kW each for a quarter of an hour.
  const rows = [
    ["AT-near", 1_000_000, "t1", anna],
    ["AT-supply", -1_000_000, "t1", null],
    ["AT-far", 1_000_001, "t2", anna],
    ["AT-supply", -1_000_001, "t2", null],
  ];
  const said = await chain.done(dispatcher, SCHEDULE, { slot_s: SLOT, rows });
  const [verdict] = effects(said, "verdict");
  assert.deepEqual([verdict!.verdict, verdict!.network], ["curtailed", hash]);
  assert.deepEqual((verdict!.binding as { branch: string }).branch, "L1");
  const [transmission] = effects(said, "transmission");
  const kept = (transmission!.rows as readonly (readonly Value[])[]).map(([, energy]) => Number(energy));
  assert.deepEqual([kept[0], kept[2]], [-kept[1]!, -kept[3]!]);
  assert.equal(kept[0]! + kept[2]!, Math.floor((2_000_001 * Number(verdict!.kept_permille)) / 1_000));
  const more = await chain.done(dispatcher, SCHEDULE, { slot_s: SLOT, rows: [["AT-far", 500_000, "t3", anna]] });
  assert.ok(Number(effects(more, "verdict")[0]!.kept_permille) < 10, "what is granted already leaves no room");
  const later = await chain.done(dispatcher, SCHEDULE, { slot_s: SLOT + 900, rows: [["AT-far", 500_000, "t3", anna]] });
  assert.equal(effects(later, "verdict")[0]!.verdict, "accepted", "another slot has room");
});

interface Lossy {
  readonly losses_mWh: number;
  readonly losses: readonly number[];
  readonly fee: number;
}

test("a transmission contract has the losses that it adds, shared among its rows by energy", async () => {
  const chain = dispatch.chain({ fee_per_kWh: 1_000, loss_per_kWh: 20_000 });
  await sealed(chain, feeder);
  const { network, limits } = gridFrom(feeder as unknown as Value);
  const base = (BASE_W * 900 * 10) / 36;
  const lossesIn = (fed_mWh: number) => {
    const buses = network.buses.map((bus) => ({
      ...{ ...bus, power: { re: bus.id === "far" ? fed_mWh / base : 0, im: 0 } },
    }));
    const flow = loadFlow({ ...network, buses });
    assert.ok(flow.type === "solved" && limits.bands.length === 3);
    return flow.flows.reduce((sum, { loss }) => sum + loss, 0) * base;
  };
  const ask = async (energy: number) => {
    const rows = [
      ["AT-far", energy, "t", anna],
      ["AT-supply", -energy, "t", null],
    ];
    const [transmission] = effects(await chain.done(dispatcher, SCHEDULE, { slot_s: SLOT, rows }), "transmission");
    const { losses_mWh, losses, fee } = transmission as unknown as Lossy;
    assert.equal(fee, Math.trunc((Math.abs(energy) * 1_000 + losses_mWh * 20_000) / 1_000_000));
    assert.equal(
      losses.reduce((sum, part) => sum + part, 0),
      losses_mWh,
    );
    assert.ok(Math.abs(losses[0]! - losses[1]!) <= 1, "both sides have the same energy");
    return losses_mWh;
  };
  const first = await ask(600_000);
  assert.equal(first, Math.round(lossesIn(600_000)));
  assert.ok(first > 0);
  const second = await ask(500_000);
  assert.ok(second > first, "what comes on top of it loses more for each mWh");
  assert.ok(Math.abs(first + second - lossesIn(1_100_000)) <= 1, "together they are those of the slot");
  assert.ok((await ask(-400_000)) < 0, "what is taken where others feed in loses less");
});

test("schedules that nobody may ask for are denied by their rule, those outside a jurisdiction's bounds by its paragraph", async () => {
  const chain = dispatch.chain({
    lead_s: 3_000,
    lead_s_law: "RO 1 Art. 2(3)",
    trade_mWh: 5_000_000,
    trade_mWh_law: "RO 1 Art. 4",
  });
  const rows = [["AT-far", 1, "t", anna]];
  assert.equal(await chain.denied(dispatcher, SCHEDULE, { slot_s: SLOT, rows }), "no-network");
  await sealed(chain, feeder);
  assert.equal(await chain.denied({ id: anna, role: 2 }, SCHEDULE, { slot_s: SLOT, rows }), "role");
  assert.equal(await chain.denied(dispatcher, SCHEDULE, { slot_s: SLOT + 1, rows }), "law");
  assert.equal(await chain.denied(dispatcher, SCHEDULE, { slot_s: 899_100, rows }), "late");
  const [lead] = await chain.ask(dispatcher, SCHEDULE, { slot_s: SLOT - 2_700, rows });
  assert.deepEqual([lead!.name, lead!.body], ["law", { parameter: "lead_s", value: 3_000, law: "RO 1 Art. 2(3)" }]);
  const [most] = await chain.ask(dispatcher, SCHEDULE, { slot_s: SLOT, rows: [["AT-far", 5_000_001, "t", anna]] });
  assert.equal((most!.body as { law: string }).law, "RO 1 Art. 4");
  assert.equal(
    await chain.denied(dispatcher, SCHEDULE, { slot_s: SLOT, rows: [["AT-none", 1, "t", anna]] }),
    "unknown-point",
  );
  assert.equal(await chain.denied(dispatcher, SCHEDULE, { slot_s: SLOT, rows: [["AT-far", 1, "t"]] }), "malformed");
});

test("a countersigned contract is held to what was metered: a deviation beyond tolerance is a breach, and credit is told", async () => {
  const chain = dispatch.chain({ tolerance_permille: 100, penalty_per_kWh: 12_000 });
  await sealed(chain, feeder);
  const argument = {
    ...{ service: 1, number: 0, contract: "auction", name: "schedule", height: 3, time_s: chain.time_s },
    body: {
      ...{ slot_s: SLOT, length_s: 900 },
      rows: [
        ["AT-near", 1_000_000, "t1", anna],
        ["AT-supply", -1_000_000, "t1", null],
      ],
    },
  };
  const judged = await chain.run("message", argument as unknown as Value);
  const answer = judged.find(({ type }) => type === "message")!;
  assert.deepEqual(
    [answer.name, (answer.body as { rows: Value }).rows],
    [
      "verdict",
      [
        ["AT-near", 1_000_000, "t1", anna, 1_000_000],
        ["AT-supply", -1_000_000, "t1", null, -1_000_000],
      ],
    ],
  );
  assert.equal(await chain.denied(dispatcher, COUNTERSIGN, { numbers: [0] }), "operator");
  assert.equal(await chain.denied(operator, COUNTERSIGN, { numbers: [7] }), "unknown-transmission");
  const signed = await chain.done(operator, COUNTERSIGN, { numbers: [0] });
  assert.deepEqual(
    signed.map(({ type, name }) => [type, name]),
    [
      ["effect", "countersigned"],
      ["message", "transmission"],
    ],
  );
  assert.equal(await chain.denied(operator, COUNTERSIGN, { numbers: [0] }), "countersigned");
  const said = await chain.close(SLOT, [
    ["AT-near", 0, 800_000, 1],
    ["AT-supply", 1_000_000, 0, 1],
  ]);
  const [breach] = said.filter(({ type }) => type === "violation");
  assert.deepEqual(breach!.body, {
    ...{ class: 2, slot_s: SLOT, point: "AT-near", contracted_mWh: 1_000_000, metered_mWh: 800_000 },
    ...{ beyond_mWh: 100_000, penalty: 1_200, transmission: 0 },
  });
  const told = said.filter(({ type }) => type === "message").map(({ body }) => body);
  assert.deepEqual(told, [{ slot_s: SLOT, rows: [[anna, 1_000_000, 100_000, "AT-near", 0]] }]);
  const kept = () => [...chain.state.keys()].filter((key) => key !== "count" && !key.startsWith("network"));
  assert.equal(kept().length, 3, "slot, contract and deadline");
  await chain.pass(SLOT + 7 * 86_400);
  assert.deepEqual(kept(), []);
});

test("eight schedules of a slot are one signer's, and what is signed keeps no chain's trades out", async () => {
  const chain = dispatch.chain();
  await sealed(chain, feeder);
  const rows = [["AT-far", 1, null, null]];
  for (let count = 0; count < 8; count += 1) await chain.done(dispatcher, SCHEDULE, { slot_s: SLOT, rows });
  assert.equal(await chain.denied(dispatcher, SCHEDULE, { slot_s: SLOT, rows }), "full");
  await chain.done(operator, SCHEDULE, { slot_s: SLOT, rows });
  const place = { service: 1, number: 0, contract: "auction", name: "schedule", height: 3, time_s: chain.time_s };
  const said = await chain.run("message", { ...place, body: { slot_s: SLOT, length_s: 900, rows } });
  assert.equal(effects(said, "verdict")[0]!.verdict, "accepted");
});

test("a participant that is no ID is denied, and an energy that no point can carry is not metered", async () => {
  const chain = dispatch.chain();
  await sealed(chain, feeder);
  const row = (participant: string) => [["AT-near", 1_000, "t", participant]];
  assert.equal(await chain.denied(dispatcher, SCHEDULE, { slot_s: SLOT, rows: row("anna") }), "malformed");
  await chain.done(dispatcher, SCHEDULE, { slot_s: SLOT, rows: row(anna) });
  await chain.done(operator, COUNTERSIGN, { numbers: [0] });
  const said = await chain.close(SLOT, [["AT-near", 0, 9_223_372_036_854_775_807n, 1]]);
  assert.deepEqual(
    said.map(({ type, name }) => [type, name]),
    [["effect", "unmetered"]],
  );
});

for (const [place, ahead_s] of [
  ["EU", 900],
  ["CN", 43_200],
] as const) {
  test(`under the parameters of ${place} a schedule that comes late or begins at no slot is denied by the paragraph`, async () => {
    const path = sourceOf(`../../tools/dispatch/contract/parameters/${place}.json`);
    const { parameters } = JSON.parse(readFileSync(path, "utf8")) as { parameters: Record<string, string | number> };
    const chain = dispatch.chain(parameters);
    await sealed(chain, feeder);
    const rows = [["AT-far", 1, "t", anna]];
    const slot_s = 900_000 + ahead_s;
    for (const [parameter, asked_s] of [
      ["lead_s", slot_s],
      ["slot_s", slot_s + 1],
    ] as const) {
      const [denial] = await chain.ask(dispatcher, SCHEDULE, { slot_s: asked_s, rows });
      const law = { parameter, value: parameters[parameter], law: parameters[`${parameter}_law`] };
      assert.deepEqual([denial!.type, denial!.name, denial!.body], ["denial", "law", law]);
    }
    const said = await chain.done(dispatcher, SCHEDULE, { slot_s: 900_000 + 86_400, rows });
    assert.equal(effects(said, "verdict")[0]!.verdict, "accepted", "what is within the bounds is judged");
  });
}
