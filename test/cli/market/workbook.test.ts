// `gridseal market recompute` of a workbook: the same as of the same report in separated values.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type CellText, workbookParts, zip } from "../../files/xlsx/workbook-writer.js";
import { command } from "../command.js";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gridseal-workbook-"));
});
after(() => rm(folder, { recursive: true }));

async function recompute(report: string | Uint8Array, columns: object) {
  await writeFile(join(folder, "report"), report);
  await writeFile(join(folder, "columns.json"), JSON.stringify(columns));
  const words = ["market", "recompute", "report", "--columns", "columns.json", "--limit", "1000"];
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...words], {
    encoding: "utf8",
    cwd: folder,
  });
  return { status, stdout, stderr };
}

const columns = {
  time: "Zeit",
  zone: "Europe/Vienna",
  headings: 3,
  footings: 1,
  decimal: ",",
  separator: ";",
  model: "proportional",
  consumers: [
    { name: "Anna", consumed: "A", offered: "A share" },
    { name: "Bert", consumed: "B", offered: 5 },
  ],
  producers: [{ name: "Roof", produced: "Roof" }],
};
const heads = ["Zeit", "A", "B", "A share", "B share", "Roof"];

/** Quarters of an hour from one UTC moment to another, by what clocks in Vienna show, as if that were UTC. */
function localQuarters(first: string, end: string): readonly Date[] {
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone: "Europe/Vienna",
    dateStyle: "short",
    timeStyle: "medium",
  });
  const [from_ms, end_ms] = [Date.parse(first), Date.parse(end)];
  return Array.from({ length: (end_ms - from_ms) / 900_000 }, (_, slot) => {
    return new Date(`${format.format(from_ms + 900_000 * slot).replace(" ", "T")}Z`);
  });
}

/** A: 0.1 kWh and more, B: twice that, the roof gives 0.3 kWh: a third is A's. Every seventh row says otherwise. */
function energies(slot: number): readonly number[] {
  const consumed = (1_000 + slot) / 10_000;
  return [consumed, (2_000 + 2 * slot) / 10_000, slot % 7 === 0 ? 0.1234565 : 0.1, 0.2, 0.3];
}

test("a report has the same figures line by line as a workbook and as separated values, on days of 92 and of 100 quarters", async () => {
  for (const [first, end, rows] of [
    ["2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 92],
    ["2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 100],
  ] as const) {
    const quarters = localQuarters(first, end);
    assert.equal(quarters.length, rows);
    const dotted = (time: Date) => {
      const [date, clock] = time.toISOString().split("T") as [string, string];
      return `${date.split("-").reverse().join(".")} ${clock.slice(0, 5)}`;
    };
    const table = (time: (time: Date) => CellText, figure: (value: number) => CellText): CellText[][] => [
      ["Report of shares"],
      ["", "", "", "", "", ""],
      heads,
      ...quarters.map((each, slot) => [time(each), ...energies(slot).map(figure)]),
      ["Sum", "1"],
    ];
    const comma = (value: number) => String(value).replace(".", ",");
    const lines = table(dotted, comma).map((cells) => `${cells.join(";")}\r\n`);
    const csv = await recompute(lines.join(""), columns);
    assert.equal(csv.status, 1, csv.stderr);
    assert.match(csv.stderr, new RegExp(`differs in ${Math.ceil(rows / 7)} figures`));
    assert.match(csv.stdout, new RegExp(`^${rows} slots; in 0 `, "m"));

    // As spreadsheets write a double: up to seventeen digits.
    const stored = (value: number): CellText => ({ xml: `><v>${value.toExponential(16).replace("e", "E")}</v>` });
    const serial = (time: Date): CellText => ({ xml: ` s="1"><v>${time.getTime() / 86_400_000 + 25_569}</v>` });
    const inline = (time: Date): CellText => ({ xml: ` t="inlineStr"><is><t>${dotted(time)}</t></is>` });
    const book = (sheet: CellText[][]) => ({
      sheets: { Cover: [["x"]], Shares: sheet },
      formats: ["dd.mm.yyyy hh:mm"],
    });
    for (const [time, figure, method] of [
      [serial, stored, "deflated"],
      [inline, stored, "stored"],
      [dotted, comma, "deflated"],
    ] as const) {
      const xlsx = await recompute(zip(workbookParts(book(table(time, figure))), method), {
        ...columns,
        sheet: "Shares",
      });
      assert.deepEqual(xlsx, csv);
    }
  }
});

test("a workbook that cannot be read is refused with its name and the cell, or with what to do", async () => {
  const wrong = { sheets: { Shares: [[], [], heads, ["24.12.2026 00:00", { xml: ' t="e"><v>#N/A</v>' }], ["Sum"]] } };
  const refused = await recompute(zip(workbookParts(wrong)), columns);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /report: sheet "Shares", row 4, column B: the cell shows the error #N\/A/);
  const named = await recompute(zip(workbookParts(wrong)), { ...columns, sheet: "shares" });
  assert.match(named.stderr, /report: the workbook has no sheet "shares"; it has "Shares"/);
  const old = await recompute(Buffer.from("d0cf11e0a1b11ae1", "hex"), columns);
  assert.match(old.stderr, /report: the workbook is of the old kind, XLS: open it and save it as XLSX or CSV/);
  const cut = await recompute(zip(workbookParts(wrong)).subarray(0, 900), columns);
  assert.match(cut.stderr, /report: the ZIP is cut or damaged/);
});
