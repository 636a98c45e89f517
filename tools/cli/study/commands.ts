// `gridseal study`: figures of groups of meters, computed from an export, sealed on the mining chain, run again by others.

import type { Command } from "commander";
import { registerAsks } from "./asks.js";
import { registerList } from "./list.js";
import { registerRun } from "./run.js";
import { registerShow } from "./show.js";
import { registerVerify } from "./verify.js";

export function registerStudy(program: Command): void {
  const study = program.command("study").description("studies of sealed readings, sealed themselves and run again");
  registerRun(study);
  registerVerify(study);
  registerAsks(study);
  registerList(study);
  registerShow(study);
}
