// How the authority of a simulation signs: alone, or two of three keys together, a different two each time.

import { withSource } from "../../../../src/wire/contract-order.js";
import type { Genesis } from "../../../../src/wire/genesis.js";
import type { Signer } from "../../../../src/wire/key.js";
import { type Action, issueOrder, ORDER_BYTES_MAX } from "../../../../src/wire/order.js";
import { addOrderSignature } from "../../../../src/wire/order-signatures.js";
import type { Timeline } from "../world/timeline.js";
import { EPOCH_MS } from "../world/timeline.js";

export interface OrderSigningPorts {
  readonly genesis: Genesis;
  readonly authority: Signer;
  /** of whose keys two sign; none where the authority's does alone */
  readonly ordering: readonly Signer[];
  readonly timeline: Timeline;
}

export interface OrderSigning {
  /** A good order, with the source that travels with it. */
  sign(number: number, action: Action, source?: string): Uint8Array;
  /** An order that lacks a signature: by a foreign key, or by one of two. */
  unsigned(number: number, action: Action, foreign: Signer): Uint8Array;
}

export function createOrderSigning({ genesis, authority, ordering, timeline }: OrderSigningPorts): OrderSigning {
  const order = (number: number, action: Action) => ({
    ...{ number, action },
    time_s: Math.floor((EPOCH_MS + timeline.now_ms()) / 1000),
  });
  const signed = (number: number, action: Action) => {
    if (genesis.ordering === undefined) return issueOrder(order(number, action), genesis, authority);
    const [first, second] = [0, 1].map((place) => ordering[(number + place) % ordering.length]!);
    const more = { ordering: genesis.ordering, size: ORDER_BYTES_MAX };
    return addOrderSignature(issueOrder(order(number, action), genesis, first!), more, second!);
  };
  return {
    sign(number, action, source) {
      const bytes = signed(number, action);
      return source === undefined ? bytes : withSource(bytes, source);
    },
    unsigned(number, action, foreign) {
      const signer = genesis.ordering === undefined ? foreign : authority;
      return issueOrder(order(number, action), genesis, signer);
    },
  };
}
