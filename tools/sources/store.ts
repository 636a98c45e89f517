// The chains in a node's data folder, read beside the running node or without it.

import { toHex } from "../../src/wire/bytes.js";
import type { Genesis } from "../../src/wire/genesis.js";
import { GridsealError } from "../errors.js";
import type { FoundViolation } from "../ledger/violation-place.js";
import type { ViolationKind } from "../ledger/violations.js";
import { STATE_ENTRIES_MAX, stateEntries, stateProofOf } from "../node/chain/contract-state.js";
import { sealedHoldersOf } from "../node/chain/sealed-holders.js";
import { createGovernor, ordersFrom } from "../node/chain/sealed-orders.js";
import { sealedRecordsOf } from "../node/chain/sealed-records.js";
import { summaryOf } from "../node/chain/summary.js";
import { blocks, outlines } from "../node/chain/tables/blocks.js";
import { heads } from "../node/chain/tables/heads.js";
import { lineageOf } from "../node/chain/tables/lineage.js";
import { slots } from "../node/chain/tables/settlement.js";
import { caseStatesIn, listedView, shownView } from "../node/chain/violation-cases.js";
import { cursorFrom, violationAt, violationsOf } from "../node/chain/violation-list.js";
import { createReceipts } from "../node/ingest/receipts.js";
import { treeOf } from "../node/store/block-trees.js";
import { blockKey, chainKey, slotKey } from "../node/store/keys.js";
import { openStoreReadOnly } from "../node/store/open-store.js";
import type { ReceiptSource } from "./source.js";

const ID_BYTES = 8;

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
    genesis: async () => genesis,
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
    hasIndex: true,
    async *records(service, signer, from) {
      yield* sealedRecordsOf(store, service, signer, from);
    },
    async *holders(service) {
      yield* sealedHoldersOf(store, service, { from: new Uint8Array(ID_BYTES), limit: Number.POSITIVE_INFINITY });
    },
    async *orders() {
      yield* ordersFrom(store);
    },
    async receipt(service, meter, seq) {
      const receipt = receipts.find(service, meter, seq);
      if (receipt !== undefined) return receipt;
      throw new GridsealError("RECORD_UNKNOWN", `record ${seq} of meter ${toHex(meter)} is not sealed in ${folder}`);
    },
    slot: async (service, start_s) => store.get(slots, slotKey(service, start_s)),
    async *stateEntries({ service: chain, contract, prefix }) {
      for (let after: string | undefined; ; ) {
        const asked = { chain, contract, prefix, after, limit: STATE_ENTRIES_MAX };
        const { entries, hasMore } = stateEntries(store, asked);
        yield* entries;
        if (!hasMore) return;
        after = entries.at(-1)?.key;
      }
    },
    stateProof: (chain, contract, key) => stateProofOf(store, genesis.network, { chain, contract, key }, treeOf),
    async *violations({ kind, after, state, wanted: _, onHidden: __, ...others }) {
      let cursor = after === undefined ? undefined : cursorFrom(after);
      if (after !== undefined && cursor === undefined)
        throw new GridsealError("USAGE", `${after} is the next of no page`);
      for (;;) {
        const stateOf = caseStatesIn(store);
        const isWanted = state && ((found: FoundViolation) => stateOf(found) === state);
        const asked = {
          ...{ ...others, kind: kind as ViolationKind | undefined, after: cursor, limit: 500 },
          ...(isWanted && { isWanted }),
        };
        const { found, next } = violationsOf(store, asked);
        for (const one of found) yield listedView(stateOf, one);
        if (next === undefined) return;
        cursor = next;
      }
    },
    async violation(name) {
      const [of = 0, height = 0, index = 0] = name.split(":").map(Number);
      const found = violationAt(store, { service: of, height, index });
      if (found === undefined) throw new GridsealError("RECORD_UNKNOWN", `${folder} has no violation ${name}`);
      return shownView(store, found);
    },
    lineage: async (service) => lineageOf(store, service),
    close: () => store.close(),
  };
}
