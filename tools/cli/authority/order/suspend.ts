// `gridseal authority order suspend`: suspends meters: until they are resumed no block seals their records.

import type { Command } from "commander";
import { governanceFor } from "../governance.js";
import { idsOf, type MakeOptions, makeOrder, WHERE_METERS, withOrderOptions } from "./make-order.js";

export function registerSuspend(order: Command): void {
  withOrderOptions(
    order.command("suspend").description("suspend meters: until they are resumed no block seals their records"),
  )
    .argument("<meter...>", "ids of the meters")
    .action(orderSuspend);
}

async function orderSuspend(texts: readonly string[], options: MakeOptions): Promise<void> {
  const meters = idsOf(texts, WHERE_METERS);
  await makeOrder({ type: "suspend", meters }, await governanceFor(options), options);
}
