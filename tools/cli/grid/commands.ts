// `gridseal grid`: what a grid operator checks.

import type { Command } from "commander";
import { registerCheck } from "./check.js";

export function registerGrid(program: Command): void {
  const grid = program.command("grid").description("whether a grid carries what is to be delivered");
  registerCheck(grid);
}
