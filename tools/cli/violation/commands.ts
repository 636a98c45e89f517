// `gridseal violation`: what sealed blocks say against meters, participants and nodes.

import type { Command } from "commander";
import { registerList } from "./list.js";
import { registerShow } from "./show.js";

export function registerViolation(program: Command): void {
  const violation = program
    .command("violation")
    .description("what sealed blocks say against meters, participants and nodes");
  registerList(violation);
  registerShow(violation);
}
