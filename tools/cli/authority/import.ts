// `gridseal authority import`: brings a table of comma-separated values into the register, or says what it would do.

import { type Command, Option } from "commander";
import {
  IMPORT_BYTES_MAX,
  type Imported,
  type ImportedTable,
  importedTables,
  importTable,
} from "../../authority/import.js";
import { GridsealError } from "../../errors.js";
import { readWhole } from "../../files/made-once.js";
import { printLines, toJson } from "../../terminal/output.js";
import { type AuthorityOptions, useRegister, withAuthority } from "./authority-options.js";

interface ImportOptions extends AuthorityOptions {
  readonly what: ImportedTable;
  readonly dryRun?: true;
  readonly json?: true;
}

export function registerImport(authority: Command): void {
  withAuthority(authority.command("import").description("bring a CSV table into the register, all of it or nothing"))
    .argument("<file>", "table whose first row names its columns")
    .addOption(
      new Option("--what <table>", "what its rows are")
        .choices([...importedTables])
        .default("devices" as ImportedTable),
    )
    .option("--dry-run", "say what each row would do, and change nothing")
    .option("--json", "print a JSON document a row")
    .action(importFile);
}

async function importFile(file: string, options: ImportOptions): Promise<void> {
  const { what: table, dryRun } = options;
  const text = new TextDecoder().decode(await readWhole(file, IMPORT_BYTES_MAX));
  const now_s = Math.floor(Date.now() / 1_000);
  const rows = await useRegister(options, (register) =>
    importTable(register, text, { table, isDry: dryRun ?? false, now_s }),
  );
  const problems = rows.filter(({ problem }) => problem !== undefined);
  const shown = dryRun ? rows : problems;
  printLines(options.json ? rows.map(toJson) : shown.map(lineOf));
  if (problems.length > 0) {
    throw new GridsealError("REGISTER_REFUSED", `${file}: ${problems.length} of its rows do not apply`);
  }
  if (!options.json) printLines([summaryOf(rows, table, dryRun ?? false)]);
}

function lineOf({ line, id, does, problem }: Imported): string {
  return `line ${line}: ${id}: ${problem ?? (does === "nothing" ? "is registered already" : does)}`;
}

function summaryOf(rows: readonly Imported[], table: ImportedTable, isDry: boolean): string {
  const counts = (["registers", "assigns", "nothing"] as const).map(
    (kind) => rows.filter(({ does }) => does === kind).length,
  );
  const verb = isDry ? "would be" : "are";
  return `${table}: ${counts[0]} ${verb} registered, ${counts[1]} assigned anew, ${counts[2]} as before`;
}
