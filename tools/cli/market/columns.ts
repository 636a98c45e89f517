// Where a report's figures stand: the file that maps its columns. Grid operators each write their own table.

import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { parseObis } from "../../../src/meter/obis.js";
import { idFromText } from "../../../src/wire/key.js";
import { GridsealError, reasonOf } from "../../errors.js";
import type { Separator } from "../../files/csv.js";
import { readWhole } from "../../files/made-once.js";
import type { SheetNamed } from "../../files/xlsx/workbook.js";
import { KEY_PARTS, type Rounding, type SharingModel } from "../../market/sharing.js";
import type { CounterNamed } from "../../sources/counters.js";

const COLUMNS_BYTES_MAX = 1_048_576;
const PARTICIPANTS_MAX = 10_000;
/** Tariffs that a meter counts apart. */
const REGISTERS_MAX = 16;

/** A column by what stands at its head, or by its number from 1. */
const column = Type.Union([Type.String({ minLength: 1 }), Type.Integer({ minimum: 1, maximum: 100_000 })]);
export type Column = Static<typeof column>;

const measured = {
  name: Type.String({ minLength: 1 }),
  /** id of the meter whose sealed records give the energy */
  meter: Type.Optional(Type.String()),
  /** its counter, or those of its tariffs, which are added */
  register: Type.Optional(
    Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1, maxItems: REGISTERS_MAX })]),
  ),
};
const measuredShape = Type.Object(measured);
const strict = { additionalProperties: false };
const shape = Type.Object(
  {
    time: column,
    sheet: Type.Optional(Type.Union([Type.String({ minLength: 1 }), Type.Integer({ minimum: 1, maximum: 10_000 })])),
    zone: Type.Optional(Type.String()),
    headings: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })),
    footings: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })),
    stamp: Type.Optional(Type.Union([Type.Literal("begin"), Type.Literal("end")])),
    encoding: Type.Optional(Type.Union([Type.Literal("utf-8"), Type.Literal("windows-1252")])),
    separator: Type.Optional(Type.Union([Type.Literal(","), Type.Literal(";"), Type.Literal("\t")])),
    unit: Type.Optional(
      Type.Union([
        ...[Type.Literal("MWh"), Type.Literal("kWh"), Type.Literal("Wh"), Type.Literal("mWh")],
        ...[Type.Literal("kW"), Type.Literal("W")],
      ]),
    ),
    decimal: Type.Optional(Type.Union([Type.Literal("."), Type.Literal(",")])),
    grouping: Type.Optional(Type.Union([Type.Literal("."), Type.Literal(","), Type.Literal(" "), Type.Literal("'")])),
    model: Type.Union([
      ...[Type.Literal("proportional"), Type.Literal("static"), Type.Literal("redistributed"), Type.Literal("ranked")],
    ]),
    rounding: Type.Optional(Type.Union([Type.Literal("operator"), Type.Literal("conserving")])),
    consumers: Type.Array(
      Type.Object(
        {
          ...measured,
          consumed: Type.Optional(column),
          offered: Type.Optional(column),
          covered: Type.Optional(column),
          /** parts of 10,000, or a rank */
          key: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
        },
        strict,
      ),
      { minItems: 1, maxItems: PARTICIPANTS_MAX },
    ),
    producers: Type.Array(
      Type.Object({ ...measured, produced: Type.Optional(column), surplus: Type.Optional(column) }, strict),
      { minItems: 1, maxItems: PARTICIPANTS_MAX },
    ),
  },
  strict,
);

/** A counter whose sealed readings give a participant's energy, or a part of it. */
export interface Counter {
  /** the meter's id as hex */
  readonly meter: string;
  readonly counter: CounterNamed;
}

interface Participant {
  readonly name: string;
  /** the energy is the sum of theirs; none where no meter is named */
  readonly counters: readonly Counter[];
}

export interface Columns {
  readonly time: Column;
  /** of a workbook */
  readonly sheet: SheetNamed;
  /** of times that do not say it themselves: UTC, an offset or a name of the IANA's list */
  readonly zone: string;
  /** rows before the first slot; the last of them heads the columns */
  readonly headings: number;
  /** rows after the last slot, such as totals */
  readonly footings: number;
  /** the moment of a slot that the time names */
  readonly stamp: "begin" | "end";
  /** of a report that begins with no byte order mark */
  readonly encoding: "utf-8" | "windows-1252";
  /** undefined: the first row tells */
  readonly separator: Separator | undefined;
  /** digits behind the point that mWh, or mW, have in the report's unit */
  readonly digits: number;
  /** figures are the mean power of a slot */
  readonly isPower: boolean;
  readonly decimal: "." | ",";
  /** between groups of three digits */
  readonly grouping: "." | "," | " " | "'" | undefined;
  readonly model: SharingModel;
  readonly rounding: Rounding;
  readonly consumers: readonly (Participant & {
    readonly consumed?: Column;
    readonly offered?: Column;
    readonly covered?: Column;
    readonly key?: number;
  })[];
  readonly producers: readonly (Participant & { readonly produced?: Column; readonly surplus?: Column })[];
}

const digitsOf = { MWh: 9, kWh: 6, Wh: 3, mWh: 0, kW: 6, W: 3 } as const;

/** Reads the file. Rejects with REPORT_INVALID, which names the field. */
export async function readColumns(path: string): Promise<Columns> {
  const bytes = await readWhole(path, COLUMNS_BYTES_MAX);
  try {
    const parsed: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    const wrong = Value.Errors(shape, parsed).First();
    if (wrong !== undefined) throw new Error(`${wrong.path || "the file"}: ${wrong.message}`);
    return columnsOf(parsed as Static<typeof shape>);
  } catch (cause) {
    throw new GridsealError("REPORT_INVALID", `${path} maps no columns: ${reasonOf(cause)}`, { cause });
  }
}

function columnsOf(fields: Static<typeof shape>): Columns {
  const { model, consumers } = fields;
  const isKeyed = model !== "proportional";
  const rounding = fields.rounding ?? (model === "proportional" || model === "static" ? "operator" : "conserving");
  if (rounding === "operator" && (model === "redistributed" || model === "ranked")) {
    throw new Error(`rounding: ${model} is conserving`);
  }
  for (const { name, key } of consumers) {
    if (isKeyed !== (key !== undefined)) {
      throw new Error(`consumer ${name} has ${isKeyed ? "no key" : "a key, which proportional does not use"}`);
    }
  }
  const keys = consumers.reduce((sum, { key = 0 }) => sum + key, 0);
  if ((model === "static" || model === "redistributed") && keys > Number(KEY_PARTS)) {
    throw new Error(`keys add up to ${keys}, which is more than ${KEY_PARTS}`);
  }
  const { unit = "kWh", decimal = ".", grouping } = fields;
  if (grouping === decimal) throw new Error(`grouping: ${JSON.stringify(grouping)} is the decimal sign too`);
  return {
    time: fields.time,
    sheet: fields.sheet ?? 1,
    zone: fields.zone ?? "UTC",
    headings: fields.headings ?? 1,
    footings: fields.footings ?? 0,
    stamp: fields.stamp ?? "begin",
    encoding: fields.encoding ?? "utf-8",
    separator: fields.separator,
    digits: digitsOf[unit],
    isPower: unit === "kW" || unit === "W",
    decimal,
    grouping,
    model,
    rounding,
    consumers: fields.consumers.map((consumer) => ({ ...consumer, counters: countersOf(consumer, "imported") })),
    producers: fields.producers.map((producer) => ({ ...producer, counters: countersOf(producer, "exported") })),
  };
}

function countersOf({ name, meter, register }: Static<typeof measuredShape>, usual: CounterNamed): readonly Counter[] {
  if (meter === undefined) return [];
  if (idFromText(meter) === undefined) throw new Error(`${name}: meter ${meter} is no id of 16 hex digits`);
  if (register === undefined) return [{ meter, counter: usual }];
  const registers = [register].flat();
  if (new Set(registers).size < registers.length) throw new Error(`${name}: a register is named twice`);
  return registers.map((each) => ({ meter, counter: parseObis(each) }));
}
