// `gridseal authority order resume`: resumes suspended meters: they go on where they stopped.

import type { Command } from "commander";
import { governanceFor } from "../governance.js";
import { idsOf, type MakeOptions, makeOrder, WHERE_METERS, withOrderOptions } from "./make-order.js";

export function registerResume(order: Command): void {
  withOrderOptions(order.command("resume").description("resume suspended meters: they go on where they stopped"))
    .argument("<meter...>", "ids of the meters")
    .action(orderResume);
}

async function orderResume(texts: readonly string[], options: MakeOptions): Promise<void> {
  const meters = idsOf(texts, WHERE_METERS);
  await makeOrder({ type: "resume", meters }, await governanceFor(options), options);
}
