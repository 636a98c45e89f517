// `gridseal node run`: one consensus node, until it is told to stop. Its log goes to standard output, a JSON object a line.

import type { Command } from "commander";
import { GridsealError, reasonOf } from "../errors.js";
import { readNodeConfiguration } from "../node/configuration.js";
import { stopSignal } from "./signals.js";

export function registerNode(program: Command): void {
  program
    .command("node")
    .description("consensus nodes")
    .command("run")
    .description("run a node until SIGINT or SIGTERM; logs JSON lines")
    .argument("<config>", "the node's node.json")
    .option("--json", "changes nothing: the log is JSON")
    .action(run);
}

async function run(path: string): Promise<void> {
  const configuration = await readNodeConfiguration(path);
  // Loaded here alone: the node's libraries would slow every other command down.
  const { startNode } = await import("../node/node.js");
  const node = await startNode(configuration);
  const failure = await Promise.race([stopSignal(), node.failed.then((reason) => ({ reason }))]);
  await node.stop();
  if (failure === undefined) return;
  const { reason } = failure;
  throw reason instanceof GridsealError
    ? reason
    : new GridsealError("INVARIANT_VIOLATED", `the node stopped: ${reasonOf(reason)}`, { cause: reason });
}
