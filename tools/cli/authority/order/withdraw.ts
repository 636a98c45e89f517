// `gridseal authority order withdraw`: takes back an order of members, as one that names a height too far away: the set before it holds.

import type { Command } from "commander";
import { ORDER_NUMBER_MAX } from "../../../../src/wire/bounds.js";
import { whole } from "../../../terminal/arguments.js";
import { governanceFor } from "../governance.js";
import { type MakeOptions, makeOrder, withOrderOptions } from "./make-order.js";

export function registerWithdraw(order: Command): void {
  withOrderOptions(
    order.command("withdraw").description("take back the last order of a chain's members: those before it hold again"),
  )
    .argument(
      "<order>",
      "number of the order that is taken back, as `gridseal order list` has it",
      whole(1, ORDER_NUMBER_MAX),
    )
    .action(orderWithdraw);
}

async function orderWithdraw(number: number, options: MakeOptions): Promise<void> {
  await makeOrder({ type: "withdraw", order: number }, await governanceFor(options), options);
}
