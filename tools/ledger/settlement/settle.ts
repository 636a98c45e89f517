// The settlement of a chain at one block, pure, in two halves: what its readings make of the counters, and which slots close and what of
// their rows the chain's contracts are shown. The second one takes long where there are many points, and is done in pieces; a block
// that turns out to have room for fewer runs does it anew with what is computed already.

import { merkleRoot } from "../../../src/wire/merkle.js";
import {
  BLOCK_SLOTS_MAX,
  encodePointRow,
  isSamePlan,
  type PointRow,
  type SealedSlot,
  type SettlementPlan,
  slotRoot,
} from "../../../src/wire/slot.js";
import { capacityOf, type OrderedAssignments } from "../assignments.js";
import { atOnce, PIECE_UNITS, type Pieces } from "../pieces.js";
import type { ExecutionRecord } from "../record-scan.js";
import { countersRead } from "./counters-read.js";
import { type CountersRead, directions, type MeterCounters, withReading } from "./meter-counters.js";
import { pointRows } from "./point-rows.js";

/** Seconds by which a reading's clock may be ahead of its block. */
export const READING_AHEAD_S = 60;
/** Rows of a slot that a contract is shown at once. */
export const SHOWN_ROWS_MAX = 500;
/** Runs of a block for closed slots: contracts that are shown rows, times how often. */
export const SLOT_RUNS_MAX = 16;
/** Rows whose root is computed at once. */
const SUBTREE_LEAVES = 1_024;
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
  /** meters that have readings beyond it */
  readonly beyond: number;
  /** a closed slot whose rows contracts have not all been shown */
  readonly showing: Showing | undefined;
}

export interface Showing {
  readonly slot: SealedSlot;
  /** rows that all of them have been shown */
  readonly shown: number;
  /** the last contract, by name, that has been shown the part behind those; undefined where none has */
  readonly behind: string | undefined;
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
  /** what contracts in force ask for */
  readonly plan: SettlementPlan;
  /** names of those that ask, ascending */
  readonly asking: readonly string[];
  readonly assignments: OrderedAssignments;
  readonly view: SettlementView;
}

export interface ClosedSlot {
  readonly slot: SealedSlot;
  readonly rows: readonly PointRow[];
}

/** Rows of a closed slot that contracts are shown. */
export interface ShownRows {
  readonly slot: SealedSlot;
  /** names of the contracts */
  readonly to: readonly string[];
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

/** Of a block at which no contract asks for slots. */
export const restingSettlement: Settlement = { head: undefined, counters: new Map(), closed: [], shown: [] };

type Meter = readonly [meter: string, counters: MeterCounters];

/** A block whose readings are taken, with what was computed of the slots that it closes, in their order. */
export interface Settling {
  readonly place: SettlementPlace;
  /** as its readings leave it, before any slot closes */
  readonly before: SettlementHead;
  readonly counters: ReadonlyMap<string, MeterCounters>;
  /** all counters, with those that the block has changed; undefined before a slot closes */
  meters: readonly Meter[] | undefined;
  readonly closings: { readonly rows: readonly PointRow[]; readonly root: Uint8Array | undefined }[];
}

interface Run {
  readonly place: SettlementPlace;
  readonly plan: SettlementPlan;
  readonly epoch: number;
  readonly closed: ClosedSlot[];
  readonly shown: ShownRows[];
  /** that the block has room for */
  readonly runs: number;
  open_s: number;
  awaited: number;
  beyond: number;
  showing: Showing | undefined;
}

type Reading = Omit<Run, "closed" | "shown" | "runs"> & { readonly counters: Map<string, MeterCounters> };

/** What the sealed records of a block, in their order, make of the counters. */
export function takeReadings(place: SettlementPlace, records: readonly ExecutionRecord[]): Settling {
  const run: Reading = { ...headBefore(place), place, counters: new Map() };
  passWhatIsFar(run);
  for (const record of records) {
    const read = countersRead(record);
    if (read !== undefined) take(run, record.meter, read);
  }
  const { plan, epoch, open_s, awaited, beyond, showing, counters } = run;
  const before = { plan, height: place.height, epoch, open_s, awaited, beyond, showing };
  return { place, before, counters, meters: undefined, closings: [] };
}

/** The slots that the block closes and shows, where it has room for so many runs. */
export function* closeSlots(settling: Settling, runs = SLOT_RUNS_MAX): Pieces<Settlement> {
  const { place, before, counters } = settling;
  const run: Run = { ...before, place, runs, closed: [], shown: [] };
  if (run.showing !== undefined) show(run, place.view.rows(run.showing.slot.start_s));
  for (let at = 0; mayClose(run); at += 1) {
    settling.meters ??= yield* metersOf(place, counters);
    settling.closings[at] ??= yield* closingOf(run, settling.meters);
    close(run, settling.meters, settling.closings[at]!);
  }
  const { plan, epoch, open_s, awaited, beyond, showing, closed, shown } = run;
  return { head: { plan, height: place.height, epoch, open_s, awaited, beyond, showing }, counters, closed, shown };
}

/** Where the settlement stands before the block; it begins anew where it rested, or is asked for otherwise. */
function headBefore({ plan, view, height, time_ms }: SettlementPlace): SettlementHead {
  const { head } = view;
  const current_s = slotAt(time_ms / 1_000, plan);
  const isSame = head !== undefined && head.height === height - 1 && isSamePlan(head.plan, plan);
  if (isSame) return head;
  return { plan, height, epoch: height, open_s: current_s, awaited: 0, beyond: 0, showing: undefined };
}

/** A chain that stood for so long does not settle what it missed. */
function passWhatIsFar(run: Reading): void {
  const current_s = slotAt(run.place.time_ms / 1_000, run.plan);
  if (current_s - run.open_s <= BEHIND_SLOTS_MAX * run.plan.slot_s) return;
  run.open_s = current_s;
  count(run, atOnce(metersOf(run.place, run.counters)));
}

/** Counts for whom the first open slot waits. */
function count(run: Run | Reading, meters: readonly Meter[]): void {
  const own = meters.filter(([, counters]) => counters.epoch === run.epoch);
  run.awaited = own.filter(([, counters]) => isAwaited(run, counters)).length;
  run.beyond = own.filter(([, counters]) => isBeyond(run, counters)).length;
}

function slotAt(time_s: number, { slot_s }: SettlementPlan): number {
  return Math.floor(time_s / slot_s) * slot_s;
}

function take(run: Reading, meter: string, read: CountersRead): void {
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
  run.beyond += Number(isBeyond(run, after)) - Number(before !== undefined && isBeyond(run, before));
}

/** Whether the first open slot waits for the meter: its latest reading is not beyond the slot, nor long before it. */
function isAwaited({ open_s, plan }: Pick<Run, "open_s" | "plan">, { reached_s }: MeterCounters): boolean {
  return reached_s >= open_s - plan.lateness_s && reached_s < open_s + plan.slot_s;
}

function isBeyond({ open_s, plan }: Pick<Run, "open_s" | "plan">, { reached_s }: MeterCounters): boolean {
  return reached_s >= open_s + plan.slot_s;
}

function mayClose({ place, plan, open_s, awaited, beyond, showing, closed }: Run): boolean {
  const points = closed.reduce((sum, { slot }) => sum + slot.points, 0);
  if (showing !== undefined || closed.length >= BLOCK_SLOTS_MAX || points >= CLOSED_POINTS_MAX) return false;
  const past_s = place.time_ms / 1_000 - (open_s + plan.slot_s);
  return past_s >= plan.lateness_s || (past_s >= 0 && beyond > 0 && awaited === 0);
}

/** The rows of the first open slot, and their root where it has any. */
function* closingOf(
  { place, plan, epoch, open_s }: Run,
  meters: readonly Meter[],
): Pieces<Settling["closings"][number]> {
  const { slot_s, gapMax_s } = plan;
  const { assignments, judgedAt } = place;
  const rows = yield* pointRows({ epoch, open_s, slot_s, gapMax_s, assignments, judgedAt }, meters);
  if (rows.length === 0) return { rows, root: undefined };
  return { rows, root: yield* rootOf(rows) };
}

/** Subtrees of a power of two leaves each come to the whole tree, as their leaves do. */
function* rootOf(rows: readonly PointRow[]): Pieces<Uint8Array> {
  const roots: Uint8Array[] = [];
  for (let first = 0; first < rows.length; first += SUBTREE_LEAVES) {
    if (first > 0) yield;
    roots.push(slotRoot(rows.slice(first, first + SUBTREE_LEAVES).map(encodePointRow)));
  }
  return merkleRoot(roots);
}

/** The first open slot closes; what has no point passes with all that has passed. */
function close(run: Run, meters: readonly Meter[], { rows, root }: Settling["closings"][number]): void {
  const { place, plan, open_s } = run;
  const { slot_s } = plan;
  run.open_s = rows.length > 0 ? open_s + slot_s : Math.max(open_s + slot_s, slotAt(place.time_ms / 1_000, plan));
  count(run, meters);
  if (root === undefined) return;
  const slot = { start_s: open_s, slot_s, points: rows.length, root };
  run.closed.push({ slot, rows });
  run.showing = { slot, shown: 0, behind: undefined };
  show(run, rows);
}

/** All counters, with those that the block has changed. */
function* metersOf({ view }: SettlementPlace, counters: ReadonlyMap<string, MeterCounters>): Pieces<Meter[]> {
  const meters: Meter[] = [];
  const known = new Set<string>();
  for (const [meter, before] of view.all()) {
    const after = counters.get(meter);
    if (after !== undefined) known.add(meter);
    meters.push([meter, after ?? before]);
    if (meters.length % PIECE_UNITS === 0) yield;
  }
  for (const [meter, after] of counters) if (!known.has(meter)) meters.push([meter, after]);
  return meters;
}

/** Shows rows of the slot as far as the block's runs reach. */
function show(run: Run, rows: readonly PointRow[]): void {
  const { runs } = run;
  const { asking } = run.place;
  while (run.showing !== undefined) {
    const { slot, shown, behind } = run.showing;
    const waiting = asking.filter((name) => behind === undefined || name > behind);
    const left = runs - run.shown.reduce((sum, { to }) => sum + to.length, 0);
    const to = waiting.slice(0, left);
    const next = rows.slice(shown, shown + SHOWN_ROWS_MAX);
    if (to.length > 0) run.shown.push({ slot, to, first: shown, rows: next });
    if (to.length < waiting.length) {
      run.showing = { slot, shown, behind: to.at(-1) ?? behind };
      return;
    }
    const reached = shown + next.length;
    run.showing = reached < rows.length ? { slot, shown: reached, behind: undefined } : undefined;
  }
}
