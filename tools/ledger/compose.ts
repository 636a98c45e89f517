// A block from accepted temporary blocks, pure: runs the chain's rules, commits to everything in the header. The proposer and
// every voter compose the same block from the same proposal, or the vote is nil.

import {
  type Acknowledgement,
  type Batch,
  batchBytes,
  batchId,
  decodeBatch,
  encodeBatch,
} from "../../src/wire/batch.js";
import { type Anchor, type BlockContent, blockTree, type SealedBatch } from "../../src/wire/block.js";
import { BLOCK_BATCH_BYTES_MAX, BLOCK_BATCHES_MAX, BLOCK_RECORDS_MAX, TIME_MS_MAX } from "../../src/wire/bounds.js";
import { equalBytes, toHex } from "../../src/wire/bytes.js";
import { parseCredential } from "../../src/wire/credential.js";
import { WireError } from "../../src/wire/error.js";
import type { Genesis, GenesisChain } from "../../src/wire/genesis.js";
import { HEADER_VERSION, type Header } from "../../src/wire/header.js";
import { type MerkleLevels, rootOfLevels } from "../../src/wire/merkle.js";
import { assertInvariant } from "../errors.js";
import { type Ruling, rulingAt } from "./contract-centre.js";
import type { ContractInForce } from "./contract-orders.js";
import { type EntriesResult, finishEntries, type PlannedEntries, planEntries } from "./entries.js";
import type { EntriesPlace } from "./entry.js";
import type { ChainView, Execution, ExecutionNotice, ExecutionPlace } from "./execution.js";
import { type Governance, governedHeight, holdsOrder, membersAfter, standingOf } from "./governance.js";
import { acceptanceComplaint, type MemberSet, memberSetOf } from "./members.js";
import { readNotice } from "./notices.js";
import type { RunResult } from "./outcome.js";
import { broughtBy, isPermittedBy } from "./permission.js";
import { atOnce, type Pieces } from "./pieces.js";
import { outcomesAmong, roomOf, roomWithin } from "./postponing.js";
import type { ExecutionRecord } from "./record-scan.js";
import { readSignedRecords, type SignedRecord } from "./record-scan.js";
import { nextDue, takenFrom } from "./reserved-keys.js";
import type { Room } from "./room.js";
import { BLOCK_OPERATIONS_MAX, type RunPlan } from "./run-plan.js";
import { newestRules } from "./scripts.js";
import type { Settlement } from "./settlement/settle.js";
import { type BlockSettling, settleReadings, settleSlots } from "./settlement/settle-block.js";
import { type MeterState, type OriginState, recordsFork, sealNumber } from "./state.js";
import { hasEnded, prolongs } from "./term.js";
import { encodeResults } from "./violations.js";

/** A temporary block as read, with what the rules need of its records and no more: many wait here for their block. */
export interface ReadBatch {
  readonly batch: Batch;
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
  readonly signedBytes: Uint8Array;
  readonly id: Uint8Array;
  readonly records: readonly ExecutionRecord[];
  readonly notices: readonly ExecutionNotice[];
}

export interface AcceptedBatch {
  readonly read: ReadBatch;
  /** of a quorum, in the order of the members */
  readonly acknowledgements: readonly Acknowledgement[];
}

/** What a block is made of besides the chain before it. */
export interface BlockInputs {
  readonly batches: readonly AcceptedBatch[];
  readonly anchors: readonly Anchor[];
  readonly time_ms: number;
  /** height of the newest contracts block with an order that the proposer knew */
  readonly judgedAt: number;
  /** contracts are called for so many entries of each kind at most: what its proposer's machine can do */
  readonly calls: number;
}

/** The chain that a block is made for. */
export interface ChainTip {
  readonly genesis: Genesis;
  readonly chain: GenesisChain;
  /** of the block to make */
  readonly height: number;
  readonly previous: Uint8Array;
  readonly counter: number;
  /** of the block before */
  readonly time_ms: number;
  /** of this height: bound by the block before, at height 1 the chain's first */
  readonly members: MemberSet;
  /** of the block before; of the first block, of the order that added the chain, 0 for one of the genesis */
  readonly judgedAt: number;
  /** with all orders that this node, or the audit, has seen */
  readonly governance: Governance;
  readonly view: ChainView;
}

export interface ComposedBlock {
  readonly content: BlockContent;
  readonly tree: MerkleLevels;
  readonly execution: Execution;
  readonly entries: EntriesResult;
  readonly settlement: Settlement;
  /** records in the order of their leaves, from leaf 1 on */
  readonly records: readonly ExecutionRecord[];
  /** of the height after it */
  readonly nextMembers: MemberSet;
  /** the header with nonce 0 */
  readonly header: Header;
}

/** Reads a temporary block's bytes; throws a WireError where they, a record or a notice in it are malformed, or a record stands in it twice. */
export function readBatch(genesisHash: Uint8Array, bytes: Uint8Array): ReadBatch {
  return readSignedBatch(genesisHash, bytes).read;
}

/** `readBatch`, and its records with their signatures for whoever verifies them. */
export function readSignedBatch(
  genesisHash: Uint8Array,
  bytes: Uint8Array,
): { readonly read: ReadBatch; readonly signed: readonly SignedRecord[] } {
  const { batch, signature } = decodeBatch(bytes);
  const signed = readSignedRecords(batch.records);
  const records = signed.map(recordOf);
  checkDistinct(records);
  const operations = operationCount(records);
  if (operations > BLOCK_OPERATIONS_MAX) throw new WireError("limit", `batch holds ${operations} operations`);
  const signedBytes = signedBytesOf(genesisHash, batch, records);
  const notices = batch.notices.map((notice) => readNotice(genesisHash, notice));
  return { read: { batch, bytes, signature, signedBytes, id: batchId(signedBytes), records, notices }, signed };
}

/** Two records of one number may stand in one temporary block: they prove a fork. One record twice proves nothing. */
function checkDistinct(records: readonly ExecutionRecord[]): void {
  const isOne = (count: number) => count === records.length;
  if (isOne(new Set(records.map(({ meter, seq }) => `${meter}/${seq}`)).size)) return; // cheaper than hashes as text
  if (isOne(new Set(records.map(({ hash }) => toHex(hash))).size)) return;
  throw new WireError("shape", "batch holds a record twice");
}

/** A new temporary block of this node over these records. */
export function makeBatch(
  genesisHash: Uint8Array,
  content: Omit<Batch, "records">,
  records: readonly ExecutionRecord[],
  sign: (bytes: Uint8Array) => Uint8Array,
): ReadBatch {
  const batch = { ...content, records: records.map(bytesOf) };
  const signedBytes = signedBytesOf(genesisHash, batch, records);
  const signature = sign(signedBytes);
  const bytes = encodeBatch(batch, signature);
  const notices = batch.notices.map((notice) => readNotice(genesisHash, notice));
  return { batch, bytes, signature, signedBytes, id: batchId(signedBytes), records, notices };
}

function signedBytesOf(genesisHash: Uint8Array, batch: Batch, records: readonly ExecutionRecord[]): Uint8Array {
  return batchBytes(genesisHash, batch, records.map(leafOf));
}

/** What is wrong with the contracts height that a block is judged at; "unknown" where its orders are yet to come here. */
export function judgedAtComplaint(tip: ChainTip, judgedAt: number): string | undefined {
  if (judgedAt < tip.judgedAt) return "is before that of the block before";
  if (judgedAt === tip.judgedAt || holdsOrder(tip.governance, judgedAt)) return undefined;
  return judgedAt > governedHeight(tip.governance) ? "unknown" : "holds no order";
}

/** Where the rules run for the block after the tip. */
export function placeOf(
  { chain, height, governance, view }: ChainTip,
  judgedAt: number,
  time_ms: number,
): ExecutionPlace {
  return { service: chain.service, height, governance, judgedAt, time_ms, view };
}

/** The block of some inputs, or why there is none. */
export type Composition =
  | { readonly type: "block"; readonly block: ComposedBlock }
  | { readonly type: "none"; readonly reason: string }
  /** contracts are to run first: an engine makes the results of the plan, which go into `finish` */
  | { readonly type: "runs"; readonly plan: RunPlan; finish(results: readonly RunResult[]): ComposedBlock };

/** The block of these inputs, as every member composes it. A block that closes slots of many points is made in pieces. */
export function* composeBlock(tip: ChainTip, inputs: BlockInputs): Pieces<Composition> {
  const reason = inputsComplaint(tip, inputs);
  if (reason !== undefined) return { type: "none", reason };
  const ruling = rulingOf(tip, newestRules.name, inputs.judgedAt);
  const whole = yield* judgeBlock(tip, inputs, { ruling });
  if (isEmpty(whole.execution)) return { type: "none", reason: "nothing in it is new to the chain" };
  const judge = (room: Room) => atOnce(judgeBlock(tip, inputs, { ruling, room, before: whole.settling }));
  const within = roomWithin(whole.planned.planned, inputs.calls);
  const judged = within === undefined ? whole : judge(within);
  const judgeLess = (room: Room) => judge({ ...within, ...room });
  const finish = (results: readonly RunResult[]) =>
    blockOf(tip, inputs, { ruling, ...ranBlock(tip.view, { judge: judgeLess, judged }, results) });
  const { plan } = judged.planned;
  return plan === undefined ? { type: "block", block: finish([]) } : { type: "runs", plan, finish };
}

/** A block before its contracts have run. */
export interface JudgedBlock {
  readonly execution: Execution;
  readonly settling: BlockSettling;
  readonly settlement: Settlement;
  readonly planned: PlannedEntries;
}

/** By what a block is judged. */
interface Judging {
  readonly ruling: Ruling;
  /** what its contracts leave room for, where they have run */
  readonly room?: Room;
  /** its readings, where it was judged before */
  readonly before?: BlockSettling;
}

function* judgeBlock(tip: ChainTip, inputs: BlockInputs, { ruling, room, before }: Judging): Pieces<JudgedBlock> {
  const execution = newestRules.execute(
    { ...placeOf(tip, inputs.judgedAt, inputs.time_ms), room },
    inputs.batches.map(({ read }) => ({
      origin: read.batch.origin,
      number: read.batch.number,
      notices: read.notices,
      records: read.records,
    })),
  );
  return yield* judgeEntries(tip, ruling, { ...inputs, execution, room, before });
}

/**
 * The block when its contracts have run. Where these leave no room for all of its entries it is judged once more with those that there
 * is room for: the same contracts have run for them then.
 */
export function ranBlock(
  view: ChainView,
  { judge, judged }: { judge(room: Room): JudgedBlock; readonly judged: JudgedBlock },
  results: readonly RunResult[],
): JudgedBlock & { readonly entries: EntriesResult } {
  const room = roomOf(judged.planned.planned, results);
  const final = room === undefined ? judged : judge(room);
  return { ...final, entries: finishEntries(view, final.planned, outcomesAmong(results)) };
}

/** The rules of this name with the contracts of the tip's height. */
export function rulingOf({ chain, height, governance }: ChainTip, name: string, judgedAt: number): Ruling {
  return rulingAt(name, governance, { service: chain.service, height, judgedAt });
}

interface EntriesInputs extends Pick<BlockInputs, "time_ms" | "judgedAt"> {
  readonly execution: Execution;
  /** what the block's contracts leave room for */
  readonly room?: Room | undefined;
  /** the block's readings, where it was judged before */
  readonly before?: BlockSettling | undefined;
}

/** What the block after the tip calls its contracts for, with the slots that it closes. */
export function* judgeEntries(
  tip: ChainTip,
  { contracts }: Ruling,
  { time_ms, judgedAt, execution, room, before }: EntriesInputs,
): Pieces<JudgedBlock> {
  const { height, governance, view } = tip;
  const { assignments } = governance;
  const settling = settleReadings({ height, time_ms, judgedAt, contracts, assignments, view }, execution, before);
  const settlement = yield* settleSlots(settling, room?.slots);
  const sourceOf = ({ install }: ContractInForce) => {
    const source = governance.contracts.sources.get(toHex(install.source));
    assertInvariant(source !== undefined, "a contract is installed with its source");
    return source;
  };
  const place: EntriesPlace = { height, time_ms, contracts, sourceOf, view, settlement, room };
  return { execution, settling, settlement, planned: planEntries(place, execution) };
}

interface Judged {
  readonly ruling: Ruling;
  readonly execution: Execution;
  readonly settlement: Settlement;
  readonly entries: EntriesResult;
}

function blockOf(tip: ChainTip, inputs: BlockInputs, judged: Judged): ComposedBlock {
  const { ruling, execution, settlement, entries } = judged;
  const records = execution.sealed.flatMap((sealed) => sealed.records);
  const violations = [...execution.violations, ...entries.violations];
  const nextMembers = nextMembersOf(tip, inputs.judgedAt);
  const content: BlockContent = {
    network: tip.genesis.network,
    chain: tip.chain.service,
    height: tip.height,
    counter: tip.counter + violations.length,
    batches: inputs.batches.map((accepted, index) => sealedBatch(accepted, execution.sealed[index]!)),
    script: ruling.script,
    results: encodeResults({
      violations,
      outcomes: entries.outcomes,
      slots: settlement.closed.map(({ slot }) => slot),
    }),
    anchors: inputs.anchors,
    judgedAt: inputs.judgedAt,
    time_ms: inputs.time_ms,
    memberSet: tip.members.hash,
    nextMemberSet: nextMembers.hash,
    stateRoot: entries.state.root,
  };
  const tree = blockTree(content, records.map(leafOf));
  const header: Header = {
    version: HEADER_VERSION,
    previous: tip.previous,
    merkleRoot: rootOfLevels(tree),
    time_s: Math.floor(inputs.time_ms / 1000),
    target: tip.chain.target,
    nonce: 0,
  };
  return { content, tree, execution, settlement, entries, records, nextMembers, header };
}

/** Why no block can be made of the inputs, before any rule has run. */
function inputsComplaint(tip: ChainTip, { batches, time_ms, judgedAt }: BlockInputs): string | undefined {
  if (time_ms < tip.time_ms) return `its time ${time_ms} is before that of the block before`;
  if (batches.length === 0) return "it names no temporary block";
  const governed = judgedAtComplaint(tip, judgedAt);
  if (governed !== undefined) return `contracts height ${judgedAt}: ${governed}`;
  if (!fitsOneBlock(batches)) return "its temporary blocks do not fit one block";
  const takesNumber = createNumbering(tip.view);
  for (const { read, acknowledgements } of batches) {
    const { origin, number } = read.batch;
    const name = `temporary block ${number} of ${toHex(origin)}`;
    if (!takesNumber(read.batch)) return `${name} is sealed, or closed by a later one`;
    const acceptance = acceptanceComplaint(tip.members, { origin, acknowledgements });
    if (acceptance !== undefined) return `${name} ${acceptance}`;
  }
  return undefined;
}

/** Whether these temporary blocks keep the limits of one block, whatever falls out of them. */
function fitsOneBlock(batches: readonly AcceptedBatch[]): boolean {
  let records = 0;
  let operations = 0;
  let bytes = 0;
  for (const { read } of batches) {
    records += read.records.length;
    operations += operationCount(read.records);
    bytes += read.bytes.length;
  }
  if (operations > BLOCK_OPERATIONS_MAX) return false;
  return batches.length <= BLOCK_BATCHES_MAX && records <= BLOCK_RECORDS_MAX && bytes <= BLOCK_BATCH_BYTES_MAX;
}

/** Operations among records. */
export function operationCount(records: readonly Pick<ExecutionRecord, "type">[]): number {
  let count = 0;
  for (const { type } of records) if (type !== undefined) count += 1;
  return count;
}

/** The members of the height after the block, which is judged at this contracts height. */
export function nextMembersOf({ governance, chain, height, members }: ChainTip, judgedAt: number): MemberSet {
  const next = membersAfter(governance, chain.service, height, judgedAt);
  const isSame = next.members === members.members && next.verifiers === members.verifiers;
  return isSame ? members : memberSetOf(next.members, next.verifiers);
}

/** Whether nothing is in the block that it would be sealed for: no record, no violation, no notice but credentials. */
export function isEmpty({ sealed, violations }: Execution): boolean {
  const isBare = sealed.every(
    ({ records, notices }) => records.length === 0 && notices.every(({ kind }) => kind === "credential"),
  );
  return isBare && violations.length === 0;
}

interface NumberedBatch {
  readonly origin: Uint8Array;
  readonly number: number;
}

/** Whether the temporary block's number is neither sealed nor closed. */
export function isSealable(view: ChainView, name: NumberedBatch): boolean {
  return createNumbering(view)(name);
}

/** Takes the numbers of one block's temporary blocks in their order; false where one is sealed, or closed by one before it. */
export function createNumbering(view: ChainView): (name: NumberedBatch) => boolean {
  const taken = new Map<string, OriginState>();
  return ({ origin, number }) => {
    const id = toHex(origin);
    const after = sealNumber(taken.get(id) ?? view.origin(id), number);
    if (after !== undefined) taken.set(id, after);
    return after !== undefined;
  };
}

/** Whether the next block could hold something of the batch: a record that is not sealed, a fork or evidence that is not recorded, an order. */
export function sealsSomething(tip: ChainTip, read: ReadBatch): boolean {
  const { view } = tip;
  if (!isSealable(view, read.batch)) return false;
  // What is due by another clock than this node's may be sealed by that.
  const place = placeOf(tip, Math.max(tip.judgedAt, governedHeight(tip.governance)), TIME_MS_MAX);
  if (read.notices.some((notice) => newestRules.takesEffect(place, notice))) return true;
  const brought = broughtBy(read.notices);
  return read.records.some((record) => {
    const { meter, seq } = record;
    const verifiedBy = brought?.get(meter);
    if (verifiedBy !== undefined && !isPermittedBy(view.credential(meter), verifiedBy, record)) return false;
    const state = view.meter(meter);
    if (isRepeat(state, seq)) return provesFork(view, state!, record);
    if (isOver(tip, read, meter, state)) return false;
    return standingOf(place.governance, meter, place.service, seq, place.judgedAt) === "good";
  });
}

/** Whether no block after the tip seals a record of the meter: its credential has ended, and the batch brings none that takes its place. */
function isOver(
  { time_ms, view }: ChainTip,
  { notices }: ReadBatch,
  meter: string,
  state: MeterState | undefined,
): boolean {
  if (state !== undefined && !hasEnded(state, time_ms)) return false;
  const sealed = state === undefined ? undefined : view.credential(meter);
  const known = sealed === undefined ? undefined : parseCredential(sealed);
  const brought = notices.some((notice) => {
    if (notice.kind !== "credential" || notice.holder !== meter) return false;
    const { credential } = notice;
    return time_ms < credential.expires_s * 1_000 && (known === undefined || prolongs(known, credential));
  });
  return !brought;
}

/** What of a batch the chain has already, and whether that is all there is in it, so that no later block could hold anything of it. */
export interface Repetition {
  /** records whose number is sealed or closed */
  readonly repeats: number;
  readonly isSpent: boolean;
}

/** Orders, evidence and messages that are ahead may yet take effect; so may a record of a meter that is suspended. */
export function repetitionOf(view: ChainView, { records, notices }: ReadBatch): Repetition {
  const states = new Map<string, MeterState | undefined>();
  for (const { meter } of records) if (!states.has(meter)) states.set(meter, view.meter(meter));
  const repeated = records.filter(({ meter, seq }) => isRepeat(states.get(meter), seq));
  const isBare = repeated.length === records.length && notices.every((notice) => isSpent(view, notice));
  return {
    repeats: repeated.length,
    isSpent: isBare && !repeated.some((record) => provesFork(view, states.get(record.meter)!, record)),
  };
}

function isSpent({ state }: ChainView, notice: ExecutionNotice): boolean {
  if (notice.kind === "message")
    return notice.carried.message.number < takenFrom(state, notice.carried.message.service).next;
  return notice.kind === "credential" || (notice.kind === "due" && nextDue(state) !== notice.time_s);
}

/** Whether a record of this number is sealed, or can be sealed no more. */
export function isRepeat(state: MeterState | undefined, seq: number): boolean {
  return state !== undefined && seq <= state.high && !state.gaps.some(([from, to]) => seq >= from && seq <= to);
}

function provesFork(view: ChainView, state: MeterState, { meter, seq, hash }: ExecutionRecord): boolean {
  const sealed = recordsFork(state, seq) ? view.sealedHash(meter, seq) : undefined;
  return sealed !== undefined && !equalBytes(sealed, hash);
}

function sealedBatch(accepted: AcceptedBatch, sealed: Execution["sealed"][number]): SealedBatch {
  return {
    origin: accepted.read.batch.origin,
    number: accepted.read.batch.number,
    id: accepted.read.id,
    acknowledgements: accepted.acknowledgements,
    notices: sealed.notices.map(({ kind, bytes }) => ({ kind, bytes })),
    records: sealed.records.map(bytesOf),
  };
}

function recordOf({ record }: SignedRecord): ExecutionRecord {
  return record;
}

function bytesOf({ bytes }: ExecutionRecord): Uint8Array {
  return bytes;
}

function leafOf({ leaf }: ExecutionRecord): Uint8Array {
  return leaf;
}
