// Consensus messages as deterministic CBOR arrays, their number first, and the bytes that votes and proposals sign (PROTOCOL.md).
// Decoding checks every field and throws a WireError; what it accepts encodes to the same bytes.

import { NODES_MAX, PLAIN_MAX, ROUND_MAX } from "../../src/wire/bounds.js";
import { fromHex, toHex } from "../../src/wire/bytes.js";
import { type CborValue, decodeCbor, encodeCbor } from "../../src/wire/cbor.js";
import { certificateFromArray, certificateToArray, precommitBytes } from "../../src/wire/certificate.js";
import { WireError } from "../../src/wire/error.js";
import { sha256 } from "../../src/wire/hash.js";
import { asArray, asBytes, asHeight, asInteger, asList, asUint } from "../../src/wire/shape.js";
import type {
  Choice,
  Evidence,
  Message,
  NodeId,
  Polka,
  Precommit,
  Prevote,
  Proposal,
  ProposalHead,
  Statement,
  Vote,
} from "./types.js";

/** Largest body of a proposal; bodies name records, they do not hold them. */
export const BODY_BYTES_MAX = 1_048_576;
const MESSAGE_BYTES_MAX = BODY_BYTES_MAX + 65_536;
const messageLimits = { size: MESSAGE_BYTES_MAX, items: 4_096 };

/** Largest evidence as it is sealed. */
export const EVIDENCE_BYTES_MAX = 1_024;
const evidenceLimits = { size: EVIDENCE_BYTES_MAX, items: 32 };

const PROPOSAL = 1;
const PREVOTE = 2;
const PRECOMMIT = 3;
const POLKA = 4;
const ROUND = 5;
const DECISION = 6;
const STATUS = 7;
const EVIDENCE = 8;
const INQUIRY = 9;
const VOUCH = 10;

/** What a prevote, precommit or proposal signs; a proposal covers its body by hash. */
export function signedBytes(
  genesisHash: Uint8Array,
  chain: number,
  statement: Unsigned<Prevote> | Unsigned<Precommit> | Unsigned<ProposalHead>,
): Uint8Array {
  const { height, round, id } = statement;
  switch (statement.type) {
    case "prevote":
      return encodeCbor(["gs1/prevote", genesisHash, chain, height, round, id, statement.vr]);
    case "precommit":
      return precommitBytes(genesisHash, chain, height, round, id);
    case "head":
      return encodeCbor(["gs1/proposal", genesisHash, chain, height, round, statement.vr, id, statement.bodyHash]);
  }
}

/** A statement before it has its signature. */
export type Unsigned<S extends Statement> = Omit<S, "signature" | "node">;

/** The part of a proposal that is signed. */
export function headOf(proposal: Proposal): ProposalHead {
  const { height, round, vr, id, body, node, signature } = proposal;
  return { type: "head", height, round, vr, id, bodyHash: sha256(body), node, signature };
}

export function encodeMessage(message: Message): Uint8Array {
  return encodeCbor(messageToArray(message));
}

function messageToArray(message: Message): CborValue {
  switch (message.type) {
    case "proposal": {
      const { height, round, vr, id, body, polka, node, signature } = message;
      return [PROPOSAL, height, round, vr, id, body, polka.map(polkaVoteToArray), idBytes(node), signature];
    }
    case "prevote":
    case "precommit":
      return statementToArray(message);
    case "polka":
      return [POLKA, message.height, message.round, message.id, message.votes.map(polkaVoteToArray)];
    case "round":
      return [ROUND, message.height, message.votes.map(statementToArray)];
    case "decision":
      return [DECISION, message.height, message.id, certificateToArray(message.certificate)];
    case "status":
      return [STATUS, message.height];
    case "inquiry":
      return [INQUIRY, message.height, message.run];
    case "vouch":
      return [VOUCH, message.height, message.run];
    case "evidence":
      return [EVIDENCE, statementToArray(message.first), statementToArray(message.second)];
  }
}

export function statementToArray(statement: Statement): CborValue {
  const { height, round, id, signature } = statement;
  const node = idBytes(statement.node);
  switch (statement.type) {
    case "prevote":
      return [PREVOTE, height, round, id, statement.vr, node, signature];
    case "precommit":
      return [PRECOMMIT, height, round, id, node, signature];
    case "head":
      return [PROPOSAL, height, round, statement.vr, id, statement.bodyHash, node, signature];
  }
}

/** Evidence as a chain seals it: [statement, statement]. */
export function encodeEvidence(evidence: Evidence): Uint8Array {
  return encodeCbor([statementToArray(evidence.first), statementToArray(evidence.second)]);
}

/** Throws a WireError where the bytes are no two statements; whether they prove anything is `isEquivocation`'s to say. */
export function decodeEvidence(bytes: Uint8Array): Evidence {
  const [first, second] = asArray(decodeCbor(bytes, evidenceLimits), "evidence", 2);
  return { type: "evidence", first: statementFrom(first), second: statementFrom(second) };
}

/** A prevote within a certificate that says its height, round and id. */
export function polkaVoteToArray(vote: Prevote): CborValue {
  return [idBytes(vote.node), vote.vr, vote.signature];
}

/** Throws a WireError where the bytes are no message; signatures are not checked. */
export function decodeMessage(bytes: Uint8Array): Message {
  const items = asArray(decodeCbor(bytes, messageLimits), "message");
  const type = asUint(items[0], "message type", VOUCH);
  switch (type) {
    case PROPOSAL:
      return proposalFrom(sized(items, 9));
    case PREVOTE:
    case PRECOMMIT:
      return voteFromArray(items);
    case POLKA:
      return polkaFrom(sized(items, 5));
    case ROUND: {
      const [, height, votes] = sized(items, 3);
      return { type: "round", height: heightFrom(height), votes: votesFromArray(votes, heightFrom(height)) };
    }
    case DECISION: {
      const [, height, id, certificate] = sized(items, 4);
      const decision = certificateFromArray(certificate);
      return { type: "decision", height: heightFrom(height), id: asBytes(id, "id", 32), certificate: decision };
    }
    case STATUS:
      return { type: "status", height: heightFrom(sized(items, 2)[1]) };
    case INQUIRY:
    case VOUCH: {
      const [, height, run] = sized(items, 3);
      return {
        type: type === VOUCH ? "vouch" : "inquiry",
        height: heightFrom(height),
        run: asUint(run, "run", PLAIN_MAX),
      };
    }
    case EVIDENCE: {
      const [, first, second] = sized(items, 3);
      return { type: "evidence", first: statementFrom(first), second: statementFrom(second) };
    }
    default:
      throw new WireError("unsupported", `message type ${type} is not known`);
  }
}

function proposalFrom(items: readonly CborValue[]): Proposal {
  const [, height, round, vr, id, body, polka, node, signature] = items;
  const proposal = {
    type: "proposal" as const,
    height: heightFrom(height),
    round: roundFrom(round),
    vr: vrBefore(vr, round),
    id: asBytes(id, "id", 32),
    body: asBytes(body, "body"),
    node: nodeFrom(node),
    signature: signatureFrom(signature),
  };
  bounded(proposal.body, BODY_BYTES_MAX, "body");
  const votes = polkaVotesFromArray(polka, proposal.height, proposal.vr, proposal.id);
  if (proposal.vr < 0 !== (votes.length === 0)) throw new WireError("shape", "a polka stands where vr is not -1");
  return { ...proposal, polka: votes };
}

function polkaFrom(items: readonly CborValue[]): Polka {
  const height = heightFrom(items[1]);
  const round = roundFrom(items[2]);
  const id = asBytes(items[3], "id", 32);
  return { type: "polka", height, round, id, votes: polkaVotesFromArray(items[4], height, round, id) };
}

/** Prevotes of one height, round and id, each as `polkaVoteToArray` gives it. */
export function polkaVotesFromArray(
  value: CborValue | undefined,
  height: number,
  round: number,
  id: Uint8Array,
): readonly Prevote[] {
  const items = asList(value, "polka", NODES_MAX);
  return items.map((item) => {
    const [node, vr, signature] = asArray(item, "polka vote", 3);
    return {
      type: "prevote",
      height,
      round,
      id,
      vr: vrBefore(vr, round),
      node: nodeFrom(node),
      signature: signatureFrom(signature),
    };
  });
}

/** Votes of one height: at most a prevote and a precommit a member. */
export function votesFromArray(value: CborValue | undefined, height: number): readonly Vote[] {
  return asList(value, "votes", 2 * NODES_MAX).map((item) => {
    const vote = voteFromArray(asArray(item, "vote"));
    if (vote.height !== height) throw new WireError("shape", `vote is of height ${vote.height}, not ${height}`);
    return vote;
  });
}

function voteFromArray(items: readonly CborValue[]): Vote {
  const statement = statementFrom(items);
  if (statement.type === "head") throw new WireError("shape", "a proposal stands where a vote is due");
  return statement;
}

function statementFrom(value: CborValue | undefined): Statement {
  const items = asArray(value, "statement");
  const type = asUint(items[0], "statement type", PRECOMMIT);
  if (type === PREVOTE) {
    const [, height, round, id, vr, node, signature] = sized(items, 7);
    return {
      type: "prevote",
      ...place(height, round),
      ...signed(node, signature),
      id: choice(id),
      vr: vrBefore(vr, round),
    };
  }
  if (type === PRECOMMIT) {
    const [, height, round, id, node, signature] = sized(items, 6);
    return { type: "precommit", ...place(height, round), ...signed(node, signature), id: choice(id) };
  }
  if (type !== PROPOSAL) throw new WireError("unsupported", `statement type ${type} is not known`);
  const [, height, round, vr, id, bodyHash, node, signature] = sized(items, 8);
  return {
    type: "head",
    ...place(height, round),
    ...signed(node, signature),
    vr: vrBefore(vr, round),
    id: asBytes(id, "id", 32),
    bodyHash: asBytes(bodyHash, "body hash", 32),
  };
}

function place(height: CborValue | undefined, round: CborValue | undefined): { height: number; round: number } {
  return { height: heightFrom(height), round: roundFrom(round) };
}

function signed(
  node: CborValue | undefined,
  signature: CborValue | undefined,
): { node: NodeId; signature: Uint8Array } {
  return { node: nodeFrom(node), signature: signatureFrom(signature) };
}

function choice(value: CborValue | undefined): Choice {
  return value === null ? null : asBytes(value, "id", 32);
}

export function heightFrom(value: CborValue | undefined): number {
  return asHeight(value, "height");
}

export function roundFrom(value: CborValue | undefined): number {
  return asUint(value, "round", ROUND_MAX);
}

/** A round before the given one, or -1. */
export function vrBefore(value: CborValue | undefined, round: CborValue | undefined): number {
  const vr = asInteger(value, "vr");
  if (typeof vr === "bigint" || vr < -1 || vr >= roundFrom(round)) {
    throw new WireError("shape", `vr must be -1 or a round before ${String(round)}, not ${vr}`);
  }
  return vr;
}

function nodeFrom(value: CborValue | undefined): NodeId {
  return toHex(asBytes(value, "node", 8));
}

function signatureFrom(value: CborValue | undefined): Uint8Array {
  return asBytes(value, "signature", 64);
}

/** The 8 bytes of a node's id. Throws a WireError where it is not 16 hex digits. */
export function idBytes(node: NodeId): Uint8Array {
  const bytes = fromHex(node);
  if (bytes === undefined || bytes.length !== 8)
    throw new WireError("encoding", `node id ${node} is not 16 hex digits`);
  return bytes;
}

function sized(items: readonly CborValue[], length: number): readonly CborValue[] {
  return asArray(items, "message", length);
}

function bounded<T extends { readonly length: number }>(list: T, limit: number, name: string): T {
  if (list.length > limit) throw new WireError("limit", `${name} of ${list.length} is longer than ${limit}`);
  return list;
}
