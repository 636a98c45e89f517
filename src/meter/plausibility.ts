// Compares a reading with the one before it. A meter sometimes sends rubbish with a good checksum: a doubt is flagged, a value
// is never removed, because the record must say what the meter said.
//
//   fell OBIS       a cumulative register is lower than before
//   jumped OBIS     an energy register grew by more than the connection can carry in the time between
//   clock-backwards the meter's clock is earlier than before
//   range OBIS      a power factor beyond 1, a voltage or a frequency that no supply has
//   contradiction   voltages times currents are several times the power, or the power is several times them

import { formatObis, sameObis } from "./obis.js";
import { type PowerBalance, powerBalance } from "./power-balance.js";
import type { Reading } from "./reader.js";
import type { Register } from "./register.js";

/** What the next reading is compared with. */
export interface Baseline {
  readonly meter: string;
  readonly time_s: number | undefined;
  /** Cumulative registers as they were stated last: a meter states its energies in one list of several. */
  readonly known: readonly Known[];
}

interface Known {
  readonly register: Register;
  readonly time_s: number | undefined;
  /** Of the agent's own clock, for meters that state no time. */
  readonly uptime_ms: number | undefined;
}

/** Three phases of 145 A: above any household's connection. */
const connectionMax_W = 100_000;
/** Energy is stated to one unit of its last digit at either end of the interval. */
const resolutionSlack_Wh = 1_000;
const seconds_per_hour = 3600;
const flagsMax = 16;
const knownMax = 64;
const wattHour = 30;
const cubicMetre = 13;
const kilogram = 20;
const joule = 25;
const volt = 35;
const hertz = 44;
/** Of a low-voltage network; and what no phase that feeds the meter may be below, be it behind a voltage transformer. */
const voltageMax_V = 1000;
const voltageMin_V = 40;
const frequencyMax_Hz = 100;
const frequencyMin_Hz = 10;
const plainNumber = 255;

/** The doubts that `reading`, read at `uptime_ms`, raises after the `previous` one, and what to compare the next one with. */
export function weigh(
  previous: Baseline | undefined,
  reading: Pick<Reading, "meter" | "time_s" | "registers"> & Partial<Pick<Reading, "flags">>,
  uptime_ms: number | undefined,
  powerMax_W = connectionMax_W,
): { readonly baseline: Baseline; readonly flags: readonly string[] } {
  // A port whose meter was exchanged begins anew.
  const before = previous?.meter === reading.meter ? previous : undefined;
  const flags: string[] = [];
  const stated: Known[] = [];
  const { time_s } = reading;
  if (before?.time_s !== undefined && time_s !== undefined && time_s < before.time_s) flags.push("clock-backwards");
  const balance = powerBalance(reading.registers);
  if (balance === "contradicts") flags.push("contradiction");
  flagImpossible(reading, balance, flags);
  for (const register of reading.registers) {
    if (!isCumulative(register)) continue;
    stated.push({ register, time_s, uptime_ms });
    const earlier = before?.known.find((candidate) => sameObis(candidate.register.obis, register.obis));
    if (earlier === undefined) continue;
    const growth = growthOf(earlier.register, register);
    const elapsed_s = elapsed(earlier, time_s, uptime_ms);
    if (growth < 0) flags.push(`fell ${formatObis(register.obis)}`);
    else if (register.unit === wattHour && register.obis[0] === 1 && elapsed_s !== undefined && elapsed_s >= 0) {
      const most_Wh = (powerMax_W * elapsed_s) / seconds_per_hour + resolutionSlack_Wh;
      if (growth > most_Wh) flags.push(`jumped ${formatObis(register.obis)}`);
    }
  }
  const unstated = (before?.known ?? []).filter(
    ({ register }) => !stated.some((now) => sameObis(now.register.obis, register.obis)),
  );
  const known = [...stated, ...unstated].slice(0, knownMax);
  const baseline = { meter: reading.meter, time_s: time_s ?? before?.time_s, known };
  return { baseline, flags: flags.slice(0, flagsMax) };
}

/** What no supply has; of a number whose scaler nobody knows (`no-unit`) nothing can be said. */
function flagImpossible(
  { registers, flags: known = [] }: Pick<Reading, "registers"> & Partial<Pick<Reading, "flags">>,
  balance: PowerBalance,
  flags: string[],
): void {
  let highest_V = 0;
  for (const register of registers) {
    if (isVoltage(register)) highest_V = Math.max(highest_V, Math.abs(magnitude(register)));
  }
  for (const register of registers) {
    const size = Math.abs(magnitude(register));
    let impossible = false;
    if (isPowerFactor(register)) impossible = size > 1;
    else if (register.unit === hertz) impossible = size > frequencyMax_Hz || (size > 0 && size < frequencyMin_Hz);
    else if (isVoltage(register)) {
      // Behind transformers a meter may state what is before them: then current and power are of the same network.
      impossible = (size > voltageMax_V && balance !== "agrees") || (size > 0 && highest_V < voltageMin_V);
    }
    const flag = impossible ? `range ${formatObis(register.obis)}` : "";
    if (impossible && !known.includes(flag.replace("range", "no-unit"))) flags.push(flag);
  }
}

/** Of a phase. */
function isVoltage({ obis, unit }: Register): boolean {
  return unit === volt && obis[0] === 1 && obis[3] === 7 && (obis[2] === 32 || obis[2] === 52 || obis[2] === 72);
}

/** By the meter's clock, else by ours, which stands still where a capture is read at once: that says nothing. */
function elapsed(before: Known, time_s: number | undefined, uptime_ms: number | undefined): number | undefined {
  if (before.time_s !== undefined && time_s !== undefined) return time_s - before.time_s;
  if (before.uptime_ms === undefined || uptime_ms === undefined || uptime_ms <= before.uptime_ms) return undefined;
  return (uptime_ms - before.uptime_ms) / 1000;
}

/** Time integrals of electricity but the net one, which may fall, and the counters of M-Bus devices. */
function isCumulative({ obis, unit }: Register): boolean {
  if (unit === plainNumber || obis[5] !== 255) return false;
  if (obis[0] === 1) return obis[3] === 8 && obis[2] !== 16;
  if (isOfMbus(obis[0]!)) return obis[3] === 0 && isCounter(unit);
  return obis[0] === 0 && obis[2] === 24 && obis[3] === 2;
}

/** Cooling, heat, gas and water. */
function isOfMbus(a: number): boolean {
  return a >= 5 && a <= 9;
}

/** Volume, energy, mass. */
function isCounter(unit: number): boolean {
  return unit === cubicMetre || unit === wattHour || unit === joule || unit === kilogram;
}

/** C = 13 for the total, 33, 53 and 73 for the phases. */
function isPowerFactor({ obis }: Register): boolean {
  return obis[0] === 1 && obis[3] === 7 && (obis[2]! === 13 || obis[2] === 33 || obis[2] === 53 || obis[2] === 73);
}

/** Exact where the scaler stayed the same, as it does for one meter. */
function growthOf(earlier: Register, later: Register): number {
  if (earlier.unit !== later.unit) return 0;
  if (earlier.scaler !== later.scaler) return magnitude(later) - magnitude(earlier);
  return Number(BigInt(later.value) - BigInt(earlier.value)) * 10 ** later.scaler;
}

function magnitude(register: Register): number {
  return Number(register.value) * 10 ** register.scaler;
}
