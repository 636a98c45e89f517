// `gridseal contract propose`: an order that installs a contract, signed into a file with its source, once all of its vectors are good.

import { type Command, InvalidArgumentError } from "commander";
import { HEIGHT_MAX, OPERATION_TYPE_MAX, SERVICE_MAX, WORD_MAX } from "../../../src/wire/bounds.js";
import {
  CONTRACT_BUDGET_MAX,
  CONTRACT_OUTPUT_MAX,
  CONTRACT_PAGES_MAX,
  CONTRACT_PAGES_MIN,
} from "../../../src/wire/contract-order.js";
import { sha256 } from "../../../src/wire/hash.js";
import { GridsealError } from "../../errors.js";
import { readWhole } from "../../files/made-once.js";
import { newestEngine } from "../../ledger/engines.js";
import { whole } from "../../terminal/arguments.js";
import { governanceFor } from "../authority/governance.js";
import { type MakeOptions, makeOrder, withOrderOptions } from "../authority/order/make-order.js";
import { testContract } from "./test.js";
import { VECTORS_BYTES_MAX, vectorsPathOf } from "./vectors.js";

interface ProposeOptions extends MakeOptions {
  readonly service: number;
  readonly name: string;
  readonly revision: number;
  readonly type: readonly number[];
  readonly from: number;
  readonly budget: number;
  readonly pages: number;
  readonly output: number;
  readonly vectors?: string;
}

export function registerPropose(contract: Command): void {
  withOrderOptions(
    contract
      .command("propose")
      .description("sign an order that installs a contract, once its vectors are good")
      .argument("<file>", "the contract's source"),
  )
    .requiredOption("--service <number>", "chain that gets it", whole(1, SERVICE_MAX))
    .requiredOption("--name <name>", "its name there", contractName)
    .requiredOption("--revision <number>", "its version, above those before", whole(1, WORD_MAX))
    .requiredOption("--type <number>", "type of operation that it takes; may be repeated", addType, [])
    .requiredOption("--from <height>", "first height of the chain that has it", whole(1, HEIGHT_MAX))
    .option("--budget <number>", "what one run may take", whole(1, CONTRACT_BUDGET_MAX), 1_000)
    .option(
      "--pages <number>",
      "pages of 64 KiB that one run may take",
      whole(CONTRACT_PAGES_MIN, CONTRACT_PAGES_MAX),
      256,
    )
    .option("--output <bytes>", "what one run may put out", whole(0, CONTRACT_OUTPUT_MAX), 65_536)
    .option("--vectors <file>", "its vectors; FILE.vectors.json where absent")
    .action(propose);
}

async function propose(file: string, options: ProposeOptions): Promise<void> {
  const path = vectorsPathOf(file, options.vectors);
  const { bundle, complaint } = await testContract(file, path);
  if (complaint !== undefined) throw new GridsealError("CONTRACT_FAILED", complaint);
  const vectors = sha256(await readWhole(path, VECTORS_BYTES_MAX));
  const governance = await governanceFor(options);
  const { service: chain, name, revision: version, budget, pages, output, from: fromHeight } = options;
  const types = [...new Set(options.type)].sort((one, other) => one - other);
  const action = {
    ...({ type: "install", service: chain, name, version, source: bundle.hash, ...newestEngine } as const),
    ...{ budget, pages, output, types, vectors, fromHeight },
  };
  await makeOrder(action, governance, { ...options, source: bundle.source });
}

export function contractName(text: string): string {
  if (/^[a-z][a-z0-9-]{0,31}$/.test(text)) return text;
  throw new InvalidArgumentError("It must be 1 to 32 of a-z, 0-9 and -, a letter first.");
}

function addType(text: string, types: readonly number[]): number[] {
  return [...types, whole(1, OPERATION_TYPE_MAX)(text)];
}
