// The slots that a chain has closed, as its blocks have them: each once, with the root of its points' rows.

import { decodeBlockViews, slotsIn } from "../../../src/wire/block.js";
import type { SealedSlot } from "../../../src/wire/slot.js";
import { GridsealError, reasonOf } from "../../errors.js";
import type { ChainSource } from "../../sources/source.js";

export interface ClosedSlot extends SealedSlot {
  readonly height: number;
}

/** The closed slots that begin in a time, in their order. Rejects with CHAIN_INVALID where a block cannot be read. */
export async function closedSlots(
  source: ChainSource,
  service: number,
  { from = 0, to = Number.POSITIVE_INFINITY }: { readonly from?: number | undefined; readonly to?: number | undefined },
): Promise<ClosedSlot[]> {
  const closed: ClosedSlot[] = [];
  for await (const bytes of source.blocks(service, 1)) {
    for (const slot of slotsOf(bytes, source.origin)) if (slot.start_s >= from && slot.start_s < to) closed.push(slot);
  }
  return closed;
}

function slotsOf(bytes: Uint8Array, origin: string): ClosedSlot[] {
  try {
    const { height, results } = decodeBlockViews(bytes);
    return slotsIn(results).map((slot) => ({ ...slot, height }));
  } catch (cause) {
    throw new GridsealError("CHAIN_INVALID", `${origin} cannot be read: ${reasonOf(cause)}`, { cause });
  }
}
