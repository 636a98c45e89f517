// `gridseal authority order chain`: adds a chain among nodes of the network.

import type { Command } from "commander";
import { NODES_MAX, SERVICE_MAX } from "../../../../src/wire/bounds.js";
import { defaultVerifiers } from "../../../../src/wire/quorum.js";
import { compactTarget, several, whole } from "../../../terminal/arguments.js";
import { governanceFor } from "../governance.js";
import { type MakeOptions, makeOrder, withOrderOptions } from "./make-order.js";
import { namedNode } from "./named-node.js";

interface ChainOptions extends MakeOptions {
  readonly member: readonly string[];
  readonly target: number;
  readonly verifiers?: number;
}

export function registerChain(order: Command): void {
  withOrderOptions(order.command("chain").description("add a chain among nodes of the network"))
    .argument("<service>", "number of its service", whole(1, SERVICE_MAX))
    .argument("<name>", "its name")
    .requiredOption(
      "--member <node>",
      "a member's name or key id, in the order in which they propose (repeatable)",
      several,
    )
    .option("--target <hex>", "difficulty, compact; 00000000 for none", compactTarget, 0)
    .option("--verifiers <count>", "members that verify a temporary block", whole(1, NODES_MAX))
    .action(orderChain);
}

async function orderChain(number: number, name: string, options: ChainOptions): Promise<void> {
  const governance = await governanceFor(options);
  const members = options.member.map((text) => namedNode(governance, text));
  const { target, verifiers = defaultVerifiers(members.length) } = options;
  await makeOrder({ type: "chain", service: number, name, members, target, verifiers }, governance, options);
}
