// What commands print: JSON that keeps every digit, or aligned lines for people.

import { toHex } from "../../src/wire/bytes.js";
import { printableLine, printableText } from "../printable.js";

/**
 * JSON in which byte strings are hex and bigints are numbers with all their digits; undefined
 * members are left out.
 */
export function toJson(value: unknown): string {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return JSON.stringify(toHex(value));
  if (Array.isArray(value)) return `[${value.map((item) => toJson(item ?? null)).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${toJson(member)}`).join(",")}}`;
  }
  return JSON.stringify(value ?? null);
}

/** A network as people are told of it: nothing of a test network is to be taken for what counts. */
export function networkText({ network, isTest }: { readonly network: string; readonly isTest?: boolean }): string {
  return isTest ? `${network}, a test network` : network;
}

/** Columns of the terminal that standard output is; undefined where it is none, so that programs get each row in one line. */
export function terminalColumns(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns : undefined;
}

/** So far lines that go on behind the first are indented. */
const INDENT = 2;

/**
 * Rows under their heads, each column as wide as its widest cell; columns of numbers stand to the right. Where that is wider than
 * `columns`, heads and rows go on in further lines, each cell still below its head.
 */
export function table(
  heads: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  columns = terminalColumns(),
): string[] {
  const lines = [heads, ...rows].map((line) =>
    line.map((cell) => (typeof cell === "number" ? cell : printableLine(cell))),
  );
  const widths = heads.map((_, column) =>
    lines.reduce((widest, line) => Math.max(widest, String(line[column]).length), 0),
  );
  const isNumber = heads.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === "number"));
  const groups = groupsWithin(widths, columns ?? Number.POSITIVE_INFINITY);
  const cellOf = (line: readonly (string | number)[], column: number) =>
    isNumber[column] ? String(line[column]).padStart(widths[column]!) : String(line[column]).padEnd(widths[column]!);
  return lines.flatMap((line) =>
    groups.flatMap((group, place) => {
      const text = group.map((column) => cellOf(line, column)).join("  ");
      if (place > 0 && text.trim() === "") return [];
      return foldLine(`${" ".repeat(place === 0 ? 0 : INDENT)}${text.trimEnd()}`, columns, 2 * INDENT);
    }),
  );
}

/** Columns that have room beside each other, the first of them without an indent. */
function groupsWithin(widths: readonly number[], columns: number): number[][] {
  const groups: number[][] = [[]];
  let used = 0;
  for (const [column, width] of widths.entries()) {
    const group = groups.at(-1)!;
    if (group.length > 0 && used + 2 + width > columns) {
      groups.push([column]);
      used = INDENT + width;
    } else {
      used += (group.length === 0 ? 0 : 2) + width;
      group.push(column);
    }
  }
  return groups;
}

/** Names and values, the values in one column, also where they take more than one line. */
export function pairs(entries: readonly (readonly [string, string | number])[], columns = terminalColumns()): string[] {
  const width = Math.max(0, ...entries.map(([name]) => name.length));
  return entries.flatMap(([name, value]) =>
    foldLine(printableLine(`${name.padEnd(width)}  ${value}`), columns, width + 2),
  );
}

/** The line in as many as it takes of so many columns, cut at spaces; a word that is longer stays whole, so that it can be copied. */
export function foldLine(line: string, columns: number | undefined, indent: number): string[] {
  if (columns === undefined || line.length <= columns) return [line];
  const folded: string[] = [];
  let rest = line;
  let begin = line.search(/\S/);
  while (rest.length > columns) {
    const before = rest.lastIndexOf(" ", columns);
    const at = before > begin ? before : rest.indexOf(" ", Math.max(begin, columns));
    if (at < 0) break;
    folded.push(rest.slice(0, at).trimEnd());
    rest = " ".repeat(indent) + rest.slice(at).trimStart();
    begin = indent;
  }
  return [...folded, rest];
}

/** So many of what is named, as people say it: 1 record, 2 records. */
export function countText(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}

/** Numbers of records that follow each other, as people say them: number 7, numbers 7 to 9. */
export function numbersText(from: number, to: number): string {
  return from === to ? `number ${from}` : `numbers ${from} to ${to}`;
}

let printed = false;

/** Whether the command has printed any line of its answer. */
export function hasPrinted(): boolean {
  return printed;
}

/**
 * Each as one line: what text of nodes, files and chains would do to a terminal is escaped. At a terminal those that are wider are
 * folded, but for JSON, which is copied.
 */
export function printLines(lines: readonly string[]): void {
  printed ||= lines.length > 0;
  const columns = terminalColumns();
  for (const line of lines) {
    const text = printableLine(line);
    const folded = /^[[{]/.test(text) ? [text] : foldLine(text, columns, 2 * INDENT);
    for (const each of folded) process.stdout.write(`${each}\n`);
  }
}

/** Text with its own ends of line, such as rows of CSV; escaped as lines are. */
export function printText(text: string): void {
  printed ||= text.length > 0;
  process.stdout.write(printableText(text));
}

/** A line beside the answer, on standard error; escaped and folded as lines are. */
export function printNote(line: string): void {
  const columns = process.stderr.isTTY ? process.stderr.columns : undefined;
  for (const each of foldLine(printableLine(line), columns, 2 * INDENT)) process.stderr.write(`${each}\n`);
}

/** A line that the next one takes the place of, on a terminal at standard error. */
export function printOver(line: string, isDone: boolean): void {
  process.stderr.write(`\r\x1b[K${printableLine(line)}${isDone ? "\n" : ""}`);
}

/** UTC milliseconds as people write them. */
export function timeText(time_ms: number): string {
  return new Date(time_ms).toISOString();
}

/** The seconds of a header as people write them: it has no milliseconds. */
export function secondText(time_s: number): string {
  return timeText(time_s * 1000).replace(".000Z", "Z");
}

/** A length of time as people say it: 12 s, 3 min 5 s, 2 h 0 min. */
export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/**
 * Value times 10 to the scaler, with the digits that the meter stated: 2216 and -1 give 221.6, 101
 * and 1 give 1010.
 */
export function decimal(value: number | bigint, scaler: number): string {
  if (scaler >= 0) return value === 0 ? "0" : `${value}${"0".repeat(scaler)}`;
  const negative = value < 0;
  const digits = String(value)
    .slice(negative ? 1 : 0)
    .padStart(1 - scaler, "0");
  return `${negative ? "-" : ""}${digits.slice(0, scaler)}.${digits.slice(scaler)}`;
}
