// Where chains are read from: a running node's API, a node's store on disk, or a file that `chain export` wrote. One interface, so
// that listing, showing, exporting and auditing do not know which.

import type { Genesis } from "../../src/wire/genesis.js";
import type { SlotRows } from "../../src/wire/slot.js";
import { GridsealError } from "../errors.js";
import type { SealedOrder } from "../ledger/governance.js";
import type { ChainSummary } from "../routes/chains.js";
import type { HolderRow } from "../routes/holders.js";
import type { FoundRecord } from "../routes/record-rows.js";
import type { HiddenViolations, ListedViolation, ViolationShown } from "../routes/violations.js";

export interface ChainSource {
  /** for messages */
  readonly origin: string;
  chains(): Promise<readonly ChainSummary[]>;
  /** Encoded blocks of a chain from a height on, in order. */
  blocks(service: number, from: number): AsyncIterable<Uint8Array>;
  /** Undefined where the chain has no such block. */
  block(service: number, height: number): Promise<Uint8Array | undefined>;
  /** The sealed records of a meter or a participant from a number on, in the order of their numbers. */
  records(service: number, signer: Uint8Array, from: number): AsyncIterable<FoundRecord>;
  /** whether `records` begins at a number without reading all that is before it */
  readonly hasIndex: boolean;
  close(): Promise<void>;
}

/** A key of a contract with its value, as JSON has it (tools/contracts/value-json.ts). */
export interface StateEntry {
  readonly key: string;
  readonly value: unknown;
}

/** Which violations: of whom, of which kind, by which rule of a contract, in which state, of which chain, from when to when. */
export interface ViolationQuestion {
  readonly subject?: Uint8Array | undefined;
  readonly kind?: string | undefined;
  readonly rule?: string | undefined;
  /** what has become of it */
  readonly state?: string | undefined;
  readonly service?: number | undefined;
  readonly from_ms?: number | undefined;
  readonly to_ms?: number | undefined;
  /** begins behind this one: `time_ms:service:height:index` */
  readonly after?: string | undefined;
  /** so many are wanted, as far as that is known */
  readonly wanted?: number | undefined;
  /** Told, with the first page, of chains whose violations a node does not show to who asks. */
  readonly onHidden?: (hidden: readonly HiddenViolations[]) => void;
}

/** A source that knows records by their numbers too, and who sealed them. */
export interface ReceiptSource extends ChainSource {
  /** The network's, as the node has it. */
  genesis(): Promise<Genesis>;
  /** Meters and participants with sealed records on the chain, in the order of their ids. */
  holders(service: number): AsyncIterable<HolderRow>;
  /** The sealed orders by their numbers. */
  orders(): AsyncIterable<SealedOrder>;
  /** An encoded receipt; rejects with RECORD_UNKNOWN where the record is not sealed. */
  receipt(service: number, meter: Uint8Array, seq: number): Promise<Uint8Array>;
  /** The rows of a closed slot; undefined where they are not kept. */
  slot(service: number, start_s: number): Promise<SlotRows | undefined>;
  /** What a contract remembers after the newest block under keys with the prefix, in the order of the keys. */
  stateEntries(asked: {
    readonly service: number;
    readonly contract: string;
    readonly prefix: string;
  }): AsyncIterable<StateEntry>;
  /** The encoded proof of a key's value after the newest block; undefined before the first one. */
  stateProof(service: number, contract: string, key: string): Promise<Uint8Array | undefined>;
  /** What sealed blocks of all its chains say against somebody, the newest first. */
  violations(asked: ViolationQuestion): AsyncIterable<ListedViolation>;
  /** One of them, `service:height:index`, with what proves it. Rejects with RECORD_UNKNOWN where there is none. */
  violation(name: string): Promise<ViolationShown>;
  /** What leads to the chain's members (src/wire/lineage.ts), encoded item by item. */
  lineage(service: number): Promise<readonly Uint8Array[]>;
}

/** The chain that a person names by its name or number. Throws NOT_FOUND. */
export async function chainOfSource(source: ChainSource, text: string): Promise<ChainSummary> {
  const chains = await source.chains();
  const chain = chains.find(({ service, name }) => name === text || String(service) === text);
  if (chain !== undefined) return chain;
  const known = chains.map(({ service, name }) => `${name} (${service})`).join(", ");
  throw new GridsealError("NOT_FOUND", `${source.origin} has no service ${text}: it has ${known || "none"}`);
}

/** The service's number of the chain that a command reads; 0 for an exported file, which has but one chain. Throws USAGE or NOT_FOUND. */
export async function serviceIn(
  source: ChainSource,
  file: string | undefined,
  service: string | undefined,
): Promise<number> {
  if (file !== undefined) return 0;
  if (service === undefined) throw new GridsealError("USAGE", "name the chain with --service");
  return (await chainOfSource(source, service)).service;
}
