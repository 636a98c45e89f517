// Which points a chain may have slots of: those that orders name, and each meter that was never assigned to one, by its own ID. Pure.

import { HEIGHT_MAX } from "../../../src/wire/bounds.js";
import { toHex } from "../../../src/wire/bytes.js";
import { parseCredential } from "../../../src/wire/credential.js";
import { WireError } from "../../../src/wire/error.js";
import type { Order } from "../../../src/wire/order.js";
import { assignmentsOf, type OrderedAssignments } from "../../ledger/assignments.js";
import type { HolderRow } from "../../routes/holders.js";

export interface NamedPoint {
  readonly point: string;
  /** what its credential calls a meter that is a point of its own */
  readonly name?: string;
}

/** Points that orders name, each once. */
export function assignedPoints(orders: readonly Order[]): NamedPoint[] {
  const points = orders.flatMap(({ action }) =>
    action.type === "assign" ? action.assignments.map(({ point }) => point) : [],
  );
  return [...new Set(points)].map((point) => ({ point }));
}

/** Those of the holders that are meters and points of their own. */
export function ownPoints(holders: readonly HolderRow[], assignments: OrderedAssignments): NamedPoint[] {
  return holders.flatMap(({ kid, credential }) => {
    const point = toHex(kid);
    if (assignmentsOf(assignments, point, HEIGHT_MAX) !== undefined) return [];
    const name = meterIn(credential);
    return name === undefined ? [] : [{ point, name }];
  });
}

function meterIn(credential: Uint8Array): string | undefined {
  try {
    const { subject, roles } = parseCredential(credential);
    return roles.includes("meter") ? subject : undefined;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
