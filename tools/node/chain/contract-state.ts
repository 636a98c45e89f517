// What a chain's contracts remember, for whoever asks: entries of a contract, and the proof of one. Both are of the newest sealed
// block: of those before it nothing is kept but what blocks and receipts say.

import { inclusionPath, leafCount } from "../../../src/wire/merkle.js";
import { decodeValue } from "../../../src/wire/value.js";
import { valueToJson } from "../../contracts/value-json.js";
import { GridsealError } from "../../errors.js";
import { proveState } from "../../ledger/state-map.js";
import { encodeStateProof } from "../../ledger/state-proof.js";
import type { BlockTree, StoredBlock } from "../store/block-trees.js";
import { blockKey, chainKey, keyBehind, prefixRange, stateKey, stateKeyIn } from "../store/keys.js";
import type { StoreReader } from "../store/store.js";
import { stateOf } from "./stored-state.js";
import { blocks } from "./tables/blocks.js";
import { contractState } from "./tables/contract-state.js";
import { type Head, heads } from "./tables/heads.js";

/** Rows of one answer, and bytes of their values: as JSON they are six times longer at most. */
export const STATE_ENTRIES_MAX = 500;
const ENTRIES_BYTES_MAX = 131_072;

export interface StateEntry {
  /** without the contract's name and the slash */
  readonly key: string;
  /** as JSON has it */
  readonly value: unknown;
}

export interface StateEntries {
  /** undefined before the first block */
  readonly head: Head | undefined;
  readonly entries: readonly StateEntry[];
  /** there are more behind the last */
  readonly hasMore: boolean;
}

/** Which of a contract's entries: those whose keys begin with the prefix, behind a key where that is named. */
export interface EntriesAsked {
  readonly chain: number;
  readonly contract: string;
  readonly prefix: string;
  readonly after: string | undefined;
  readonly limit: number;
}

/** Entries in the order of the bytes of their keys. Throws STORE_CORRUPT where one is damaged. */
export function stateEntries(store: StoreReader, asked: EntriesAsked): StateEntries {
  const { chain, contract, prefix, after } = asked;
  const limit = Math.min(asked.limit, STATE_ENTRIES_MAX);
  const named = `${contract}/`;
  const { start, end } = prefixRange(chain, named + prefix);
  const behind = after === undefined ? start : keyBehind(stateKey(chain, named + after));
  const from = Buffer.compare(behind, start) > 0 ? behind : start;
  const rows = store.range(contractState, { start: from, end, limit: limit + 1 });
  const entries: StateEntry[] = [];
  let bytes = 0;
  for (const { key, row } of rows.slice(0, limit)) {
    bytes += row.length;
    if (entries.length > 0 && bytes > ENTRIES_BYTES_MAX) break;
    entries.push({ key: stateKeyIn(key).slice(named.length), value: valueToJson(decodeValue(row)) });
  }
  return { head: store.get(heads, chainKey(chain)), entries, hasMore: entries.length < rows.length };
}

/** Which value is to be proved. */
export interface ProofAsked {
  readonly chain: number;
  readonly contract: string;
  readonly key: string;
}

/** Makes the tree of a block, here or in a thread; undefined where the block is not what was sealed. */
export type MakeTree = (stored: StoredBlock) => BlockTree | undefined | Promise<BlockTree | undefined>;

/**
 * The encoded proof of the key's value after the newest block, or that it has none; undefined before the first block. Rejects with
 * STORE_CORRUPT where state or block are not what was sealed.
 */
export async function stateProofOf(
  store: StoreReader,
  network: string,
  { chain, contract, key: own }: ProofAsked,
  makeTree: MakeTree,
): Promise<Uint8Array | undefined> {
  const head = store.get(heads, chainKey(chain));
  if (head === undefined) return undefined;
  const { height } = head;
  const key = `${contract}/${own}`;
  // All that the next block may change is read before anything is waited for.
  const value = store.get(contractState, stateKey(chain, key));
  const path = proveState(stateOf(store, chain), head.stateRoot, key);
  const block = store.get(blocks, blockKey(chain, height));
  const tree = block === undefined ? undefined : await makeTree({ isOutline: false, bytes: block });
  if (tree === undefined) {
    throw new GridsealError("STORE_CORRUPT", `chain ${chain}: block ${height} is not what was sealed`);
  }
  const { header, certificate, metadata } = tree.outline;
  const inclusion = { metadata, size: leafCount(tree.tree), inclusion: inclusionPath(tree.tree, 0) };
  return encodeStateProof({ network, chain, height, key, value, path, ...inclusion, header, certificate });
}
