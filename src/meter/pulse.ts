// Counts the pulses of an S0 output (IEC 62053-31), so many a kWh. The host counts contacts, each as one byte; the energy is exact; the
// power is derived from the time between two pulses and flagged so.
//
// Flags: `no-clock` an S0 output has none; `derived OBIS` a value that was computed, not stated.

import { formatObis, parseObis } from "./obis.js";
import type { MeterReader, Outcome } from "./reader.js";
import type { Register } from "./register.js";
import { createTally } from "./tally.js";

export interface PulseOptions {
  readonly pulse?: {
    /** The meter's constant, from its face. */
    readonly impulses_per_kWh: number;
    /** Pulses counted before this start, as the host kept them. */
    readonly counted?: number;
    /** What the meter showed when the count was zero, in Wh. */
    readonly start_Wh?: number;
    /** `1-0:1.8.0` (default) for energy that is consumed, `1-0:2.8.0` for what is fed in, or one of a tariff. */
    readonly register?: string;
    /** The meter's id, from its face. */
    readonly id?: string;
  };
}

export const impulsesMax = 1_000_000;
/** A ten-thousandth of a Wh of it is a safe integer still. */
export const startMax_Wh = 100_000_000_000;
/** Without a pulse, a reading as often as this shows that the reader lives. */
const reading_ms = 10_000;
const wattHour = 30;
const watt = 27;
const wattMilliseconds_per_kWh = 3_600_000_000;

/**
 * A reader whose bytes are pulses, one each, whatever they are. A reading follows them, and every ten seconds an empty push gives one.
 * Throws a RangeError for a constant, a start or a register that no meter has.
 */
export function createPulseReader({ pulse }: PulseOptions): MeterReader {
  const { impulses_per_kWh, counted = 0, start_Wh = 0, register = "1-0:1.8.0", id = "S0" } = pulse ?? noPulse;
  check("impulses per kWh", impulses_per_kWh, 1, impulsesMax);
  check("start of the meter in Wh", start_Wh, 0, startMax_Wh);
  if (!isPulseRegister(register))
    throw new RangeError(`pulse register: expected 1-0:1.8.n or 1-0:2.8.n, got ${register}`);
  const energy = parseObis(register);
  const power = Uint8Array.of(energy[0]!, energy[1]!, energy[2]!, 7, 0, 255);
  const tally = createTally("pulse");
  let pulses = counted;
  /** When the last pulses came; how many they were and how long they took, 0 where there were none before them. */
  let last_ms: number | undefined;
  let lastPulses = 0;
  let interval_ms = 0;
  let told_ms = 0;

  const count = (more: number, uptime_ms: number): void => {
    pulses += more;
    if (last_ms !== undefined) interval_ms = Math.max(uptime_ms - last_ms, 1);
    lastPulses = more;
    last_ms = uptime_ms;
  };

  /** From the last interval, or from the time since the last pulse where that is already longer: the power has fallen then. */
  const powerAt = (uptime_ms: number): number | undefined => {
    if (last_ms === undefined || interval_ms === 0) return undefined;
    const since_ms = uptime_ms - last_ms;
    const isSlower = since_ms * lastPulses > interval_ms;
    const energy_Wms = (isSlower ? 1 : lastPulses) * wattMilliseconds_per_kWh;
    return Math.floor(energy_Wms / (impulses_per_kWh * (isSlower ? since_ms : interval_ms)));
  };

  const readingAt = (uptime_ms: number): Outcome => {
    told_ms = uptime_ms;
    tally.read(0);
    const registers: Register[] = [{ obis: energy, ...energyOf(start_Wh, pulses, impulses_per_kWh), unit: wattHour }];
    const flags = ["no-clock"];
    const value = powerAt(uptime_ms);
    if (value !== undefined) {
      registers.push({ obis: power, value, scaler: 0, unit: watt });
      flags.push(`derived ${formatObis(power)}`);
    }
    const frame = ascii(`pulses ${pulses} at ${uptime_ms} ms`);
    return { ok: true, protocol: "pulse", meter: id, time_s: undefined, registers, flags, frame };
  };

  return {
    toSend: () => [],
    wakeAt_ms: () => told_ms + reading_ms,
    push(bytes, uptime_ms) {
      if (bytes.length > 0) count(bytes.length, uptime_ms);
      return bytes.length > 0 || uptime_ms - told_ms >= reading_ms ? [readingAt(uptime_ms)] : [];
    },
    end: () => [],
    get counters() {
      return tally.counters(0);
    },
  };
}

const noPulse: NonNullable<PulseOptions["pulse"]> = { impulses_per_kWh: Number.NaN };

/** Whether the code is one that a pulse output can stand for: active energy, consumed or fed in. */
export function isPulseRegister(register: string): boolean {
  return /^1-\d:[12]\.8\.\d$/.test(register);
}

function check(what: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(`${what}: expected a whole number from ${least} to ${most}, got ${value}`);
}

/** Exact where a pulse is a finite decimal of a Wh, as with 800 or 1000 a kWh; otherwise whole mWh, rounded down. */
function energyOf(
  start_Wh: number,
  pulses: number,
  impulses_per_kWh: number,
): { readonly value: number; readonly scaler: number } {
  for (let scaler = 0; scaler >= -4; scaler--) {
    const parts_per_kWh = 10 ** (3 - scaler);
    if (parts_per_kWh % impulses_per_kWh !== 0) continue;
    return { value: start_Wh * 10 ** -scaler + pulses * (parts_per_kWh / impulses_per_kWh), scaler };
  }
  return { value: start_Wh * 1000 + Math.floor((pulses * 1_000_000) / impulses_per_kWh), scaler: -3 };
}

function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}
