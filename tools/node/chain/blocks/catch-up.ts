// Blocks from and for peers: a node that was away takes them one after the other, each with its certificate; one that has them
// serves them, bounded in count and bytes. There is no separate mode: blocks and votes go on side by side.

import { BLOCK_BYTES_MAX } from "../../../../src/wire/block.js";
import { decodeCbor } from "../../../../src/wire/cbor.js";
import { guardCborPrefix } from "../../../../src/wire/guard.js";
import { asArray, asHeight } from "../../../../src/wire/shape.js";
import { BoundedMap } from "../../../bounded-map.js";
import { blockKey } from "../../store/keys.js";
import { encodeFrame, encodeNeedBlocks } from "../frame.js";
import type { ChainPorts } from "../ports.js";
import { blocks } from "../tables/blocks.js";

/** Blocks and bytes that answer one request. */
export const SERVED_BLOCKS_MAX = 64;
const SERVED_BYTES_MAX = 4_194_304;
/** Blocks and bytes ahead of the next one that a node keeps. */
const AHEAD_MAX = 2 * SERVED_BLOCKS_MAX;
const AHEAD_BYTES_MAX = 4 * SERVED_BYTES_MAX;

/** An answer is under way while so much of it waits for the peer to take it: another question has none then. */
export const UNSENT_BYTES_MAX = 1_048_576;
/** Bytes of blocks that one peer gets in a second, whatever it asks for: what is dropped beyond is asked for again. */
const SERVED_BYTES_PER_S = 8 * SERVED_BYTES_MAX;
const SERVED_PEERS_MAX = 256;

export interface CatchUp {
  /** Keeps a peer's block until its turn; throws a WireError where it is none. */
  keep(from: string, bytes: Uint8Array): void;
  /** The kept block of the next height, which is let go of, and of all before. */
  take(): { readonly from: string; readonly bytes: Uint8Array } | undefined;
  readonly isEmpty: boolean;
  /** Asks for the blocks from a height on, by default the next. */
  ask(peer: string, from?: number): void;
  serve(to: string, from: number, count: number): void;
}

export function createCatchUp(ports: ChainPorts, nextHeight: () => number): CatchUp {
  const { store, chain } = ports;
  const kept = new Map<number, { readonly from: string; readonly bytes: Uint8Array }>();
  let keptBytes = 0;
  /** bytes that each peer was served in its current second, the latest peer last */
  const served = new BoundedMap<string, { readonly since_ms: number; bytes: number }>(SERVED_PEERS_MAX);

  const drop = (height: number) => {
    keptBytes -= kept.get(height)?.bytes.length ?? 0;
    kept.delete(height);
  };

  return {
    keep(from, bytes) {
      const height = heightOf(bytes);
      const next = nextHeight();
      if (height < next || kept.has(height)) return ports.onDropped("block-known");
      if (height >= next + AHEAD_MAX) return ports.onDropped("block-ahead");
      if (height > next && keptBytes + bytes.length > AHEAD_BYTES_MAX) return ports.onDropped("block-no-room");
      kept.set(height, { from, bytes: Uint8Array.from(bytes) });
      keptBytes += bytes.length;
    },
    take() {
      const next = nextHeight();
      const block = kept.get(next);
      for (const height of kept.keys()) if (height <= next) drop(height);
      return block;
    },
    get isEmpty() {
      return kept.size === 0;
    },
    ask(peer, from = nextHeight()) {
      ports.send(peer, encodeFrame("needBlocks", chain.service, encodeNeedBlocks(from)));
    },
    serve(to, from, count) {
      if (ports.unsent_bytes(to) > UNSENT_BYTES_MAX) return ports.charge(to, "unserved", 1);
      const now_ms = ports.monotonic_ms();
      const last = served.get(to);
      const share = last !== undefined && now_ms - last.since_ms < 1_000 ? last : { since_ms: now_ms, bytes: 0 };
      served.set(to, share);
      if (share.bytes >= SERVED_BYTES_PER_S) return ports.onDropped("request-over-share");
      let bytes = 0;
      const end = Math.min(nextHeight(), from + count);
      for (let height = from; height < end && bytes < SERVED_BYTES_MAX; height += 1) {
        const block = store.get(blocks, blockKey(chain.service, height));
        if (block === undefined) return ports.onDropped("request-unknown"); // pruned here
        bytes += block.length;
        ports.charge(to, "served", block.length);
        share.bytes += block.length;
        ports.send(to, encodeFrame("block", chain.service, block));
      }
    },
  };
}

/** Height of an encoded block, from its format part alone; what it says is checked when its turn comes. */
function heightOf(bytes: Uint8Array): number {
  const limits = { size: BLOCK_BYTES_MAX, items: 16 };
  const format = bytes.subarray(1, 1 + guardCborPrefix(bytes.subarray(1), limits));
  return asHeight(asArray(decodeCbor(format, limits), "block format", 5)[4], "block height");
}
