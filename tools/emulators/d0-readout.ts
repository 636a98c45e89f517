// Writes D0 readouts of an emulated meter (IEC 62056-21): the block of modes A, B, C and E with its block check character, or the push
// of mode D.

import { localTime } from "./calendar.js";
import type { HouseholdState } from "./household.js";

/** What a meter of mode C says to a request: three letters, the digit of 9600 baud, its type. */
export const identification = "EMU5\\2GRIDSEAL-1";

/** The data sets of a state. */
export function readoutLines(state: HouseholdState): readonly string[] {
  const { year, month, day, hour, minute, second, daylightSaving } = localTime(state.time_s);
  const digits = (...parts: readonly number[]): string => parts.map((part) => String(part).padStart(2, "0")).join("");
  const season = daylightSaving ? 1 : 0;
  const energy = (value_Ws: number): string =>
    `${(Math.floor(value_Ws / 3600) / 1000).toFixed(3).padStart(10, "0")}*kWh`;
  const { consumed, returned } = state;
  return [
    "F.F(00000000)",
    `0.0.0(${state.serial})`,
    `0.9.1(${digits(hour, minute, second)})`,
    `0.9.2(${season}${digits(year % 100, month, day)})`,
    `1.8.0(${energy(consumed.low_Ws + consumed.normal_Ws)})`,
    `1.8.1(${energy(consumed.normal_Ws)})`,
    `1.8.2(${energy(consumed.low_Ws)})`,
    `2.8.0(${energy(returned.low_Ws + returned.normal_Ws)})`,
    `1.7.0(${(Math.max(state.power_W, 0) / 1000).toFixed(3)}*kW)`,
    `2.7.0(${(Math.max(-state.power_W, 0) / 1000).toFixed(3)}*kW)`,
  ];
}

/** STX, lines, `!`, ETX and the exclusive or of all behind STX. */
export function checkedBlock(lines: readonly string[]): Uint8Array {
  const block = Buffer.from(`${lines.map((line) => `${line}\r\n`).join("")}!\r\n\u0003`, "latin1");
  const check = block.reduce((sum, byte) => sum ^ byte, 0);
  return Uint8Array.from([2, ...block, check]);
}

/** Identification, blank line, lines, `!`. */
export function pushedReadout(lines: readonly string[], header = "EMU3GRIDSEAL-1"): Uint8Array {
  return Uint8Array.from(
    Buffer.from(`/${header}\r\n\r\n${lines.map((line) => `${line}\r\n`).join("")}!\r\n`, "latin1"),
  );
}
