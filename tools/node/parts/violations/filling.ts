// Lists the violations of blocks that an earlier version has sealed, in the background: what is sealed since is listed with its block.

import { decodeBlockViews } from "../../../../src/wire/block.js";
import { decodeResults } from "../../../ledger/violations.js";
import { blocks } from "../../chain/tables/blocks.js";
import { heads } from "../../chain/tables/heads.js";
import { ALL_LISTED, listViolations, violationsListed } from "../../chain/tables/violations.js";
import { blockKey, chainKey } from "../../store/keys.js";
import type { Store } from "../../store/store.js";

/** Blocks of one write. */
const BLOCKS_AT_ONCE = 16;

export interface FillingPorts {
  readonly store: Store;
  /** Resolves when other work has had its turn. */
  afterOthers(): Promise<void>;
  isStopped(): boolean;
}

/**
 * Goes over the chain's blocks from where it stopped last. Those whose records are let go of are passed over: what they said is not
 * here any more. Rejects with STORE_CORRUPT where a block is damaged.
 */
export async function fillViolations(ports: FillingPorts, chain: number): Promise<void> {
  const { store } = ports;
  const head = store.get(heads, chainKey(chain))?.height ?? 0;
  let listed = store.get(violationsListed, chainKey(chain)) ?? 0;
  while (listed < head) {
    await ports.afterOthers();
    if (ports.isStopped()) return;
    const from = listed + 1;
    const to = Math.min(head, listed + BLOCKS_AT_ONCE);
    await store.write((writer) => {
      for (let height = from; height <= to; height += 1) {
        const bytes = store.get(blocks, blockKey(chain, height));
        if (bytes === undefined) continue;
        const { time_ms, results } = decodeBlockViews(bytes);
        listViolations(writer, { chain, height, time_ms, violations: decodeResults(results).violations });
      }
      writer.put(violationsListed, chainKey(chain), to === head ? ALL_LISTED : to);
    });
    listed = to;
  }
}
