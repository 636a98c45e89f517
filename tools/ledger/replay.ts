// A sealed block against the chain before it, pure: everything but the certificate and the records' signatures is computed again.
// A node that catches up and an audit both run it.

import { type Anchor, type Block, blockTree } from "../../src/wire/block.js";
import { equalBytes, toHex } from "../../src/wire/bytes.js";
import { WireError } from "../../src/wire/error.js";
import { decodeHeader, headerHash, meetsTarget } from "../../src/wire/header.js";
import { type MerkleLevels, rootOfLevels } from "../../src/wire/merkle.js";
import { noticesOf } from "../../src/wire/notice.js";
import { type AnyRecord, parseAnyRecord } from "../../src/wire/operation.js";
import {
  type ChainTip,
  createNumbering,
  isEmpty,
  judgedAtComplaint,
  judgeEntries,
  nextMembersOf,
  operationCount,
  placeOf,
  rulingOf,
} from "./compose.js";
import { BLOCK_DUE_MAX } from "./deadlines.js";
import { type EntriesResult, finishEntries } from "./entries.js";
import type { Execution, ExecutionEvidence } from "./execution.js";
import type { Governance } from "./governance.js";
import { acceptanceComplaint, type MemberSet } from "./members.js";
import { readEvidence, readNotice } from "./notices.js";
import type { RunResult } from "./outcome.js";
import type { Pieces } from "./pieces.js";
import { outcomesAmong, roomOf } from "./postponing.js";
import { executionRecord } from "./record-scan.js";
import { resultsDifference } from "./results-difference.js";
import type { Room } from "./room.js";
import { BLOCK_OPERATIONS_MAX, type RunPlan } from "./run-plan.js";
import { rulesOf, UnknownScript } from "./scripts.js";
import { type Settlement, SLOT_RUNS_MAX } from "./settlement/settle.js";
import { decodeResults, encodeResults, isOfNode, type Results } from "./violations.js";

export interface ReplayedBlock {
  readonly tree: MerkleLevels;
  readonly execution: Execution;
  readonly entries: EntriesResult;
  readonly settlement: Settlement;
  /** in the order of their leaves, from leaf 1 on */
  readonly records: readonly AnyRecord[];
  /** records that the block holds as proof of forks */
  readonly forks: readonly AnyRecord[];
  /** of the height after it */
  readonly nextMembers: MemberSet;
  /** orders that take effect, as they were signed */
  readonly orders: readonly Uint8Array[];
  /** what the block holds against nodes */
  readonly evidence: readonly ExecutionEvidence[];
}

export type Replay =
  | { readonly type: "replayed"; readonly replayed: ReplayedBlock }
  /** contracts are to run first: an engine makes the results of the plan, which go into `finish`; it throws as `replayBlock` does */
  | { readonly type: "runs"; readonly plan: RunPlan; finish(results: readonly RunResult[]): ReplayedBlock };

/** What replays a block. */
export interface Replaying {
  /** Runs contracts by the engine. */
  run(plan: RunPlan): Promise<readonly RunResult[]>;
  /** Awaited between the pieces of a block that closes slots of many points; absent where nothing else waits. */
  pause?(): Promise<void>;
}

/**
 * The block with its contracts run. Rejects with a WireError that names the first thing that does not follow from the chain before,
 * and with what `run` rejects with.
 */
export async function replayWith(tip: ChainTip, block: Block, { run, pause }: Replaying): Promise<ReplayedBlock> {
  const work = replayBlock(tip, block);
  let piece = work.next();
  while (piece.done !== true) {
    await pause?.();
    piece = work.next();
  }
  const replay = piece.value;
  return replay.type === "replayed" ? replay.replayed : replay.finish(await run(replay.plan));
}

/** Throws a WireError that names the first thing that does not follow from the chain before. */
function* replayBlock(tip: ChainTip, block: Block): Pieces<Replay> {
  const nextMembers = nextMembersOf(tip, block.judgedAt);
  checkPlace(tip, block, nextMembers);
  const rules = rulesOf(block.script);
  if (rules === undefined) {
    checkRoot(block, blockTree(block));
    throw new UnknownScript(block.script);
  }
  const batches = block.batches.map((batch) => ({ ...batch, records: batch.records.map(parseAnyRecord) }));
  const ruling = rulingOf(tip, rules.name, block.judgedAt);
  if (!equalBytes(block.script, ruling.script)) {
    throw new WireError("unproven", "script is not that of the contracts in force");
  }
  const results = decodeResults(block.results);
  const forks = results.violations.flatMap((violation) =>
    violation.kind === "fork" ? [parseAnyRecord(violation.detail as Uint8Array)] : [],
  );
  const evidence = results.violations.flatMap((violation) =>
    isOfNode(violation) ? [readEvidence(violation.evidence)] : [],
  );
  const takesNumber = createNumbering(tip.view);
  for (const batch of batches) {
    const complaint = takesNumber(batch)
      ? acceptanceComplaint(tip.members, batch)
      : "is sealed twice, or closed by a later one";
    if (complaint !== undefined) {
      throw new WireError("unproven", `batch ${batch.number} of ${toHex(batch.origin)} ${complaint}`);
    }
  }
  const records = batches.flatMap((batch) => batch.records);
  for (const record of [...records, ...forks]) checkRecord(tip, record);
  const toExecute = batches.map((batch) => ({
    ...batch,
    notices: batch.notices.map((notice) => readNotice(tip.genesis.hash, notice)),
    records: batch.records.map(executionRecord),
  }));
  const proofs = { forks: forks.map(executionRecord), evidence };
  const execution = rules.execute(placeOf(tip, block.judgedAt, block.time_ms), toExecute, proofs);
  checkSealed(block, execution, records.length);
  const { time_ms, judgedAt } = block;
  const room = roomTaken(results);
  const { settlement, planned } = yield* judgeEntries(tip, ruling, { time_ms, judgedAt, execution, room });
  const finish = (ran: readonly RunResult[]): ReplayedBlock => {
    if (roomOf(planned.planned, ran) !== undefined) {
      throw new WireError("unproven", "block holds something that its contracts leave no room for");
    }
    const entries = finishEntries(tip.view, planned, outcomesAmong(ran));
    checkResults(tip, block, { execution, entries, settlement });
    const tree = blockTree(
      block,
      toExecute.flatMap((batch) => batch.records.map((record) => record.leaf)),
    );
    checkRoot(block, tree);
    const orders = block.batches.flatMap(({ notices }) => noticesOf(notices, "order"));
    return { tree, execution, entries, settlement, records, forks, orders, evidence, nextMembers };
  };
  const { plan } = planned;
  return plan === undefined ? { type: "replayed", replayed: finish([]) } : { type: "runs", plan, finish };
}

/** How much the block says that it takes of what follows from the chain: the first of each kind in any case. */
function roomTaken({ outcomes }: Results): Room {
  const counted = (kind: "slot" | "due") => outcomes.filter(({ entry }) => entry.kind === kind).length;
  const within = (count: number, most: number) => Math.min(Math.max(1, count), most);
  return { slots: within(counted("slot"), SLOT_RUNS_MAX), deadlines: within(counted("due"), BLOCK_DUE_MAX) };
}

function checkRoot(block: Block, tree: MerkleLevels): void {
  if (equalBytes(rootOfLevels(tree), decodeHeader(block.header).merkleRoot)) return;
  throw new WireError("unproven", "Merkle root is not that of the block's content");
}

/** Network, chain, height, link, time, target and member sets. */
function checkPlace(tip: ChainTip, block: Block, nextMembers: MemberSet): void {
  const header = decodeHeader(block.header);
  const conditions: readonly (readonly [boolean, string])[] = [
    [block.network === tip.genesis.network, "network is another"],
    [block.chain === tip.chain.service, "chain is another"],
    [block.height === tip.height, `height is not ${tip.height}`],
    [equalBytes(header.previous, tip.previous), "header does not link to the one before"],
    [block.time_ms >= tip.time_ms, "timestamp is before that of the block before"],
    [header.time_s === Math.floor(block.time_ms / 1000), "header's time is not the block's"],
    [header.target === tip.chain.target, "target is not the chain's"],
    [meetsTarget(headerHash(block.header), header.target), "header hash does not meet the target"],
    [equalBytes(block.memberSet, tip.members.hash), "member set is not the chain's"],
    [equalBytes(block.nextMemberSet, nextMembers.hash), "next member set is not the chain's"],
    [
      areAnchorsInOrder(block.anchors, block.chain, tip.governance, block.judgedAt),
      "anchors are not of other chains in their order",
    ],
  ];
  const judged = judgedAtComplaint(tip, block.judgedAt);
  if (judged !== undefined) {
    const what = judged === "unknown" ? "holds no order that is known here" : judged;
    throw new WireError("unproven", `block ${block.height}: contracts height ${block.judgedAt} ${what}`);
  }
  const wrong = conditions.find(([holds]) => !holds)?.[1];
  if (wrong !== undefined) throw new WireError("unproven", `block ${block.height}: ${wrong}`);
}

/** Ascending by chain, each of another chain that the network has by the contracts height. */
export function areAnchorsInOrder(
  anchors: readonly Anchor[],
  own: number,
  governance: Governance,
  judgedAt: number,
): boolean {
  return anchors.every(
    ({ chain, height }, index) =>
      chain !== own &&
      height > 0 &&
      (index === 0 || chain > anchors[index - 1]!.chain) &&
      governance.chains.some((known) => known.chain.service === chain && known.contractsHeight <= judgedAt),
  );
}

function checkRecord(tip: ChainTip, record: AnyRecord): void {
  if (record.disclosures.length > 0) throw new WireError("unproven", "a sealed record holds confidential parts");
  if (record.claims.service !== tip.chain.service)
    throw new WireError("unproven", "a sealed record is of another service");
}

function checkSealed(block: Block, execution: Execution, records: number): void {
  const { sealed } = execution;
  const sealedRecords = sealed.reduce((sum, batch) => sum + batch.records.length, 0);
  if (sealedRecords !== records)
    throw new WireError("unproven", "a record is sealed twice, or its meter has no credential that is valid then");
  if (isEmpty(execution)) throw new WireError("unproven", "block is empty");
  const notices = sealed.reduce((sum, batch) => sum + batch.notices.length, 0);
  if (notices !== block.batches.reduce((sum, batch) => sum + batch.notices.length, 0)) {
    throw new WireError(
      "unproven",
      "a credential is on the chain twice, or an order, message or deadline does not apply",
    );
  }
  const operations = sealed.reduce((sum, batch) => sum + operationCount(batch.records), 0);
  if (operations > BLOCK_OPERATIONS_MAX) throw new WireError("limit", `block holds ${operations} operations`);
}

function checkResults(
  tip: ChainTip,
  block: Block,
  { execution, entries, settlement }: Pick<ReplayedBlock, "execution" | "entries" | "settlement">,
): void {
  const violations = [...execution.violations, ...entries.violations];
  const slots = settlement.closed.map(({ slot }) => slot);
  const computed = { violations, outcomes: entries.outcomes, slots };
  if (!equalBytes(encodeResults(computed), block.results)) {
    const difference = resultsDifference(computed, block.results);
    throw new WireError("unproven", `results are not what the contract script finds: ${difference}`);
  }
  if (block.counter !== tip.counter + violations.length) {
    throw new WireError("unproven", `action counter is ${block.counter}, not ${tip.counter + violations.length}`);
  }
  if (!equalBytes(block.stateRoot, entries.state.root)) {
    throw new WireError("unproven", "state root is not what its contracts come to");
  }
}
