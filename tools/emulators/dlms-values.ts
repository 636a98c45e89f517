// Writes DLMS notifications of an emulated meter (IEC 62056-6-2 and 62056-5-3): values in A-XDR, and the lists of three families.

import type { HouseholdState } from "./household.js";

/** Bytes of one value with its tag. */
export type Encoded = readonly number[];

export const structure = (elements: readonly Encoded[]): Encoded => [2, elements.length, ...elements.flat()];
export const array = (elements: readonly Encoded[]): Encoded => [1, elements.length, ...elements.flat()];
export const octetString = (bytes: Iterable<number>): Encoded => sized(9, bytes);
export const visibleString = (text: string): Encoded => sized(10, Buffer.from(text, "latin1"));
export const unsigned32 = (value: number): Encoded => [6, ...big(value, 4)];
export const unsigned16 = (value: number): Encoded => [18, ...big(value, 2)];
export const integer16 = (value: number): Encoded => [16, ...big(value & 0xffff, 2)];
/** Scaler and unit. */
export const scaled = (scaler: number, unit: number): Encoded =>
  structure([
    [15, scaler & 0xff],
    [22, unit],
  ]);

function sized(tag: number, bytes: Iterable<number>): number[] {
  const content = [...bytes];
  return [tag, content.length, ...content];
}

function big(value: number, width: number): number[] {
  const bytes: number[] = [];
  for (let index = width - 1; index >= 0; index--) bytes.push(Math.floor(value / 256 ** index) % 256);
  return bytes;
}

/** The twelve bytes of a date-time in UTC+1, the deviation stated as -60 minutes. */
export function dateTime(time_s: number): readonly number[] {
  const local = new Date((time_s + 3600) * 1000);
  const day = local.getUTCDay() === 0 ? 7 : local.getUTCDay();
  return [
    ...big(local.getUTCFullYear(), 2),
    local.getUTCMonth() + 1,
    local.getUTCDate(),
    day,
    local.getUTCHours(),
    local.getUTCMinutes(),
    local.getUTCSeconds(),
    0xff,
    0xff,
    0xc4,
    0,
  ];
}

/** Tag, invoke id, date-time or none, body. */
export function notification(body: Encoded, time?: readonly number[]): Uint8Array {
  return Uint8Array.of(0x0f, 0x40, 0, 0, 0, ...(time === undefined ? [0] : [time.length, ...time]), ...body);
}

/** Each object says its code, scaler and unit (Aidon). */
export function selfDescribing(state: HouseholdState): Encoded {
  const register = (obis: readonly number[], value: Encoded, scaler: number, unit: number): Encoded =>
    structure([octetString(obis), value, scaled(scaler, unit)]);
  const [first, second, third] = state.phases;
  return array([
    structure([octetString([1, 1, 0, 2, 129, 255]), visibleString("AIDON_V0001")]),
    structure([octetString([0, 0, 96, 1, 0, 255]), visibleString(state.serial)]),
    register([1, 0, 1, 7, 0, 255], unsigned32(Math.max(state.power_W, 0)), 0, 27),
    register([1, 0, 2, 7, 0, 255], unsigned32(Math.max(-state.power_W, 0)), 0, 27),
    ...[first, second, third].map(({ current_cA }, index) =>
      register([1, 0, 31 + 20 * index, 7, 0, 255], integer16(Math.round(current_cA / 10)), -1, 33),
    ),
    ...[first, second, third].map(({ voltage_dV }, index) =>
      register([1, 0, 32 + 20 * index, 7, 0, 255], unsigned16(voltage_dV), -1, 35),
    ),
    structure([octetString([0, 0, 1, 0, 0, 255]), octetString(dateTime(state.time_s))]),
    register([1, 0, 1, 8, 0, 255], unsigned32(tensOfWh(consumed_Ws(state))), 1, 30),
    register([1, 0, 2, 8, 0, 255], unsigned32(tensOfWh(returned_Ws(state))), 1, 30),
  ]);
}

/** Values by their place alone (Kaifa in Norway, list 3 of three phases). */
export function byPosition(state: HouseholdState): Encoded {
  const text = (value: string): Encoded => octetString(Buffer.from(value, "latin1"));
  return structure([
    text("KFM_001"),
    text(state.serial),
    text("MA304H3E"),
    unsigned32(Math.max(state.power_W, 0)),
    unsigned32(Math.max(-state.power_W, 0)),
    unsigned32(0),
    unsigned32(0),
    ...state.phases.map(({ current_cA }) => unsigned32(current_cA * 10)),
    ...state.phases.map(({ voltage_dV }) => unsigned32(voltage_dV)),
    octetString(dateTime(state.time_s)),
    unsigned32(Math.floor(consumed_Ws(state) / 3600)),
    unsigned32(Math.floor(returned_Ws(state) / 3600)),
    unsigned32(0),
    unsigned32(0),
  ]);
}

/** Code and value, without scaler and unit (Kamstrup in Norway). */
export function byCode(state: HouseholdState): Encoded {
  const register = (c: number, d: number, value: Encoded): Encoded[] => [octetString([1, 1, c, d, 0, 255]), value];
  return structure([
    visibleString("Kamstrup_V0001"),
    octetString([1, 1, 0, 0, 5, 255]),
    visibleString(state.serial),
    ...register(1, 7, unsigned32(Math.max(state.power_W, 0))),
    ...register(2, 7, unsigned32(Math.max(-state.power_W, 0))),
    ...state.phases.flatMap(({ current_cA }, index) => register(31 + 20 * index, 7, unsigned32(current_cA))),
    ...state.phases.flatMap(({ voltage_dV }, index) =>
      register(32 + 20 * index, 7, unsigned16(Math.round(voltage_dV / 10))),
    ),
    ...register(1, 8, unsigned32(tensOfWh(consumed_Ws(state)))),
  ]);
}

/** A fixed record (Iskraemeco AM550, instantaneous values of three phases). */
export function fixedRecord(state: HouseholdState): Encoded {
  const text = (value: string): Encoded => octetString(Buffer.from(value, "latin1"));
  const whole = (values: readonly number[]): Encoded[] => values.map((value) => unsigned32(Math.max(value, 0)));
  return structure([
    text("ISK1030775213859"),
    text(state.serial),
    ...whole([state.power_W, -state.power_W, 0, 0]),
    ...state.phases.map(({ voltage_dV }) => unsigned16(voltage_dV)),
    ...state.phases.map(({ current_cA }) => unsigned16(current_cA)),
    ...whole(state.phases.map(({ power_W }) => power_W)),
    ...whole(state.phases.map(({ power_W }) => -power_W)),
  ]);
}

/** A descriptor of class, code and attribute without tags before each value (Sagemcom's XT211 in Czechia). */
export function described(state: HouseholdState): Encoded {
  const element = (classId: number, obis: readonly number[], attribute: number, value: Encoded): Encoded => [
    ...[2, 2, 0, classId, ...obis, attribute],
    ...value,
  ];
  const register = (c: number, d: number, e: number, value: number): Encoded =>
    element(3, [1, 0, c, d, e, 255], 2, unsigned32(Math.max(value, 0)));
  const { power_W, consumed, normalTariff } = state;
  const elements = [
    element(1, [0, 0, 96, 1, 1, 255], 2, octetString(Buffer.from(state.serial, "latin1"))),
    element(70, [0, 0, 96, 3, 10, 255], 3, [22, 1]),
    element(71, [0, 0, 17, 0, 0, 255], 3, unsigned32(0)),
    element(1, [0, 0, 96, 14, 0, 255], 2, octetString(Buffer.from(normalTariff ? "T1" : "T2", "latin1"))),
    register(1, 7, 0, power_W),
    register(2, 7, 0, -power_W),
    ...state.phases.map((phase, index) => register(21 + 20 * index, 7, 0, phase.power_W)),
    register(1, 8, 0, Math.floor(consumed_Ws(state) / 3600)),
    register(1, 8, 1, Math.floor(consumed.normal_Ws / 3600)),
    register(2, 8, 0, Math.floor(returned_Ws(state) / 3600)),
  ];
  return [2, 2, 22, 1, 1, elements.length, ...elements.flat()];
}

function consumed_Ws({ consumed }: HouseholdState): number {
  return consumed.low_Ws + consumed.normal_Ws;
}

function returned_Ws({ returned }: HouseholdState): number {
  return returned.low_Ws + returned.normal_Ws;
}

function tensOfWh(value_Ws: number): number {
  return Math.floor(value_Ws / 36_000);
}
