// A report's rows as the energies of slots, in mWh.

import { type CsvRow, csvRows } from "../../files/csv.js";
import type { ReportedSlot } from "../../market/report.js";
import type { Column, Columns } from "./columns.js";
import { createZoneClock } from "./local-time.js";

export interface ReportRow {
  /** of the file, from 1 */
  readonly line: number;
  readonly start_s: number;
  readonly reported: ReportedSlot;
}

interface Place {
  /** from 0 */
  readonly at: number;
  readonly name: string;
}

/** The rows of a report, in their order. Throws an Error that names line and column where one cannot be read. */
export function* readReport(text: string, columns: Columns): Generator<ReportRow> {
  const rows = csvRows(text);
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
  for (const row of rows) {
    const start_s = clock.read(row.cells[time.at] ?? "", before_s);
    if (start_s === undefined) throw new Error(`${where(row, time)}: ${quoted(row, time)} is no time`);
    if (start_s <= before_s) throw new Error(`${where(row, time)}: ${quoted(row, time)} is not after the row before`);
    before_s = start_s;
    const energies = (places: readonly (Place | undefined)[]) =>
      places.map((each) => (each === undefined ? undefined : energyOf(row, each, columns)));
    yield {
      line: row.line,
      start_s,
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

/** In mWh, what is finer rounded half up; undefined where the cell is empty. */
function energyOf(row: CsvRow, place: Place, { digits, decimal }: Columns): bigint | undefined {
  const cell = row.cells[place.at] ?? "";
  if (cell === "") return undefined;
  const found = /^(-?)(\d{1,15})(?:([.,])(\d{0,30}))?$/.exec(cell);
  if (found === null || (found[3] !== undefined && found[3] !== decimal)) {
    throw new Error(`${where(row, place)}: ${quoted(row, place)} is no number with ${JSON.stringify(decimal)}`);
  }
  const [, sign, whole, , fraction = ""] = found;
  const exact = BigInt(whole! + fraction.slice(0, digits).padEnd(digits, "0"));
  const isUp = (fraction[digits] ?? "0") >= "5";
  return (sign === "-" ? -1n : 1n) * (exact + (isUp ? 1n : 0n));
}

function where({ line }: CsvRow, { name }: Place): string {
  return `line ${line}, ${name}`;
}

function quoted({ cells }: CsvRow, { at }: Place): string {
  return JSON.stringify((cells[at] ?? "").slice(0, 40));
}
