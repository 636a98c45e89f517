// The date-time of DLMS: twelve bytes (IEC 62056-6-2, section 4.1.6.1), to UTC. Its deviation is what UTC is ahead of local time.

import { isClockTime, secondsSinceEpoch } from "../calendar.js";

export const dateTimeBytes = 12;
const deviationUnknown = 0x8000;
/** Status bit: the clock shows rubbish. */
const invalidClock = 0x01;

/**
 * UTC seconds of the date-time at `start`, or undefined where it does not relate to UTC: fields that are not specified, a time that
 * no clock shows, no deviation. A local time alone is not guessed at: its hour is ambiguous every October.
 */
export function scanDateTime(bytes: Uint8Array, start: number): number | undefined {
  if (start + dateTimeBytes > bytes.length) return undefined;
  const year = bytes[start]! * 256 + bytes[start + 1]!;
  const month = bytes[start + 2]!;
  const day = bytes[start + 3]!;
  const hour = bytes[start + 5]!;
  const minute = bytes[start + 6]!;
  const second = bytes[start + 7]!;
  const deviation = bytes[start + 9]! * 256 + bytes[start + 10]!;
  const status = bytes[start + 11]!;
  if (year < 2000 || year > 2099 || !isClockTime(year, month, day, hour, minute, second)) return undefined;
  if (deviation === deviationUnknown || (status !== 0xff && (status & invalidClock) !== 0)) return undefined;
  const minutes = deviation > deviationUnknown ? deviation - 65536 : deviation;
  if (minutes < -840 || minutes > 840) return undefined;
  return secondsSinceEpoch(year, month, day, hour, minute, second) + minutes * 60;
}
