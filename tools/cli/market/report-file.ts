// A report's rows as the energies of slots, in mWh.

import { type CsvRow, csvRows } from "../../files/csv.js";
import { sheetRows } from "../../files/xlsx/sheet.js";
import { isWorkbook } from "../../files/xlsx/workbook.js";
import type { ReportedSlot } from "../../market/report.js";
import type { Column, Columns } from "./columns.js";
import { createZoneClock } from "./local-time.js";

export interface ReportRow {
  /** of the file or the sheet, from 1 */
  readonly line: number;
  readonly start_s: number;
  readonly reported: ReportedSlot;
}

interface Place {
  /** from 0 */
  readonly at: number;
  readonly name: string;
}

/**
 * The rows of a report: of an XLSX workbook, as its first bytes tell, else of separated values.
 * Throws an Error where the file is of neither kind, then or when a row is asked for.
 */
export function reportRows(bytes: Uint8Array, columns: Columns): Generator<CsvRow> {
  return isWorkbook(bytes) ? sheetRows(bytes, columns) : csvRows(decodeReport(bytes, columns), columns.separator);
}

/** The text of a report: as its byte order mark says, else as the columns do. Throws where bytes are none of its encoding. */
function decodeReport(bytes: Uint8Array, { encoding }: Pick<Columns, "encoding">): string {
  return new TextDecoder(markOf(bytes) ?? encoding, { fatal: true }).decode(bytes);
}

function markOf([first, second, third]: Uint8Array): string | undefined {
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  return first === 0xef && second === 0xbb && third === 0xbf ? "utf-8" : undefined;
}

/**
 * What the rows of a report say, in their order, of slots of `slot_s` seconds. Rows of empty cells are passed over.
 * Throws an Error that names line and column where one cannot be read.
 */
export function* readReport(rows: Generator<CsvRow>, columns: Columns, slot_s: number): Generator<ReportRow> {
  const heads = headsOf(rows, columns.headings);
  const place = (column: Column | undefined) => (column === undefined ? undefined : placeOf(column, heads));
  const time = placeOf(columns.time, heads);
  const figures = {
    consumed: columns.consumers.map(({ consumed }) => place(consumed)),
    offered: columns.consumers.map(({ offered }) => place(offered)),
    covered: columns.consumers.map(({ covered }) => place(covered)),
    produced: columns.producers.map(({ produced }) => place(produced)),
    surplus: columns.producers.map(({ surplus }) => place(surplus)),
  };
  const clock = createZoneClock(columns.zone);
  let before_s = Number.NEGATIVE_INFINITY;
  for (const row of slotRows(rows, columns.footings)) {
    const time_s = clock.read(row.cells[time.at] ?? "", before_s);
    if (time_s === undefined) throw new Error(`${where(row, time)}: ${quoted(row, time)} is no time`);
    if (time_s <= before_s) throw new Error(`${where(row, time)}: ${quoted(row, time)} is not after the row before`);
    before_s = time_s;
    const energies = (places: readonly (Place | undefined)[]) =>
      places.map((each) => (each === undefined ? undefined : energyOf(row, each, { ...columns, slot_s })));
    yield {
      line: row.line,
      start_s: columns.stamp === "end" ? time_s - slot_s : time_s,
      reported: {
        consumed: energies(figures.consumed),
        offered: energies(figures.offered),
        covered: energies(figures.covered),
        produced: energies(figures.produced),
        surplus: energies(figures.surplus),
      },
    };
  }
}

/** Without empty ones and without the last ones, which are held back until more follow. */
function* slotRows(rows: Iterable<CsvRow>, footings: number): Generator<CsvRow> {
  const held: CsvRow[] = [];
  for (const row of rows) {
    if (row.cells.every((cell) => cell === "")) continue;
    held.push(row);
    if (held.length > footings) yield held.shift()!;
  }
}

function headsOf(rows: Generator<CsvRow>, headings: number): readonly string[] {
  let heads: readonly string[] = [];
  for (let row = 1; row <= headings; row += 1) {
    const next = rows.next();
    if (next.done) throw new Error(`it has ${row - 1} rows, which are all headings`);
    heads = next.value.cells;
  }
  return heads;
}

function placeOf(column: Column, heads: readonly string[]): Place {
  if (typeof column === "number") return { at: column - 1, name: `column ${column}` };
  const at = heads.indexOf(column);
  if (at < 0) throw new Error(`no column is headed ${JSON.stringify(column)}`);
  if (heads.indexOf(column, at + 1) >= 0) {
    throw new Error(`two columns are headed ${JSON.stringify(column)}: name them by their numbers`);
  }
  return { at, name: JSON.stringify(column) };
}

type Numbers = Pick<Columns, "digits" | "decimal" | "grouping" | "isPower"> & { readonly slot_s: number };

const HOUR_S = 3_600n;

/** In mWh, what is finer rounded half up; undefined where the cell is empty. */
function energyOf(row: CsvRow, place: Place, numbers: Numbers): bigint | undefined {
  const cell = row.cells[place.at] ?? "";
  if (cell === "") return undefined;
  const { digits, decimal, isPower, slot_s } = numbers;
  const found = /^([+-]?)(\d{1,15})(?:([.,])(\d{0,30}))?(?:[eE]([+-]?\d{1,2}))?$/.exec(ungrouped(cell, numbers));
  if (found === null || (found[3] !== undefined && found[3] !== decimal)) {
    throw new Error(`${where(row, place)}: ${quoted(row, place)} is no number with ${JSON.stringify(decimal)}`);
  }
  const [, sign, whole, , fraction = "", exponent = "0"] = found;
  const power = digits + Number(exponent) - fraction.length;
  const over = BigInt(whole! + fraction) * (isPower ? BigInt(slot_s) : 1n) * 10n ** BigInt(Math.max(power, 0));
  const under = (isPower ? HOUR_S : 1n) * 10n ** BigInt(Math.max(-power, 0));
  return (sign === "-" ? -1n : 1n) * ((2n * over + under) / (2n * under));
}

/** Without the signs between groups of three digits; as it is where they stand elsewhere. Spreadsheets write spaces that do not break. */
function ungrouped(cell: string, { decimal, grouping }: Numbers): string {
  if (grouping === undefined) return cell;
  const text = grouping === " " ? cell.replace(/[\u00a0\u202f]/g, " ") : cell;
  const [whole = "", ...rest] = text.split(decimal);
  const [first = "", ...groups] = whole.split(grouping);
  const isGrouped = /^[+-]?\d{1,3}$/.test(first) && groups.every((group) => /^\d{3}$/.test(group));
  return isGrouped ? [first + groups.join(""), ...rest].join(decimal) : text;
}

function where({ line }: CsvRow, { name }: Place): string {
  return `line ${line}, ${name}`;
}

function quoted({ cells }: CsvRow, { at }: Place): string {
  return JSON.stringify((cells[at] ?? "").slice(0, 40));
}
