// Telegrams of emulated M-Bus meters with data records (EN 13757-3), and a meter that answers a master: a heat meter and an electricity
// meter of a household, and AMIS of Upper Austria, which pushes encrypted ones.

import { createCipheriv } from "node:crypto";
import { localTime } from "./calendar.js";
import type { HouseholdState } from "./household.js";

export interface MbusHeaderOptions {
  /** Eight digits. */
  readonly id: string;
  /** Three letters. */
  readonly maker: string;
  readonly medium: number;
  readonly access?: number;
  readonly status?: number;
}

/** A long frame around control, address, CI and data. */
export function longFrame(control: number, address: number, ci: number, data: Iterable<number>): Uint8Array {
  const body = [control, address, ci, ...data];
  const sum = body.reduce((total, byte) => total + byte, 0) & 0xff;
  return Uint8Array.of(0x68, body.length, body.length, 0x68, ...body, sum, 0x16);
}

/** A short frame. */
export function shortFrame(control: number, address: number): Uint8Array {
  return Uint8Array.of(0x10, control, address, (control + address) & 0xff, 0x16);
}

/** The header of twelve bytes. */
export function header({ id, maker, medium, access = 1, status = 0 }: MbusHeaderOptions, configuration = 0): number[] {
  const letters = [...maker].reduce((word, letter) => word * 32 + letter.charCodeAt(0) - 64, 0);
  return [
    ...digits(id, 4),
    letters & 0xff,
    letters >> 8,
    1,
    medium,
    access,
    status,
    configuration & 0xff,
    configuration >> 8,
  ];
}

/** Decimal digits, the last two first. */
export function digits(number: number | string, bytes: number): number[] {
  const text = String(number).padStart(2 * bytes, "0");
  return Array.from({ length: bytes }, (_, index) =>
    Number.parseInt(text.slice(text.length - 2 * index - 2, text.length - 2 * index), 16),
  );
}

/** Least significant byte first, two's complement. */
export function little(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, index) => Number((BigInt(value) >> BigInt(8 * index)) & 255n));
}

/** A time of type F: minutes, with a mark for summer time. */
export function timeF(time_s: number): number[] {
  const { year, month, day, hour, minute, daylightSaving } = localTime(time_s);
  const short = year % 100;
  return [minute, hour | (daylightSaving ? 0x80 : 0) | 0x20, day | ((short & 7) << 5), month | ((short >> 3) << 4)];
}

/** A time of type I: seconds. */
export function timeI(time_s: number): number[] {
  const { second, weekday, minute, hour, day, month, year, daylightSaving } = localTime(time_s);
  const short = year % 100;
  return [
    second | (daylightSaving ? 0x40 : 0),
    minute,
    hour | ((weekday === 0 ? 7 : weekday) << 5),
    day | ((short & 7) << 5),
    month | ((short >> 3) << 4),
    0,
  ];
}

/** What a heat meter states: the household's gas as if it were heat. */
export function heatTelegram(state: HouseholdState, address = 1): Uint8Array {
  const volume_dm3 = state.gas.volume_dm3;
  const records = [
    ...[0x0c, 0x06, ...digits(Math.floor(volume_dm3 / 100), 4)],
    ...[0x0c, 0x13, ...digits(volume_dm3, 4)],
    ...[0x0b, 0x2d, ...digits(45, 3)],
    ...[0x0b, 0x3b, ...digits(512, 3)],
    ...[0x0a, 0x5a, ...digits(654, 2)],
    ...[0x0a, 0x5e, ...digits(432, 2)],
    ...[0x0b, 0x60, ...digits(22_200, 3)],
    ...[0x02, 0x27, ...little(345, 2)],
    ...[0x04, 0x6d, ...timeF(state.time_s)],
    ...[0x4c, 0x06, ...digits(1234, 4)],
  ];
  const head = header({ id: state.serial.replace(/\D/g, "").slice(-8), maker: "EMU", medium: 4 });
  return longFrame(0x08, address, 0x72, [...head, ...records]);
}

/** Sixteen bytes of the fixed structure: units with the medium in their highest bits, and two counters of four bytes each. */
export interface FixedStructure {
  /** Eight digits. */
  readonly id: string;
  readonly status?: number;
  readonly medium: number;
  readonly units: readonly [number, number];
  readonly counters: readonly [readonly number[], readonly number[]];
}

/** A telegram of the fixed structure, as meters before data records send. */
export function fixedTelegram({ id, status = 0, medium, units, counters }: FixedStructure, address = 1): Uint8Array {
  const [first, second] = units;
  return longFrame(0x08, address, 0x73, [
    ...digits(id, 4),
    ...[1, status, first | ((medium & 3) << 6), second | ((medium >> 2) << 6)],
    ...counters.flat(),
  ]);
}

/** What AMIS pushes: encrypted with the key of the port. */
export function amisTelegram(state: HouseholdState, key: Uint8Array): Uint8Array {
  const { consumed, returned, power_W } = state;
  const wattHours = (low_Ws: number, normal_Ws: number): number => Math.floor((low_Ws + normal_Ws) / 3600);
  const records = [
    ...[0x2f, 0x2f, 0x06, 0x6d, ...timeI(state.time_s)],
    ...[0x04, 0x03, ...little(wattHours(consumed.low_Ws, consumed.normal_Ws), 4)],
    ...[0x04, 0x83, 0x3c, ...little(wattHours(returned.low_Ws, returned.normal_Ws), 4)],
    ...[0x84, 0x10, 0xfb, 0x82, 0x73, ...little(1234, 4)],
    ...[0x84, 0x10, 0xfb, 0x82, 0xf3, 0x3c, ...little(5678, 4)],
    ...[0x04, 0x2b, ...little(Math.max(0, power_W), 4)],
    ...[0x04, 0xab, 0x3c, ...little(Math.max(0, -power_W), 4)],
    ...[0x04, 0xfb, 0x14, ...little(12, 4)],
    ...[0x04, 0xfb, 0x94, 0x3c, ...little(34, 4)],
    ...[0x04, 0x83, 0xff, 0x04, ...little(-5, 4)],
    ...[0x2f, 0x2f],
  ];
  const head = header({ id: "00000001", maker: "SAM", medium: 0x0e, access: 7, status: 0x50 }, 5);
  const cipher = createCipheriv("aes-128-cbc", key, vectorOf(head)).setAutoPadding(false);
  return longFrame(0x53, 0xf0, 0x5b, [...head, ...cipher.update(Uint8Array.from(records)), ...cipher.final()]);
}

/** Maker, number, version, medium, and the access number eight times. */
export function vectorOf(head: readonly number[]): Uint8Array {
  return Uint8Array.of(
    ...head.slice(4, 6),
    ...head.slice(0, 4),
    ...head.slice(6, 8),
    ...new Array<number>(8).fill(head[8]!),
  );
}

/** What a heat meter with this primary address answers a master; undefined where it says nothing. */
export function answerToMaster(question: Uint8Array, address: number, state: HouseholdState): Uint8Array | undefined {
  if (question[0] !== 0x10 || (question[2] !== address && question[2] !== 254)) return undefined;
  if (question[1] === 0x40) return Uint8Array.of(0xe5);
  return (question[1]! & ~0x20) === 0x5b ? heatTelegram(state, address) : undefined;
}
