// `gridseal node ready`: signs that a node is ready to be a member of a chain.

import type { Command } from "commander";
import { writeReady } from "../../authority/orders.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { readKeyFile } from "../../files/key-file.js";
import { readNodeConfiguration } from "../../node/configuration.js";
import { printLines, toJson } from "../../terminal/output.js";
import { serviceNumber } from "../operation/sign.js";

interface ReadyOptions {
  readonly service: string;
  readonly out: string;
  readonly json?: true;
}

export function registerReady(node: Command): void {
  node
    .command("ready")
    .description("sign that a node is ready to be a member of a chain, for the authority's order")
    .argument("<config>", "the node's node.json, or its folder")
    .requiredOption("--service <name>", "name or number of the chain; the number of one that an order added")
    .requiredOption("-o, --out <file>", "file to make")
    .option("--json", "print JSON")
    .action(ready);
}

async function ready(path: string, { service: text, out, json }: ReadyOptions): Promise<void> {
  const { genesis: genesisPath, key, name } = await readNodeConfiguration(path);
  const { genesis } = await readGenesisFile(genesisPath);
  const service = serviceNumber(genesis, text);
  await writeReady(out, genesis, service, name, await readKeyFile(key));
  if (json) return printLines([toJson({ file: out, node: name, service })]);
  printLines([
    `${out}: ${name} is ready for chain ${text}`,
    `next: the authority types gridseal authority order members ${text} --admit ${out} --effective +BLOCKS --network DIR --api URL -o FILE`,
  ]);
}
