// `gridseal network show`: authority, chains with their members, nodes, and what was ordered since the genesis.

import type { Command } from "commander";
import { governanceOf } from "../../authority/orders.js";
import { GridsealError } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { initialGovernance } from "../../ledger/governance.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { withNode } from "../../terminal/arguments.js";
import { printLines, toJson } from "../../terminal/output.js";
import { checkedText } from "../told.js";
import { linesOf, viewOf } from "./view.js";

export function registerShow(network: Command): void {
  withNode(network.command("show").description("authority, chains, members, nodes; by a node, as ordered up to now"))
    .option("--json", "print JSON")
    .action(show);
}

async function show(options: SourceOptions & { readonly json?: true }): Promise<void> {
  if (options.genesis === undefined) {
    throw new GridsealError("USAGE", "name the genesis with --genesis: it is what everything is checked by");
  }
  const { genesis } = await readGenesisFile(options.genesis);
  const isSource = options.api !== undefined || options.data !== undefined;
  const { governance, heads } = isSource
    ? await withNodeSource(options, async (source) => ({
        governance: await governanceOf(genesis, source.orders()),
        heads: await source.chains(),
      }))
    : { governance: initialGovernance(genesis), heads: [] };
  const view = viewOf(genesis, governance, heads);
  if (options.json) return printLines([toJson(view)]);
  const orders = isSource ? " and each sealed order" : "";
  printLines([...linesOf(view), "", checkedText(`the authority's signature${orders}`, genesis)]);
}
