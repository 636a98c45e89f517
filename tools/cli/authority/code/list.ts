// `gridseal authority code list`: the one-time codes by their names, and what has become of them.

import type { Command } from "commander";
import { codeStateOf } from "../../../authority/register/enrolment-codes.js";
import type { CodeRow } from "../../../authority/register/rows.js";
import { printLines, table, toJson } from "../../../terminal/output.js";
import { type AuthorityOptions, useRegister, withAuthority } from "../authority-options.js";

export function registerList(code: Command): void {
  withAuthority(
    code.command("list").description("list the codes by their names; what is secret of them is kept nowhere"),
  )
    .option("--json", "print a JSON document a line")
    .action(list);
}

async function list(options: AuthorityOptions & { readonly json?: true }): Promise<void> {
  const now_s = Math.floor(Date.now() / 1_000);
  await useRegister(options, (register) => {
    const rows = [...register.rows("codes")].map(({ row }) => viewOf(row, now_s));
    const heads = ["NAME", "STATE", "ROLES", "SERVICES", "ORGANISATION", "APPROVALS", "UNTIL", "USED BY"];
    const cells = rows.map(({ name, state, roles, services, organisation, approvals, until, used }) => [
      ...[name, state, roles.join(","), services.join(","), organisation ?? ""],
      ...[String(approvals), until.slice(0, 10), used ?? ""],
    ]);
    printLines(options.json ? rows.map(toJson) : table(heads, cells));
  });
}

function viewOf(row: CodeRow, now_s: number) {
  const { key: _checksProofs, expires_s, ...shown } = row;
  return { ...shown, state: codeStateOf(row, now_s), until: new Date(expires_s * 1_000).toISOString() };
}
