// `gridseal genesis`: the file that a network begins with.

import type { Command } from "commander";
import { registerShow } from "./show.js";

export function registerGenesis(program: Command): void {
  const genesis = program.command("genesis").description("the signed file that a network begins with");
  registerShow(genesis);
}
