// The rows of a sheet as a table of comma-separated values has them (ECMA-376 part 1, 18.3.1): numbers as stored, formulas by their
// last result.

import type { CsvRow } from "../csv.js";
import { serialText } from "./dates.js";
import { createItemText, openSheet, type Sheet, type SheetNamed } from "./workbook.js";
import { attributesOf, xmlTokens } from "./xml.js";

/** What a spreadsheet has. */
const ROWS_MAX = 1_048_576;
const COLUMNS_MAX = 16_384;
/** More digits than a number of 64 bits ever needs. */
const DIGITS_MAX = 17;
const DIGITS_EXACT = 15;

export interface SheetOptions {
  readonly sheet: SheetNamed;
  /** sign that numbers are to be written with */
  readonly decimal: "." | ",";
  /** rows in which a cell that is merged downwards says the same in each */
  readonly headings: number;
}

/**
 * The rows of an XLSX file from the first one, empty ones too, each with its number in the sheet as `line`. The bytes are held until
 * the last one. Throws an Error where there is no such sheet, later one that names sheet, row and column of a cell that says nothing.
 */
export function sheetRows(bytes: Uint8Array, { sheet: named, decimal, headings }: SheetOptions): Generator<CsvRow> {
  const sheet = openSheet(bytes, named);
  return filledRows(storedRows(sheet, decimal), mergedDown(sheet.xml, headings), headings);
}

function* filledRows(rows: Iterable<CsvRow>, merged: readonly Merged[], headings: number): Generator<CsvRow> {
  let line = 0;
  for (const row of withEmptyRows(rows)) {
    line += 1;
    if (line > headings) {
      yield row;
      continue;
    }
    const cells = [...row.cells];
    for (const each of merged) {
      if (line === each.first) each.text = cells[each.column] ?? "";
      else if (line > each.first && line <= each.last) put(cells, each.column, each.text);
    }
    yield { line, cells };
  }
}

function* withEmptyRows(rows: Iterable<CsvRow>): Generator<CsvRow> {
  let next = 1;
  for (const row of rows) {
    for (; next < row.line; next += 1) yield { line: next, cells: [] };
    yield row;
    next += 1;
  }
}

interface Cell {
  /** from 0 */
  readonly column: number;
  readonly type: string;
  readonly isDate: boolean;
  /** undefined: none is stored */
  value: string | undefined;
  hasFormula: boolean;
}

function* storedRows(sheet: Sheet, decimal: "." | ","): Generator<CsvRow> {
  const item = createItemText();
  let row: { readonly line: number; readonly cells: string[] } | undefined;
  let cell: Cell | undefined;
  let isValue = false;
  let [line, column] = [0, -1];
  for (const token of xmlTokens(sheet.xml)) {
    item.take(token);
    if (token.kind === "text") {
      if (isValue && cell !== undefined) cell.value = (cell.value ?? "") + token.text;
    } else if (token.kind === "open") {
      if (token.name === "row") {
        line = rowNumber(attributesOf(token.attributes).get("r"), line, sheet);
        [row, column] = [{ line, cells: [] }, -1];
      } else if (token.name === "c") {
        const fields = attributesOf(token.attributes);
        column = columnNumber(fields.get("r"), column, where(sheet, line));
        const isDate = sheet.dates[Number(fields.get("s") ?? 0)] ?? false;
        cell = { column, type: fields.get("t") ?? "n", isDate, value: undefined, hasFormula: false };
        item.end();
      } else if (cell !== undefined && token.name === "v") {
        isValue = true;
        cell.value ??= "";
      } else if (cell !== undefined && token.name === "f") cell.hasFormula = true;
    } else if (token.name === "v") isValue = false;
    else if (token.name === "c" && cell !== undefined && row !== undefined) {
      const text = cell.type === "inlineStr" ? item.end() : textOf(cell, sheet, { line, decimal });
      if (text !== "") put(row.cells, cell.column, text);
      cell = undefined;
    } else if (token.name === "row" && row !== undefined) {
      yield row;
      row = undefined;
    } else if (token.name === "sheetData") return;
  }
  throw new Error(`sheet ${JSON.stringify(sheet.name)} is cut: its rows do not end`);
}

function put(cells: string[], column: number, text: string): void {
  while (cells.length < column) cells.push("");
  cells[column] = text;
}

function rowNumber(stated: string | undefined, before: number, sheet: Sheet): number {
  const line = stated === undefined ? before + 1 : Number(stated);
  if (!(Number.isInteger(line) && line > before && line <= ROWS_MAX)) {
    throw new Error(`${where(sheet, before)}: row ${line} cannot follow; at most ${ROWS_MAX} are read`);
  }
  return line;
}

/** `AB7` is column 27; one without a name follows the one before. */
function columnNumber(stated: string | undefined, before: number, place: string): number {
  const letters = stated === undefined ? undefined : /^([A-Z]{1,3})\d+$/.exec(stated)?.[1];
  if (stated !== undefined && letters === undefined) throw new Error(`${place}: ${stated.slice(0, 40)} is no cell`);
  const column = letters === undefined ? before + 1 : columnOf(letters);
  if (column <= before || column >= COLUMNS_MAX) {
    throw new Error(`${place}: column ${column + 1} cannot follow; at most ${COLUMNS_MAX} are read`);
  }
  return column;
}

function columnOf(letters: string): number {
  return [...letters].reduce((sum, letter) => 26 * sum + letter.charCodeAt(0) - 64, 0) - 1;
}

function lettersOf(column: number): string {
  const last = String.fromCharCode(65 + (column % 26));
  return column < 26 ? last : lettersOf(Math.floor(column / 26) - 1) + last;
}

function where({ name }: Sheet, line: number, column?: number): string {
  const cell = column === undefined ? "" : `, column ${lettersOf(column)}`;
  return `sheet ${JSON.stringify(name)}, row ${line}${cell}`;
}

/** As a spreadsheet would write it, but with all digits that are stored. Empty where nothing is. */
function textOf(
  { column, type, isDate, value, hasFormula }: Cell,
  sheet: Sheet,
  { line, decimal }: { readonly line: number; readonly decimal: string },
): string {
  const refuse = (what: string) => new Error(`${where(sheet, line, column)}: ${what}`);
  if (value === undefined && hasFormula)
    throw refuse("a formula was never worked out: open the workbook in a spreadsheet and save it");
  const stored = (value ?? "").trim();
  if (stored === "") return "";
  switch (type) {
    case "s": {
      const text = /^\d{1,9}$/.test(stored) ? sheet.strings[Number(stored)] : undefined;
      if (text === undefined) throw refuse(`there is no shared string ${stored.slice(0, 40)}`);
      return text;
    }
    case "n":
      if (!/^[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d{1,3})?$/.test(stored))
        throw refuse(`${JSON.stringify(stored.slice(0, 40))} is no number`);
      return (isDate ? serialText(Number(stored), sheet) : undefined) ?? numberText(stored).replace(".", decimal);
    case "b":
      return stored === "1" || stored === "true" ? "TRUE" : "FALSE";
    case "e":
      throw refuse(`the cell shows the error ${stored.slice(0, 40)}: mend it or leave it empty`);
    case "d":
      return /^\d{4}-\d\d-\d\d$/.test(stored) ? `${stored} 00:00:00` : stored;
    case "str":
      return stored;
    default:
      throw refuse(`cells of type ${type.slice(0, 40)} are not read`);
  }
}

/** Spreadsheets write 0.07 as 7.0000000000000007E-2: the shortest text of the same 64 bits is what was meant. */
function numberText(stored: string): string {
  const [mantissa = ""] = stored.split(/[eE]/);
  const digits = mantissa.replace(/[+-]?0*\.?0*/, "").replace(".", "").length;
  return digits > DIGITS_EXACT && digits <= DIGITS_MAX ? String(Number(stored)) : stored;
}

interface Merged {
  /** rows, from 1 */
  readonly first: number;
  readonly last: number;
  readonly column: number;
  text: string;
}

/** Cells of the headings that reach over several rows. The list of what is merged stands behind the rows. */
function mergedDown(xml: string, headings: number): readonly Merged[] {
  const start = xml.search(/<(?:\w+:)?mergeCells\b/);
  if (start < 0) return [];
  const merged: Merged[] = [];
  for (const token of xmlTokens(xml.slice(start))) {
    if (token.kind === "close" && token.name === "mergeCells") break;
    if (token.kind !== "open" || token.name !== "mergeCell") continue;
    const found = /^([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})$/.exec(attributesOf(token.attributes).get("ref") ?? "");
    if (found === null) continue;
    const [column, first, last] = [columnOf(found[1]!), Number(found[2]), Math.min(Number(found[3]), headings)];
    if (column < COLUMNS_MAX && last > first) merged.push({ first, last, column, text: "" });
  }
  return merged;
}
