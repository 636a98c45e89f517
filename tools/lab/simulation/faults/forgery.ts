// What a faulty member makes out of what it has heard. Statements are in others' names,
// certificates have one signature that is not genuine, temporary blocks have records that no meter
// signed. It signs with its own key alone.

import { decodeBlock, encodeBlock } from "../../../../src/wire/block.js";
import { fromHex, toHex } from "../../../../src/wire/bytes.js";
import { parseCredential } from "../../../../src/wire/credential.js";
import type { Genesis } from "../../../../src/wire/genesis.js";
import { keyId, type Signer } from "../../../../src/wire/key.js";
import { type Notice, noticesOf } from "../../../../src/wire/notice.js";
import { isOperation, parseAnyRecord, signOperation } from "../../../../src/wire/operation.js";
import { quorum } from "../../../../src/wire/quorum.js";
import { signRecord } from "../../../../src/wire/record.js";
import { BoundedMap } from "../../../bounded-map.js";
import { encodeMessage } from "../../../consensus/messages.js";
import type { Decision, Evidence, Message, Polka, Vote } from "../../../consensus/types.js";
import { makeBatch, type ReadBatch, readBatch } from "../../../ledger/compose.js";
import { badRecordOf, encodeDisproof } from "../../../ledger/disproof.js";
import { evidenceNotice } from "../../../ledger/notices.js";
import { executionRecord } from "../../../ledger/record-scan.js";
import { decodeBatchNote, decodeFrame, encodeBatchNote, encodeFrame, type Frame } from "../../../node/chain/frame.js";
import type { Random } from "../../rig/random.js";
import type { Membership } from "../checks/membership.js";
import { messageOf } from "../checks/statements.js";

export interface Forger {
  readonly genesis: Genesis;
  readonly membership: Membership;
  readonly self: string;
  readonly others: readonly string[];
  readonly random: Random;
  readonly key: Signer["key"];
  sign(bytes: Uint8Array): Uint8Array;
}

/** In the name of another member, or with a certificate that is short of honest votes. */
export function forgedMessage({ random, others }: Forger, message: Message): Message {
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
    case "decision":
      return { ...message, id: random.bytes(32) };
    case "evidence":
      return { ...message, first: message.second };
    case "inquiry":
    case "vouch":
    case "status":
      return message;
  }
}

/** The frame with one signature of its certificate spoilt; undefined where it holds none. */
export function withSpoiltCertificate(random: Random, bytes: Uint8Array, frame: Frame): Uint8Array | undefined {
  const { kind, chain, payload } = frame;
  if (kind === "consensus") {
    const message = messageIn(bytes, frame);
    const changed = message === undefined ? undefined : spoilt(random, message);
    return changed === undefined ? undefined : encodeFrame(kind, chain, encodeMessage(changed));
  }
  if (kind === "accepted") {
    const note = attempt(() => decodeBatchNote(payload));
    if (note === undefined || note.acknowledgements.length === 0) return undefined;
    return encodeFrame(kind, chain, encodeBatchNote(note, withOneSpoilt(random, note.acknowledgements)));
  }
  const block = kind === "block" ? attempt(() => decodeBlock(payload)) : undefined;
  if (block === undefined || block.certificate.signatures.length === 0) return undefined;
  const { certificate } = block;
  const changed = { ...certificate, signatures: withOneSpoilt(random, certificate.signatures) };
  return encodeFrame(kind, chain, encodeBlock({ ...block, certificate: changed }));
}

function spoilt(random: Random, message: Message): Message | undefined {
  switch (message.type) {
    case "polka":
    case "round":
      return message.votes.length === 0
        ? undefined
        : ({ ...message, votes: withOneSpoilt<Vote>(random, message.votes) } as Message);
    case "proposal":
      return message.polka.length === 0 ? undefined : { ...message, polka: withOneSpoilt(random, message.polka) };
    case "decision": {
      const { certificate } = message;
      const signatures = withOneSpoilt(random, certificate.signatures);
      return { ...message, certificate: { ...certificate, signatures } };
    }
    default:
      return undefined;
  }
}

function withOneSpoilt<T extends { readonly signature: Uint8Array }>(random: Random, items: readonly T[]): T[] {
  const chosen = random.below(items.length);
  return items.map((item, index) =>
    index === chosen ? { ...item, signature: flipped(random, item.signature) } : item,
  );
}

function flipped(random: Random, bytes: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[random.below(changed.length)]! ^= 1 << random.below(8);
  return changed;
}

const GROUPS_KEPT = 256;
const VOTES_KEPT = 64;

/**
 * Votes that were heard, by what they say: a quorum of them is a certificate, which can be sent on
 * before others have it.
 */
export function createVoteCollection({ membership, random }: Forger) {
  const groups = new BoundedMap<string, Map<string, Vote>>(GROUPS_KEPT);
  const heard: Vote[] = [];
  return {
    /** The certificate that this vote completes. */
    add(chain: number, vote: Vote): Polka | Decision | undefined {
      heard.push(vote);
      if (heard.length > VOTES_KEPT) heard.shift();
      if (vote.id === null) return undefined;
      const key = `${chain}/${vote.height}/${vote.round}/${vote.type}/${toHex(vote.id)}`;
      const group = groups.get(key) ?? new Map<string, Vote>();
      if (group.has(vote.node)) return undefined;
      groups.set(key, group.set(vote.node, vote));
      const members = (membership.at(chain, vote.height) ?? []).map(({ id }) => toHex(id));
      if (group.size !== quorum(members.length)) return undefined;
      return certificateOf([...group.values()].sort((a, b) => members.indexOf(a.node) - members.indexOf(b.node)));
    },
    /** Two votes of one member that are no equivocation, or one of which it has not signed. */
    falseEvidence(): Evidence | undefined {
      if (heard.length === 0) return undefined;
      const first = random.pick(heard);
      if (random.chance(0.3)) return { type: "evidence", first, second: { ...first, id: random.bytes(32) } };
      const others = heard.filter(({ node, type }) => node === first.node && type === first.type);
      return { type: "evidence", first, second: random.pick(others) };
    },
    /** The same as a notice. */
    falseNotice(): Notice | undefined {
      const evidence = this.falseEvidence();
      return evidence === undefined ? undefined : evidenceNotice(evidence);
    },
    spoilt: (certificate: Polka | Decision) => spoilt(random, certificate)!,
  };
}

/** Of votes that say the same, in the order of the members. */
function certificateOf(votes: readonly Vote[]): Polka | Decision {
  const { type, height, round } = votes[0]!;
  const id = votes[0]!.id!;
  if (type === "prevote") return { type: "polka", height, round, id, votes: votes as Polka["votes"] };
  const signatures = votes.map(({ node, signature }) => ({ node: fromHex(node)!, signature }));
  return { type: "decision", height, id, certificate: { round, signatures } };
}

/**
 * A temporary block of this member's with a record that no meter signed, or evidence with something
 * else than was signed.
 */
export function forgedBatch({ genesis, self, random, key, sign }: Forger, frame: Frame): Uint8Array | undefined {
  const read = attempt(() => readBatch(genesis.hash, frame.payload));
  if (read === undefined) return undefined;
  if (read.records.length === 0) return forgedEvidence({ genesis, self, random, sign }, frame, read);
  const record = parseAnyRecord(random.pick(read.records).bytes);
  const nobody: Signer = { key, sign: () => random.bytes(64) };
  const next = { seq: record.claims.seq + 1, previous: record.hash };
  const changed = parseAnyRecord(
    isOperation(record)
      ? signOperation({ ...record.claims, ...next }, [], nobody, record.kid)
      : signRecord({ ...record.claims, ...next }, [], nobody, record.kid),
  );
  const number = random.below(4);
  const own = { ...read.batch, origin: fromHex(self)!, number };
  return encodeFrame("batch", frame.chain, makeBatch(genesis.hash, own, [executionRecord(changed)], sign).bytes);
}

/** A disproof of a record that its meter has signed, against another node that has signed the temporary block; undefined where none was heard. */
export function slanderousNotice(
  { genesis, self, random }: Forger,
  heard: readonly Uint8Array[],
  chain: number,
): Notice | undefined {
  const bytes = heard.length === 0 ? undefined : random.pick(heard);
  const frame = bytes === undefined ? undefined : decodeFrame(bytes);
  if (frame?.kind !== "batch" || frame.chain !== chain) return undefined;
  const read = attempt(() => readBatch(genesis.hash, frame.payload));
  if (read === undefined || toHex(read.batch.origin) === self) return undefined;
  for (const credential of noticesOf(read.batch.notices, "credential")) {
    const meter = attempt(() => toHex(keyId(parseCredential(credential).key)));
    const index = read.records.findIndex((record) => record.meter === meter);
    if (index < 0) continue;
    const word = { node: read.batch.origin, signature: read.signature };
    return { kind: "evidence", bytes: encodeDisproof({ bad: badRecordOf(read, index, credential), word }) };
  }
  return undefined;
}

function forgedEvidence(
  { genesis, self, random, sign }: Pick<Forger, "genesis" | "self" | "random" | "sign">,
  frame: Frame,
  { batch }: ReadBatch,
): Uint8Array | undefined {
  const notices = batch.notices.map(({ kind, bytes }) => ({ kind, bytes: flipped(random, bytes) }));
  const own = { ...batch, origin: fromHex(self)!, number: random.below(4), notices };
  const made = attempt(() => makeBatch(genesis.hash, own, [], sign));
  return made === undefined ? undefined : encodeFrame("batch", frame.chain, made.bytes);
}

/**
 * Another temporary block of the same number, where the frame holds one of this member's: fewer or
 * doubled records, all genuine.
 */
export function otherBatch({ genesis, self, random, sign }: Forger, frame: Frame): Uint8Array | undefined {
  const read = attempt(() => readBatch(genesis.hash, frame.payload));
  if (read === undefined || toHex(read.batch.origin) !== self) return undefined;
  const [first] = read.records;
  if (first === undefined) return undefined;
  const records = read.records.length > 1 && random.chance(0.5) ? read.records.slice(1) : [first, ...read.records];
  return encodeFrame("batch", frame.chain, makeBatch(genesis.hash, read.batch, records, sign).bytes);
}

/** Undefined where the bytes are no message: a forger keeps rubbish of its own too. */
export function messageIn(bytes: Uint8Array, frame: Frame): Message | undefined {
  return attempt(() => messageOf(bytes, frame.payload));
}

/** Undefined where the bytes cannot be read. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
