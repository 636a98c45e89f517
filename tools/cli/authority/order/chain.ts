// `gridseal authority order chain`: adds a chain among nodes of the network.

import type { Command } from "commander";
import { NODES_MAX, SERVICE_MAX } from "../../../../src/wire/bounds.js";
import { defaultVerifiers } from "../../../../src/wire/quorum.js";
import { GridsealError } from "../../../errors.js";
import { compactTarget, several, whole } from "../../../terminal/arguments.js";
import { governanceFor } from "../governance.js";
import { type MakeOptions, makeOrder, withOrderOptions } from "./make-order.js";

interface ChainOptions extends MakeOptions {
  readonly member: readonly string[];
  readonly target: number;
  readonly verifiers?: number;
}

export function registerChain(order: Command): void {
  withOrderOptions(order.command("chain").description("add a chain among nodes of the network"))
    .argument("<service>", "number of its service", whole(1, SERVICE_MAX))
    .argument("<name>", "its name")
    .requiredOption("--member <id>", "a member's id, in the order in which they propose (repeatable)", several)
    .option("--target <hex>", "difficulty, compact; 00000000 for none", compactTarget, 0)
    .option("--verifiers <count>", "members that verify a temporary block", whole(1, NODES_MAX))
    .action(orderChain);
}

async function orderChain(number: number, name: string, options: ChainOptions): Promise<void> {
  const governance = await governanceFor(options);
  const members = options.member.map((text) => {
    const member = governance.nodes.get(text);
    if (member === undefined) {
      const known = [...governance.nodes].map(([id, node]) => `${node.name} ${id}`).join(", ");
      throw new GridsealError("USAGE", `${text} is no id of a node of the network, which has ${known}`);
    }
    return member;
  });
  const { target, verifiers = defaultVerifiers(members.length) } = options;
  await makeOrder({ type: "chain", service: number, name, members, target, verifiers }, governance, options);
}
