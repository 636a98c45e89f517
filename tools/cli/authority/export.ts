// `gridseal authority export`: the credentials of the register as CSV (RFC 4180), or its log as it is stored, an entry a line.

import { type Command, Option } from "commander";
import { csvRow } from "../../authority/csv.js";
import type { Register } from "../../authority/register/register.js";
import { createFile } from "../../files/made-once.js";
import { SECRET } from "../../files/private-files.js";
import { printLines } from "../../terminal/output.js";
import { type AuthorityOptions, useRegister, withAuthority } from "./authority-options.js";
import { credentialView } from "./list.js";

interface ExportOptions extends AuthorityOptions {
  readonly out: string;
  readonly what: "credentials" | "log";
}

export function registerExport(authority: Command): void {
  withAuthority(authority.command("export").description("write the credentials as CSV, or the register's log"))
    .requiredOption("-o, --out <file>", "file to make; its owner's alone")
    .addOption(new Option("--what <part>", "what to write").choices(["credentials", "log"]).default("credentials"))
    .action(exportRegister);
}

async function exportRegister(options: ExportOptions): Promise<void> {
  const count = await useRegister(options, async (register) => {
    let lines = 0;
    const counted = async function* () {
      for (const line of options.what === "log" ? logLines(register) : credentialLines(register)) {
        lines += 1;
        yield new TextEncoder().encode(line);
      }
    };
    await createFile(options.out, counted(), SECRET);
    return lines;
  });
  printLines([`${options.out}: ${options.what}, ${count} lines`]);
}

function* logLines(register: Register): Generator<string> {
  const decoder = new TextDecoder();
  for (const bytes of register.entries()) yield `${decoder.decode(bytes)}\n`;
}

function* credentialLines(register: Register): Generator<string> {
  const now_s = Math.floor(Date.now() / 1_000);
  yield csvRow(["id", "meter", "key", "state", "statusIndex", "roles", "services", "notBefore", "expires", "point"]);
  for (const { row } of register.rows("credentials")) {
    const { id, meter, state, statusIndex, roles, services, point } = credentialView(register, row, now_s);
    const [from, until] = [row.notBefore_s, row.expires_s].map((time_s) => new Date(time_s * 1_000).toISOString());
    yield csvRow([
      ...[id, meter, row.key, state, String(statusIndex), roles.join(" "), services.join(" ")],
      ...[from!, until!, point ?? ""],
    ]);
  }
}
