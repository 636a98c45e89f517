// Writes SML files of an emulated German meter (SML 1.04): open, list of values and close messages, each with its CRC, in the transport
// with doubled escapes, fill bytes and a CRC over all.

import { kermitOf, x25Of } from "./checksums.js";
import type { HouseholdState } from "./household.js";

/** An entry of the list: a number in `width` bytes, or octets. */
export interface SmlEntry {
  readonly obis: readonly number[];
  /** The status word, of four bytes. */
  readonly status?: number;
  readonly unit?: number;
  readonly scaler?: number;
  readonly value: SmlValue;
}

export type SmlValue =
  | { readonly kind: "number"; readonly value: number | bigint; readonly width: number; readonly signed: boolean }
  | { readonly kind: "octets"; readonly bytes: Uint8Array };

export interface SmlFile {
  readonly serverId: Uint8Array;
  readonly entries: readonly SmlEntry[];
  /** Seconds of the meter's own count, or UTC. */
  readonly time: { readonly kind: "index" | "utc"; readonly seconds: number };
  readonly crc?: "x25" | "kermit";
}

const watt = 27;
const wattHour = 30;

/** The file of a household's meter whose PIN was entered: energies in tenths of a Wh, power in tenths of a W. */
export function smlTelegram(state: HouseholdState): Uint8Array {
  const energy = (obis: readonly number[], value_Ws: number): SmlEntry => ({
    obis,
    unit: wattHour,
    scaler: -1,
    value: { kind: "number", value: Math.floor(value_Ws / 360), width: 8, signed: false },
  });
  return encodeSml({
    serverId: serverIdOf(state),
    time: { kind: "index", seconds: state.time_s % 2 ** 31 },
    entries: [
      { obis: [1, 0, 96, 50, 1, 1], value: { kind: "octets", bytes: Buffer.from("EMU") } },
      { obis: [1, 0, 96, 1, 0, 255], value: { kind: "octets", bytes: serverIdOf(state) } },
      energy([1, 0, 1, 8, 0, 255], state.consumed.low_Ws + state.consumed.normal_Ws),
      energy([1, 0, 2, 8, 0, 255], state.returned.low_Ws + state.returned.normal_Ws),
      {
        obis: [1, 0, 16, 7, 0, 255],
        unit: watt,
        scaler: -1,
        value: { kind: "number", value: state.power_W * 10, width: 4, signed: true },
      },
    ],
  });
}

/** DIN 43863-5: 0A, medium 1, the manufacturer's letters, a block and the serial number. */
function serverIdOf({ serial }: HouseholdState): Uint8Array {
  const number = Number(serial.slice(-8).replace(/\D/g, "0"));
  return Uint8Array.of(0x0a, 1, 0x45, 0x4d, 0x55, 0, ...bigEndian(number, 4));
}

/** The file in its transport. */
export function encodeSml(file: SmlFile): Uint8Array {
  const crc = file.crc ?? "x25";
  const messages = [
    message(1, 0x0101, list([absent, absent, octets([1]), octets(file.serverId), absent, absent]), crc),
    message(2, 0x0701, listOf(file), crc),
    message(3, 0x0201, list([absent]), crc),
  ];
  return inTransport(messages.flat(), crc);
}

/** Bytes of an SML file in the transport of version 1. */
export function inTransport(file: readonly number[], crc: "x25" | "kermit" = "x25"): Uint8Array {
  const fill = (4 - (file.length % 4)) % 4;
  const escaped: number[] = [];
  let run = 0;
  for (const byte of file) {
    escaped.push(byte);
    run = byte === 0x1b ? run + 1 : 0;
    if (run === 4) {
      escaped.push(0x1b, 0x1b, 0x1b, 0x1b);
      run = 0;
    }
  }
  const bytes = [0x1b, 0x1b, 0x1b, 0x1b, 1, 1, 1, 1, ...escaped, ...new Array<number>(fill).fill(0)];
  bytes.push(0x1b, 0x1b, 0x1b, 0x1b, 0x1a, fill);
  return Uint8Array.from([...bytes, ...crcBytes(Uint8Array.from(bytes), crc)]);
}

/** X-25 goes low byte first; the meters with KERMIT send the high byte first. */
function crcBytes(bytes: Uint8Array, kind: "x25" | "kermit"): number[] {
  if (kind === "kermit") return bigEndian(kermitOf(bytes), 2);
  return bigEndian(x25Of(bytes), 2).reverse();
}

/** Transaction, group, abort on error, body, CRC, end. */
function message(transaction: number, tag: number, body: readonly number[], crc: "x25" | "kermit"): number[] {
  const start = [
    0x76,
    ...octets([0, transaction]),
    ...unsigned(0, 1),
    ...unsigned(0, 1),
    0x72,
    ...unsigned(tag, 2),
    ...body,
  ];
  return [...start, 0x63, ...crcBytes(Uint8Array.from(start), crc), 0];
}

function listOf({ serverId, entries, time }: SmlFile): number[] {
  const sensorTime = list([unsigned(time.kind === "utc" ? 2 : 1, 1), unsigned(time.seconds, 4)]);
  const values = list(entries.map(entryOf));
  return list([absent, octets(serverId), absent, sensorTime, values, absent, absent]);
}

function entryOf({ obis, status, unit, scaler, value }: SmlEntry): number[] {
  const encoded = value.kind === "octets" ? octets(value.bytes) : number(value.value, value.width, value.signed);
  return list([
    octets(obis),
    status === undefined ? absent : unsigned(status, 4),
    absent,
    unit === undefined ? absent : unsigned(unit, 1),
    scaler === undefined ? absent : number(scaler, 1, true),
    encoded,
    absent,
  ]);
}

const absent: readonly number[] = [1];

/** A list counts its elements, everything else its bytes with the type-length field. */
export function list(elements: readonly (readonly number[])[]): number[] {
  return [...typeLength(0x70, elements.length, 0), ...elements.flat()];
}

export function octets(bytes: Iterable<number>): number[] {
  const content = [...bytes];
  return [...typeLength(0, content.length, 1), ...content];
}

export function unsigned(value: number | bigint, width: number): number[] {
  return number(value, width, false);
}

function number(value: number | bigint, width: number, signed: boolean): number[] {
  return [(signed ? 0x50 : 0x60) + width + 1, ...bigEndian(value, width)];
}

function typeLength(type: number, length: number, own: number): number[] {
  if (length + own < 16) return [type + length + own];
  const total = length + 2 * own;
  return [0x80 + type + (total >> 4), total & 15];
}

/** Two's complement, most significant byte first. */
function bigEndian(value: number | bigint, width: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(8 * width, BigInt(value));
  for (let index = 0; index < width; index++) {
    bytes.unshift(Number(rest & 255n));
    rest >>= 8n;
  }
  return bytes;
}
