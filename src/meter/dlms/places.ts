// Reads a list of DLMS push whose places have a meaning by its maker's document alone (lists.ts): which list it is, and what stands
// where in it.

import type { Gathering } from "../gathering.js";
import { parseObis } from "../obis.js";
import { type DlmsValue, integerOf, isString, tagUnsigned8 } from "./axdr.js";
import { type Place, type PositionList, positionLists } from "./lists.js";
import { isPushSetup, textOf } from "./text.js";
import { dateTimeBytes, scanDateTime } from "./time.js";

/** The elements of a list, and what its texts say. */
export interface PlacedList {
  readonly bytes: Uint8Array;
  readonly elements: readonly DlmsValue[];
  readonly name: string;
  readonly profile: string | undefined;
}

/** What a list states beside its registers. */
interface Statement {
  readonly gathering: Gathering;
  meter: string;
  clock_s: number | undefined;
}

const timeBytes = 4;
const dateBytes = 5;
/** Each of two tariffs is cut to whole units. */
const totalSlack = 2;

/** The list that these elements are, by name, profile, number and kinds; undefined where none is described. */
export function listOf(placed: PlacedList): PositionList | undefined {
  return positionLists.find((list) => fits(list, placed));
}

/** Takes what stands at the places of the list. */
export function gatherPlaces(statement: Statement, { places }: PositionList, { bytes, elements }: PlacedList): void {
  let device = "";
  places.forEach((place, index) => {
    const value = elements[index]!;
    if (isRegister(place)) {
      const [obis, scaler, unit] = place.split(",") as [string, string, string];
      const register = { obis: parseObis(obis), scaler: Number(scaler), unit: Number(unit) };
      statement.gathering.add({ ...register, value: integerOf(bytes, value)! });
    } else if (!isString(value)) return;
    else if (place === "id" || place === "serial") statement.meter = textOf(bytes, value);
    else if (place === "device") device = textOf(bytes, value);
    else if (place === "clock" && value.end - value.start === dateTimeBytes)
      statement.clock_s = scanDateTime(bytes, value.start);
  });
  if (statement.meter === "") statement.meter = device;
}

function fits(list: PositionList, { bytes, elements, name, profile }: PlacedList): boolean {
  const { places, discriminator, numbers, totals } = list;
  if (places.length !== elements.length) return false;
  if (list.profile !== undefined && list.profile !== profile) return false;
  if (list.prefix !== undefined && !name.startsWith(list.prefix)) return false;
  if (discriminator !== undefined && elements[discriminator[0]]!.tag !== discriminator[1]) return false;
  if (!places.every((place, index) => isOf(place, bytes, elements[index]!, numbers))) return false;
  return totals?.every((total) => isTotal(total, bytes, elements)) ?? true;
}

/** Whether what stands there can be what the list has there: a number for a register, a string of its length for a text. */
function isOf(place: Place, bytes: Uint8Array, value: DlmsValue, numbers: number | undefined): boolean {
  if (isRegister(place))
    return integerOf(bytes, value) !== undefined && (numbers === undefined || value.tag === numbers);
  const length = value.end - value.start;
  switch (place) {
    case "push-setup":
      return isPushSetup(bytes, value);
    case "time":
      return isString(value) && length === timeBytes;
    case "date":
      return isString(value) && length === dateBytes;
    case "byte":
      return value.tag === tagUnsigned8;
    case "serial":
      return isString(value) && length === 8 && isDigits(bytes, value);
    case "id":
    case "device":
      return isString(value);
    default:
      return true;
  }
}

function isTotal(
  [total, first, second]: readonly [number, number, number],
  bytes: Uint8Array,
  elements: readonly DlmsValue[],
): boolean {
  const [sum, one, other] = [total, first, second].map((place) => Number(integerOf(bytes, elements[place]!)));
  return Math.abs(sum! - one! - other!) <= totalSlack;
}

function isDigits(bytes: Uint8Array, { start, end }: DlmsValue): boolean {
  for (let index = start; index < end; index++) {
    if (bytes[index]! < 0x30 || bytes[index]! > 0x39) return false;
  }
  return true;
}

/** All other places are words. */
function isRegister(place: Place): boolean {
  return place.indexOf(",") > 0;
}
