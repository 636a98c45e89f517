// From one D0 readout to registers (IEC 62056-21; codes of IEC 62056-6-1 and, for heat, EN 1434-3). What becomes a register: every data
// set with a number and a known unit, time integrals without a unit, and the plain numbers of plain-number.ts.
//
// Flags: `unchecked` neither block check character nor CRC; `headless` without identification and STX; `no-clock` no time that relates
// to UTC; `malformed-line`; `no-unit OBIS` an energy without unit, kept as a plain number; `never-read OBIS` a channel with a null time;
// `capture-invalid OBIS`, `capture-ahead OBIS` as in p1-parse.ts; `duplicate OBIS`, `registers-left-out`; `quirk-unit OBIS` (profiles.ts).

import { isClockTime, seconds_per_hour, secondsSinceEpoch } from "./calendar.js";
import type { D0Frame } from "./d0-frame.js";
import { type D0Object, eachObject, scanCode } from "./d0-object.js";
import { createGathering, type Gathering } from "./gathering.js";
import { matchesObis, type ObisPattern, parseObisPattern } from "./obis.js";
import { scanP1Time } from "./p1-time.js";
import { type P1Value, scanP1Value, textOf } from "./p1-value.js";
import { isPlainNumber } from "./plain-number.js";
import type { Profile } from "./profiles.js";
import type { Register } from "./register.js";
import { unitNone } from "./unit.js";

/** What a readout states. */
export interface D0Parsed {
  readonly meter: string;
  readonly time_s: number | undefined;
  readonly registers: readonly Register[];
  readonly flags: readonly string[];
  readonly unknownObjects: number;
  /** Data sets in all; a readout without one is malformed. */
  readonly objects: number;
}

/** A block of the readout while it is read. */
interface Context {
  readonly bytes: Uint8Array;
  readonly zoneOffset_s: number;
  readonly profile: Profile | undefined;
  readonly time_s: number | undefined;
  readonly gathering: Gathering;
}

const registersMax = 256;
const identificationLengthMax = 64;
const electricity = 1;
const heat = 6;
const wattHour = 30;
const joule = 25;

/** The meter's id, the best first. */
const identifications: readonly ObisPattern[] = [
  "0-0:96.1.0",
  "0-0:96.1.1",
  "1-0:0.0.0",
  "0-0:96.1.255",
  "6-0:9.21.0", // EN 1434-3: device number
  "6-0:0.0.0",
].map(parseObisPattern);

const timeOfDay = parseObisPattern("1-0:0.9.1");
const date = parseObisPattern("1-0:0.9.2");
const clock = parseObisPattern("0-0:1.0.0");
const channelValue = parseObisPattern("0-n:24.2.n");

/** Reads the data sets of a readout. */
export function parseReadout(frame: D0Frame, zoneOffset_s: number, profile: Profile | undefined): D0Parsed {
  const { bytes, start, end, identification } = frame;
  const gathering = createGathering(registersMax);
  const medium = mediumOf(frame);
  const time_s = clockOf(frame, medium, zoneOffset_s);
  if (!frame.checked) gathering.flag("unchecked");
  if (identification === "" && bytes[0] !== 0x02) gathering.flag("headless");
  if (time_s === undefined) gathering.flag("no-clock");
  const context: Context = { bytes, zoneOffset_s, profile, time_s, gathering };
  let objects = 0;
  let unknownObjects = 0;
  let best = identifications.length;
  let meter = identification;
  const malformed = eachObject(bytes, start, end, (object) => {
    objects++;
    const obis = scanCode(bytes, object.codeStart, object.codeEnd, medium);
    if (obis === undefined || !gather(context, obis, object)) unknownObjects++;
    const rank = obis === undefined ? best : rankOf(obis);
    const [from, to] = object.groups as [number, number];
    if (rank < best && to > from && to - from <= identificationLengthMax) {
      best = rank;
      meter = printable(bytes, from, to);
    }
  });
  if (malformed > 0) gathering.flag("malformed-line");
  const { registers, flags } = gathering;
  return { meter, time_s, registers, flags, unknownObjects, objects };
}

/** Heat where a reduced code 6.8 comes in an active energy: the 6.8 of electricity is a reactive one. */
function mediumOf({ bytes, start, end }: D0Frame): number {
  let medium = electricity;
  eachObject(bytes, start, end, ({ codeStart, codeEnd, groups }) => {
    if (codeEnd - codeStart !== 3 || textOf(bytes, codeStart, codeEnd) !== "6.8") return;
    const unit = quantityOf(bytes, groups[0]!, groups[1]!)?.unit;
    if (unit === wattHour || unit === joule) medium = heat;
  });
  return medium;
}

/** Reads one data set; false where no rule knows it. */
function gather(context: Context, obis: Uint8Array, { groups }: D0Object): boolean {
  const { bytes, gathering } = context;
  const value = quantityOf(bytes, groups[0]!, groups[1]!);
  if (groups.length === 4 && (value === undefined || value.unit === unitNone)) {
    return gatherCaptured(context, obis, groups);
  }
  if (value === undefined) return !isMeasured(bytes, groups);
  if (value.unit !== unitNone) gathering.add({ obis, ...value });
  else if (isEnergy(obis)) gathering.add({ obis, ...energyOf(context, obis, value) });
  else if (isPlainNumber(obis)) gathering.add({ obis, ...value });
  // All other plain numbers are ids, versions, dates and states.
  return true;
}

/** `(time)(value*unit)`, as M-Bus channels have it. */
function gatherCaptured(context: Context, obis: Uint8Array, groups: readonly number[]): boolean {
  const { bytes, gathering, time_s, zoneOffset_s } = context;
  const value = quantityOf(bytes, groups[2]!, groups[3]!);
  const captured = scanP1Time(bytes, groups[0]!, groups[1]!, zoneOffset_s);
  if (captured.kind === "null" && matchesObis(channelValue, obis)) gathering.flag("never-read", obis);
  else if (value === undefined || value.unit === unitNone) return false;
  else if (captured.kind === "null") gathering.flag("never-read", obis);
  else if (captured.kind === "invalid") gathering.flag("capture-invalid", obis);
  else {
    const age = captured.kind === "time" && time_s !== undefined ? time_s - captured.time_s : 0;
    if (age < 0) gathering.flag("capture-ahead", obis);
    gathering.add(age > 0 ? { obis, ...value, age } : { obis, ...value });
  }
  return true;
}

function energyOf({ profile, gathering }: Context, obis: Uint8Array, value: P1Value): P1Value {
  if (!profile?.energyInKilowattHours) {
    gathering.flag("no-unit", obis);
    return value;
  }
  gathering.flag("quirk-unit", obis);
  return { value: value.value, scaler: value.scaler + 3, unit: wattHour };
}

/** The value of a group: spaces and a plus sign before the number are the display's. */
function quantityOf(bytes: Uint8Array, start: number, end: number): P1Value | undefined {
  let first = start;
  while (first < end && bytes[first] === 0x20) first++;
  if (bytes[first] === 0x2b) first++;
  return first < end ? scanP1Value(bytes, first, end) : undefined;
}

/** A group that has a unit, but not one that is known, or more than a number before it. */
function isMeasured(bytes: Uint8Array, groups: readonly number[]): boolean {
  return bytes.subarray(groups[0]!, groups[1]!).includes(0x2a);
}

/** Time integrals of active and reactive energy, in and out, by quadrant. */
function isEnergy(obis: Uint8Array): boolean {
  return obis[0] === electricity && obis[2]! >= 1 && obis[2]! <= 8 && obis[3] === 8;
}

function rankOf(obis: Uint8Array): number {
  const rank = identifications.findIndex((pattern) => matchesObis(pattern, obis));
  return rank < 0 ? identifications.length : rank;
}

/** UTC seconds of 0-0:1.0.0, or of date and time where the date begins with the digit of its season. */
function clockOf({ bytes, start, end }: D0Frame, medium: number, zoneOffset_s: number): number | undefined {
  let stated: number | undefined;
  let time: number[] | undefined;
  let day: number[] | undefined;
  eachObject(bytes, start, end, ({ codeStart, codeEnd, groups }) => {
    const obis = scanCode(bytes, codeStart, codeEnd, medium);
    if (obis === undefined || groups.length !== 2) return;
    const [from, to] = groups as [number, number];
    if (matchesObis(clock, obis)) {
      const moment = scanP1Time(bytes, from, to, zoneOffset_s);
      if (moment.kind === "time") stated = moment.time_s;
    } else if (matchesObis(timeOfDay, obis)) time = seasonal(bytes, from, to);
    else if (matchesObis(date, obis)) day = seasonal(bytes, from, to);
  });
  if (stated !== undefined || time === undefined || day === undefined) return stated;
  const [daySeason, year, month, dayOfMonth] = day as [number, number, number, number];
  const [timeSeason, hour, minute, second] = time as [number, number, number, number];
  const season = timeSeason >= 0 ? timeSeason : daySeason;
  if (season < 0 || season > 2 || !isClockTime(2000 + year, month, dayOfMonth, hour, minute, second)) return undefined;
  const local_s = secondsSinceEpoch(2000 + year, month, dayOfMonth, hour, minute, second);
  // 0 winter, 1 summer, 2 UTC (IEC 62056-21, annex on time and date stamps).
  return season === 2 ? local_s : local_s - zoneOffset_s - season * seconds_per_hour;
}

/** Three pairs of digits, after the season's digit or -1 where it is left out; undefined for any other text. */
function seasonal(bytes: Uint8Array, start: number, end: number): number[] | undefined {
  const length = end - start;
  if (length !== 6 && length !== 7) return undefined;
  const digits: number[] = [];
  for (let index = start; index < end; index++) {
    const digit = bytes[index]! - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    digits.push(digit);
  }
  const season = length === 7 ? digits.shift()! : -1;
  const [a, b, c, d, e, f] = digits as [number, number, number, number, number, number];
  return [season, a * 10 + b, c * 10 + d, e * 10 + f];
}

function printable(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let index = start; index < end; index++) {
    const byte = bytes[index]!;
    text += byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : "?";
  }
  return text;
}
