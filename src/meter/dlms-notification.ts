// From one Data-Notification to registers (IEC 62056-5-3, tag 15). Three families of content: self-describing, a code before each value
// and scaler and unit behind it (Aidon, Sagemcom, Kaifa in Austria), or a code alone (Kamstrup); a list of capture objects and then their
// values (Landis+Gyr); and fixed lists, whose places have a meaning by the maker's document alone (Kaifa in Norway, Iskraemeco).
//
// Flags: `no-clock` no time that relates to UTC; `no-unit OBIS` a quantity whose unit and scaler nobody states, kept as a plain number;
// `assumed-scale` energies whose scaler differs between meters of this list, name a profile; `quirk-scale` the profile's scaler;
// `duplicate OBIS`, `registers-left-out`.

import {
  type DlmsValue,
  integerOf,
  isString,
  scanValues,
  tagArray,
  tagEnum,
  tagInteger8,
  tagOctets,
  tagStructure,
  tagUnsigned16,
} from "./dlms-axdr.js";
import { type Place, type PositionList, positionLists, type ScaleTable, scaleTables } from "./dlms-lists.js";
import { dateTimeBytes, scanDateTime } from "./dlms-time.js";
import { createGathering, type Gathering } from "./gathering.js";
import { hexOf } from "./hex.js";
import { matchesObis, type ObisPattern, parseObis, parseObisPattern } from "./obis.js";
import { isPlainNumber } from "./plain-number.js";
import { impliedUnit } from "./quantity.js";
import type { Register } from "./register.js";
import { unitNone } from "./unit.js";

/** What a notification states. */
export interface Notification {
  readonly kind: "notification";
  /** Empty where it does not say. */
  readonly meter: string;
  readonly time_s: number | undefined;
  readonly registers: readonly Register[];
  readonly flags: readonly string[];
  readonly unknownObjects: number;
  /** The profile that the list's name tells. */
  readonly announces: string | undefined;
}

export type NotificationParsed =
  | Notification
  | { readonly kind: "refused"; readonly reason: "malformed"; readonly detail: string };

/** What is gathered from the values of one notification. */
interface Context {
  readonly bytes: Uint8Array;
  readonly values: readonly DlmsValue[];
  readonly profile: string | undefined;
  readonly gathering: Gathering;
  readonly scales: ScaleTable | undefined;
  meter: string;
  meterRank: number;
  clock_s: number | undefined;
  unknownObjects: number;
  announces: string | undefined;
}

export const dataNotification = 0x0f;
const registersMax = 128;
const invokeIdBytes = 4;
const volt = 35;
const ampere = 33;
const clockObis = parseObisPattern("0-0:1.0.0");
const powerFactors: readonly ObisPattern[] = ["1-n:13.7.0", "1-n:33.7.0", "1-n:53.7.0", "1-n:73.7.0"].map(
  parseObisPattern,
);
/** The meter's id, the best first. */
const identifications: readonly ObisPattern[] = [
  "0-0:96.1.0",
  "1-1:0.0.5", // Kamstrup
  "1-1:0.0.1",
  "0-0:96.1.1",
  "0-0:42.0.0",
].map(parseObisPattern);

/** Reads a notification; `profile` is the name of the meter's profile. */
export function parseNotification(apdu: Uint8Array, profile: string | undefined): NotificationParsed {
  const header = headerOf(apdu);
  if (header === undefined) return malformed("its header is cut off");
  const values = scanValues(apdu, header.end);
  if (values === undefined) return malformed("its values do not follow A-XDR, or are cut off");
  const name = listName(apdu, values);
  const context: Context = {
    bytes: apdu,
    values,
    profile,
    gathering: createGathering(registersMax),
    scales: scaleTables.find((table) => name.startsWith(table.prefix) && (table.profile ?? profile) === profile),
    meter: "",
    meterRank: identifications.length + 1,
    clock_s: undefined,
    unknownObjects: 0,
    announces: undefined,
  };
  const fault = gatherValues(context, name);
  if (fault !== undefined) return malformed(fault);
  const time_s = header.time_s ?? context.clock_s;
  if (time_s === undefined) context.gathering.flag("no-clock");
  const { registers, flags } = context.gathering;
  const { meter, unknownObjects, announces } = context;
  return { kind: "notification", meter, time_s, registers, flags, unknownObjects, announces };
}

/** Tag, long-invoke-id-and-priority, date-time as an octet string that may be empty; Kaifa writes its tag too. */
function headerOf(apdu: Uint8Array): { readonly time_s: number | undefined; readonly end: number } | undefined {
  let position = 1 + invokeIdBytes;
  if (apdu[position] === tagOctets && apdu[position + 1] === dateTimeBytes) position++;
  const length = apdu[position];
  if (length === 0) return { time_s: undefined, end: position + 1 };
  if (length !== dateTimeBytes || position + 1 + length > apdu.length) return undefined;
  return { time_s: scanDateTime(apdu, position + 1), end: position + 1 + length };
}

/** The first text that is not a code. */
function listName(bytes: Uint8Array, values: readonly DlmsValue[]): string {
  const first = values.find((value) => isString(value) && codeOf(bytes, value) === undefined);
  return first === undefined ? "" : textOf(bytes, first);
}

/** Why nothing can be read, or undefined. */
function gatherValues(context: Context, name: string): string | undefined {
  const captured = captureObjects(context);
  if (captured !== undefined) {
    gatherCaptured(context, captured);
    return undefined;
  }
  if (gatherCoded(context) > 0) return undefined;
  const elements = elementsOf(context.values, 0);
  const list = positionLists.find((candidate) => fits(candidate, context, name, elements));
  if (list === undefined) {
    return `a list of ${elements.length} values without codes${name === "" ? "" : `, named ${name}`}, which no profile describes`;
  }
  context.announces = list.announces;
  list.places.forEach((place, index) => {
    gatherPlace(context, place, elements[index]!);
  });
  return undefined;
}

/** Indexes of the elements of the array or structure at `index`; the value itself where it is neither. */
function elementsOf(values: readonly DlmsValue[], index: number): number[] {
  const { tag, count } = values[index]!;
  if (tag !== tagArray && tag !== tagStructure) return [index];
  const elements: number[] = [];
  for (let element = index + 1; elements.length < count; element = values[element]!.next) elements.push(element);
  return elements;
}

/** A code before each value, wherever in the tree: returns how many there were. */
function gatherCoded(context: Context): number {
  const { bytes, values } = context;
  let codes = 0;
  for (let index = 0; index + 1 < values.length; index++) {
    const obis = codeOf(bytes, values[index]!);
    if (obis === undefined) continue;
    const value = values[index + 1]!;
    if (codeOf(bytes, value) !== undefined) continue;
    codes++;
    gatherValue(context, obis, value, scalerAndUnit(bytes, values, index + 2));
    index++;
  }
  return codes;
}

/** A structure of integer and enum behind a value. */
function scalerAndUnit(
  bytes: Uint8Array,
  values: readonly DlmsValue[],
  index: number,
): { readonly scaler: number; readonly unit: number } | undefined {
  const [structure, scaler, unit] = [values[index], values[index + 1], values[index + 2]];
  if (structure?.tag !== tagStructure || structure.count !== 2) return undefined;
  if (scaler?.tag !== tagInteger8 || unit?.tag !== tagEnum) return undefined;
  return { scaler: Number(integerOf(bytes, scaler)), unit: bytes[unit.start]! };
}

/** Where the first element is an array of (class, code, attribute, index): the codes of the elements. */
function captureObjects({ bytes, values }: Context): readonly Uint8Array[] | undefined {
  const list = values[1];
  if (list?.tag !== tagArray || list.count !== values[0]!.count) return undefined;
  const codes: Uint8Array[] = [];
  for (const element of elementsOf(values, 1)) {
    const [definition, classId, code] = [values[element]!, values[element + 1], values[element + 2]];
    if (definition.tag !== tagStructure || definition.count !== 4 || classId?.tag !== tagUnsigned16) return undefined;
    const obis = code === undefined ? undefined : codeOf(bytes, code);
    if (obis === undefined) return undefined;
    codes.push(obis);
  }
  return codes;
}

/** The list of capture objects is the first of them. */
function gatherCaptured(context: Context, codes: readonly Uint8Array[]): void {
  const elements = elementsOf(context.values, 0);
  for (let index = 1; index < codes.length; index++) {
    gatherValue(context, codes[index]!, context.values[elements[index]!]!, undefined);
  }
}

function gatherValue(
  context: Context,
  obis: Uint8Array,
  value: DlmsValue,
  stated: { readonly scaler: number; readonly unit: number } | undefined,
): void {
  const { bytes, gathering } = context;
  const number = integerOf(bytes, value);
  if (number === undefined) {
    if (isString(value)) gatherText(context, obis, value);
    else context.unknownObjects++;
    return;
  }
  if (identify(context, obis, String(number))) return;
  if (stated !== undefined) gathering.add({ obis, value: number, ...stated });
  else if (obis[0] === 0 && isPlainNumber(obis)) gathering.add({ obis, value: number, scaler: 0, unit: unitNone });
  else gathering.add({ obis, value: number, ...impliedScale(context, obis) });
}

/** By the table of the list's name; without one only the unit is known, and a value of unknown scale is a plain number. */
function impliedScale(
  { gathering, scales, profile }: Context,
  obis: Uint8Array,
): { readonly scaler: number; readonly unit: number } {
  const unit = impliedUnit(obis);
  if (scales !== undefined && powerFactors.some((pattern) => matchesObis(pattern, obis))) {
    return { scaler: scales.powerFactor, unit: unitNone };
  }
  if (scales === undefined || unit === unitNone) {
    gathering.flag("no-unit", obis);
    return { scaler: 0, unit: unitNone };
  }
  if (unit === volt) return { scaler: scales.voltage, unit };
  if (unit === ampere) return { scaler: scales.current, unit };
  if (obis[3] !== 8) return { scaler: 0, unit };
  if (scales.assumedEnergy) gathering.flag("assumed-scale");
  else if (scales.profile !== undefined && scales.profile === profile) gathering.flag("quirk-scale");
  return { scaler: scales.energy, unit };
}

/** Ids and the clock; all other texts are not registers. */
function gatherText(context: Context, obis: Uint8Array, value: DlmsValue): void {
  if (matchesObis(clockObis, obis)) {
    if (value.end - value.start === dateTimeBytes) context.clock_s = scanDateTime(context.bytes, value.start);
    return;
  }
  if (value.end > value.start) identify(context, obis, textOf(context.bytes, value));
}

/** Whether the code is one of a meter's id; the best of several stays. */
function identify(context: Context, obis: Uint8Array, text: string): boolean {
  const rank = identifications.findIndex((pattern) => matchesObis(pattern, obis));
  if (rank >= 0 && rank < context.meterRank) {
    context.meterRank = rank;
    context.meter = text;
  }
  return rank >= 0;
}

/** Whether the list's name, profile, length and telling tag are this one's. */
function fits(list: PositionList, context: Context, name: string, elements: readonly number[]): boolean {
  if (list.places.length !== elements.length) return false;
  if (list.profile !== undefined && list.profile !== context.profile) return false;
  if (list.prefix !== undefined && !name.startsWith(list.prefix)) return false;
  const [place, tag] = list.discriminator ?? [0, context.values[elements[0]!]!.tag];
  if (context.values[elements[place]!]!.tag !== tag) return false;
  // A number must stand wherever the list has a register.
  return list.places.every((what, index) => {
    const value = context.values[elements[index]!]!;
    return typeof what === "string" || integerOf(context.bytes, value) !== undefined;
  });
}

function gatherPlace(context: Context, place: Place, element: number): void {
  const { bytes, gathering, values } = context;
  const value = values[element]!;
  if (place === "id") context.meter = isString(value) ? textOf(bytes, value) : context.meter;
  else if (place === "clock") {
    if (isString(value) && value.end - value.start === dateTimeBytes)
      context.clock_s = scanDateTime(bytes, value.start);
  } else if (place !== "skip") {
    const [obis, scaler, unit] = place;
    gathering.add({ obis: parseObis(obis), value: integerOf(bytes, value)!, scaler, unit });
  }
}

/** The code that an octet string of six bytes is: group A names a medium below 16. */
function codeOf(bytes: Uint8Array, { tag, start, end }: DlmsValue): Uint8Array | undefined {
  return tag === tagOctets && end - start === 6 && bytes[start]! < 16 ? bytes.slice(start, end) : undefined;
}

/** Characters where all are printable, otherwise hex. */
function textOf(bytes: Uint8Array, { start, end }: DlmsValue): string {
  let text = "";
  for (let index = start; index < end; index++) {
    const byte = bytes[index]!;
    if (byte < 0x20 || byte > 0x7e) return hexOf(bytes, start, end);
    text += String.fromCharCode(byte);
  }
  return text;
}

function malformed(detail: string): NotificationParsed {
  return { kind: "refused", reason: "malformed", detail };
}
