// Where chains are read from: a running node's API, a node's store on disk, or a file that `chain export` wrote. One interface, so
// that listing, showing, exporting and auditing do not know which.

import type { SlotRows } from "../../src/wire/slot.js";
import { GridsealError } from "../errors.js";
import type { SealedOrder } from "../ledger/governance.js";
import type { ChainSummary } from "../routes/chains.js";

export interface ChainSource {
  /** for messages */
  readonly origin: string;
  chains(): Promise<readonly ChainSummary[]>;
  /** Encoded blocks of a chain from a height on, in order. */
  blocks(service: number, from: number): AsyncIterable<Uint8Array>;
  /** Undefined where the chain has no such block. */
  block(service: number, height: number): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

/** A source that knows records by their numbers too, and who sealed them. */
export interface ReceiptSource extends ChainSource {
  /** The sealed orders by their numbers. */
  orders(): AsyncIterable<SealedOrder>;
  /** An encoded receipt; rejects with RECORD_UNKNOWN where the record is not sealed. */
  receipt(service: number, meter: Uint8Array, seq: number): Promise<Uint8Array>;
  /** The rows of a closed slot; undefined where they are not kept. */
  slot(service: number, start_s: number): Promise<SlotRows | undefined>;
  /** What leads to the chain's members (src/wire/lineage.ts), encoded item by item. */
  lineage(service: number): Promise<readonly Uint8Array[]>;
}

/** The chain that a person names by its name or number. Throws USAGE. */
export async function chainOfSource(source: ChainSource, text: string): Promise<ChainSummary> {
  const chains = await source.chains();
  const chain = chains.find(({ service, name }) => name === text || String(service) === text);
  if (chain !== undefined) return chain;
  const known = chains.map(({ service, name }) => `${name} (${service})`).join(", ");
  throw new GridsealError("USAGE", `${source.origin} has no service ${text}: it has ${known || "none"}`);
}
