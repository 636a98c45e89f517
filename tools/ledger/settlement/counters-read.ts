// The energy counters that a sealed reading states: taken (1-0:1.8.0) and given (1-0:2.8.0), each or the sum of its tariffs.

import { parseRecord, type Register } from "../../../src/wire/record.js";
import { DOUBTS_MAX } from "../../../src/wire/slot.js";
import type { ExecutionRecord } from "../record-scan.js";
import { COUNTER_MWH_MAX, type CounterReading } from "../slot-energy.js";
import { scanCounters } from "./counter-scan.js";
import type { CountersRead } from "./meter-counters.js";

/** DLMS code of Wh */
const WATT_HOURS = 30;
/** Groups C of OBIS: energy taken from the grid, and given to it. */
export const IMPORTED = 1;
export const EXPORTED = 2;
/** Tariffs 1 to 32 have a bit each in what a counter is the sum of. */
const TARIFFS_MAX = 32;
/**
 * Kinds of doubts (PROTOCOL.md, section 4) that are about a frame as a whole, and so about no register: 0 unchecked, 1 no-clock,
 * 10 clock-backwards, 12 reduced-resolution, 13 headless, 17 unauthenticated, 18 replayed, 20 quirk-crc, 24 resumed, 28 meter-error.
 */
const WHOLE_FRAME = [0, 1, 10, 12, 13, 17, 18, 20, 24, 28].reduce((bits, bit) => bits | (1 << bit), 0);

/** What the record states of both counters; undefined where it states none, is an operation, or its clock was not set. */
export function countersRead(record: ExecutionRecord): CountersRead | undefined {
  if (record.type !== undefined) return undefined;
  const { registers = [], time_s, quality, seq, errors } = scanCounters(record) ?? parseRecord(record.bytes).claims;
  if (!isClockSet(quality)) return undefined;
  const place = { time_s, seq, doubts: doubtsOf(errors, record.hides) };
  const imported = counterOf(registers, IMPORTED, place);
  const exported = counterOf(registers, EXPORTED, place);
  return imported === undefined && exported === undefined ? undefined : { imported, exported };
}

/** What a row says of a reading's doubts. Where the reading hides registers, a doubt that may be about one of them stays with it. */
export function doubtsOf(errors = 0, hides: boolean): number {
  const bits = errors % (DOUBTS_MAX + 1);
  return hides ? bits & WHOLE_FRAME : bits;
}

export function isClockSet(quality: number): boolean {
  return quality === 1 || quality === 2;
}

/** The register of all tariffs, or the sum of each tariff's, as old as the oldest of them. */
export function counterOf(
  registers: readonly Register[],
  group: number,
  { time_s, seq, doubts }: Pick<CounterReading, "time_s" | "seq" | "doubts">,
): CounterReading | undefined {
  let sum: bigint | undefined;
  let codes = 0;
  let age = 0;
  for (const register of registers) {
    const tariff = tariffOf(register, group);
    if (tariff === undefined) continue;
    const counter = milliwattHours(register);
    if (counter === undefined) continue;
    if (tariff === 0) return readingAt(time_s - (register.age ?? 0), { counter, seq, codes: 0, doubts });
    const bit = 2 ** (tariff - 1);
    if (Math.floor(codes / bit) % 2 === 1) continue;
    codes += bit;
    sum = (sum ?? 0n) + counter;
    age = Math.max(age, register.age ?? 0);
  }
  return sum === undefined ? undefined : readingAt(time_s - age, { counter: sum, seq, codes, doubts });
}

function readingAt(time_s: number, reading: Omit<CounterReading, "time_s">): CounterReading | undefined {
  return time_s < 0 || reading.counter > COUNTER_MWH_MAX ? undefined : { time_s, ...reading };
}

/** 0 for all tariffs together, else the tariff; undefined where the register is another one. */
function tariffOf({ obis }: Register, group: number): number | undefined {
  const isCounter = obis[0] === 1 && obis[1] === 0 && obis[2] === group && obis[3] === 8 && obis[5] === 255;
  const tariff = obis[4]!;
  return isCounter && tariff <= TARIFFS_MAX ? tariff : undefined;
}

/** A counter in mWh, what is finer cut off; undefined where it counts no energy, or less than none. */
export function milliwattHours({ value, scaler, unit }: Register): bigint | undefined {
  if (unit !== WATT_HOURS || value < 0) return undefined;
  const exponent = scaler + 3;
  return exponent >= 0 ? BigInt(value) * 10n ** BigInt(exponent) : BigInt(value) / 10n ** BigInt(-exponent);
}
