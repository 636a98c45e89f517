// Orders that come to a node by its API: verified, judged by what is sealed, handed to its contracts chain.

import { WireError } from "../../src/wire/error.js";
import type { Genesis } from "../../src/wire/genesis.js";
import type { Verify } from "../../src/wire/key.js";
import { type Order, verifyOrder } from "../../src/wire/order.js";
import type { Chain } from "./chain/chain.js";
import { CONTRACTS_SERVICE, govern } from "./chain/governance.js";
import type { Governor } from "./chain/governor.js";
import type { Submission } from "./chain/origin.js";

export interface OrdersPorts {
  readonly genesis: Genesis;
  readonly governor: Governor;
  readonly chains: ReadonlyMap<number, Pick<Chain, "head" | "submit">>;
  readonly verify: Verify;
}

/** `malformed` is refused for ever, `refused` for what is sealed here now. */
export type OrderAnswer =
  | { readonly type: "taken"; readonly number: number }
  | { readonly type: "malformed" | "refused"; readonly reason: string };

/** Takes an order for the contracts chain; resolves when it is durable here or refused, which its submitter is told. */
export async function submitOrder(ports: OrdersPorts, bytes: Uint8Array): Promise<OrderAnswer> {
  let order: Order;
  try {
    order = verifyOrder(bytes, ports.genesis, ports.verify);
  } catch (error) {
    if (error instanceof WireError) return { type: "malformed", reason: error.message };
    throw error;
  }
  const contracts = ports.chains.get(CONTRACTS_SERVICE);
  if (contracts === undefined)
    return { type: "refused", reason: "this node serves no contracts chain: submit it to another" };
  const governed = govern(ports.governor.current, order, contracts.head.height + 1);
  if (governed.type === "refused") return governed;
  const submission: Submission = await contracts.submit({ kind: "order", bytes, order });
  return submission.type === "taken" ? { type: "taken", number: order.number } : submission;
}
