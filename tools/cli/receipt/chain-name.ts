// The name of a chain that a receipt or another proof is of.

import { chainOf, type Genesis } from "../../../src/wire/genesis.js";
import { readOrder } from "../../../src/wire/order.js";

/** As the genesis or the order has it that added the chain; the lineage has been verified. */
export function nameOfChain(genesis: Genesis, chain: number, lineage: readonly Uint8Array[]): string {
  const known = chainOf(genesis, chain);
  if (known !== undefined) return known.name;
  const { action } = readOrder(lineage[0]!, genesis);
  return action.type === "chain" ? action.name : String(chain);
}
