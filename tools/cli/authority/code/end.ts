// `gridseal authority code end`: a code lets nobody in any more.

import type { Command } from "commander";
import { printLines, toJson } from "../../../terminal/output.js";
import { type AuthorityOptions, useRegister, withAuthority } from "../authority-options.js";

interface EndOptions extends AuthorityOptions {
  readonly reason: string;
  readonly json?: true;
}

export function registerEnd(code: Command): void {
  withAuthority(code.command("end").description("let nobody in by a code any more"))
    .argument("<name>", "the code's name: its first four characters")
    .requiredOption("--reason <text>", "why; stays in the register")
    .option("--json", "print JSON")
    .action(end);
}

async function end(name: string, options: EndOptions): Promise<void> {
  await useRegister(options, (register) => {
    register.update(Math.floor(Date.now() / 1_000), () => [{ type: "end-code", code: name, reason: options.reason }]);
  });
  printLines([options.json ? toJson({ name, ended: options.reason }) : `code ${name} lets nobody in any more`]);
}
