// Frames of an emulated French meter's customer port (Enedis-NOI-CPT_54E): Linky in standard mode, and in historic mode.

import { localTime } from "./calendar.js";
import type { HouseholdState } from "./household.js";

/** Label, time or none, value. */
export type TicGroup = readonly [label: string, moment: string | undefined, value: string];

/** A frame of standard mode: groups with tabs, the last of them in the check. */
export function standardFrame(groups: readonly TicGroup[]): Uint8Array {
  return framed(groups, (label, moment, value) => {
    const checked = `${[label, ...(moment === undefined ? [] : [moment]), value].join("\t")}\t`;
    return `${checked}${checkOf(checked)}`;
  });
}

/** A frame of historic mode: groups with spaces, the last of them not in the check. */
export function historicFrame(groups: readonly TicGroup[]): Uint8Array {
  return framed(groups, (label, _moment, value) => `${label} ${value} ${checkOf(`${label} ${value}`)}`);
}

/** What Linky states of a household on three phases, in standard mode. */
export function standardTic(state: HouseholdState): Uint8Array {
  const { phases, consumed, returned, power_W, normalTariff, monthPeak } = state;
  const now = momentOf(state.time_s);
  const each = (label: string, digits: number, of: (phase: HouseholdState["phases"][0]) => number): TicGroup[] =>
    phases.map((phase, index) => [`${label}${index + 1}`, undefined, padded(of(phase), digits)]);
  return standardFrame([
    ["ADSC", undefined, addressOf(state)],
    ["VTIC", undefined, "02"],
    ["DATE", now, ""],
    ["NGTF", undefined, "     TEMPO      "],
    ["LTARF", undefined, "    HP  BLEU    "],
    ["EAST", undefined, padded(wattHours(consumed.low_Ws + consumed.normal_Ws), 9)],
    ["EASF01", undefined, padded(wattHours(consumed.low_Ws), 9)],
    ["EASF02", undefined, padded(wattHours(consumed.normal_Ws), 9)],
    ["EASD01", undefined, padded(wattHours(consumed.low_Ws), 9)],
    ["EAIT", undefined, padded(wattHours(returned.low_Ws + returned.normal_Ws), 9)],
    ...each("IRMS", 3, ({ current_cA }) => Math.round(current_cA / 100)),
    ...each("URMS", 3, ({ voltage_dV }) => Math.round(voltage_dV / 10)),
    ["PREF", undefined, "12"],
    ["PCOUP", undefined, "12"],
    ["SINSTS", undefined, padded(Math.max(0, power_W), 5)],
    ...each("SINSTS", 5, (phase) => Math.max(0, phase.power_W)),
    ["SMAXSN", momentOf(monthPeak.time_s), padded(monthPeak.power_W, 5)],
    ["CCASN", now, padded(Math.max(0, power_W), 5)],
    ["UMOY1", now, padded(Math.round(phases[0].voltage_dV / 10), 3)],
    ["STGE", undefined, "003A0001"],
    ["PRM", undefined, "01234567890123"],
    ["RELAIS", undefined, "000"],
    ["NTARF", undefined, normalTariff ? "02" : "01"],
  ]);
}

/** The same in historic mode. */
export function historicTic(state: HouseholdState): Uint8Array {
  const { phases, consumed, power_W, normalTariff } = state;
  return historicFrame([
    ["ADCO", undefined, addressOf(state)],
    ["OPTARIF", undefined, "HC.."],
    ["ISOUSC", undefined, "30"],
    ["HCHC", undefined, padded(wattHours(consumed.low_Ws), 9)],
    ["HCHP", undefined, padded(wattHours(consumed.normal_Ws), 9)],
    ["PTEC", undefined, normalTariff ? "HP.." : "HC.."],
    ...phases.map(
      ({ current_cA }, index): TicGroup => [`IINST${index + 1}`, undefined, padded(Math.round(current_cA / 100), 3)],
    ),
    ["IMAX1", undefined, "060"],
    ["PMAX", undefined, "06030"],
    ["PAPP", undefined, padded(Math.max(0, power_W), 5)],
    ["HHPHC", undefined, "A"],
    ["MOTDETAT", undefined, "000000"],
    ["PPOT", undefined, "00"],
  ]);
}

function framed(groups: readonly TicGroup[], line: (...group: TicGroup) => string): Uint8Array {
  return Buffer.from(`\x02${groups.map((group) => `\n${line(...group)}\r`).join("")}\x03`, "latin1");
}

function checkOf(text: string): string {
  const sum = [...text].reduce((total, character) => total + character.charCodeAt(0), 0);
  return String.fromCharCode((sum & 0x3f) + 0x20);
}

function addressOf({ serial }: HouseholdState): string {
  return serial.replace(/\D/g, "").slice(-12).padStart(12, "0");
}

function momentOf(time_s: number): string {
  const { year, month, day, hour, minute, second, daylightSaving } = localTime(time_s);
  return `${daylightSaving ? "E" : "H"}${[year % 100, month, day, hour, minute, second].map((part) => padded(part, 2)).join("")}`;
}

function wattHours(energy_Ws: number): number {
  return Math.floor(energy_Ws / 3600);
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}
