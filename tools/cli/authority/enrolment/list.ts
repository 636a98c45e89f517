// `gridseal authority enrolment list`: who has asked to become a participant.

import { type Command, Option } from "commander";
import { approvalsMissing } from "../../../authority/register/enrolments.js";
import { printLines, table, timeText, toJson } from "../../../terminal/output.js";
import { type AuthorityOptions, useRegister, withAuthority } from "../authority-options.js";

interface ListOptions extends AuthorityOptions {
  readonly state?: string;
  readonly json?: true;
}

export function registerList(enrolment: Command): void {
  withAuthority(enrolment.command("list").description("list enrolments"))
    .addOption(new Option("--state <state>", "those in this state").choices(["waiting", "granted", "refused"]))
    .option("--json", "print a JSON document a line")
    .action(list);
}

async function list(options: ListOptions): Promise<void> {
  await useRegister(options, (register) => {
    const found = [...register.rows("enrolments")].filter(
      ({ row }) => options.state === undefined || row.state === options.state,
    );
    const rows = found.map(({ id: key, row }) => {
      const { state, name, roles, received_s, code, id } = row;
      const missing = state === "waiting" ? approvalsMissing(register, row) : 0;
      return { key, state, name, roles, code, received: timeText(received_s * 1_000), missing, id };
    });
    const heads = ["KEY", "STATE", "LACKS", "NAME", "ROLES", "RECEIVED", "ID"];
    const cells = rows.map(({ key, state, missing, name, roles, received, id }) => [
      ...[key, state, String(missing), name, roles.join(","), received.slice(0, 10), id ?? ""],
    ]);
    printLines(options.json ? rows.map(toJson) : table(heads, cells));
  });
}
