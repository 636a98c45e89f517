// `gridseal network`: what a network is made of.

import type { Command } from "commander";
import { registerShow } from "./show.js";

export function registerNetwork(program: Command): void {
  const network = program.command("network").description("what a network is made of");
  registerShow(network);
}
