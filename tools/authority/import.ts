// Brings a table of organisations, participants, points, devices or assignments into the register: all of its rows or none. What is
// registered already with the same values is left as it is, so that a table may be brought again when it has grown.

import { GridsealError, reasonOf } from "../errors.js";
import { readCsv } from "../files/csv.js";
import { checkIssuedId } from "./issue.js";
import type { Change } from "./register/changes.js";
import type { Draft } from "./register/draft.js";
import type { Register } from "./register/register.js";

/** Columns of each kind of table; those behind the mark may be left out or empty. */
const columns = {
  organisations: { needed: ["id", "name"], optional: ["eic", "gln", "contact"] },
  participants: { needed: ["id", "organisation"], optional: ["contact"] },
  points: { needed: ["id", "scheme"], optional: ["organisation"] },
  devices: { needed: ["id"], optional: ["lot", "key", "owner", "point"] },
} as const;
export type ImportedTable = keyof typeof columns;
export const importedTables = Object.keys(columns) as readonly ImportedTable[];

export const IMPORT_BYTES_MAX = 33_554_432;
const ROWS_MAX = 50_000;
const PROBLEMS_MAX = 100;

/** What a row would do or has done; `line` is its line in the file. */
export interface Imported {
  readonly line: number;
  readonly id: string;
  readonly does: "registers" | "assigns" | "nothing";
  /** the row cannot be brought in */
  readonly problem?: string;
}

/** What a dry run throws, so that the transaction leaves nothing; a run with problems throws it too. */
class Undone extends Error {}

/**
 * Brings the rows of a CSV text in, the first of which names the columns; where one has a problem, none. Throws FILE_INVALID for what is no
 * table of this kind.
 */
export function importTable(
  register: Register,
  text: string,
  options: { readonly table: ImportedTable; readonly isDry: boolean; readonly now_s: number },
): readonly Imported[] {
  const rows = rowsIn(text, options.table);
  const imported: Imported[] = [];
  try {
    register.update(options.now_s, (draft) => {
      let problems = 0;
      for (const row of rows) {
        const one = importRow(draft, options.table, row);
        imported.push(one);
        if (one.problem !== undefined) problems += 1;
        if (problems >= PROBLEMS_MAX) break;
      }
      if (options.isDry || problems > 0) throw new Undone();
      return [];
    });
  } catch (thrown) {
    if (!(thrown instanceof Undone)) throw thrown;
  }
  return imported;
}

interface Row {
  readonly line: number;
  readonly values: Readonly<Record<string, string>>;
}

function rowsIn(text: string, table: ImportedTable): readonly Row[] {
  const { needed, optional } = columns[table];
  const known: readonly string[] = [...needed, ...optional];
  let rows: ReturnType<typeof readCsv>;
  try {
    rows = readCsv(text);
  } catch (cause) {
    throw new GridsealError("FILE_INVALID", `the table cannot be read: ${reasonOf(cause)}`, { cause });
  }
  const [head, ...others] = rows;
  const names = head?.cells ?? [];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new GridsealError(
      "FILE_INVALID",
      `a table of ${table} has no column "${unknown}": it has ${known.join(", ")}`,
    );
  }
  const missing = needed.find((name) => !names.includes(name));
  if (missing !== undefined || new Set(names).size !== names.length) {
    throw new GridsealError(
      "FILE_INVALID",
      `a table of ${table} has the columns ${needed.join(", ")} in its first row, each once`,
    );
  }
  if (others.length === 0 || others.length > ROWS_MAX) {
    throw new GridsealError("FILE_INVALID", `a table has 1 to ${ROWS_MAX} rows below its first, not ${others.length}`);
  }
  return others.map(({ line, cells }) => ({
    line,
    values: Object.fromEntries(
      names.map((name, place) => [name, cells[place] ?? ""]).filter(([, cell]) => cell !== ""),
    ),
  }));
}

function importRow(draft: Draft, table: ImportedTable, { line, values }: Row): Imported {
  const id = values.id ?? "";
  const fail = (problem: string): Imported => ({ line, id, does: "nothing", problem });
  const missing = columns[table].needed.find((name) => values[name] === undefined);
  if (missing !== undefined) return fail(`column ${missing} is empty`);
  const { point, ...row } = values;
  if (table === "devices" || table === "participants") {
    try {
      checkIssuedId(id);
    } catch (error) {
      return fail(reasonOf(error));
    }
  }
  if (row.key !== undefined && !/^[0-9a-f]{16}$/.test(row.key)) return fail(`${row.key} is no key id of 16 hex digits`);
  const before = draft.get(table, id);
  const isSame = before !== undefined && Object.entries(row).every((entry) => isIn(before, entry));
  if (!isSame) {
    const reason = draft.attempt([registering(table, row)]);
    if (reason !== undefined) return fail(reason);
  }
  if (table !== "devices" || point === undefined || draft.get("assignments", id)?.point === point) {
    return { line, id, does: isSame ? "nothing" : "registers" };
  }
  const reason = draft.attempt([{ type: "assign", device: id, point }]);
  return reason === undefined ? { line, id, does: isSame ? "assigns" : "registers" } : fail(reason);
}

/** The values are texts of this table's columns. */
function registering(table: ImportedTable, row: Readonly<Record<string, string>>): Change {
  const type = table.slice(0, -1);
  return { type, [type]: row } as unknown as Change;
}

function isIn(row: object, [name, value]: readonly [string, string]): boolean {
  return Object.entries(row).some(([other, held]) => other === name && held === value);
}
