// A part of a node: orders of the authority, those that are sealed, those that its API takes and those that other nodes pass on.

import { nodeVerify } from "../../../crypto/signatures.js";
import { CONTRACTS_SERVICE } from "../../../ledger/governance.js";
import { sealedOrders } from "../../chain/sealed-orders.js";
import type { Part } from "../../part.js";
import { createOrders, ORDER_FRAME } from "./orders.js";
import { ordersRoute, submitOrderRoute } from "./routes.js";

export const ordersPart: Part = {
  name: "orders",
  tables: [sealedOrders],
  create({ selfId, identity, governor, chains, links, store }) {
    const orders = createOrders({
      ...{ self: selfId, genesis: identity.genesis, governor, chains, verify: nodeVerify },
      connected: () => links.to.connected(),
      send: (node, frame) => links.to.send(node, frame),
      monotonic_ms: () => performance.now(),
    });
    return {
      routes: [ordersRoute(store), submitOrderRoute(orders.submit)],
      frames: [
        {
          byte: ORDER_FRAME,
          kind: "order",
          async take(from, chain, payload) {
            if (chain !== CONTRACTS_SERVICE) return `chain ${chain} takes no orders`;
            await orders.onPassedOn(from, payload);
            return undefined;
          },
        },
      ],
    };
  },
};
