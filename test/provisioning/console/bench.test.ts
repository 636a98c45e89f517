// The bench's folder and the list of meters: one ID a MAC, whatever is killed and run again.

import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Listed, openBench } from "../../../tools/provisioning/console/bench.js";
import { readList } from "../../../tools/provisioning/console/list.js";

async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-bench-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "bench");
}

const list: readonly Listed[] = [
  { id: "a", place: 1 },
  { id: "b", place: 2, mac: "0200000000bb" },
  { id: "c", place: 3 },
];

test("a MAC gets the ID that the list has for it or the first that is free, and keeps it", async (t) => {
  const folder = await temporary(t);
  const first = await openBench(folder, list, false);
  // At once, as of many ports.
  const [one, two, three] = await Promise.all(["02000000000a", "0200000000bb", "02000000000c"].map(first.assign));
  assert.deepEqual([one!.id, two!.id, three!.id], ["a", "b", "c"]);
  await assert.rejects(first.assign("02000000000d"), /no ID is left for the meter 02000000000d/);
  await assert.rejects(openBench(folder, list, false), { code: "FOLDER_IN_USE" });
  await first.close();
  const second = await openBench(folder, list, false);
  assert.deepEqual(await second.assign("02000000000c"), list[2]);
  await second.close();
  const other = await openBench(folder, [{ id: "a", place: 1 }], false);
  await assert.rejects(other.assign("02000000000e"), /no ID is left/);
  await assert.rejects(other.assign("0200000000bb"), /is b already, which is not among the IDs/);
  await other.close();
});

test("an ID that is another meter's is refused where the list binds it to a MAC", async (t) => {
  const folder = await temporary(t);
  const first = await openBench(folder, [{ id: "a", place: 1 }], false);
  await first.assign("020000000001");
  await first.close();
  const second = await openBench(folder, [{ id: "a", place: 1, mac: "020000000002" }], false);
  await assert.rejects(second.assign("020000000002"), /a is the meter 020000000001/);
  await second.close();
});

test("a dry run makes nothing, and knows what was assigned", async (t) => {
  const folder = await temporary(t);
  const dry = await openBench(folder, list, true);
  assert.equal((await dry.assign("020000000001")).id, "a");
  await dry.close();
  await assert.rejects(readdir(folder));
  const bench = await openBench(folder, list, false);
  await bench.assign("020000000009");
  await bench.close();
  const again = await openBench(folder, list, true);
  assert.equal((await again.assign("020000000009")).id, "a");
  assert.equal((await again.assign("020000000001")).id, "c");
  await again.close();
  assert.deepEqual((await readdir(folder)).sort(), ["020000000009.json"]);
});

test("a file that says otherwise than its name stops the bench", async (t) => {
  const folder = await temporary(t);
  await (await openBench(folder, list, false)).close();
  await writeFile(join(folder, "020000000001.json"), '{"mac":"020000000002","id":"a"}');
  await assert.rejects(openBench(folder, list, false), { code: "FILE_UNREADABLE" });
  await assert.rejects(openBench(folder, [...list, list[0]!], false), /an ID twice/);
});

test("a list has IDs, MACs in either spelling, and places", () => {
  const read = readList("id,mac,place\na,,\nb,02:00:00:00:00:BB,7\n", "l.csv");
  assert.deepEqual(read, [
    { id: "a", place: 1 },
    { id: "b", place: 7, mac: "0200000000bb" },
  ]);
  for (const [text, why] of [
    ["mac\n02\n", /of which id must be there/],
    ["id,colour\na,red\n", /its first row names the columns/],
    ["id\n", /1 to 50000 rows/],
    ["id,mac\na,0200\n", /line 2: 0200 is no MAC/],
    ["id,place\na,x\n", /line 2: x is no place/],
  ] as const)
    assert.throws(() => readList(text, "l.csv"), why);
});
