// `gridseal authority approver list`: who may grant enrolments, and who might.

import type { Command } from "commander";
import { printLines, table, toJson } from "../../../terminal/output.js";
import { type AuthorityOptions, useRegister, withAuthority } from "../authority-options.js";

export function registerList(approver: Command): void {
  withAuthority(approver.command("list").description("list who grants enrolments"))
    .option("--json", "print a JSON document a line")
    .action(list);
}

async function list(options: AuthorityOptions & { readonly json?: true }): Promise<void> {
  await useRegister(options, (register) => {
    const rows = [...register.rows("approvers")].map(({ id, row: { name, stopped } }) => ({ id, name, stopped }));
    const cells = rows.map(({ id, name, stopped }) => [id, name, stopped ?? ""]);
    printLines(options.json ? rows.map(toJson) : table(["KEY", "NAME", "STOPPED"], cells));
  });
}
