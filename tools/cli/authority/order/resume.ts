// `gridseal authority order resume`: resumes suspended meters: they go on where they stopped.

import type { Command } from "commander";
import { governanceFor } from "../governance.js";
import { type MakeOptions, makeOrder, withOrderOptions } from "./make-order.js";
import { namedMeters } from "./named-meter.js";

export function registerResume(order: Command): void {
  withOrderOptions(order.command("resume").description("resume suspended meters: they go on where they stopped"))
    .argument("<meter...>", "IDs or key ids of the meters")
    .action(orderResume);
}

async function orderResume(texts: readonly string[], options: MakeOptions): Promise<void> {
  const meters = await namedMeters(options, texts);
  await makeOrder({ type: "resume", meters }, await governanceFor(options), options);
}
