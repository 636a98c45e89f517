// What is wrong, if anything, in one phrase: the first break on the way from the meter's port to the sealed record. A meter that fails
// in silence is the complaint that people who run such devices make most.

import type { RefusalReason } from "../wire/refusal.js";
import type { LinkState } from "./link.js";
import { isLasting } from "./refusals.js";

/** Listed in the order in which they are looked for. */
export type State =
  | "no credential"
  | "no meter"
  | "bad frames"
  | "no network"
  | "no broker"
  /** by nodes, or by whoever can say so in their name */
  | `refused: ${RefusalReason}`
  | "not sealed"
  | "healthy";

/** Without a good frame for so long, or for twice the time between two, readings are being missed. */
export const FRAME_AGE_MAX_MS = 60_000;
/** A record that waits longer for its receipt is not being sealed. */
export const SEAL_AGE_MAX_MS = 30_000;

export interface Signs {
  readonly uptime_ms: number;
  readonly hasCredential: boolean;
  /** undefined where there has been none */
  readonly lastBytes_ms: number | undefined;
  readonly lastFrame_ms: number | undefined;
  /** between two frames of a meter that is asked; 0 where it pushes */
  readonly frameInterval_ms: number;
  /** frames refused since the last good one */
  readonly badFrames: number;
  readonly link: LinkState;
  /** why the last connection ended; a host whose interface is down says `no network` */
  readonly closedBecause: string | undefined;
  /** whether the meter itself left the last broker, for one by way of which its records are sealed */
  readonly hasLeft: boolean;
  /** how long the oldest record without a receipt has waited */
  readonly oldestWait_ms: number;
  /** why no token of the meter is taken, as a node has told it since the last that was */
  readonly barredAs: RefusalReason | undefined;
  /** why a record was refused that has no receipt yet */
  readonly refusedAs: RefusalReason | undefined;
}

export function stateOf(signs: Signs): State {
  if (!signs.hasCredential) return "no credential";
  const ageMax_ms = Math.max(FRAME_AGE_MAX_MS, 2 * signs.frameInterval_ms);
  if (!isRecent(signs.lastFrame_ms, signs.uptime_ms, ageMax_ms)) {
    return isRecent(signs.lastBytes_ms, signs.uptime_ms, ageMax_ms) && signs.badFrames > 0 ? "bad frames" : "no meter";
  }
  if (signs.barredAs !== undefined) return `refused: ${signs.barredAs}`;
  const sealing = sealingOf(signs);
  if (signs.link.kind === "connected" || (signs.hasLeft && sealing !== "healthy")) return sealing;
  return signs.closedBecause?.startsWith("no network") ? "no network" : "no broker";
}

function sealingOf({ oldestWait_ms, refusedAs }: Signs): State {
  const isLate = oldestWait_ms > SEAL_AGE_MAX_MS;
  // What passes by itself, as that a node is busy or has not heard of the meter yet, is none before it lasts.
  if (refusedAs !== undefined && (isLate || isLasting(refusedAs))) return `refused: ${refusedAs}`;
  return isLate ? "not sealed" : "healthy";
}

function isRecent(at_ms: number | undefined, uptime_ms: number, ageMax_ms: number): boolean {
  return at_ms !== undefined && uptime_ms - at_ms <= ageMax_ms;
}
