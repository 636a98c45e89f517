// `gridseal authority order ban`: bans nodes that are no members: no node keeps a link to them.

import type { Command } from "commander";
import { governanceFor } from "../governance.js";
import { idsOf, type MakeOptions, makeOrder, withOrderOptions } from "./make-order.js";

export function registerBan(order: Command): void {
  withOrderOptions(order.command("ban").description("ban nodes that are no members: no node keeps a link to them"))
    .argument("<node...>", "ids of the nodes")
    .action(orderBan);
}

async function orderBan(nodes: readonly string[], options: MakeOptions): Promise<void> {
  const ids = idsOf(nodes, "GET /health of a node says its own");
  await makeOrder({ type: "ban", nodes: ids }, await governanceFor(options), options);
}
