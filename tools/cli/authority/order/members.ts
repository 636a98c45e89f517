// `gridseal authority order members`: admits a node to a chain, removes one, or puts one in
// another's place; says how many of the members verify.

import type { Command } from "commander";
import { NODES_MAX } from "../../../../src/wire/bounds.js";
import { membersAction, readReady } from "../../../authority/orders.js";
import { GridsealError } from "../../../errors.js";
import { whole } from "../../../terminal/arguments.js";
import { governanceFor } from "../governance.js";
import { type MakeOptions, makeOrder, withOrderOptions } from "./make-order.js";
import { type HeightOption, heightOn, heightOption, namedService } from "./named-chain.js";
import { namedNodeId } from "./named-node.js";

interface MembersOptions extends MakeOptions {
  readonly effective: HeightOption;
  readonly admit?: string;
  readonly remove?: string;
  readonly location?: string;
  readonly verifiers?: number;
}

export function registerMembers(order: Command): void {
  withOrderOptions(
    order.command("members").description("admit a node to a chain, remove one, or put one in another's place"),
  )
    .argument("<chain>", "name of the chain, or number of its service")
    .requiredOption(
      "--effective <height>",
      "the first height that the new members seal, or +BLOCKS above the newest one",
      heightOption,
    )
    .option("--admit <file>", "READY of the node to admit, from `gridseal node ready`")
    .option("--remove <node>", "name or key id of the node to remove")
    .option("--location <code>", "country or part of it, ISO 3166, where the admitted node stands")
    .option("--verifiers <count>", "members that verify a temporary block from then on", whole(1, NODES_MAX))
    .action(orderMembers);
}

async function orderMembers(text: string, options: MembersOptions): Promise<void> {
  const governance = await governanceFor(options);
  const chain = namedService(governance, text);
  const effective = await heightOn(chain, options.effective, options);
  const ready = options.admit === undefined ? undefined : await readReady(options.admit, governance.genesis);
  const { location, verifiers } = options;
  const remove = options.remove === undefined ? undefined : namedNodeId(governance, options.remove);
  const admit =
    ready === undefined || location === undefined ? ready : { ...ready, member: { ...ready.member, location } };
  if (admit === undefined && remove === undefined && verifiers === undefined) {
    throw new GridsealError("USAGE", "name a node to --admit, one to --remove, or how many --verifiers");
  }
  await makeOrder(membersAction(governance, chain, effective, { admit, remove, verifiers }), governance, options);
}
