// From one SML file to registers (SML 1.04, section 5): the entries of its GetList.Response messages. Each message has a CRC of its own
// beside the transport's, and is refused with the file where that is wrong. Every number becomes a register; octet strings (ids,
// manufacturer, public key, firmware) do not, the hash of the frame covers them.
//
// Flags: `no-clock` the list carries no UTC time, as most carry a running count of seconds; `reduced-resolution` every energy is a
// whole kWh and there is no power, which is what a meter states until its PIN is entered; `duplicate OBIS` the second of two equal
// codes was left out; `not-understood OBIS` a measured quantity whose value is no number; `no-unit OBIS` one without a unit; `registers-left-out`; `quirk-crc` the profile's quirk (profiles.ts); `quirk-sign OBIS` a power whose sign the
// status word gives, or the profile; `contradiction OBIS` a power whose sign the status word contradicts.

import { crc16Kermit, crc16X25 } from "../crc16.js";
import { createGathering, type Gathering } from "../gathering.js";
import { hexOf } from "../hex.js";
import { isMeasured } from "../measured.js";
import { matchesObis, parseObisPattern } from "../obis.js";
import { isPlainNumber } from "../plain-number.js";
import type { Profile } from "../profiles.js";
import type { Register } from "../register.js";
import { unitNone } from "../unit.js";
import {
  enterList,
  isList,
  isNumber,
  isOctets,
  openSml,
  type SmlCursor,
  type SmlNumber,
  skipElement,
  takeNumber,
  takeOctets,
} from "./cursor.js";
import { directionOf } from "./direction.js";

/** What a file states. */
export interface SmlList {
  readonly kind: "list";
  /** Hex of the server id. */
  readonly meter: string;
  readonly time_s: number | undefined;
  readonly registers: readonly Register[];
  readonly flags: readonly string[];
  readonly unknownObjects: number;
}

export type SmlParsed =
  | SmlList
  | { readonly kind: "refused"; readonly reason: "crc" | "malformed"; readonly detail: string };

/** What is gathered while the messages of one file are read. */
interface Reading {
  readonly profile: Profile | undefined;
  readonly gathering: Gathering;
  meter: string;
  time_s: number | undefined;
  /** The status word of the active energies, which may stand behind the power that it is about. */
  status: number | undefined;
  lists: number;
  unknownObjects: number;
}

const getListResponse = 0x0701;
const messagesMax = 16;
const registersMax = 128;
/** An octet string of no bytes: an element that was left out. */
const absent = 0x01;
const uncountedFillMax = 4;
const power = parseObisPattern("1-0:16.7.0");
const timeIntegral = 8;
const watt = 27;
const wattHour = 30;
/** 2000-01-01: what counts from nearer 1970 is no clock. */
const earliest_s = 946684800;

/** Reads the file's lists of values. */
export function parseSmlFile(file: Uint8Array, profile?: Profile): SmlParsed {
  const reading: Reading = {
    profile,
    gathering: createGathering(registersMax),
    meter: "",
    time_s: undefined,
    status: undefined,
    lists: 0,
    unknownObjects: 0,
  };
  const cursor = openSml(file);
  for (let messages = 0; !isFilled(file, cursor.position); messages++) {
    if (messages === messagesMax) return malformed(`more than ${messagesMax} messages`);
    const start = cursor.position;
    const refusal = takeMessage(cursor, reading);
    if (refusal !== undefined) return refusal;
    if (cursor.failed) return malformed(`its message at byte ${start} does not follow SML`);
  }
  if (reading.lists === 0) return malformed("it has no list of values");
  const { gathering, meter, time_s, unknownObjects } = reading;
  if (profile?.kermitCrc) gathering.flag("quirk-crc");
  if (time_s === undefined) gathering.flag("no-clock");
  if (isReduced(gathering.registers)) gathering.flag("reduced-resolution");
  const { registers, flags } = gathering;
  return { kind: "list", meter, time_s, registers, flags, unknownObjects };
}

/** Whether nothing but zeros follows: some meters fill a file and do not count it. */
function isFilled(file: Uint8Array, position: number): boolean {
  if (file.length - position > uncountedFillMax) return false;
  for (let index = position; index < file.length; index++) {
    if (file[index] !== 0) return false;
  }
  return true;
}

/** Transaction id, group, abort on error, body, CRC, end of message. */
function takeMessage(cursor: SmlCursor, reading: Reading): SmlParsed | undefined {
  const start = cursor.position;
  enterList(cursor, 6);
  takeOctets(cursor);
  takeNumber(cursor);
  takeNumber(cursor);
  enterList(cursor, 2);
  const tag = takeNumber(cursor)?.value;
  const body = cursor.position;
  skipElement(cursor);
  const end = cursor.position;
  const stated = takeNumber(cursor)?.value;
  if (cursor.bytes[cursor.position] !== 0) cursor.failed = true;
  if (cursor.failed) return undefined;
  cursor.position++;
  if (stated !== messageCrc(cursor.bytes, start, end, reading.profile)) {
    return { kind: "refused", reason: "crc", detail: `the CRC of its message at byte ${start} is wrong` };
  }
  if (tag !== getListResponse) return undefined;
  const inner = openSml(cursor.bytes.subarray(0, end), body);
  takeList(inner, reading);
  return inner.failed ? malformed(`its list of values at byte ${body} does not follow SML`) : undefined;
}

/** The CRC as the number of its two bytes in their order: X-25 is sent low byte first. */
function messageCrc(bytes: Uint8Array, start: number, end: number, profile: Profile | undefined): number {
  if (profile?.kermitCrc) return crc16Kermit(bytes, start, end);
  const crc = crc16X25(bytes, start, end);
  return ((crc & 0xff) << 8) | (crc >> 8);
}

/** Client id, server id, list name, sensor time, values, signature, gateway time. */
function takeList(cursor: SmlCursor, reading: Reading): void {
  enterList(cursor, 7);
  takeOctets(cursor);
  const serverId = takeOctets(cursor);
  takeOctets(cursor);
  const time_s = takeTime(cursor);
  if (reading.meter === "") reading.meter = hexOf(serverId);
  const entries = enterList(cursor);
  reading.status = statusOf(openSml(cursor.bytes, cursor.position), entries);
  for (let entry = 0; entry < entries && !cursor.failed; entry++) takeEntry(cursor, reading);
  skipElement(cursor);
  skipElement(cursor);
  reading.lists++;
  reading.time_s ??= time_s;
}

/** The status word of the first entry of an active energy that has one. */
function statusOf(cursor: SmlCursor, entries: number): number | undefined {
  for (let entry = 0; entry < entries && !cursor.failed; entry++) {
    enterList(cursor, 7);
    const obis = takeOctets(cursor);
    const status = isNumber(cursor) ? takeNumber(cursor)?.value : undefined;
    for (let element = status === undefined ? 1 : 2; element < 7; element++) skipElement(cursor);
    const isEnergy = obis.length === 6 && obis[0] === 1 && (obis[2] === 1 || obis[2] === 2) && obis[3] === timeIntegral;
    if (isEnergy && typeof status === "number") return status;
  }
  return undefined;
}

/** Name, status, time, unit, scaler, value, signature. */
function takeEntry(cursor: SmlCursor, reading: Reading): void {
  enterList(cursor, 7);
  const obis = takeOctets(cursor);
  skipElement(cursor);
  skipElement(cursor);
  const unit = takeNumber(cursor);
  const scaler = takeNumber(cursor);
  const isText = isOctets(cursor);
  const isAbsent = cursor.bytes[cursor.position] === absent;
  const value = isNumber(cursor) ? takeNumber(cursor) : undefined;
  if (value === undefined) skipElement(cursor);
  skipElement(cursor);
  if (cursor.failed) return;
  const exponent = scaler?.value ?? 0;
  const isKnown = obis.length === 6 && isMeasured(obis);
  if (obis.length !== 6 || value === undefined || typeof exponent === "bigint" || Math.abs(exponent) > 127) {
    if (!isText) reading.unknownObjects++;
    if (isKnown && !isAbsent) reading.gathering.flag("not-understood", obis);
    return;
  }
  const code = unit?.value ?? unitNone;
  if (isKnown && code === unitNone && !isPlainNumber(obis)) reading.gathering.flag("no-unit", obis);
  reading.gathering.add({
    obis: obis.slice(),
    value: signedBy(reading, obis, value),
    scaler: exponent,
    unit: typeof code === "number" && code >= 0 && code <= unitNone ? code : unitNone,
  });
}

/** The power as its direction is: by the status word where there is one, else by the profile. */
function signedBy(reading: Reading, obis: Uint8Array, stated: SmlNumber): number | bigint {
  if (reading.status === undefined) return quirked(obis, stated, reading);
  const direction = directionOf(reading.status, obis, stated, reading.meter);
  if (direction.kind === "contradicts") reading.gathering.flag("contradiction", obis);
  if (direction.kind !== "mended") return stated.value;
  reading.gathering.flag("quirk-sign", obis);
  return direction.value;
}

/** A meter of profile dzg-dvs74 writes 356.24 W, 0x8B28 hundredths, in a signed field of two bytes, where it means -299.12 W. */
function quirked(obis: Uint8Array, { value, width, signed }: SmlNumber, reading: Reading): number | bigint {
  const short = signed && width <= 3 && typeof value === "number" && value < 0;
  if (!short || !matchesObis(power, obis) || !hasShortPowerUnsigned(reading)) return value;
  reading.gathering.flag("quirk-sign", obis);
  return value + 256 ** width;
}

function hasShortPowerUnsigned({ profile, meter }: Reading): boolean {
  const serial = Number.parseInt(meter.slice(-8), 16);
  return profile?.shortPowerUnsigned?.some(([first, last]) => serial >= first && serial <= last) ?? false;
}

/** UTC seconds, or undefined for a count of seconds and for a time that was left out. */
function takeTime(cursor: SmlCursor): number | undefined {
  // Some meters leave out the choice and write the count alone.
  if (!isList(cursor)) {
    skipElement(cursor);
    return undefined;
  }
  enterList(cursor, 2);
  const choice = takeNumber(cursor)?.value;
  let time: number | bigint | undefined;
  if (isList(cursor)) {
    // Timestamp in UTC, and the offsets of zone and season in minutes.
    enterList(cursor, 3);
    time = takeNumber(cursor)?.value;
    skipElement(cursor);
    skipElement(cursor);
  } else time = takeNumber(cursor)?.value;
  const isTimestamp = choice === 2 || choice === 3;
  return isTimestamp && typeof time === "number" && time >= earliest_s ? time : undefined;
}

/** Energy in whole kWh alone, and no power at all. */
function isReduced(registers: readonly Register[]): boolean {
  let energies = 0;
  for (const { obis, value, scaler, unit } of registers) {
    if (unit === watt) return false;
    if (unit !== wattHour || obis[3] !== 8) continue;
    energies++;
    if (scaler < 3 && Number(value) % 10 ** (3 - scaler) !== 0) return false;
  }
  return energies > 0;
}

function malformed(detail: string): SmlParsed {
  return { kind: "refused", reason: "malformed", detail };
}
