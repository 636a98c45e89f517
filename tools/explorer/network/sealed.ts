// Blocks that this browser has found sealed, with what they have put out: what is taken from them is as good as their seals.

import { type Block, slotsIn } from "../../../src/wire/block.js";
import { equalBytes } from "../../../src/wire/bytes.js";
import { WireError } from "../../../src/wire/error.js";
import { outcomesIn } from "../../../src/wire/outcome.js";
import { decodeSlotRows, encodePointRow, type PointRow, slotRoot } from "../../../src/wire/slot.js";
import { decodeOutput, type Value } from "../../../src/wire/value.js";
import { SLOT_ROWS_BYTES_MAX, slot as slotShape } from "../../routes/slots.js";
import { blockIn, sealChecks } from "../verification/block-checks.js";
import { findingsOf } from "../verification/finding.js";
import { askBytes, Refusal } from "./ask.js";
import type { Network } from "./network.js";

/** The block, whose seal holds. Rejects with a WireError that says what is wrong, or with why nothing can be said. */
export async function sealedBlock(network: Network, service: number, height: number): Promise<Block> {
  const question = await network.question(service, height);
  for await (const { state, reason } of findingsOf(sealChecks, question)) {
    if (state === "wrong") throw new WireError("unproven", `block ${height}: ${reason}`);
    if (state !== "verified") throw new Error(`block ${height}: ${reason}`);
  }
  return blockIn(question);
}

/** An effect of a contract, with its place among its block's outcomes and effects. */
export interface SealedEffect {
  readonly height: number;
  readonly index: number;
  readonly name: string;
  readonly body: Value;
}

/** What a contract has put out in a block, messages left out. */
export function effectsIn(block: Block, contract: string): SealedEffect[] {
  const effects: SealedEffect[] = [];
  let index = 0;
  for (const outcome of outcomesIn(block.results)) {
    index += 1;
    for (const { name, body, to } of "effects" in outcome ? outcome.effects : []) {
      const isIts = "contract" in outcome && outcome.contract === contract && to === undefined;
      if (isIts) effects.push({ height: block.height, index, name, body: decodeOutput(body) });
      index += 1;
    }
  }
  return effects;
}

export interface ProvedSlot {
  readonly start_s: number;
  readonly slot_s: number;
  readonly height: number;
  readonly rows: readonly PointRow[];
  readonly block: Block;
}

/**
 * A closed slot with all its rows, held to the root that its sealed block states. Undefined where the node keeps none. Rejects with a
 * WireError where the rows are others.
 */
export async function provedSlot(network: Network, service: number, start_s: number): Promise<ProvedSlot | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await askBytes(slotShape, { parameters: { service, start: start_s } });
  } catch (error) {
    if (error instanceof Refusal && error.code === "unknown-slot") return undefined;
    throw error;
  }
  if (bytes.length > SLOT_ROWS_BYTES_MAX) throw new WireError("limit", "the slot has more rows than any");
  const { height, rows } = decodeSlotRows(bytes);
  const block = await sealedBlock(network, service, height);
  const sealed = slotsIn(block.results).find((slot) => slot.start_s === start_s);
  if (sealed === undefined) throw new WireError("unproven", `block ${height} closes no slot that began at ${start_s}`);
  if (rows.length !== sealed.points || !equalBytes(slotRoot(rows.map(encodePointRow)), sealed.root)) {
    throw new WireError("unproven", "the node tells other energies than its chain has sealed");
  }
  return { start_s, slot_s: sealed.slot_s, height, rows, block };
}
