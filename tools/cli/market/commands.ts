// `gridseal market`: energy communities and auctions, what is asked of them and what they come to; some of it without a network.

import type { Command } from "commander";
import { registerBill } from "./bill/commands.js";
import { registerClear } from "./clear.js";
import { registerCommunity } from "./community/commands.js";
import { registerOrder } from "./order/commands.js";
import { registerRecompute } from "./recompute.js";

export function registerMarket(program: Command): void {
  const market = program.command("market").description("energy communities, bills and auctions");
  registerCommunity(market);
  registerBill(market);
  registerOrder(market);
  registerRecompute(market);
  registerClear(market);
}
