// Rows of a closed slot, as contracts of the market take them: what no point can carry says nothing.

import type { Slot, SlotRow } from "../contracts/author.js";

/** mWh of a point in a slot: 1 GWh. A counter that leaps beyond it would make sums that nobody's share is worth. */
const ENERGY_MAX = 1_000_000_000_000;
const QUALITY_MISSING = 3;

/** Rows by point; energies beyond what a point can carry are missing. */
export function rowsByPoint(points: Slot["points"]): ReadonlyMap<string, SlotRow> {
  return new Map(points.map((row) => [row[0], plausible(row)] as const));
}

export function plausible(row: SlotRow): SlotRow {
  const [point, taken, given, , doubts] = row;
  return isBeyond(taken) || isBeyond(given) ? [point, null, null, QUALITY_MISSING, doubts] : row;
}

function isBeyond(energy: SlotRow[1]): boolean {
  if (typeof energy !== "number" && typeof energy !== "bigint") return false;
  return energy > ENERGY_MAX || energy < -ENERGY_MAX;
}
