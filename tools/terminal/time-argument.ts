// A time that a person names on the command line.

import { InvalidArgumentError } from "commander";

/** UTC seconds of `2026-03-29T00:00:00Z`. */
export function timeArgument(text: string): number {
  const time_ms = Date.parse(text);
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z$/.test(text) && Number.isFinite(time_ms)) return time_ms / 1_000;
  throw new InvalidArgumentError("It must be a time in UTC such as 2026-03-29T00:00:00Z.");
}
