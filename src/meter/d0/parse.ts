// From one D0 readout to registers (IEC 62056-21; codes of IEC 62056-6-1 and, for heat, EN 1434-3). What becomes a register: every data
// set with a number and a known unit, time integrals without a unit, and the plain numbers of plain-number.ts.
//
// Flags: `unchecked` neither block check character nor CRC; `headless` without identification and STX; `no-clock` no time that relates
// to UTC; `malformed-line`; `no-unit OBIS` an energy without unit, kept as a plain number; `never-read OBIS` a channel with a null time;
// `capture-invalid OBIS`, `capture-ahead OBIS`, `not-understood OBIS` as in p1/parse.ts; `duplicate OBIS`, `registers-left-out`;
// `quirk-unit OBIS` (profiles.ts).

import { isClockTime, seconds_per_hour, secondsSinceEpoch } from "../calendar.js";
import { createGathering, type Gathering } from "../gathering.js";
import { isMeasured } from "../measured.js";
import { matchesObis, type ObisPattern, parseObisPattern } from "../obis.js";
import { scanP1Time } from "../p1/time.js";
import { indexOf, type P1Value, scanMeasured, scanP1Value, textOf } from "../p1/value.js";
import { isVersionWithCrc } from "../p1/version.js";
import { isPlainNumber } from "../plain-number.js";
import type { Profile } from "../profiles.js";
import type { Register } from "../register.js";
import { unitNone } from "../unit.js";
import { stx } from "./characters.js";
import { crcDigits } from "./check.js";
import type { D0Frame } from "./frame.js";
import { type D0Object, eachObject, scanCode } from "./object.js";

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

/** The meter's id, the best first; `C.1.0` is the first of them, `96.1.0` without a medium the fourth. */
const identifications: readonly ObisPattern[] = [
  "0-0:96.1.0",
  "0-0:96.1.1",
  "1-n:0.0.0",
  "1-n:96.1.0",
  "1-n:96.1.1",
  "0-0:96.1.255",
  "1-n:96.1.255",
  "0-0:42.0.0",
  "0-0:0.0.0",
  "6-0:9.21.0", // EN 1434-3: device number
  "6-0:0.0.0",
].map(parseObisPattern);

const timeOfDay = parseObisPattern("1-0:0.9.1");
const date = parseObisPattern("1-0:0.9.2");
const clock = parseObisPattern("0-0:1.0.0");
const channelValue = parseObisPattern("0-n:24.2.n");
const colon = 0x3a;
const asterisk = 0x2a;

/** Reads the data sets of a readout. */
export function parseReadout(frame: D0Frame, zoneOffset_s: number, profile: Profile | undefined): D0Parsed {
  const { bytes, start, end, identification } = frame;
  const gathering = createGathering(registersMax);
  const medium = mediumOf(frame);
  const time_s = clockOf(frame, medium, zoneOffset_s);
  if (!frame.checked) gathering.flag("unchecked");
  if (identification === "" && bytes[0] !== stx) gathering.flag("headless");
  if (time_s === undefined) gathering.flag("no-clock");
  const context: Context = { bytes, zoneOffset_s, profile, time_s, gathering };
  const beheaded = isBeheaded(frame);
  let objects = 0;
  let unknownObjects = 0;
  let best = identifications.length;
  let meter = identification;
  const malformed = eachObject(bytes, start, end, (object) => {
    objects++;
    const obis = scanCode(bytes, object.codeStart, object.codeEnd, medium);
    if (beheaded && objects === 1) {
      gathering.flag("malformed-line");
      return;
    }
    if (obis === undefined ? isInUnit(bytes, object) : !gather(context, obis, object)) {
      unknownObjects++;
      gathering.flag(obis === undefined ? "malformed-line" : "not-understood", obis);
    }
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

/** Whether a readout without check is of a version of P1 that has a CRC, and states none; the codes are written out there. */
export function lacksCrc({ bytes, start, end }: D0Frame): boolean {
  if (crcDigits(bytes, end + 1, bytes.length) !== "") return false;
  let declared = false;
  eachObject(bytes, start, end, ({ codeStart, codeEnd }) => {
    const obis = isWrittenOut(bytes, codeStart, codeEnd) ? scanCode(bytes, codeStart, codeEnd, electricity) : undefined;
    if (obis !== undefined && isVersionWithCrc(obis)) declared = true;
  });
  return declared;
}

/** Whether the code has its medium: `1-0:1.8.0`, not `1.8.0`. */
function isWrittenOut(bytes: Uint8Array, start: number, end: number): boolean {
  return indexOf(bytes, colon, start, end) < end;
}

/**
 * Whether the first code of a log without beginning has lost its own: it is reduced, and others are written out. `1.7.0` is then what is
 * left of `1-0:21.7.0`.
 */
function isBeheaded({ bytes, identification, start, end }: D0Frame): boolean {
  if (identification !== "" || bytes[0] === stx) return false;
  let firstIsWhole: boolean | undefined;
  let someAreWhole = false;
  eachObject(bytes, start, end, ({ codeStart, codeEnd }) => {
    const isWhole = isWrittenOut(bytes, codeStart, codeEnd);
    firstIsWhole ??= isWhole;
    someAreWhole ||= isWhole;
  });
  return someAreWhole && !firstIsWhole;
}

/** Heat where a reduced code 6.8 comes in an active energy: the 6.8 of electricity is a reactive one. */
function mediumOf({ bytes, start, end }: D0Frame): number {
  let medium = electricity;
  eachObject(bytes, start, end, ({ codeStart, codeEnd, groups }) => {
    if (codeEnd - codeStart !== 3 || textOf(bytes, codeStart, codeEnd) !== "6.8") return;
    const unit = scanP1Value(bytes, groups[0]!, groups[1]!)?.unit;
    if (unit === wattHour || unit === joule) medium = heat;
  });
  return medium;
}

/** Reads one data set; false where it states something measured that was not understood. */
function gather(context: Context, obis: Uint8Array, object: D0Object): boolean {
  const { bytes, gathering } = context;
  const { groups } = object;
  const value = quantityOf(bytes, obis, groups[0]!, groups[1]!);
  if (
    groups.length === 4 &&
    (value === undefined || value.unit === unitNone) &&
    gatherCaptured(context, obis, groups)
  ) {
    return true;
  }
  if (value === undefined) {
    return !(isMeasured(obis) ? isFilled(object) : obis[0] !== heat && isInUnit(bytes, object));
  }
  if (value.unit !== unitNone) gathering.add({ obis, ...value });
  else if (isEnergy(obis)) gathering.add({ obis, ...energyOf(context, obis, value) });
  else if (isPlainNumber(obis)) gathering.add({ obis, ...value });
  else if (isMeasured(obis)) gathering.flag("no-unit", obis);
  // All other plain numbers are ids, versions, dates and states.
  return true;
}

/** `(time)(value*unit)`, as M-Bus channels have it. */
function gatherCaptured(context: Context, obis: Uint8Array, groups: readonly number[]): boolean {
  const { bytes, gathering, time_s, zoneOffset_s } = context;
  const value = quantityOf(bytes, obis, groups[2]!, groups[3]!);
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

/** The value of a group: spaces and a plus sign before the number are the display's. The asterisk may be missing from what is measured. */
function quantityOf(bytes: Uint8Array, obis: Uint8Array, start: number, end: number): P1Value | undefined {
  let first = start;
  while (first < end && bytes[first] === 0x20) first++;
  if (bytes[first] === 0x2b) first++;
  if (first === end) return undefined;
  return isMeasured(obis) ? scanMeasured(bytes, first, end) : scanP1Value(bytes, first, end);
}

/** Whether a group states a unit, be it one that is not known. */
function isInUnit(bytes: Uint8Array, { groups }: D0Object): boolean {
  return indexOf(bytes, asterisk, groups[0]!, groups[groups.length - 1]!) < groups[groups.length - 1]!;
}

function isFilled({ groups }: D0Object): boolean {
  return groups.some((position, index) => index % 2 === 1 && position > groups[index - 1]!);
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
