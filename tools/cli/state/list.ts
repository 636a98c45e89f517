// `gridseal state list`: what a contract remembers under keys that begin alike.

import type { Command } from "commander";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { chainOfSource } from "../../sources/source.js";
import { withNode } from "../../terminal/arguments.js";
import { printLines, toJson } from "../../terminal/output.js";
import { contractName } from "../contract/terms.js";
import { noteTold } from "../told.js";

interface ListOptions extends SourceOptions {
  readonly service: string;
  readonly contract: string;
  readonly json?: true;
}

export function registerList(state: Command): void {
  withNode(state.command("list").description("list what a contract remembers, as the node says it"))
    .argument("[prefix]", "what the keys begin with; all of them where absent", "")
    .requiredOption("--service <name>", "name or number of the chain's service")
    .requiredOption("--contract <name>", "the contract", contractName)
    .option("--json", "print JSON, a line a key")
    .action(list);
}

async function list(prefix: string, options: ListOptions): Promise<void> {
  await withNodeSource(options, async (source) => {
    const { service } = await chainOfSource(source, options.service);
    for await (const { key, value } of source.stateEntries({ service, contract: options.contract, prefix })) {
      printLines([options.json ? toJson({ key, value }) : `${key}  ${toJson(value)}`]);
    }
    noteTold(source.origin, "`state get KEY --genesis FILE` checks one", options);
  });
}
