// What is told of a chain to who asks: its newest block and its totals, as the routes have them.

import { toHex } from "../../../src/wire/bytes.js";
import type { ChainSummary } from "../../routes/chains.js";
import type { Head } from "./tables/heads.js";

/** `head` is undefined before the first block; the chain then stands on the genesis. */
export function summaryOf(
  { service, name }: Pick<ChainSummary, "service" | "name">,
  head: Head | undefined,
  genesisHash: Uint8Array,
): ChainSummary {
  return {
    ...{ service, name },
    height: head?.height ?? 0,
    header: toHex(head?.headerHash ?? genesisHash),
    records: head?.records ?? 0,
    violations: head?.counter ?? 0,
    time_ms: head?.time_ms ?? null,
  };
}
