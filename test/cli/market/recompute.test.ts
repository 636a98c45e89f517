// `gridseal market` and `gridseal grid` as their users call them: a report against signed readings, bids, a feeder.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { toHex } from "../../../src/wire/bytes.js";
import type { Register } from "../../../src/wire/record.js";
import { createZoneClock } from "../../../tools/cli/market/local-time.js";
import { buildChain, makeMeter } from "../../audit/chain-builder.js";
import { command } from "../command.js";

/** 2023-11-14T22:15:00Z */
const START_S = 1_700_000_100;
const anna = makeMeter(1);
const roof = makeMeter(2);
/** Shows tariffs alone. */
const cleo = makeMeter(3);
let folder: string;

function run(...parameters: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...parameters], {
    encoding: "utf8",
    cwd: folder,
  });
  return { status, stdout, stderr };
}

const counter = (c: number, value: number, tariff = 0): Register => ({
  obis: Uint8Array.of(1, 0, c, 8, tariff, 255),
  value,
  scaler: 0,
  unit: 30,
});

const columns = {
  time: "begin",
  model: "proportional",
  consumers: [
    { name: "Anna", consumed: "Anna", offered: "share", covered: "covered", meter: toHex(anna.kid) },
    { name: "Bert", consumed: 6 },
  ],
  producers: [{ name: "Roof", produced: "Roof", surplus: "rest", meter: toHex(roof.kid) }],
};
const HEAD = "begin,Anna,share,covered,Roof,Bert,rest\n";

/** Her meter counts two tariffs beside their sum. */
function annasCounters(slot: number): Register[] {
  return [counter(1, 1_000 + 250 * slot), counter(1, 700 + 150 * slot, 1), counter(1, 300 + 100 * slot, 2)];
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gridseal-market-"));
  const chain = buildChain();
  const records = [0, 1, 2].flatMap((slot) => [
    anna.record({ time_s: START_S + 900 * slot, registers: annasCounters(slot) }),
    roof.record({ time_s: START_S + 900 * slot, registers: [counter(2, 500 + 100 * slot)] }),
  ]);
  chain.seal({ records, credentials: [anna.credential, roof.credential] });
  const apart = [0, 1].map((slot) =>
    cleo.record({ time_s: START_S + 900 * slot, registers: annasCounters(slot).slice(1) }),
  );
  chain.seal({ records: apart, credentials: [cleo.credential] });
  await writeFile(join(folder, "chain.cbor"), Buffer.concat(chain.blocks));
  await writeFile(join(folder, "columns.json"), JSON.stringify(columns));
});
after(() => rm(folder, { recursive: true }));

test("a report that follows from the signed readings is good, and of one that does not each figure is named", async () => {
  // Anna 250 Wh and Bert 150 Wh consume, the roof gives 100 Wh: Anna is offered 62.5 Wh, Bert 37.5 Wh.
  const good = "2023-11-14 22:15,0.25,0.0625,0.0625,0.1,0.15,0\n2023-11-14T22:30Z,0.25,0.0625,0.0625,0.1,0.15,0\n";
  await writeFile(join(folder, "good.csv"), HEAD + good);
  const args = ["--columns", "columns.json", "--chain", "chain.cbor"];
  const fine = run("market", "recompute", "good.csv", ...args);
  assert.equal(fine.status, 0, fine.stderr);
  assert.match(fine.stdout, /^2 slots; in 0 /m);
  await writeFile(join(folder, "bad.csv"), HEAD + good.replace("0.25,0.0625,0.0625", "0.2,0.06,0.0625"));
  const wrong = run("market", "recompute", "bad.csv", ...args, "--json");
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /bad.csv differs in 2 figures/);
  const { differences } = JSON.parse(wrong.stdout) as { differences: unknown[] };
  const at = { line: 2, start: "2023-11-14T22:15:00.000Z", who: "Anna" };
  assert.deepEqual(differences, [
    { ...at, figure: "consumed", reported_mWh: 200_000, computed_mWh: 250_000 },
    { ...at, figure: "offered", reported_mWh: 60_000, computed_mWh: 62_500 },
  ]);
  assert.equal(run("market", "recompute", "bad.csv", ...args, "--tolerance", "50000").status, 0);
});

test("the tariffs of a meter are added, where none is named too, and one of them alone is another energy", async () => {
  const row = "2023-11-14 22:15,0.25,0.0625,0.0625,0.1,0.15,0\n";
  await writeFile(join(folder, "tariffs.csv"), HEAD + row);
  const [annas, bert] = columns.consumers;
  const recompute = async (register: string | readonly string[]) => {
    const map = { ...columns, consumers: [{ ...annas, register }, bert] };
    await writeFile(join(folder, "tariffs.json"), JSON.stringify(map));
    return run("market", "recompute", "tariffs.csv", "--columns", "tariffs.json", "--chain", "chain.cbor");
  };
  const both = await recompute(["1-0:1.8.1", "1-0:1.8.2"]);
  assert.equal(both.status, 0, both.stderr);
  const one = await recompute("1-0:1.8.1");
  assert.match(one.stderr, /differs in [1-9]/);
  const twice = await recompute(["1-0:1.8.1", "1-0:1.8.1"]);
  assert.match(twice.stderr, /Anna: a register is named twice/);
  const silent = await recompute(["1-0:1.8.1", "1-0:1.8.3"]);
  assert.match(silent.stderr, /no record was found of meter .* that shows 1-0:1\.8\.3/);
  const unnamed = { ...columns, consumers: [{ ...annas, meter: toHex(cleo.kid) }, bert] };
  await writeFile(join(folder, "unnamed.json"), JSON.stringify(unnamed));
  const sum = run("market", "recompute", "tariffs.csv", "--columns", "unnamed.json", "--chain", "chain.cbor");
  assert.equal(sum.status, 0, sum.stderr);
});

test("a report or a map of columns that cannot be read is refused with line, column and remedy", async () => {
  const cases: readonly (readonly [string, object, RegExp])[] = [
    [`${HEAD}yesterday,1,1,1,1,1,1\n`, columns, /line 2, "begin": "yesterday" is no time/],
    [`${HEAD}2023-11-14 22:15,1,5x,1,1,1,1\n`, columns, /line 2, "share": "5x" is no number/],
    [`${HEAD}2023-11-14 22:16,1,1,1,1,1,1\n`, columns, /line 2: .* begins no slot of 900 s/],
    [
      `${HEAD}2023-11-14 22:15,1,1,1,1,1,1\n2023-11-14 22:15,1,1,1,1,1,1\n`,
      columns,
      /line 3, .* is not after the row before/,
    ],
    [HEAD.replace("rest", "Roof"), columns, /two columns are headed "Roof"/],
    [HEAD.replace("rest", "other"), columns, /no column is headed "rest"/],
    [HEAD, { ...columns, model: "fair" }, /\/model/],
    [HEAD, { ...columns, model: "static" }, /consumer Anna has no key/],
    [HEAD, { ...columns, zone: "Mars/Base" }, /Mars\/Base/],
  ];
  for (const [report, map, expected] of cases) {
    await writeFile(join(folder, "case.csv"), report);
    await writeFile(join(folder, "case.json"), JSON.stringify(map));
    const { status, stderr } = run(
      "market",
      "recompute",
      "case.csv",
      "--columns",
      "case.json",
      "--chain",
      "chain.cbor",
    );
    assert.equal(status, 1, String(expected));
    assert.match(stderr, expected);
  }
  assert.match(run("market", "recompute", "good.csv", "--columns", "columns.json").stderr, /names meters: name where/);
});

test("local times of the hour that comes twice are told apart by the rows before, and the hour that is left out is none", () => {
  const vienna = createZoneClock("Europe/Vienna");
  const first = vienna.read("25.10.2026 02:15", 0)!;
  assert.equal(new Date(first * 1_000).toISOString(), "2026-10-25T00:15:00.000Z");
  assert.equal(vienna.read("25.10.2026 02:15", first), first + 3_600);
  assert.equal(vienna.read("2026-03-29 02:30", 0), undefined);
  assert.equal(vienna.read("2026-03-29 02:30+01:00", 0), Date.UTC(2026, 2, 29, 1, 30) / 1_000);
  assert.equal(vienna.read("31.02.2026 00:00", 0), undefined);
});

test("bids clear at one price, and what is no bid is refused with its line", async () => {
  await writeFile(join(folder, "bids.csv"), "side,price,volume\nbuy,30,500\nsell,10,300\nsell,20,400\n");
  const { status, stdout } = run("market", "clear", "bids.csv", "--floor", "-500", "--cap", "4000", "--json");
  assert.equal(status, 0);
  assert.deepEqual(JSON.parse(stdout), { price: 20, volume: 500, fills: [500, 300, 200] });
  const tied = "side,price,volume,preferred\nsell,10,300,no\nbuy,30,200,no\nbuy,30,400,yes\n";
  await writeFile(join(folder, "bids.csv"), tied);
  for (const [tie, fills] of [
    ["time", [300, 200, 100]],
    ["reward", [300, 0, 300]],
    ["share", [300, 100, 200]],
  ] as const) {
    const said = run("market", "clear", "bids.csv", "--floor", "0", "--cap", "40", "--tie", tie, "--json");
    assert.deepEqual(JSON.parse(said.stdout).fills, fills, tie);
  }
  await writeFile(join(folder, "bids.csv"), tied.replace("yes", "maybe"));
  assert.match(
    run("market", "clear", "bids.csv", "--floor", "0", "--cap", "40").stderr,
    /line 4: preferred is neither/,
  );
  await writeFile(join(folder, "bids.csv"), "side,price,volume\nbuy,9000,500\n");
  assert.match(run("market", "clear", "bids.csv", "--floor", "0", "--cap", "4000").stderr, /line 2: price is beyond/);
  await writeFile(join(folder, "bids.csv"), "side,price,volume\nbuy,30,500\n");
  assert.match(
    run("market", "clear", "bids.csv", "--floor", "0", "--cap", "4000", "--tie", "reward").stderr,
    /no column preferred: add one of yes and no/,
  );
});

test("a feeder that carries its deliveries is accepted; one that does not is curtailed, and the exit status says so", async () => {
  const feeder = (power_W: number) => ({
    buses: [
      { id: "mv", nominal_V: 20_000 },
      { id: "busbar", nominal_V: 400 },
      { id: "house", nominal_V: 400 },
    ],
    slack: { bus: "mv", voltage_ppm: 1_000_000 },
    transformers: [
      { id: "T1", from: "mv", to: "busbar", r_nOhm: 4_000_000, x_nOhm: 16_000_000, clock: 5, rating_VA: 400_000 },
    ],
    lines: [{ id: "L1", from: "busbar", to: "house", r_nOhm: 60_000_000, x_nOhm: 25_000_000, rating_mA: 200_000 }],
    loads: [{ bus: "house", power_W: 2_000, reactive_var: 500 }],
    deliveries: [{ id: "roof", bus: "house", power_W }],
  });
  await writeFile(join(folder, "feeder.json"), JSON.stringify(feeder(30_000)));
  const good = run("grid", "check", "feeder.json");
  assert.equal(good.status, 0, good.stderr);
  assert.match(good.stdout, /^verdict +accepted$/m);
  await writeFile(join(folder, "feeder.json"), JSON.stringify(feeder(300_000)));
  const much = run("grid", "check", "feeder.json");
  assert.equal(much.status, 1);
  assert.match(much.stderr, /carries .* % of its deliveries: L1 is loaded to|bus house comes to/);
  await writeFile(
    join(folder, "feeder.json"),
    JSON.stringify({ ...feeder(1), lines: [{ id: "L1", from: "busbar", to: "barn" }] }),
  );
  assert.match(run("grid", "check", "feeder.json").stderr, /is no grid: .*there is no bus barn/);
});

test("reports of other grid operators come to the same figures, however they write them", async () => {
  const head = HEAD.trimEnd().replaceAll(",", ";");
  const rows = ["14.11.2023 22:15;0,25;0,0625;0,0625;0,1;0,15;0", "14.11.2023 22:30;2,5e-1;0,0625;0,0625;0,1;0,15;0"];
  const plain = [head, ...rows].join("\r\n");
  const tabs = plain.replaceAll(";", "\t");
  const comma = { ...columns, decimal: "," };
  const ended = plain.replace("22:30", "22:45").replace("22:15", "22:30");
  // 0.25 kWh in a quarter of an hour are a mean of 1 kW.
  const power = `${head}\n14.11.2023 22:15;1.000;250;250,0;400;600;0\n`;
  const watthours = `${head}\n14.11.2023 22:15;250.000;62.500;62.500;100.000;150.000;0\n`;
  const windows = plain.replace("rest", "übrig");
  const named = { ...comma, producers: [{ ...columns.producers[0], surplus: "übrig" }] };
  const utf16 = Buffer.from(`\ufeff${tabs}`, "utf16le");
  const cases: readonly (readonly [string, string | Buffer, object])[] = [
    ["semicolons", plain, comma],
    ["tabs", tabs, comma],
    ["UTF-16, little end first", utf16, comma],
    ["UTF-16, big end first", Buffer.from(utf16).swap16(), comma],
    ["UTF-8 with its mark", `\ufeff${plain}`, comma],
    ["Windows-1252", Buffer.from(windows, "latin1"), { ...named, encoding: "windows-1252" }],
    ["a title with a comma", `Report, November;;\n${plain}`, { ...comma, headings: 2, separator: ";" }],
    ["ends of slots", ended, { ...comma, stamp: "end" }],
    ["power", power, { ...comma, unit: "W", grouping: "." }],
    ["groups of digits", watthours, { ...comma, unit: "mWh", grouping: "." }],
    ["totals and empty rows", `${plain}\r\n;;;;;;\r\nSum;0,5;;;;;\r\n;;;\r\n`, { ...comma, footings: 1 }],
  ];
  for (const [name, report, map] of cases) {
    await writeFile(join(folder, "kind.csv"), report);
    await writeFile(join(folder, "kind.json"), JSON.stringify(map));
    const { status, stderr } = run(
      "market",
      "recompute",
      "kind.csv",
      "--columns",
      "kind.json",
      "--chain",
      "chain.cbor",
    );
    assert.equal(status, 0, `${name}: ${stderr}`);
  }
  await writeFile(join(folder, "kind.csv"), power.replace("1.000", "10.00"));
  await writeFile(join(folder, "kind.json"), JSON.stringify({ ...comma, unit: "W", grouping: "." }));
  const misplaced = run("market", "recompute", "kind.csv", "--columns", "kind.json", "--chain", "chain.cbor");
  assert.match(misplaced.stderr, /line 2, "Anna": "10.00" is no number/);
});

test("24:00 is the end of a day, of a month too, and no other time of an hour 24 is one", () => {
  const utc = createZoneClock("UTC");
  assert.equal(utc.read("30.11.2026 24:00", 0), Date.UTC(2026, 11, 1) / 1_000);
  assert.equal(utc.read("30.11.2026 24:15", 0), undefined);
  assert.equal(utc.read("31.11.2026 00:00", 0), undefined);
});
