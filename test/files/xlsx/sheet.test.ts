// Workbooks as rows: what each kind of cell says, which sheet is read, and what is refused.

import assert from "node:assert/strict";
import { test } from "node:test";
import { constants, crc32, deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { isDateFormat, serialText } from "../../../tools/files/xlsx/dates.js";
import { type SheetOptions, sheetRows } from "../../../tools/files/xlsx/sheet.js";
import { isWorkbook } from "../../../tools/files/xlsx/workbook.js";
import { UNPACKED_BYTES_MAX } from "../../../tools/files/xlsx/zip.js";
import { type CellText, type Packed, workbookParts, zip } from "./workbook-writer.js";

const options: SheetOptions = { sheet: 1, decimal: ".", headings: 1 };
const read = (bytes: Uint8Array, more: Partial<SheetOptions> = {}) => [...sheetRows(bytes, { ...options, ...more })];
const cellsOf = (table: readonly (readonly CellText[])[], more: Partial<SheetOptions> = {}) =>
  read(zip(workbookParts({ sheets: { Report: table }, formats: ["dd.mm.yyyy hh:mm"] })), more).map(
    ({ cells }) => cells,
  );
const number = (stored: string): CellText => ({ xml: `><v>${stored}</v>` });

test("each kind of cell says what a spreadsheet would write, with the digits that are stored", () => {
  const kinds: readonly (readonly [CellText, string])[] = [
    [' a <b> & "c" ', 'a <b> & "c"'],
    [{ xml: ' t="inlineStr"><is><t>in</t></is>' }, "in"],
    [
      { xml: ' t="inlineStr"><is><r><t>in </t></r><rPh><t>no</t></rPh><r><t>runs&#x41;_x0042_</t></r></is>' },
      "in runsAB",
    ],
    [{ xml: ' t="str"><f>A1&amp;"&lt;"</f><v>made</v>' }, "made"],
    [{ xml: "><f>1/8</f><v>0.125</v>" }, "0.125"],
    [{ xml: ' t="b"><v>1</v>' }, "TRUE"],
    [{ xml: ' t="b"><v>0</v>' }, "FALSE"],
    [{ xml: ' t="d"><v>2026-03-29T00:15:00</v>' }, "2026-03-29T00:15:00"],
    [{ xml: ' s="1"><v>46110.010416666664</v>' }, "2026-03-29 00:15:00"],
    [{ xml: ' s="0"/><c r="Z1"' }, ""],
    [number("0.0625"), "0.0625"],
    [number("7.0000000000000007E-2"), "0.07"],
    [number("6.2500499999999997E-2"), "0.0625005"],
    [number("123456789012345"), "123456789012345"],
    [number("1E-3"), "1E-3"],
    [number("-12.5"), "-12.5"],
  ];
  for (const [cell, expected] of kinds) {
    const [found] = cellsOf([[cell]])[0] ?? [];
    assert.equal(found ?? "", expected);
  }
  assert.deepEqual(cellsOf([["a", "", "c"], [], ["", "b"], [number("1.5")]], { decimal: "," }), [
    ["a", "", "c"],
    [],
    ["", "b"],
    ["1,5"],
  ]);
});

test("any number of 64 bits, written with seventeen digits, is read as the same number", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const [[found] = []] = cellsOf([[number(value.toExponential(16).replace("e", "E"))]]);
      assert.equal(Number(found), value);
    }),
    { numRuns: 50 },
  );
});

test("every quarter of an hour of a serial number is told to the second, in both systems of dates", () => {
  const day_s = Date.UTC(2026, 2, 29) / 1_000;
  for (const [is1904, epoch_s] of [
    [false, Date.UTC(1899, 11, 30) / 1_000],
    [true, Date.UTC(1904, 0, 1) / 1_000],
  ] as const) {
    for (let slot = 0; slot < 100; slot += 1) {
      const time_s = day_s + 900 * slot;
      const expected = new Date(time_s * 1_000).toISOString().slice(0, 19).replace("T", " ");
      assert.equal(serialText((time_s - epoch_s) / 86_400, { is1904 }), expected);
    }
  }
  assert.equal(serialText(0.25, { is1904: false }), "06:00:00");
  assert.equal(serialText(61, { is1904: false }), "1900-03-01 00:00:00");
  for (const none of [-1, 1, 60.9, 2_958_466, Number.POSITIVE_INFINITY]) {
    assert.equal(serialText(none, { is1904: false }), undefined);
  }
  const table = { Report: [[{ xml: ' s="1"><v>44648.010416666664</v>' }]] };
  const [row] = read(zip(workbookParts({ sheets: table, formats: ["yyyy-mm-dd hh:mm"], is1904: true })));
  assert.deepEqual(row?.cells, ["2026-03-29 00:15:00"]);
});

test("a format of dates is told from one of numbers", () => {
  for (const code of ["dd.mm.yyyy hh:mm", "[$-407]d. mmm yy;@", "[h]:mm:ss", "mm:ss.0", 'yyyy"-"mm', "h:mm AM/PM"])
    assert.equal(isDateFormat(164, code), true, code);
  for (const code of ["0.000", '0.00 "kWh/day"', "#,##0 [$€-407]", "General", "0.00E+00", "[Red]0", "0\\h", "@"])
    assert.equal(isDateFormat(164, code), false, code);
  assert.deepEqual(
    [0, 2, 14, 22, 23, 47, 49].map((id) => isDateFormat(id, undefined)),
    [...[false, false, true, true], ...[false, true, false]],
  );
});

test("a sheet is named or numbered, and stored parts are read as deflated ones are", () => {
  const parts = workbookParts({ sheets: { Cover: [["title"]], "Sums & shares": [["x"], ["y"]] } });
  for (const method of ["stored", "deflated"] as const) {
    const bytes = zip(parts, method);
    assert.deepEqual(read(bytes), [{ line: 1, cells: ["title"] }]);
    assert.deepEqual(read(bytes, { sheet: 2 }).at(-1), { line: 2, cells: ["y"] });
    assert.deepEqual(read(bytes, { sheet: "Sums & shares" }), read(bytes, { sheet: 2 }));
    assert.throws(() => read(bytes, { sheet: "Other" }), /no sheet "Other"; it has "Cover", "Sums & shares"/);
    assert.throws(() => read(bytes, { sheet: 3 }), /no sheet 3/);
  }
});

test("a heading that is merged downwards heads its column in each row, and nothing else is filled", () => {
  const table = [["time", "Anna"], ["", "share"], ["a", "b"], []];
  const behind =
    '<mergeCells count="3"><mergeCell ref="A1:A2"/><mergeCell ref="B1:C1"/><mergeCell ref="B3:B4"/></mergeCells>';
  const bytes = zip(workbookParts({ sheets: { Report: table }, behind }));
  assert.deepEqual(
    read(bytes, { headings: 2 }).map(({ cells }) => cells),
    [
      ["time", "Anna"],
      ["time", "share"],
      ["a", "b"],
    ],
  );
});

test("a cell that says nothing is refused with sheet, row and column", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    [' t="e"><f>1/0</f><v>#DIV/0!</v>', /sheet "Report", row 2, column AB: the cell shows the error #DIV\/0!/],
    ["><f>A1</f>", /row 2, column AB: a formula was never worked out: open the workbook/],
    [' t="s"><v>900</v>', /row 2, column AB: there is no shared string 900/],
    ["><v>0x10</v>", /row 2, column AB: "0x10" is no number/],
    [' t="zz"><v>1</v>', /row 2, column AB: cells of type zz are not read/],
    ['/><c r="A2">', /row 2: column 1 cannot follow/],
    ['/><c r="ZZZ2">', /row 2: column 18278 cannot follow; at most 16384/],
    ['/><c r="?">', /row 2: \? is no cell/],
    ['/></row><row r="2"><c>', /row 2: row 2 cannot follow/],
    ['/></row><row r="1048577"><c>', /row 2: row 1048577 cannot follow; at most 1048576/],
  ];
  for (const [xml, expected] of cases) {
    assert.throws(() => cellsOf([["head"], [...Array<string>(27).fill(""), { xml }]]), expected);
  }
});

const parts = workbookParts({ sheets: { Report: [["time"], ["x"]] } });
const SHEET = "xl/worksheets/sheet1.xml";

test("what unpacks to too much is refused before it is unpacked, and no more is unpacked than the directory says", () => {
  // A mebibyte that refers to nothing before it, over and over.
  const piece = deflateRawSync(Buffer.alloc(1_048_576), { finishFlush: constants.Z_FULL_FLUSH });
  const packed = Buffer.concat([...Array<Buffer>(300).fill(piece), Buffer.of(3, 0)]);
  const bomb = (bytes: number): Packed => ({ packed, method: 8, bytes, crc: 0 });
  const honest = zip({ ...parts, [SHEET]: bomb(300 * 1_048_576) });
  assert.throws(() => read(honest), new RegExp(`unpacks to more than ${UNPACKED_BYTES_MAX} bytes`));
  const lying = zip({ ...parts, [SHEET]: bomb(1_000) });
  assert.throws(() => read(lying), /cut or damaged: xl\/worksheets\/sheet1.xml is not there as a whole/);
});

test("files that are cut, damaged, encrypted or no workbook are refused in words", () => {
  const whole = zip(parts, "stored");
  for (let length = 4; length < whole.length; length += 7) {
    assert.throws(() => read(whole.subarray(0, length)), /the ZIP is cut or damaged/);
  }
  const turned = Buffer.from(whole);
  turned[whole.indexOf("<row") + 1]! ^= 1;
  assert.throws(() => read(turned), /cut or damaged: xl\/worksheets/);
  const sealed: Packed = { packed: Buffer.from("x"), method: 0, bytes: 1, crc: crc32("x"), flags: 1 };
  assert.throws(() => read(zip({ ...parts, [SHEET]: sealed })), /encrypted: save the file without a password/);
  assert.throws(() => read(zip({ ...parts, [SHEET]: { ...sealed, flags: 0, method: 14 } })), /packed by method 14/);
  assert.throws(() => read(zip({ "content.xml": "<a/>" })), /no XLSX workbook: open it in a spreadsheet and save it/);
  const binary = parts["_rels/.rels"]!.replace("workbook.xml", "workbook.bin");
  assert.throws(() => read(zip({ ...parts, "_rels/.rels": binary })), /of another kind/);
  assert.throws(() => read(zip({ ...parts, [SHEET]: "<sheetData><row><c" })), /XML is cut/);
  assert.throws(() => read(zip({ ...parts, [SHEET]: "<sheetData><row>" })), /sheet "Report" is cut/);
  assert.throws(() => read(zip({ ...parts, [SHEET]: "<!DOCTYPE a><sheetData/>" })), /document type/);
  const ole = Buffer.from("d0cf11e0a1b11ae1", "hex");
  assert.throws(() => isWorkbook(ole), /old kind, XLS: open it and save it as XLSX or CSV/);
  const encrypted = Buffer.concat([ole, Buffer.from("EncryptedPackage", "utf16le")]);
  assert.throws(() => isWorkbook(encrypted), /encrypted: take its password away and save it as XLSX or CSV/);
  assert.equal(isWorkbook(Buffer.from("time;a\n")), false);
});

/** Rows, or an Error in words; a mistake of the reader's own is neither. */
function readOrRefused(bytes: Uint8Array): void {
  try {
    read(bytes);
  } catch (error) {
    assert.equal((error as Error).constructor, Error, String((error as Error).stack));
  }
}

test("any bytes behind the first four are read or refused", () => {
  const start = Buffer.from("PK\x03\x04");
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (rest) => readOrRefused(Buffer.concat([start, rest]))));
  const whole = zip(parts, "stored");
  const places = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(places, (changes) => {
      const changed = Buffer.from(whole);
      for (const [at, byte] of changes) changed[at] = byte;
      readOrRefused(changed);
    }),
    { numRuns: 1_000 },
  );
});

test("any text in the place of a part is read or refused", () => {
  const piece = fc.constantFrom(
    ...[
      "<row>",
      "</row>",
      '<row r="3">',
      "<c>",
      '<c r="B1" t="s">',
      "</c>",
      "<v>",
      "</v>",
      "1",
      "&#1114112;",
      "<is><t>",
    ],
    ...[
      "<sheetData>",
      "</sheetData>",
      "<sheet",
      "/>",
      '"',
      "<!--",
      "]]>",
      "<![CDATA[",
      '<mergeCell ref="A1:A9"/>',
      "<f>",
    ],
    ...["<si>", "</si>", "<mergeCells>", '<xf numFmtId="14"/>', "<cellXfs>", "</t>", '<c s="0" t="inlineStr">', ">"],
  );
  const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(""));
  const name = fc.constantFrom(SHEET, ...Object.keys(parts));
  fc.assert(
    fc.property(name, text, (part, xml) => readOrRefused(zip({ ...parts, [part]: xml }, "stored"))),
    { numRuns: 1_000 },
  );
});
