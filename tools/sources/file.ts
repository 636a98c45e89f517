// A chain in a file: the CBOR sequence of its blocks that `chain export` writes.

import { createReadStream } from "node:fs";
import { type Block, decodeBlock } from "../../src/wire/block.js";
import { equalBytes, toHex } from "../../src/wire/bytes.js";
import { WireError } from "../../src/wire/error.js";
import { headerHash } from "../../src/wire/header.js";
import { type AnyRecord, parseAnyRecord } from "../../src/wire/operation.js";
import { decodePublicHead, type PublicHead } from "../../src/wire/public-chain.js";
import { paperServices } from "../../src/wire/services.js";
import { GridsealError, reasonOf } from "../errors.js";
import type { ChainSummary } from "../routes/chains.js";
import type { FoundRecord } from "../routes/record-rows.js";
import { splitSequence } from "./sequence.js";
import type { ChainSource } from "./source.js";

/** Throws nothing; reading throws FILE_UNREADABLE, and CHAIN_INVALID, or from `blocks` a WireError, where the file holds no blocks. */
export function openFileSource(path: string): ChainSource {
  async function summary(): Promise<ChainSummary> {
    let newest: Block | undefined;
    let records = 0;
    for await (const { block } of decodedBlocks(path)) {
      newest = block;
      for (const batch of newest.batches) records += batch.records.length;
    }
    if (newest === undefined) throw new GridsealError("CHAIN_INVALID", `${path} holds no block`);
    return {
      service: newest.chain,
      name: paperServices.get(newest.chain) ?? `service-${newest.chain}`,
      height: newest.height,
      header: toHex(headerHash(newest.header)),
      records,
      violations: newest.counter,
      time_ms: newest.time_ms,
    };
  }

  return {
    origin: path,
    chains: async () => [await summary()],
    async *blocks(_service, from) {
      let height = 1;
      for await (const bytes of splitSequence(chunksOf(path))) if (height++ >= from) yield bytes;
    },
    async block(_service, height) {
      for await (const { bytes, block } of decodedBlocks(path)) if (block.height === height) return bytes;
      return undefined;
    },
    hasIndex: false,
    async *records(_service, signer, from) {
      const found: FoundRecord[] = [];
      for await (const { block } of decodedBlocks(path)) found.push(...recordsIn(path, block, signer, from));
      yield* found.sort((one, other) => one.seq - other.seq);
    },
    close: async () => {},
  };
}

/** Of one signer, from a number on. */
function recordsIn(path: string, { height, batches }: Block, signer: Uint8Array, from: number): FoundRecord[] {
  return batches
    .flatMap(({ records }) => records)
    .flatMap((bytes, place) => {
      const { kid, claims, hash } = readRecord(path, height, bytes);
      if (!equalBytes(kid, signer) || claims.seq < from) return [];
      return [{ seq: claims.seq, height, leaf: place + 1, hash, bytes }];
    });
}

function readRecord(path: string, height: number, bytes: Uint8Array): AnyRecord {
  try {
    return parseAnyRecord(bytes);
  } catch (cause) {
    throw new GridsealError(
      "CHAIN_INVALID",
      `${path}: a record of block ${height} cannot be read: ${reasonOf(cause)}`,
      {
        cause,
      },
    );
  }
}

/** Service of the first block of an exported file. Throws FILE_UNREADABLE or CHAIN_INVALID. */
export async function serviceOfFile(path: string): Promise<number> {
  try {
    for await (const bytes of splitSequence(chunksOf(path))) return decodeBlock(bytes).chain;
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new GridsealError("CHAIN_INVALID", `${path} does not begin with a block: ${cause.message}`, { cause });
  }
  throw new GridsealError("CHAIN_INVALID", `${path} holds no block`);
}

export interface PublicFile {
  readonly head: PublicHead;
  /** encoded, from height 1 on */
  blocks(): AsyncIterable<Uint8Array>;
}

/** What anybody may have of a chain, as `chain export --public` writes it; undefined where the file is something else. Rejects with FILE_UNREADABLE. */
export async function openPublicFile(path: string): Promise<PublicFile | undefined> {
  const head = await publicHeadOf(path);
  if (head === undefined) return undefined;
  return {
    head,
    async *blocks() {
      let isHead = true;
      for await (const bytes of splitSequence(chunksOf(path))) {
        if (!isHead) yield bytes;
        isHead = false;
      }
    },
  };
}

async function publicHeadOf(path: string): Promise<PublicHead | undefined> {
  try {
    for await (const bytes of splitSequence(chunksOf(path))) return decodePublicHead(bytes);
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
  }
  return undefined;
}

/** Hands over the blocks of an exported file in their order. Rejects with FILE_UNREADABLE, and CHAIN_INVALID where one cannot be read. */
export async function readBlocks(path: string, read: (block: Block) => void): Promise<void> {
  try {
    for await (const bytes of splitSequence(chunksOf(path))) read(decodeBlock(bytes));
  } catch (cause) {
    if (cause instanceof GridsealError) throw cause;
    throw new GridsealError("CHAIN_INVALID", `${path}: a block cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1_048_576 })) yield chunk as Uint8Array;
  } catch (cause) {
    throw new GridsealError("FILE_UNREADABLE", `${path} cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

async function* decodedBlocks(path: string): AsyncGenerator<{ readonly bytes: Uint8Array; readonly block: Block }> {
  try {
    for await (const bytes of splitSequence(chunksOf(path))) yield { bytes, block: decodeBlock(bytes) };
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new GridsealError("CHAIN_INVALID", `${path}: a block cannot be read: ${cause.message}`, { cause });
  }
}
