// What sealed readings say of a meter's counters, stated here once more and on its own (PROTOCOL.md, section 29): which readings count,
// which are kept, and how a counter stood at a moment.

import type { Claims, Register } from "../../../../src/wire/record.js";

/** A counter as a reading states it. */
export interface Stated {
  readonly time_s: number;
  readonly seq: number;
  /** mWh */
  readonly counter: bigint;
  /** tariffs that it is the sum of; empty for the register of all */
  readonly tariffs: string;
  /** kinds of doubts beside it, as bits */
  readonly doubts: number;
}

/** What is kept of a counter. */
export interface Kept {
  readonly readings: readonly Stated[];
  /** where the last closed slot ended, as the reading that it follows has it */
  readonly edge: { readonly counter: bigint; readonly isRead: boolean; readonly doubts: number } | undefined;
}

export const nothingKept: Kept = { readings: [], edge: undefined };

/** How a chain settles, where its open slot begins, and what the meter's counters hold. */
export interface Keeping {
  readonly slot_s: number;
  readonly gapMax_s: number;
  readonly open_s: number;
  readonly capacity: bigint | undefined;
}

/** How a counter stood at a moment. */
export interface Standing {
  readonly counter: bigint;
  readonly run: number;
  readonly isRead: boolean;
  readonly doubts: number;
}

const MWH_MAX = 2n ** 63n - 1n;
const TARIFFS = 32;
/** Slots that readings are kept of, where there are more readings. */
const SLOTS_KEPT = 128;
/** Kinds of doubts that rows have a place for. */
const DOUBT_KINDS = 31n;
/** Those that are about no register. */
const OF_THE_FRAME = [0n, 1n, 10n, 12n, 13n, 17n, 18n, 20n, 24n, 28n];

/** The counter of taken (1) or given (2) energy that a reading states; undefined where it states none. */
export function statedBy(claims: Claims, group: 1 | 2): Stated | undefined {
  const { registers = [], time_s, seq } = claims;
  const found = new Map<number, Register>();
  for (const register of registers) {
    const [a, b, c, d, tariff, f] = register.obis;
    const isEnergy = a === 1 && b === 0 && c === group && d === 8 && f === 255 && register.unit === 30;
    if (isEnergy && tariff! <= TARIFFS && register.value >= 0 && !found.has(tariff!)) found.set(tariff!, register);
  }
  const all = found.get(0);
  const named = all === undefined ? [...found].sort(([one], [other]) => one - other) : [[0, all] as const];
  if (named.length === 0) return undefined;
  const at_s = time_s - Math.max(...named.map(([, { age = 0 }]) => age));
  const counter = named.reduce((sum, [, register]) => sum + mWh(register), 0n);
  if (at_s < 0 || counter > MWH_MAX) return undefined;
  const tariffs = all === undefined ? named.map(([tariff]) => tariff).join() : "";
  return { time_s: at_s, seq, counter, tariffs, doubts: doubtsBeside(claims) };
}

/** What was doubted, bit by bit; of a reading that hides something only what is about no register. */
function doubtsBeside({ errors = 0, digests }: Claims): number {
  let doubts = 0n;
  for (let kind = 0n; kind < DOUBT_KINDS; kind += 1n) {
    const isSaid = (BigInt(errors) >> kind) % 2n === 1n && (digests === undefined || OF_THE_FRAME.includes(kind));
    if (isSaid) doubts += 1n << kind;
  }
  return Number(doubts);
}

function mWh({ value, scaler }: Register): bigint {
  const digits = scaler + 3;
  return digits < 0 ? BigInt(value) / 10n ** BigInt(-digits) : BigInt(value) * 10n ** BigInt(digits);
}

/** What is kept with one more reading. */
export function keep(kept: Kept, reading: Stated, { open_s, slot_s }: Keeping): Kept {
  if (reading.time_s < open_s && kept.edge !== undefined) return kept;
  const latest = new Map<number, Stated>();
  for (const each of [...kept.readings, reading]) {
    const other = latest.get(each.time_s);
    if (other === undefined || isNewer(each, other)) latest.set(each.time_s, each);
  }
  const ordered = [...latest.values()].sort((one, other) => one.time_s - other.time_s);
  const slotOf = ({ time_s }: Stated) => Math.floor(time_s / slot_s);
  const open = ordered.filter(({ time_s }) => time_s >= open_s);
  const ends = open.filter(
    (each, place) =>
      place === 0 ||
      place === open.length - 1 ||
      slotOf(open[place - 1]!) !== slotOf(each) ||
      slotOf(open[place + 1]!) !== slotOf(each),
  );
  const slots = [...new Set(ends.map(slotOf))];
  const first = ends.length > SLOTS_KEPT ? (slots.at(-SLOTS_KEPT) ?? 0) : 0;
  const before = ordered.filter(({ time_s }) => time_s < open_s).slice(-1);
  return { edge: kept.edge, readings: [...before, ...ends.filter((each) => slotOf(each) >= first)] };
}

function isNewer(one: Stated, other: Stated): boolean {
  return one.seq === other.seq ? one.counter > other.counter : one.seq > other.seq;
}

/** What is kept when another slot is the first open one. */
export function keepFrom({ readings }: Kept, keeping: Keeping): Kept {
  const { open_s } = keeping;
  const raised = raise(readings, keeping.capacity);
  const standing = standingAt(readings, raised, open_s, keeping);
  const before = readings.filter(({ time_s }) => time_s < open_s).slice(-1);
  const kept = [...before, ...readings.filter(({ time_s }) => time_s >= open_s)];
  if (standing === undefined) return { edge: undefined, readings: kept };
  const followed = readings.findLastIndex(({ time_s }) => time_s <= open_s);
  const { isRead, doubts } = standing;
  return { edge: { counter: standing.counter - raised[followed]!.added, isRead, doubts }, readings: kept };
}

/** A reading on a counter that never falls within its run. */
export interface Raised {
  readonly counter: bigint;
  /** by overflows before it */
  readonly added: bigint;
  readonly run: number;
}

export function raise(readings: readonly Stated[], capacity: bigint | undefined): Raised[] {
  const raised: Raised[] = [];
  for (const [place, { counter, tariffs }] of readings.entries()) {
    const last = raised.at(-1) ?? { counter: 0n, added: 0n, run: 0 };
    const isSame = place === 0 || readings[place - 1]!.tariffs === tariffs;
    const plain = counter + last.added;
    const wrapped = plain + (capacity ?? 0n);
    if (isSame && plain >= last.counter) raised.push({ counter: plain, added: last.added, run: last.run });
    else if (isSame && capacity !== undefined && wrapped >= last.counter && wrapped - last.counter <= capacity / 2n) {
      raised.push({ counter: wrapped, added: last.added + capacity, run: last.run });
    } else raised.push({ counter, added: 0n, run: last.run + 1 });
  }
  return raised;
}

/** The counter at a moment: a reading's, or between two of one run. */
export function standingAt(
  readings: readonly Stated[],
  raised: readonly Raised[],
  at_s: number,
  { gapMax_s }: Pick<Keeping, "gapMax_s">,
): Standing | undefined {
  const next = readings.findIndex(({ time_s }) => time_s >= at_s);
  const behind = raised[next];
  if (behind === undefined) return undefined;
  const { time_s, doubts } = readings[next]!;
  if (time_s === at_s) return { counter: behind.counter, run: behind.run, isRead: true, doubts };
  const before = raised[next - 1];
  if (before === undefined || before.run !== behind.run) return undefined;
  const width_s = time_s - readings[next - 1]!.time_s;
  if (width_s > gapMax_s) return undefined;
  const passed_s = BigInt(at_s - readings[next - 1]!.time_s);
  const counter = before.counter + ((behind.counter - before.counter) * passed_s) / BigInt(width_s);
  return { counter, run: before.run, isRead: false, doubts: doubts | readings[next - 1]!.doubts };
}

/** A part of the open slot in which a meter counts for a point. */
export interface Stay {
  readonly from_s: number;
  readonly until_s: number;
  /** whether it begins or ends there: readings near by are enough then */
  readonly begins: boolean;
  readonly ends: boolean;
}

/** What a counter has gone on by in a stay. */
export interface Advance {
  /** null where that is unknown */
  readonly mWh: bigint | null;
  readonly isRead: boolean;
  /** of the readings at those ends that are known */
  readonly doubts: number;
}

/** Undefined where nothing of the counter is known at all. */
export function advanceIn({ readings, edge }: Kept, stay: Stay, keeping: Keeping): Advance | undefined {
  if (readings.length === 0) return undefined;
  const raised = raise(readings, keeping.capacity);
  const begin = beginOf({ readings, edge }, raised, stay, keeping);
  const end = endOf(readings, raised, stay, keeping);
  const doubts = (begin?.doubts ?? 0) | (end?.doubts ?? 0);
  const isKnown = begin !== undefined && begin.run === end?.run && end.counter >= begin.counter;
  if (!isKnown) return { mWh: null, isRead: false, doubts };
  return { mWh: end.counter - begin.counter, isRead: begin.isRead && end.isRead, doubts };
}

function beginOf({ readings, edge }: Kept, raised: readonly Raised[], stay: Stay, keeping: Keeping) {
  const { from_s, until_s, begins } = stay;
  const isEdge = from_s === keeping.open_s && edge !== undefined;
  const known = isEdge ? fromEdge({ readings, edge }, raised, keeping) : standingAt(readings, raised, from_s, keeping);
  if (known !== undefined || !begins) return known;
  const first = readings.findIndex(({ time_s }) => time_s >= from_s);
  const time_s = readings[first]?.time_s ?? Number.POSITIVE_INFINITY;
  return time_s <= until_s && time_s - from_s <= keeping.gapMax_s
    ? asFound(raised[first]!, readings[first]!)
    : undefined;
}

function fromEdge({ readings, edge }: Kept, raised: readonly Raised[], { open_s }: Keeping): Standing | undefined {
  const base = edge!.isRead ? raised[readings.findIndex(({ time_s }) => time_s === open_s)] : raised[0];
  return base && { counter: edge!.counter + base.added, run: base.run, isRead: edge!.isRead, doubts: edge!.doubts };
}

function endOf(readings: readonly Stated[], raised: readonly Raised[], stay: Stay, keeping: Keeping) {
  const { from_s, until_s, ends } = stay;
  const known = standingAt(readings, raised, until_s, keeping);
  if (known !== undefined || !ends) return known;
  const last = readings.findLastIndex(({ time_s }) => time_s <= until_s);
  const time_s = readings[last]?.time_s ?? Number.NEGATIVE_INFINITY;
  return time_s >= from_s && until_s - time_s <= keeping.gapMax_s ? asFound(raised[last]!, readings[last]!) : undefined;
}

function asFound({ counter, run }: Raised, { doubts }: Stated): Standing {
  return { counter, run, isRead: false, doubts };
}
