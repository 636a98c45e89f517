// `gridseal market`: what members and operators of an energy market check, all of it offline.

import type { Command } from "commander";
import { registerClear } from "./clear.js";
import { registerRecompute } from "./recompute.js";

export function registerMarket(program: Command): void {
  const market = program.command("market").description("energy communities and auctions, computed again");
  registerRecompute(market);
  registerClear(market);
}
