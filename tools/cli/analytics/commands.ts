// `gridseal analytics`: sealed readings as tables for other programs.

import type { Command } from "commander";
import { registerExport } from "./export.js";

export function registerAnalytics(program: Command): void {
  registerExport(program.command("analytics").description("sealed readings as tables for studies and other programs"));
}
