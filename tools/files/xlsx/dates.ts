// Serial numbers of days as text. A workbook tells a date from a number by its format alone (ECMA-376 part 1, 18.8.30, 18.17.4.1).

const DAY_S = 86_400;
/** 1899-12-30: days count from it after February 1900, a month that is a day too long in workbooks. */
const EPOCH_1900_S = -2_209_161_600;
const MARCH_1900 = 61;
/** 1904-01-01 as a day of the 1900 system. */
const DAYS_TO_1904 = 1_462;
/** 10000-01-01 */
const SERIALS_END = 2_958_466;

/** Formats that every workbook has: those of dates and times, of some countries too. */
const builtIn: readonly (readonly [number, number])[] = [
  [14, 22],
  [27, 36],
  [45, 47],
  [50, 58],
];

/** Whether numbers of the format are dates or times; `code` is the workbook's own format, undefined of one that all have. */
export function isDateFormat(id: number, code: string | undefined): boolean {
  if (code === undefined) return builtIn.some(([first, last]) => id >= first && id <= last);
  const [positive = ""] = code.replace(/"[^"]*"|[\\_*]./g, "").split(";");
  const signs = positive
    .replace(/\[(h+|m+|s+)\]/gi, "$1")
    .replace(/\[[^\]]*\]/g, "")
    .replace(/s[.,]0+/gi, "s");
  return /[ymdhs]/i.test(signs) && !/[0#?]/.test(signs);
}

/**
 * `2026-03-29 00:15:00`, to the nearest second: quarters of an hour are no finite fractions of a day. `00:15:00` where there is no day.
 * Undefined where the number stands for no day after February 1900.
 */
export function serialText(serial: number, { is1904 }: { readonly is1904: boolean }): string | undefined {
  if (serial >= 0 && serial < 1) return isoText(serial * DAY_S).slice(11);
  const days = is1904 ? serial + DAYS_TO_1904 : serial;
  if (!(days >= MARCH_1900 && days < SERIALS_END)) return undefined;
  return isoText(EPOCH_1900_S + days * DAY_S);
}

function isoText(time_s: number): string {
  return new Date(Math.round(time_s) * 1_000).toISOString().slice(0, 19).replace("T", " ");
}
