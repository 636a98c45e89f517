// `gridseal authority order members`: admits a node to a chain, removes one, or puts one in
// another's place; says how many of the members verify.

import type { Command } from "commander";
import { NODES_MAX, SERVICE_MAX } from "../../../../src/wire/bounds.js";
import { membersAction, readReady } from "../../../authority/orders.js";
import { GridsealError } from "../../../errors.js";
import { whole } from "../../../terminal/arguments.js";
import { governanceFor } from "../governance.js";
import { type MakeOptions, makeOrder, withOrderOptions } from "./make-order.js";
import { namedNodeId } from "./named-node.js";

interface MembersOptions extends MakeOptions {
  readonly effective: number;
  readonly admit?: string;
  readonly remove?: string;
  readonly location?: string;
  readonly verifiers?: number;
}

export function registerMembers(order: Command): void {
  withOrderOptions(
    order.command("members").description("admit a node to a chain, remove one, or put one in another's place"),
  )
    .argument("<service>", "number of the chain's service", whole(1, SERVICE_MAX))
    .requiredOption("--effective <height>", "the first height that the new members seal", whole(2, 2 ** 40))
    .option("--admit <file>", "READY of the node to admit, from `gridseal node ready`")
    .option("--remove <node>", "name or id of the node to remove")
    .option("--location <code>", "country or part of it, ISO 3166, where the admitted node stands")
    .option("--verifiers <count>", "members that verify a temporary block from then on", whole(1, NODES_MAX))
    .action(orderMembers);
}

async function orderMembers(chain: number, options: MembersOptions): Promise<void> {
  const governance = await governanceFor(options);
  const ready = options.admit === undefined ? undefined : await readReady(options.admit, governance.genesis);
  const { location, verifiers } = options;
  const remove = options.remove === undefined ? undefined : namedNodeId(governance, options.remove);
  const admit =
    ready === undefined || location === undefined ? ready : { ...ready, member: { ...ready.member, location } };
  if (admit === undefined && remove === undefined && verifiers === undefined) {
    throw new GridsealError("USAGE", "name a node to --admit, one to --remove, or how many --verifiers");
  }
  await makeOrder(
    membersAction(governance, chain, options.effective, { admit, remove, verifiers }),
    governance,
    options,
  );
}
