// `gridseal authority list`: the credentials of the register, one a line.

import { type Command, Option } from "commander";
import type { CredentialRow, RegisterView } from "../../authority/register/rows.js";
import { printLines, table, toJson } from "../../terminal/output.js";
import { type AuthorityOptions, useRegister, withAuthority } from "./authority-options.js";

interface ListOptions extends AuthorityOptions {
  readonly state?: string;
  readonly organisation?: string;
  readonly lot?: string;
  readonly json?: true;
}

/** `expired` is no state of the register: time alone makes it. */
const states = ["valid", "renewed", "replaced", "suspended", "revoked", "expired"];

export function registerList(authority: Command): void {
  withAuthority(authority.command("list").description("list credentials"))
    .addOption(new Option("--state <state>", "those in this state").choices(states))
    .option("--organisation <id>", "those of its participants and of devices at its points")
    .option("--lot <name>", "those of devices of this lot")
    .option("--json", "print a JSON document a line")
    .action(list);
}

/** The state that a person sees: a credential that is good but for its end has expired. */
export function stateOf({ state, expires_s }: CredentialRow, now_s: number): string {
  return state === "valid" && now_s >= expires_s ? "expired" : state;
}

/** A credential as commands print it. */
export function credentialView(view: RegisterView, row: CredentialRow, now_s: number) {
  const { subject: id, meter, statusIndex, services, roles, expires_s } = row;
  const point = view.get("assignments", id)?.point;
  return { id, meter, state: stateOf(row, now_s), statusIndex, roles, services, expires_s, point };
}

async function list(options: ListOptions): Promise<void> {
  const now_s = Math.floor(Date.now() / 1_000);
  await useRegister(options, (register) => {
    const rows: ReturnType<typeof credentialView>[] = [];
    for (const { row } of register.rows("credentials")) {
      if (options.state !== undefined && stateOf(row, now_s) !== options.state) continue;
      if (options.organisation !== undefined && organisationOf(register, row) !== options.organisation) continue;
      if (options.lot !== undefined && register.get("devices", row.subject)?.lot !== options.lot) continue;
      rows.push(credentialView(register, row, now_s));
    }
    const heads = ["id", "meter", "state", "roles", "services", "until", "point"];
    printLines(
      options.json
        ? rows.map(toJson)
        : table(
            heads,
            rows.map((row) => [
              ...[row.id, row.meter, row.state, row.roles.join(","), row.services.join(",")],
              ...[new Date(row.expires_s * 1_000).toISOString().slice(0, 10), row.point ?? ""],
            ]),
          ),
    );
  });
}

function organisationOf(view: RegisterView, { subject }: CredentialRow): string | undefined {
  const point = view.get("assignments", subject)?.point;
  return (
    view.get("participants", subject)?.organisation ??
    (point === undefined ? undefined : view.get("points", point)?.organisation)
  );
}
