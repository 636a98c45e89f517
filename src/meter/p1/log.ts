// The buffers of a P1 telegram: the monthly peaks of Fluvius (0-0:98.1.0) and the log of long outages (1-0:99.97.0). Both are
// `(count)(object)...(row)...`. Each row becomes a register of the logged object with F = 101 for the most recent row, 102 for
// the one before it and so on (IEC 62056-6-1, value group F), with the age of its capture time.

import { sameObis, scanObis } from "../obis.js";
import { unitNone } from "../unit.js";
import { type P1Time, scanP1Time } from "./time.js";
import { indexOf, type P1Value, scanNumber, scanP1Value } from "./value.js";

/** A row of a log: the value, when it was captured, and the code that says how recent it is. */
export interface P1LogRow {
  readonly obis: Uint8Array;
  /** Undefined where it was not understood. */
  readonly value: P1Value | undefined;
  readonly captured: P1Time;
}

/** F = 101 to 125 are the most recent 25 values. */
const rowsMax = 25;
const mostRecent = 101;

/** A row as stated: the time it is ordered by, when its value was captured, and the value. */
interface StatedRow {
  readonly order_s: number;
  readonly captured: P1Time;
  readonly value: P1Value | undefined;
}

/**
 * The rows of a log, most recent first; a row whose value was never captured is left out but keeps its number.
 * `groups` are the object's, as of P1Object. Undefined where they do not have the form of a log.
 */
export function scanLog(telegram: Uint8Array, groups: readonly number[], zoneOffset_s: number): P1LogRow[] | undefined {
  const groupCount = groups.length / 2;
  if (groupCount === 1 && groups[0] === groups[1]) return [];
  if (groupCount < 2) return undefined;
  const count = scanNumber(telegram, groups[0]!, groups[1]!, unitNone, 0);
  const logged = scanObis(telegram, groups[2]!, groups[3]!);
  if (count === undefined || count.scaler !== 0 || logged === undefined) return undefined;
  let first = 1;
  while (first < groupCount && isObis(telegram, groups, first, logged)) first++;
  const rows = Number(count.value);
  if (rows === 0) return [];
  const width = (groupCount - first) / rows;
  if (rows > rowsMax || (width !== 2 && width !== 3)) return undefined;
  const stated: StatedRow[] = [];
  for (let row = 0; row < rows; row++) {
    stated.push(scanRow(telegram, groups, first + row * width, width, zoneOffset_s));
  }
  return numbered(stated, logged);
}

/** `(time)(value)` or `(end of period)(time)(value)`. */
function scanRow(
  telegram: Uint8Array,
  groups: readonly number[],
  first: number,
  width: number,
  zone_s: number,
): StatedRow {
  const at = (group: number): [number, number] => [groups[2 * group]!, groups[2 * group + 1]!];
  const ordering = scanP1Time(telegram, ...at(first), zone_s);
  const captured = width === 3 ? scanP1Time(telegram, ...at(first + 1), zone_s) : ordering;
  const value = scanP1Value(telegram, ...at(first + width - 1));
  return { order_s: ordering.kind === "time" ? ordering.time_s : 0, captured, value };
}

/** Some meters list the most recent row first and some last: the times decide, and at equal times the order stated. */
function numbered(stated: StatedRow[], logged: Uint8Array): P1LogRow[] {
  const rows: P1LogRow[] = [];
  stated.sort((left, right) => right.order_s - left.order_s);
  stated.forEach(({ captured, value }, index) => {
    if (captured.kind === "null") return;
    const obis = Uint8Array.from(logged);
    obis[5] = mostRecent + index;
    rows.push({ obis, value, captured });
  });
  return rows;
}

/** Whether the group is the logged object's code, which Fluvius states twice: for its time and for its value. */
function isObis(telegram: Uint8Array, groups: readonly number[], group: number, logged: Uint8Array): boolean {
  const start = groups[2 * group]!;
  const end = groups[2 * group + 1]!;
  if (indexOf(telegram, 0x3a, start, end) === end) return false;
  const obis = scanObis(telegram, start, end);
  return obis !== undefined && sameObis(obis, logged);
}
