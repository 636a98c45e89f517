// What commands print of texts that others wrote: nothing that a terminal obeys.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { csvRow, readCsv } from "../../tools/files/csv.js";
import { printableLine, printableText } from "../../tools/printable.js";
import { foldLine, pairs, table, toJson } from "../../tools/terminal/output.js";

const place = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
/** It clears the screen, begins another line, turns text round, and is one of C1. */
const HOSTILE = "a\u001b[2J\r\nforged\u202eb\u009bc\u007f";
const SHOWN = "a\\u001b[2J\\u000d\\u000aforged\\u202eb\\u009bc\\u007f";

test("controls of a text are shown as escapes, in lines, tables and pairs", () => {
  assert.equal(printableLine(HOSTILE), SHOWN);
  assert.equal(printableLine("Zähler 操作\tn"), "Zähler 操作\tn", "letters and tabs stay");
  assert.deepEqual(table(["A", "B"], [[HOSTILE, "x"]]).slice(1), [`${SHOWN}  x`]);
  assert.deepEqual(pairs([["name", HOSTILE]]), [`name  ${SHOWN}`]);
});

test("a table wider than the terminal goes on in further lines, each cell below its head and whole", () => {
  const heads = ["TIME", "VIOLATION", "SUBJECT", "RULE"];
  const row = ["2026-11-30T17:31:24.000Z", "1:5:0", "0123456789abcdef", "dispatch/deviation"];
  assert.deepEqual(table(heads, [row], 60), [
    "TIME                      VIOLATION  SUBJECT",
    "  RULE",
    "2026-11-30T17:31:24.000Z  1:5:0      0123456789abcdef",
    "  dispatch/deviation",
  ]);
  assert.deepEqual(table(heads, [row.with(3, "")], 55).length, 3, "a line of which nothing is there is left out");
  assert.deepEqual(table(heads, [row], 200), table(heads, [row]));
  const long = table(["ORDER", "SAYS"], [[1, "one two three four five six seven"]], 20);
  assert.deepEqual(long, ["ORDER", "  SAYS", "    1", "  one two three four", "    five six seven"]);
});

test("values of pairs stay in their column, and a word longer than the terminal stays whole", () => {
  const entries = [["chains", "trading (1) credit (2) dispatch (3)"]] as const;
  assert.deepEqual(pairs(entries, 24), ["chains  trading (1)", "        credit (2)", "        dispatch (3)"]);
  assert.deepEqual(foldLine(`in ${"f".repeat(30)} there`, 20, 4), ["in", `    ${"f".repeat(30)}`, "    there"]);
  assert.deepEqual(foldLine("a line", undefined, 4), ["a line"]);
});

test("property: a folded line has the same words, and none of its lines is wider but by one word", () => {
  const words = fc.array(fc.string({ minLength: 1, maxLength: 30 }).filter((word) => !/\s/.test(word)));
  fc.assert(
    fc.property(words, fc.integer({ min: 10, max: 100 }), fc.integer({ min: 0, max: 6 }), (texts, columns, indent) => {
      const lines = foldLine(texts.join(" "), columns, indent);
      assert.deepEqual(lines.join(" ").split(/ +/).filter(Boolean), texts);
      for (const line of lines) assert.ok(line.length <= columns || !line.trim().includes(" "), line);
    }),
  );
});

test("a table may have more rows than a call takes arguments", () => {
  const rows = Array.from({ length: 200_000 }, (_, row) => [row]);
  assert.equal(table(["N"], rows).length, 200_001);
});

test("JSON with controls reads back as it was, and a row of CSV has none but ends of line", () => {
  assert.equal(JSON.parse(printableLine(toJson({ text: HOSTILE }))).text, HOSTILE);
  const row = csvRow(["1", HOSTILE]);
  assert.equal(row, printableText(row));
  assert.deepEqual(readCsv(row)[0]?.cells, ["1", printableText(HOSTILE)]);
});

test("gridseal prints no control of a file's name that it complains of", () => {
  const parameters = ["--import", "tsx", place("tools/cli/gridseal.ts"), "genesis", "show", "no\u001b[31m\u009b.cbor"];
  const { stderr, status } = spawnSync(process.execPath, parameters, { encoding: "utf8", cwd: place(".") });
  assert.notEqual(status, 0);
  assert.match(stderr, /no\\u001b\[31m\\u009b\.cbor/);
  assert.equal(stderr, printableText(stderr));
});

test("no command writes to standard output or error but through terminal/output", () => {
  const files = ["tools/cli", "tools/provisioning", "tools/monitor", "tools/authority"].flatMap((folder) =>
    readdirSync(place(folder), { recursive: true, encoding: "utf8" }).map((name) => join(place(folder), name)),
  );
  const raw = files.filter(
    (path) => path.endsWith(".ts") && /process\.std(out|err)\.write\(/.test(readFileSync(path, "utf8")),
  );
  assert.deepEqual(raw, []);
});
