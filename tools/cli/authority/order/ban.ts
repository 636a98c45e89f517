// `gridseal authority order ban`: bans nodes that are no members: no node keeps a link to them.

import type { Command } from "commander";
import { toHex } from "../../../../src/wire/bytes.js";
import { governanceFor } from "../governance.js";
import { type MakeOptions, makeOrder, withOrderOptions } from "./make-order.js";
import { namedNodeId } from "./named-node.js";

export function registerBan(order: Command): void {
  withOrderOptions(order.command("ban").description("ban nodes that are no members: no node keeps a link to them"))
    .argument("<node...>", "names or key ids of the nodes")
    .action(orderBan);
}

async function orderBan(nodes: readonly string[], options: MakeOptions): Promise<void> {
  const governance = await governanceFor(options);
  const ids = new Map(nodes.map((text) => namedNodeId(governance, text)).map((id) => [toHex(id), id]));
  const banned = [...ids].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, id]) => id);
  await makeOrder({ type: "ban", nodes: banned }, governance, options);
}
