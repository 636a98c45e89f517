// The invariants of what is sealed, checked at the moment a block becomes durable on a node: I1,
// I2, I6, I7, I8, I12, I13, I16, I18. Numbers are those of docs/invariants.md. Nothing here trusts
// what a node says of itself.

import { acknowledgementBytes } from "../../../../src/wire/batch.js";
import { type Block, blockTree, decodeBlock, type SealedBatch } from "../../../../src/wire/block.js";
import { equalBytes, toHex } from "../../../../src/wire/bytes.js";
import { precommitBytes } from "../../../../src/wire/certificate.js";
import type { Genesis, GenesisChain, Member } from "../../../../src/wire/genesis.js";
import { sha256 } from "../../../../src/wire/hash.js";
import { decodeHeader, headerHash, meetsTarget } from "../../../../src/wire/header.js";
import type { PublicKey } from "../../../../src/wire/key.js";
import { leafHash, rootOfLevels } from "../../../../src/wire/merkle.js";
import { type AnyRecord, isOperation, parseAnyRecord } from "../../../../src/wire/operation.js";
import { quorum } from "../../../../src/wire/quorum.js";
import { decodeResults, type Equivocation } from "../../../ledger/violations.js";
import { simulatedVerify } from "../world/keys.js";
import { createFalseWordChecks, type FalseWordChecks } from "./false-words.js";
import type { Membership } from "./membership.js";
import { createPromises } from "./promises.js";
import type { Fail } from "./violation.js";

export interface BlockChecks {
  /** A meter has signed it and lets go of it. */
  submit(record: AnyRecord): void;
  isSubmitted(hash: string): boolean;
  addMeter(kid: string, key: PublicKey): void;
  /** A correct node has answered for it: it must be sealed. */
  promise(record: AnyRecord, node: string, label: string): void;
  /** The node has lost its disk, and what it alone had promised but for what it still holds. */
  release(node: string, holds: (key: string) => boolean): void;
  /** The authority rules of the meter: no node's promise holds for its records. */
  releaseMeter(meter: string): void;
  /** A block is durable on a correct node whose newest one was `height` before. */
  onBlock(node: string, chain: number, height: number, bytes: Uint8Array): void;
  /**
   * A receipt that verifies says that this is the block's header: no block of this height may have
   * another.
   */
  onReceipt(chain: number, height: number, header: Uint8Array): void;
  /** Hash of the sealed record of this number, as hex. */
  sealedHash(chain: number, kid: string, seq: number): string | undefined;
  /** Records that were promised and are not sealed, by name. */
  missing(): string[];
  /** Blocks that anchors name and no correct node has, by name. */
  unknownAnchors(): string[];
  readonly heights: ReadonlyMap<number, number>;
  readonly rounds: number;
  /** headers of other chains that sealed blocks name */
  readonly anchored: number;
  readonly sealed: number;
  /** of these, operations of participants */
  readonly operations: number;
  readonly violations: number;
  /** Heights at which evidence against the node is sealed. */
  convictions(chain: number, node: string): readonly number[];
  readonly equivocations: number;
  /** nodes whose word on a temporary block is proved false, on a chain each */
  readonly falseWords: FalseWordChecks;
}

const TRUE_ANCHORS = "I16 an anchor names the block that its chain has";

interface Decided {
  readonly id: string;
  readonly time_ms: number;
  readonly counter: number;
}

/** `faulty` are the ids of the members that are not correct. */
export function createBlockChecks(
  genesis: Genesis,
  membership: Membership,
  faulty: ReadonlySet<string>,
  fail: Fail,
): BlockChecks {
  const submitted = new Set<string>();
  const keys = new Map<string, PublicKey>();
  const decided = new Map<string, Decided>();
  const sealed = new Map<string, string>();
  const promises = createPromises(membership);
  /** header hashes that receipts name, by chain and height */
  const receipts = new Map<string, string>();
  /** heights of sealed evidence by chain and node */
  const equivocations = new Map<string, number[]>();
  const falseWords = createFalseWordChecks(faulty, fail);
  const heights = new Map<number, number>();
  /**
   * header hashes that anchors name and correct nodes do not have yet, by chain and height: who
   * names them
   */
  const anchors = new Map<string, { readonly id: string; readonly where: string }>();
  let anchored = 0;
  let rounds = 0;
  let operations = 0;

  /** I16, also where the anchored block comes later. */
  const checkAnchors = (where: string, block: Block) => {
    for (const { chain, height, headerHash: hash } of block.anchors) {
      anchored += 1;
      const place = `${chain}/${height}`;
      const id = toHex(hash);
      const known = decided.get(place)?.id ?? anchors.get(place)?.id;
      if (known !== undefined && known !== id) fail(TRUE_ANCHORS, `${where} names ${id} at ${place}, not ${known}`);
      if (!decided.has(place)) anchors.set(place, { id, where });
    }
  };

  const checkContent = (where: string, chain: GenesisChain, block: Block, previous: Decided | undefined) => {
    const broken = brokenInvariant(block, chain.target);
    if (broken !== undefined) fail(broken, where);
    if (block.time_ms < (previous?.time_ms ?? 0)) fail("I2 time does not go back", where);
    const ordered = block.batches.some(({ notices }) => notices.some(({ kind }) => kind === "order"));
    const { violations, outcomes } = decodeResults(block.results);
    // A message that is taken, or a deadline that has come, has an outcome as an operation has.
    const isEmpty = outcomes.length === 0 && block.batches.every(({ records }) => records.length === 0);
    if (isEmpty && !ordered && block.counter === (previous?.counter ?? 0)) fail("I8 no empty block", where);
    for (const violation of violations) {
      if (violation.kind === "equivocation") checkEquivocation(where, chain, violation);
      if (violation.kind === "falseAcknowledgement") falseWords.check(where, chain.service, violation);
      // All meters here offer each of their records until it is sealed.
      if (violation.kind === "gap") fail("I18 no meter is named for a gap", `${violation.seq} in ${where}`);
    }
    for (const batch of block.batches) {
      for (const bytes of batch.records) checkRecord(where, chain, parseAnyRecord(bytes));
      const members = membership.at(block.chain, block.height)!;
      const isOfMember = members.some(({ id }) => equalBytes(id, batch.origin));
      if (!isOfMember) fail("I12 temporary blocks are of members", where);
      if (!isAcknowledged(genesis.hash, block.chain, members, batch))
        fail("I7 a sealed temporary block was acknowledged by a quorum", where);
      const verified = batch.acknowledgements.filter((acknowledgement) => acknowledgement.verified);
      const needed = Math.min(membership.verifiersAt(block.chain, block.height), quorum(members.length));
      if (verified.length < needed) fail("I7 as many as are to verify a sealed temporary block say they have", where);
    }
  };

  const checkEquivocation = (where: string, chain: GenesisChain, { node, height }: Equivocation) => {
    const accused = `${chain.service}/${toHex(node)}`;
    const name = `${accused}/${height}`;
    const heights = equivocations.get(accused) ?? [];
    if (!faulty.has(toHex(node))) fail("I11 no evidence against a correct node is sealed", `${name} in ${where}`);
    if (heights.includes(height)) fail("I11 evidence is sealed once", `${name} in ${where}`);
    equivocations.set(accused, [...heights, height]);
  };

  const checkRecord = (where: string, chain: GenesisChain, record: AnyRecord) => {
    const kid = toHex(record.kid);
    const name = `${chain.service}/${kid}/${record.claims.seq}`;
    const hash = toHex(record.hash);
    const key = keys.get(kid);
    if (!submitted.has(hash)) fail("I7 a sealed record was submitted", `${name} in ${where}`);
    const valid = key !== undefined && simulatedVerify(key, record.signedBytes, record.signature);
    if (!valid || record.claims.service !== chain.service) fail("I7 a sealed record is valid", `${name} in ${where}`);
    if (record.disclosures.length > 0) fail("I7 a sealed record is desensitised", `${name} in ${where}`);
    if (sealed.has(name)) fail("I7 a record is sealed once", `${name} in ${where}`);
    if (isOperation(record)) operations += 1;
    sealed.set(name, hash);
  };

  return {
    submit: (record) => void submitted.add(toHex(record.hash)),
    isSubmitted: (hash) => submitted.has(hash),
    addMeter: (kid, key) => void keys.set(kid, key),
    promise: promises.add,
    release: promises.release,
    releaseMeter: promises.releaseMeter,
    onBlock(node, service, height, bytes) {
      const chain = membership.chains.find((candidate) => candidate.service === service)!;
      const where = `block ${service}/${height} at ${node}`;
      const block = decodeBlock(bytes);
      const id = toHex(headerHash(block.header));
      if (block.height !== height || block.chain !== service) fail("I2 a block is stored at its place", where);
      const previous = decided.get(`${service}/${height - 1}`);
      const link = height === 1 ? toHex(genesis.hash) : previous?.id;
      if (toHex(decodeHeader(block.header).previous) !== link) fail("I2 hashes link", where);
      const members = membership.at(service, height);
      if (members === undefined) return fail("I2 heights are contiguous", where);
      if (!isDecided(genesis.hash, members, block)) fail("I6 a decision has a quorum's precommits of one round", where);
      const known = decided.get(`${service}/${height}`);
      if (known !== undefined) {
        if (known.id !== id) fail("I1 no two correct nodes decide differently", `${where}: ${id} and ${known.id}`);
        return;
      }
      if ((receipts.get(`${service}/${height}`) ?? id) !== id) fail("I13 receipts verify for sealed blocks", where);
      checkContent(where, chain, block, previous);
      const named = anchors.get(`${service}/${height}`);
      if (named !== undefined && named.id !== id) fail(TRUE_ANCHORS, `${named.where} names ${named.id}, not ${where}`);
      anchors.delete(`${service}/${height}`);
      checkAnchors(where, block);
      decided.set(`${service}/${height}`, { id, time_ms: block.time_ms, counter: block.counter });
      heights.set(service, height);
      membership.onBlock(block);
      promises.releaseRemoved(service, members);
      rounds += block.certificate.round;
    },
    onReceipt(chain, height, header) {
      const place = `${chain}/${height}`;
      const id = toHex(headerHash(header));
      // A faulty member's receipt may come before a correct one has the block.
      if ((decided.get(place)?.id ?? receipts.get(place) ?? id) !== id)
        fail("I13 receipts verify for sealed blocks", place);
      receipts.set(place, id);
    },
    convictions: (chain, node) => equivocations.get(`${chain}/${node}`) ?? [],
    sealedHash: (chain, kid, seq) => sealed.get(`${chain}/${kid}/${seq}`),
    missing: () => promises.unkept((name) => sealed.has(name)),
    unknownAnchors: () => [...anchors].map(([place, { where }]) => `${place} in ${where}`),
    heights,
    get anchored() {
      return anchored;
    },
    get rounds() {
      return rounds;
    },
    get sealed() {
      return sealed.size;
    },
    get operations() {
      return operations;
    },
    falseWords,
    get equivocations() {
      return [...equivocations.values()].reduce((sum, heights) => sum + heights.length, 0);
    },
    get violations() {
      return [...heights].reduce((sum, [chain, height]) => sum + decided.get(`${chain}/${height}`)!.counter, 0);
    },
  };
}

/** What of the header is not as the block's content and the chain's difficulty have it. */
function brokenInvariant(block: Block, target: number): string | undefined {
  const hashes = block.batches.flatMap((batch) => batch.records.map(sha256));
  const root = rootOfLevels(blockTree(block, hashes.map(leafHash)));
  if (!equalBytes(root, decodeHeader(block.header).merkleRoot)) return "I15 content";
  return meetsTarget(headerHash(block.header), target) ? undefined : "I15 target";
}

/** Whether a quorum of the members has signed precommits for the block, all of one round. */
function isDecided(genesisHash: Uint8Array, members: readonly Member[], block: Block): boolean {
  const { round, signatures } = block.certificate;
  const message = precommitBytes(genesisHash, block.chain, block.height, round, headerHash(block.header));
  const signers = new Set(signatures.map(({ node }) => toHex(node)));
  const genuine = signatures.every(({ node, signature }) => {
    const member = members.find((candidate) => toHex(candidate.id) === toHex(node));
    return member !== undefined && simulatedVerify(member.key, message, signature);
  });
  return genuine && signers.size === signatures.length && signers.size >= quorum(members.length);
}

/** Whether a quorum of the members has signed what the block says of it. */
function isAcknowledged(
  genesisHash: Uint8Array,
  chain: number,
  members: readonly Member[],
  batch: SealedBatch,
): boolean {
  const { acknowledgements } = batch;
  const nodes = new Set(acknowledgements.map(({ node }) => toHex(node)));
  const genuine = acknowledgements.every(({ node, signature, verified }) => {
    const member = members.find(({ id }) => toHex(id) === toHex(node));
    const message = acknowledgementBytes(genesisHash, chain, batch, verified);
    return member !== undefined && simulatedVerify(member.key, message, signature);
  });
  return genuine && nodes.size === acknowledgements.length && nodes.size >= quorum(members.length);
}
