// Local time in the Netherlands by arithmetic: Central European time with the Union's daylight saving (Directive 2000/84/EC: from the
// last Sunday of March to the last Sunday of October, 01:00 UTC), and the hours of the two tariffs.

const seconds_per_day = 86400;

/** A moment as a clock on the wall shows it. */
export interface LocalTime {
  readonly year: number;
  /** 1 to 12 */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** 0 Sunday to 6 Saturday */
  readonly weekday: number;
  readonly daylightSaving: boolean;
  /** Days since 1970-01-01 of the local date. */
  readonly dayNumber: number;
}

/** Local time of a moment in UTC seconds. */
export function localTime(time_s: number): LocalTime {
  const daylightSaving = isDaylightSaving(time_s);
  const local_s = time_s + (daylightSaving ? 7200 : 3600);
  const dayNumber = Math.floor(local_s / seconds_per_day);
  const secondOfDay = local_s - dayNumber * seconds_per_day;
  const { year, month, day } = dateOf(dayNumber);
  return {
    year,
    month,
    day,
    hour: Math.floor(secondOfDay / 3600),
    minute: Math.floor(secondOfDay / 60) % 60,
    second: secondOfDay % 60,
    weekday: weekdayOf(dayNumber),
    daylightSaving,
    dayNumber,
  };
}

/** Whether daylight saving time holds at a moment in UTC seconds. */
export function isDaylightSaving(time_s: number): boolean {
  const { year, month } = dateOf(Math.floor(time_s / seconds_per_day));
  if (month !== 3 && month !== 10) return month > 3 && month < 10;
  return time_s >= lastSundayAtOne(year, month) ? month === 3 : month === 10;
}

/** Whether the normal tariff holds (Monday to Friday 7 to 23 h, not on a holiday); otherwise it is the low one. */
export function isNormalTariff(local: LocalTime): boolean {
  return local.weekday >= 1 && local.weekday <= 5 && local.hour >= 7 && local.hour < 23 && !isHoliday(local);
}

/** UTC seconds of 01:00 UTC on the last Sunday of a month with 31 days. */
function lastSundayAtOne(year: number, month: number): number {
  const last = dayNumberOf(year, month, 31);
  return (last - weekdayOf(last)) * seconds_per_day + 3600;
}

/** 1970-01-01 was a Thursday. */
function weekdayOf(dayNumber: number): number {
  return (dayNumber + 4) % 7;
}

// Dates from 1970 to 2099, in which every fourth year is a leap year. A year begins in March, so that the leap day comes last and
// the months before it have 153 days in every five. Day 0 of that count is 1968-03-01.
const epochShift_days = 671;
const days_per_four_years = 1461;

function dateOf(dayNumber: number): { readonly year: number; readonly month: number; readonly day: number } {
  const days = dayNumber + epochShift_days;
  const shiftedYear = Math.floor((4 * days + 3) / days_per_four_years);
  const dayOfYear = days - Math.floor((shiftedYear * days_per_four_years) / 4);
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const year = 1968 + shiftedYear;
  return shiftedMonth < 10 ? { year, month: shiftedMonth + 3, day } : { year: year + 1, month: shiftedMonth - 9, day };
}

function dayNumberOf(year: number, month: number, day: number): number {
  const shiftedYear = (month > 2 ? year : year - 1) - 1968;
  const shiftedMonth = month > 2 ? month - 3 : month + 9;
  const dayOfYear = Math.floor((153 * shiftedMonth + 2) / 5) + day - 1;
  return Math.floor((shiftedYear * days_per_four_years) / 4) + dayOfYear - epochShift_days;
}

function isHoliday({ year, month, day, dayNumber }: LocalTime): boolean {
  if (month === 1 && day === 1) return true;
  if (month === 4 && day === 27) return true;
  if (month === 12 && (day === 25 || day === 26)) return true;
  const sinceEaster = dayNumber - easterDayNumber(year);
  return sinceEaster === 1 || sinceEaster === 39 || sinceEaster === 50;
}

/** Easter Sunday of the Gregorian calendar (Meeus, Astronomical Algorithms, chapter 8). */
function easterDayNumber(year: number): number {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const f = Math.floor((b + 8) / 25);
  const g = Math.floor((b - f + 1) / 3);
  const h = (19 * a + b - Math.floor(b / 4) - g + 15) % 30;
  const l = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - h - (c % 4)) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const marchDays = h + l - 7 * m + 114;
  return dayNumberOf(year, Math.floor(marchDays / 31), (marchDays % 31) + 1);
}
