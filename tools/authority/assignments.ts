// Which sealed assignments the register asks for: a device's point counts for the meters of its credentials, from when it was assigned
// until it is assigned to another. What orders say already is left out.

import { type Assignment, compareRows } from "../../src/wire/assignment-order.js";
import { fromHex } from "../../src/wire/bytes.js";
import { assignmentsOf, type OrderedAssignments } from "../ledger/assignments.js";
import { credentialsOf, type Assignment as RegisteredAssignment, type RegisterView } from "./register/rows.js";

/**
 * Rows of an order for these assignments of the register, ascending; none where orders have said it all. A device without a
 * credential that may be sealed has none: its row comes once it has one.
 */
export function assignmentsDue(
  view: RegisterView,
  assigned: readonly RegisteredAssignment[],
  ordered: OrderedAssignments,
): readonly Assignment[] {
  const rows = assigned.flatMap((assignment) => {
    const credentials = credentialsOf(view, "subjects", assignment.device);
    const good = credentials.filter(({ state }) => state === "valid" || state === "suspended");
    return [...new Set(good.map(({ meter }) => meter))].flatMap((meter) => rowsOf(meter, assignment, ordered));
  });
  return rows.sort(compareRows);
}

function rowsOf(meter: string, { point, from_s }: RegisteredAssignment, ordered: OrderedAssignments): Assignment[] {
  const known = assignmentsOf(ordered, meter, Number.MAX_SAFE_INTEGER) ?? [];
  const last = known.at(-1);
  const isOpen = last !== undefined && (last.until_s === undefined || last.until_s > from_s);
  if (isOpen && last.point === point) return [];
  const row: Assignment = {
    ...{ point, meter: fromHex(meter)!, from_s },
    ...{ until_s: undefined, sign: 1, capacity: last?.capacity },
  };
  // What the meter measured before ends where the new point begins.
  return isOpen && last.from_s < from_s ? [{ ...last, until_s: from_s }, row] : [row];
}
