// A capture of an S0 output: text, since its edges are worth nothing without their times. The first line names the meter's constant,
// `impulses_per_kWh 1000`; every other line is an edge, `uptime_ms closed`, with closed 1 or 0.

import { GridsealError } from "../errors.js";

export interface Edge {
  readonly closed: boolean;
  readonly uptime_ms: number;
}

export interface PulseCapture {
  readonly pulse: { readonly impulses_per_kWh: number };
  /** When each pulse began, bounces left out. */
  readonly pulses_ms: readonly number[];
}

/** A level that lasts shorter is a bounce: below the 30 ms that a pulse and its pause last (IEC 62053-31). */
const debounce_ms = 20;

/** Reads the bytes of a capture; `path` is for the reason. Throws CONFIGURATION_INVALID with the line that is wrong. */
export function parsePulseCapture(capture: Uint8Array, path: string): PulseCapture {
  const [first = "", ...rest] = Buffer.from(capture).toString("latin1").split(/\r?\n/);
  const constant = /^impulses_per_kWh ([1-9]\d{0,5})$/.exec(first.trim())?.[1];
  if (constant === undefined) throw invalid(path, 1, "impulses_per_kWh and a whole number");
  let before_ms = 0;
  const edges = rest.flatMap((line, index) => {
    if (line.trim() === "") return [];
    const [, uptime, closed] = /^(\d{1,12}) ([01])$/.exec(line.trim()) ?? [];
    const uptime_ms = Number(uptime);
    if (uptime === undefined || uptime_ms < before_ms)
      throw invalid(path, index + 2, "a time that does not fall, and 0 or 1");
    before_ms = uptime_ms;
    return [{ closed: closed === "1", uptime_ms }];
  });
  return { pulse: { impulses_per_kWh: Number(constant) }, pulses_ms: pulsesOf(edges) };
}

/** When the contact of these edges, open at first, closed for long enough; the last level lasts for ever. */
export function pulsesOf(edges: readonly Edge[]): readonly number[] {
  const pulses_ms: number[] = [];
  /** What the contact has been long enough to count, what it is now and since when. */
  let stable = false;
  let level = false;
  let since_ms = 0;
  const holdLevel = (uptime_ms: number): void => {
    if (level === stable || uptime_ms - since_ms < debounce_ms) return;
    stable = level;
    if (stable) pulses_ms.push(since_ms);
  };
  for (const { closed, uptime_ms } of edges) {
    holdLevel(uptime_ms);
    if (closed === level) continue;
    level = closed;
    since_ms = uptime_ms;
  }
  holdLevel(Number.POSITIVE_INFINITY);
  return pulses_ms;
}

function invalid(path: string, line: number, expected: string): GridsealError {
  return new GridsealError("CONFIGURATION_INVALID", `pulse capture ${path}, line ${line}: expected ${expected}`);
}
