// Settlement a second time: section 29 of PROTOCOL.md. It imports neither src nor tools.

import { type Item, independentCbor } from "./independent-cbor.js";
import { bounds } from "./stranger-bounds.js";
import { bytesOf, demand, hex, list, merkleRoot, numberOf } from "./stranger-proof.js";

/** How a chain settles: seconds of a slot, of lateness, of the longest gap. */
export interface StrangerPlan {
  readonly slot_s: number;
  readonly late_s: number;
  readonly gap_s: number;
}

/** A meter counts for a point: what orders have come to, each with the contracts height of its order. */
export interface StrangerAssignment {
  readonly at: number;
  readonly point: string;
  readonly from: number;
  /** Infinity where it has no end */
  readonly until: number;
  readonly sign: bigint;
  readonly capacity: bigint | undefined;
}

export type StrangerAssignments = Map<string, StrangerAssignment[]>;

interface Read {
  readonly t: number;
  readonly seq: number;
  readonly c: bigint;
  /** which tariffs it is the sum of; empty for all */
  readonly of: string;
  /** kinds of doubts */
  readonly d: number;
}

interface Counter {
  reads: Read[];
  edge: { readonly c: bigint; readonly read: boolean; readonly d: number } | undefined;
}

interface Meter {
  readonly epoch: number;
  at: number;
  reached: number;
  readonly both: readonly [Counter, Counter];
}

/** Where a chain's settlement stands. */
export interface StrangerSettlement {
  plan: StrangerPlan | undefined;
  height: number;
  epoch: number;
  open: number;
  readonly meters: Map<string, Meter>;
  /** rows of a closed slot that contracts have not been shown yet */
  left: { readonly start: number; readonly rows: number; shown: number; behind: string } | undefined;
}

export const noSettlement = (): StrangerSettlement => {
  return { plan: undefined, height: 0, epoch: 0, open: 0, meters: new Map(), left: undefined };
};

/** A block as far as it is settled; `plan` where contracts in force ask for slots, `asking` the names of those. */
export interface StrangerSettled {
  readonly height: number;
  readonly time_ms: number;
  readonly judgedAt: number;
  readonly plan: StrangerPlan | undefined;
  readonly asking: readonly string[];
  readonly assignments: StrangerAssignments;
  readonly readings: readonly {
    readonly meter: string;
    readonly seq: number;
    readonly claims: ReadonlyMap<number, Item>;
  }[];
  /** that contracts had for closed slots: what they left no room for comes later */
  readonly runs: number;
}

/** What a block's settlement comes to: the slots of its results, and the entries that contracts run for. */
export interface StrangerClosing {
  readonly slots: readonly Item[];
  readonly entries: readonly { readonly entry: Item; readonly contract: string }[];
  /** encoded rows by the begin of their slot */
  readonly rows: ReadonlyMap<number, readonly Buffer[]>;
}

/** Section 22, action 12. */
export function takeAssignments(assignments: StrangerAssignments, action: readonly Item[], at: number): void {
  const [, items] = list(action, 2);
  const rows = list(items).map((item) => list(item, 6));
  demand(rows.length >= 1 && rows.length <= 1_000, "order assigns nothing, or too often");
  let before = "";
  const touched = new Set<string>();
  for (const [point, meter, from, until, sign, capacity] of rows) {
    demand(typeof point === "string" && /^[!-~]{1,64}$/.test(point), "order's point has no ID");
    const id = hex(bytesOf(meter, 8));
    const begin = numberOf(from, bounds.time_s);
    const key = `${id}/${String(begin).padStart(20, "0")}`;
    demand(key > before, "order's assignments are not in ascending order");
    before = key;
    const end = until === null ? Number.POSITIVE_INFINITY : numberOf(until, bounds.time_s);
    demand(end >= begin, "an assignment ends before it begins");
    demand(sign === 1 || sign === -1, "an assignment has no sign");
    const turns = capacity === null ? undefined : BigInt(capacity as number | bigint);
    demand(turns === undefined || (turns > 0n && turns < 2n ** 63n), "a capacity is none");
    const row = { at, point: String(point), from: begin, until: end, sign: BigInt(Number(sign)), capacity: turns };
    assignments.set(id, [...(assignments.get(id) ?? []), row]);
    touched.add(id);
  }
  for (const id of touched) {
    demand(assignments.get(id)!.length <= 256, "a meter is assigned too often");
    const rows = assigned(assignments, id, at)!;
    demand(
      rows.every(({ from }, index) => index === 0 || rows[index - 1]!.until <= from),
      "a meter is assigned twice at a time",
    );
  }
}

/** The assignments of a meter at a contracts height, by their begins; undefined where it has none, not even ended ones. */
function assigned(assignments: StrangerAssignments, meter: string, judgedAt: number): StrangerAssignment[] | undefined {
  const known = assignments.get(meter)?.filter(({ at }) => at <= judgedAt) ?? [];
  if (known.length === 0) return undefined;
  const last = known.filter((row, index) => known.findLastIndex(({ from }) => from === row.from) === index);
  return last.filter(({ from, until }) => from < until).sort((a, b) => a.from - b.from);
}

/** Settles a block. */
export function settleBlock(state: StrangerSettlement, block: StrangerSettled): StrangerClosing {
  const { plan, height, asking } = block;
  const slots: Item[] = [];
  const entries: { entry: Item; contract: string }[] = [];
  const kept = new Map<number, readonly Buffer[]>();
  if (plan === undefined) return { slots, entries, rows: kept };
  const now = block.time_ms / 1_000;
  const current = Math.floor(now / plan.slot_s) * plan.slot_s;
  const isSame = state.plan !== undefined && Object.values(state.plan).join() === Object.values(plan).join();
  if (!isSame || state.height !== height - 1) {
    Object.assign(state, { plan, epoch: height, open: current, left: undefined });
  }
  state.height = height;
  if (current - state.open > 1_000 * plan.slot_s) state.open = current;
  for (const reading of block.readings) count(state, block, plan, reading, now);

  demand(block.runs <= 16, "block shows slots too often");
  const show = () => {
    while (state.left !== undefined) {
      const { start, rows, shown, behind } = state.left;
      for (const contract of asking.filter((name) => name > behind)) {
        if (entries.length === block.runs) return;
        entries.push({ entry: [2, start, shown / 500], contract });
        state.left.behind = contract;
      }
      state.left = shown + 500 < rows ? { start, rows, shown: shown + 500, behind: "" } : undefined;
    }
  };
  show();
  let points = 0;
  while (state.left === undefined && slots.length < 4 && points < 10_000 && mayClose(state, plan, now)) {
    const start = state.open;
    const rows = rowsOf(state, block, plan);
    state.open = rows.length > 0 ? start + plan.slot_s : Math.max(start + plan.slot_s, current);
    if (rows.length === 0) continue;
    const encoded = rows.map((row) => Buffer.from(independentCbor(row)));
    kept.set(start, encoded);
    slots.push([start, plan.slot_s, rows.length, merkleRoot(encoded)]);
    points += rows.length;
    state.left = { start, rows: rows.length, shown: 0, behind: "" };
    show();
  }
  demand(state.left === undefined || entries.length > 0, "a slot is to be shown and is not");
  return { slots, entries, rows: kept };
}

function mayClose({ open, epoch, meters }: StrangerSettlement, plan: StrangerPlan, now: number): boolean {
  const end = open + plan.slot_s;
  if (now >= end + plan.late_s) return true;
  const own = [...meters.values()].filter((meter) => meter.epoch === epoch);
  const isMissing = own.some(({ reached }) => reached < end && reached >= open - plan.late_s);
  return now >= end && !isMissing && own.some(({ reached }) => reached >= end);
}

function count(
  state: StrangerSettlement,
  { assignments, judgedAt }: StrangerSettled,
  plan: StrangerPlan,
  { meter: id, seq, claims }: StrangerSettled["readings"][number],
  now: number,
): void {
  const quality = claims.get(7);
  if (quality !== 1 && quality !== 2) return;
  const reads = [1, 2].map((group) => {
    const read = readOf(claims, group, seq);
    return read !== undefined && read.t <= now + 60 ? read : undefined;
  });
  if (reads[0] === undefined && reads[1] === undefined) return;
  const known = state.meters.get(id);
  const meter: Meter =
    known?.epoch === state.epoch
      ? known
      : {
          epoch: state.epoch,
          at: state.open,
          reached: 0,
          both: [
            { reads: [], edge: undefined },
            { reads: [], edge: undefined },
          ],
        };
  state.meters.set(id, meter);
  const capacity = assigned(assignments, id, judgedAt)?.at(-1)?.capacity;
  if (meter.at !== state.open) for (const counter of meter.both) bringUp(counter, state.open, plan, capacity);
  meter.at = state.open;
  for (const [index, read] of reads.entries()) {
    if (read === undefined) continue;
    meter.reached = Math.max(meter.reached, read.t);
    const counter = meter.both[index]!;
    if (read.t < state.open && counter.edge !== undefined) continue;
    counter.reads = thin([...counter.reads, read], state.open, plan.slot_s);
  }
}

/** The counter of taken (1) or given (2) energy that a reading states, in mWh. */
function readOf(claims: ReadonlyMap<number, Item>, group: number, seq: number): Read | undefined {
  const time = Number(claims.get(6));
  const byTariff = new Map<number, { readonly c: bigint; readonly age: number }>();
  for (const item of claims.has(9) ? list(claims.get(9)) : []) {
    const [code, value, scaler, unit, age = 0] = list(item);
    const obis = Buffer.from(bytesOf(code, 6));
    const tariff = obis[4]!;
    if (hex(obis.subarray(0, 4)) !== `01000${group}08` || obis[5] !== 255 || tariff > 32) continue;
    if (unit !== 30 || BigInt(value as number) < 0n || byTariff.has(tariff)) continue;
    const power = Number(scaler) + 3;
    const scale = 10n ** BigInt(Math.abs(power));
    const c = power < 0 ? BigInt(value as number) / scale : BigInt(value as number) * scale;
    byTariff.set(tariff, { c, age: Number(age) });
  }
  const all = byTariff.get(0);
  const tariffs = [...byTariff].sort(([one], [other]) => one - other);
  if (tariffs.length === 0) return undefined;
  const counted = all === undefined ? tariffs.map(([, counter]) => counter) : [all];
  const c = counted.reduce((sum, counter) => sum + counter.c, 0n);
  const t = time - Math.max(...counted.map(({ age }) => age));
  const of = all === undefined ? tariffs.map(([tariff]) => tariff).join() : "";
  return t < 0 || c >= 2n ** 63n ? undefined : { t, seq, c, of, d: doubtsOf(claims) };
}

/** The kinds of doubts that a row shows of a reading; of one with digests, those about no register. */
function doubtsOf(claims: ReadonlyMap<number, Item>): number {
  const kinds = claims.has(10) ? 0b1_0001_0001_0110_0011_0100_0000_0011n : 2n ** 31n - 1n;
  return Number(BigInt((claims.get(15) ?? 0) as number) & kinds);
}

/** The last before the open slots, of each of these the first and the last, the newest of each moment, of 128 slots. */
function thin(reads: readonly Read[], open: number, slot_s: number): Read[] {
  const byTime = new Map<number, Read>();
  for (const read of reads) {
    const same = byTime.get(read.t);
    if (same === undefined || same.seq < read.seq || (same.seq === read.seq && same.c < read.c))
      byTime.set(read.t, read);
  }
  const ordered = [...byTime.values()].sort((a, b) => a.t - b.t);
  const before = ordered.filter(({ t }) => t < open).slice(-1);
  const bySlot = new Map<number, Read[]>();
  for (const read of ordered.filter(({ t }) => t >= open)) {
    const slot = Math.floor(read.t / slot_s);
    bySlot.set(slot, [...(bySlot.get(slot)?.slice(0, 1) ?? []), read]);
  }
  const all = [...bySlot.values()];
  const last = all.flat().length > 128 ? all.slice(-128) : all;
  return [...before, ...last.flat()];
}

interface Stand {
  readonly c: bigint;
  /** a reading with what overflows before it came to, and its run: without an energy across two */
  readonly added: bigint;
  readonly run: number;
}

/** Each reading with its run and what is added to it. */
function standsOf(reads: readonly Read[], capacity: bigint | undefined): Stand[] {
  const stands: Stand[] = [];
  for (const [index, { c, of }] of reads.entries()) {
    const last = stands.at(-1);
    if (last === undefined) {
      stands.push({ c, added: 0n, run: 0 });
      continue;
    }
    const isOther = reads[index - 1]!.of !== of;
    if (!isOther && c + last.added >= last.c) stands.push({ c: c + last.added, added: last.added, run: last.run });
    else {
      const turned = capacity === undefined ? -1n : c + last.added + capacity - last.c;
      const isTurn = !isOther && capacity !== undefined && turned >= 0n && turned <= capacity / 2n;
      const added = isTurn ? last.added + capacity : 0n;
      stands.push({ c: c + added, added, run: isTurn ? last.run : last.run + 1 });
    }
  }
  return stands;
}

interface End {
  readonly c: bigint;
  readonly run: number;
  readonly read: boolean;
  readonly d: number;
  /** place of the reading whose addition is in it */
  readonly base: number;
}

function endAt(reads: readonly Read[], stands: readonly Stand[], t: number, gap_s: number): End | undefined {
  const next = reads.findIndex((read) => read.t >= t);
  if (next < 0) return undefined;
  const b = stands[next]!;
  const { d } = reads[next]!;
  if (reads[next]!.t === t) return { c: b.c, run: b.run, read: true, d, base: next };
  const a = stands[next - 1];
  const width = next > 0 ? reads[next]!.t - reads[next - 1]!.t : Number.POSITIVE_INFINITY;
  if (a === undefined || a.run !== b.run || width > gap_s) return undefined;
  const c = a.c + ((b.c - a.c) * BigInt(t - reads[next - 1]!.t)) / BigInt(width);
  return { c, run: a.run, read: false, d: d | reads[next - 1]!.d, base: next - 1 };
}

function bringUp(counter: Counter, open: number, plan: StrangerPlan, capacity: bigint | undefined): void {
  const stands = standsOf(counter.reads, capacity);
  const end = endAt(counter.reads, stands, open, plan.gap_s);
  counter.edge = end === undefined ? undefined : { c: end.c - stands[end.base]!.added, read: end.read, d: end.d };
  const before = counter.reads.filter(({ t }) => t < open).slice(-1);
  counter.reads = [...before, ...counter.reads.filter(({ t }) => t >= open)];
}

interface Part {
  readonly meter: Meter | undefined;
  readonly from: number;
  readonly until: number;
  readonly put: boolean;
  readonly taken: boolean;
  readonly sign: bigint;
  readonly capacity: bigint | undefined;
}

function rowsOf(state: StrangerSettlement, { assignments, judgedAt }: StrangerSettled, plan: StrangerPlan): Item[] {
  const { open: start, epoch } = state;
  const end = start + plan.slot_s;
  const points = new Map<string, Part[]>();
  const add = (point: string, part: Part) => points.set(point, [...(points.get(point) ?? []), part]);
  for (const [id, meter] of state.meters) {
    if (meter.epoch !== epoch || assigned(assignments, id, judgedAt) !== undefined) continue;
    if (meter.reached < start - 604_800) continue;
    add(id, { meter, from: start, until: end, put: false, taken: false, sign: 1n, capacity: undefined });
  }
  for (const id of assignments.keys()) {
    const rows = assigned(assignments, id, judgedAt) ?? [];
    const known = state.meters.get(id);
    const meter = known?.epoch === epoch ? known : undefined;
    for (const { point, from, until, sign } of rows.filter((row) => row.from < end && row.until > start)) {
      const part = { from: Math.max(start, from), until: Math.min(end, until) };
      add(point, { meter, ...part, put: from >= start, taken: until <= end, sign, capacity: rows.at(-1)!.capacity });
    }
  }
  const names = [...points.keys()].sort();
  return names.map((point): Item => {
    const energies = [0, 1].map((direction) => energyOf(state, plan, points.get(point)!, direction as 0 | 1));
    const quality = energies.reduce((worst, energy) => Math.max(worst, energy?.quality ?? 0), 0);
    const doubts = energies.reduce((all, energy) => all | (energy?.d ?? 0), 0);
    return [point, energies[0]?.mWh ?? null, energies[1]?.mWh ?? null, quality === 0 ? 3 : quality, doubts];
  });
}

function energyOf(
  { open }: StrangerSettlement,
  plan: StrangerPlan,
  parts: readonly Part[],
  direction: 0 | 1,
): { readonly mWh: bigint | null; readonly quality: number; readonly d: number } | undefined {
  let sum = 0n;
  let quality = 0;
  let d = 0;
  for (const part of parts) {
    if (part.meter === undefined) continue;
    const counter = { ...part.meter.both[direction] };
    if (part.meter.at !== open) bringUp(counter, open, plan, part.capacity);
    if (counter.reads.length === 0) continue;
    const energy = partOf(counter, part, open, plan.gap_s);
    quality = Math.max(quality, energy.mWh === undefined ? 3 : energy.isRead ? 1 : 2);
    d |= energy.d;
    sum += part.sign * (energy.mWh ?? 0n);
  }
  if (quality === 0) return undefined;
  const isKnown = quality < 3 && parts.every(({ meter }) => meter !== undefined);
  return isKnown && sum < 2n ** 63n && sum > -(2n ** 63n) ? { mWh: sum, quality, d } : { mWh: null, quality: 3, d };
}

function partOf(counter: Counter, part: Part, open: number, gap_s: number) {
  const { reads, edge } = counter;
  const stands = standsOf(reads, part.capacity);
  const standing = (place: number): End => ({ ...stands[place]!, read: false, d: reads[place]!.d, base: place });
  let begin = endAt(reads, stands, part.from, gap_s);
  if (part.from === open && edge !== undefined) {
    const base = edge.read ? reads.findIndex(({ t }) => t === open) : 0;
    const stand = stands[base];
    begin = stand === undefined ? undefined : { ...edge, c: edge.c + stand.added, run: stand.run, base };
  }
  if (begin === undefined && part.put) {
    const first = reads.findIndex(({ t }) => t >= part.from);
    const isNear = first >= 0 && reads[first]!.t <= part.until && reads[first]!.t - part.from <= gap_s;
    if (isNear) begin = standing(first);
  }
  let end = endAt(reads, stands, part.until, gap_s);
  if (end === undefined && part.taken) {
    const last = reads.findLastIndex(({ t }) => t <= part.until);
    const isNear = last >= 0 && reads[last]!.t >= part.from && part.until - reads[last]!.t <= gap_s;
    if (isNear) end = standing(last);
  }
  const d = (begin?.d ?? 0) | (end?.d ?? 0);
  if (begin === undefined || end === undefined || begin.run !== end.run || end.c < begin.c) {
    return { mWh: undefined, isRead: false, d };
  }
  return { mWh: end.c - begin.c, isRead: begin.read && end.read, d };
}
