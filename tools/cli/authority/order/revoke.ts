// `gridseal authority order revoke`: revokes meters: no block seals their records any more.

import type { Command } from "commander";
import { governanceFor } from "../governance.js";
import { idsOf, type MakeOptions, makeOrder, WHERE_METERS, withOrderOptions } from "./make-order.js";

export function registerRevoke(order: Command): void {
  withOrderOptions(order.command("revoke").description("revoke meters: no block seals their records any more"))
    .argument("<meter...>", "ids of the meters")
    .action(orderRevoke);
}

async function orderRevoke(meters: readonly string[], options: MakeOptions): Promise<void> {
  const ids = idsOf(meters, WHERE_METERS);
  await makeOrder({ type: "revoke", meters: ids }, await governanceFor(options), options);
}
