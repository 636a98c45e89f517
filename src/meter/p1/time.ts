// P1 times: YYMMDDhhmmss with S for daylight saving time or W for winter time (DSMR P1 5.0.2, section 6.4), to UTC by arithmetic alone.
// The letter makes the repeated hour of October unambiguous.

import { isClockTime, seconds_per_hour, secondsSinceEpoch } from "../calendar.js";

/** A time as a telegram states it. A null time is what a meter writes where it has none. */
export type P1Time =
  | { readonly kind: "time"; readonly time_s: number }
  /** Well-formed, but without the letter that relates it to UTC. */
  | { readonly kind: "local" }
  | { readonly kind: "null" }
  | { readonly kind: "invalid" };

const textLength = 12;
const letterS = 0x53;
const letterW = 0x57;
/** Central European winter time. */
export const centralEuropeanOffset_s = seconds_per_hour;

/** Reads the time in `bytes` from `start` to before `end`; `zoneOffset_s` is what the zone's winter time is ahead of UTC. */
export function scanP1Time(bytes: Uint8Array, start: number, end: number, zoneOffset_s: number): P1Time {
  const length = end - start;
  if (length === 0) return { kind: "null" };
  if (length !== textLength && length !== textLength + 1) return { kind: "invalid" };
  const fields = [0, 0, 0, 0, 0, 0];
  for (let index = 0; index < textLength; index++) {
    const digit = bytes[start + index]! - 0x30;
    if (digit < 0 || digit > 9) return { kind: "invalid" };
    fields[index >> 1] = fields[index >> 1]! * 10 + digit;
  }
  const [year, month, day, hour, minute, second] = fields as [number, number, number, number, number, number];
  if (isNull(year, month, day, hour, minute, second)) return { kind: "null" };
  if (!isClockTime(2000 + year, month, day, hour, minute, second)) return { kind: "invalid" };
  if (length === textLength) return { kind: "local" };
  const letter = bytes[start + textLength];
  if (letter !== letterS && letter !== letterW) return { kind: "invalid" };
  const local_s = secondsSinceEpoch(2000 + year, month, day, hour, minute, second);
  return { kind: "time", time_s: local_s - zoneOffset_s - (letter === letterS ? seconds_per_hour : 0) };
}

/**
 * The Unix epoch in UTC or in a European zone (70-01-01), 63-25-25, which is how an unset DLMS time is printed, and all zeros
 * are null times.
 */
function isNull(year: number, month: number, day: number, hour: number, minute: number, second: number): boolean {
  if (year === 70 && month === 1 && day === 1) return hour <= 2 && minute === 0 && second === 0;
  if (year === 63 && month === 25 && day === 25) return true;
  return year === 0 && month === 0 && day === 0;
}
