// `gridseal market community`: an energy community by commands, from its founding on.

import type { Command } from "commander";
import { registerAsks } from "./asks.js";
import { registerShow } from "./show.js";

export function registerCommunity(market: Command): void {
  const community = market.command("community").description("energy communities whose shares a chain works out");
  registerAsks(community);
  registerShow(community);
}
