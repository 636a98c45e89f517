// `gridseal record list` and `get`, and `chain export` as rows: what a customer or a regulator asks of sealed records.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { toHex } from "../../src/wire/bytes.js";
import { parseRecord } from "../../src/wire/record.js";
import { readCsv } from "../../tools/files/csv.js";
import { buildChain, makeGenesis, makeMeter } from "../audit/chain-builder.js";
import { command } from "./command.js";

/** 2023-11-14T22:15:00Z */
const START_S = 1_700_000_100;
const meter = makeMeter(1);
const other = makeMeter(2);
const readings = [0, 900, 1_800].map((later, place) =>
  meter.record({
    time_s: START_S + later,
    registers: [{ obis: Uint8Array.of(1, 0, 1, 8, 0, 255), value: 1_000 + place, scaler: -1, unit: 30 }],
  }),
);
let folder: string;
let file: string;

function run(...args: readonly string[]) {
  return spawnSync(process.execPath, [command, ...args], { encoding: "utf8" });
}

const cellsOf = (line: string) => line.split(/ {2,}/).map((cell) => cell.trim());

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gridseal-records-"));
  file = join(folder, "chain.cbor");
  const chain = buildChain();
  chain.seal({ records: readings.slice(0, 1), credentials: [meter.credential] });
  chain.seal({ records: [other.record(), ...readings.slice(1)], credentials: [other.credential] });
  await writeFile(file, Buffer.concat(chain.blocks));
});
after(() => rm(folder, { recursive: true }));

test("lists a meter's records with time and block", () => {
  const { status, stdout, stderr } = run("record", "list", file, "--meter", toHex(meter.kid));
  assert.equal(status, 0, stderr);
  assert.deepEqual(stdout.trimEnd().split("\n").map(cellsOf), [
    ["NUMBER", "TIME", "BLOCK", "LEAF", "WHAT IT SAYS"],
    ["0", "2023-11-14T22:15:00.000Z", "1", "1", "1 register"],
    ["1", "2023-11-14T22:30:00.000Z", "2", "2", "1 register"],
    ["2", "2023-11-14T22:45:00.000Z", "2", "3", "1 register"],
  ]);
});

test("numbers that are not sealed have a line of their own, and the audit counts them before they are violations", async () => {
  const gone = makeMeter(3);
  const numbered = [gone.record(), gone.record({ seq: 4 }), gone.record({ seq: 6 })];
  const chain = buildChain();
  chain.seal({ records: numbered, credentials: [gone.credential] });
  const path = join(folder, "gaps.cbor");
  const genesis = join(folder, "genesis.cbor");
  await writeFile(path, Buffer.concat(chain.blocks));
  await writeFile(genesis, makeGenesis().bytes);
  const listed = run("record", "list", path, "--meter", toHex(gone.kid));
  const rows = listed.stdout.trimEnd().split("\n").slice(1).map(cellsOf);
  assert.deepEqual(
    rows.map(([number]) => number),
    ["0", "1-3", "4", "5", "6"],
  );
  assert.deepEqual(rows[1]!.slice(1), ["-", "-", "-", "missing: not sealed"]);
  const audited = run("chain", "audit", path, "--genesis", genesis);
  assert.equal(audited.status, 0, audited.stderr);
  assert.match(audited.stdout, /MISSING {2}GAPS/);
  assert.match(audited.stdout, new RegExp(`meter ${toHex(gone.kid)} has not brought numbers 1 to 3 yet`));
  assert.match(audited.stdout, new RegExp(`meter ${toHex(gone.kid)} has not brought number 5 yet`));
  const [report] = JSON.parse(run("chain", "audit", path, "--genesis", genesis, "--json").stdout);
  assert.deepEqual(report.openGaps, {
    numbers: 4,
    meters: 1,
    first: [
      { meter: toHex(gone.kid), from: 1, to: 3 },
      { meter: toHex(gone.kid), from: 5, to: 5 },
    ],
  });
  assert.equal(report.violations.gap, 0);
});

test("lists those between two moments, and says where there are more", () => {
  const period = ["--from", "2023-11-14T22:30:00Z", "--to", "2023-11-14T22:45:00Z"];
  const between = run("record", "list", file, "--meter", toHex(meter.kid), ...period);
  assert.deepEqual(
    between.stdout
      .trimEnd()
      .split("\n")
      .slice(1)
      .map((line) => cellsOf(line)[0]),
    ["1"],
  );
  const cut = run("record", "list", file, "--meter", toHex(meter.kid), "--limit", "2");
  assert.match(cut.stderr, /there are more than these 2: --limit gives more/);
  const none = run("record", "list", file, "--meter", "0000000000000000");
  assert.equal(none.status, 0);
  assert.match(none.stderr, /has no such record of 0000000000000000/);
});

test("gives rows with registers, as CSV and as JSON", () => {
  const csv = run("record", "list", file, "--meter", toHex(meter.kid), "--format", "csv");
  const [head, first] = readCsv(csv.stdout).map(({ cells }) => cells);
  assert.deepEqual(Object.fromEntries(head!.map((name, column) => [name, first![column]])), {
    ...{ height: "1", leaf: "1", signer: toHex(meter.kid), number: "0", time: "2023-11-14T22:15:00.000Z" },
    ...{ quality: "2", obis: "1-0:1.8.0*255", value: "100.0", unit: "Wh", age_s: "", confidential: "0" },
    ...{ type: "", body: "" },
  });
  const jsonl = run("record", "list", file, "--meter", toHex(meter.kid), "--format", "jsonl");
  const rows = jsonl.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    rows.map(({ height, seq, registers }) => [height, seq, registers[0].value]),
    [
      [1, 0, 1_000],
      [2, 1, 1_001],
      [2, 2, 1_002],
    ],
  );
});

test("gets one record, shown and as its bytes", async () => {
  const output = join(folder, "record.cbor");
  const got = run("record", "get", file, "--meter", toHex(meter.kid), "--seq", "1", "-o", output);
  assert.equal(got.status, 0, got.stderr);
  assert.match(got.stdout, /^leaf 2 of block 2\nrecord 1 of meter /);
  assert.match(got.stdout, /1-0:1\.8\.0\*255 +100\.1 Wh/);
  assert.deepEqual(parseRecord(new Uint8Array(await readFile(output))), parseRecord(readings[1]!));
  const missing = run("record", "get", file, "--meter", toHex(meter.kid), "--seq", "3");
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /has no record 3 of /);
});
