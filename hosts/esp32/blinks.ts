// What the status LED shows of a state: blinks in a row, then a pause, so that states are told apart from across a cellar. docs/firmware.md
// lists them for the field engineer.

import type { State } from "../../src/agent/health.js";

export type Shown = Exclude<State, `refused: ${string}`> | "refused" | "starts" | "configuration refused";

/** Blinks in a row; 0 is a steady light. */
export const blinks: Readonly<Record<Shown, number>> = {
  healthy: 0,
  "no meter": 1,
  "bad frames": 2,
  "no network": 3,
  "no broker": 4,
  "not sealed": 5,
  "no credential": 6,
  "configuration refused": 7,
  starts: 8,
  refused: 9,
};

/** A light or a dark of a blink. */
export const BLINK_MS = 150;
const PAUSE_TICKS = 6;

/** Whether the LED lights at this tick of BLINK_MS. A state that is not known shows as a configuration that is refused. */
export function isLit(state: string, tick: number): boolean {
  const name = state.startsWith("refused: ") ? "refused" : state;
  const count = Object.hasOwn(blinks, name) ? blinks[name as Shown] : blinks["configuration refused"];
  const at = tick % (2 * count + PAUSE_TICKS);
  return count === 0 || (at < 2 * count && at % 2 === 0);
}
