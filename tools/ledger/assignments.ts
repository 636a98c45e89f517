// Which meter counts for which point, pure: what the sealed orders have come to. As with other orders, those in contracts blocks up to
// the height that a block is judged at hold there.

import type { AssignAction, Assignment } from "../../src/wire/assignment-order.js";
import { toHex } from "../../src/wire/bytes.js";

/** Rows that orders may give one meter, those that others have taken the place of included. */
export const METER_ASSIGNMENTS_MAX = 256;

export interface AssignmentRuling {
  /** height of the contracts block that holds the order */
  readonly contractsHeight: number;
  readonly assignment: Assignment;
}

/** By meter, as hex, in the order of the orders. */
export type OrderedAssignments = ReadonlyMap<string, readonly AssignmentRuling[]>;

export type Assigned =
  | { readonly type: "assigned"; readonly assignments: OrderedAssignments }
  | { readonly type: "refused"; readonly reason: string };

/** The assignments with those of one more order. */
export function assign(before: OrderedAssignments, action: AssignAction, contractsHeight: number): Assigned {
  const after = new Map(before);
  for (const assignment of action.assignments) {
    const meter = toHex(assignment.meter);
    const rulings = [...(after.get(meter) ?? []), { contractsHeight, assignment }];
    if (rulings.length > METER_ASSIGNMENTS_MAX) {
      return { type: "refused", reason: `meter ${meter} was assigned ${METER_ASSIGNMENTS_MAX} times already` };
    }
    after.set(meter, rulings);
  }
  for (const meter of new Set(action.assignments.map((row) => toHex(row.meter)))) {
    const rows = newest(after.get(meter)!);
    const overlap = rows.find((row, index) => index > 0 && endOf(rows[index - 1]!) > row.from_s);
    if (overlap === undefined) continue;
    return { type: "refused", reason: `meter ${meter} is assigned to another point at ${overlap.from_s}` };
  }
  return { type: "assigned", assignments: after };
}

/**
 * A meter's assignments at a contracts height, ascending by begin; undefined where it never had one, so that it is a point of its own.
 * One that never was is not among them.
 */
export function assignmentsOf(
  assignments: OrderedAssignments,
  meter: string,
  judgedAt: number,
): readonly Assignment[] | undefined {
  const rulings = assignments.get(meter)?.filter(({ contractsHeight }) => contractsHeight <= judgedAt) ?? [];
  return rulings.length === 0 ? undefined : newest(rulings);
}

/** mWh at which the meter's counters begin at 0 again, as its last assignment says; undefined where that is not known. */
export function capacityOf(assignments: OrderedAssignments, meter: string, judgedAt: number): bigint | undefined {
  return assignmentsOf(assignments, meter, judgedAt)?.at(-1)?.capacity;
}

/** UTC seconds at which the assignment ends. */
export function endOf({ until_s }: Pick<Assignment, "until_s">): number {
  return until_s ?? Number.POSITIVE_INFINITY;
}

function newest(rulings: readonly AssignmentRuling[]): Assignment[] {
  const rows = new Map(rulings.map(({ assignment }) => [assignment.from_s, assignment]));
  return [...rows.values()].filter((row) => endOf(row) > row.from_s).sort((one, other) => one.from_s - other.from_s);
}
