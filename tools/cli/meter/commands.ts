// `gridseal meter`: the commands about meters.

import type { Command } from "commander";
import { registerList } from "./list.js";
import { registerRun } from "./run.js";

export function registerMeter(program: Command): void {
  const meter = program.command("meter").description("meters");
  registerRun(meter);
  registerList(meter);
}
