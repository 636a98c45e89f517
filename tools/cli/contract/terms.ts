// The terms on which a chain is to have a contract, stated alike by those who try it and by who orders it: what is tried is what is ordered.

import { type Command, InvalidArgumentError } from "commander";
import { HEIGHT_MAX, OPERATION_TYPE_MAX, SERVICE_MAX, WORD_MAX } from "../../../src/wire/bounds.js";
import {
  CONTRACT_BUDGET_MAX,
  CONTRACT_PAGES_MAX,
  CONTRACT_PAGES_MIN,
  type MessageType,
  type Tried,
} from "../../../src/wire/contract-order.js";
import { planFrom, type SettlementPlan } from "../../../src/wire/slot.js";
import { CONTRACT_OUTPUT_MAX } from "../../../src/wire/value.js";
import { defaultLimits, type Limits } from "../../contracts/limits.js";
import { reasonOf } from "../../errors.js";
import { newestEngine } from "../../ledger/engines.js";
import { whole } from "../../terminal/arguments.js";

export interface TermsOptions extends Limits {
  /** name or number */
  readonly service: string;
  readonly name: string;
  readonly revision: number;
  readonly type: readonly number[];
  readonly message: readonly MessageType[];
  readonly slots?: SettlementPlan;
  readonly from: number;
  readonly vectors?: string;
}

/** Adds --service, --name, --revision, --type, --message, --slots, --from, --budget, --pages, --output and --vectors. */
export function withTerms(command: Command): Command {
  const pages = whole(CONTRACT_PAGES_MIN, CONTRACT_PAGES_MAX);
  return command
    .requiredOption("--service <name>", "name or number of the chain that gets it")
    .requiredOption("--name <name>", "its name there", contractName)
    .requiredOption("--revision <number>", "its version, above those before", whole(1, WORD_MAX))
    .option("--type <number>", "type of operation that it takes; may be repeated", addType, [])
    .option("--message <chain/name>", "message that it takes, of a chain or `any`; may be repeated", addMessage, [])
    .option("--slots <slot:late:gap>", "have the chain settle: seconds of a slot, lateness, longest gap", slotsAsked)
    .requiredOption("--from <height>", "first height of the chain that has it", whole(1, HEIGHT_MAX))
    .option("--budget <number>", "what one run may take", whole(1, CONTRACT_BUDGET_MAX), defaultLimits.budget)
    .option("--pages <number>", "pages of 64 KiB that one run may take", pages, defaultLimits.pages)
    .option("--output <bytes>", "what one run may put out", whole(0, CONTRACT_OUTPUT_MAX), defaultLimits.output)
    .option("--vectors <file>", "its vectors; FILE.vectors.json where absent");
}

/** What an order says on these terms of what is ordered for a chain, but for who is ready. */
export function actionOf(options: TermsOptions, ordered: Pick<Tried, "service" | "source" | "vectors">): Tried {
  const { name, revision: version, from: fromHeight, budget, pages, output, slots } = options;
  const types = [...new Set(options.type)].sort((one, other) => one - other);
  return {
    ...({ type: "install", name, version, ...ordered, ...newestEngine } as const),
    ...{ budget, pages, output, types, messages: ascending(options.message), fromHeight },
    ...(slots !== undefined && { slots }),
  };
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
function ascending(messages: readonly MessageType[]): MessageType[] {
  const sorted = [...messages].sort((one, two) => one.service - two.service || (one.name < two.name ? -1 : 1));
  return sorted.filter(({ service, name }, at) => service !== sorted[at - 1]?.service || name !== sorted[at - 1]?.name);
}

function addType(text: string, types: readonly number[]): number[] {
  return [...types, whole(1, OPERATION_TYPE_MAX)(text)];
}
