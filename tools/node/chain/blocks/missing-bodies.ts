// Bodies of values that a certificate names and that are missing here: asked for from who voted for them, given to who asks. Without
// them a polka would undo a lock only when its value is proposed again.

import { toHex } from "../../../../src/wire/bytes.js";
import { decodeCbor, encodeCbor } from "../../../../src/wire/cbor.js";
import { asArray, asBytes, asHeight } from "../../../../src/wire/shape.js";
import { BODY_BYTES_MAX } from "../../../consensus/messages.js";
import { encodeFrame } from "../frame.js";
import type { ChainPorts } from "../ports.js";
import { UNSENT_BYTES_MAX } from "./catch-up.js";

/** Ids that are asked for at a time; certificates name fewer. */
const NEEDED_MAX = 16;

export interface Body {
  readonly height: number;
  readonly id: Uint8Array;
  readonly body: Uint8Array;
}

export interface Bodies {
  ask(peer: string, height: number, id: Uint8Array): void;
  /** Answers a peer that asks. */
  serve(to: string, payload: Uint8Array): void;
  /** A body that was asked for, from whoever; it is still to be judged. Throws a WireError where the bytes are none. */
  take(payload: Uint8Array): Body | undefined;
  /** Another height has begun. */
  clear(): void;
}

export function createBodies(
  { chain, send, unsent_bytes, charge, onDropped }: ChainPorts,
  bodyOf: (height: number, id: Uint8Array) => Uint8Array | undefined,
): Bodies {
  const needed = new Set<string>();
  return {
    ask(peer, height, id) {
      needed.add(`${height}/${toHex(id)}`);
      if (needed.size > NEEDED_MAX) needed.delete(needed.values().next().value!);
      send(peer, encodeFrame("needBody", chain.service, encodeCbor([height, id])));
    },
    serve(to, payload) {
      const [height, id] = asArray(decodeCbor(payload, { size: 64, items: 8 }), "body request", 2);
      const named = { height: asHeight(height, "body height"), id: asBytes(id, "body id", 32) };
      const body = bodyOf(named.height, named.id);
      if (body === undefined) return onDropped("request-unknown");
      if (unsent_bytes(to) > UNSENT_BYTES_MAX) return charge(to, "unserved", 1);
      charge(to, "served", body.length);
      send(to, encodeFrame("body", chain.service, encodeCbor([named.height, named.id, body])));
    },
    take(payload) {
      const items = decodeCbor(payload, { size: BODY_BYTES_MAX + 64, items: 8 });
      const [height, id, body] = asArray(items, "body", 3);
      const taken = {
        height: asHeight(height, "body height"),
        id: asBytes(id, "body id", 32),
        body: asBytes(body, "body"),
      };
      return needed.has(`${taken.height}/${toHex(taken.id)}`) ? taken : undefined;
    },
    clear: () => needed.clear(),
  };
}
