// The authority's orders: each is verified here by the keys of the genesis, and applied to what those before it came to.

import { toHex } from "../../../src/wire/bytes.js";
import type { Action } from "../../../src/wire/order.js";
import { type Orders, readOrders, type SealedOrder } from "../network/orders.js";
import { Alert } from "../parts/alert.js";
import { Shown, useAsked } from "../parts/asked.js";
import { Time } from "../parts/figures.js";
import { Mark } from "../parts/mark.js";
import { Table } from "../parts/table.js";
import { text } from "../texts.js";
import type { PageProps } from "./page-props.js";

export function OrdersPage({ network }: PageProps) {
  const asked = useAsked(() => readOrders(network.genesis), [network]);
  return (
    <article>
      <h1>{text("page.orders")}</h1>
      <p class="quiet">{text("orders.verified")}</p>
      <Shown asked={asked}>{(orders) => <OrderTable orders={orders} />}</Shown>
    </article>
  );
}

function OrderTable({ orders: { rows, wrong } }: { readonly orders: Orders }) {
  return (
    <section>
      {wrong !== undefined && <Alert isWrong>{wrong}</Alert>}
      {rows.length === 0 && <p>{text("app.nothing")}</p>}
      <Table caption={text("page.orders")} heads={["orders.number", "orders.signed", "orders.says", "orders.block"]}>
        {rows.map((row) => (
          <OrderRow key={row.order.number} row={row} />
        ))}
      </Table>
    </section>
  );
}

function OrderRow({ row: { order, contractsHeight } }: { readonly row: SealedOrder }) {
  const { number, time_s, action } = order;
  return (
    <tr data-order={number}>
      <td>
        {number} <Mark state="verified" short />
      </td>
      <td>
        <Time at_ms={time_s * 1_000} />
      </td>
      <td>
        <b>{text(`order.${action.type}`)}</b> {whatOf(action)}
      </td>
      <td>
        <a href={`#/chains/5/blocks/${contractsHeight}`}>5:{contractsHeight}</a> <Mark state="told" short />
      </td>
    </tr>
  );
}

/** Names, ids and numbers of an order, which no language changes. */
function whatOf(action: Action): string {
  switch (action.type) {
    case "members":
      return `${action.chain} @${action.effectiveHeight}: ${action.members.map(({ name }) => name).join(", ")}`;
    case "chain":
      return `${action.name} (${action.service}): ${action.members.map(({ name }) => name).join(", ")}`;
    case "revoke":
    case "suspend":
    case "resume":
      return action.meters.map(toHex).join(", ");
    case "end":
      return `${toHex(action.meter)} ${action.ends.map(([service, seq]) => `${service}:${seq}`).join(", ")}`;
    case "register":
      return `${action.entry}:${toHex(action.hash)}`;
    case "assign":
      return action.assignments
        .map(({ meter, point, sign }) => `${toHex(meter)} ${sign < 0 ? "−" : "+"} ${point}`)
        .join(", ");
    case "ban":
      return action.nodes.map(toHex).join(", ");
    case "install":
      return `${action.service}: ${action.name} ${action.version} @${action.fromHeight}`;
    case "parameters":
      return `${action.service}: ${action.contract} ${action.jurisdiction ?? ""} @${action.fromHeight}`;
    case "retire":
      return `${action.service}: ${action.name} @${action.fromHeight}`;
    case "withdraw":
      return String(action.order);
  }
}
