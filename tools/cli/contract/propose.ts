// `gridseal contract propose`: an order that installs a contract, signed into a file with its source, once all of its vectors are good.

import { type Command, InvalidArgumentError } from "commander";
import { HEIGHT_MAX, OPERATION_TYPE_MAX, SERVICE_MAX, WORD_MAX } from "../../../src/wire/bounds.js";
import type { MessageType } from "../../../src/wire/contract-order.js";
import { sha256 } from "../../../src/wire/hash.js";
import { planFrom, type SettlementPlan } from "../../../src/wire/slot.js";
import { readTried } from "../../authority/tried.js";
import type { Limits } from "../../contracts/limits.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readWhole } from "../../files/made-once.js";
import { newestEngine } from "../../ledger/engines.js";
import { testContract } from "../../provisioning/contracts/trying.js";
import { VECTORS_BYTES_MAX, vectorsPathOf } from "../../provisioning/contracts/vectors.js";
import { several, whole } from "../../terminal/arguments.js";
import { governanceFor } from "../authority/governance.js";
import { type MakeOptions, makeOrder, withOrderOptions } from "../authority/order/make-order.js";
import { namedService } from "../authority/order/named-chain.js";
import { withLimits } from "./limits.js";

interface ProposeOptions extends MakeOptions, Limits {
  readonly service: string;
  readonly name: string;
  readonly revision: number;
  readonly type: readonly number[];
  readonly message: readonly MessageType[];
  readonly slots?: SettlementPlan;
  readonly from: number;
  readonly vectors?: string;
  readonly ready: readonly string[];
}

export function registerPropose(contract: Command): void {
  const command = withOrderOptions(
    contract
      .command("propose")
      .description(
        "sign an order that installs a contract, once its vectors are good on a quorum of the chain's members",
      )
      .argument("<file>", "the contract's source"),
  );
  withLimits(command)
    .requiredOption("--service <name>", "name or number of the chain that gets it")
    .requiredOption("--name <name>", "its name there", contractName)
    .requiredOption("--revision <number>", "its version, above those before", whole(1, WORD_MAX))
    .option("--type <number>", "type of operation that it takes; may be repeated", addType, [])
    .option("--message <chain/name>", "message that it takes, of a chain or `any`; may be repeated", addMessage, [])
    .option("--slots <slot:late:gap>", "have the chain settle: seconds of a slot, lateness, longest gap", slotsAsked)
    .requiredOption("--from <height>", "first height of the chain that has it", whole(1, HEIGHT_MAX))
    .option("--ready <file>", "READY of nodes that have run its vectors (repeatable)", several, [])
    .action(propose);
}

async function propose(file: string, options: ProposeOptions): Promise<void> {
  const path = vectorsPathOf(file, options.vectors);
  const { budget, pages, output } = options;
  const { bundle, complaint } = await testContract(file, path, { budget, pages, output });
  if (complaint !== undefined) throw new GridsealError("CONTRACT_FAILED", complaint);
  const vectors = sha256(await readWhole(path, VECTORS_BYTES_MAX));
  const governance = await governanceFor(options);
  const { name, revision: version, from: fromHeight } = options;
  const chain = namedService(governance, options.service);
  const types = [...new Set(options.type)].sort((one, other) => one - other);
  const action = {
    ...({ type: "install", service: chain, name, version, source: bundle.hash, ...newestEngine } as const),
    ...{ budget, pages, output, types, messages: ordered(options.message), vectors, fromHeight },
    ...(options.slots !== undefined && { slots: options.slots }),
  };
  const ready = await readTried(options.ready, governance.genesis, action);
  await makeOrder({ ...action, ready }, governance, { ...options, source: bundle.source });
}

export function contractName(text: string): string {
  if (/^[a-z][a-z0-9-]{0,31}$/.test(text)) return text;
  throw new InvalidArgumentError("It must be 1 to 32 of a-z, 0-9 and -, a letter first.");
}

/** `900:3600:1800`: seconds of a slot, within which a slot waits for readings, over which counters are interpolated. */
function slotsAsked(text: string): SettlementPlan {
  const [slot_s, lateness_s, gapMax_s] = /^\d{1,8}:\d{1,8}:\d{1,8}$/.test(text) ? text.split(":").map(Number) : [];
  try {
    return planFrom([slot_s ?? null, lateness_s ?? null, gapMax_s ?? null]);
  } catch (error) {
    throw new InvalidArgumentError(`It must be SLOT:LATENESS:GAP in seconds, as 900:3600:1800 (${reasonOf(error)}).`);
  }
}

/** One of `2/verdict`, `any/breach`. */
function addMessage(text: string, messages: readonly MessageType[]): MessageType[] {
  const [, chain, name] = /^(any|[1-9][0-9]{0,4})[/]([a-z][a-z0-9-]{0,63})$/.exec(text) ?? [];
  if (chain === undefined) throw new InvalidArgumentError("It must be CHAIN/NAME, as 2/verdict or any/breach.");
  const service = chain === "any" ? 0 : whole(1, SERVICE_MAX)(chain);
  return [...messages, { service, name: name! }];
}

/** Ascending by chain and name, each once. */
function ordered(messages: readonly MessageType[]): MessageType[] {
  const sorted = [...messages].sort((one, two) => one.service - two.service || (one.name < two.name ? -1 : 1));
  return sorted.filter(({ service, name }, at) => service !== sorted[at - 1]?.service || name !== sorted[at - 1]?.name);
}

function addType(text: string, types: readonly number[]): number[] {
  return [...types, whole(1, OPERATION_TYPE_MAX)(text)];
}
