// `gridseal node run`: one consensus node, until it is stopped.

import { setFlagsFromString } from "node:v8";
import type { Command } from "commander";
import { GridsealError, reasonOf } from "../../errors.js";
import { readNodeConfiguration } from "../../node/configuration.js";
import type { Node } from "../../node/node.js";
import { stopSignal } from "../../terminal/signals.js";

export function registerRun(node: Command): void {
  node
    .command("run")
    .description(
      "run a node until SIGINT or SIGTERM; SIGHUP reads its peers and chains to follow again; logs JSON lines",
    )
    .argument("<config>", "the node's node.json, or its folder")
    .option("--json", "changes nothing: the log is JSON")
    .action(run);
}

async function run(path: string): Promise<void> {
  // The collector's helper threads wait for one another by spinning, on cores that the threads
  // which verify signatures keep busy.
  setFlagsFromString("--no-parallel-scavenge");
  // Before anything else: a signal that comes while the node starts ends nothing halfway.
  const stopped = stopSignal();
  let node: Node | undefined;
  let isChanged = false;
  const reload = async (): Promise<void> => {
    isChanged = node === undefined;
    try {
      node?.reload(await readNodeConfiguration(path));
    } catch (error) {
      node?.keepConfiguration(reasonOf(error));
    }
  };
  process.on("SIGHUP", () => void reload());
  const configuration = await readNodeConfiguration(path);
  // Loaded here alone: the node's libraries would slow every other command down.
  const { startNode } = await import("../../node/node.js");
  node = await startNode(configuration);
  if (isChanged) await reload();
  const failure = await Promise.race([stopped, node.failed.then((reason) => ({ reason }))]);
  await node.stop();
  if (failure === undefined) return;
  const { reason } = failure;
  throw reason instanceof GridsealError
    ? reason
    : new GridsealError("INVARIANT_VIOLATED", `the node stopped: ${reasonOf(reason)}`, { cause: reason });
}
