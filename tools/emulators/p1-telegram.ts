// Writes P1 telegrams of an emulated household: DSMR 2.2, 3.0, 4.2 and 5.0.2 as in the Netherlands, and Fluvius (e-MUCS P1) as in Flanders.

import type { P1Version } from "../meters/ports/port-configuration.js";
import { localTime } from "./calendar.js";
import type { HouseholdState, Phase, TariffEnergy } from "./household.js";

/** The telegram of a state: a Fluvius one has water beside gas, and up to 13 monthly peaks. */
export function p1Telegram(state: HouseholdState, version: P1Version = "5.0"): Uint8Array {
  const lines = version === "fluvius" ? fluviusLines(state) : dutchLines(state, version);
  const checked = version !== "2.2" && version !== "3.0";
  return encodeTelegram(headers[version], lines, checked);
}

/** Header, blank line, lines and `!` with the CRC of what comes before it, each ended by CR LF. */
export function encodeTelegram(header: string, lines: readonly string[], checked: boolean): Uint8Array {
  const text = `/${header}\r\n\r\n${lines.map((line) => `${line}\r\n`).join("")}!`;
  const crc = checked ? telegramCrc(Buffer.from(text, "latin1")).toString(16).toUpperCase().padStart(4, "0") : "";
  return Uint8Array.from(Buffer.from(`${text}${crc}\r\n`, "latin1"));
}

/** CRC-16/ARC bit by bit, as DSMR P1 5.0.2 section 5.2 words it: the emulator shares no code with the reader it tests. */
export function telegramCrc(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  return crc;
}

const headers: Readonly<Record<P1Version, string>> = {
  "2.2": "ISk5\\2MT382-1004",
  "3.0": "ISk5\\2MT382-1000",
  "4.2": "KFM5KAIFA-METER",
  "5.0": "ISK5\\2M550T-1012",
  fluvius: "FLU5\\253769484_A",
};

function dutchLines(state: HouseholdState, version: "2.2" | "3.0" | "4.2" | "5.0"): string[] {
  if (version === "2.2" || version === "3.0") return legacyLines(state, version);
  const gas = version === "4.2" ? state.gasHourly : state.gas;
  return [
    `1-3:0.2.8(${version.replace(".", "")})`,
    `0-0:1.0.0(${p1Time(state.time_s)})`,
    `0-0:96.1.1(${hexOf(state.serial)})`,
    ...energyLines(state.consumed, state.returned, 6),
    `0-0:96.14.0(000${state.normalTariff ? 2 : 1})`,
    ...totalPowerLines(state, 2, 3),
    "0-0:96.7.21(00004)",
    "0-0:96.7.9(00002)",
    "1-0:99.97.0(1)(0-0:96.7.19)(230326095015S)(0000002014*s)",
    ...eachPhase(state, (_, c) => `1-0:${c}2.32.0(00001)`, [3, 5, 7]),
    ...eachPhase(state, (_, c) => `1-0:${c}2.36.0(00000)`, [3, 5, 7]),
    "0-0:96.13.0()",
    ...(version === "5.0" ? voltageLines(state) : []),
    ...eachPhase(
      state,
      ({ current_cA }, c) => `1-0:${c}1.7.0(${decimal(Math.round(current_cA / 100), 3, 0)}*A)`,
      [3, 5, 7],
    ),
    ...phasePowerLines(state),
    "0-1:24.1.0(003)",
    `0-1:96.1.0(${hexOf(`G${state.serial}`)})`,
    `0-1:24.2.1(${p1Time(gas.time_s)})(${decimal(gas.volume_dm3, 5, 3)}*m3)`,
  ];
}

/** DSMR 2.2 and 3.0: no clock, one power in tens of watts, gas by the hour with its value on a line of its own. */
function legacyLines(state: HouseholdState, version: "2.2" | "3.0"): string[] {
  return [
    `0-0:96.1.1(${hexOf(state.serial)})`,
    ...energyLines(state.consumed, state.returned, 5),
    `0-0:96.14.0(000${state.normalTariff ? 2 : 1})`,
    ...totalPowerLines(state, version === "2.2" ? 4 : 3, 2),
    "0-0:17.0.0(0999.00*kW)",
    "0-0:96.3.10(1)",
    "0-0:96.13.1()",
    "0-0:96.13.0()",
    `0-1:24.1.0(${version === "2.2" ? "3" : "03"})`,
    `0-1:96.1.0(${hexOf(`G${state.serial}`)})`,
    `0-1:24.3.0(${p1Time(state.gasHourly.time_s).slice(0, 12)})(00)(60)(1)(0-1:24.2.1)(m3)`,
    `(${decimal(state.gasHourly.volume_dm3, 5, 3)})`,
    "0-1:24.4.0(1)",
  ];
}

function fluviusLines(state: HouseholdState): string[] {
  // In Flanders tariff 1 is the day's and 2 the night's, the reverse of the Netherlands.
  const swap = ({ low_Ws, normal_Ws }: TariffEnergy): TariffEnergy => ({ low_Ws: normal_Ws, normal_Ws: low_Ws });
  const peaks = state.pastPeaks.map(
    ({ monthEnd_s, time_s, power_W }) => `(${p1Time(monthEnd_s)})(${p1Time(time_s)})(${decimal(power_W, 2, 3)}*kW)`,
  );
  return [
    "0-0:96.1.4(50217)",
    `0-0:96.1.1(${hexOf(state.serial)})`,
    `0-0:1.0.0(${p1Time(state.time_s)})`,
    ...energyLines(swap(state.consumed), swap(state.returned), 6),
    `0-0:96.14.0(000${state.normalTariff ? 1 : 2})`,
    `1-0:1.4.0(${decimal(state.quarterPower_W, 2, 3)}*kW)`,
    `1-0:1.6.0(${p1Time(state.monthPeak.time_s)})(${decimal(state.monthPeak.power_W, 2, 3)}*kW)`,
    `0-0:98.1.0(${peaks.length})(1-0:1.6.0)(1-0:1.6.0)${peaks.join("")}`,
    ...totalPowerLines(state, 2, 3),
    ...phasePowerLines(state),
    ...voltageLines(state),
    ...eachPhase(state, ({ current_cA }, c) => `1-0:${c}1.7.0(${decimal(current_cA, 3, 2)}*A)`, [3, 5, 7]),
    "0-0:96.3.10(1)",
    "0-0:17.0.0(999.9*kW)",
    "1-0:31.4.0(999*A)",
    "0-0:96.13.0()",
    "0-1:24.1.0(003)",
    `0-1:96.1.1(${hexOf(`G${state.serial}`)})`,
    "0-1:24.4.0(1)",
    `0-1:24.2.3(${p1Time(state.gas.time_s)})(${decimal(state.gas.volume_dm3, 5, 3)}*m3)`,
    "0-2:24.1.0(007)",
    `0-2:96.1.1(${hexOf(`W${state.serial}`)})`,
    `0-2:24.2.1(${p1Time(state.water.time_s)})(${decimal(state.water.volume_dm3, 5, 3)}*m3)`,
  ];
}

/** Tariff 1 of the Netherlands is the low one. */
function energyLines(consumed: TariffEnergy, returned: TariffEnergy, integerDigits: number): string[] {
  const energy = (value_Ws: number): string => `${decimal(Math.floor(value_Ws / 3600), integerDigits, 3)}*kWh`;
  return [
    `1-0:1.8.1(${energy(consumed.low_Ws)})`,
    `1-0:1.8.2(${energy(consumed.normal_Ws)})`,
    `1-0:2.8.1(${energy(returned.low_Ws)})`,
    `1-0:2.8.2(${energy(returned.normal_Ws)})`,
  ];
}

function totalPowerLines({ power_W }: HouseholdState, integerDigits: number, decimals: 2 | 3): string[] {
  const power = (value_W: number): string => {
    const stated = decimals === 3 ? value_W : Math.floor(value_W / 10);
    return `${decimal(stated, integerDigits, decimals)}*kW`;
  };
  return [`1-0:1.7.0(${power(Math.max(power_W, 0))})`, `1-0:2.7.0(${power(Math.max(-power_W, 0))})`];
}

function phasePowerLines(state: HouseholdState): string[] {
  const power = (value_W: number): string => `${decimal(Math.max(value_W, 0), 2, 3)}*kW`;
  return [
    ...eachPhase(state, ({ power_W }, c) => `1-0:${c}1.7.0(${power(power_W)})`, [2, 4, 6]),
    ...eachPhase(state, ({ power_W }, c) => `1-0:${c}2.7.0(${power(-power_W)})`, [2, 4, 6]),
  ];
}

function voltageLines(state: HouseholdState): string[] {
  return eachPhase(state, ({ voltage_dV }, c) => `1-0:${c}2.7.0(${decimal(voltage_dV, 3, 1)}*V)`, [3, 5, 7]);
}

/** A line for each phase; `tens` are the tens of its OBIS group C. */
function eachPhase(
  { phases }: HouseholdState,
  line: (phase: Phase, tens: number) => string,
  tens: readonly [number, number, number],
): string[] {
  return phases.map((phase, index) => line(phase, tens[index]!));
}

/** `decimal(2130115, 6, 3)` is `002130.115`; a number too long for its field wraps, as a meter's display does. */
function decimal(value: number, integerDigits: number, decimals: number): string {
  const digits = String(value % 10 ** (integerDigits + decimals)).padStart(integerDigits + decimals, "0");
  return decimals === 0 ? digits : `${digits.slice(0, integerDigits)}.${digits.slice(integerDigits)}`;
}

/** YYMMDDhhmmss and S or W. */
function p1Time(time_s: number): string {
  const { year, month, day, hour, minute, second, daylightSaving } = localTime(time_s);
  const digits = [year % 100, month, day, hour, minute, second].map((part) => String(part).padStart(2, "0")).join("");
  return `${digits}${daylightSaving ? "S" : "W"}`;
}

function hexOf(text: string): string {
  return Buffer.from(text, "latin1").toString("hex").toUpperCase();
}
