// Dates to days by arithmetic alone (proleptic Gregorian calendar): what the clocks of meters state, without a Date object.

export const seconds_per_day = 86400;
export const seconds_per_hour = 3600;

/** Whether a clock can show this: month 1 to 12, a day that the month has, hour to 23, minute and second to 59. */
export function isClockTime(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): boolean {
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return false;
  return hour <= 23 && minute <= 59 && second <= 59;
}

/** Seconds from 1970-01-01T00:00:00 in the same zone, for a time that `isClockTime` holds of and years from 1970 on. */
export function secondsSinceEpoch(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number {
  return daysSinceEpoch(year, month, day) * seconds_per_day + hour * seconds_per_hour + minute * 60 + second;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Years begin in March here so that the leap day comes last. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const shiftedYear = month > 2 ? year : year - 1;
  const shiftedMonth = month > 2 ? month - 3 : month + 9;
  const leapDays = Math.floor(shiftedYear / 4) - Math.floor(shiftedYear / 100) + Math.floor(shiftedYear / 400);
  const dayOfYear = Math.floor((153 * shiftedMonth + 2) / 5) + day - 1;
  return shiftedYear * 365 + leapDays + dayOfYear - 719468;
}
