// What the chip's clock is worth (OCMF's qualities): unknown after power on, informative while it runs on by itself or after one answer,
// synchronised once a second one has agreed, for as long as the crystal keeps that. Nobody signs an answer of SNTP (RFC 4330), so that
// one that is far off moves a synchronised clock, too, only when the next one agrees. Pure; network.ts asks and sets the clock.

import type { TimeQuality } from "../../src/host.js";

export const ASK_MS = 3_600_000;
export const ASK_AGAIN_MS = 30_000;
/** The crystal has drifted by less than two seconds until then (10 ppm). */
export const SYNCHRONISED_MS = 2 * 86_400_000;
/** An answer that is further off has to be confirmed. */
export const STEP_MS = 10_000;
/** Before this nothing of the kind was built: 2026-01-01. */
const EARLIEST_S = 1_767_225_600;
/** 2100-01-01 */
const LATEST_S = 4_102_444_800;

export interface Clock {
  /** uptime of the last answer that another one agreed with */
  syncedAt_ms: number | undefined;
  /** whether the clock runs on since a time that was said: a chip keeps it through any reset but power on */
  runsOn: boolean;
  /** an answer that has to be confirmed: how far it is from the chip's clock, 0 where that was set to it */
  suspect_ms: number | undefined;
  answers: number;
  failures: number;
}

/** `keptTime`: the chip did not lose its time at this start; `time_ms` is what its clock says. */
export function createClock(keptTime: boolean, time_ms: number): Clock {
  const runsOn = keptTime && time_ms >= EARLIEST_S * 1000 && time_ms < LATEST_S * 1000;
  return { syncedAt_ms: undefined, runsOn, suspect_ms: undefined, answers: 0, failures: 0 };
}

export interface Verdict {
  /** the clock is to be set to the answer */
  readonly set: boolean;
  /** when the server is to be asked next */
  readonly askIn_ms: number;
}

/** Judges what a server answers; undefined where it did not. `time_ms` is the chip's clock. */
export function judgeTime(clock: Clock, answer_s: number | undefined, time_ms: number, uptime_ms: number): Verdict {
  if (answer_s === undefined || !(answer_s >= EARLIEST_S && answer_s < LATEST_S)) {
    clock.failures += 1;
    clock.suspect_ms = undefined;
    return { set: false, askIn_ms: ASK_AGAIN_MS };
  }
  const off_ms = answer_s * 1000 - time_ms;
  const isKnown = qualityOf(clock, uptime_ms) === 2;
  const confirms = clock.suspect_ms !== undefined && Math.abs(off_ms - clock.suspect_ms) <= STEP_MS;
  if (!confirms && !(isKnown && Math.abs(off_ms) <= STEP_MS)) {
    clock.suspect_ms = isKnown ? off_ms : 0;
    clock.runsOn = true;
    return { set: !isKnown, askIn_ms: ASK_AGAIN_MS };
  }
  clock.suspect_ms = undefined;
  clock.answers += 1;
  clock.syncedAt_ms = uptime_ms;
  return { set: true, askIn_ms: ASK_MS };
}

export function qualityOf(clock: Clock, uptime_ms: number): TimeQuality {
  if (clock.syncedAt_ms === undefined) return clock.runsOn ? 1 : 0;
  return uptime_ms - clock.syncedAt_ms <= SYNCHRONISED_MS ? 2 : 1;
}

/** For people: the quality and its age. */
export function describeClock(clock: Clock, uptime_ms: number): string {
  const quality = ["unknown", "informative", "synchronised", "relative"][qualityOf(clock, uptime_ms)]!;
  if (clock.syncedAt_ms === undefined)
    return `time ${quality}, no two answers of a time server have agreed (${clock.failures} failures)`;
  const age_s = Math.floor((uptime_ms - clock.syncedAt_ms) / 1000);
  return `time ${quality}, a time server answered ${age_s} s ago`;
}
