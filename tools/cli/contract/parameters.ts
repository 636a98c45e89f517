// `gridseal contract parameters` and `contract retire`: orders about a contract that a chain has.

import { type Command, InvalidArgumentError } from "commander";
import { HEIGHT_MAX } from "../../../src/wire/bounds.js";
import type { ParameterValue } from "../../../src/wire/contract-order.js";
import { whole } from "../../terminal/arguments.js";
import { governanceFor } from "../authority/governance.js";
import { type MakeOptions, makeOrder, withOrderOptions } from "../authority/order/make-order.js";
import { namedService } from "../authority/order/named-chain.js";
import { readParameterSet } from "./parameter-set.js";
import { contractName } from "./terms.js";

interface ChangeOptions extends MakeOptions {
  readonly service: string;
  readonly from: number;
  readonly in?: string;
  readonly set?: string;
}

export function registerParameters(contract: Command): void {
  withChange(
    contract
      .command("parameters")
      .description("sign an order that sets all parameters of a contract, everywhere or in one jurisdiction")
      .argument("<name>", "the contract", contractName)
      .argument("[parameter...]", "NAME=VALUE, an integer, true, false or text", parameter, new Map()),
  )
    .option("--set <file>", "set of a jurisdiction's parameters; those that are named besides count over its own")
    .option("--in <code>", "ISO 3166 code of the jurisdiction that sets them; everywhere where absent")
    .action(setParameters);
}

export function registerRetire(contract: Command): void {
  withChange(
    contract
      .command("retire")
      .description("sign an order by which a contract takes nothing any more")
      .argument("<name>", "the contract", contractName),
  ).action(retire);
}

function withChange(command: Command): Command {
  return withOrderOptions(command)
    .requiredOption("--service <name>", "name or number of the chain that has it")
    .requiredOption("--from <height>", "first height of the chain that it holds for", whole(1, HEIGHT_MAX));
}

async function setParameters(
  contract: string,
  named: ReadonlyMap<string, ParameterValue>,
  options: ChangeOptions,
): Promise<void> {
  const { in: jurisdiction, from: fromHeight, set } = options;
  const stated = set === undefined ? [] : await readParameterSet(set, contract);
  const parameters = new Map([...stated, ...named]);
  const governance = await governanceFor(options);
  const service = namedService(governance, options.service);
  await makeOrder({ type: "parameters", service, contract, jurisdiction, parameters, fromHeight }, governance, options);
}

async function retire(name: string, options: ChangeOptions): Promise<void> {
  const governance = await governanceFor(options);
  const service = namedService(governance, options.service);
  await makeOrder({ type: "retire", service, name, fromHeight: options.from }, governance, options);
}

function parameter(text: string, before: ReadonlyMap<string, ParameterValue>): Map<string, ParameterValue> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("It must be NAME=VALUE.");
  return new Map([...before, [text.slice(0, at), parameterValue(text.slice(at + 1))]]);
}

function parameterValue(text: string): ParameterValue {
  if (text === "true" || text === "false") return text === "true";
  if (!/^-?[0-9]{1,19}$/.test(text)) return text;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}
