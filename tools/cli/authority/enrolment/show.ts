// `gridseal authority enrolment show`: all that somebody has said of itself, and who has granted it.

import type { Command } from "commander";
import { GridsealError } from "../../../errors.js";
import { keyIdText } from "../../../terminal/arguments.js";
import { pairs, printLines, timeText, toJson } from "../../../terminal/output.js";
import { type AuthorityOptions, useRegister, withAuthority } from "../authority-options.js";

export function registerShow(enrolment: Command): void {
  withAuthority(enrolment.command("show").description("show an enrolment: what is asked for, and who has granted it"))
    .argument("<key>", "its key id", keyIdText)
    .option("--json", "print JSON")
    .action(show);
}

async function show(key: string, options: AuthorityOptions & { readonly json?: true }): Promise<void> {
  const shown = await useRegister(options, (register) => {
    const row = register.get("enrolments", key);
    if (row === undefined) throw new GridsealError("NOT_FOUND", `there is no enrolment of key ${key}`);
    const { message: _bytes, genesis: _network, hash, received_s, approvals, ...told } = row;
    const by = approvals.map(({ by: id }) => register.get("approvers", id)!.name);
    return { key, ...told, received: timeText(received_s * 1_000), by, hash };
  });
  if (options.json) {
    printLines([toJson(shown)]);
    return;
  }
  printLines(
    pairs(
      Object.entries(shown).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : String(value)]),
    ),
  );
}
