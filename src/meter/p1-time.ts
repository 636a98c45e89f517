// P1 times: YYMMDDhhmmss with S for daylight saving time or W for winter time (DSMR P1 5.0.2, section 6.4), to UTC by arithmetic alone.
// The letter makes the repeated hour of October unambiguous.

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
const seconds_per_day = 86400;
const seconds_per_hour = 3600;
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
  if (month < 1 || month > 12 || day < 1 || day > daysIn(2000 + year, month)) return { kind: "invalid" };
  if (hour > 23 || minute > 59 || second > 59) return { kind: "invalid" };
  if (length === textLength) return { kind: "local" };
  const letter = bytes[start + textLength];
  if (letter !== letterS && letter !== letterW) return { kind: "invalid" };
  const local_s =
    daysSinceEpoch(2000 + year, month, day) * seconds_per_day + hour * seconds_per_hour + minute * 60 + second;
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

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Days from 1970-01-01 in the Gregorian calendar, for years from 1970 on: years begin in March so that the leap day comes last. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const shiftedYear = month > 2 ? year : year - 1;
  const shiftedMonth = month > 2 ? month - 3 : month + 9;
  const leapDays = Math.floor(shiftedYear / 4) - Math.floor(shiftedYear / 100) + Math.floor(shiftedYear / 400);
  const dayOfYear = Math.floor((153 * shiftedMonth + 2) / 5) + day - 1;
  return shiftedYear * 365 + leapDays + dayOfYear - 719468;
}
