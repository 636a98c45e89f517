// `gridseal restore`: a copy of a node's store, put back where the store was lost.

import type { Command } from "commander";
import { keyId } from "../../src/wire/key.js";
import { readGenesisFile } from "../files/genesis-file.js";
import { readKeyFile } from "../files/key-file.js";
import { readNodeConfiguration } from "../node/configuration.js";
import { printLines, toJson } from "../terminal/output.js";

export function registerRestore(program: Command): void {
  program
    .command("restore")
    .description("put a copy of a node's store where the store was lost")
    .argument("<config>", "the node's node.json, whose data folder must not exist or be empty")
    .argument("<folder>", "the folder that `gridseal backup` wrote")
    .option("--json", "print JSON")
    .action(restore);
}

async function restore(config: string, folder: string, { json }: { readonly json?: true }): Promise<void> {
  const { data, genesis, key } = await readNodeConfiguration(config);
  const [network, signer] = await Promise.all([readGenesisFile(genesis), readKeyFile(key)]);
  const owner = { node: keyId(signer.key), genesisHash: network.genesis.hash };
  const { restoreStore } = await import("../node/store/backup.js");
  await restoreStore(folder, data, owner);
  if (json) return printLines([toJson({ from: folder, to: data })]);
  printLines([
    `restored ${data}`,
    "The node does not vote until it is two blocks past what its peers report: it may have signed more than the copy knows.",
    `next: gridseal node run ${config}`,
  ]);
}
