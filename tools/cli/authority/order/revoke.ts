// `gridseal authority order revoke`: revokes meters: no block seals their records any more.

import type { Command } from "commander";
import { governanceFor } from "../governance.js";
import { type MakeOptions, makeOrder, withOrderOptions } from "./make-order.js";
import { namedMeters } from "./named-meter.js";

export function registerRevoke(order: Command): void {
  withOrderOptions(order.command("revoke").description("revoke meters: no block seals their records any more"))
    .argument("<meter...>", "IDs or key ids of the meters")
    .action(orderRevoke);
}

async function orderRevoke(meters: readonly string[], options: MakeOptions): Promise<void> {
  const ids = await namedMeters(options, meters);
  await makeOrder({ type: "revoke", meters: ids }, await governanceFor(options), options);
}
