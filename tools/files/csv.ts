// Rows of comma-separated values (RFC 4180), written and read. Some spreadsheets write semicolons or tabs: the first row tells.

import { csvCell } from "../printable.js";

/** A row with its end of line, of cells as `csvCell` writes them. */
export function csvRow(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`;
}

export interface CsvRow {
  /** of the text, from 1, where the row begins */
  readonly line: number;
  readonly cells: readonly string[];
}

/** The rows of a text, empty lines left out. Throws a RangeError that names the line where a quoted cell does not end. */
export function readCsv(text: string): readonly CsvRow[] {
  return [...csvRows(text)];
}

export type Separator = "," | ";" | "\t";

/** As `readCsv`, a row at a time. `named` separates cells, where the first row does not tell. */
export function* csvRows(text: string, named?: Separator): Generator<CsvRow> {
  const source = text.startsWith("\ufeff") ? text.slice(1) : text;
  const separator = named ?? separatorOf(source);
  let line = 1;
  for (let offset = 0; offset < source.length; ) {
    const row = readRow(source, offset, separator, line);
    if (row.cells.length > 1 || row.cells[0] !== "") yield { line, cells: row.cells };
    offset = row.next;
    line += row.lines;
  }
}

function separatorOf(source: string): Separator {
  if (/^[^,\r\n]*;/.test(source)) return ";";
  return /^[^,;\r\n]*\t/.test(source) ? "\t" : ",";
}

function readRow(source: string, start: number, separator: string, line: number) {
  const cells: string[] = [];
  let lines = 0;
  let offset = start;
  for (;;) {
    const cell =
      source[offset] === '"' ? readQuoted(source, offset, line + lines) : readPlain(source, offset, separator);
    cells.push(cell.text);
    lines += cell.text.split("\n").length - 1;
    offset = cell.next;
    if (source[offset] === separator) offset += 1;
    else break;
  }
  const ending = /\r?\n|\r/y;
  ending.lastIndex = offset;
  const ended = ending.exec(source);
  if (ended === null && offset < source.length)
    throw new RangeError(`line ${line + lines}: text follows a quoted cell`);
  return { cells, next: offset + (ended?.[0].length ?? 0), lines: lines + 1 };
}

function readPlain(source: string, start: number, separator: string): { readonly text: string; readonly next: number } {
  let next = start;
  while (next < source.length && source[next] !== separator && source[next] !== "\r" && source[next] !== "\n")
    next += 1;
  return { text: source.slice(start, next).trim(), next };
}

function readQuoted(source: string, start: number, line: number): { readonly text: string; readonly next: number } {
  let text = "";
  for (let offset = start + 1; ; ) {
    const quote = source.indexOf('"', offset);
    if (quote < 0) throw new RangeError(`line ${line}: a quoted cell does not end`);
    text += source.slice(offset, quote);
    if (source[quote + 1] !== '"') return { text, next: quote + 1 };
    text += '"';
    offset = quote + 2;
  }
}
