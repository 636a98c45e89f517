// `gridseal chain slots`: an exported chain in, the meter's slot energies out, in text and in JSON.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { toHex } from "../../src/wire/bytes.js";
import type { Register } from "../../src/wire/record.js";
import { buildChain, makeMeter } from "../audit/chain-builder.js";
import { command } from "./command.js";

/** 2023-11-14T22:15:00Z, a quarter of an hour */
const START_S = 1_700_000_100;
const meter = makeMeter(1);
const other = makeMeter(2);
const tariffs = makeMeter(3);
let folder: string;

const counter = (tariff: number, value: number, scaler = 0): Register => ({
  obis: Uint8Array.of(1, 0, 1, 8, tariff, 255),
  value,
  scaler,
  unit: 30,
});

/** Runs the command on the exported chain. */
function slots(...parameters: readonly string[]) {
  const file = join(folder, "chain.cbor");
  const args = [command, "chain", "slots", file, ...parameters];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  return { status, stdout, stderr };
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gridseal-slots-"));
  const chain = buildChain();
  const readings = [
    { time_s: START_S, registers: [counter(0, 1_000), counter(1, 600), counter(2, 400)] },
    {
      time_s: START_S + 900,
      registers: [counter(0, 1_250), counter(1, 850), counter(2, 400)],
      errors: 2 ** 8 + 2 ** 30,
    },
    // In kWh, and read ten minutes into the third slot.
    { time_s: START_S + 2_400, registers: [counter(0, 2, 3), counter(1, 850), counter(2, 1_150)] },
  ].map((claims) => meter.record(claims));
  chain.seal({ records: readings.slice(0, 2), credentials: [meter.credential] });
  chain.seal({ records: [...readings.slice(2), other.record()], credentials: [other.credential] });
  const apart = [0, 1].map((slot) =>
    tariffs.record({
      time_s: START_S + 900 * slot,
      registers: [counter(1, 600 + 100 * slot), counter(2, 400 + 200 * slot)],
    }),
  );
  chain.seal({ records: apart, credentials: [tariffs.credential] });
  await writeFile(join(folder, "chain.cbor"), Buffer.concat(chain.blocks));
});
after(() => rm(folder, { recursive: true }));

test("lists each slot with energy, quality, doubts and the records that it rests on", () => {
  const { status, stdout, stderr } = slots("--meter", toHex(meter.kid));
  assert.equal(status, 0, stderr);
  assert.deepEqual(
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/ {2,}/).map((cell) => cell.trim())),
    [
      ["SLOT", "Wh", "QUALITY", "DOUBTS", "RECORDS"],
      ["2023-11-14T22:15:00.000Z", "250.000", "1", "fell kind 30", "0 1"],
      ["2023-11-14T22:30:00.000Z", "450.000", "2", "fell kind 30", "1 2"],
      ["2023-11-14T22:45:00.000Z", "-", "3", "fell kind 30", "-"],
    ],
  );
});

test("adds registers as tariffs are added, between the times that are named", () => {
  const tariffs = ["--register", "1-0:1.8.1", "--register", "1-0:1.8.2"];
  const times = ["--from", "2023-11-14T22:15:00Z", "--to", "2023-11-14T22:45:00Z"];
  const { stdout } = slots("--meter", toHex(meter.kid), ...tariffs, ...times, "--json");
  const { slots: listed, registers } = JSON.parse(stdout);
  assert.deepEqual(registers, ["1-0:1.8.1*255", "1-0:1.8.2*255"]);
  assert.deepEqual(listed, [
    { start: START_S, energy_mWh: 250_000, quality: 1, doubts: 2 ** 8 + 2 ** 30, seqs: [0, 1] },
    { start: START_S + 900, energy_mWh: 450_000, quality: 2, doubts: 2 ** 8 + 2 ** 30, seqs: [1, 2] },
  ]);
});

test("a meter that shows tariffs alone has their sum without --register, as the settlement has it", () => {
  const { status, stdout, stderr } = slots("--meter", toHex(tariffs.kid), "--json");
  assert.equal(status, 0, stderr);
  assert.deepEqual(JSON.parse(stdout).slots, [
    { start: START_S, energy_mWh: 300_000, quality: 1, doubts: 0, seqs: [0, 1] },
  ]);
});

test("a gap that is longer than may be interpolated leaves the slot without energy", () => {
  const { stdout } = slots("--meter", toHex(meter.kid), "--gap", "1200", "--json");
  const { slots: listed } = JSON.parse(stdout);
  assert.deepEqual(
    listed.map(({ quality }: { quality: number }) => quality),
    [1, 3, 3],
  );
});

test("says what was not found, and refuses more slots than it lists", () => {
  const foreign = slots("--meter", "0011223344556677");
  assert.equal(foreign.status, 1);
  assert.match(foreign.stderr, /no record of meter 0011223344556677 that shows 1-0:1\.8\.0\*255 or its tariffs in Wh/);
  const long = slots("--meter", toHex(meter.kid), "--slot", "1", "--from", "2020-01-01T00:00:00Z");
  assert.equal(long.status, 2);
  assert.match(long.stderr, /name --from and --to with at most 100000 between/);
  assert.equal(slots("--meter", toHex(meter.kid), "--register", "1.8.0").status, 2);
});
