// The registers of Modbus sub-meters, Eastron's (protocol documents of SDM630 V1.8, which fits SDM72D as well, and of SDM120 V2.4, which fits
// SDM220 and SDM230): input registers, IEEE 754 floats of two each. A float is rounded to the decimals of the table, which are the meter's
// display's: a register is an integer. Meters of other makers have other things at the same addresses; what cannot be of the map shows it.

import { createGathering, type Gathering } from "../gathering.js";
import { parseObis } from "../obis.js";
import type { ModbusQuestion } from "./frame.js";

/** Address of the first register, code, power of ten of the meter's unit, scaler of ours, DLMS unit. */
type Place = readonly [start: number, obis: string, exponent: number, scaler: number, unit: number];

const W = 27;
const VA = 28;
const VAR = 29;
const WH = 30;
const VARH = 32;
const A = 33;
const V = 35;
const HZ = 44;
const PLAIN = 255;

const threePhases: readonly Place[] = [
  [0x00, "1-0:32.7.0", 0, -1, V],
  [0x02, "1-0:52.7.0", 0, -1, V],
  [0x04, "1-0:72.7.0", 0, -1, V],
  [0x06, "1-0:31.7.0", 0, -2, A],
  [0x08, "1-0:51.7.0", 0, -2, A],
  [0x0a, "1-0:71.7.0", 0, -2, A],
  [0x0c, "1-0:36.7.0", 0, -1, W],
  [0x0e, "1-0:56.7.0", 0, -1, W],
  [0x10, "1-0:76.7.0", 0, -1, W],
  [0x1e, "1-0:33.7.0", 0, -3, PLAIN],
  [0x20, "1-0:53.7.0", 0, -3, PLAIN],
  [0x22, "1-0:73.7.0", 0, -3, PLAIN],
  [0x34, "1-0:16.7.0", 0, -1, W],
  [0x38, "1-0:9.7.0", 0, -1, VA],
  [0x3c, "1-0:3.7.0", 0, -1, VAR],
  [0x3e, "1-0:13.7.0", 0, -3, PLAIN],
  [0x46, "1-0:14.7.0", 0, -2, HZ],
  [0x48, "1-0:1.8.0", 3, 0, WH],
  [0x4a, "1-0:2.8.0", 3, 0, WH],
  [0x4c, "1-0:3.8.0", 3, 0, VARH],
  [0x4e, "1-0:4.8.0", 3, 0, VARH],
];
/** What the three-phase map has for phase 1 is all there is. */
const onePhase: readonly Place[] = [
  [0x00, "1-0:32.7.0", 0, -1, V],
  [0x06, "1-0:31.7.0", 0, -2, A],
  [0x0c, "1-0:16.7.0", 0, -1, W],
  [0x12, "1-0:9.7.0", 0, -1, VA],
  [0x18, "1-0:3.7.0", 0, -1, VAR],
  [0x1e, "1-0:13.7.0", 0, -3, PLAIN],
  [0x46, "1-0:14.7.0", 0, -2, HZ],
  [0x48, "1-0:1.8.0", 3, 0, WH],
  [0x4a, "1-0:2.8.0", 3, 0, WH],
  [0x4c, "1-0:3.8.0", 3, 0, VARH],
  [0x4e, "1-0:4.8.0", 3, 0, VARH],
];
const maps = { sdm630: threePhases, sdm120: onePhase } as const;
export const modbusMaps = ["sdm630", "sdm120"] as const;
export type ModbusMap = (typeof modbusMaps)[number];

export const readInput = 4;
/** All of the table in one answer. */
export const registersAsked = 0x50;

/** What an answer holds by a map. */
export type MapReading =
  | {
      readonly kind: "read";
      readonly gathering: Gathering;
      /** A voltage or a frequency is among it, which another meter's registers hardly give; or one number alone, which says nothing. */
      readonly evidence: "telling" | "some" | "none";
    }
  /** It is no answer of a meter of this map. */
  | { readonly kind: "other"; readonly detail: string }
  /** It is one, of registers that the table has not. */
  | { readonly kind: "nothing"; readonly detail: string };

/** Beyond these no quantity of a meter is: integers that are taken for a float mostly are. */
const floatMin = 1e-6;
const floatMax = 1e9;
const voltageMin_V = 1;
const voltageMax_V = 100_000;
const frequencyMin_Hz = 10;
const frequencyMax_Hz = 100;

/** Reads the answer to `question`; the flag `not-a-number OBIS` is raised for a float that is none, which is left out. */
export function readMap(map: ModbusMap, question: ModbusQuestion, answered: Uint8Array): MapReading {
  const asked = `registers ${question.start} to ${question.start + question.count - 1}`;
  if (question.operation !== readInput)
    return {
      kind: "nothing",
      detail: `function ${question.operation} was asked, and measurements are input registers`,
    };
  if (question.start % 2 !== 0 || question.count % 2 !== 0)
    return { kind: "other", detail: `${asked} were asked, which are no floats of ${map}: another meter's` };
  const view = new DataView(answered.buffer, answered.byteOffset, answered.byteLength);
  for (let offset = 0; offset < answered.length; offset += 4) {
    if (!isQuantity(view.getFloat32(offset)))
      return { kind: "other", detail: `${asked} hold what is no float of ${map}: another meter's, or another map` };
  }
  return readPlaces(map, question, view, asked);
}

function readPlaces(map: ModbusMap, { start: first }: ModbusQuestion, view: DataView, asked: string): MapReading {
  const places: readonly Place[] = maps[map];
  const gathering = createGathering(places.length);
  let isTelling = false;
  for (const [start, obis, exponent, scaler, unit] of places) {
    const offset = 2 * (start - first);
    if (offset < 0 || offset + 4 > view.byteLength) continue;
    const float = view.getFloat32(offset);
    if (!isOfUnit(float, unit)) return { kind: "other", detail: `register ${start} holds no ${obis} of ${map}` };
    isTelling ||= float !== 0 && (unit === V || unit === HZ);
    const value = Math.round(float * 10 ** (exponent - scaler));
    // Adding zero turns a rounded -0 into 0.
    if (Number.isSafeInteger(value)) gathering.add({ obis: parseObis(obis), value: value + 0, scaler, unit });
    else gathering.flag("not-a-number", parseObis(obis));
  }
  if (gathering.registers.length === 0) return { kind: "nothing", detail: `${asked} hold nothing of the table` };
  return { kind: "read", gathering, evidence: isTelling ? "telling" : view.byteLength > 4 ? "some" : "none" };
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

function isOfUnit(float: number, unit: number): boolean {
  if (float === 0 || !Number.isFinite(float)) return true;
  if (unit === V) return float >= voltageMin_V && float <= voltageMax_V;
  return unit !== HZ || (float >= frequencyMin_Hz && float <= frequencyMax_Hz);
}
