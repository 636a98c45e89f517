// The authority's orders as the node has them, each verified and put upon those before it: what they come to is computed here.

import { decodeCbor } from "../../../src/wire/cbor.js";
import { ORDER_WITH_SOURCE_BYTES_MAX } from "../../../src/wire/contract-order.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import { type Order, verifyOrder } from "../../../src/wire/order.js";
import { asArray, asBytes, asHeight } from "../../../src/wire/shape.js";
import { reasonOf } from "../../errors.js";
import { type Governance, govern, initialGovernance } from "../../ledger/governance.js";
import { orders as ordersShape } from "../../routes/orders.js";
import { browserVerify } from "../verification/signatures.js";
import { askBytes, itemsIn } from "./ask.js";

const rowLimits = { size: ORDER_WITH_SOURCE_BYTES_MAX + 16, items: 3 };

export interface SealedOrder {
  readonly contractsHeight: number;
  readonly order: Order;
}

export interface Orders {
  readonly rows: readonly SealedOrder[];
  readonly governance: Governance;
  /** why what follows them is not believed: an order that is not the authority's, or does not apply */
  readonly wrong: string | undefined;
}

/** All orders that the node has. Rejects where it does not answer. */
export async function readOrders(genesis: Genesis): Promise<Orders> {
  const rows: SealedOrder[] = [];
  let governance = initialGovernance(genesis);
  for (;;) {
    const bytes = await askBytes(ordersShape, { parameters: {}, query: { from: rows.length + 1 } });
    const items = itemsIn(bytes, rowLimits);
    if (items.length === 0) return { rows, governance, wrong: undefined };
    for (const item of items) {
      try {
        const [height, signed] = asArray(decodeCbor(item, rowLimits), "order row", 2);
        const contractsHeight = asHeight(height, "contracts height");
        const order = verifyOrder(asBytes(signed, "order"), genesis, browserVerify);
        const governed = govern(governance, order, contractsHeight);
        if (governed.type === "refused") return { rows, governance, wrong: governed.reason };
        governance = governed.governance;
        rows.push({ contractsHeight, order });
      } catch (error) {
        return { rows, governance, wrong: `order ${rows.length + 1}: ${reasonOf(error)}` };
      }
    }
  }
}
