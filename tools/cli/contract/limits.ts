// What one run of a contract may take: stated alike in the order that installs it and in READY of those who try it.

import type { Command } from "commander";
import { CONTRACT_BUDGET_MAX, CONTRACT_PAGES_MAX, CONTRACT_PAGES_MIN } from "../../../src/wire/contract-order.js";
import { CONTRACT_OUTPUT_MAX } from "../../../src/wire/value.js";
import { defaultLimits } from "../../contracts/limits.js";
import { whole } from "../../terminal/arguments.js";

/** Adds --budget, --pages, --output and --vectors. */
export function withLimits(command: Command): Command {
  const pages = whole(CONTRACT_PAGES_MIN, CONTRACT_PAGES_MAX);
  return command
    .option("--budget <number>", "what one run may take", whole(1, CONTRACT_BUDGET_MAX), defaultLimits.budget)
    .option("--pages <number>", "pages of 64 KiB that one run may take", pages, defaultLimits.pages)
    .option("--output <bytes>", "what one run may put out", whole(0, CONTRACT_OUTPUT_MAX), defaultLimits.output)
    .option("--vectors <file>", "its vectors; FILE.vectors.json where absent");
}
