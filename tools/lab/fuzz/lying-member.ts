// A member of a running network that lies: it has its own key and certificate, speaks the links' protocol, signs nothing useful, and
// floods whoever is connected with one kind of frame after another.

import type { Random } from "../rig/random.js";
import { type Flood, floodFrame } from "./flood.js";
import { createHeardRecords } from "./heard-records.js";
import { type MemberIdentity, startMemberLinks } from "./member-links.js";

export interface LyingMember {
  /** ids of the nodes that it has a link to */
  readonly connected: readonly string[];
  /** frames that went out */
  readonly sent: number;
  /** Floods all that are connected, as fast as they take it, until `isOver` says so. */
  flood(kind: Flood, isOver: () => boolean): Promise<void>;
  close(): Promise<void>;
}

const BURST = 64;
const PAUSE_MS = 10;
/** Little waits here: what is sent is of the flood that is under way. A full temporary block fits. */
const QUEUE_BYTES_MAX = 524_288;

export async function startLyingMember(identity: MemberIdentity, random: Random): Promise<LyingMember> {
  const { genesis, self, signer } = identity;
  const heard = createHeardRecords(genesis.hash);
  const { network, heightOf } = await startMemberLinks(identity, {
    queue_bytes_max: QUEUE_BYTES_MAX,
    onFrame: heard.onFrame,
  });
  const source = { genesis, self, signer, random, heightOf, ...heard };
  let sent = 0;
  return {
    get connected() {
      return network.connected();
    },
    get sent() {
      return sent;
    },
    async flood(kind, isOver) {
      while (!isOver()) {
        let taken = 0;
        for (const id of network.connected()) {
          for (let count = 0; count < BURST && network.send(id, floodFrame(kind, source)); count += 1) taken += 1;
        }
        sent += taken;
        await new Promise((resolve) => (taken > 0 ? setImmediate(resolve) : setTimeout(resolve, PAUSE_MS)));
      }
    },
    close: () => network.close(),
  };
}
