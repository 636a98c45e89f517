// A chain as a person names it, and heights of it that are counted from its newest block.

import { InvalidArgumentError } from "commander";
import { HEIGHT_MAX } from "../../../../src/wire/bounds.js";
import { GridsealError } from "../../../errors.js";
import type { Governance } from "../../../ledger/governance.js";
import { withNodeSource } from "../../../sources/open.js";
import { whole } from "../../../terminal/arguments.js";
import type { GovernanceOptions } from "../governance.js";

const HEIGHT_LEAST = 2;

/** A height, or so many blocks above the newest one. */
export type HeightOption = { readonly height: number } | { readonly above: number };

/** Reads `1200` or `+50`. */
export function heightOption(text: string): HeightOption {
  try {
    return text.startsWith("+")
      ? { above: whole(1, 1_000_000)(text.slice(1)) }
      : { height: whole(HEIGHT_LEAST, HEIGHT_MAX)(text) };
  } catch {
    throw new InvalidArgumentError(`It must be a height from ${HEIGHT_LEAST} on, or +BLOCKS above the newest one.`);
  }
}

/** The service of the chain of this name or number. Throws NOT_FOUND. */
export function namedService({ chains }: Governance, text: string): number {
  const found = chains.find(({ chain }) => chain.name === text || String(chain.service) === text);
  if (found !== undefined) return found.chain.service;
  const known = chains.map(({ chain }) => `${chain.name} (${chain.service})`).join(", ");
  throw new GridsealError(
    "NOT_FOUND",
    `no chain ${text} is known here, but ${known}: name a node by --api or --data where an order added it`,
  );
}

/** The height that is meant; of one above the newest block a node is asked. Rejects with USAGE where none is named. */
export async function heightOn(service: number, wanted: HeightOption, options: GovernanceOptions): Promise<number> {
  if ("height" in wanted) return wanted.height;
  if (options.api === undefined && options.data === undefined) {
    throw new GridsealError(
      "USAGE",
      `--effective +${wanted.above} is counted from the newest block: name a node by --api or --data`,
    );
  }
  const chains = await withNodeSource(options, (source) => source.chains());
  return (chains.find((chain) => chain.service === service)?.height ?? 0) + wanted.above;
}
