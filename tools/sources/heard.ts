// Which meters a source has sealed records of: what an authority compares with the credentials that it has issued.

import { decodeBlock } from "../../src/wire/block.js";
import { toHex } from "../../src/wire/bytes.js";
import { kidOf } from "../ledger/record-scan.js";
import type { ChainSource } from "./source.js";

/** Key ids, as hex, of all meters with a record in a block of any chain. Rejects with BLOCK_PRUNED where blocks are kept no more. */
export async function heardMeters(source: ChainSource): Promise<ReadonlySet<string>> {
  const heard = new Set<string>();
  for (const { service } of await source.chains()) {
    for await (const block of source.blocks(service, 1)) {
      for (const bytes of decodeBlock(block).batches.flatMap(({ records }) => records))
        heard.add(toHex(kidOf({ bytes })));
    }
  }
  return heard;
}
