// What the commands that sign an order share: their options, and the order that is made and shown.

import type { Command } from "commander";
import { ORDER_NUMBER_MAX } from "../../../../src/wire/bounds.js";
import type { Action } from "../../../../src/wire/order.js";
import { readOwnKeyOf } from "../../../authority/folder.js";
import { nextOrder, writeOrder } from "../../../authority/orders.js";
import type { Governance } from "../../../ledger/governance.js";
import { whole } from "../../../terminal/arguments.js";
import { printLines, toJson } from "../../../terminal/output.js";
import { readPassphrase } from "../../../terminal/passphrase.js";
import { orderView } from "../../order/view.js";
import { authorityFolder, type OwnKeyOptions, withAuthority, withPassphrase } from "../authority-options.js";
import type { GovernanceOptions } from "../governance.js";

export interface MakeOptions extends GovernanceOptions, OwnKeyOptions {
  readonly out: string;
  readonly number?: number;
  readonly json?: true;
}

/** Adds the options that every order takes. */
export function withOrderOptions(command: Command): Command {
  return withOrderSources(withAuthority(command)).requiredOption("-o, --out <file>", "file to make");
}

/** Adds those that say what was ordered before, and by whose key it is signed. */
export function withOrderSources(command: Command): Command {
  return withPassphrase(command)
    .option("--number <number>", "the order's number; the next one where absent", whole(1, ORDER_NUMBER_MAX))
    .option(
      "--api <url>",
      "API of a node, to know the orders before; those that were signed in this folder where absent",
    )
    .option("--data <dir>", "a node's data folder instead")
    .option("--json", "print JSON");
}

/** Signs the order, writes it and says what it is. */
export async function makeOrder(
  action: Action,
  governance: Governance,
  options: MakeOptions & { readonly source?: string },
): Promise<void> {
  const folder = authorityFolder(options);
  const own = await readOwnKeyOf(governance.genesis, folder, () => readPassphrase(options));
  const { number, source } = options;
  const order = nextOrder(governance, action, { number, now: new Date(), source });
  await writeOrder({ folder, own }, governance, order, options.out);
  const view = orderView(order);
  const needed = governance.genesis.ordering?.signatures ?? 1;
  printLines([
    options.json
      ? toJson({ file: options.out, ...view, needed })
      : `${options.out}: order ${order.number}, ${view.what}`,
    ...(options.json ? [] : [nextOf(options.out, needed)]),
  ]);
}

function nextOf(file: string, needed: number): string {
  return needed === 1
    ? `next: gridseal order submit ${file} --api URL --genesis FILE`
    : `it has 1 of ${needed} signatures; next: gridseal order sign ${file} --key FILE --genesis FILE -o FILE`;
}
