// Exports: rows that can be proved one by one, the same bytes from the same blocks, and nothing of a chain that is not good.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { parquetWriteBuffer } from "hyparquet-writer";
import { decodeBlock } from "../../src/wire/block.js";
import { toHex } from "../../src/wire/bytes.js";
import { headerHash } from "../../src/wire/header.js";
import { digestsOf, encodeDisclosure, parseRecord } from "../../src/wire/record.js";
import { columns, type Row } from "../../tools/analytics/columns.js";
import { exportReadings } from "../../tools/analytics/export.js";
import { digestOf, readManifest } from "../../tools/analytics/manifest.js";
import { createParts } from "../../tools/analytics/parts.js";
import { type Export, rowsOf } from "../../tools/analytics/read.js";
import { readCsv } from "../../tools/files/csv.js";
import { buildChain, makeMeter, stranger } from "../audit/chain-builder.js";
import { emptyFolder, exported, FROM_S, householdChain, planOf } from "./tables.js";

const everything = { from_s: 0, to_s: 2 ** 40 };

async function allRows(of: Export): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for await (const row of rowsOf(of, 1, everything)) rows.push(row);
  return rows;
}

test("each row says where its record is sealed, and by which digest it is proved", async (t) => {
  const { chain, ids } = householdChain([{ taken: [100, 50], given: [0, 30] }, { taken: [7, 8] }], 2);
  const of = await exported(t, chain);
  const rows = await allRows(of);
  assert.equal(rows.length, 3 * 3);
  for (const { height, leaf, record, meter, number, time_s, obis, value, unit } of rows) {
    const { batches } = decodeBlock(chain.blocks[height - 1]!);
    const sealed = parseRecord(batches.flatMap(({ records }) => records)[leaf - 1]!);
    assert.deepEqual(
      [record, meter, number, time_s],
      [toHex(sealed.hash), toHex(sealed.kid), sealed.claims.seq, sealed.claims.time_s],
    );
    assert.ok(ids.includes(meter) && unit === "Wh" && value !== null && obis !== null);
  }
  const [trading] = of.manifest.chains;
  assert.deepEqual(
    [trading!.name, trading!.records, trading!.meters, trading!.rows, trading!.hidden],
    ["trading", 6, 2, 9, 0],
  );
  assert.equal(trading!.header, toHex(headerHash(decodeBlock(chain.blocks.at(-1)!).header)));
});

test("the same blocks come to the same bytes", async (t) => {
  const { chain } = householdChain([{ taken: [1, 2, 3] }]);
  const [one, other] = [await exported(t, chain), await exported(t, chain)];
  assert.deepEqual(one.manifest, other.manifest);
  assert.deepEqual(await readManifest(one.folder), one.manifest);
});

test("a range has its rows alone, and names the header of its last block", async (t) => {
  const { chain } = householdChain([{ taken: [1, 2, 3, 4, 5] }], 2);
  const of = await exported(t, chain, { from: 2, to: 2 });
  assert.deepEqual([...new Set((await allRows(of)).map(({ height }) => height))], [2]);
  assert.equal(of.manifest.chains[0]!.header, toHex(headerHash(decodeBlock(chain.blocks[1]!).header)));
});

test("CSV says the same as Parquet", async (t) => {
  const { chain } = householdChain([{ taken: [1, 2, 3] }]);
  const of = await exported(t, chain, { forms: ["parquet", "csv"] });
  const rows = await allRows(of);
  const files = of.manifest.files.filter(({ form }) => form === "csv");
  const texts = await Promise.all(files.map(({ path }) => readFile(join(of.folder, path), "utf8")));
  const cells = texts.flatMap((text) =>
    readCsv(text)
      .slice(1)
      .map((row) => row.cells),
  );
  assert.deepEqual(
    cells.map(([height, , record, , , time, , , obis, value]) => [height, record, time, obis, value]),
    rows.map(({ height, record, time_s, obis, value }) => [
      ...[String(height), record, new Date(time_s * 1_000).toISOString(), obis, String(value)],
    ]),
  );
});

test("what is confidential is not there, and is counted", async (t) => {
  const chain = buildChain();
  const meter = makeMeter(1);
  const registers = [{ obis: Uint8Array.of(1, 0, 1, 7, 0, 255), value: 424_242, scaler: 0, unit: 27 }];
  const disclosure = encodeDisclosure({ salt: new Uint8Array(16), label: "power", registers });
  chain.seal({ records: [meter.record()], credentials: [meter.credential] });
  chain.seal({ records: [meter.record({ digests: digestsOf([disclosure]) })] });
  const of = await exported(t, chain, { forms: ["parquet", "csv"] });
  assert.equal(of.manifest.chains[0]!.hidden, 1);
  assert.deepEqual(
    (await allRows(of)).map(({ hidden }) => hidden),
    [0, 1],
  );
  for (const { path } of of.manifest.files) {
    assert.doesNotMatch(await readFile(join(of.folder, path), "latin1"), /424242/);
  }
});

test("a chain that an audit refuses leaves no folder", async (t) => {
  const folder = await emptyFolder(t);
  const chain = buildChain();
  const meter = makeMeter(1);
  chain.seal({ records: [meter.record()], credentials: [meter.credential] });
  chain.seal({ records: [meter.record({}, stranger)] });
  await assert.rejects(exportReadings(planOf(chain, join(folder, "tables"))), { code: "CHAIN_INVALID" });
  assert.equal(existsSync(join(folder, "tables")), false);
});

test("a file that was changed is refused by its digest", async (t) => {
  const { chain } = householdChain([{ taken: [1, 2, 3] }]);
  const of = await exported(t, chain);
  const path = join(of.folder, of.manifest.files[0]!.path);
  const bytes = await readFile(path);
  bytes[40]! ^= 1;
  await writeFile(path, bytes);
  await assert.rejects(allRows(of), { code: "FILE_INVALID" });
});

test("a table that somebody else made of other cells is refused, whatever its digest says", async (t) => {
  const { chain } = householdChain([{ taken: [1, 2, 3] }]);
  const of = await exported(t, chain);
  const [file] = of.manifest.files;
  for (const [name, cell, type] of [
    ["time", "now", "STRING"],
    ["obis", "no code", "STRING"],
    ["value", "7", "STRING"],
    ["meter", 7, "INT32"],
  ] as const) {
    const row: Record<string, unknown> = { ...(await allRows(of))[0], time: new Date(0) };
    const columnData = columns.map((column) => {
      const isOther = column.name === name;
      const kept = row[column.name];
      const own = column.type === "INT64" && kept !== null ? BigInt(kept as number) : kept;
      return { name: column.name, type: isOther ? type : column.type, data: [isOther ? cell : own] };
    });
    const bytes = new Uint8Array(parquetWriteBuffer({ columnData: columnData as never }));
    const folder = await emptyFolder(t);
    await mkdir(join(folder, dirname(file!.path)), { recursive: true });
    await writeFile(join(folder, file!.path), bytes);
    const files = [{ ...file!, bytes: bytes.length, sha256: digestOf(bytes) }];
    await assert.rejects(allRows({ folder, manifest: { ...of.manifest, files } }), { code: "FILE_INVALID" }, name);
  }
});

test("a manifest that names files elsewhere is refused", async (t) => {
  const { chain } = householdChain([{ taken: [1] }]);
  const of = await exported(t, chain);
  const text = await readFile(join(of.folder, "manifest.json"), "utf8");
  for (const [from, to] of [
    ["service=1/", "../service=1/"],
    ["gridseal/readings/1", "gridseal/readings/2"],
    ['"unit_code"', '"unit"'],
  ] as const) {
    await writeFile(join(of.folder, "manifest.json"), text.replace(from, to));
    await assert.rejects(readManifest(of.folder), { code: "FILE_INVALID" }, from);
  }
});

test("rows that are held are bounded: the day with most is written, and all rows come back", async (t) => {
  const folder = await emptyFolder(t);
  const parts = createParts(folder, ["parquet"], 10);
  const row = (at: number): Row => ({
    ...{ height: 1, leaf: at, record: "00".repeat(32), meter: "00".repeat(8), number: at, quality: 2, hidden: 0 },
    ...{
      time_s: FROM_S + (at % 3) * 86_400,
      obis: null,
      value: null,
      scaler: null,
      unit: null,
      unit_code: null,
      age_s: null,
    },
  });
  for (let at = 0; at < 100; at += 1) parts.add(1, row(at));
  const files = parts.finish();
  assert.ok(files.every(({ rows }) => rows <= 10) && files.length > 10);
  assert.equal(
    files.reduce((sum, { rows }) => sum + rows, 0),
    100,
  );
  assert.equal(new Set(files.map(({ path }) => path)).size, files.length);
});
