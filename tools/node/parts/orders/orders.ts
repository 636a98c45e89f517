// Orders that come to a node by its API: verified, judged by what is sealed, handed to its contracts chain. A node that is no member
// of that chain passes them on to members, once: what came by a link is not passed on again.

import { ORDER_WITH_SOURCE_BYTES_MAX } from "../../../../src/wire/contract-order.js";
import { WireError } from "../../../../src/wire/error.js";
import type { Genesis } from "../../../../src/wire/genesis.js";
import type { Verify } from "../../../../src/wire/key.js";
import { type Order, verifyOrder } from "../../../../src/wire/order.js";
import { faults } from "../../../../src/wire/quorum.js";
import { BoundedMap } from "../../../bounded-map.js";
import { CONTRACTS_SERVICE, govern } from "../../../ledger/governance.js";
import type { Submission } from "../../chain/batches/origin/admission.js";
import type { Chain } from "../../chain/chain.js";
import { frameOf } from "../../chain/frame.js";
import type { Governor } from "../../chain/sealed-orders.js";

/** First byte of the frame by which a node passes an order on. */
export const ORDER_FRAME = 10;
/** Orders are rare; verifying one from a node that floods must cost little. */
const PASSED_ON_INTERVAL_MS = 100;
/** Nodes whose last order is remembered: more than have links at one time. */
const SENDERS_MAX = 256;

export interface OrdersPorts {
  /** this node's id */
  readonly self: string;
  readonly genesis: Genesis;
  readonly governor: Governor;
  readonly chains: ReadonlyMap<number, Pick<Chain, "head" | "submit" | "standing">>;
  readonly verify: Verify;
  /** ids of the nodes that are connected */
  connected(): readonly string[];
  /** To one node; false where it cannot be sent. */
  send(node: string, frame: Uint8Array): boolean;
  monotonic_ms(): number;
}

/** `malformed` is refused for ever, `refused` for what is sealed here now; `unreachable` says which nodes to ask. */
export type OrderAnswer =
  | { readonly type: "taken"; readonly number: number }
  /** sent to the nodes of these names; whether it is sealed, the contracts chain will tell */
  | { readonly type: "passed-on"; readonly number: number; readonly to: readonly string[] }
  | { readonly type: "malformed" | "refused" | "unreachable"; readonly reason: string };

export interface Orders {
  /** Takes an order for the contracts chain; resolves when it is durable here, passed on, or refused, which its submitter is told. */
  submit(bytes: Uint8Array): Promise<OrderAnswer>;
  /** Takes an order that another node passed on; rejects with a WireError where it is dropped. */
  onPassedOn(from: string, bytes: Uint8Array): Promise<void>;
}

type Examined =
  | { readonly type: "applies"; readonly order: Order; readonly contracts: Pick<Chain, "submit" | "standing"> }
  | Extract<OrderAnswer, { readonly reason: string }>;

export function createOrders(ports: OrdersPorts): Orders {
  /** when each node passed its last order on, the longest ago first */
  const passedOn = new BoundedMap<string, number>(SENDERS_MAX);

  const examine = (bytes: Uint8Array): Examined => {
    let order: Order;
    try {
      order = verifyOrder(bytes, ports.genesis, ports.verify);
    } catch (error) {
      if (error instanceof WireError) return { type: "malformed", reason: error.message };
      throw error;
    }
    const contracts = ports.chains.get(CONTRACTS_SERVICE);
    if (contracts === undefined) return { type: "refused", reason: "this network has no contracts chain" };
    const governed = govern(ports.governor.current, order, contracts.head.height + 1);
    return governed.type === "refused" ? governed : { type: "applies", order, contracts };
  };

  const take = async ({ order, contracts }: Extract<Examined, { type: "applies" }>, bytes: Uint8Array) => {
    const submission: Submission = await contracts.submit({ kind: "order", bytes, order });
    return submission.type === "taken" ? ({ type: "taken", number: order.number } as const) : submission;
  };

  const nameOf = (node: string) => ports.governor.current.nodes.get(node)?.name ?? node;

  /** To so many members that one of them at least is correct; that several seal it is not possible. */
  const passOn = ({ order, contracts }: Extract<Examined, { type: "applies" }>, bytes: Uint8Array): OrderAnswer => {
    const { members } = contracts.standing;
    const connected = ports.connected();
    const frame = frameOf(ORDER_FRAME, CONTRACTS_SERVICE, bytes);
    const to: string[] = [];
    for (const member of members.filter((id) => connected.includes(id))) {
      if (to.length <= faults(members.length) && ports.send(member, frame)) to.push(member);
    }
    if (to.length > 0) return { type: "passed-on", number: order.number, to: to.map(nameOf) };
    const names = members.map(nameOf).join(", ");
    return {
      type: "unreachable",
      reason: `this node is no member of the contracts chain and reaches none: submit it to ${names}`,
    };
  };

  return {
    async submit(bytes) {
      const examined = examine(bytes);
      if (examined.type !== "applies") return examined;
      return examined.contracts.standing.members.includes(ports.self) ? take(examined, bytes) : passOn(examined, bytes);
    },
    async onPassedOn(from, bytes) {
      const now_ms = ports.monotonic_ms();
      if (now_ms - (passedOn.get(from) ?? Number.NEGATIVE_INFINITY) < PASSED_ON_INTERVAL_MS) {
        throw new WireError("untimely", "orders come too fast");
      }
      passedOn.set(from, now_ms);
      if (bytes.length > ORDER_WITH_SOURCE_BYTES_MAX) throw new WireError("limit", `order of ${bytes.length} bytes`);
      const copy = Uint8Array.from(bytes); // the link's buffer is its own
      const examined = examine(copy);
      // What is sealed, anybody may have handed to a node that is behind: its sender is not to blame.
      if (examined.type !== "applies") {
        throw new WireError(examined.type === "malformed" ? "unproven" : "untimely", examined.reason);
      }
      const answer = await take(examined, copy);
      if (answer.type !== "taken") throw new WireError("untimely", answer.reason);
    },
  };
}
