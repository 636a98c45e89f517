// The chains in a node's data folder, read beside the running node or without it.

import { toHex } from "../../src/wire/bytes.js";
import type { Genesis } from "../../src/wire/genesis.js";
import { GridsealError } from "../errors.js";
import { createGovernor, ordersFrom } from "../node/chain/sealed-orders.js";
import { summaryOf } from "../node/chain/summary.js";
import { blocks, outlines } from "../node/chain/tables/blocks.js";
import { heads } from "../node/chain/tables/heads.js";
import { lineageOf } from "../node/chain/tables/lineage.js";
import { slots } from "../node/chain/tables/settlement.js";
import { createReceipts } from "../node/ingest/receipts.js";
import { blockKey, chainKey, slotKey } from "../node/store/keys.js";
import { openStoreReadOnly } from "../node/store/open-store.js";
import type { ReceiptSource } from "./source.js";

/** Throws FILE_UNREADABLE or STORE_CORRUPT. */
export function openStoreSource(folder: string, genesis: Genesis): ReceiptSource {
  const store = openStoreReadOnly(folder);
  const receipts = createReceipts(genesis.network, store);
  const blockOf = (service: number, height: number): Uint8Array | undefined => {
    const key = blockKey(service, height);
    const block = store.get(blocks, key);
    if (block !== undefined || store.get(outlines, key) === undefined) return block;
    throw new GridsealError("BLOCK_PRUNED", `block ${height} of chain ${service} is not kept in ${folder} any more`);
  };
  return {
    origin: folder,
    async chains() {
      return createGovernor(genesis, store).current.chains.map(({ chain }) =>
        summaryOf(chain, store.get(heads, chainKey(chain.service)), genesis.hash),
      );
    },
    async *blocks(service, from) {
      for (let height = from; ; height += 1) {
        const block = blockOf(service, height);
        if (block === undefined) return;
        yield block;
      }
    },
    block: async (service, height) => blockOf(service, height),
    async *orders() {
      yield* ordersFrom(store);
    },
    async receipt(service, meter, seq) {
      const receipt = receipts.find(service, meter, seq);
      if (receipt !== undefined) return receipt;
      throw new GridsealError("RECORD_UNKNOWN", `record ${seq} of meter ${toHex(meter)} is not sealed in ${folder}`);
    },
    slot: async (service, start_s) => store.get(slots, slotKey(service, start_s)),
    lineage: async (service) => lineageOf(store, service),
    close: () => store.close(),
  };
}
