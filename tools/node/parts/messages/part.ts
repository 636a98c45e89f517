// A part of a node: what its chains are called for beside records, messages of other chains and deadlines. It puts them into the
// chains' next temporary blocks, or hands messages to those who can.

import { nodeVerify } from "../../../crypto/signatures.js";
import { outgoing } from "../../chain/tables/outgoing.js";
import type { Part } from "../../part.js";
import { createCarrier, MESSAGE_FRAME } from "./carrier.js";

const LOOK_MS = 500;
/** After a block others come soon: what they send is carried with it. */
const SOON_MS = 20;

export const messagesPart: Part = {
  name: "messages",
  tables: [outgoing],
  create({ selfId, identity, governor, chains, links, store, timers, metrics, onFatal }) {
    const scope = timers.scope("messages");
    const carrier = createCarrier({
      ...{ self: selfId, genesisHash: identity.genesis.hash, governor, chains, store, onFatal },
      verify: nodeVerify,
      connected: () => links.to.connected(),
      send: (node, frame) => links.to.send(node, frame),
      onWaiting: (from, to, count) => metrics.messagesWaiting.set({ from: String(from), to: String(to) }, count),
      now_ms: Date.now,
      monotonic_ms: () => performance.now(),
    });
    let stopped = false;
    const look = () => {
      if (stopped) return;
      try {
        carrier.look();
      } catch (error) {
        onFatal(error);
      }
      scope.set("look", LOOK_MS, look);
    };
    return {
      frames: [
        {
          byte: MESSAGE_FRAME,
          kind: "message",
          // Its certificate has at least so many signatures in a cluster that can lose a member.
          verifications: 3,
          async take(_from, chain, payload) {
            carrier.onPassedOn(chain, payload);
            return undefined;
          },
        },
      ],
      onSealed: () => scope.set("look", SOON_MS, look),
      start: look,
      stop() {
        stopped = true;
      },
    };
  },
};
