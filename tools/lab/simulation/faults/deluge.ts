// What a faulty member sends to use up another one's time: votes with signatures that are none, and long frames of nothing, as many as
// a link lets through.

import { encodeMessage } from "../../../consensus/messages.js";
import { encodeFrame } from "../../../node/chain/frame.js";
import type { Forger } from "./forgery.js";

const VOTES = 40;
const JUNK_FRAMES = 3;
const JUNK_BYTES = 49_152;
const junk = new Uint8Array(JUNK_BYTES).fill(0xff);

/** The frames of one moment, for the chain at the height that this member has heard of last. */
export function delugeFrames({ random, self }: Forger, chain: number, height: number): Uint8Array[] {
  const votes = Array.from({ length: VOTES }, () => {
    const choice = { height, round: random.below(4), id: random.bytes(32), node: self };
    const vote = { type: "precommit", ...choice, signature: random.bytes(64) } as const;
    return encodeFrame("consensus", chain, encodeMessage(vote));
  });
  const kinds = ["batch", "block", "body", "consensus"] as const;
  const frames = Array.from({ length: JUNK_FRAMES }, () => encodeFrame(random.pick(kinds), chain, junk));
  return [...votes, ...frames];
}
