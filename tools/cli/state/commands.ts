// `gridseal state`: what a chain's contracts remember, with its proof.

import type { Command } from "commander";
import { registerGet } from "./get.js";
import { registerList } from "./list.js";
import { registerVerify } from "./verify.js";

export function registerState(program: Command): void {
  const state = program.command("state").description("what a chain's contracts remember after its newest block");
  registerGet(state);
  registerList(state);
  registerVerify(state);
}
