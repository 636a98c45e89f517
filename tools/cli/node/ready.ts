// `gridseal node ready`: signs that a node is ready to be a member of a chain.

import type { Command } from "commander";
import { SERVICE_MAX } from "../../../src/wire/bounds.js";
import { writeReady } from "../../authority/orders.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { readKeyFile } from "../../files/key-file.js";
import { readNodeConfiguration } from "../../node/configuration.js";
import { whole } from "../../terminal/arguments.js";
import { printLines } from "../../terminal/output.js";

export function registerReady(node: Command): void {
  node
    .command("ready")
    .description("sign that a node is ready to be a member of a chain, for the authority's order")
    .argument("<config>", "the node's node.json, or its folder")
    .requiredOption("--service <number>", "number of the chain's service", whole(1, SERVICE_MAX))
    .requiredOption("-o, --out <file>", "file to make")
    .action(ready);
}

async function ready(path: string, options: { readonly service: number; readonly out: string }): Promise<void> {
  const { genesis: genesisPath, key, name } = await readNodeConfiguration(path);
  const { genesis } = await readGenesisFile(genesisPath);
  await writeReady(options.out, genesis, options.service, name, await readKeyFile(key));
  printLines([`${options.out}: ${name} is ready for chain ${options.service}`]);
}
