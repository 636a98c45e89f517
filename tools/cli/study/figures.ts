// A study's figures for people: single ones by their names, lists as tables with heads.

import type { Value } from "../../../src/wire/value.js";
import { pairs, secondText, table, terminalColumns, toJson } from "../../terminal/output.js";

/** Lines of a list that are shown; the result's file has all. */
const SHOWN_MAX = 24;
const COLUMNS = 80;
const QUARTER_S = 900;
const DAY_S = 86_400;

type Figures = { readonly [name: string]: Value };
type Cell = string | number;

/** A list as it is shown. A row of it is a list, or one value; what is no row for people is left out. */
interface Shown {
  readonly heads: readonly string[];
  readonly row: (values: readonly Value[], place: number) => readonly Cell[] | undefined;
}

/** By study and list, what tools/analytics/studies put into it. */
const lists: Readonly<Record<string, Shown>> = {
  "load-curve.curve": {
    heads: ["UTC", "mWh", "SLOTS", "mW A MEMBER"],
    row: (values, place) => (values[1] === 0 ? undefined : [quarterText(place), ...values.map(cellOf)]),
  },
  "load-curve.duration_mW": {
    heads: ["% OF THE TIME", "mW OR MORE"],
    row: ([power], place) => [5 * place, cellOf(power)],
  },
  "quality.bands": {
    heads: ["% OF SLOTS KNOWN", "MEMBERS"],
    row: ([members], place) => [`${10 * place}-${10 * place + 10}`, cellOf(members)],
  },
  "quality.league": asTheyAre(["METER", "READ", "INTERPOLATED", "MISSING", "‰ KNOWN"]),
  "anomalies.days": ofDays(["DAY", "ODD SLOTS", "MEMBERS"]),
  "anomalies.listed": {
    heads: ["METER", "SLOT", "mWh", "USUAL mWh"],
    row: ([meter, start_s, ...rest]) => [cellOf(meter), secondText(Number(start_s)), ...rest.map(cellOf)],
  },
  "feeder-loss.days": ofDays(["DAY", "SLOTS", "FEEDER mWh", "MEMBERS mWh", "LOST mWh"]),
  "day-shapes.clusters": asTheyAre(["DAYS", "MEMBERS", "PARTS OF THE DAY'S ENERGY BY HOUR OF UTC, IN 0.00001"]),
};

/** Lines of what a study of this kind has come to. */
export function figureLines(kind: string, figures: Figures): string[] {
  const columns = terminalColumns() ?? COLUMNS;
  const all = Object.entries(figures).filter(([name]) => !isQuery(kind) || name !== "columns");
  const single = all.filter(([, value]) => !Array.isArray(value));
  return [
    ...pairs(single.map(([name, value]) => [name, `${cellOf(value)}`])),
    ...all.flatMap(([name, value]) => {
      if (!Array.isArray(value)) return [];
      const { heads, row } = shownOf(kind, name, figures);
      const rows = (value as readonly Value[]).flatMap((each, place) => {
        const cells = row(Array.isArray(each) ? (each as readonly Value[]) : [each], place);
        return cells === undefined ? [] : [cells];
      });
      const more = rows.length - SHOWN_MAX;
      return [
        "",
        `${name}:`,
        ...table(heads, rows.slice(0, SHOWN_MAX), columns),
        ...(more > 0 ? [`and ${more} more, which -o FILE has`] : []),
      ];
    }),
  ];
}

function isQuery(kind: string): boolean {
  return kind === "sql";
}

/** A query names its columns itself. */
function shownOf(kind: string, name: string, { columns }: Figures): Shown {
  if (isQuery(kind) && Array.isArray(columns)) return asTheyAre((columns as readonly Value[]).map(textOf));
  return lists[`${kind}.${name}`] ?? { heads: ["VALUE"], row: (values) => [values.map(textOf).join("  ")] };
}

function asTheyAre(heads: readonly string[]): Shown {
  return { heads, row: (values) => values.map(cellOf) };
}

/** The first is a day of UTC since 1970. */
function ofDays(heads: readonly string[]): Shown {
  return {
    heads,
    row: ([day, ...rest]) => [secondText(DAY_S * Number(day)).slice(0, "2026-11-30".length), ...rest.map(cellOf)],
  };
}

function quarterText(place: number): string {
  return secondText(QUARTER_S * place).slice("1970-01-01T".length, "1970-01-01T00:00".length);
}

function cellOf(value: Value | undefined): Cell {
  return typeof value === "number" ? value : textOf(value ?? null);
}

function textOf(value: Value): string {
  if (Array.isArray(value)) return (value as readonly Value[]).map(textOf).join(" ");
  return typeof value === "string" ? value : value === null ? "-" : toJson(value);
}
