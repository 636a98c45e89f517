// What a lying member keeps of the temporary blocks that it hears, to send it again in its own.

import { BATCH_RECORDS_MAX } from "../../../src/wire/bounds.js";
import { toHex } from "../../../src/wire/bytes.js";
import { BoundedMap } from "../../bounded-map.js";
import { readBatch } from "../../ledger/compose.js";
import type { ExecutionRecord } from "../../ledger/record-scan.js";
import { BATCH_WINDOW } from "../../ledger/state.js";
import type { Frame } from "../../node/chain/frame.js";

export interface HeardRecords {
  onFrame(frame: Frame): void;
  /** of a chain, as other members have gathered them: most are sealed */
  records(chain: number): readonly ExecutionRecord[];
  /** for a temporary block of this member, another one each time */
  batchNumber(): number;
}

export function createHeardRecords(genesisHash: Uint8Array): HeardRecords {
  const known = new Map<number, Map<string, ExecutionRecord>>();
  let numbers = 0;
  return {
    onFrame({ kind, chain, payload }) {
      if (kind !== "batch") return;
      const ofChain = known.get(chain) ?? new BoundedMap<string, ExecutionRecord>(BATCH_RECORDS_MAX);
      const { records } = readBatch(genesisHash, Uint8Array.from(payload));
      for (const record of records) ofChain.set(toHex(record.hash), record);
      known.set(chain, ofChain);
    },
    records: (chain) => [...(known.get(chain)?.values() ?? [])],
    batchNumber: () => numbers++ % BATCH_WINDOW,
  };
}
