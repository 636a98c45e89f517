// The table of readings that an export has: a row for each register of each sealed reading, with what proves it.

/** How Parquet keeps a column (apache/parquet-format, Types and LogicalTypes). */
export type ColumnType = "INT32" | "INT64" | "STRING" | "TIMESTAMP";

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly isNullable: boolean;
  /** what stands in it, with its unit */
  readonly what: string;
}

export const columns = [
  { name: "height", type: "INT64", isNullable: false, what: "height of the block" },
  { name: "leaf", type: "INT32", isNullable: false, what: "place of the record in its block's tree, from 1" },
  {
    name: "record",
    type: "STRING",
    isNullable: false,
    what: "SHA-256 of the sealed record, hex: its leaf and receipt",
  },
  { name: "meter", type: "STRING", isNullable: false, what: "the meter's id, 16 hex digits" },
  { name: "number", type: "INT64", isNullable: false, what: "the record's number of its meter and service" },
  { name: "time", type: "TIMESTAMP", isNullable: false, what: "UTC time of the reading, whole seconds" },
  {
    name: "quality",
    type: "INT32",
    isNullable: false,
    what: "of the clock: 0 unknown, 1 informative, 2 synchronised, 3 relative",
  },
  {
    name: "hidden",
    type: "INT32",
    isNullable: false,
    what: "confidential groups of the record: their values are not here",
  },
  {
    name: "obis",
    type: "STRING",
    isNullable: true,
    what: "OBIS code of the register; null where the record shows none",
  },
  { name: "value", type: "INT64", isNullable: true, what: "times 10 to the scaler in the unit; null beyond 64 bits" },
  { name: "scaler", type: "INT32", isNullable: true, what: "power of ten of the value" },
  { name: "unit", type: "STRING", isNullable: true, what: "of the value, as Wh or W" },
  { name: "unit_code", type: "INT32", isNullable: true, what: "the same as DLMS code (IEC 62056-6-2)" },
  { name: "age_s", type: "INT64", isNullable: true, what: "seconds between the register's capture and the reading" },
] as const satisfies readonly Column[];

export type ColumnName = (typeof columns)[number]["name"];

/** A row: integers as number or bigint, times in UTC seconds. */
export interface Row {
  readonly height: number;
  readonly leaf: number;
  readonly record: string;
  readonly meter: string;
  readonly number: number;
  readonly time_s: number;
  readonly quality: number;
  readonly hidden: number;
  readonly obis: string | null;
  readonly value: bigint | null;
  readonly scaler: number | null;
  readonly unit: string | null;
  readonly unit_code: number | null;
  readonly age_s: number | null;
}
