// From one Data-Notification to registers (IEC 62056-5-3, tag 15). Three families of content: self-describing, a code before each value
// and scaler and unit behind it (Aidon, Sagemcom, Kaifa in Austria), or a code alone (Kamstrup); a list of capture objects and then their
// values (Switzerland); a code before each value without tags (described.ts); and fixed lists, whose places have a meaning by the maker's document alone (Kaifa in Norway, Iskraemeco).
//
// Flags: `no-clock` no time that relates to UTC; `not-understood OBIS` a value of a kind that is no number; `registers-left-out` numbers
// without a code beside those with one; `duplicate OBIS`; those of scales.ts.

import { createGathering, type Gathering } from "../gathering.js";
import { isMeasured } from "../measured.js";
import { matchesObis, type ObisPattern, parseObisPattern } from "../obis.js";
import { isPlainNumber } from "../plain-number.js";
import { powerBalance } from "../power-balance.js";
import type { Register } from "../register.js";
import {
  type DlmsValue,
  integerOf,
  isString,
  scanValues,
  tagArray,
  tagBoolean,
  tagEnum,
  tagInteger8,
  tagNull,
  tagOctets,
  tagStructure,
  tagUnsigned16,
} from "./axdr.js";
import { describedScale, scanDescribed } from "./described.js";
import { gatherPlaces, listOf, type PlacedList } from "./places.js";
import { addItems, type Item, type Scale, scalesOf, swissScales } from "./scales.js";
import { codeOf, listName, textOf } from "./text.js";
import { dateTimeBytes, scanDateTime } from "./time.js";

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
  /** The numbers with a code, in the order of the list. */
  readonly items: Item[];
  /** Numbers without one. */
  uncoded: number;
  meter: string;
  meterRank: number;
  clock_s: number | undefined;
  unknownObjects: number;
  announces: string | undefined;
}

export const dataNotification = 0x0f;
const registersMax = 128;
const invokeIdBytes = 4;
const wideBytes = 8;
const letterT = 0x54;
const digitZero = 0x30;
const pushSetupClass = 40;
const shortDefinition = 4;
const longDefinition = 6;
const clockObis = parseObisPattern("0-0:1.0.0");
const typeObis = parseObisPattern("1-n:96.1.1"); // Kamstrup
/** The meter's id, the best first. */
const identifications: readonly ObisPattern[] = [
  "0-0:96.1.0",
  "1-1:0.0.5", // Kamstrup
  "1-1:0.0.1",
  "0-0:96.1.1",
  "0-0:42.0.0",
  "1-n:96.1.0",
  "1-n:0.0.0",
  "0-0:96.1.2", // Iskraemeco
  "0-0:96.1.3",
].map(parseObisPattern);

/** Reads a notification; `profile` is the name of the meter's profile, `title` the letters of the system title that it came under. */
export function parseNotification(apdu: Uint8Array, profile: string | undefined, title = ""): NotificationParsed {
  const header = headerOf(apdu);
  if (header === undefined) return malformed("its header is cut off");
  const described = scanDescribed(apdu, header.end);
  const values = described?.values ?? scanValues(apdu, header.end);
  if (values === undefined) return malformed("its values do not follow A-XDR, or are cut off");
  const context: Context = {
    bytes: apdu,
    values,
    profile,
    gathering: createGathering(registersMax),
    items: [],
    uncoded: 0,
    meter: "",
    meterRank: identifications.length + 1,
    clock_s: undefined,
    unknownObjects: 0,
    announces: undefined,
  };
  if (described !== undefined) gatherDescribed(context, described.codes);
  const fault = described === undefined ? gatherValues(context, title) : undefined;
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

/** Where the message at `start` ends, if all of it is there and follows its grammar. */
export function messageEnd(bytes: Uint8Array, start: number): number | undefined {
  const message = bytes.subarray(start);
  const header = message[0] === dataNotification ? headerOf(message) : undefined;
  if (header === undefined) return undefined;
  const described = scanDescribed(message, header.end);
  if (described !== undefined) return start + described.end;
  const values = scanValues(message, header.end);
  if (values === undefined || values[0]!.count === 0) return undefined;
  return start + values[values.length - 1]!.end;
}

/** A code for each value. */
function gatherDescribed(context: Context, codes: readonly Uint8Array[]): void {
  codes.forEach((obis, index) => {
    gatherValue(context, obis, context.values[index]!, describedScale(obis));
  });
  addItems(context.gathering, context.items, undefined);
}

/** Why nothing can be read, or undefined. */
function gatherValues(context: Context, title: string): string | undefined {
  const { bytes, values, profile, gathering } = context;
  const captured = captureObjects(context);
  const elements = elementsOf(values, 0);
  const name = listName(bytes, values);
  if (captured === undefined) {
    const placed: PlacedList = { bytes, elements: elements.map((index) => values[index]!), name, profile };
    const list = listOf(placed);
    if (list !== undefined) {
      context.announces = list.announces;
      gatherPlaces(context, list, placed);
      if (powerBalance(gathering.registers, "assumed") === "contradicts") gathering.flag("assumed-scale");
      return undefined;
    }
  }
  const codes = captured === undefined ? gatherCoded(context) : gatherCaptured(context, captured);
  const table = scalesOf([...textsOf(context), title], typeOf(context), profile);
  addItems(
    gathering,
    context.items,
    table ?? (captured !== undefined && beginsWithPushSetup(context) ? swissScales : undefined),
  );
  if (gathering.registers.length === 0) {
    const named = name === "" ? "" : `, named ${name}`;
    return codes === 0
      ? `a list of ${elements.length} values without codes${named}, which no profile describes`
      : `a list of ${elements.length} values${named}: its codes have no number, and no profile describes it`;
  }
  if (context.uncoded > 0) gathering.flag("registers-left-out");
  return undefined;
}

function textsOf({ bytes, values }: Context): readonly string[] {
  return values
    .filter((value) => isString(value) && codeOf(bytes, value) === undefined)
    .map((value) => textOf(bytes, value));
}

/** The meter's type number, where a code says that it is one; empty otherwise. */
function typeOf({ bytes, values }: Context): string {
  for (let index = 0; index + 1 < values.length; index++) {
    const obis = codeOf(bytes, values[index]!);
    if (obis !== undefined && matchesObis(typeObis, obis)) return textOf(bytes, values[index + 1]!);
  }
  return "";
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
  for (let index = 0; index < values.length; index++) {
    const element = values[index]!;
    if (definitionIn(bytes, values, index) !== undefined) {
      index = element.next - 1;
      continue;
    }
    const obis = codeOf(bytes, element);
    const value = values[index + 1];
    if (obis === undefined || value === undefined) {
      if (integerOf(bytes, element) !== undefined) context.uncoded++;
      continue;
    }
    if (codeOf(bytes, value) !== undefined) continue;
    codes++;
    const stated = scalerAndUnit(bytes, values, index + 2);
    gatherValue(context, obis, value, stated);
    index += 1 + (stated === undefined ? 0 : values[index + 2]!.next - index - 2);
  }
  return codes;
}

/** A structure of integer and enum behind a value. */
function scalerAndUnit(bytes: Uint8Array, values: readonly DlmsValue[], index: number): Scale | undefined {
  const [structure, scaler, unit] = [values[index], values[index + 1], values[index + 2]];
  if (structure?.tag !== tagStructure || structure.count !== 2) return undefined;
  if (scaler?.tag !== tagInteger8 || unit?.tag !== tagEnum) return undefined;
  return { scaler: Number(integerOf(bytes, scaler)), unit: bytes[unit.start]! };
}

/** Where the first element is an array of (class, code, attribute, index, ...): the codes of the elements. */
function captureObjects({ bytes, values }: Context): readonly Uint8Array[] | undefined {
  const list = values[1];
  if (list?.tag !== tagArray || list.count !== values[0]!.count) return undefined;
  const codes: Uint8Array[] = [];
  for (const element of elementsOf(values, 1)) {
    const obis = definitionIn(bytes, values, element);
    if (obis === undefined) return undefined;
    codes.push(obis);
  }
  return codes;
}

/** Whether the first capture object is the push setup of the list, as its class says. */
function beginsWithPushSetup({ bytes, values }: Context): boolean {
  const classId = values[3];
  return classId?.tag === tagUnsigned16 && integerOf(bytes, classId) === pushSetupClass;
}

/** The code of a capture object: a structure of class, code, attribute and index; restriction and columns may follow. */
function definitionIn(bytes: Uint8Array, values: readonly DlmsValue[], index: number): Uint8Array | undefined {
  const [definition, classId, code] = [values[index]!, values[index + 1], values[index + 2]];
  if (definition.tag !== tagStructure || classId?.tag !== tagUnsigned16) return undefined;
  if (definition.count !== shortDefinition && definition.count !== longDefinition) return undefined;
  return code === undefined ? undefined : codeOf(bytes, code);
}

/** The list of capture objects is the first of them: returns how many there are. */
function gatherCaptured(context: Context, codes: readonly Uint8Array[]): number {
  const elements = elementsOf(context.values, 0);
  for (let index = 1; index < codes.length; index++) {
    gatherValue(context, codes[index]!, context.values[elements[index]!]!, undefined);
  }
  return codes.length;
}

function gatherValue(context: Context, obis: Uint8Array, value: DlmsValue, stated: Scale | undefined): void {
  const { bytes, gathering } = context;
  const number = integerOf(bytes, value) ?? stateOf(context, obis, value);
  if (number === undefined) {
    if (isString(value)) gatherText(context, obis, value);
    else {
      context.unknownObjects++;
      if (value.tag !== tagNull && isMeasured(obis)) gathering.flag("not-understood", obis);
    }
    return;
  }
  if (identify(context, obis, String(number))) return;
  if (context.items.length === registersMax) gathering.flag("registers-left-out");
  else context.items.push({ obis, value: number, wide: value.end - value.start === wideBytes, stated });
}

/** The number of a state: an enum, or a tariff that is named `T2`. */
function stateOf({ bytes }: Context, obis: Uint8Array, value: DlmsValue): number | undefined {
  if (!isPlainNumber(obis)) return undefined;
  if (value.tag === tagEnum || value.tag === tagBoolean) return bytes[value.start]!;
  const isTariff = isString(value) && value.end - value.start === 2 && bytes[value.start] === letterT;
  const digit = isTariff ? bytes[value.start + 1]! - digitZero : -1;
  return digit >= 0 && digit <= 9 ? digit : undefined;
}

/** Ids and the clock; all other texts are not registers. */
function gatherText(context: Context, obis: Uint8Array, value: DlmsValue): void {
  if (matchesObis(clockObis, obis)) {
    if (value.end - value.start === dateTimeBytes) context.clock_s = scanDateTime(context.bytes, value.start);
    return;
  }
  const isId = value.end > value.start && identify(context, obis, textOf(context.bytes, value));
  if (!isId && isMeasured(obis)) {
    context.unknownObjects++;
    context.gathering.flag("not-understood", obis);
  }
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

function malformed(detail: string): NotificationParsed {
  return { kind: "refused", reason: "malformed", detail };
}
