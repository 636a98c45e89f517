// Counts the pulses of an S0 output (IEC 62053-31): a contact that closes for 30 ms or more, so many times a kWh. Pure: edges with
// their times in, registers out. The energy is exact; the power is derived from the time between two pulses and flagged so.
//
// Flags: `no-clock` an S0 output has none; `derived OBIS` a value that was computed, not stated.

import type { MeterReader, Outcome } from "./reader.js";
import type { Register } from "./register.js";
import { createTally } from "./tally.js";

export interface PulseOptions {
  readonly pulse?: {
    /** The meter's constant, from its face. */
    readonly impulses_per_kWh: number;
    /** Pulses counted before this start, as the host kept them. */
    readonly counted?: number;
    /** A level that lasts shorter is a bounce; 20 ms by default, below the 30 ms of the standard. */
    readonly debounce_ms?: number;
    /** The meter's id, from its face. */
    readonly id?: string;
  };
}

/** The contact's state after an edge: closed while a pulse lasts. */
export interface PulseCounter {
  /** The contact closed or opened at `uptime_ms`; times must not fall. */
  edge(closed: boolean, uptime_ms: number): void;
  /** Lets time pass: a level that has lasted long enough counts without another edge. */
  settle(uptime_ms: number): void;
  /** Pulses so far, those before the start included. */
  readonly pulses: number;
  /** When the last pulse began, and how long after the one before; undefined where there was none. */
  readonly last_ms: number | undefined;
  readonly interval_ms: number | undefined;
}

const debounce_ms_default = 20;
/** Without a pulse, a reading as often as this shows that the reader lives. */
const reading_ms = 10_000;
const wattHour = 30;
const watt = 27;
const wattMilliseconds_per_kWh = 3_600_000_000;
const consumed = [1, 0, 1, 8, 0, 255];
const power = [1, 0, 1, 7, 0, 255];

/** A counter whose contact is open. */
export function createPulseCounter(counted: number, debounce_ms: number): PulseCounter {
  let pulses = counted;
  let last_ms: number | undefined;
  let interval_ms: number | undefined;
  /** What the contact has been long enough to count, what it is now and since when. */
  let stable = false;
  let level = false;
  let since_ms = 0;

  const settle = (uptime_ms: number): void => {
    if (level === stable || uptime_ms - since_ms < debounce_ms) return;
    stable = level;
    if (!stable) return;
    pulses++;
    interval_ms = last_ms === undefined ? undefined : since_ms - last_ms;
    last_ms = since_ms;
  };

  return {
    settle,
    edge(closed, uptime_ms) {
      settle(uptime_ms);
      if (closed === level) return;
      level = closed;
      since_ms = uptime_ms;
    },
    get pulses() {
      return pulses;
    },
    get last_ms() {
      return last_ms;
    },
    get interval_ms() {
      return interval_ms;
    },
  };
}

/**
 * A reader whose bytes are edges: 0 the contact opened, anything else it closed. A reading follows every pulse, and every ten seconds
 * an empty push gives one. Throws a RangeError where the constant is not a positive whole number.
 */
export function createPulseReader({ pulse }: PulseOptions): MeterReader {
  const {
    impulses_per_kWh,
    counted = 0,
    debounce_ms = debounce_ms_default,
    id = "S0",
  } = pulse ?? {
    impulses_per_kWh: Number.NaN,
  };
  if (!Number.isInteger(impulses_per_kWh) || impulses_per_kWh < 1 || impulses_per_kWh > 1_000_000) {
    throw new RangeError(`impulses per kWh: expected a whole number from 1 to 1000000, got ${impulses_per_kWh}`);
  }
  const counter = createPulseCounter(counted, debounce_ms);
  const tally = createTally("pulse");
  let told = counted;
  let told_ms = 0;

  const readingAt = (uptime_ms: number): Outcome => {
    told = counter.pulses;
    told_ms = uptime_ms;
    tally.read(0);
    const registers: Register[] = [energyOf(counter.pulses, impulses_per_kWh)];
    const flags = ["no-clock"];
    const value = powerAt(counter, impulses_per_kWh, uptime_ms);
    if (value !== undefined) {
      registers.push({ obis: Uint8Array.from(power), value, scaler: 0, unit: watt });
      flags.push("derived 1-0:1.7.0*255");
    }
    const frame = ascii(`pulses ${counter.pulses} at ${uptime_ms} ms`);
    return { ok: true, protocol: "pulse", meter: id, time_s: undefined, registers, flags, frame };
  };

  return {
    push(bytes, uptime_ms) {
      for (let index = 0; index < bytes.length; index++) counter.edge(bytes[index] !== 0, uptime_ms);
      counter.settle(uptime_ms);
      const due = counter.pulses > told || uptime_ms - told_ms >= reading_ms;
      return due ? [readingAt(uptime_ms)] : [];
    },
    end: () => [],
    get counters() {
      return tally.counters(0);
    },
  };
}

/** Exact where a pulse is a finite decimal of a Wh, as with 800 or 1000 a kWh; otherwise whole mWh, rounded down. */
function energyOf(pulses: number, impulses_per_kWh: number): Register {
  const obis = Uint8Array.from(consumed);
  for (let scaler = 0; scaler >= -4; scaler--) {
    const parts_per_kWh = 10 ** (3 - scaler);
    if (parts_per_kWh % impulses_per_kWh === 0) {
      return { obis, value: pulses * (parts_per_kWh / impulses_per_kWh), scaler, unit: wattHour };
    }
  }
  return { obis, value: Math.floor((pulses * 1_000_000) / impulses_per_kWh), scaler: -3, unit: wattHour };
}

/** From the last interval, or from the time since the last pulse where that is already longer: the power has fallen then. */
function powerAt(
  { last_ms, interval_ms }: PulseCounter,
  impulses_per_kWh: number,
  uptime_ms: number,
): number | undefined {
  if (last_ms === undefined || interval_ms === undefined) return undefined;
  const shortest_ms = Math.max(interval_ms, uptime_ms - last_ms, 1);
  return Math.floor(wattMilliseconds_per_kWh / impulses_per_kWh / shortest_ms);
}

function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}
