// Which meter counts for which point, and what points have taken and given in a slot, stated here once more and on its own (PROTOCOL.md,
// sections 22 and 29).

import type { Assignment } from "../../../../src/wire/assignment-order.js";
import { toHex } from "../../../../src/wire/bytes.js";
import { encodePointRow, type PointRow } from "../../../../src/wire/slot.js";
import { advanceIn, type Keeping, type Kept, keepFrom, type Stay } from "./counters.js";

/** A meter whose latest reading is older is no point of its own. */
const SILENCE_S = 604_800;

/** An assignment with the height of the contracts block that holds its order. */
export interface OrderedAssignment {
  readonly at: number;
  readonly assignment: Assignment;
}

/** By meter, in the order of the orders. */
export type Assignments = ReadonlyMap<string, readonly OrderedAssignment[]>;

/** A meter, as far as its readings go. */
export interface MeterKept {
  /** begin of the slot that was open when this was noted */
  readonly open_s: number;
  /** time of the latest reading */
  readonly reached_s: number;
  /** taken and given */
  readonly both: readonly [Kept, Kept];
}

/** The slot that closes. */
export interface ClosingSlot {
  readonly start_s: number;
  readonly slot_s: number;
  readonly gapMax_s: number;
  readonly judgedAt: number;
}

/** The assignments of a meter that hold at a contracts height, by their begins; undefined where it has none at all. */
export function assignedAt(assignments: Assignments, meter: string, judgedAt: number): Assignment[] | undefined {
  const ordered = (assignments.get(meter) ?? []).filter(({ at }) => at <= judgedAt);
  if (ordered.length === 0) return undefined;
  const last = new Map(ordered.map(({ assignment }) => [assignment.from_s, assignment]));
  const real = [...last.values()].filter((each) => untilOf(each) > each.from_s);
  return real.sort((one, other) => one.from_s - other.from_s);
}

/** Where the meter's counters begin at 0 again. */
export function capacityAt(assignments: Assignments, meter: string, judgedAt: number): bigint | undefined {
  return assignedAt(assignments, meter, judgedAt)?.at(-1)?.capacity;
}

export function untilOf({ until_s }: Assignment): number {
  return until_s ?? Number.POSITIVE_INFINITY;
}

interface Part {
  readonly kept: MeterKept | undefined;
  readonly stay: Stay;
  readonly sign: bigint;
  readonly keeping: Keeping;
}

/** The rows of the slot, by the bytes of their points. */
export function rowsIn(
  slot: ClosingSlot,
  meters: ReadonlyMap<string, MeterKept>,
  assignments: Assignments,
): PointRow[] {
  const { start_s, slot_s, gapMax_s, judgedAt } = slot;
  const end_s = start_s + slot_s;
  const points = new Map<string, Part[]>();
  const add = (point: string, part: Part) => points.set(point, [...(points.get(point) ?? []), part]);
  for (const meter of new Set([...meters.keys(), ...assignments.keys()])) {
    const kept = meters.get(meter);
    const assigned = assignedAt(assignments, meter, judgedAt);
    const capacity = assigned?.at(-1)?.capacity;
    const keeping = { slot_s, gapMax_s, open_s: start_s, capacity };
    if (assigned === undefined) {
      const isSilent = kept === undefined || kept.reached_s < start_s - SILENCE_S;
      const stay = { from_s: start_s, until_s: end_s, begins: false, ends: false };
      if (!isSilent) add(meter, { kept, stay, sign: 1n, keeping });
      continue;
    }
    for (const each of assigned) {
      const [from_s, until_s] = [Math.max(start_s, each.from_s), Math.min(end_s, untilOf(each))];
      if (from_s >= until_s) continue;
      const stay = { from_s, until_s, begins: each.from_s >= start_s, ends: untilOf(each) <= end_s };
      add(each.point, { kept, stay, sign: BigInt(each.sign), keeping });
    }
  }
  return [...points.keys()].sort().map((point) => rowOf(point, points.get(point)!));
}

function rowOf(point: string, parts: readonly Part[]): PointRow {
  const [imported, exported] = [sumOf(parts, 0), sumOf(parts, 1)];
  const worst = Math.max(imported?.quality ?? 0, exported?.quality ?? 0);
  return {
    ...{ point, imported: imported?.mWh ?? null, exported: exported?.mWh ?? null },
    quality: (worst === 0 ? 3 : worst) as PointRow["quality"],
    doubts: (imported?.doubts ?? 0) | (exported?.doubts ?? 0),
  };
}

/** What the meters of a point come to in one direction. */
interface Sum {
  readonly mWh: bigint | null;
  readonly quality: number;
  readonly doubts: number;
}

/** Undefined where no meter of the point has the counter. */
function sumOf(parts: readonly Part[], counter: 0 | 1): Sum | undefined {
  const advances = parts.flatMap((part) => {
    const advance = part.kept && advanceIn(keptOf(part, counter), part.stay, part.keeping);
    return advance === undefined ? [] : [{ advance, sign: part.sign }];
  });
  if (advances.length === 0) return undefined;
  const doubts = advances.reduce((all, { advance }) => all | advance.doubts, 0);
  const unknown = { mWh: null, quality: 3, doubts };
  if (parts.some(({ kept }) => kept === undefined)) return unknown;
  let sum = 0n;
  let quality = 1;
  for (const { advance, sign } of advances) {
    if (advance.mWh === null) return unknown;
    sum += sign * advance.mWh;
    if (!advance.isRead) quality = 2;
  }
  return sum >= 2n ** 63n || sum <= -(2n ** 63n) ? unknown : { mWh: sum, quality, doubts };
}

function keptOf({ kept, keeping }: Part, counter: 0 | 1): Kept {
  const own = kept!.both[counter];
  return kept!.open_s === keeping.open_s ? own : keepFrom(own, keeping);
}

/** A row as it is compared. */
export function rowText(row: PointRow): string {
  return toHex(encodePointRow(row));
}
