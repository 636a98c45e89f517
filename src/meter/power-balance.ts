// Whether the power that a reading states and its voltages times its currents can be of one supply. They are not measured in the same
// instant, phases may feed in while others draw, and power may lag: so only what is several times too much counts, as a wrong scaler is.

import type { Register } from "./register.js";

export type PowerBalance =
  /** Voltages, currents or powers are missing, or too small to tell. */
  "unknown" | "agrees" | "contradicts";

const current = 255;
const instantaneous = 7;
const watt = 27;
const reactive = 29;
const ampere = 33;
const volt = 35;
const phases = 3;
const firstPhase = 20;
/** How many times one may be the other. */
const powerExcessMax = 3;
const apparentExcessMax = 5;
/** Less than this is evidence of nothing. */
const evidenceMin_VA = 500;
/** From where on too much counts: where the meter states its scalers, and where they are assumed. */
const limits = {
  stated: { power_W: 2_000, apparent_VA: 50_000 },
  assumed: { power_W: 100, apparent_VA: 2_000 },
} as const;

/** Of a reading whose scalers are the meter's own, or whose are assumed: those are doubted at less. */
export function powerBalance(registers: readonly Register[], scalers: "stated" | "assumed" = "stated"): PowerBalance {
  const least = limits[scalers];
  let apparent_VA = 0;
  let resolution_VA = 0;
  let known = 0;
  for (let phase = 1; phase <= phases; phase++) {
    const u = find(registers, phase * firstPhase + 12, volt);
    const i = find(registers, phase * firstPhase + 11, ampere);
    // A current without its voltage leaves the sum open; a voltage alone has the meter where a phase is not connected.
    if (u === undefined && i !== undefined) return "unknown";
    if (u === undefined || i === undefined) continue;
    known++;
    apparent_VA += magnitude(u) * magnitude(i);
    resolution_VA += magnitude(u) * 10 ** i.scaler + magnitude(i) * 10 ** u.scaler;
  }
  const active_W = statedPower(registers, 1, watt);
  if (known === 0 || active_W === undefined) return "unknown";
  const reactive_var = statedPower(registers, 3, reactive) ?? 0;
  const stated_VA = Math.sqrt(active_W * active_W + reactive_var * reactive_var);
  if (stated_VA > powerExcessMax * (apparent_VA + resolution_VA) + least.power_W) return "contradicts";
  const least_VA = apparent_VA - resolution_VA;
  if (least_VA > least.apparent_VA && least_VA > apparentExcessMax * stated_VA) return "contradicts";
  return least_VA > evidenceMin_VA && least_VA < 2 * stated_VA ? "agrees" : "unknown";
}

/** The sum of both directions (C and C + 1), or the net power; undefined where none is stated. */
function statedPower(registers: readonly Register[], quantity: number, unit: number): number | undefined {
  const net = quantity === 1 ? find(registers, 16, unit) : undefined;
  if (net !== undefined) return magnitude(net);
  const positive = find(registers, quantity, unit);
  const negative = find(registers, quantity + 1, unit);
  if (positive === undefined && negative === undefined) return undefined;
  return (positive === undefined ? 0 : magnitude(positive)) + (negative === undefined ? 0 : magnitude(negative));
}

/** By index: what is called for each register takes the chip's stack. */
function find(registers: readonly Register[], quantity: number, unit: number): Register | undefined {
  for (let index = 0; index < registers.length; index++) {
    const register = registers[index]!;
    const { obis } = register;
    if (register.unit !== unit || obis[0] !== 1 || obis[2] !== quantity || obis[3] !== instantaneous) continue;
    if (obis[4] === 0 && obis[5] === current) return register;
  }
  return undefined;
}

function magnitude({ value, scaler }: Register): number {
  return Math.abs(Number(value)) * 10 ** scaler;
}
