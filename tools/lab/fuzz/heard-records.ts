// What a lying member keeps of the temporary blocks that it hears, to send it again in its own.

import { BATCH_RECORDS_MAX } from "../../../src/wire/bounds.js";
import { toHex } from "../../../src/wire/bytes.js";
import { BoundedMap } from "../../bounded-map.js";
import { readBatch } from "../../ledger/compose.js";
import type { ExecutionRecord } from "../../ledger/record-scan.js";
import { BATCH_WINDOW } from "../../ledger/state.js";
import type { Frame } from "../../node/chain/frame.js";

/** Of a chain: what several full temporary blocks hold. */
const KEPT_MAX = 4 * BATCH_RECORDS_MAX;
/** By so many records one temporary block of others begins behind the one before. */
const STEP = 331;

export interface HeardRecords {
  onFrame(frame: Frame): void;
  /** of which it has heard records */
  chains(): readonly number[];
  /** of a chain, as other members have gathered them: as many as a temporary block holds, most of them sealed */
  records(chain: number): readonly ExecutionRecord[];
  /** The same, others each time. */
  otherRecords(chain: number): readonly ExecutionRecord[];
  /** for a temporary block of this member, another one each time */
  batchNumber(): number;
}

export function createHeardRecords(genesisHash: Uint8Array): HeardRecords {
  const known = new Map<number, Map<string, ExecutionRecord>>();
  let numbers = 0;
  let from = 0;
  const startingAt = (chain: number, first: number) => {
    const all = [...(known.get(chain)?.values() ?? [])];
    const begin = all.length === 0 ? 0 : first % all.length;
    return [...all.slice(begin), ...all.slice(0, begin)].slice(0, BATCH_RECORDS_MAX);
  };
  return {
    onFrame({ kind, chain, payload }) {
      if (kind !== "batch") return;
      const ofChain = known.get(chain) ?? new BoundedMap<string, ExecutionRecord>(KEPT_MAX);
      const { records } = readBatch(genesisHash, Uint8Array.from(payload));
      for (const record of records) ofChain.set(toHex(record.hash), record);
      known.set(chain, ofChain);
    },
    chains: () => [...known.keys()],
    records: (chain) => startingAt(chain, 0),
    otherRecords(chain) {
      from += STEP;
      return startingAt(chain, from);
    },
    batchNumber: () => numbers++ % BATCH_WINDOW,
  };
}
