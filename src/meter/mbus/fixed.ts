// The fixed structure of old M-Bus meters (EN 1434-3, section 6.3; CI 73, or 77 with the most significant byte first): number, access,
// status, two units with the medium in their highest bits, two counters of four bytes, decimal or binary.
//
// Flags: those of telegram.ts; `not-understood UNIT` a counter whose unit, two hex digits, states no quantity.

import { hexOf } from "../hex.js";
import {
  allocation,
  energy,
  flow,
  type Meaning,
  mediumOf,
  noRegister,
  obisOf,
  power,
  rowOf,
  unitOf,
  volume,
} from "./meaning.js";
import type { MbusRecord } from "./records.js";
import type { MbusStatement } from "./telegram.js";
import { numberOf } from "./value.js";

export const fixedStructure = 0x73;
export const fixedStructureReversed = 0x77;
export const fixedBytes = 16;

/** As in meaning.ts: first and last unit, quantity, power of ten of the first, DLMS unit, factor. Times and dates are no registers. */
// biome-ignore format: a row a line
const units = Int16Array.of(
  0x00, 0x01, noRegister, 0, 255, 1,
  0x02, 0x0a, energy, 0, 30, 1,
  0x0b, 0x13, energy, 3, 25, 1,
  0x14, 0x1c, power, 0, 27, 1,
  0x1d, 0x25, power, 3, 26, 1,
  0x26, 0x2e, volume, -6, 13, 1,
  0x2f, 0x37, flow, -6, 15, 1,
  0x39, 0x39, allocation, 0, 255, 1,
);
/** The same as the first counter's, of the day that is set for it. */
const asBefore = 0x3e;
const withoutUnit = 0x3f;
const unitBits = 0x3f;
const isBinary = 0x01;
const isStored = 0x02;
const errorBits = 0x18;
const decimals = 12;
const binary = 4;
/** From 10 on the same media again, of what was called mode 2. */
const otherNames: readonly number[] = [3, 4, 6, 7, 8];
const otherNamesFrom = 10;
const unnamed = 0;

/** The telegram with the least significant byte of number and counters first; the units are always so. */
export function fixedLeastFirst(bytes: Uint8Array): Uint8Array {
  const turned = bytes.slice();
  for (const start of [0, 8, 12]) turned.set(bytes.slice(start, start + 4).reverse(), start);
  return turned;
}

/** The meter's eight digits. */
export function fixedMeter(bytes: Uint8Array): string {
  return hexOf(bytes.slice(0, 4).reverse());
}

/** Gathers the two counters of the sixteen bytes. */
export function gatherFixed(statement: MbusStatement, bytes: Uint8Array): void {
  const { gathering } = statement;
  const status = bytes[5]!;
  const [first, second] = [bytes[6]!, bytes[7]!];
  const named = (first >> 6) | ((second >> 6) << 2);
  const medium = mediumOf(named < otherNamesFrom ? named : (otherNames[named - otherNamesFrom] ?? unnamed));
  if ((status & errorBits) !== 0) gathering.flag("meter-error");
  for (let counter = 0; counter < 2; counter++) {
    const unit = (counter === 0 ? first : second) & unitBits;
    const historic = unit === asBefore && counter === 1;
    const meaning = rowOf(units, historic ? first & unitBits : unit);
    const again = counter === 1 && !historic && meaning?.quantity === rowOf(units, first & unitBits)?.quantity;
    const record = recordOf(status, 8 + 4 * counter, historic, again);
    gatherCounter(statement, bytes, record, { unit, meaning, medium });
  }
}

interface Counter {
  readonly unit: number;
  readonly meaning: Meaning | undefined;
  readonly medium: number;
}

function gatherCounter(
  statement: MbusStatement,
  bytes: Uint8Array,
  record: MbusRecord,
  { unit, meaning, medium }: Counter,
): void {
  const { gathering } = statement;
  const number = numberOf(bytes, record);
  // A counter that nothing is connected to.
  const isUnused = unit === withoutUnit && number?.value === 0;
  if (meaning?.quantity === noRegister || isUnused) return;
  const obis = meaning === undefined ? undefined : obisOf(medium, meaning, record, "");
  if (meaning === undefined || number === undefined || obis === undefined) {
    statement.unknownObjects++;
    gathering.flag("not-understood", hexOf(Uint8Array.of(unit)));
  } else {
    gathering.add({ obis, value: number.value, scaler: meaning.exponent, unit: unitOf(obis, meaning) });
  }
}

/** The counter at `start` as a record; `again` where the first counter is of the same quantity: a second sub-unit's. */
function recordOf(status: number, start: number, historic: boolean, again: boolean): MbusRecord {
  return {
    codeStart: start,
    codeEnd: start,
    format: (status & isBinary) !== 0 ? binary : decimals,
    moment: 0,
    storage: historic || (status & isStored) !== 0 ? 1 : 0,
    tariff: 0,
    unit: again ? 1 : 0,
    vif: start,
    start,
    end: start + 4,
  };
}
