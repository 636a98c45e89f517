// `gridseal credit`: what a rating is made of.

import type { Command } from "commander";
import { registerExplain } from "./explain.js";

export function registerCredit(program: Command): void {
  registerExplain(
    program.command("credit").description("ratings of participants, and the facts that they are made of"),
  );
}
