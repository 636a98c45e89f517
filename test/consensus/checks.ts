// The invariants of the consensus (numbers as in docs/invariants.md), judged from outside: by what correct nodes send, store and decide,
// and by every signature that was ever made.

import { equalBytes, toHex } from "../../src/wire/bytes.js";
import type { Certificate } from "../../src/wire/certificate.js";
import { quorum } from "../../src/wire/quorum.js";
import { headOf, signedBytes } from "../../tools/consensus/messages.js";
import type { ConsensusRecord } from "../../tools/consensus/state.js";
import type { Evidence, Message, NodeId, Prevote, Statement, Vote } from "../../tools/consensus/types.js";
import type { Block } from "./blocks.js";
import { chain, fakeVerify, genesisHash } from "./keys.js";

export class Violation extends Error {}

export interface Disk {
  readonly blocks: readonly Block[];
  readonly record: ConsensusRecord | undefined;
}

export interface Checks {
  /** Every signature, of faulty members too, as it is made. */
  onSigned(statement: Statement): void;
  /** An own message of a correct node leaves. */
  onSent(node: NodeId, message: Message, disk: Disk): void;
  onDecided(node: NodeId, block: Block, certificate: Certificate, previous: Block | undefined): void;
  onEvidence(node: NodeId, life: number, evidence: Evidence): void;
  /** Equivocations that were reported, over all nodes. */
  readonly evidenceCount: () => number;
}

export function createChecks(members: readonly NodeId[], faulty: ReadonlySet<NodeId>): Checks {
  const decided = new Map<number, string>();
  const statements = new Map<string, string>();
  const prevoters = new Map<string, Set<NodeId>>();
  const locks = new Map<string, Vote>();
  const reported = new Set<string>();
  const items = new Set<string>();

  function fail(invariant: string, detail: string): never {
    throw new Violation(`${invariant}: ${detail}`);
  }

  function checkSingle(statement: Statement): void {
    const key = `${statement.node}/${statement.height}/${statement.round}/${statement.type}`;
    const content = toHex(signedBytes(genesisHash, chain, statement));
    if ((statements.get(key) ?? content) !== content) fail("I3 one value a signer, height, round and type", key);
    statements.set(key, content);
  }

  function checkDurable(statement: Statement, { blocks, record }: Disk): void {
    if (blocks.length >= statement.height) return; // decided: nothing is signed at this height again
    if (record === undefined || record.height < statement.height) fail("I4 durable before sent", "no record");
    if (record.height > statement.height) return;
    const own: readonly Statement[] = [...record.prevotes, ...record.precommits, ...record.proposals.map(headOf)];
    const held = own.some((kept) => kept.type === statement.type && equalBytes(kept.signature, statement.signature));
    if (!held) fail("I4 durable before sent", `${statement.type} ${statement.height}/${statement.round}`);
  }

  function checkLock(prevote: Prevote): void {
    const { node, height, round, id, vr } = prevote;
    const lock = locks.get(`${node}/${height}`);
    if (id === null || lock === undefined || lock.round >= round || equalBytes(lock.id!, id)) return;
    const polka = prevoters.get(`${height}/${vr}/${toHex(id)}`)?.size ?? 0;
    if (vr < lock.round || vr >= round || polka < quorum(members.length)) {
      fail("I5 a prevote against the lock has a polka", `${node} ${height}/${round} vr ${vr}, locked ${lock.round}`);
    }
  }

  return {
    evidenceCount: () => reported.size,
    onSigned(statement) {
      if (statement.type !== "prevote" || statement.id === null) return;
      const key = `${statement.height}/${statement.round}/${toHex(statement.id)}`;
      const voters = prevoters.get(key) ?? new Set();
      prevoters.set(key, voters.add(statement.node));
    },
    onSent(node, message, disk) {
      const statement = ownStatement(node, message);
      if (statement === undefined) return;
      checkSingle(statement);
      checkDurable(statement, disk);
      if (statement.type === "prevote") checkLock(statement);
      if (statement.type === "precommit" && statement.id !== null) {
        const known = locks.get(`${node}/${statement.height}`);
        if (known === undefined || known.round < statement.round) locks.set(`${node}/${statement.height}`, statement);
      }
    },
    onDecided(node, block, certificate, previous) {
      const { height } = block;
      const id = toHex(block.id);
      if ((decided.get(height) ?? id) !== id) fail("I1 agreement", `height ${height} at ${node}`);
      if (height !== (previous?.height ?? 0) + 1) fail("I2 contiguous heights", `${height} at ${node}`);
      if (block.previous !== (previous === undefined ? "" : toHex(previous.id)))
        fail("I2 linked hashes", `${height} at ${node}`);
      const signers = new Set(certificate.signatures.map((signature) => toHex(signature.node)));
      const genuine = certificate.signatures.every(({ node: signer, signature }) => {
        const statement = { type: "precommit" as const, height, round: certificate.round, id: block.id };
        const member = members.includes(toHex(signer));
        return member && fakeVerify(toHex(signer), signedBytes(genesisHash, chain, statement), signature);
      });
      if (signers.size < quorum(members.length) || !genuine) fail("I6 a quorum's precommits", `${height} at ${node}`);
      if (block.items.length === 0) fail("I8 no empty block", `${height} at ${node}`);
      if (!decided.has(height)) {
        for (const item of block.items) {
          if (items.has(item)) fail("I7 sealed once", item);
          items.add(item);
        }
      }
      decided.set(height, id);
    },
    onEvidence(node, life, { first, second }) {
      const key = `${first.node}/${first.height}/${first.round}/${first.type}`;
      if (!faulty.has(first.node)) fail("I11 no evidence against a correct node", key);
      if (first.node !== second.node) fail("I11 evidence is of one signer", key);
      const report = `${node}/${life}/${key}`;
      if (reported.has(report)) fail("I11 evidence is counted once", report);
      reported.add(report);
    },
  };
}

/** What of a message its sender signed itself. */
function ownStatement(node: NodeId, message: Message): Statement | undefined {
  if (message.type === "proposal" && message.node === node) return headOf(message);
  if ((message.type === "prevote" || message.type === "precommit") && message.node === node) return message;
  return undefined;
}
