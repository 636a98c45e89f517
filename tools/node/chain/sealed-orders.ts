// The network's orders on one node: table `orders`, those that contracts blocks hold, and the state that this node's copy of the
// contracts chain has come to by them, for all its chains to read.

import { decodeCbor, encodeCbor } from "../../../src/wire/cbor.js";
import { ORDER_WITH_SOURCE_BYTES_MAX } from "../../../src/wire/contract-order.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import { readOrder } from "../../../src/wire/order.js";
import { asArray, asBytes, asHeight } from "../../../src/wire/shape.js";
import { GridsealError } from "../../errors.js";
import { type Governance, govern, initialGovernance, type SealedOrder } from "../../ledger/governance.js";
import { type BlockKey, blockKey } from "../store/keys.js";
import type { StoreReader } from "../store/store.js";
import { sha256Checksum, type Table } from "../store/table.js";

/** A contracts height stands before the order. */
const storedLimits = { size: ORDER_WITH_SOURCE_BYTES_MAX + 16, items: 3 };

/** Orders are the network's: they stand under chain 0, by their numbers. */
export const sealedOrders: Table<BlockKey, SealedOrder> = {
  name: "orders",
  describe: () => "an order",
  encode: ({ contractsHeight, bytes }) => encodeCbor([contractsHeight, bytes]),
  decode(content) {
    const [contractsHeight, order] = asArray(decodeCbor(content, storedLimits), "stored order", 2);
    return { contractsHeight: asHeight(contractsHeight, "order's contracts height"), bytes: asBytes(order, "order") };
  },
  checksum: sha256Checksum,
};

export function orderKey(number: number): BlockKey {
  return blockKey(0, number);
}

/** At most so many sealed orders from a number on, all where absent, by their numbers. */
export function ordersFrom(store: StoreReader, from = 1, count = Number.POSITIVE_INFINITY): SealedOrder[] {
  return store.range(sealedOrders, { start: orderKey(from), limit: count }).map(({ row }) => row);
}

export interface Governor {
  readonly current: Governance;
  /** The contracts chain has sealed a block with orders: they are durable. */
  advance(next: Governance): void;
}

/** Replays the stored orders, by their numbers. Throws STORE_CORRUPT where they do not follow each other. */
export function createGovernor(genesis: Genesis, store: StoreReader): Governor {
  let current = initialGovernance(genesis);
  for (const { contractsHeight, bytes } of ordersFrom(store)) {
    const governed = govern(current, readOrder(bytes, genesis), contractsHeight);
    if (governed.type === "refused") throw new GridsealError("STORE_CORRUPT", `stored orders: ${governed.reason}`);
    current = governed.governance;
  }
  return {
    get current() {
      return current;
    },
    advance(next) {
      current = next;
    },
  };
}
