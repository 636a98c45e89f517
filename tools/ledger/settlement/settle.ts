// The settlement of a chain at one block, pure: what its readings make of the counters, which slots close, and what of their rows the
// chain's contracts are shown. It rests where no contract in force asks for it.

import {
  BLOCK_SLOTS_MAX,
  encodePointRow,
  type PointRow,
  type SealedSlot,
  type SettlementPlan,
  slotRoot,
} from "../../../src/wire/slot.js";
import { capacityOf, type OrderedAssignments } from "../assignments.js";
import type { ExecutionRecord } from "../record-scan.js";
import { countersRead } from "./counters-read.js";
import { type CountersRead, directions, type MeterCounters, withReading } from "./meter-counters.js";
import { pointRows } from "./point-rows.js";

/** Seconds by which a reading's clock may be ahead of its block. */
export const READING_AHEAD_S = 60;
/** Rows of a slot that a contract is shown at once. */
export const SHOWN_ROWS_MAX = 500;
/** Runs of a block for closed slots: contracts that are shown rows, times how often. */
export const SLOT_RUNS_MAX = 8;
/** Points of the slots that one block closes; the first slot may have more. */
export const CLOSED_POINTS_MAX = 10_000;

/** A chain whose first open slot is further behind its blocks goes on with the current one. */
export const BEHIND_SLOTS_MAX = 1_000;

/** Where a chain's settlement stands behind a block. */
export interface SettlementHead {
  readonly plan: SettlementPlan;
  /** height of the block; a settlement that rested for one begins anew */
  readonly height: number;
  /** height at which it began */
  readonly epoch: number;
  /** begin of the first slot that is open */
  readonly open_s: number;
  /** meters that this slot waits for */
  readonly awaited: number;
  /** a closed slot whose rows contracts have not all been shown */
  readonly showing: Showing | undefined;
}

export interface Showing {
  readonly slot: SealedSlot;
  /** rows that they have been shown */
  readonly shown: number;
}

/** What a chain remembers of its settlement before a block. */
export interface SettlementView {
  readonly head: SettlementHead | undefined;
  counters(meter: string): MeterCounters | undefined;
  /** All counters, by meter. */
  all(): Iterable<readonly [meter: string, counters: MeterCounters]>;
  /** The rows of the closed slot that began then, which is being shown. */
  rows(start_s: number): readonly PointRow[];
}

/** The block, and what holds there. */
export interface SettlementPlace {
  readonly height: number;
  readonly time_ms: number;
  readonly judgedAt: number;
  /** what contracts in force ask for; undefined where none does */
  readonly plan: SettlementPlan | undefined;
  /** how many of them ask */
  readonly contracts: number;
  readonly assignments: OrderedAssignments;
  readonly view: SettlementView;
}

export interface ClosedSlot {
  readonly slot: SealedSlot;
  readonly rows: readonly PointRow[];
}

/** Rows of a closed slot that each contract that asks is shown. */
export interface ShownRows {
  readonly slot: SealedSlot;
  /** place of the first row among all */
  readonly first: number;
  readonly rows: readonly PointRow[];
}

export interface Settlement {
  /** undefined where nothing is settled */
  readonly head: SettlementHead | undefined;
  /** of meters whose readings the block seals */
  readonly counters: ReadonlyMap<string, MeterCounters>;
  readonly closed: readonly ClosedSlot[];
  readonly shown: readonly ShownRows[];
}

export const restingSettlement: Settlement = { head: undefined, counters: new Map(), closed: [], shown: [] };

interface Run {
  readonly place: SettlementPlace;
  readonly plan: SettlementPlan;
  readonly epoch: number;
  readonly counters: Map<string, MeterCounters>;
  readonly closed: ClosedSlot[];
  readonly shown: ShownRows[];
  open_s: number;
  awaited: number;
  showing: Showing | undefined;
}

/** What the sealed records of a block, in their order, make of the settlement. */
export function settle(place: SettlementPlace, records: readonly ExecutionRecord[]): Settlement {
  const { plan, height } = place;
  if (plan === undefined) return restingSettlement;
  const { epoch, open_s, awaited, showing } = headBefore(place, plan);
  const run: Run = { place, plan, epoch, counters: new Map(), closed: [], shown: [], open_s, awaited, showing };
  for (const record of records) {
    const read = countersRead(record);
    if (read !== undefined) take(run, record.meter, read);
  }
  if (run.showing !== undefined) show(run, place.view.rows(run.showing.slot.start_s));
  while (mayClose(run)) close(run);
  const { counters, closed, shown } = run;
  const head = { plan, height, epoch, open_s: run.open_s, awaited: run.awaited, showing: run.showing };
  return { head, counters, closed, shown };
}

/** Where the settlement stands before the block; it begins anew where it rested, or is asked for otherwise. */
function headBefore({ view, height, time_ms }: SettlementPlace, plan: SettlementPlan): SettlementHead {
  const { head } = view;
  const current_s = slotAt(time_ms / 1_000, plan);
  const isSame = head !== undefined && head.height === height - 1 && isSamePlan(head.plan, plan);
  if (!isSame) return { plan, height, epoch: height, open_s: current_s, awaited: 0, showing: undefined };
  // A chain that stood for so long does not settle what it missed.
  const isFar = current_s - head.open_s > BEHIND_SLOTS_MAX * plan.slot_s;
  return isFar ? { ...head, open_s: current_s, awaited: 0 } : head;
}

export function isSamePlan(one: SettlementPlan, other: SettlementPlan): boolean {
  return one.slot_s === other.slot_s && one.lateness_s === other.lateness_s && one.gapMax_s === other.gapMax_s;
}

function slotAt(time_s: number, { slot_s }: SettlementPlan): number {
  return Math.floor(time_s / slot_s) * slot_s;
}

function take(run: Run, meter: string, read: CountersRead): void {
  const { place, plan, epoch, open_s } = run;
  const last_s = place.time_ms / 1_000 + READING_AHEAD_S;
  const [imported, exported] = directions.map((direction) => {
    const reading = read[direction];
    return reading !== undefined && reading.time_s <= last_s ? reading : undefined;
  });
  if (imported === undefined && exported === undefined) return;
  const known = run.counters.get(meter) ?? place.view.counters(meter);
  const before = known?.epoch === epoch ? known : undefined;
  const capacity = capacityOf(place.assignments, meter, place.judgedAt);
  const { slot_s, gapMax_s } = plan;
  const after = withReading(before, { imported, exported }, { epoch, open_s, slot_s, gapMax_s, capacity });
  run.counters.set(meter, after);
  run.awaited += Number(isAwaited(run, after)) - Number(before !== undefined && isAwaited(run, before));
}

/** Whether the first open slot waits for the meter: its latest reading is not beyond the slot, nor long before it. */
function isAwaited({ open_s, plan }: Pick<Run, "open_s" | "plan">, { reached_s }: MeterCounters): boolean {
  return reached_s >= open_s - plan.lateness_s && reached_s < open_s + plan.slot_s;
}

function mayClose({ place, plan, open_s, awaited, showing, closed }: Run): boolean {
  const points = closed.reduce((sum, { slot }) => sum + slot.points, 0);
  if (showing !== undefined || closed.length >= BLOCK_SLOTS_MAX || points >= CLOSED_POINTS_MAX) return false;
  const beyond_s = place.time_ms / 1_000 - (open_s + plan.slot_s);
  return beyond_s >= plan.lateness_s || (beyond_s >= 0 && awaited === 0);
}

/** The first open slot closes; what has no point passes with all that has passed. */
function close(run: Run): void {
  const { place, plan, epoch, open_s } = run;
  const { slot_s, gapMax_s } = plan;
  const { assignments, judgedAt } = place;
  const meters = metersOf(run);
  const rows = pointRows({ epoch, open_s, slot_s, gapMax_s, assignments, judgedAt }, meters);
  run.open_s = rows.length > 0 ? open_s + slot_s : Math.max(open_s + slot_s, slotAt(place.time_ms / 1_000, plan));
  run.awaited = meters.filter(([, counters]) => counters.epoch === epoch && isAwaited(run, counters)).length;
  if (rows.length === 0) return;
  const slot = { start_s: open_s, slot_s, points: rows.length, root: slotRoot(rows.map(encodePointRow)) };
  run.closed.push({ slot, rows });
  run.showing = { slot, shown: 0 };
  show(run, rows);
}

/** All counters, with those that the block has changed. */
function metersOf({ place, counters }: Run): (readonly [string, MeterCounters])[] {
  const meters: (readonly [string, MeterCounters])[] = [];
  const known = new Set<string>();
  for (const [meter, before] of place.view.all()) {
    const after = counters.get(meter);
    if (after !== undefined) known.add(meter);
    meters.push([meter, after ?? before]);
  }
  for (const [meter, after] of counters) if (!known.has(meter)) meters.push([meter, after]);
  return meters;
}

/** Shows rows of the slot as far as the block's runs reach, and some in any case where none were shown in the block before. */
function show(run: Run, rows: readonly PointRow[]): void {
  const { contracts } = run.place;
  while (run.showing !== undefined) {
    const runs = (run.shown.length + 1) * contracts;
    if (runs > SLOT_RUNS_MAX && run.shown.length > 0) return;
    const { slot, shown } = run.showing;
    const next = rows.slice(shown, shown + SHOWN_ROWS_MAX);
    run.shown.push({ slot, first: shown, rows: next });
    const reached = shown + next.length;
    run.showing = reached < rows.length ? { slot, shown: reached } : undefined;
  }
}
