// The meters that are to be, of a table: a maker's or a utility's list. `mac` binds an ID to a board, `place` is the service ID of its
// schedule (a measuring point's number), the row's number where it is left out.

import { GridsealError, reasonOf } from "../../errors.js";
import { readCsv } from "../../files/csv.js";
import type { Listed } from "./bench.js";

export const LIST_BYTES_MAX = 8_388_608;
const ROWS_MAX = 50_000;
const COLUMNS = ["id", "mac", "place"];

/** The rows of a CSV text whose first row names its columns: `id`, and where wanted `mac` and `place`. Throws FILE_INVALID. */
export function readList(text: string, name: string): readonly Listed[] {
  const refuse = (what: string, cause?: unknown) => new GridsealError("FILE_INVALID", `${name}: ${what}`, { cause });
  let rows: ReturnType<typeof readCsv>;
  try {
    rows = readCsv(text);
  } catch (cause) {
    throw refuse(reasonOf(cause), cause);
  }
  const [head, ...others] = rows;
  const names = head?.cells ?? [];
  if (!names.includes("id") || names.some((each) => !COLUMNS.includes(each)) || new Set(names).size !== names.length)
    throw refuse(`its first row names the columns ${COLUMNS.join(", ")}, of which id must be there`);
  if (others.length === 0 || others.length > ROWS_MAX) throw refuse(`it has 1 to ${ROWS_MAX} rows below its first`);
  return others.map(({ line, cells }, index) => {
    const cell = (column: string) => cells[names.indexOf(column)] ?? "";
    const mac = cell("mac").replaceAll(":", "").toLowerCase();
    if (mac !== "" && !/^[0-9a-f]{12}$/.test(mac)) throw refuse(`line ${line}: ${cell("mac")} is no MAC address`);
    const place = cell("place") === "" ? index + 1 : Number(cell("place"));
    if (!Number.isSafeInteger(place) || place < 0) throw refuse(`line ${line}: ${cell("place")} is no place`);
    return { id: cell("id"), place, ...(mac !== "" && { mac }) };
  });
}
