// `gridseal contract list`: the contracts that the sealed orders give chains.

import type { Command } from "commander";
import { governanceOf } from "../../authority/orders.js";
import { GridsealError } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import type { Governance } from "../../ledger/governance.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { withNode } from "../../terminal/arguments.js";
import { printLines, table, toJson } from "../../terminal/output.js";
import { checkedText } from "../told.js";

export function registerList(contract: Command): void {
  withNode(contract.command("list").description("list the contracts that orders have installed, and retired"))
    .option("--json", "print JSON")
    .action(list);
}

async function list(options: SourceOptions & { readonly json?: true }): Promise<void> {
  const { contracts, genesis } = await sealedGovernance(options);
  const rows = contracts.rulings.flatMap(({ contractsHeight, action }) =>
    action.type === "parameters" ? [] : [{ ...action, contractsHeight }],
  );
  if (options.json) {
    printLines([toJson(rows)]);
    return;
  }
  const lines = rows.map((row) => [
    row.service,
    row.name,
    row.type === "install" ? row.version : "retired",
    row.fromHeight,
    row.contractsHeight,
    row.type === "install" ? row.types.join(" ") : "",
  ]);
  printLines([
    ...table(["CHAIN", "CONTRACT", "VERSION", "FROM HEIGHT", "CONTRACTS BLOCK", "TYPES"], lines),
    checkedText("the sealed orders' signatures", genesis),
  ]);
}

/** What the orders that a node has come to, checked by the genesis. */
export async function sealedGovernance(options: SourceOptions): Promise<Governance> {
  if (options.genesis === undefined) {
    throw new GridsealError("USAGE", "name the genesis with --genesis: orders are checked by it");
  }
  const { genesis } = await readGenesisFile(options.genesis);
  return withNodeSource(options, (source) => governanceOf(genesis, source.orders()));
}
