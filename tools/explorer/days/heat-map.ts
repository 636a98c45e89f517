// The days of a chain's meters: what stands in each cell of the map, and which meters need looking at first. Pure.

import type { DayRow } from "../../routes/days.js";

/**
 * `sealed`: all is well · `late`: some came late · `doubtful`: their reader had doubts · `missing`: numbers are not sealed · `silent`:
 * nothing, though it had sealed before and has again · `none`: nothing, and nothing was to come
 */
export type CellState = "sealed" | "late" | "doubtful" | "missing" | "silent" | "none";

export interface Cell {
  readonly state: CellState;
  readonly records: number;
  readonly missing: number;
  readonly late: number;
  readonly doubtful: number;
  /** least number of the day */
  readonly first: number | undefined;
}

export interface MeterDays {
  readonly kid: string;
  /** in the order of the days */
  readonly cells: readonly Cell[];
  /** the greater, the more is to be looked at */
  readonly weight: number;
}

/** The rows of one day by meter; undefined where the node does not have the day. */
export type DayRows = ReadonlyMap<string, DayRow> | undefined;

const weights: Readonly<Record<CellState, number>> = {
  sealed: 0,
  none: 0,
  doubtful: 1,
  late: 2,
  silent: 5,
  missing: 10,
};

/** Of all meters that any of the days has, those that need looking at first; `days` in their order, the newest last. */
export function meterDays(days: readonly DayRows[]): MeterDays[] {
  const kids = new Set(days.flatMap((rows) => [...(rows?.keys() ?? [])]));
  return [...kids]
    .map((kid) => {
      const cells = cellsOf(days.map((rows) => rows?.get(kid)));
      return { kid, cells, weight: cells.reduce((sum, { state }) => sum + weights[state], 0) };
    })
    .sort((one, other) => other.weight - one.weight || (one.kid < other.kid ? -1 : 1));
}

function cellsOf(rows: readonly (DayRow | undefined)[]): Cell[] {
  const begin = rows.findIndex((row) => row !== undefined);
  const end = rows.findLastIndex((row) => row !== undefined);
  let before: DayRow | undefined;
  return rows.map((row, index) => {
    if (row === undefined) {
      // The newest day may just have begun.
      const isSilent = index > begin && (index < end || index < rows.length - 1);
      return { state: isSilent ? "silent" : "none", records: 0, missing: 0, late: 0, doubtful: 0, first: undefined };
    }
    const between = before === undefined ? 0 : Math.max(0, row.first - before.last - 1);
    before = row;
    const { records, first, last, late, doubtful } = row;
    const missing = Math.max(0, last - first + 1 - records) + between;
    return { state: stateOf({ missing, late, doubtful }), records, missing, late, doubtful, first };
  });
}

function stateOf({ missing, late, doubtful }: Pick<Cell, "missing" | "late" | "doubtful">): CellState {
  if (missing > 0) return "missing";
  if (late > 0) return "late";
  return doubtful > 0 ? "doubtful" : "sealed";
}

/** Meters by the worst of their cells, for the sums above the map. */
export function countsOf(meters: readonly MeterDays[]): Readonly<Record<CellState, number>> {
  const counts: Record<CellState, number> = { sealed: 0, late: 0, doubtful: 0, missing: 0, silent: 0, none: 0 };
  for (const { cells } of meters) {
    const worst = cells.reduce<CellState>((one, { state }) => (weights[state] > weights[one] ? state : one), "sealed");
    counts[worst] += 1;
  }
  return counts;
}
