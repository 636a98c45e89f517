// The dates of M-Bus (EN 13757-3, annex A): type F of four bytes and type I of six, with a mark for summer time, to UTC. Type G, a day
// alone, is no clock.

import { isClockTime, seconds_per_hour, secondsSinceEpoch } from "../calendar.js";

const invalid = 0x80;
const ofF = 4;
const ofI = 6;

/** UTC seconds of the time from `start` to `end`; undefined for another type, a time that none shows, or one that is marked invalid. */
export function scanMbusTime(bytes: Uint8Array, start: number, end: number, zoneOffset_s: number): number | undefined {
  const length = end - start;
  if (length !== ofF && length !== ofI) return undefined;
  const withSeconds = length === ofI;
  const first = withSeconds ? start + 1 : start;
  const second = withSeconds ? bytes[start]! & 0x3f : 0;
  const [minute, hour, low, high] = [bytes[first]!, bytes[first + 1]!, bytes[first + 2]!, bytes[first + 3]!];
  if ((minute & invalid) !== 0) return undefined;
  // Years go from 1981 to 2080; type F may say of which hundred they are.
  const year = (low >> 5) + ((high >> 4) << 3);
  const hundred = withSeconds ? 0 : (hour >> 5) & 3;
  const century = hundred > 0 ? 1900 + 100 * hundred : year > 80 ? 1900 : 2000;
  const summer = withSeconds ? (bytes[start]! & 0x40) !== 0 : (hour & 0x80) !== 0;
  const date = [century + year, high & 15, low & 31, hour & 31, minute & 0x3f, second] as const;
  if (date[0] < 2000 || !isClockTime(...date)) return undefined;
  return secondsSinceEpoch(...date) - zoneOffset_s - (summer ? seconds_per_hour : 0);
}
