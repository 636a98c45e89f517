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

/**
 * Rows under their heads, each column as wide as its widest cell; columns of numbers stand to the
 * right.
 */
export function table(heads: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const lines = [heads, ...rows].map((line) =>
    line.map((cell) => (typeof cell === "number" ? cell : printableLine(cell))),
  );
  const widths = heads.map((_, column) =>
    lines.reduce((widest, line) => Math.max(widest, String(line[column]).length), 0),
  );
  const isNumber = heads.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === "number"));
  return lines.map((line) =>
    line
      .map((cell, column) =>
        isNumber[column] ? String(cell).padStart(widths[column]!) : String(cell).padEnd(widths[column]!),
      )
      .join("  ")
      .trimEnd(),
  );
}

/** Names and values, the values in one column. */
export function pairs(entries: readonly (readonly [string, string | number])[]): string[] {
  const width = Math.max(0, ...entries.map(([name]) => name.length));
  return entries.map(([name, value]) => printableLine(`${name.padEnd(width)}  ${value}`));
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

/** Each as one line: what text of nodes, files and chains would do to a terminal is escaped. */
export function printLines(lines: readonly string[]): void {
  printed ||= lines.length > 0;
  for (const line of lines) process.stdout.write(`${printableLine(line)}\n`);
}

/** Text with its own ends of line, such as rows of CSV; escaped as lines are. */
export function printText(text: string): void {
  printed ||= text.length > 0;
  process.stdout.write(printableText(text));
}

/** A line beside the answer, on standard error; escaped as lines are. */
export function printNote(line: string): void {
  process.stderr.write(`${printableLine(line)}\n`);
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
