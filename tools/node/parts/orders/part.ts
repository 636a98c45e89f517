// A part of a node: orders of the authority, those that are sealed, those that its API takes and those that other nodes pass on.

import { nodeVerify } from "../../../crypto/signatures.js";
import { CONTRACTS_SERVICE } from "../../../ledger/governance.js";
import { sealedOrders } from "../../chain/sealed-orders.js";
import type { Part } from "../../part.js";
import { type Bringing, createBringing, readBrought } from "./bringing.js";
import { createOrders, ORDER_FRAME } from "./orders.js";
import { ordersRoute, submitOrderRoute } from "./routes.js";

/** An order of the folder that was not taken is offered again after so long. */
const BRING_AGAIN_MS = 5_000;

export const ordersPart: Part = {
  name: "orders",
  tables: [sealedOrders],
  create({ configuration, selfId, identity, governor, chains, links, store, log, onFatal }) {
    const orders = createOrders({
      ...{ self: selfId, genesis: identity.genesis, governor, chains, verify: nodeVerify },
      connected: () => links.to.connected(),
      send: (node, frame) => links.to.send(node, frame),
      monotonic_ms: () => performance.now(),
    });
    let bringing: Bringing | undefined;
    let timer: NodeJS.Timeout | undefined;
    const bring = () => {
      bringing?.bring().catch(onFatal);
      if (bringing?.isDone) clearInterval(timer);
    };
    return {
      onSealed({ block }) {
        if (block.chain === CONTRACTS_SERVICE) bring();
      },
      async start() {
        bringing = createBringing({
          orders: await readBrought(configuration.orders),
          lastOrder: () => governor.current.lastOrder,
          submit: orders.submit,
          onRefused: (number, reason) => log.warn({ number, reason }, "an order of the node's folder is not taken yet"),
        });
        timer = setInterval(bring, BRING_AGAIN_MS).unref();
        bring();
      },
      stop() {
        clearInterval(timer);
      },
      routes: [ordersRoute(store), submitOrderRoute(orders.submit)],
      frames: [
        {
          byte: ORDER_FRAME,
          kind: "order",
          verifications: 1,
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
