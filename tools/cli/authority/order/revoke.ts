// `gridseal authority order revoke`: revokes meters: no node takes new records of them.

import type { Command } from "commander";
import { governanceFor } from "../governance.js";
import { idsOf, type MakeOptions, makeOrder, withOrderOptions } from "./make-order.js";

export function registerRevoke(order: Command): void {
  withOrderOptions(order.command("revoke").description("revoke meters: no node takes new records of them"))
    .argument("<meter...>", "ids of the meters")
    .action(orderRevoke);
}

async function orderRevoke(meters: readonly string[], options: MakeOptions): Promise<void> {
  const ids = idsOf(meters, "`gridseal authority list` has each meter's");
  await makeOrder({ type: "revoke", meters: ids }, await governanceFor(options), options);
}
