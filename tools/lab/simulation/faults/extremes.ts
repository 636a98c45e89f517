// What a faulty member makes of what its node sends when it states extreme numbers: temporary
// blocks, proposals, votes, questions, each signed anew with its own key. It has its own temporary
// blocks accepted as a correct origin would, so that they are sealed.

import { type Acknowledgement, acknowledgementBytes, type Batch, type BatchName } from "../../../../src/wire/batch.js";
import { TIME_S_MAX } from "../../../../src/wire/bounds.js";
import { fromHex, toHex } from "../../../../src/wire/bytes.js";
import { encodeCbor } from "../../../../src/wire/cbor.js";
import type { Certificate } from "../../../../src/wire/certificate.js";
import { encodeDue, type Notice } from "../../../../src/wire/notice.js";
import { defaultVerifiers, quorum } from "../../../../src/wire/quorum.js";
import { encodeSealedList } from "../../../../src/wire/sealed-disclosure.js";
import { BoundedMap } from "../../../bounded-map.js";
import { encodeMessage, headOf, signedBytes } from "../../../consensus/messages.js";
import type { Proposal } from "../../../consensus/types.js";
import { makeBatch, type ReadBatch, readBatch } from "../../../ledger/compose.js";
import { decodeProposalBody, encodeProposalBody, type ProposalBody } from "../../../ledger/proposal.js";
import {
  decodeBatchNote,
  encodeBatchNote,
  encodeFrame,
  encodeNeedBlocks,
  type Frame,
} from "../../../node/chain/frame.js";
import { EPOCH_MS } from "../world/timeline.js";
import { attempt, type Forger, messageIn } from "./forgery.js";

/** Numbers around the bounds of the wire, and around what engines, keys and fields hold. */
export const extremes = [
  0,
  2 ** 16,
  2 ** 31,
  2 ** 32,
  2 ** 40 - 2,
  2 ** 40,
  2 ** 48 - 1,
  2 ** 48,
  2 ** 53 - 1,
] as const;
const REMADE_MAX = 256;

interface Remade {
  readonly frame: Uint8Array;
  readonly name: BatchName;
  readonly acknowledgements: Map<string, Acknowledgement>;
}

export interface Exaggeration {
  /** The frame with an extreme number in it; undefined where this member signs nothing of it. */
  of(bytes: Uint8Array, frame: Frame): Uint8Array | undefined;
  /** Says that a temporary block is accepted when a quorum has acknowledged it. */
  onAcknowledge(frame: Frame, broadcast: (frame: Uint8Array) => void): void;
  /** What it states of its own accord. */
  boast(chain: number): Uint8Array;
}

export function createExaggeration(forger: Forger): Exaggeration {
  const { genesis, self, random, sign } = forger;
  /**
   * temporary blocks of this member by the signature that they had, the same for all who get them
   */
  const remade = new BoundedMap<string, Remade>(REMADE_MAX);

  const number = () => random.pick(extremes);
  /** Those that a notice holds: its own code makes no temporary block of others. */
  const times = extremes.filter((extreme) => extreme <= TIME_S_MAX);

  /** Its number, or a time at which something is said to be due: also one that may have been named and has not come. */
  const extremePart = ({ batch }: ReadBatch): Partial<Batch> => {
    if (random.chance(0.5)) return { number: number() };
    const soon_s = Math.floor(EPOCH_MS / 1_000) + random.below(40);
    const due: Notice = { kind: "due", bytes: encodeDue(random.chance(0.7) ? soon_s : random.pick(times)) };
    return { notices: [...batch.notices, due] };
  };

  const remake = (read: ReadBatch, chain: number): Remade => {
    const changed = makeBatch(genesis.hash, { ...read.batch, ...extremePart(read) }, read.records, sign);
    const name = { origin: changed.batch.origin, number: changed.batch.number, id: changed.id };
    const own = {
      node: fromHex(self)!,
      signature: sign(acknowledgementBytes(genesis.hash, chain, name, true)),
      verified: true,
    };
    return { frame: encodeFrame("batch", chain, changed.bytes), name, acknowledgements: new Map([[self, own]]) };
  };

  const batchOf = (frame: Frame): Uint8Array | undefined => {
    const mark = toHex(frame.payload.subarray(-64));
    const known = remade.get(mark);
    if (known !== undefined) return known.frame;
    const read = readBatch(genesis.hash, frame.payload);
    if (toHex(read.batch.origin) !== self || random.chance(0.7)) return undefined;
    const made = remake(read, frame.chain);
    remade.set(mark, made);
    return made.frame;
  };

  const madeUp = (): Certificate => ({
    round: number(),
    signatures: [{ node: random.bytes(8), signature: random.bytes(64) }],
  });

  const bodyOf = (body: ProposalBody, chain: number): ProposalBody => {
    const others = genesis.chains.filter(({ service }) => service !== chain);
    const kind = random.below(others.length > 0 ? 5 : 3);
    if (kind === 0) return { ...body, time_ms: number() };
    if (kind === 1) return { ...body, judgedAt: number() };
    if (kind === 2) return { ...body, batches: body.batches.map((batch) => ({ ...batch, number: number() })) };
    const { service } = random.pick(others);
    return {
      ...body,
      anchors: [{ chain: service, height: number(), headerHash: random.bytes(32), certificate: madeUp() }],
    };
  };

  const proposalOf = (chain: number, proposal: Proposal): Uint8Array => {
    const body = encodeProposalBody(bodyOf(decodeProposalBody(proposal.body), chain));
    const changed = { ...proposal, body };
    return encoded(chain, { ...changed, signature: sign(signedBytes(genesis.hash, chain, headOf(changed))) });
  };

  const sealedOf = (seq: number) => ({
    ...{ kid: random.bytes(8), seq, recordHash: random.bytes(32), envelope: random.bytes(32) },
    ...{ nonce: random.bytes(12), ciphertext: random.bytes(40) },
  });

  const vote = (chain: number): Uint8Array => {
    const type = random.pick(["prevote", "precommit"] as const);
    const place = { height: number(), round: random.pick([0, 1, number()]), id: null, node: self };
    const unsigned = type === "prevote" ? { ...place, type, vr: -1 } : { ...place, type };
    return encoded(chain, { ...unsigned, signature: sign(signedBytes(genesis.hash, chain, unsigned)) });
  };

  return {
    of(bytes, frame) {
      if (frame.kind === "batch") return batchOf(frame);
      const message = frame.kind === "consensus" ? messageIn(bytes, frame) : undefined;
      if (message?.type !== "proposal" || message.node !== self || random.chance(0.5)) return undefined;
      return proposalOf(frame.chain, message);
    },
    onAcknowledge({ kind, chain, payload }, broadcast) {
      if (kind !== "acknowledge") return;
      const note = attempt(() => decodeBatchNote(payload));
      const mine = [...remade.values()].find(({ name }) => note !== undefined && toHex(name.id) === toHex(note.id));
      if (note === undefined || mine === undefined) return;
      for (const acknowledgement of note.acknowledgements) {
        mine.acknowledgements.set(toHex(acknowledgement.node), acknowledgement);
      }
      const members = genesis.chains.find(({ service }) => service === chain)?.members ?? genesis.nodes;
      const verified = [...mine.acknowledgements.values()].filter((acknowledgement) => acknowledgement.verified);
      if (mine.acknowledgements.size < quorum(members.length)) return;
      if (verified.length < defaultVerifiers(members.length)) return;
      broadcast(encodeFrame("accepted", chain, encodeBatchNote(mine.name, [...mine.acknowledgements.values()])));
    },
    boast(chain) {
      const name = { origin: fromHex(self)!, number: number(), id: random.bytes(32) };
      const kind = random.below(7);
      if (kind === 5) return encodeFrame("needBody", chain, encodeCbor([number(), name.id]));
      if (kind === 6) return encodeFrame("disclosures", chain, encodeSealedList([sealedOf(number())]));
      if (kind === 0) return encodeFrame("needBlocks", chain, encodeNeedBlocks(number()));
      if (kind === 1) return encodeFrame("needBatch", chain, encodeBatchNote(name, []));
      if (kind === 2) return encodeFrame("acknowledge", chain, encodeBatchNote(name, []));
      return kind === 3 ? encoded(chain, { type: "status", height: number() }) : vote(chain);
    },
  };
}

function encoded(chain: number, message: Parameters<typeof encodeMessage>[0]): Uint8Array {
  return encodeFrame("consensus", chain, encodeMessage(message));
}
