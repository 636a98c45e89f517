// A part of a node: orders of the authority, those that are sealed and those that other nodes pass on.

import { CONTRACTS_SERVICE } from "../../ledger/governance.js";
import { sealedOrders } from "../chain/sealed-orders.js";
import { ORDER_FRAME } from "../orders.js";
import type { Part } from "../part.js";

export const ordersPart: Part = {
  name: "orders",
  tables: [sealedOrders],
  create: ({ orders }) => ({
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
  }),
};
