// Where chains are read from: a running node's API, a node's store on disk, or a file that `chain export` wrote. One interface, so
// that listing, showing, exporting and auditing do not know which.

import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Genesis } from "../../src/wire/genesis.js";
import { GridsealError } from "../errors.js";
import { readGenesisFile } from "../files/genesis-file.js";
import type { StoredOrder } from "../node/store/rows.js";
import { openApiSource } from "./api.js";
import { openFileSource } from "./file.js";
import { openStoreSource } from "./store.js";

/** What a source knows of a chain without auditing it. */
export interface ChainSummary {
  readonly service: number;
  readonly name: string;
  readonly height: number;
  /** hash of the newest header in hex */
  readonly header: string;
  readonly records: number;
  readonly violations: number;
  /** UTC milliseconds of the newest block; null where there is none */
  readonly time_ms: number | null;
}

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
  orders(): AsyncIterable<StoredOrder>;
  /** An encoded receipt; rejects with RECORD_UNKNOWN where the record is not sealed. */
  receipt(service: number, meter: Uint8Array, seq: number): Promise<Uint8Array>;
  /** What leads to the chain's members (src/wire/lineage.ts), encoded item by item. */
  lineage(service: number): Promise<readonly Uint8Array[]>;
}

/** How a command line names a source. */
export interface SourceOptions {
  /** URL of a node's API */
  readonly api?: string;
  /** a node's data folder */
  readonly data?: string;
  /** the genesis file; beside the data folder where absent */
  readonly genesis?: string;
}

/** Opens the node that the options name, by its API or its data folder. Throws USAGE where they name none or both. */
export async function openNodeSource(options: SourceOptions): Promise<ReceiptSource> {
  if (options.api !== undefined && options.data === undefined) return openApiSource(options.api);
  if (options.data !== undefined && options.api === undefined) {
    return openStoreSource(options.data, await genesisOfStore(options.data, options.genesis));
  }
  throw new GridsealError("USAGE", "name a node: either --api URL or --data DIR");
}

/** Opens what the options name, or the exported file where there is one. */
export async function openSource(file: string | undefined, options: SourceOptions): Promise<ChainSource> {
  if (file === undefined) {
    if (options.api === undefined && options.data === undefined) {
      throw new GridsealError("USAGE", "name what to read: an exported file, --api URL or --data DIR");
    }
    return openNodeSource(options);
  }
  if (options.api !== undefined || options.data !== undefined) {
    throw new GridsealError("USAGE", `name one source: ${file}, --api or --data`);
  }
  return openFileSource(file);
}

async function genesisOfStore(folder: string, path: string | undefined): Promise<Genesis> {
  const beside = join(folder, "../genesis.cbor");
  const found = path ?? ((await stat(beside).catch(() => undefined)) === undefined ? undefined : beside);
  if (found === undefined) throw new GridsealError("USAGE", `no genesis is beside ${folder}: name it with --genesis`);
  return (await readGenesisFile(found)).genesis;
}

/** The chain that a person names by its name or number. Throws USAGE. */
export async function chainOfSource(source: ChainSource, text: string): Promise<ChainSummary> {
  const chains = await source.chains();
  const chain = chains.find(({ service, name }) => name === text || String(service) === text);
  if (chain !== undefined) return chain;
  const known = chains.map(({ service, name }) => `${name} (${service})`).join(", ");
  throw new GridsealError("USAGE", `${source.origin} has no service ${text}: it has ${known || "none"}`);
}
