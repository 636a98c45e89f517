// What a faulty member says of its own accord: heights that nobody has, names of nothing, votes of
// far rounds, and noise.

import { acknowledgementBytes } from "../../../../src/wire/batch.js";
import { fromHex } from "../../../../src/wire/bytes.js";
import { encodeMessage, signedBytes } from "../../../consensus/messages.js";
import type { Vote } from "../../../consensus/types.js";
import { encodeBatchNote, encodeFrame, encodeNeedBlocks } from "../../../node/chain/frame.js";
import type { Forger } from "./forgery.js";

export interface Rubbish {
  /** A status, or a question, about a height that it need not have. */
  lie(chain: number): Uint8Array;
  frame(chain: number): Uint8Array;
}

export function createRubbish({ genesis, self, others, random, sign }: Forger): Rubbish {
  const lie = (chain: number): Uint8Array => {
    const height = random.pick([0, 1, 2, 1_000, 2 ** 31, 2 ** 40]);
    if (random.chance(0.3)) return encodeFrame("needBlocks", chain, encodeNeedBlocks(height));
    return encodeFrame("consensus", chain, encodeMessage({ type: "status", height }));
  };

  /** Names of nothing, acknowledgements of nothing, votes of far rounds and heights, and noise. */
  const frame = (chain: number): Uint8Array => {
    const name = { origin: fromHex(random.pick(others))!, number: random.below(2_000), id: random.bytes(32) };
    const kind = random.below(5);
    if (kind === 0) return encodeFrame("needBatch", chain, encodeBatchNote(name, []));
    if (kind === 1) {
      const verified = random.chance(0.5);
      const signature = sign(acknowledgementBytes(genesis.hash, chain, name, verified));
      return encodeFrame("acknowledge", chain, encodeBatchNote(name, [{ node: fromHex(self)!, signature, verified }]));
    }
    if (kind === 2) return encodeFrame("consensus", chain, encodeMessage(farVote(chain)));
    if (kind === 3) return encodeFrame("block", chain, random.bytes(random.below(200)));
    return random.bytes(1 + random.below(300));
  };

  const farVote = (chain: number): Vote => {
    const vote: Omit<Vote & { type: "precommit" }, "signature"> = {
      type: "precommit",
      height: 1 + random.below(12),
      round: random.pick([0, 1, 5, 20, 4_000]),
      id: random.chance(0.5) ? null : random.bytes(32),
      node: self,
    };
    return { ...vote, signature: sign(signedBytes(genesis.hash, chain, vote)) };
  };

  return { lie, frame };
}
