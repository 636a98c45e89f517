// `gridseal config`: configurations, looked at alone.

import type { Command } from "commander";
import { registerCheck } from "./check.js";

export function registerConfig(program: Command): void {
  const config = program.command("config").description("configurations of nodes and meters");
  registerCheck(config);
}
