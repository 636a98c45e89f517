// What a faulty member sends to use up another one's time: votes with signatures that are none, and long frames of nothing, as many as
// a link lets through.

import { encodeMessage } from "../../../consensus/messages.js";
import { decodeFrame, encodeFrame } from "../../../node/chain/frame.js";
import { type Forger, messageIn } from "./forgery.js";

const VOTES = 40;
const JUNK_FRAMES = 3;
const JUNK_BYTES = 49_152;
const junk = new Uint8Array(JUNK_BYTES).fill(0xff);

export interface Deluge {
  /** A frame that this member has received: it says at which height a chain is. */
  hear(bytes: Uint8Array): void;
  /** The frames of one moment, for the chain at the height that this member has heard of last. */
  frames(chain: number): Uint8Array[];
}

export function createDeluge(forger: Forger): Deluge {
  const heights = new Map<number, number>();
  return {
    hear(bytes) {
      const frame = decodeFrame(bytes);
      const message = frame?.kind === "consensus" ? messageIn(bytes, frame) : undefined;
      if (message !== undefined && "height" in message) heights.set(frame!.chain, message.height);
    },
    frames: (chain) => delugeFrames(forger, chain, heights.get(chain) ?? 1),
  };
}

function delugeFrames({ random, self }: Forger, chain: number, height: number): Uint8Array[] {
  const votes = Array.from({ length: VOTES }, () => {
    const choice = { height, round: random.below(4), id: random.bytes(32), node: self };
    const vote = { type: "precommit", ...choice, signature: random.bytes(64) } as const;
    return encodeFrame("consensus", chain, encodeMessage(vote));
  });
  const kinds = ["batch", "block", "body", "consensus"] as const;
  const frames = Array.from({ length: JUNK_FRAMES }, () => encodeFrame(random.pick(kinds), chain, junk));
  return [...votes, ...frames];
}
