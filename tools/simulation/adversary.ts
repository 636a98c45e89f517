// A faulty member: a real node whose frames pass through somebody who has its key and means harm. Up to f of them must not matter.
// What it cannot do is sign for others.

import { fromHex, toHex } from "../../src/wire/bytes.js";
import type { Genesis } from "../../src/wire/genesis.js";
import type { Signer } from "../../src/wire/key.js";
import { parseRecord, signRecord } from "../../src/wire/record.js";
import { acknowledgementOf, makeBatch, readBatch } from "../node/chain/compose.js";
import { encodeMessage, headOf, signedBytes } from "../node/consensus/messages.js";
import type { Message, Proposal, Vote } from "../node/consensus/types.js";
import { decodeFrame, encodeBatchNote, encodeFrame, encodeNeedBlocks, type Frame } from "../node/frame.js";
import type { Random } from "./random.js";
import { messageOf } from "./statements.js";

/** What it may do; each faulty member does some. */
export const behaviours = ["equivocate", "withhold", "mute", "forge", "replay", "flood", "lie", "censor"] as const;
export type Behaviour = (typeof behaviours)[number];

export interface Adversary {
  /** What really leaves where the node sends a frame. */
  onSend(to: string, frame: Uint8Array): readonly { readonly to: string; readonly frame: Uint8Array }[];
  /** False where the node is not to see the frame. */
  onReceive(from: string, frame: Uint8Array): boolean;
  /** It takes records that no meter signed, for the others to seal. */
  readonly takesForgeries: boolean;
  /** What it says of its own accord. */
  tick(send: (to: string, frame: Uint8Array) => void): void;
}

export interface AdversaryOptions {
  readonly genesis: Genesis;
  readonly self: string;
  readonly signer: Signer;
  readonly random: Random;
  readonly behaviours: readonly Behaviour[];
  /** notes its signatures as those of the node itself are noted */
  onSigned(bytes: Uint8Array): void;
}

const FRAMES_KEPT = 64;
const FLOOD_FRAMES = 40;

export function createAdversary(options: AdversaryOptions): Adversary {
  const { genesis, self, random } = options;
  const does = (behaviour: Behaviour) => options.behaviours.includes(behaviour);
  const others = genesis.nodes.map(({ id }) => toHex(id)).filter((id) => id !== self);
  const victims = new Set(others.filter(() => random.chance(0.5)));
  const censored = random.pick(others);
  const heard: Uint8Array[] = [];

  const sign = (bytes: Uint8Array) => {
    options.onSigned(bytes);
    return options.signer.sign(bytes);
  };

  const keep = (frame: Uint8Array) => {
    heard.push(frame);
    if (heard.length > FRAMES_KEPT) heard.splice(random.below(heard.length), 1);
  };

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

  const equivocated = (bytes: Uint8Array, frame: Frame): Uint8Array => {
    if (frame.kind !== "consensus") return bytes;
    const message = messageIn(bytes, frame);
    if (message === undefined || !("node" in message) || message.node !== self) return bytes;
    const changed = message.type === "proposal" ? otherProposal(frame.chain, message) : otherVote(frame.chain, message);
    return encodeFrame("consensus", frame.chain, encodeMessage(changed));
  };

  const forgery = (chain: number): Uint8Array | undefined => {
    const bytes = heard.length === 0 ? undefined : random.pick(heard);
    const frame = bytes === undefined ? undefined : decodeFrame(bytes);
    if (bytes === undefined || frame === undefined) return undefined;
    if (frame.kind === "batch" && random.chance(0.7)) return forgedBatch(frame);
    if (frame.kind === "consensus" && random.chance(0.7)) {
      const message = messageIn(bytes, frame);
      return message === undefined ? undefined : encodeFrame("consensus", chain, encodeMessage(forged(message)));
    }
    const mutated = Uint8Array.from(bytes);
    mutated[3 + random.below(mutated.length - 3)]! ^= 1 << random.below(8);
    return mutated;
  };

  /** In the name of another member, or with a certificate that is short of honest votes. */
  const forged = (message: Message): Message => {
    const node = random.pick(others);
    switch (message.type) {
      case "prevote":
      case "precommit":
        return { ...message, node, id: random.chance(0.5) ? null : random.bytes(32) };
      case "proposal":
        return { ...message, node, signature: random.bytes(64) };
      case "polka":
        return {
          ...message,
          round: message.round + random.below(2),
          votes: message.votes.map((vote) => ({ ...vote, node })),
        };
      case "round":
        return { ...message, votes: message.votes.map((vote) => ({ ...vote, round: vote.round + 3 })) };
      case "evidence":
        return { ...message, first: message.second };
      default:
        return message;
    }
  };

  /** A temporary block of this member's with a record that no meter signed. */
  const forgedBatch = (frame: Frame): Uint8Array | undefined => {
    const read = attempt(() => readBatch(genesis.hash, frame.payload));
    if (read === undefined) return undefined;
    const { batch, records } = read;
    const record = random.pick(records);
    const nobody: Signer = { key: options.signer.key, sign: () => random.bytes(64) };
    const changed = parseRecord(
      signRecord({ ...record.claims, seq: record.claims.seq + 1, previous: record.hash }, [], nobody, record.kid),
    );
    const number = random.below(4);
    const own = { ...batch, origin: fromHex(self)!, number, records: [changed.stripped] };
    return encodeFrame("batch", frame.chain, makeBatch(genesis.hash, own, [changed], sign).bytes);
  };

  const lie = (chain: number): Uint8Array => {
    const height = random.pick([0, 1, 2, 1_000, 2 ** 31, 2 ** 40]);
    if (random.chance(0.3)) return encodeFrame("needBlocks", chain, encodeNeedBlocks(height));
    return encodeFrame("consensus", chain, encodeMessage({ type: "status", height }));
  };

  /** Names of nothing, acknowledgements of nothing, votes of far rounds and heights, and noise. */
  const rubbish = (chain: number): Uint8Array => {
    const name = { origin: fromHex(random.pick(others))!, number: random.below(2_000), id: random.bytes(32) };
    const kind = random.below(5);
    if (kind === 0) return encodeFrame("needBatch", chain, encodeBatchNote(name, []));
    if (kind === 1) {
      const empty = { chain, origin: name.origin, number: name.number, notices: [], records: [] };
      const signature = sign(acknowledgementOf(genesis.hash, { batch: empty, id: name.id }));
      return encodeFrame("acknowledge", chain, encodeBatchNote(name, [{ node: fromHex(self)!, signature }]));
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

  return {
    takesForgeries: does("forge"),
    onSend(to, bytes) {
      keep(bytes);
      const frame = decodeFrame(bytes)!;
      if (does("mute") && frame.kind === "consensus") return [];
      if (does("withhold") && victims.has(to) && random.chance(0.7)) return [];
      if (does("equivocate") && victims.has(to) && random.chance(0.6))
        return [{ to, frame: equivocated(bytes, frame) }];
      return [{ to, frame: bytes }];
    },
    onReceive(from, bytes) {
      keep(bytes);
      return !(does("censor") && from === censored && random.chance(0.9));
    },
    tick(send) {
      const chain = random.pick(genesis.chains).service;
      const to = () => random.pick(others);
      if (does("lie")) send(to(), lie(chain));
      if (does("replay") && heard.length > 0) send(to(), onOtherChain(random.pick(heard), chain, random));
      const forgedFrame = does("forge") ? forgery(chain) : undefined;
      if (forgedFrame !== undefined) send(to(), forgedFrame);
      if (does("flood") && random.chance(0.2)) {
        for (let count = 0; count < FLOOD_FRAMES; count += 1) send(to(), rubbish(chain));
      }
    },
  };
}

/** The frame as it was heard, or as if it were of another chain. */
function onOtherChain(bytes: Uint8Array, chain: number, random: Random): Uint8Array {
  const frame = decodeFrame(bytes);
  if (frame === undefined || random.chance(0.6)) return bytes;
  return encodeFrame(frame.kind, chain, frame.payload);
}

/** Undefined where the bytes are no message: it keeps rubbish of its own too. */
function messageIn(bytes: Uint8Array, frame: Frame): Message | undefined {
  return attempt(() => messageOf(bytes, frame.payload));
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
