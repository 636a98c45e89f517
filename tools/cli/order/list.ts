// `gridseal order list`: the sealed orders, checked by the genesis.

import type { Command } from "commander";
import { type Order, readOrder } from "../../../src/wire/order.js";
import { governanceOf } from "../../authority/orders.js";
import { GridsealError } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { withNode } from "../../terminal/arguments.js";
import { printLines, table, timeText, toJson } from "../../terminal/output.js";
import { checkedText } from "../told.js";
import { orderView } from "./view.js";

export function registerList(order: Command): void {
  withNode(order.command("list").description("list the sealed orders")).option("--json", "print JSON").action(list);
}

async function list(options: SourceOptions & { readonly json?: true }): Promise<void> {
  if (options.genesis === undefined)
    throw new GridsealError("USAGE", "name the genesis with --genesis: orders are checked by it");
  const { genesis } = await readGenesisFile(options.genesis);
  const rows = await withNodeSource(options, async (source) => {
    const sealed: { readonly contractsHeight: number; readonly order: Order }[] = [];
    const noted = async function* () {
      for await (const row of source.orders()) {
        yield row;
        sealed.push({ contractsHeight: row.contractsHeight, order: readOrder(row.bytes, genesis) });
      }
    };
    await governanceOf(genesis, noted());
    return sealed;
  });
  const views = rows.map(({ contractsHeight, order }) => ({ ...orderView(order), contractsHeight }));
  if (options.json) {
    printLines([toJson(views)]);
    return;
  }
  const lines = views.map(({ number, contractsHeight, time_s, what }) => [
    number,
    contractsHeight,
    timeText(time_s * 1_000),
    what,
  ]);
  printLines([
    ...table(["ORDER", "CONTRACTS BLOCK", "SIGNED AT", "SAYS"], lines),
    checkedText("each order's signatures and that it follows the one before", genesis),
  ]);
}
