// `gridseal contract`: what an author of contracts needs, all of it offline.

import type { Command } from "commander";
import { registerLint } from "./lint.js";
import { registerNew } from "./new.js";
import { registerTest } from "./test.js";

export function registerContract(program: Command): void {
  const contract = program.command("contract").description("rules of a service, written and tried offline");
  registerNew(contract);
  registerLint(contract);
  registerTest(contract);
}
