// The chain that a command about records reads.

import { GridsealError } from "../../errors.js";
import { type ChainSource, chainOfSource } from "../../sources/source.js";

/** Its service's number; 0 for an exported file, which has but one chain. Throws USAGE. */
export async function serviceIn(
  source: ChainSource,
  file: string | undefined,
  service: string | undefined,
): Promise<number> {
  if (file !== undefined) return 0;
  if (service === undefined) throw new GridsealError("USAGE", "name the chain with --service");
  return (await chainOfSource(source, service)).service;
}
