// `gridseal authority order suspend`: suspends meters: until they are resumed no block seals their records.

import type { Command } from "commander";
import { governanceFor } from "../governance.js";
import { type MakeOptions, makeOrder, withOrderOptions } from "./make-order.js";
import { namedMeters } from "./named-meter.js";

export function registerSuspend(order: Command): void {
  withOrderOptions(
    order.command("suspend").description("suspend meters: until they are resumed no block seals their records"),
  )
    .argument("<meter...>", "IDs or key ids of the meters")
    .action(orderSuspend);
}

async function orderSuspend(texts: readonly string[], options: MakeOptions): Promise<void> {
  const meters = await namedMeters(options, texts);
  await makeOrder({ type: "suspend", meters }, await governanceFor(options), options);
}
