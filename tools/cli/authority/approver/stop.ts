// `gridseal authority approver stop`: its word counts no more; what it granted stays.

import type { Command } from "commander";
import { keyIdText } from "../../../terminal/arguments.js";
import { printLines, toJson } from "../../../terminal/output.js";
import { type AuthorityOptions, useRegister, withAuthority } from "../authority-options.js";

interface StopOptions extends AuthorityOptions {
  readonly reason: string;
  readonly json?: true;
}

export function registerStop(approver: Command): void {
  withAuthority(approver.command("stop").description("hear an approver no more; what it has granted stays"))
    .argument("<key>", "its key id", keyIdText)
    .requiredOption("--reason <text>", "why; stays in the register")
    .option("--json", "print JSON")
    .action(stop);
}

async function stop(key: string, options: StopOptions): Promise<void> {
  const { reason } = options;
  const { name } = await useRegister(options, (register) => {
    register.update(Math.floor(Date.now() / 1_000), () => [{ type: "stop-approver", key, reason }]);
    return register.get("approvers", key)!;
  });
  printLines([options.json ? toJson({ id: key, name, stopped: reason }) : `${name} is heard no more`]);
}
