// What a faulty member says beside what it has said: another vote, another proposal, another
// temporary block of the same number.

import { encodeMessage, headOf, signedBytes } from "../../../consensus/messages.js";
import type { Proposal, Vote } from "../../../consensus/types.js";
import { decodeFrame, encodeFrame, type Frame } from "../../../node/chain/frame.js";
import { type Forger, messageIn, otherBatch } from "./forgery.js";

const RIVALS = 2;

export interface Equivocation {
  /**
   * The frame with another content, where it is a statement or a temporary block of the member's
   * own; else as it is.
   */
  of(bytes: Uint8Array, frame: Frame): Uint8Array;
  /** Other proposals for the place of one of the member's own; none where the frame holds none. */
  rivals(bytes: Uint8Array, frame: Frame): Uint8Array[];
}

/** `heard` are frames that went by, of which it takes the ids of proposals. */
export function createEquivocation(forger: Forger, heard: readonly Uint8Array[]): Equivocation {
  const { genesis, self, random, sign } = forger;

  /** The statement with another choice, signed as well as the first. */
  const otherVote = (chain: number, vote: Vote): Vote => {
    const id = vote.id === null || random.chance(0.3) ? otherId(chain, vote) : null;
    const changed = { ...vote, id, ...(vote.type === "prevote" && { vr: -1 }) } as Vote;
    return { ...changed, signature: sign(signedBytes(genesis.hash, chain, changed)) };
  };

  const otherId = (chain: number, { height }: Vote): Uint8Array | null => {
    for (const bytes of heard) {
      const frame = decodeFrame(bytes);
      if (frame?.kind !== "consensus" || frame.chain !== chain) continue;
      const message = messageIn(bytes, frame);
      if (message?.type === "proposal" && message.height === height) return message.id;
    }
    return random.chance(0.5) ? random.bytes(32) : null;
  };

  const otherProposal = (chain: number, proposal: Proposal): Proposal => {
    const body = random.chance(0.5) ? Uint8Array.from(proposal.body) : random.bytes(40);
    body[random.below(body.length)]! ^= 1;
    const changed = { ...proposal, body };
    return { ...changed, signature: sign(signedBytes(genesis.hash, chain, headOf(changed))) };
  };

  const of = (bytes: Uint8Array, frame: Frame): Uint8Array => {
    if (frame.kind === "batch") return otherBatch(forger, frame) ?? bytes;
    const message = frame.kind === "consensus" ? messageIn(bytes, frame) : undefined;
    if (message === undefined || !("node" in message) || message.node !== self) return bytes;
    const changed = message.type === "proposal" ? otherProposal(frame.chain, message) : otherVote(frame.chain, message);
    return encodeFrame("consensus", frame.chain, encodeMessage(changed));
  };

  const rivals = (bytes: Uint8Array, frame: Frame): Uint8Array[] => {
    const message = frame.kind === "consensus" ? messageIn(bytes, frame) : undefined;
    if (message?.type !== "proposal" || message.node !== self) return [];
    const other = () => encodeFrame("consensus", frame.chain, encodeMessage(otherProposal(frame.chain, message)));
    return Array.from({ length: RIVALS }, other);
  };

  return { of, rivals };
}
