// Orders that assign meters to measuring points: which meter counts for which point, from when to when, with which sign.

import { TIME_S_MAX } from "./bounds.js";
import { compareBytes } from "./bytes.js";
import type { CborValue } from "./cbor.js";
import { WireError } from "./error.js";
import { asArray, asBytes, asInteger, asText, asUint } from "./shape.js";

export const ASSIGN_ACTION = 12;

/** Assignments in one order. */
export const ASSIGNMENTS_MAX = 1_000;
/** Characters of a point's ID. */
export const POINT_LENGTH_MAX = 64;

/** A meter counts for a point for a time. The meter and `from_s` name it: a later one of that name takes its place. */
export interface Assignment {
  readonly point: string;
  /** key id */
  readonly meter: Uint8Array;
  /** UTC seconds */
  readonly from_s: number;
  /** UTC seconds; undefined where it has no end, `from_s` where it never was */
  readonly until_s: number | undefined;
  /** whether the meter's energies are added to the point's or taken from them */
  readonly sign: 1 | -1;
  /** mWh at which the meter's counters begin at 0 again, where that is known */
  readonly capacity: bigint | undefined;
}

/** Assignments of meters to points; of a meter no two overlap. */
export interface AssignAction {
  readonly type: "assign";
  /** ascending by meter and begin */
  readonly assignments: readonly Assignment[];
}

export function assignActionToArray({ assignments }: AssignAction): CborValue {
  return [
    ASSIGN_ACTION,
    assignments.map(({ point, meter, from_s, until_s, sign, capacity }) => [
      point,
      meter,
      from_s,
      until_s ?? null,
      sign,
      capacity ?? null,
    ]),
  ];
}

export function assignAction(items: readonly CborValue[]): AssignAction {
  const [, rows] = asArray(items, "order that assigns", 2);
  const assignments = asArray(rows, "order assignments").map(assignmentFrom);
  if (assignments.length === 0 || assignments.length > ASSIGNMENTS_MAX) {
    throw new WireError("limit", `order must assign 1 to ${ASSIGNMENTS_MAX} times, not ${assignments.length}`);
  }
  const isAscending = assignments.every((row, index) => index === 0 || compareRows(assignments[index - 1]!, row) < 0);
  if (!isAscending) throw new WireError("shape", "order assignments are not in ascending order");
  return { type: "assign", assignments };
}

/** By meter, then by begin: the order in which they stand. */
export function compareRows(one: Assignment, other: Assignment): number {
  return compareBytes(one.meter, other.meter) || one.from_s - other.from_s;
}

function assignmentFrom(item: CborValue): Assignment {
  const [point, meter, from, until, sign, capacity] = asArray(item, "order assignment", 6);
  const id = asPoint(point, "assignment point");
  const from_s = asUint(from, "assignment begin", TIME_S_MAX);
  const until_s = until === null ? undefined : asUint(until, "assignment end", TIME_S_MAX);
  if (until_s !== undefined && until_s < from_s) throw new WireError("shape", "assignment ends before it begins");
  if (sign !== 1 && sign !== -1) throw new WireError("shape", "assignment sign must be 1 or -1");
  return {
    point: id,
    meter: asBytes(meter, "assignment meter", 8),
    from_s,
    until_s,
    sign,
    capacity: capacityFrom(capacity),
  };
}

/** A point's ID: visible ASCII, so that points are in the order of their bytes. */
export function asPoint(value: CborValue | undefined, name: string): string {
  const point = asText(value, name, POINT_LENGTH_MAX);
  if (/^[!-~]+$/.test(point)) return point;
  throw new WireError("shape", `${name} must be visible ASCII`);
}

function capacityFrom(value: CborValue | undefined): bigint | undefined {
  if (value === null) return undefined;
  const capacity = BigInt(asInteger(value, "assignment capacity"));
  if (capacity > 0) return capacity;
  throw new WireError("shape", "assignment capacity must be above 0");
}
