// Times of tables, which seldom say their zone. Where clocks go back an hour comes twice: the rows before tell which one is meant.

/** So much a zone can differ from UTC, each way. */
const OFFSET_MAX_MS = 86_400_000;

export interface ZoneClock {
  /** UTC seconds of a local time, the first that is after `after_s`; undefined where the text is no time that the zone has. */
  read(text: string, after_s: number): number | undefined;
}

/** Throws a RangeError where the zone is neither UTC, an offset such as +01:00, nor a name that Node knows. */
export function createZoneClock(zone: string): ZoneClock {
  const fixed = offsetOf(zone);
  const offsetAt = fixed === undefined ? zoneOffsets(zone) : () => fixed;
  return {
    read(text, after_s) {
      const parts = partsOf(text);
      if (parts === undefined) return undefined;
      if (parts.offset_ms !== undefined) return (parts.local_ms - parts.offset_ms) / 1_000;
      const { local_ms } = parts;
      const offsets = [offsetAt(local_ms - OFFSET_MAX_MS), offsetAt(local_ms + OFFSET_MAX_MS)];
      const times = offsets
        .map((offset) => local_ms - offset)
        .filter((time_ms) => time_ms + offsetAt(time_ms) === local_ms)
        .map((time_ms) => time_ms / 1_000)
        .sort((one, other) => one - other);
      return times.find((time_s) => time_s > after_s) ?? times[0];
    },
  };
}

interface Parts {
  /** as if the time were UTC */
  readonly local_ms: number;
  /** where the text says it */
  readonly offset_ms?: number;
}

/** `2026-03-29T00:15`, `2026-03-29 00:15:00+01:00`, `29.03.2026 00:15` and the like. */
function partsOf(text: string): Parts | undefined {
  const clock = "(\\d\\d?):(\\d\\d)(?::(\\d\\d)(?:\\.0+)?)?\\s*(Z|[+-]\\d\\d:?\\d\\d)?";
  const iso = new RegExp(`^(\\d{4})-(\\d\\d)-(\\d\\d)[T ]+${clock}$`).exec(text);
  const dotted = new RegExp(`^(\\d\\d?)[./](\\d\\d?)[./](\\d{4})[ ,]+${clock}$`).exec(text);
  const found = iso ?? dotted;
  if (found === null) return undefined;
  const [first, second, third, hour, minute, seconds] = found.slice(1, 7).map((digits) => Number(digits ?? 0));
  const [year, month, day] = iso === null ? [third!, second!, first!] : [first!, second!, third!];
  const local_ms = Date.UTC(year, month - 1, day, hour, minute, seconds);
  const date = new Date(Date.UTC(year, month - 1, day));
  // 24:00 is the end of a day: reports that name ends of slots write it.
  const isClock = (hour! < 24 || (hour === 24 && minute === 0 && seconds === 0)) && minute! < 60 && seconds! < 60;
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || !isClock) {
    return undefined;
  }
  const zone = found[7];
  return zone === undefined ? { local_ms } : { local_ms, offset_ms: offsetOf(zone)! };
}

/** UTC, Z, +01:00 or +0100, in milliseconds; undefined for anything else. */
function offsetOf(text: string): number | undefined {
  if (text === "UTC" || text === "Z") return 0;
  const found = /^([+-])(\d\d):?(\d\d)$/.exec(text);
  if (found === null) return undefined;
  const minutes = 60 * Number(found[2]) + Number(found[3]);
  return (found[1] === "-" ? -1 : 1) * minutes * 60_000;
}

/** How far a zone is ahead of UTC at a moment; kept by the hour, as rows follow each other. */
function zoneOffsets(zone: string): (time_ms: number) => number {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    ...{ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" },
  });
  return (time_ms) => {
    const parts = new Map(format.formatToParts(time_ms).map(({ type, value }) => [type, Number(value)]));
    const at = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
    const local_ms = Date.UTC(at("year"), at("month") - 1, at("day"), at("hour"), at("minute"), at("second"));
    return local_ms - Math.floor(time_ms / 1_000) * 1_000;
  };
}
