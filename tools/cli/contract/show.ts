// `gridseal contract show`: a contract of a chain in its newest version, with its parameters and its source.

import type { Command } from "commander";
import { HEIGHT_MAX } from "../../../src/wire/bounds.js";
import { toHex } from "../../../src/wire/bytes.js";
import { GridsealError } from "../../errors.js";
import { contractsAt } from "../../ledger/contract-orders.js";
import { governedHeight } from "../../ledger/governance.js";
import type { SourceOptions } from "../../sources/open.js";
import { whole, withNode } from "../../terminal/arguments.js";
import { pairs, printLines, printText, toJson } from "../../terminal/output.js";
import { namedService } from "../authority/order/named-chain.js";
import { checkedText } from "../told.js";
import { sealedGovernance } from "./list.js";
import { contractName } from "./terms.js";

interface ShowOptions extends SourceOptions {
  readonly service: string;
  readonly height?: number;
  readonly json?: true;
}

export function registerShow(contract: Command): void {
  withNode(
    contract
      .command("show")
      .description("show a contract of a chain, its parameters and its source")
      .argument("<name>", "its name", contractName),
  )
    .requiredOption("--service <name>", "name or number of the chain")
    .option("--height <height>", "as it is at this height; by all orders where absent", whole(1, HEIGHT_MAX))
    .option("--json", "print JSON")
    .action(show);
}

async function show(name: string, options: ShowOptions): Promise<void> {
  const governance = await sealedGovernance(options);
  const place = {
    service: namedService(governance, options.service),
    height: options.height ?? HEIGHT_MAX,
    judgedAt: governedHeight(governance),
  };
  const found = contractsAt(governance.contracts, place).find(({ install }) => install.name === name);
  if (found === undefined)
    throw new GridsealError("NOT_FOUND", `chain ${options.service} has no contract ${name} there`);
  const { install, parameters } = found;
  const source = governance.contracts.sources.get(toHex(install.source));
  if (options.json) {
    printLines([toJson({ install, parameters, source })]);
    return;
  }
  printLines([
    ...pairs([
      ["contract", `${name} ${install.version} of chain ${install.service}`],
      ["from height", install.fromHeight],
      ["source", toHex(install.source)],
      ["engine", toHex(install.engine)],
      ["prelude", toHex(install.prelude)],
      ["vectors", toHex(install.vectors)],
      ["budget", install.budget],
      ["pages", install.pages],
      ["output", install.output],
      ["types", install.types.join(" ")],
      ["messages", install.messages.map(({ service, name }) => `${service === 0 ? "any" : service}/${name}`).join(" ")],
      ...parameters.map(
        (set) =>
          [
            `in ${set.jurisdiction ?? "all"}`,
            [...set.parameters].map(([key, value]) => `${key} ${value}`).join(", "),
          ] as const,
      ),
    ]),
    "",
    checkedText("the sealed orders' signatures", governance.genesis),
    "",
  ]);
  // Code is copied: its lines are not folded.
  printText(`${(source ?? "").replace(/\r?\n/g, "\n")}\n`);
}
