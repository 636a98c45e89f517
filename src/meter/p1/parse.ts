// From the lines of one checked P1 telegram to a reading (DSMR P1 2.2 to 5.0.2, Fluvius e-MUCS P1, EON Hungary, ESMR). What becomes
// a register: every object whose one value is a number with a known unit, plain numbers that are in the table of plain-number.ts, the value of
// an M-Bus channel with its own capture time, and the rows of a log. Texts (messages, versions, the ids of M-Bus devices) do not;
// the hash of the frame covers them.
//
// Flags: `unchecked` no CRC, `quirk-crc` a CRC of the maker's own kind, `no-clock` no usable time, `never-read OBIS` a channel with a
// null time, `no-unit OBIS` a value without unit, `capture-invalid OBIS` a capture time that is none, `capture-ahead OBIS` one later
// than the reading (its age is left out), `duplicate OBIS` the second of two equal codes was left out, `not-understood OBIS` a measured
// quantity whose value was not understood, `malformed-line`, `registers-left-out`.

import { createGathering, type Gathering } from "../gathering.js";
import { isMeasured } from "../measured.js";
import { matchesObis, type ObisPattern, parseObisPattern, scanObis } from "../obis.js";
import { isPlainNumber } from "../plain-number.js";
import type { Reading } from "../reader.js";
import { parseUnit, unitNone } from "../unit.js";
import type { P1Frame } from "./frame.js";
import { scanLog } from "./log.js";
import { type P1Object, scanObjects } from "./object.js";
import { type P1Time, scanP1Time } from "./time.js";
import { indexOf, type P1Value, scanMeasured, scanNumber, scanP1Value, textOf } from "./value.js";
import { isVersionWithCrc } from "./version.js";

/** A reading, or why the telegram is none, and how many of its objects no rule knows. */
export interface P1Parsed {
  readonly reading: Reading | undefined;
  readonly detail: string;
  readonly unknownObjects: number;
}

const registersMax = 160;
const identificationLengthMax = 64;

/** Known objects that are no registers: versions, texts, ids, the status word of IEC 62056-21 meters. */
const texts: readonly ObisPattern[] = [
  "1-n:0.2.8",
  "n-0:0.0.0",
  "0-0:42.0.0",
  "0-0:96.13.n",
  "n-n:96.1.n",
  "1-0:96.5.5",
].map(parseObisPattern);

/** The meter's id, the best first; those of IEC 62056-21 meters, which push the same lines, are last, and stated as they are. */
const identifications: readonly ObisPattern[] = ["0-0:96.1.1", "0-0:96.1.0", "0-0:96.1.255", "0-0:42.0.0"].map(
  parseObisPattern,
);
const plainIdentifications: readonly ObisPattern[] = ["1-n:96.1.0", "1-n:96.1.1", "1-n:96.1.255", "n-0:0.0.0"].map(
  parseObisPattern,
);

const clock = parseObisPattern("0-0:1.0.0");
const channelValue = parseObisPattern("0-n:24.2.n");
/** DSMR 2.2 and 3.0: `(time)(status)(period)(count)(object)(unit)`, and the value on a line of its own. */
const legacyChannel = parseObisPattern("0-n:24.3.0");
const logs: readonly ObisPattern[] = ["0-0:98.1.0", "1-0:99.97.0"].map(parseObisPattern);

/** What the objects of one telegram are read with. */
interface Context {
  readonly telegram: Uint8Array;
  readonly zoneOffset_s: number;
  readonly time_s: number | undefined;
  readonly gathering: Gathering;
}

/** Reads the telegram's objects. Malformed is a telegram without header or without a single object. */
export function parseTelegram(frame: P1Frame, zoneOffset_s: number): P1Parsed {
  const { bytes: telegram, end } = frame;
  const header = headerOf(telegram, end);
  const { objects, malformedLines } = scanObjects(telegram, end);
  if (header === undefined || objects.length === 0) {
    const detail = header === undefined ? "its first line is not an identification" : "it has no object";
    return { reading: undefined, detail, unknownObjects: 0 };
  }
  const time_s = clockOf(telegram, objects, zoneOffset_s);
  const gathering = createGathering(registersMax);
  const context: Context = { telegram, zoneOffset_s, time_s, gathering };
  if (!frame.checked) gathering.flag("unchecked");
  if (frame.quirk) gathering.flag("quirk-crc");
  if (time_s === undefined) gathering.flag("no-clock");
  if (malformedLines > 0) gathering.flag("malformed-line");
  let unknownObjects = 0;
  for (const object of objects) {
    if (gather(context, object)) continue;
    unknownObjects++;
    if (isStated(telegram, object)) gathering.flag("not-understood", object.obis);
  }
  const { registers, flags } = gathering;
  const meter = identificationOf(telegram, objects) ?? header;
  const reading: Reading = { ok: true, protocol: "p1", meter, time_s, registers, flags, frame: telegram };
  return { reading, detail: "", unknownObjects };
}

/** Whether the telegram is of a version that ends in a CRC: DSMR 4 and later and Fluvius state their version. */
export function declaresCrc(frame: P1Frame): boolean {
  return scanObjects(frame.bytes, frame.end).objects.some(({ obis }) => isVersionWithCrc(obis));
}

/** Whether an object that no rule read states something measured: a known quantity, or a number in a unit that is not known. */
function isStated(telegram: Uint8Array, { obis, groups }: P1Object): boolean {
  for (let group = 0; group + 1 < groups.length; group += 2) {
    const [start, end] = [groups[group]!, groups[group + 1]!];
    if (end > start && (isMeasured(obis) || indexOf(telegram, 0x2a, start, end) < end)) return true;
  }
  return false;
}

/** Reads one object; false where no rule knows it, or its value was not understood. */
function gather(context: Context, object: P1Object): boolean {
  const { obis, groups } = object;
  const { telegram, gathering } = context;
  const last = groups.length - 2;
  const value = groups.length > 0 ? quantityOf(telegram, obis, groups[last]!, groups[last + 1]!) : undefined;
  // Most objects are electricity in a unit: they pass by the tables.
  if (last === 0 && obis[0] === 1 && value !== undefined && value.unit !== unitNone) {
    gathering.add({ obis, ...value });
    return true;
  }
  if (matchesObis(clock, obis) || matchesAny(texts, obis)) return true;
  if (matchesObis(channelValue, obis)) return gatherChannel(context, object);
  if (matchesObis(legacyChannel, obis)) return gatherLegacyChannel(context, object);
  if (matchesAny(logs, obis)) return gatherLog(context, object);
  if (last === 2) return gatherTimed(context, object);
  if (value === undefined || last !== 0) return false;
  if (value.unit !== unitNone || isPlainNumber(obis)) gathering.add({ obis, ...value });
  else if (isMeasured(obis)) gathering.flag("no-unit", obis);
  else return false;
  return true;
}

/** The asterisk may be missing from what is surely measured. */
function quantityOf(telegram: Uint8Array, obis: Uint8Array, start: number, end: number): P1Value | undefined {
  return isMeasured(obis) ? scanMeasured(telegram, start, end) : scanP1Value(telegram, start, end);
}

/** `(time)(value*unit)`, or `(value*unit)(time)` as Iskra's monthly peak in Belgium. */
function gatherTimed(context: Context, { obis, groups }: P1Object): boolean {
  const { telegram, zoneOffset_s } = context;
  const [start, middle, second, end] = groups as [number, number, number, number];
  const last = quantityOf(telegram, obis, second, end);
  if (last !== undefined && (last.unit !== unitNone || isPlainNumber(obis))) {
    return addCaptured(context, obis, last, scanP1Time(telegram, start, middle, zoneOffset_s));
  }
  const first = quantityOf(telegram, obis, start, middle);
  if (first === undefined || first.unit === unitNone) return false;
  return addCaptured(context, obis, first, scanP1Time(telegram, second, end, zoneOffset_s));
}

/** `(time)(value*unit)`. */
function gatherChannel(context: Context, { obis, groups }: P1Object): boolean {
  const { telegram, zoneOffset_s, gathering } = context;
  if (groups.length !== 4) return false;
  const captured = scanP1Time(telegram, groups[0]!, groups[1]!, zoneOffset_s);
  const value = quantityOf(telegram, obis, groups[2]!, groups[3]!);
  if (captured.kind === "null") gathering.flag("never-read", obis);
  else if (value === undefined) return false;
  else if (value.unit === unitNone) gathering.flag("no-unit", obis);
  else return addCaptured(context, obis, value, captured);
  return true;
}

function gatherLegacyChannel(context: Context, { groups }: P1Object): boolean {
  const { telegram, zoneOffset_s } = context;
  if (groups.length !== 14) return false;
  const obis = scanObis(telegram, groups[8]!, groups[9]!);
  const unit = parseUnit(textOf(telegram, groups[10]!, groups[11]!));
  if (obis === undefined || unit === undefined) return false;
  const value = scanNumber(telegram, groups[12]!, groups[13]!, unit.code, unit.exponent);
  if (value === undefined) return false;
  return addCaptured(context, obis, value, scanP1Time(telegram, groups[0]!, groups[1]!, zoneOffset_s));
}

function gatherLog(context: Context, { groups }: P1Object): boolean {
  const rows = scanLog(context.telegram, groups, context.zoneOffset_s);
  if (rows === undefined) return false;
  for (const { obis, value, captured } of rows) {
    if (value === undefined) context.gathering.flag("not-understood", obis);
    else addCaptured(context, obis, value, captured);
  }
  return true;
}

/** A value with a capture time of its own: without one that is a time there is no value. Always true. */
function addCaptured({ gathering, time_s }: Context, obis: Uint8Array, value: P1Value, captured: P1Time): true {
  const age = captured.kind === "time" && time_s !== undefined ? time_s - captured.time_s : 0;
  if (captured.kind === "null") gathering.flag("never-read", obis);
  else if (captured.kind === "invalid") gathering.flag("capture-invalid", obis);
  else {
    if (age < 0) gathering.flag("capture-ahead", obis);
    gathering.add(age > 0 ? { obis, ...value, age } : { obis, ...value });
  }
  return true;
}

function clockOf(telegram: Uint8Array, objects: readonly P1Object[], zoneOffset_s: number): number | undefined {
  const object = objects.find(({ obis }) => matchesObis(clock, obis));
  if (object === undefined || object.groups.length !== 2) return undefined;
  const time = scanP1Time(telegram, object.groups[0]!, object.groups[1]!, zoneOffset_s);
  return time.kind === "time" ? time.time_s : undefined;
}

/** The telegram's first line. */
export function headerLine({ bytes, end }: P1Frame): string {
  return textOf(bytes, 0, indexOf(bytes, 0x0a, 0, end));
}

/** The header without `/`: printable characters, three letters of the manufacturer first. */
function headerOf(telegram: Uint8Array, end: number): string | undefined {
  const lineFeed = indexOf(telegram, 0x0a, 0, end);
  const last = telegram[lineFeed - 1] === 0x0d ? lineFeed - 1 : lineFeed;
  if (last < 4 || last > 1 + identificationLengthMax) return undefined;
  for (let index = 1; index < 4; index++) {
    const letter = telegram[index]! | 0x20;
    if (letter < 0x61 || letter > 0x7a) return undefined;
  }
  return printable(telegram, 1, last);
}

function identificationOf(telegram: Uint8Array, objects: readonly P1Object[]): string | undefined {
  const [start, end] = statedUnder(identifications, objects);
  if (end > start) return decodedText(telegram, start, end);
  const [plainStart, plainEnd] = statedUnder(plainIdentifications, objects);
  return plainEnd > plainStart ? printable(telegram, plainStart, plainEnd) : undefined;
}

/** The range of the one group of the object under the first pattern that has one; an empty range where there is none. */
function statedUnder(patterns: readonly ObisPattern[], objects: readonly P1Object[]): readonly [number, number] {
  for (const pattern of patterns) {
    const object = objects.find(({ obis }) => matchesObis(pattern, obis));
    if (object === undefined || object.groups.length !== 2) continue;
    const [start, end] = object.groups as [number, number];
    if (end > start && end - start <= 2 * identificationLengthMax) return [start, end];
  }
  return [0, 0];
}

function printable(telegram: Uint8Array, start: number, end: number): string {
  return textOf(telegram, start, end).replace(/[^ -~]/g, "?");
}

/** Ids are printed as the hex of their characters; one that does not decode to printable characters stays as it is. */
function decodedText(telegram: Uint8Array, start: number, end: number): string {
  const text = printable(telegram, start, end);
  if ((end - start) % 2 !== 0) return text;
  let decoded = "";
  for (let index = 0; index < text.length; index += 2) {
    const pair = text.slice(index, index + 2);
    const code = isHex(pair) ? Number.parseInt(pair, 16) : 0;
    if (code < 0x20 || code > 0x7e) return text;
    decoded += String.fromCharCode(code);
  }
  return decoded;
}

function isHex(pair: string): boolean {
  return /^[0-9A-Fa-f]{2}$/.test(pair);
}

function matchesAny(patterns: readonly ObisPattern[], obis: Uint8Array): boolean {
  return patterns.some((pattern) => matchesObis(pattern, obis));
}
