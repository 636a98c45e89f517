// Homes of a community, slot by slot: what each takes and gives, by the emulated households' appliances and panels. Powers are those of
// the slot's middle. The same home and slot give the same energies.

import { localTime } from "../../../emulators/calendar.js";
import { loadOf } from "../../../emulators/load.js";
import { solarPower_W } from "../../../emulators/solar.js";

export const SLOT_S = 900;
/** Appliances change every ten seconds: the middle is one of these moments. */
const MIDDLE_S = 450;
const MWH_OF_W = (1_000 * SLOT_S) / 3_600;

/** mWh. */
export interface HomeEnergy {
  readonly taken: number;
  readonly given: number;
}

/** Of so many homes in the slot that begins then. */
export function energiesAt(homes: number, start_s: number): HomeEnergy[] {
  const middle_s = start_s + MIDDLE_S;
  const local = localTime(middle_s);
  return Array.from({ length: homes }, (_, home) => {
    const load_W = loadOf(home, middle_s, local).reduce((sum, power) => sum + power, 0);
    const energy = MWH_OF_W * (load_W - solarPower_W(home, middle_s));
    return { taken: Math.max(0, energy), given: Math.max(0, -energy) };
  });
}
