// From the lines of one checked P1 telegram to a reading (DSMR P1 2.2 to 5.0.2, Fluvius e-MUCS P1, EON Hungary, ESMR). What becomes
// a register: every object whose one value is a number with a known unit, plain numbers that are in the table of plain-number.ts, the value of
// an M-Bus channel with its own capture time, and the rows of a log. Texts (messages, versions, the ids of M-Bus devices) do not;
// the hash of the frame covers them.
//
// Flags: `unchecked` no CRC, `no-clock` no usable time, `never-read OBIS` a channel with a null time, `no-unit OBIS` a channel's
// value without unit, `capture-invalid OBIS` a capture time that is none, `capture-ahead OBIS` one later than the reading (its age is
// left out), `duplicate OBIS` the second of two equal codes was left out, `malformed-line`.

import { formatObis, matchesObis, type ObisPattern, parseObisPattern, sameObis, scanObis } from "./obis.js";
import type { P1Frame } from "./p1-frame.js";
import { scanLog } from "./p1-log.js";
import { type P1Object, scanObjects } from "./p1-object.js";
import { type P1Time, scanP1Time } from "./p1-time.js";
import { indexOf, type P1Value, scanNumber, scanP1Value, textOf } from "./p1-value.js";
import { isPlainNumber } from "./plain-number.js";
import type { Reading } from "./reader.js";
import type { Register } from "./register.js";
import { parseUnit, unitNone } from "./unit.js";

/** A reading, or why the telegram is none, and how many of its objects no rule knows. */
export interface P1Parsed {
  readonly reading: Reading | undefined;
  readonly detail: string;
  readonly unknownObjects: number;
}

const registersMax = 160;
const flagsMax = 16;
const identificationLengthMax = 64;

/** The version of DSMR 4 and later, and of Fluvius. */
const versions: readonly ObisPattern[] = ["1-n:0.2.8", "0-0:96.1.4"].map(parseObisPattern);

/** Known objects that are no registers: versions, texts, ids, the status word of IEC 62056-21 meters. */
const texts: readonly ObisPattern[] = [
  "1-n:0.2.8",
  "n-0:0.0.0",
  "0-0:42.0.0",
  "0-0:96.13.n",
  "0-n:96.1.n",
  "1-0:96.5.5",
].map(parseObisPattern);

/** The meter's id, the best first. */
const identifications: readonly ObisPattern[] = ["0-0:96.1.1", "0-0:96.1.0", "0-0:96.1.255"].map(parseObisPattern);

const clock = parseObisPattern("0-0:1.0.0");
const channelValue = parseObisPattern("0-n:24.2.n");
/** DSMR 2.2 and 3.0: `(time)(status)(period)(count)(object)(unit)`, and the value on a line of its own. */
const legacyChannel = parseObisPattern("0-n:24.3.0");
const logs: readonly ObisPattern[] = ["0-0:98.1.0", "1-0:99.97.0"].map(parseObisPattern);

/** What is gathered while the objects of one telegram are read. */
interface Gathering {
  readonly telegram: Uint8Array;
  readonly zoneOffset_s: number;
  readonly time_s: number | undefined;
  readonly registers: Register[];
  readonly flags: string[];
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
  const gathering: Gathering = { telegram, zoneOffset_s, time_s, registers: [], flags: [] };
  if (!frame.checked) flag(gathering, "unchecked");
  if (time_s === undefined) flag(gathering, "no-clock");
  if (malformedLines > 0) flag(gathering, "malformed-line");
  let unknownObjects = 0;
  for (const object of objects) if (!gather(gathering, object)) unknownObjects++;
  const { registers, flags } = gathering;
  const meter = identificationOf(telegram, objects) ?? header;
  const reading: Reading = { ok: true, protocol: "p1", meter, time_s, registers, flags, frame: telegram };
  return { reading, detail: "", unknownObjects };
}

/** Whether the telegram is of a version that ends in a CRC: DSMR 4 and later and Fluvius state their version. */
export function declaresCrc(frame: P1Frame): boolean {
  return scanObjects(frame.bytes, frame.end).objects.some(({ obis }) => matchesAny(versions, obis));
}

/** Reads one object; false where no rule knows it. */
function gather(gathering: Gathering, object: P1Object): boolean {
  const { obis, groups } = object;
  const { telegram, zoneOffset_s } = gathering;
  const last = groups.length - 2;
  const value = groups.length > 0 ? scanP1Value(telegram, groups[last]!, groups[last + 1]!) : undefined;
  // Most objects are electricity in a unit: they pass by the tables.
  if (last === 0 && obis[0] === 1 && value !== undefined && value.unit !== unitNone) {
    return addRegister(gathering, obis, value, undefined);
  }
  if (matchesObis(clock, obis) || matchesAny(texts, obis)) return true;
  if (matchesObis(channelValue, obis)) return gatherChannel(gathering, object);
  if (matchesObis(legacyChannel, obis)) return gatherLegacyChannel(gathering, object);
  if (matchesAny(logs, obis)) return gatherLog(gathering, object);
  if (value === undefined || (value.unit === unitNone && !isPlainNumber(obis))) return false;
  if (last === 0) return addRegister(gathering, obis, value, undefined);
  if (last !== 2) return false;
  return addCaptured(gathering, obis, value, scanP1Time(telegram, groups[0]!, groups[1]!, zoneOffset_s));
}

/** `(time)(value*unit)`. */
function gatherChannel(gathering: Gathering, { obis, groups }: P1Object): boolean {
  const { telegram, zoneOffset_s } = gathering;
  if (groups.length !== 4) return false;
  const captured = scanP1Time(telegram, groups[0]!, groups[1]!, zoneOffset_s);
  const value = scanP1Value(telegram, groups[2]!, groups[3]!);
  if (captured.kind === "null") return flag(gathering, "never-read", obis);
  if (value === undefined) return false;
  if (value.unit === unitNone) return flag(gathering, "no-unit", obis);
  return addCaptured(gathering, obis, value, captured);
}

function gatherLegacyChannel(gathering: Gathering, { groups }: P1Object): boolean {
  const { telegram, zoneOffset_s } = gathering;
  if (groups.length !== 14) return false;
  const obis = scanObis(telegram, groups[8]!, groups[9]!);
  const unit = parseUnit(textOf(telegram, groups[10]!, groups[11]!));
  if (obis === undefined || unit === undefined) return false;
  const value = scanNumber(telegram, groups[12]!, groups[13]!, unit.code, unit.exponent);
  if (value === undefined) return false;
  return addCaptured(gathering, obis, value, scanP1Time(telegram, groups[0]!, groups[1]!, zoneOffset_s));
}

function gatherLog(gathering: Gathering, { groups }: P1Object): boolean {
  const rows = scanLog(gathering.telegram, groups, gathering.zoneOffset_s);
  if (rows === undefined) return false;
  for (const { obis, value, captured } of rows) addCaptured(gathering, obis, value, captured);
  return true;
}

/** A value with a capture time of its own: without one that is a time there is no value. */
function addCaptured(gathering: Gathering, obis: Uint8Array, value: P1Value, captured: P1Time): boolean {
  if (captured.kind === "null") return flag(gathering, "never-read", obis);
  if (captured.kind === "invalid") return flag(gathering, "capture-invalid", obis);
  if (captured.kind === "local" || gathering.time_s === undefined) {
    return addRegister(gathering, obis, value, undefined);
  }
  const age = gathering.time_s - captured.time_s;
  if (age < 0) flag(gathering, "capture-ahead", obis);
  return addRegister(gathering, obis, value, age > 0 ? age : undefined);
}

function addRegister(gathering: Gathering, obis: Uint8Array, value: P1Value, age: number | undefined): boolean {
  const { registers } = gathering;
  if (registers.length === registersMax) return false;
  if (registers.some((register) => sameObis(register.obis, obis))) return flag(gathering, "duplicate", obis);
  registers.push(age === undefined ? { obis, ...value } : { obis, ...value, age });
  return true;
}

/** Always true: what is flagged is known. */
function flag({ flags }: Gathering, kind: string, obis?: Uint8Array): true {
  if (flags.length < flagsMax) flags.push(obis === undefined ? kind : `${kind} ${formatObis(obis)}`);
  return true;
}

function clockOf(telegram: Uint8Array, objects: readonly P1Object[], zoneOffset_s: number): number | undefined {
  const object = objects.find(({ obis }) => matchesObis(clock, obis));
  if (object === undefined || object.groups.length !== 2) return undefined;
  const time = scanP1Time(telegram, object.groups[0]!, object.groups[1]!, zoneOffset_s);
  return time.kind === "time" ? time.time_s : undefined;
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
  return textOf(telegram, 1, last).replace(/[^ -~]/g, "?");
}

function identificationOf(telegram: Uint8Array, objects: readonly P1Object[]): string | undefined {
  for (const pattern of identifications) {
    const object = objects.find(({ obis }) => matchesObis(pattern, obis));
    if (object === undefined || object.groups.length !== 2) continue;
    const [start, end] = object.groups as [number, number];
    if (end > start && end - start <= 2 * identificationLengthMax) return decodedText(telegram, start, end);
  }
  return undefined;
}

/** Ids are printed as the hex of their characters; one that does not decode to printable characters stays as it is. */
function decodedText(telegram: Uint8Array, start: number, end: number): string {
  const text = textOf(telegram, start, end).replace(/[^ -~]/g, "?");
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
