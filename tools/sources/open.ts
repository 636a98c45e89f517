// Opens what a command line names as the source of chains: a running node's API, a node's store, or an exported file. What reads an API
// or a store is loaded on use: either takes longer to load than the rest of a command.

import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Genesis } from "../../src/wire/genesis.js";
import { GridsealError } from "../errors.js";
import { readGenesisFile } from "../files/genesis-file.js";
import { readHolderFolder } from "../files/holder-folder.js";
import { openFileSource } from "./file.js";
import type { ChainSource, ReceiptSource } from "./source.js";

/** How a command line names a source. */
export interface SourceOptions {
  /** URL of a node's API */
  readonly api?: string;
  /** folder of who asks, where the API wants to know */
  readonly as?: string;
  /** a node's data folder */
  readonly data?: string;
  /** the genesis file; beside the data folder where absent */
  readonly genesis?: string;
}

/** Opens the node that the options name, by its API or its data folder. Throws USAGE where they name none or both. */
async function openNodeSource(options: SourceOptions): Promise<ReceiptSource> {
  if (options.api !== undefined && options.data === undefined) {
    const { openApiSource } = await import("./api.js");
    return openApiSource(options.api, options.as === undefined ? undefined : await readHolderFolder(options.as));
  }
  if (options.data !== undefined && options.api === undefined) {
    const { openStoreSource } = await import("./store.js");
    return openStoreSource(options.data, await genesisOfStore(options.data, options.genesis));
  }
  throw new GridsealError("USAGE", "name a node: either --api URL or --data DIR");
}

/** Lends the node that the options name to `use`, and closes it whatever comes of that. */
export async function withNodeSource<T>(
  options: SourceOptions,
  use: (source: ReceiptSource) => Promise<T>,
): Promise<T> {
  const source = await openNodeSource(options);
  try {
    return await use(source);
  } finally {
    await source.close();
  }
}

/** Opens what the options name, or the exported file where there is one. */
async function openSource(file: string | undefined, options: SourceOptions): Promise<ChainSource> {
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

/** Lends what the options name, or the exported file where there is one, as `withNodeSource` does. */
export async function withSource<T>(
  file: string | undefined,
  options: SourceOptions,
  use: (source: ChainSource) => Promise<T>,
): Promise<T> {
  return lend(await openSource(file, options), use);
}

async function lend<Source extends ChainSource, T>(source: Source, use: (source: Source) => Promise<T>): Promise<T> {
  try {
    return await use(source);
  } finally {
    await source.close();
  }
}

async function genesisOfStore(folder: string, path: string | undefined): Promise<Genesis> {
  const beside = join(folder, "../genesis.cbor");
  const found = path ?? ((await stat(beside).catch(() => undefined)) === undefined ? undefined : beside);
  if (found === undefined) throw new GridsealError("USAGE", `no genesis is beside ${folder}: name it with --genesis`);
  return (await readGenesisFile(found)).genesis;
}
