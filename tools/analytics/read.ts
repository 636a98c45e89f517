// The rows of an export, read back file by file, each held against its digest in the manifest.

import { parquetReadObjects } from "hyparquet";
import { parseObis } from "../../src/meter/obis.js";
import { GridsealError, reasonOf } from "../errors.js";
import { columns, type Row } from "./columns.js";
import { type ExportedFile, type Manifest, readExported } from "./manifest.js";
import { dayOf } from "./parts.js";

/** An export in a folder. */
export interface Export {
  readonly folder: string;
  readonly manifest: Manifest;
}

/** UTC seconds; `to_s` is behind the last. */
export interface Period {
  readonly from_s: number;
  readonly to_s: number;
}

/** Which files have rows of a chain's days, in their order. Throws USAGE where the export has no Parquet. */
export function filesOf(
  { folder, manifest }: Export,
  service: number,
  { from_s, to_s }: Period,
): readonly ExportedFile[] {
  const own = manifest.files.filter((file) => file.service === service);
  if (own.length > 0 && !own.some(({ form }) => form === "parquet")) {
    throw new GridsealError("USAGE", `${folder} has CSV alone: export again with --format parquet or both`);
  }
  const [first, last] = [dayOf(from_s), dayOf(Math.max(from_s, to_s - 1))];
  // Days of years beyond 9999 have a sign and compare otherwise: all of them are read.
  const isWithin = (day: string) => day.startsWith("+") || last.startsWith("+") || (day >= first && day <= last);
  return own.filter(({ form, day }) => form === "parquet" && isWithin(day));
}

/** Rejects with FILE_UNREADABLE, or FILE_INVALID where a file is not what the manifest says. */
export async function* rowsOf(
  of: Export,
  service: number,
  period: Period,
  onFile: (done: number, total: number) => void = () => {},
): AsyncGenerator<Row> {
  const files = filesOf(of, service, period);
  for (const [at, file] of files.entries()) {
    yield* await rowsIn(of, file);
    onFile(at + 1, files.length);
  }
}

async function rowsIn(of: Export, file: ExportedFile): Promise<readonly Row[]> {
  const bytes = await readExported(of.folder, file);
  try {
    const whole = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    return (await parquetReadObjects({ file: whole })).map(rowFrom);
  } catch (cause) {
    throw new GridsealError("FILE_INVALID", `${file.path} cannot be read as Parquet: ${reasonOf(cause)}`, { cause });
  }
}

const typeOf = { INT32: "number", INT64: "bigint", STRING: "string", TIMESTAMP: "object" } as const;

/** Whoever made the file may have written anything. Throws a RangeError where a cell is of another type than its column. */
function rowFrom(cells: Readonly<Record<string, unknown>>): Row {
  for (const { name, type, isNullable } of columns) {
    const cell = cells[name];
    const isSound = cell === null ? isNullable : typeof cell === typeOf[type];
    if (!isSound) throw new RangeError(`a cell of ${name} is no ${type}`);
  }
  if (cells.obis !== null) parseObis(cells.obis as string);
  const { time, ...others } = cells as Omit<Row, "time_s"> & { readonly time: Date };
  const { height, leaf, number, age_s } = others;
  return {
    ...others,
    ...{
      time_s: Math.floor(time.getTime() / 1_000),
      height: Number(height),
      leaf: Number(leaf),
      number: Number(number),
    },
    age_s: age_s === null ? null : Number(age_s),
  };
}
