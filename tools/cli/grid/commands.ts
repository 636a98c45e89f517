// `gridseal grid`: what a grid operator checks, and asks of the dispatch contract.

import type { Command } from "commander";
import { registerAsks } from "./asks.js";
import { registerCheck } from "./check.js";

export function registerGrid(program: Command): void {
  const grid = program.command("grid").description("whether a grid carries what is to be delivered");
  registerCheck(grid);
  registerAsks(grid);
}
