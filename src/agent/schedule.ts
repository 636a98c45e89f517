// Which records a reading gives: by elapsed time, at the marks of the clock, or on demand. Pure. Intervals are measured by the monotonic
// uptime, so that a clock that is set forward or back neither stalls a schedule nor makes it repeat itself.

import { matchesObis, type ObisPattern, parseObisPattern } from "../meter/obis.js";
import type { Register } from "../meter/register.js";
import { reasons } from "../wire/record.js";
import { Arrivals } from "./arrivals.js";
import type { ScheduleEntry } from "./configuration.js";

/** A telegram that comes a little before its interval is over counts as on time. */
const EARLY_MAX_MS = 500;
/** A reading is looked at as often, though no record is due: a meter's clock that was set is seen by that. */
const LOOK_INTERVAL_MS = 60_000;

/** What the schedule asks of one reading: these registers, for this service. */
export interface DueRecord {
  readonly service: number;
  readonly serviceId: number;
  /** claim 13 */
  readonly reason: number;
  readonly clear: readonly Register[];
  readonly confidential: readonly { readonly label: string; readonly registers: readonly Register[] }[];
}

export interface Schedule {
  /** Records due at a reading of `time_s` (undefined where no clock gave one) that came at `uptime_ms`. */
  due(registers: readonly Register[], time_s: number | undefined, uptime_ms: number): DueRecord[];
  /** Whether a reading at `uptime_ms` may give a record, or is due to be looked at for what has changed meanwhile. */
  isDue(uptime_ms: number): boolean;
  /** The next reading gives a record for every entry of the service, or of all services. */
  demand(service: number | undefined): void;
}

interface Group {
  readonly label: string;
  readonly patterns: readonly ObisPattern[];
}

interface Entry {
  readonly service: number;
  readonly serviceId: number;
  readonly every_s: number;
  readonly aligned: boolean;
  readonly clear: readonly ObisPattern[];
  readonly groups: readonly Group[];
  demanded: boolean;
  /** a reading before this uptime gives no record, unless the meter's clock is set forward meanwhile */
  restsUntil_ms: number;
  /** when the next record of a periodic entry is due */
  dueAt_ms: number | undefined;
  /** mark of an aligned entry that the reading before had reached, in intervals since 1970 */
  seenMark: number | undefined;
  /** mark of the newest record, and the uptime at which it was made */
  recorded: { readonly mark: number; readonly at_ms: number } | undefined;
}

export function createSchedule(entries: readonly ScheduleEntry[]): Schedule {
  const states = entries.map(entryOf);
  const arrivals = new Arrivals();
  let lookAt_ms = 0;
  return {
    isDue: (uptime_ms) =>
      uptime_ms >= lookAt_ms || states.some(({ demanded, restsUntil_ms }) => demanded || uptime_ms >= restsUntil_ms),
    due(registers, time_s, uptime_ms) {
      const records: DueRecord[] = [];
      const onTime_ms = time_s === undefined ? uptime_ms : arrivals.onTime_ms(time_s, uptime_ms);
      lookAt_ms = uptime_ms + LOOK_INTERVAL_MS;
      for (const entry of states) {
        const timely =
          entry.aligned && time_s !== undefined ? passesMark(entry, time_s, uptime_ms) : elapses(entry, uptime_ms);
        entry.restsUntil_ms = uptime_ms;
        if (!timely) entry.restsUntil_ms = restsUntil_ms(entry, time_s, onTime_ms);
        if (!timely && !entry.demanded) continue;
        const reason = entry.demanded
          ? reasons.onDemand
          : entry.aligned && time_s !== undefined
            ? reasons.clockAligned
            : reasons.periodic;
        const record = recordOf(entry, reason, registers);
        // Telegrams differ: where none of the entry's registers is in this one, the next is looked at.
        if (record === undefined) continue;
        entry.demanded = false;
        if (timely) {
          advance(entry, time_s, uptime_ms);
          entry.restsUntil_ms = restsUntil_ms(entry, time_s, onTime_ms);
        }
        records.push(record);
      }
      return records;
    },
    demand(service) {
      for (const entry of states) if (service === undefined || entry.service === service) entry.demanded = true;
    },
  };
}

function entryOf(entry: ScheduleEntry): Entry {
  return {
    service: entry.service,
    serviceId: entry.serviceId,
    every_s: entry.every_s,
    aligned: entry.aligned,
    clear: entry.registers.map(parseObisPattern),
    groups: (entry.confidential ?? []).map(({ label, registers }) => ({
      label,
      patterns: registers.map(parseObisPattern),
    })),
    demanded: false,
    restsUntil_ms: 0,
    dueAt_ms: undefined,
    seenMark: undefined,
    recorded: undefined,
  };
}

function elapses(entry: Entry, uptime_ms: number): boolean {
  return entry.dueAt_ms === undefined || uptime_ms >= entry.dueAt_ms - earlyMax_ms(entry);
}

/**
 * Until when no reading is due after this one, which was to come at `onTime_ms`. A telegram that comes a little before is looked at; one
 * that was passed is none lost.
 */
function restsUntil_ms(entry: Entry, time_s: number | undefined, onTime_ms: number): number {
  if (!entry.aligned || time_s === undefined) return (entry.dueAt_ms ?? 0) - earlyMax_ms(entry);
  return onTime_ms + (entry.every_s - (time_s % entry.every_s)) * 1000 - EARLY_MAX_MS;
}

function earlyMax_ms(entry: Entry): number {
  return Math.min(EARLY_MAX_MS, entry.every_s * 100);
}

/**
 * Whether the clock has passed a mark since the reading before. At least half an interval must have gone by since the last record, and
 * a whole one where the mark is none beyond the newest: then the clock was set back, whereas a late reading comes within the interval.
 */
function passesMark(entry: Entry, time_s: number, uptime_ms: number): boolean {
  const mark = Math.floor(time_s / entry.every_s);
  const seen = entry.seenMark;
  entry.seenMark = mark;
  // The meter started between two marks, or at one.
  if (seen === undefined) return time_s % entry.every_s === 0;
  if (mark <= seen) return false;
  if (entry.recorded === undefined) return true;
  const elapsed_ms = uptime_ms - entry.recorded.at_ms;
  const interval_ms = entry.every_s * 1000;
  return elapsed_ms >= (mark > entry.recorded.mark ? interval_ms / 2 : interval_ms - earlyMax_ms(entry));
}

function advance(entry: Entry, time_s: number | undefined, uptime_ms: number): void {
  const interval_ms = entry.every_s * 1000;
  // A periodic entry keeps its phase, unless an interval or more went by without a reading.
  const late = entry.dueAt_ms === undefined || uptime_ms - entry.dueAt_ms >= interval_ms;
  entry.dueAt_ms = (late ? uptime_ms : entry.dueAt_ms!) + interval_ms;
  if (time_s === undefined) return;
  entry.recorded = { mark: Math.floor(time_s / entry.every_s), at_ms: uptime_ms };
}

/** A register belongs to the first confidential group that names it, else to the clear ones; undefined where none is left. */
function recordOf(entry: Entry, reason: number, registers: readonly Register[]): DueRecord | undefined {
  const clear: Register[] = [];
  const hidden: Register[][] = entry.groups.map(() => []);
  for (const register of registers) {
    const group = entry.groups.findIndex(({ patterns }) => matchesAny(patterns, register.obis));
    if (group >= 0) hidden[group]!.push(register);
    else if (matchesAny(entry.clear, register.obis)) clear.push(register);
  }
  const confidential = entry.groups
    .map(({ label }, index) => ({ label, registers: hidden[index]! }))
    .filter((group) => group.registers.length > 0);
  if (clear.length === 0 && confidential.length === 0) return undefined;
  return { service: entry.service, serviceId: entry.serviceId, reason, clear, confidential };
}

function matchesAny(patterns: readonly ObisPattern[], obis: Uint8Array): boolean {
  return patterns.some((pattern) => matchesObis(pattern, obis));
}
