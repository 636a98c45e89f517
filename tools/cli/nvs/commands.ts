// `gridseal nvs`: what stands in the NVS partition of a board.

import type { Command } from "commander";
import { registerBuild } from "./build.js";

export function registerNvs(program: Command): void {
  const nvs = program.command("nvs").description("images of NVS partitions");
  registerBuild(nvs);
}
