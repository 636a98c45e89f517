// `gridseal node`: runs one consensus node, and looks after the store of one that is stopped.

import { existsSync } from "node:fs";
import type { Command } from "commander";
import { keyId } from "../../src/wire/key.js";
import { chainNamed, readGenesisFile } from "../authority/genesis-file.js";
import { readKeyFile } from "../authority/key-file.js";
import { GridsealError, reasonOf } from "../errors.js";
import { lockFolder } from "../lock.js";
import { readNodeConfiguration } from "../node/configuration.js";
import { whole } from "./arguments.js";
import { printLines, toJson } from "./output.js";
import { stopSignal } from "./signals.js";

interface PruneOptions {
  readonly chain?: string;
  readonly pruneBefore: number;
  readonly json?: true;
}

export function registerNode(program: Command): void {
  const node = program.command("node").description("consensus nodes");
  node
    .command("run")
    .description("run a node until SIGINT or SIGTERM; logs JSON lines")
    .argument("<config>", "the node's node.json")
    .option("--json", "changes nothing: the log is JSON")
    .action(run);
  node
    .command("prune")
    .description(
      "let go of old records of a stopped node; headers, certificates and anchors stay, receipts still verify",
    )
    .argument("<config>", "the node's node.json")
    .requiredOption(
      "--prune-before <height>",
      "blocks below this height, the newest 64 excepted",
      whole(1, Number.MAX_SAFE_INTEGER),
    )
    .option("--chain <service>", "one chain, by name or number; all where absent")
    .option("--json", "print JSON")
    .action(prune);
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

async function prune(path: string, options: PruneOptions): Promise<void> {
  const configuration = await readNodeConfiguration(path);
  const { genesis } = await readGenesisFile(configuration.genesis);
  const { key } = await readKeyFile(configuration.key);
  const chains = options.chain === undefined ? genesis.chains : [chainNamed(genesis, options.chain)];
  const [{ openStore }, { pruneChain }] = await Promise.all([
    import("../node/store/store.js"),
    import("../node/prune.js"),
  ]);
  if (!existsSync(configuration.data)) {
    throw new GridsealError("FILE_UNREADABLE", `there is no store in ${configuration.data}`);
  }
  const unlock = await lockFolder(configuration.data, "node");
  try {
    const store = await openStore(configuration.data, { node: keyId(key), genesisHash: genesis.hash }, true);
    try {
      for (const { service, name } of chains) {
        const pruned = await pruneChain(store, service, options.pruneBefore);
        const text = `${name}: let go of ${pruned.records} records in ${pruned.blocks} blocks`;
        printLines([options.json ? toJson({ service, name, ...pruned }) : text]);
      }
    } finally {
      await store.close();
    }
  } finally {
    await unlock();
  }
}
