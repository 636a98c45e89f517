// The network's orders on one node: the state that its copy of the contracts chain has come to, for all its chains to read.

import type { Genesis } from "../../../src/wire/genesis.js";
import { readOrder } from "../../../src/wire/order.js";
import { GridsealError } from "../../errors.js";
import { type Governance, govern, initialGovernance } from "../../ledger/governance.js";
import type { Store } from "../store/store.js";

export interface Governor {
  readonly current: Governance;
  /** The contracts chain has sealed a block with orders: they are durable. */
  advance(next: Governance): void;
}

/** Replays the stored orders. Throws STORE_CORRUPT where they do not follow each other. */
export function createGovernor(genesis: Genesis, store: Pick<Store, "orders">): Governor {
  let current = initialGovernance(genesis);
  for (const { contractsHeight, bytes } of store.orders()) {
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
