// What an M-Bus record is of: its VIF and VIFEs (EN 13757-3, section 6.3 and annex C) to a quantity, a power of ten and a unit, and these
// with the meter's medium to an OBIS code (EN 13757-1, IEC 62056-6-1).
//
// Group B is the sub-unit, E the tariff, F the storage number, 255 for the value of now. Highest and lowest values are D = 6 and 3 of
// electricity, 5 and 4 of all else.

import { unitNone } from "../unit.js";
import type { MbusRecord } from "./records.js";

/** A record's quantity. `factor` is of units that DLMS has not, as cubic metres a minute. */
export interface Meaning {
  readonly quantity: number;
  readonly exponent: number;
  readonly factor: number;
  /** DLMS. */
  readonly unit: number;
  /** 0 the sum of the phases, or of what has none. */
  readonly phase: number;
  /** It counts what flows back. */
  readonly backward: boolean;
}

export const energy = 0;
export const volume = 1;
const mass = 2;
export const power = 3;
export const flow = 4;
const flowTemperature = 5;
const returnTemperature = 6;
const difference = 7;
const pressure = 8;
export const allocation = 9;
const reactiveEnergy = 10;
const apparentEnergy = 11;
const reactivePower = 12;
const apparentPower = 13;
const voltage = 14;
const current = 15;
const frequency = 16;
const onTime = 17;
const operatingTime = 18;
const errors = 19;
/** Dates, ids, versions, durations: no register, and nothing to doubt. */
export const noRegister = 20;
export const timePoint = 21;
const externalTemperature = 22;

/**
 * Six numbers a row: first and last VIF, quantity, power of ten of the first, DLMS unit, factor. Two bytes a number: a chip keeps a slot
 * for each of an array.
 */
// biome-ignore format: a row a line
const primary = Int16Array.of(
  0x00, 0x07, energy, -3, 30, 1,
  0x08, 0x0f, energy, 0, 25, 1,
  0x10, 0x17, volume, -6, 13, 1,
  0x18, 0x1f, mass, -3, 20, 1,
  0x28, 0x2f, power, -3, 27, 1,
  0x30, 0x37, power, 0, 26, 1,
  0x38, 0x3f, flow, -6, 15, 1,
  0x40, 0x47, flow, -7, 15, 60,
  0x48, 0x4f, flow, -9, 15, 3600,
  0x58, 0x5b, flowTemperature, -3, 9, 1,
  0x5c, 0x5f, returnTemperature, -3, 9, 1,
  0x60, 0x63, difference, -3, 52, 1,
  0x64, 0x67, externalTemperature, -3, 9, 1,
  0x68, 0x6b, pressure, -3, 24, 1,
  0x6c, 0x6d, timePoint, 0, unitNone, 1,
  0x6e, 0x6e, allocation, 0, unitNone, 1,
  0x70, 0x7a, noRegister, 0, unitNone, 1,
);
// biome-ignore format: a row a line
const extendedFb = Int16Array.of(
  0x00, 0x01, energy, 5, 30, 1,
  0x02, 0x03, reactiveEnergy, 3, 32, 1,
  0x04, 0x05, apparentEnergy, 3, 31, 1,
  0x08, 0x09, energy, 8, 25, 1,
  0x10, 0x11, volume, 2, 13, 1,
  0x14, 0x17, reactivePower, 0, 29, 1,
  0x18, 0x19, mass, 5, 20, 1,
  0x28, 0x29, power, 5, 27, 1,
  0x2c, 0x2f, frequency, -3, 44, 1,
  0x30, 0x31, power, 8, 26, 1,
  0x34, 0x37, apparentPower, 0, 28, 1,
);
// biome-ignore format: a row a line
const extendedFd = Int16Array.of(
  0x08, 0x16, noRegister, 0, unitNone, 1,
  0x17, 0x17, errors, 0, unitNone, 1,
  0x18, 0x1a, noRegister, 0, unitNone, 1,
  0x1c, 0x1f, noRegister, 0, unitNone, 1,
  0x20, 0x2f, noRegister, 0, unitNone, 1,
  0x30, 0x39, noRegister, 0, unitNone, 1,
  0x40, 0x4f, voltage, -9, 35, 1,
  0x50, 0x5f, current, -12, 33, 1,
  0x60, 0x62, noRegister, 0, unitNone, 1,
  0x66, 0x6f, noRegister, 0, unitNone, 1,
  0x70, 0x75, noRegister, 0, unitNone, 1,
);

/** Seconds, minutes, hours, days. */
const durations: readonly number[] = [7, 6, 5, 4];
const noError = 0x00;
const uncorrected = 0x3a;
const forwardAlone = 0x3b;
const backwardAlone = 0x3c;
const columns = 6;
const phasesFrom = 0x7c;
const makersOwn = 0x7f;
/** Saia-Burgess, Finder, whose meters are theirs, and EMU: the byte behind the maker's own VIFE is the phase. */
const phasesBehindOwn: readonly string[] = ["SBC", "FIN", "EMU"];
/** They count the reactive power as a second unit's. */
const reactiveSecond: readonly string[] = ["SBC", "FIN"];
const phaseMax = 3;

/** The meaning of the VIF at `record.vif`; undefined where it is not known. `maker` has three letters. */
export function meaningOf(bytes: Uint8Array, { vif, codeEnd }: MbusRecord, maker: string): Meaning | undefined {
  const first = bytes[vif]!;
  const extended = first === 0xfb ? extendedFb : first === 0xfd ? extendedFd : undefined;
  const at = extended === undefined ? vif : vif + 1;
  const base = extended === undefined ? ofPrimary(first & 0x7f) : rowOf(extended, bytes[at]! & 0x7f);
  return base === undefined ? undefined : modified(base, bytes, at + 1, codeEnd, maker);
}

function ofPrimary(vif: number): Meaning | undefined {
  if (vif >= 0x20 && vif <= 0x27) return plain(vif < 0x24 ? onTime : operatingTime, 0, durations[vif & 3]!, 1);
  return rowOf(primary, vif);
}

/** The meaning of a code by rows of six numbers; undefined where it is in none. */
export function rowOf(rows: Int16Array, vif: number): Meaning | undefined {
  for (let row = 0; row < rows.length; row += columns) {
    if (vif < rows[row]! || vif > rows[row + 1]!) continue;
    const unit = rows[row + 4]!;
    const above = unit === unitNone ? 0 : vif - rows[row]!;
    return plain(rows[row + 2]!, rows[row + 3]! + above, unit, rows[row + 5]!);
  }
  return undefined;
}

function plain(quantity: number, exponent: number, unit: number, factor: number): Meaning {
  return { quantity, exponent, factor, unit, phase: 0, backward: false };
}

/** By the VIFEs from `start` to before `end`; one that is not known leaves nothing. */
function modified(base: Meaning, bytes: Uint8Array, start: number, end: number, maker: string): Meaning | undefined {
  // A date's VIFEs say what it is the date of: none of them is the clock.
  if (base.quantity === noRegister) return base;
  if (base.quantity === timePoint) return start === end ? base : { ...base, quantity: noRegister };
  let { exponent, phase, backward } = base;
  for (let index = start; index < end; index++) {
    const vife = bytes[index]! & 0x7f;
    if (vife >= 0x70 && vife <= 0x77) exponent += vife - 0x76;
    else if (vife === 0x7d) exponent += 3;
    else if (vife === backwardAlone) backward = true;
    else if (vife === phasesFrom || (vife === makersOwn && phasesBehindOwn.includes(maker))) {
      index++;
      phase = index < end ? bytes[index]! & 0x7f : phaseMax + 1;
      if (phase > phaseMax || (phase === 0 && vife === phasesFrom)) return undefined;
    } else if (vife !== noError && vife !== uncorrected && vife !== forwardAlone) return undefined;
  }
  return { ...base, exponent, phase, backward };
}

const electricity = 1;
const gas = 7;
const otherMedia = 15;
/** Group A by medium, from 2 to 13: electricity, gas, heat, steam, warm water, water, allocators, air, cooling twice, heat twice. */
const media: readonly number[] = [electricity, gas, 6, 6, 9, 8, 4, otherMedia, 5, 5, 6, 6];
/** Quantity to ten times C and D of electricity, from energy on; 0 where there is none. */
const ofElectricity: readonly number[] = [18, 0, 0, 17, 0, 0, 0, 0, 0, 0, 38, 98, 37, 97, 127, 117, 147];
/** Quantity to C: energy, volume, mass, power, flow, temperatures of flow and return, their difference, pressure, allocation. */
const ofHeat: readonly number[] = [1, 2, 3, 8, 9, 10, 11, 12, 13];
const ofWater: readonly number[] = [0, 1, 0, 0, 2, 3];
const ofGas: readonly number[] = [33, 3, 0, 0, 43, 41, 0, 0, 42];
const ofAllocators: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const highest = 1;
const lowest = 2;
const storageMax = 99;
const unitsMax = 63;
const tariffMax = 63;

/** Group A of a medium of the header. */
export function mediumOf(medium: number): number {
  if (medium === 0x15) return 9;
  if (medium === 0x16 || medium === 0x17) return 8;
  return media[medium - 2] ?? otherMedia;
}

/** The code of a record of group A; undefined where there is none for it. */
export function obisOf(a: number, meaning: Meaning, record: MbusRecord, maker: string): Uint8Array | undefined {
  const { moment, storage, tariff, unit } = record;
  const { quantity } = meaning;
  if (storage > storageMax || unit > unitsMax || tariff > tariffMax || moment > lowest) return undefined;
  const f = storage === 0 ? 255 : storage;
  const isSum = meaning.phase === 0 && !meaning.backward;
  if (quantity === errors) return isSum ? Uint8Array.of(0, unit, 97, 97, tariff, f) : undefined;
  if (quantity === onTime || quantity === operatingTime) {
    return moment === 0 && isSum ? Uint8Array.of(0, unit, 96, 8, quantity - onTime, f) : undefined;
  }
  if (a === electricity) return electricityCode(meaning, record, f, maker);
  const c = (a === gas ? ofGas : a === 4 ? ofAllocators : a >= 8 && a <= 9 ? ofWater : ofHeat)[quantity] ?? 0;
  if (c === 0 || !isSum) return undefined;
  const d = moment === highest ? 5 : moment === lowest ? 4 : 0;
  return Uint8Array.of(a, unit, c, d, tariff, f);
}

function electricityCode(
  { quantity, phase, backward }: Meaning,
  { moment, tariff, unit }: MbusRecord,
  f: number,
  maker: string,
): Uint8Array | undefined {
  const isReactive = reactiveSecond.includes(maker) && unit === 1 && quantity === power;
  const place = ofElectricity[isReactive ? reactivePower : quantity];
  if (place === undefined || place === 0) return undefined;
  const c = Math.floor(place / 10);
  const d = place % 10;
  if ((d === 8 && moment !== 0) || (backward && c > 10)) return undefined;
  const kind = moment === highest ? 6 : moment === lowest ? 3 : d;
  return Uint8Array.of(electricity, isReactive ? 0 : unit, c + (backward ? 1 : 0) + 20 * phase, kind, tariff, f);
}

/** The unit of a record: what Saia-Burgess counts as a second unit's power is reactive. */
export function unitOf(obis: Uint8Array, { quantity, unit }: Meaning): number {
  const c = ((obis[2]! - 1) % 20) + 1;
  return obis[0] === electricity && quantity === power && (c === 3 || c === 4) ? 29 : unit;
}
