// A believable household behind an emulated meter: appliances, an electric car, solar panels, gas and water, in Dutch local time.
// Powers are whole watts that change every ten seconds, and the energies are their exact integrals in watt-seconds. The same
// seed and start give the same household.

import { isNormalTariff, type LocalTime, localTime } from "./calendar.js";
import { loadOf } from "./load.js";
import { fractionAt, randomAt } from "./random.js";
import { solarPower_W } from "./solar.js";

export interface HouseholdOptions {
  readonly seed: number;
  /** UTC seconds at which its meter begins to count. */
  readonly start_s: number;
  /** so many alike stand behind the meter; one where absent */
  readonly homes?: number;
  /** how far their day and season are ahead of the clock; a multiple of ten */
  readonly ahead_s?: number;
}

/** Whose powers they are. */
type Home = Required<Omit<HouseholdOptions, "start_s">>;

/** One phase as its meter element sees it. */
export interface Phase {
  /** Positive is consumed, negative returned. */
  readonly power_W: number;
  /** Tenths of a volt. */
  readonly voltage_dV: number;
  /** Hundredths of an ampere, without sign. */
  readonly current_cA: number;
}

/** Energy in watt-seconds by tariff. */
export interface TariffEnergy {
  readonly low_Ws: number;
  readonly normal_Ws: number;
}

/** The mean power of a quarter-hour. */
export interface Peak {
  readonly power_W: number;
  /** End of the quarter-hour. */
  readonly time_s: number;
}

/** What an M-Bus meter stated last. */
export interface Captured {
  /** Thousandths of a cubic metre. */
  readonly volume_dm3: number;
  readonly time_s: number;
}

/** All that the meter knows at one moment. */
export interface HouseholdState {
  readonly time_s: number;
  readonly local: LocalTime;
  /** Serial number of the meter, 16 characters. */
  readonly serial: string;
  readonly normalTariff: boolean;
  readonly phases: readonly [Phase, Phase, Phase];
  /** The sum over the phases: positive consumed, negative returned. */
  readonly power_W: number;
  readonly consumed: TariffEnergy;
  readonly returned: TariffEnergy;
  /** Hourly capture, as DSMR 4 has it. */
  readonly gasHourly: Captured;
  /** Capture every five minutes, as DSMR 5 has it. */
  readonly gas: Captured;
  readonly water: Captured;
  /** Mean consumed power of the quarter-hour so far. */
  readonly quarterPower_W: number;
  /** Highest quarter-hour of this month so far. */
  readonly monthPeak: Peak;
  /** Highest quarter-hours of the months before, most recent first, at most 13. */
  readonly pastPeaks: readonly (Peak & { readonly monthEnd_s: number })[];
}

export interface Household {
  /** Moves on to `time_s`, which must not be earlier than before, and at most 400 days later. */
  step(time_s: number): HouseholdState;
}

/** Powers stay as they are for this long. */
export const slot_s = 10;
const quarter_s = 900;
const stepMax_s = 400 * 86400;
const pastPeaksMax = 13;
const seconds_per_hour = 3600;

/** What the household has accumulated. */
interface Accumulated {
  time_s: number;
  consumedLow_Ws: number;
  consumedNormal_Ws: number;
  returnedLow_Ws: number;
  returnedNormal_Ws: number;
  quarterConsumed_Ws: number;
  monthPeak: Peak;
  pastPeaks: readonly (Peak & { readonly monthEnd_s: number })[];
  /** Thousandths of a dm3 per slot add up here. */
  gas_ml: number;
  water_ml: number;
  gas: Captured;
  gasHourly: Captured;
  water: Captured;
}

/** A household whose meters have counted for some years before `start_s`. */
export function createHousehold({ seed, start_s, homes = 1, ahead_s = 0 }: HouseholdOptions): Household {
  if (!Number.isSafeInteger(start_s) || start_s < 0) {
    throw new RangeError(`start_s: expected whole UTC seconds, got ${start_s}`);
  }
  const accumulated = initial(seed, start_s);
  const home = { seed, homes, ahead_s };
  return {
    step(time_s) {
      const span_s = time_s - accumulated.time_s;
      if (!Number.isSafeInteger(time_s) || span_s < 0 || span_s > stepMax_s) {
        throw new RangeError(
          `time_s: expected ${accumulated.time_s} to ${accumulated.time_s + stepMax_s}, got ${time_s}`,
        );
      }
      while (accumulated.time_s < time_s) advance(home, accumulated, time_s);
      return stateOf(home, accumulated);
    },
  };
}

/** The powers of the three phases in the slot that contains `time_s`: load less solar. */
function slotPowers_W({ seed, homes, ahead_s }: Home, time_s: number): readonly [number, number, number] {
  const slotStart_s = time_s - (time_s % slot_s) + ahead_s;
  const load = loadOf(seed, slotStart_s, localTime(slotStart_s));
  const solar_W = solarPower_W(seed, slotStart_s);
  const share_W = Math.floor(solar_W / 3);
  const powers_W = [load[0] - (solar_W - 2 * share_W), load[1] - share_W, load[2] - share_W] as const;
  return [homes * powers_W[0], homes * powers_W[1], homes * powers_W[2]];
}

function initial(seed: number, start_s: number): Accumulated {
  const between = (index: number, least: number, span: number): number =>
    least + Math.floor(fractionAt(seed, index, 1) * span);
  const energy_Ws = (index: number): number => between(index, 400_000, 9_000_000) * seconds_per_hour;
  const gas_dm3 = between(5, 500_000, 6_000_000);
  const water_dm3 = between(6, 100_000, 900_000);
  return {
    time_s: start_s,
    consumedLow_Ws: energy_Ws(1),
    consumedNormal_Ws: energy_Ws(2),
    returnedLow_Ws: energy_Ws(3),
    returnedNormal_Ws: energy_Ws(4),
    quarterConsumed_Ws: 0,
    monthPeak: { power_W: 0, time_s: start_s },
    pastPeaks: [],
    gas_ml: gas_dm3 * 1000,
    water_ml: water_dm3 * 1000,
    gas: { volume_dm3: gas_dm3, time_s: start_s - (start_s % 300) },
    gasHourly: { volume_dm3: gas_dm3, time_s: start_s - (start_s % seconds_per_hour) },
    water: { volume_dm3: water_dm3, time_s: start_s - (start_s % 300) },
  };
}

/** Adds what flows until the end of the slot, or until `until_s` where that comes first. Quarter-hours end with a slot. */
function advance(home: Home, accumulated: Accumulated, until_s: number): void {
  const { seed } = home;
  const from_s = accumulated.time_s;
  const to_s = Math.min(from_s - (from_s % slot_s) + slot_s, until_s);
  const span_s = to_s - from_s;
  const local = localTime(from_s);
  const powers_W = slotPowers_W(home, from_s);
  const energy_Ws = (powers_W[0] + powers_W[1] + powers_W[2]) * span_s;
  const normal = isNormalTariff(local);
  if (energy_Ws >= 0 && normal) accumulated.consumedNormal_Ws += energy_Ws;
  else if (energy_Ws >= 0) accumulated.consumedLow_Ws += energy_Ws;
  else if (normal) accumulated.returnedNormal_Ws -= energy_Ws;
  else accumulated.returnedLow_Ws -= energy_Ws;
  accumulated.quarterConsumed_Ws += Math.max(energy_Ws, 0);
  accumulated.gas_ml += gasFlow_ml_per_s(seed, from_s, local) * span_s;
  accumulated.water_ml += waterFlow_ml_per_s(seed, from_s, local) * span_s;
  accumulated.time_s = to_s;
  if (to_s % 300 === 0) {
    accumulated.gas = { volume_dm3: Math.floor(accumulated.gas_ml / 1000), time_s: to_s };
    accumulated.water = { volume_dm3: Math.floor(accumulated.water_ml / 1000), time_s: to_s };
  }
  if (to_s % seconds_per_hour === 0) accumulated.gasHourly = accumulated.gas;
  if (to_s % quarter_s === 0) endQuarter(accumulated, local);
}

function endQuarter(accumulated: Accumulated, before: LocalTime): void {
  const { time_s } = accumulated;
  const power_W = Math.round(accumulated.quarterConsumed_Ws / quarter_s);
  accumulated.quarterConsumed_Ws = 0;
  if (power_W > accumulated.monthPeak.power_W) accumulated.monthPeak = { power_W, time_s };
  if (localTime(time_s).month === before.month) return;
  const ended = { ...accumulated.monthPeak, monthEnd_s: time_s };
  accumulated.pastPeaks = [ended, ...accumulated.pastPeaks].slice(0, pastPeaksMax);
  accumulated.monthPeak = { power_W: 0, time_s };
}

function stateOf(home: Home, accumulated: Accumulated): HouseholdState {
  const { seed } = home;
  const { time_s } = accumulated;
  const local = localTime(time_s);
  const powers_W = slotPowers_W(home, time_s);
  const phase = (index: 0 | 1 | 2): Phase => phaseOf(seed, time_s, index, powers_W[index]);
  const sinceQuarter_s = time_s % quarter_s;
  return {
    time_s,
    local,
    serial: `E00${String(randomAt(seed, 0, 2) % 10 ** 9).padStart(9, "0")}${String(seed % 10_000).padStart(4, "0")}`,
    normalTariff: isNormalTariff(local),
    phases: [phase(0), phase(1), phase(2)],
    power_W: powers_W[0] + powers_W[1] + powers_W[2],
    consumed: { low_Ws: accumulated.consumedLow_Ws, normal_Ws: accumulated.consumedNormal_Ws },
    returned: { low_Ws: accumulated.returnedLow_Ws, normal_Ws: accumulated.returnedNormal_Ws },
    gasHourly: accumulated.gasHourly,
    gas: accumulated.gas,
    water: accumulated.water,
    quarterPower_W: sinceQuarter_s === 0 ? 0 : Math.round(accumulated.quarterConsumed_Ws / sinceQuarter_s),
    monthPeak: accumulated.monthPeak,
    pastPeaks: accumulated.pastPeaks,
  };
}

/** The voltage wanders around 230 V, falls under load and rises under solar power. */
function phaseOf(seed: number, time_s: number, index: number, power_W: number): Phase {
  const wander_dV = Math.round((fractionAt(seed, Math.floor(time_s / 60), 20 + index) - 0.5) * 40);
  const voltage_dV = 2320 + wander_dV - Math.round(power_W / 150);
  return { power_W, voltage_dV, current_cA: Math.round((Math.abs(power_W) * 1000) / voltage_dV) };
}

/** Heating by the season and the thermostat, hot water in the morning and the evening. */
function gasFlow_ml_per_s(seed: number, time_s: number, local: LocalTime): number {
  const season = Math.cos(((local.dayNumber % 365.25) - 20) * ((2 * Math.PI) / 365.25));
  const awake = local.hour >= 7 && local.hour < 22;
  const demand = Math.max(0, season * 0.7 + 0.15) * (awake ? 1 : 0.3);
  const burning = fractionAt(seed, Math.floor(time_s / 600), 30) < demand;
  const shower = (local.hour === 7 || local.hour === 21) && fractionAt(seed, Math.floor(time_s / 600), 31) < 0.2;
  return (burning ? 320 : 0) + (shower ? 700 : 0);
}

function waterFlow_ml_per_s(seed: number, time_s: number, local: LocalTime): number {
  const likely = local.hour >= 6 && local.hour < 23 ? 0.03 : 0.002;
  return fractionAt(seed, Math.floor(time_s / 60), 32) < likely ? 120 : 0;
}
