// `gridseal contract`: contracts written and tried offline, then ordered onto chains.

import type { Command } from "commander";
import { registerDiff } from "./diff.js";
import { registerLint } from "./lint.js";
import { registerList } from "./list.js";
import { registerNew } from "./new.js";
import { registerParameters, registerRetire } from "./parameters.js";
import { registerPropose } from "./propose.js";
import { registerContractReady } from "./ready.js";
import { registerReplay } from "./replay.js";
import { registerShow } from "./show.js";
import { registerTest } from "./test.js";

export function registerContract(program: Command): void {
  const contract = program
    .command("contract")
    .description("rules of a service: written and tried offline, then ordered onto chains");
  registerNew(contract);
  registerLint(contract);
  registerTest(contract);
  registerContractReady(contract);
  registerPropose(contract);
  registerParameters(contract);
  registerRetire(contract);
  registerList(contract);
  registerShow(contract);
  registerDiff(contract);
  registerReplay(contract);
}
