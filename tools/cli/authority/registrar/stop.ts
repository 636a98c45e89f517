// `gridseal authority registrar stop`: its word counts no more, from the next request on.

import type { Command } from "commander";
import { printLines, toJson } from "../../../terminal/output.js";
import { type AuthorityOptions, useRegister, withAuthority } from "../authority-options.js";

interface StopOptions extends AuthorityOptions {
  readonly reason: string;
  readonly json?: true;
}

export function registerStop(registrar: Command): void {
  withAuthority(registrar.command("stop").description("hear a registrar no more; what it has registered stays"))
    .argument("<id>", "ID of the registrar")
    .requiredOption("--reason <text>", "why; stays in the register, and is told to who asks")
    .option("--json", "print JSON")
    .action(stop);
}

async function stop(id: string, options: StopOptions): Promise<void> {
  const row = await useRegister(options, (register) => {
    register.update(Math.floor(Date.now() / 1_000), () => [{ type: "stop", registrar: id, reason: options.reason }]);
    return register.get("registrars", id)!;
  });
  printLines(
    options.json
      ? [toJson(row)]
      : [
          `${id} is heard no more; ${row.devices} devices have a credential by its word`,
          `next: gridseal authority list --registrar ${id} --network ${options.network}, and order revoke for those that you do not trust`,
        ],
  );
}
