// GET /orders, those that are sealed, and POST /orders, the way in for the authority's next one.

import { encodeCbor } from "../../../../src/wire/cbor.js";
import { orders, submitOrder } from "../../../routes/orders.js";
import { type Route, refused, route } from "../../api/route.js";
import { ordersFrom } from "../../chain/sealed-orders.js";
import type { Store } from "../../store/store.js";
import type { OrderAnswer } from "./orders.js";

const ORDERS_PER_ANSWER_MAX = 100;
/** Orders that are read at a time. */
const ORDERS_AT_ONCE = 10;

export function ordersRoute(store: Store): Route {
  return route(orders, ({ query: { from } }) => ({ type: "long", items: sealedOrders(store, from) }));
}

export function submitOrderRoute(submit: (bytes: Uint8Array) => Promise<OrderAnswer>): Route {
  return route(submitOrder, async ({ body }) => {
    const answer = await submit(body);
    if (answer.type === "taken") return { type: "value", value: { number: answer.number } };
    if (answer.type === "passed-on") {
      return { type: "value", value: { number: answer.number, passedOn: [...answer.to] } };
    }
    return refused(answer.type, answer.reason);
  });
}

function* sealedOrders(store: Store, first: number): Generator<Uint8Array, void> {
  for (let from = first; from < first + ORDERS_PER_ANSWER_MAX; from += ORDERS_AT_ONCE) {
    const rows = ordersFrom(store, from, ORDERS_AT_ONCE);
    for (const { contractsHeight, bytes } of rows) yield encodeCbor([contractsHeight, bytes]);
    if (rows.length < ORDERS_AT_ONCE) return;
  }
}
