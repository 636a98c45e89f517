// Comma-separated values, written and read again, and as spreadsheets write them.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { csvRow, readCsv } from "../../tools/files/csv.js";

test("reads every table that it writes", () => {
  const cell = fc.stringMatching(/^[a-z",;\r\n é]{0,6}$/).map((text) => text.trim());
  const tables = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(tables, (rows) => {
      const text = csvRow(["head", "other"]) + rows.map(csvRow).join("");
      assert.deepEqual(
        readCsv(text)
          .slice(1)
          .map(({ cells }) => cells),
        rows,
      );
    }),
  );
});

test("reads a byte order mark, semicolons, bare line feeds and empty lines, and names lines of the file", () => {
  assert.deepEqual(readCsv('\ufeffid;name\n\n"a;""b"";\nc"; d \nlast;\n'), [
    { line: 1, cells: ["id", "name"] },
    { line: 3, cells: ['a;"b";\nc', "d"] },
    { line: 5, cells: ["last", ""] },
  ]);
});

test("refuses a quoted cell that does not end, or that text follows, with its line", () => {
  assert.throws(() => readCsv('a,b\n"c,d\n'), /line 2: a quoted cell does not end/);
  assert.throws(() => readCsv('a,b\n"c"d,e\n'), /line 2: text follows a quoted cell/);
});

test("what a spreadsheet would take for a formula stands behind an apostrophe, and numbers stay numbers", () => {
  const formulas = ["=1+1", "+A1", "-A1", "@SUM(A1)", "\t=1", "-", '=HYPERLINK("http://x","y")'];
  assert.deepEqual(readCsv(csvRow(["x", ...formulas]))[0]?.cells, ["x", ...formulas.map((formula) => `'${formula}`)]);
  const others = ["-5", "+5", "-0.25", "-12345678901234567890", "a=b", "1-0:1.8.0", "'=1", ""];
  assert.equal(csvRow(others), `${others.join(",")}\r\n`);
});
