// `gridseal node`: the commands about consensus nodes.

import type { Command } from "commander";
import { registerPrune } from "./prune.js";
import { registerReady } from "./ready.js";
import { registerRepair } from "./repair.js";
import { registerRun } from "./run.js";

export function registerNode(program: Command): void {
  const node = program.command("node").description("consensus nodes");
  registerReady(node);
  registerRun(node);
  registerPrune(node);
  registerRepair(node);
}
