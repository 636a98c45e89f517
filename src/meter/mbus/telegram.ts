// What an M-Bus telegram with data records states (EN 13757-3): whose it is, and its records as registers. With a header of twelve bytes
// (CI 72, or 76 with the most significant byte first), of four (7A), or none (78).
//
// Flags: `not-understood CODE` a record that is not known, by the hex digits of its DIF and VIF, or the maker's own bytes, `0f`;
// `meter-error` the meter reports one; `no-clock`; `duplicate OBIS`; `registers-left-out`.

import type { Gathering } from "../gathering.js";
import { hexOf } from "../hex.js";
import { meaningOf, mediumOf, noRegister, obisOf, timePoint, unitOf } from "./meaning.js";
import { type MbusRecord, scanRecords } from "./records.js";
import { scanMbusTime } from "./time.js";
import { numberOf } from "./value.js";

/** Whose a telegram is. */
export interface MbusHeader {
  /** Three letters and eight digits; empty where the telegram does not say. */
  readonly meter: string;
  /** Three letters, or empty. */
  readonly maker: string;
  /** Group A of its codes. */
  readonly medium: number;
  readonly status: number;
  /** The two bytes of the configuration, least significant first. */
  readonly configuration: number;
  /** Bytes of the header. */
  readonly length: number;
}

/** What is gathered of the telegrams of one answer. */
export interface MbusStatement {
  readonly gathering: Gathering;
  clock_s: number | undefined;
  unknownObjects: number;
}

export const longHeader = 0x72;
export const longHeaderReversed = 0x76;
export const noHeader = 0x78;
export const shortHeader = 0x7a;
export const longHeaderBytes = 12;
const shortHeaderBytes = 4;
const otherMedia = 15;
const errorBits = 0x1a;
const letterA = 64;
const makersOwn = "0f";
/** What Siemens' meters in Upper Austria count for prepayment. */
const amisBalance = "0483ff04";
const wattHour = 30;

/** The header of a telegram with this CI field; undefined where it is cut off. */
export function headerOf(control: number, bytes: Uint8Array): MbusHeader | undefined {
  if (control === noHeader) return headerWithout(0, 0, 0);
  if (control === shortHeader) {
    return bytes.length < shortHeaderBytes
      ? undefined
      : headerWithout(bytes[1]!, bytes[2]! + 256 * bytes[3]!, shortHeaderBytes);
  }
  if (bytes.length < longHeaderBytes) return undefined;
  const maker = lettersOf(bytes[4]! + 256 * bytes[5]!);
  const digits = hexOf(bytes.slice(0, 4).reverse());
  return {
    meter: `${maker}${digits}`,
    maker,
    medium: mediumOf(bytes[7]!),
    status: bytes[9]!,
    configuration: bytes[10]! + 256 * bytes[11]!,
    length: longHeaderBytes,
  };
}

function headerWithout(status: number, configuration: number, length: number): MbusHeader {
  return { meter: "", maker: "", medium: otherMedia, status, configuration, length };
}

/** The telegram with every number's least significant byte first; a text says why it has none. */
export function leastFirst(bytes: Uint8Array): Uint8Array | string {
  const turned = bytes.slice();
  turn(turned, 0, 4);
  turn(turned, 4, 6);
  turn(turned, 10, 12);
  const scanned = scanRecords(turned, longHeaderBytes, turned.length);
  if (typeof scanned === "string") return scanned;
  for (const { start, end } of scanned.records) turn(turned, start, end);
  return turned;
}

function turn(bytes: Uint8Array, start: number, end: number): void {
  bytes.set(bytes.slice(start, Math.min(end, bytes.length)).reverse(), start);
}

function lettersOf(maker: number): string {
  return String.fromCharCode(letterA + ((maker >> 10) & 31), letterA + ((maker >> 5) & 31), letterA + (maker & 31));
}

/** Gathers the records from `start` on; `more` where another telegram has the rest. A text says why nothing can be read. */
export function gatherTelegram(
  statement: MbusStatement,
  header: MbusHeader,
  bytes: Uint8Array,
  start: number,
  zoneOffset_s: number,
): { readonly more: boolean } | string {
  const scanned = scanRecords(bytes, start, bytes.length);
  if (typeof scanned === "string") return scanned;
  const { gathering } = statement;
  if ((header.status & errorBits) !== 0) gathering.flag("meter-error");
  for (let index = 0; index < scanned.records.length; index++)
    gatherRecord(statement, header, bytes, scanned.records[index]!, zoneOffset_s);
  if (scanned.own) {
    statement.unknownObjects++;
    gathering.flag("not-understood", makersOwn);
  }
  return { more: scanned.more };
}

function gatherRecord(
  statement: MbusStatement,
  { maker, medium }: MbusHeader,
  bytes: Uint8Array,
  record: MbusRecord,
  zoneOffset_s: number,
): void {
  const { gathering } = statement;
  const meaning = meaningOf(bytes, record, maker);
  if (meaning?.quantity === noRegister) return;
  if (meaning?.quantity === timePoint) {
    const isClock = record.storage + record.tariff + record.unit + record.moment === 0;
    if (isClock) statement.clock_s ??= scanMbusTime(bytes, record.start, record.end, zoneOffset_s);
    return;
  }
  const number = numberOf(bytes, record);
  const code = hexOf(bytes, record.codeStart, record.codeEnd);
  const obis = meaning === undefined ? undefined : obisOf(medium, meaning, record, maker);
  if (number !== undefined && code === amisBalance && maker === "SAM") {
    gathering.add({ obis: Uint8Array.of(1, 0, 1, 128, 0, 255), ...number, unit: wattHour });
  } else if (meaning === undefined || number === undefined || obis === undefined) {
    statement.unknownObjects++;
    gathering.flag("not-understood", code);
  } else {
    const { exponent, factor } = meaning;
    const value = factor === 1 ? number.value : Number(number.value) * factor;
    gathering.add({ obis, value, scaler: number.scaler + exponent, unit: unitOf(obis, meaning) });
  }
}
