// How chains settle, stated here once more and on its own (PROTOCOL.md, section 29): which slots a block closes, with which energies,
// and what of them contracts are shown (I35 to I37).

import type { AssignAction } from "../../../../src/wire/assignment-order.js";
import { toHex } from "../../../../src/wire/bytes.js";
import { leafHash, merkleLevels, rootOfLevels } from "../../../../src/wire/merkle.js";
import type { Claims } from "../../../../src/wire/record.js";
import { encodePointRow, type PointRow, type SealedSlot, type SettlementPlan } from "../../../../src/wire/slot.js";
import { keep, keepFrom, nothingKept, statedBy } from "./counters.js";
import { type Assignments, capacityAt, type MeterKept, type OrderedAssignment, rowsIn } from "./points.js";
import type { Fail } from "./violation.js";

/** A block as far as it settles. */
export interface SettledBlock {
  readonly where: string;
  readonly service: number;
  readonly height: number;
  readonly time_ms: number;
  readonly judgedAt: number;
  /** of the contracts in force that ask for slots; undefined where none does */
  readonly plan: SettlementPlan | undefined;
  /** their names */
  readonly asking: readonly string[];
  /** of sealed readings, in their order */
  readonly readings: readonly { readonly meter: string; readonly claims: Claims }[];
  /** what the block's results have */
  readonly slots: readonly SealedSlot[];
  readonly runs: readonly ShownName[];
}

/** A run for rows of a closed slot. */
export interface ShownName {
  readonly start_s: number;
  readonly part: number;
  readonly contract: string;
}

/** The rows that a run is shown. */
export interface ShownPart extends ShownName {
  readonly count: number;
  readonly rows: readonly PointRow[];
}

export interface SlotCounts {
  closed: number;
  /** rows of closed slots, and of these such without an energy */
  rows: number;
  rowsUnknown: number;
  /** that have doubts */
  rowsDoubted: number;
  /** blocks that have left rows of a slot to show */
  rowsLeft: number;
  assignments: number;
}

export interface SlotChecks {
  /** An order is sealed in the contracts block of this height. */
  obey(contractsHeight: number, action: { readonly type: string }): void;
  readonly assignments: Assignments;
  /** Holds a block's slots and runs against what must come of it; returns what its runs are shown, in their order. */
  check(block: SettledBlock): readonly ShownPart[];
  readonly counts: SlotCounts;
}

const CLOSES = "I35 a slot closes once, in its turn, when its time has come";
const EXACT = "I36 a closed slot has the energies and doubts that sealed readings and assignments come to, exactly";
/** Also of what contracts say of them. */
export const SHOWN = "I37 contracts are shown the rows of each closed slot once, in their order";

const SLOTS_MAX = 4;
const POINTS_MAX = 10_000;
const RUNS_MAX = 16;
/** Rows of a slot that a run is shown. */
export const ROWS_SHOWN = 500;
const AHEAD_S = 60;
const BEHIND_SLOTS = 1_000;

/** Of a chain. */
interface Settlement {
  plan: SettlementPlan | undefined;
  height: number;
  open_s: number;
  /** of the meters that were heard of since it began */
  meters: Map<string, MeterKept>;
  /** a closed slot whose rows are not all shown */
  showing: { readonly start_s: number; readonly rows: readonly PointRow[]; part: number; behind: string } | undefined;
}

export function createSlotChecks(fail: Fail): SlotChecks {
  const assignments = new Map<string, OrderedAssignment[]>();
  const settlements = new Map<number, Settlement>();
  const counts: SlotCounts = { closed: 0, rows: 0, rowsUnknown: 0, rowsDoubted: 0, rowsLeft: 0, assignments: 0 };

  const count = (settlement: Settlement, block: SettledBlock, plan: SettlementPlan) => {
    const last_s = block.time_ms / 1_000 + AHEAD_S;
    for (const { meter, claims } of block.readings) {
      if (claims.quality !== 1 && claims.quality !== 2) continue;
      const stated = ([1, 2] as const).map((group) => {
        const reading = statedBy(claims, group);
        return reading !== undefined && reading.time_s <= last_s ? reading : undefined;
      });
      if (stated.every((reading) => reading === undefined)) continue;
      const { open_s } = settlement;
      const keeping = { ...plan, open_s, capacity: capacityAt(assignments, meter, block.judgedAt) };
      const known = settlement.meters.get(meter);
      const both = [0, 1].map((place) => {
        const own = known?.both[place] ?? nothingKept;
        const kept = known === undefined || known.open_s === open_s ? own : keepFrom(own, keeping);
        return stated[place] === undefined ? kept : keep(kept, stated[place], keeping);
      }) as unknown as MeterKept["both"];
      const reached_s = Math.max(known?.reached_s ?? 0, ...stated.map((reading) => reading?.time_s ?? 0));
      settlement.meters.set(meter, { open_s, reached_s, both });
    }
  };

  /** Shows what is left, as far as the block's runs go. */
  const show = (settlement: Settlement, { asking, runs }: SettledBlock, shown: ShownPart[]) => {
    while (settlement.showing !== undefined) {
      const { start_s, rows, part, behind } = settlement.showing;
      const next = asking.find((name) => name > behind);
      if (next === undefined) {
        const isAll = ROWS_SHOWN * (part + 1) >= rows.length;
        settlement.showing = isAll ? undefined : { start_s, rows, part: part + 1, behind: "" };
        continue;
      }
      if (shown.length === runs.length) return;
      const own = rows.slice(ROWS_SHOWN * part, ROWS_SHOWN * (part + 1));
      shown.push({ start_s, part, contract: next, count: rows.length, rows: own });
      settlement.showing.behind = next;
    }
  };

  const checkSlot = (where: string, found: SealedSlot | undefined, start_s: number, rows: readonly PointRow[]) => {
    if (found?.start_s !== start_s) return fail(CLOSES, `${where} closes ${found?.start_s ?? "none"}, not ${start_s}`);
    const root = rootOfLevels(merkleLevels(rows.map(encodePointRow).map(leafHash)));
    if (found.points !== rows.length || toHex(found.root) !== toHex(root)) {
      fail(EXACT, `${where}: slot ${start_s} of ${found.points} points, not ${rows.map(rowName).join(", ")}`);
    }
    counts.closed += 1;
    counts.rows += rows.length;
    counts.rowsUnknown += rows.filter(({ quality }) => quality === 3).length;
    counts.rowsDoubted += rows.filter(({ doubts }) => doubts > 0).length;
  };

  return {
    counts,
    assignments,
    obey(at, action) {
      if (!isAssigning(action)) return;
      for (const assignment of action.assignments) {
        const meter = toHex(assignment.meter);
        assignments.set(meter, [...(assignments.get(meter) ?? []), { at, assignment }]);
        counts.assignments += 1;
      }
    },
    check(block) {
      const { where, service, height, time_ms, plan, slots, runs } = block;
      const settlement = settlements.get(service) ?? begun();
      settlements.set(service, settlement);
      if (plan === undefined) {
        if (slots.length + runs.length > 0) fail(CLOSES, `${where}: no contract asks for slots`);
        return [];
      }
      const now_s = time_ms / 1_000;
      const current_s = Math.floor(now_s / plan.slot_s) * plan.slot_s;
      if (settlement.height !== height - 1 || !isSame(settlement.plan, plan)) {
        Object.assign(settlement, { ...begun(), plan, open_s: current_s });
      }
      settlement.height = height;
      if (current_s - settlement.open_s > BEHIND_SLOTS * plan.slot_s) settlement.open_s = current_s;
      count(settlement, block, plan);
      const shown: ShownPart[] = [];
      show(settlement, block, shown);
      const closed: SealedSlot[] = [];
      while (mayClose(settlement, plan, now_s, closed)) {
        const start_s = settlement.open_s;
        const place = { ...plan, start_s, judgedAt: block.judgedAt };
        const rows = rowsIn(place, settlement.meters, assignments);
        settlement.open_s = rows.length === 0 ? Math.max(start_s + plan.slot_s, current_s) : start_s + plan.slot_s;
        if (rows.length === 0) continue;
        const found = slots[closed.length];
        checkSlot(where, found, start_s, rows);
        if (found === undefined) return [];
        closed.push(found);
        settlement.showing = { start_s, rows, part: 0, behind: "" };
        show(settlement, block, shown);
      }
      if (closed.length < slots.length) fail(CLOSES, `${where} closes ${slots[closed.length]!.start_s} too`);
      checkShown(block, shown, settlement.showing !== undefined);
      if (settlement.showing !== undefined) counts.rowsLeft += 1;
      return shown;
    },
  };

  function checkShown({ where, runs }: SettledBlock, shown: readonly ShownPart[], isLeft: boolean): void {
    const wanted = shown.map(nameOf).join(", ");
    const found = runs.map(nameOf).join(", ");
    if (wanted !== found) fail(SHOWN, `${where} shows ${found}, not ${wanted}`);
    if (runs.length > RUNS_MAX) fail(SHOWN, `${where} shows ${runs.length} times`);
    if (isLeft && runs.length === 0) fail(SHOWN, `${where} shows nothing of what is left`);
  }
}

function begun(): Settlement {
  return { plan: undefined, height: 0, open_s: 0, meters: new Map(), showing: undefined };
}

function isSame(one: SettlementPlan | undefined, other: SettlementPlan): boolean {
  return one?.slot_s === other.slot_s && one.lateness_s === other.lateness_s && one.gapMax_s === other.gapMax_s;
}

function mayClose(
  { open_s, meters, showing }: Settlement,
  { slot_s, lateness_s }: SettlementPlan,
  now_s: number,
  closed: readonly SealedSlot[],
): boolean {
  const points = closed.reduce((sum, slot) => sum + slot.points, 0);
  if (showing !== undefined || closed.length >= SLOTS_MAX || points >= POINTS_MAX) return false;
  const end_s = open_s + slot_s;
  if (now_s >= end_s + lateness_s) return true;
  const reached = [...meters.values()].map(({ reached_s }) => reached_s);
  const isAwaited = reached.some((last_s) => last_s < end_s && last_s >= open_s - lateness_s);
  return now_s >= end_s && !isAwaited && reached.some((last_s) => last_s >= end_s);
}

function isAssigning(action: { readonly type: string }): action is AssignAction {
  return action.type === "assign";
}

function nameOf({ start_s, part, contract }: ShownName): string {
  return `${start_s}/${part} ${contract}`;
}

function rowName({ point, imported, exported, quality, doubts }: PointRow): string {
  return `${point} ${imported}/${exported} ${quality} ${doubts}`;
}
