// A member of a running network that lies: it has its own key and certificate, speaks the links' protocol, signs nothing useful, and
// floods whoever is connected with one kind of frame after another.

import type { Random } from "../rig/random.js";
import { type Flood, type FloodSource, floodFrame } from "./flood.js";
import { createHeardRecords } from "./heard-records.js";
import { type MemberIdentity, startMemberLinks } from "./member-links.js";

export interface LyingMember {
  /** ids of the nodes that it has a link to */
  readonly connected: readonly string[];
  /** frames that went out */
  readonly sent: number;
  /** Floods all that are connected, as fast as they take it, until `isOver` says so. */
  flood(kind: Flood, isOver: () => boolean): Promise<void>;
  /** So many frames of a kind, made before they are sent: making them takes longer. */
  prepare(kind: Flood, count: number): readonly Uint8Array[];
  /** Sends the frames to all that are connected, as fast as each takes them, until `isOver` says so. */
  sendToAll(frames: readonly Uint8Array[], isOver: () => boolean): Promise<void>;
  close(): Promise<void>;
}

const BURST = 64;
const PAUSE_MS = 10;
/** Little waits here: what is sent is of the flood that is under way. A full temporary block fits. */
const QUEUE_BYTES_MAX = 524_288;

/** `newRecord`: of a meter that is with it, see flood.ts */
export async function startLyingMember(
  identity: MemberIdentity,
  random: Random,
  newRecord?: FloodSource["newRecord"],
): Promise<LyingMember> {
  const { genesis, self, signer } = identity;
  const heard = createHeardRecords(genesis.hash);
  const { network, heightOf } = await startMemberLinks(identity, {
    queue_bytes_max: QUEUE_BYTES_MAX,
    onFrame: heard.onFrame,
  });
  const source = { genesis, self, signer, random, heightOf, ...heard, newRecord };
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
        await breathe(taken > 0);
      }
    },
    prepare: (kind, count) => Array.from({ length: count }, () => floodFrame(kind, source)),
    async sendToAll(frames, isOver) {
      const places = new Map(network.connected().map((id) => [id, 0]));
      const isUnderWay = () => [...places.values()].some((place) => place < frames.length);
      while (!isOver() && isUnderWay()) {
        let taken = 0;
        for (const [id, place] of places) {
          if (place === frames.length || !network.send(id, frames[place]!)) continue;
          places.set(id, place + 1);
          taken += 1;
        }
        sent += taken;
        await breathe(taken > 0);
      }
    },
    close: () => network.close(),
  };
}

/** The event loop gets its turn; longer where nobody takes anything. */
function breathe(isBusy: boolean): Promise<void> {
  return new Promise((resolve) => void (isBusy ? setImmediate(resolve) : setTimeout(resolve, PAUSE_MS)));
}
