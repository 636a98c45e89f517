// Reads an answer by a meter's table (tables.ts). A float is rounded to the decimals of its kind, which are the meter's display's: a
// register is an integer. Meters of other makers have other things at the same addresses; what cannot be of the table shows it.

import { scanDateTime } from "../dlms/time.js";
import { createGathering, type Gathering } from "../gathering.js";
import { bigEndian } from "../integer.js";
import { parseObis } from "../obis.js";
import { rowOf } from "../packed.js";
import type { ModbusQuestion } from "./frame.js";
import { findTable, type ModbusTable, modbusMaps, quantities } from "./tables.js";

export const usualMap = "sdm630";

/** What an answer holds by a map. */
export type MapReading =
  | {
      readonly kind: "read";
      /** A voltage or a frequency is among it, which another meter's registers hardly give; or one number alone, which says nothing. */
      readonly evidence: "telling" | "some" | "none";
      readonly clock_s: number | undefined;
    }
  /** It is no answer of a meter of this map. */
  | { readonly kind: "other"; readonly detail: string }
  /** It is one, of registers that the table has not. */
  | { readonly kind: "nothing"; readonly detail: string };

/** Where a value is in an answer. */
interface Place {
  readonly start: number;
  readonly quantity: string;
  readonly stored: string;
  readonly exponent: number;
}

const registersMax = 128;
/** A float that no quantity is. */
const notOfMap = "other";
const V = 35;
const A = 33;
const HZ = 44;
const PLAIN = 255;
/** Beyond these no quantity of a meter is: integers that are taken for a float mostly are. */
const floatMin = 1e-6;
const floatMax = 1e9;
const voltageMin_V = 1;
const voltageMax_V = 100_000;
const frequencyMin_Hz = 10;
const frequencyMax_Hz = 100;
/** Bytes by how a value is stored: a clock, and a tariff in the first of two bytes, are EMI's. */
const widths = " u=2 s=2 t=2 f=4 U=4 S=4 L=4 l=4 d=8 Q=8 q=8 c=12 ";

/** The table of that name. Throws a RangeError that lists the names where there is none. */
export function tableOf(name: string): ModbusTable {
  const table = findTable(name);
  if (table === undefined) throw new RangeError(`unknown Modbus map "${name}": expected ${modbusMaps.join(", ")}`);
  return table;
}

/** A gathering for the answers of one turn. */
export function gatheringOfMap(): Gathering {
  return createGathering(registersMax);
}

/** How many bytes the answer has: two a register, of EMI as many as its values have; 0 where the table has not all of them. */
export function answerBytes(table: ModbusTable, { operation, start, count }: ModbusQuestion): number {
  if (!table.wide) return 2 * count;
  if (operation !== table.operation) return 0;
  let bytes = 0;
  let found = 0;
  eachPlace(table, (place) => {
    if (place.start < start || place.start >= start + count) return;
    found++;
    bytes += widthOf(place);
  });
  return found === count ? bytes : 0;
}

/** Adds what the answer to `question` holds; `not-a-number OBIS` is raised for a value that is none, which is left out. */
export function readMap(
  table: ModbusTable,
  question: ModbusQuestion,
  answered: Uint8Array,
  gathering: Gathering,
): MapReading {
  const { name, operation, floatsAlone } = table;
  const asked = `registers ${question.start} to ${question.start + question.count - 1}`;
  if (question.operation !== operation) {
    const measured = operation === 4 ? "input" : "holding";
    return {
      kind: "nothing",
      detail: `function ${question.operation} was asked, and measurements are ${measured} registers`,
    };
  }
  const view = new DataView(answered.buffer, answered.byteOffset, answered.byteLength);
  if (floatsAlone) {
    if (question.start % 2 !== 0 || question.count % 2 !== 0)
      return { kind: "other", detail: `${asked} were asked, which are no floats of ${name}: another meter's` };
    for (let offset = 0; offset < answered.length; offset += 4) {
      if (!isQuantity(view.getFloat32(offset)))
        return { kind: "other", detail: `${asked} hold what is no float of ${name}: another meter's, or another map` };
    }
  }
  return readPlaces(table, question, answered, view, gathering);
}

function readPlaces(
  table: ModbusTable,
  question: ModbusQuestion,
  answered: Uint8Array,
  view: DataView,
  gathering: Gathering,
): MapReading {
  let isTelling = false;
  let found = 0;
  let clock_s: number | undefined;
  let hasClock = false;
  let other: string | undefined;
  let next = 0;
  eachPlace(table, (place) => {
    const isAsked = place.start >= question.start && place.start < question.start + question.count;
    const offset = table.wide ? next : 2 * (place.start - question.start);
    if (!isAsked || offset + widthOf(place) > answered.length) return;
    next += widthOf(place);
    if (place.stored === "c") {
      hasClock = true;
      clock_s = scanDateTime(answered, offset);
      return;
    }
    const row = rowOf(quantities, place.quantity);
    if (row === undefined) return;
    found++;
    const [code, unitText] = row.split(",") as [string, string];
    const obis = parseObis(code);
    const unit = Number(unitText);
    const number = numberAt(answered, view, offset, place, unit);
    if (number === undefined) gathering.flag("not-a-number", obis);
    else if (number === notOfMap || !isOfUnit(number, unit))
      other = `register ${place.start} holds no ${code} of ${table.name}`;
    else {
      isTelling ||= number.value !== 0 && (unit === V || unit === HZ);
      gathering.add({ obis, value: number.value, scaler: number.scaler, unit });
    }
  });
  if (other !== undefined) return { kind: "other", detail: other };
  if (found === 0 && !hasClock) {
    const asked = `registers ${question.start} to ${question.start + question.count - 1}`;
    return { kind: "nothing", detail: `${asked} hold nothing of the table` };
  }
  return { kind: "read", evidence: isTelling ? "telling" : answered.length > 4 ? "some" : "none", clock_s };
}

interface MapNumber {
  readonly value: number | bigint;
  readonly scaler: number;
}

/** Undefined where it is not a number: of integers, the largest stands for that. */
function numberAt(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  place: Place,
  unit: number,
): MapNumber | typeof notOfMap | undefined {
  const { stored, exponent } = place;
  if (stored === "f" || stored === "d") {
    const float = stored === "f" ? view.getFloat32(offset) : view.getFloat64(offset);
    if (!isQuantity(float)) return notOfMap;
    const scaler = decimalsOf(unit);
    const value = Math.round(float * 10 ** (exponent - scaler));
    // Adding zero turns a rounded -0 into 0.
    return Number.isSafeInteger(value) ? { value: value + 0, scaler } : undefined;
  }
  if (stored === "t") return { value: bytes[offset]!, scaler: 0 };
  const width = widthOf(place);
  const signed = stored === "s" || stored === "S" || stored === "l" || stored === "q";
  const lowFirst = stored === "l" || stored === "L";
  const ordered = lowFirst
    ? Uint8Array.of(bytes[offset + 2]!, bytes[offset + 3]!, bytes[offset]!, bytes[offset + 1]!)
    : bytes.slice(offset, offset + width);
  if (ordered.every((byte, index) => byte === (signed && index === 0 ? 0x7f : 0xff))) return undefined;
  return { value: bigEndian(ordered, 0, width, signed), scaler: exponent };
}

/** What a meter's display has of a float. */
function decimalsOf(unit: number): number {
  if (unit === PLAIN) return -3;
  if (unit === A || unit === HZ) return -2;
  return unit >= 30 && unit <= 32 ? 0 : -1;
}

function widthOf({ stored }: Place): number {
  return Number(rowOf(widths, stored));
}

/** Calls `visit` for each row of the table. */
function eachPlace({ rows }: ModbusTable, visit: (place: Place) => void): void {
  for (const row of rows.split(" ")) {
    const [start, quantity, stored, exponent = "0"] = row.split(",") as [string, string, string, string?];
    visit({ start: Number.parseInt(start, 16), quantity, stored, exponent: Number(exponent) });
  }
}

/** Whether a one-phase meter answered a question for three: phases 2 and 3 are dead, and the total lacks what phase 1 has. */
export function isOnePhase({ registers }: Gathering): boolean {
  const stated = (quantity: number): number | bigint | undefined =>
    registers.find(({ obis }) => obis[2] === quantity && obis[3] === 7)?.value;
  return stated(52) === 0 && stated(72) === 0 && stated(16) === 0 && (stated(36) ?? 0) !== 0;
}

/** Not a number is one that meters send, and is left out with a doubt. */
function isQuantity(float: number): boolean {
  const size = Math.abs(float);
  return size === 0 || !Number.isFinite(size) || (size >= floatMin && size <= floatMax);
}

/** Voltages and frequencies are within what is; a phase may be dead. */
function isOfUnit({ value, scaler }: MapNumber, unit: number): boolean {
  const size = Number(value) * 10 ** scaler;
  if (size === 0) return true;
  if (unit === V) return size >= voltageMin_V && size <= voltageMax_V;
  return unit !== HZ || (size >= frequencyMin_Hz && size <= frequencyMax_Hz);
}
