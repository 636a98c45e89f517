// `gridseal node prune`: lets go of old records of a stopped node.

import type { Command } from "commander";
import { chainNamed } from "../../files/genesis-file.js";
import { lockFolder } from "../../files/lock.js";
import { whole } from "../../terminal/arguments.js";
import { countText, printLines, toJson } from "../../terminal/output.js";
import { readOwner } from "./owner.js";

interface PruneOptions {
  readonly chain?: string;
  readonly pruneBefore: number;
  readonly json?: true;
}

export function registerPrune(node: Command): void {
  node
    .command("prune")
    .description(
      "let go of old records of a stopped node; headers, certificates and anchors stay, receipts still verify",
    )
    .argument("<config>", "the node's node.json, or its folder")
    .requiredOption(
      "--prune-before <height>",
      "blocks below this height, the newest 64 excepted",
      whole(1, Number.MAX_SAFE_INTEGER),
    )
    .option("--chain <service>", "one chain, by name or number; all where absent")
    .option("--json", "print JSON")
    .action(prune);
}

async function prune(path: string, options: PruneOptions): Promise<void> {
  const { configuration, genesis, owner } = await readOwner(path);
  const [{ openStore }, { pruneChain }, { createGovernor }] = await Promise.all([
    import("../../node/store/open-store.js"),
    import("../../node/store/prune.js"),
    import("../../node/chain/sealed-orders.js"),
  ]);
  const unlock = await lockFolder(configuration.data, "node");
  try {
    const store = await openStore(configuration.data, owner, true);
    try {
      const all = createGovernor(genesis, store).current.chains.map(({ chain }) => chain);
      const chains = options.chain === undefined ? all : [chainNamed({ ...genesis, chains: all }, options.chain)];
      for (const { service, name } of chains) {
        const pruned = await pruneChain(store, service, options.pruneBefore);
        const text = `${name}: let go of ${countText(pruned.records, "record")} in ${countText(pruned.blocks, "block")}`;
        printLines([options.json ? toJson({ service, name, ...pruned }) : text]);
      }
    } finally {
      await store.close();
    }
  } finally {
    await unlock();
  }
}
