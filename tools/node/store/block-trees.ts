// A block's outline with its tree, of which receipts are made. Hashing a large block takes tens of milliseconds: what strangers ask
// for is hashed in a thread, one block at a time.

import type { Worker } from "node:worker_threads";
import { decodeBlock } from "../../../src/wire/block.js";
import { WireError } from "../../../src/wire/error.js";
import type { MerkleLevels } from "../../../src/wire/merkle.js";
import { startThread } from "../../thread.js";
import { decodeOutline, encodeOutline, type Outline, outlineOf, treeOfOutline } from "./outline.js";

/** What a node has of a block: all of it, or its outline as encoded. */
export interface StoredBlock {
  readonly isOutline: boolean;
  readonly bytes: Uint8Array;
}

export interface BlockTree {
  readonly outline: Outline;
  readonly tree: MerkleLevels;
}

/** As it crosses between threads, with nothing else in its memory. */
export interface PackedTree {
  readonly outline: Uint8Array;
  readonly tree: MerkleLevels;
}

/** Undefined where the block is not what was sealed. */
export function treeOf(stored: StoredBlock): BlockTree | undefined {
  return unpacked(packTree(stored));
}

export function packTree({ isOutline, bytes }: StoredBlock): PackedTree | undefined {
  try {
    const outline = isOutline ? decodeOutline(bytes) : outlineOf(decodeBlock(bytes));
    const tree = treeOfOutline(outline);
    return tree === undefined ? undefined : { outline: isOutline ? bytes : encodeOutline(outline), tree };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function unpacked(packed: PackedTree | undefined): BlockTree | undefined {
  return packed === undefined ? undefined : { outline: decodeOutline(packed.outline), tree: packed.tree };
}

let thread: Worker | undefined;
let last: Promise<unknown> = Promise.resolve();

/** As `treeOf`, in a thread; `read` is called when those asked for before are done. Rejects with what `read` throws. */
export function treeSoon(read: () => StoredBlock): Promise<BlockTree | undefined> {
  const next = last.then(() => askThread(read()));
  last = next.catch(() => undefined);
  return next.then(unpacked);
}

function askThread(stored: StoredBlock): Promise<PackedTree | undefined> {
  thread ??= addThread();
  const asked = thread;
  return new Promise((resolve) => {
    const onMessage = (packed: PackedTree | undefined) => resolveOnce(() => packed);
    // A thread that could not be started or ran out of memory: the block is hashed here.
    const onExit = () => resolveOnce(() => packTree(stored));
    const resolveOnce = (answer: () => PackedTree | undefined) => {
      asked.off("message", onMessage).off("exit", onExit).unref();
      resolve(answer());
    };
    asked.on("message", onMessage).on("exit", onExit).ref();
    const bytes = new Uint8Array(stored.bytes);
    asked.postMessage({ ...stored, bytes }, [bytes.buffer]);
  });
}

function addThread(): Worker {
  const worker = startThread("node/store/block-trees-thread", {});
  worker.on("error", () => undefined);
  worker.on("exit", () => {
    thread = undefined;
  });
  return worker;
}
