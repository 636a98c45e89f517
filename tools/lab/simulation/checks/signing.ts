// The invariants of what leaves a node and what it reports, checked at the moment it does: I3, I4,
// I5, I11. They see every signature that is made, and every frame that a correct node lets go of.

import { decodeBlock } from "../../../../src/wire/block.js";
import { equalBytes, toHex } from "../../../../src/wire/bytes.js";
import { decodeCbor } from "../../../../src/wire/cbor.js";
import type { Genesis } from "../../../../src/wire/genesis.js";
import { faults, quorum } from "../../../../src/wire/quorum.js";
import { headOf, signedBytes } from "../../../consensus/messages.js";
import type { Precommit, Prevote, RoundCertificate, Statement } from "../../../consensus/types.js";
import { decodeFrame, type Frame } from "../../../node/chain/frame.js";
import { blocks } from "../../../node/chain/tables/blocks.js";
import { consensusRecords } from "../../../node/chain/tables/consensus-records.js";
import { heads } from "../../../node/chain/tables/heads.js";
import { blockKey, chainKey } from "../../../node/store/keys.js";
import { simulatedVerify } from "../world/keys.js";
import { createBatchChecks } from "./batches.js";
import type { Membership } from "./membership.js";
import { contentOf, messageOf, placeOf, recordOf, statementsOf } from "./statements.js";
import type { Suspect } from "./suspect.js";
import type { Fail } from "./violation.js";

export interface SigningChecks {
  /** Every signature of a member, faulty ones included, as it is made. */
  onSigned(node: string, bytes: Uint8Array): void;
  /** A frame of a correct node leaves. */
  onSent(node: Suspect, frame: Uint8Array): void;
  /** A correct node reports two statements of one signer. */
  onEvidence(node: Suspect, chain: number, first: Statement, second: Statement): void;
  /** The node has lost its disk, and with it which numbers its temporary blocks had. */
  onWiped(node: string): void;
  readonly equivocations: number;
}

export function createSigningChecks(
  genesis: Genesis,
  membership: Membership,
  faulty: ReadonlySet<string>,
  fail: Fail,
): SigningChecks {
  const contents = new Map<string, string>();
  const prevoters = new Map<string, Set<string>>();
  const locks = new Map<string, Precommit>();
  const reported = new Set<string>();
  const equivocations = new Set<string>();
  const checked = new WeakSet<Uint8Array>();
  const batches = createBatchChecks(genesis, membership, fail);

  const checkSingle = (place: string, content: string) => {
    if ((contents.get(place) ?? content) !== content) fail("I3 a node signs one value a place", place);
    contents.set(place, content);
  };

  const checkDurable = (node: Suspect, chain: number, statement: Statement) => {
    const head = node.durable.get(heads, chainKey(chain));
    if (head !== undefined && head.height >= statement.height) return; // sealed: nothing is signed there again
    const bytes = node.durable.get(consensusRecords, chainKey(chain));
    const record = bytes === undefined ? undefined : recordOf(bytes, node.id);
    const own: readonly Statement[] =
      record === undefined ? [] : [...record.prevotes, ...record.precommits, ...record.proposals.map(headOf)];
    const held = own.some((kept) => kept.type === statement.type && equalBytes(kept.signature, statement.signature));
    // Far rounds are dropped from the record, whose own round then keeps the node from signing
    // there again.
    const passed = record !== undefined && record.height === statement.height && statement.round < record.round - 16;
    if (!held && !passed) fail("I4 durable before sent", placeOf(chain, statement));
  };

  const checkLock = (chain: number, { node, height, round, id, vr }: Prevote, members: number) => {
    const lock = locks.get(`${chain}/${node}/${height}`);
    if (id === null || lock === undefined || lock.round >= round || equalBytes(lock.id!, id)) return;
    const polka = prevoters.get(`${chain}/${height}/${vr}/${toHex(id)}`)?.size ?? 0;
    if (vr < lock.round || vr >= round || polka < quorum(members)) {
      fail("I5 a prevote against the lock has a polka", `${chain}/${node}/${height}/${round} vr ${vr}`);
    }
  };

  const onStatement = (node: Suspect, chain: number, statement: Statement, isDecision: boolean) => {
    checkSingle(placeOf(chain, statement), contentOf(statement));
    // Who has lost its record, or its disk, passes on decisions with what it had signed before.
    if (!isDecision) checkDurable(node, chain, statement);
    if (!membership.isMember(chain, statement.height, node.id))
      fail("I12 who is no member signs nothing", placeOf(chain, statement));
    const members = membership.at(chain, statement.height)?.length ?? 0;
    if (statement.type === "prevote") checkLock(chain, statement, members);
    if (statement.type === "precommit" && statement.id !== null) {
      const key = `${chain}/${statement.node}/${statement.height}`;
      if ((locks.get(key)?.round ?? -1) < statement.round) locks.set(key, statement);
    }
  };

  const isGenuine = (chain: number, statement: Statement) => {
    const key = membership.nodeOf(statement.node)?.key;
    return key !== undefined && simulatedVerify(key, signedBytes(genesis.hash, chain, statement), statement.signature);
  };

  /**
   * Why a node is in its round: votes of f + 1 members there or later, or a quorum's precommits of
   * one round.
   */
  const onRound = (node: Suspect, chain: number, { height, votes }: RoundCertificate) => {
    const members = membership.at(chain, height) ?? [];
    const signers = new Set(votes.map((vote) => vote.node));
    const rounds = new Set(votes.map((vote) => (vote.type === "precommit" ? vote.round : -1)));
    const isQuorum = signers.size >= quorum(members.length) && rounds.size === 1 && !rounds.has(-1);
    if (signers.size < faults(members.length) + 1 && !isQuorum)
      fail("I6 a round is entered for f + 1 members", `${chain}/${height} by ${node.id}`);
  };

  /** I15: what is served is what is stored, and what is stored has been checked as a block. */
  const onBlock = (node: Suspect, { chain, payload }: Frame) => {
    const { height } = decodeBlock(payload);
    const stored = node.durable.get(blocks, blockKey(chain, height));
    if (stored === undefined || !equalBytes(stored, payload)) {
      fail("I15 a node serves what it has stored", `${chain}/${height} by ${node.id}`);
    }
  };

  return {
    onSigned(node, bytes) {
      const [domain, , chain, height, round, id] = decodeCbor(bytes) as readonly unknown[];
      if (domain !== "gs1/prevote" || id === null) return;
      const key = `${chain}/${height}/${round}/${toHex(id as Uint8Array)}`;
      const voters = prevoters.get(key) ?? new Set();
      prevoters.set(key, voters.add(node));
    },
    onSent(node, bytes) {
      if (checked.has(bytes)) return;
      checked.add(bytes);
      const frame = decodeFrame(bytes);
      if (frame === undefined) return fail("I4 a node sends frames", node.id);
      if (frame.kind === "batch") batches.onBatch(node, frame);
      if (frame.kind === "acknowledge") batches.onAcknowledgement(node, frame);
      if (frame.kind === "accepted") batches.onAccepted(node, frame);
      if (frame.kind === "block") onBlock(node, frame);
      if (frame.kind !== "consensus") return;
      const message = messageOf(bytes, frame.payload);
      if (message.type === "round") onRound(node, frame.chain, message);
      if (message.type === "evidence" && !faulty.has(message.first.node))
        fail("I11 no evidence against a correct node", placeOf(frame.chain, message.first));
      for (const statement of statementsOf(message)) {
        if (!isGenuine(frame.chain, statement))
          fail("I6 what a node passes on is genuine", placeOf(frame.chain, statement));
        // What a certificate counts; evidence may be against who was a member and is none any more.
        const counts =
          message.type === "evidence" || membership.isMember(frame.chain, statement.height, statement.node);
        if (!counts) fail("I12 votes of members count", placeOf(frame.chain, statement));
        if (statement.node === node.id) onStatement(node, frame.chain, statement, message.type === "decision");
      }
    },
    onEvidence(node, chain, first, second) {
      const place = placeOf(chain, first);
      if (!faulty.has(first.node)) fail("I11 no evidence against a correct node", place);
      if (placeOf(chain, second) !== place || contentOf(first) === contentOf(second))
        fail("I11 evidence proves", place);
      const report = `${node.id}/${node.life}/${place}`;
      if (reported.has(report)) fail("I11 evidence is counted once", report);
      reported.add(report);
      equivocations.add(place);
    },
    onWiped: batches.onWiped,
    get equivocations() {
      return equivocations.size;
    },
  };
}
