// The audit of one chain: every block from the first on is checked with nothing but the genesis, everything that can be computed is
// computed again, every signature verified. It holds a block and what the chain remembers of each meter, however long the chain is.

import { acknowledgementBytes } from "../../src/wire/batch.js";
import { type Anchor, type Block, decodeBlock, type SealedBatch } from "../../src/wire/block.js";
import { toHex } from "../../src/wire/bytes.js";
import { type Role, verifyCredential } from "../../src/wire/credential.js";
import { WireError } from "../../src/wire/error.js";
import type { Genesis, GenesisChain } from "../../src/wire/genesis.js";
import { headerHash } from "../../src/wire/header.js";
import type { PublicKey } from "../../src/wire/key.js";
import { type AnyRecord, isOperation } from "../../src/wire/operation.js";
import { decodeEvidence } from "../consensus/messages.js";
import { nodeVerify } from "../crypto/signatures.js";
import { verifyAsync } from "../crypto/verifying.js";
import { GridsealError, reasonOf } from "../errors.js";
import { ChainMemory, tipAfter } from "../ledger/chain-memory.js";
import type { ChainTip } from "../ledger/compose.js";
import { decodeDisproof } from "../ledger/disproof.js";
import type { Execution } from "../ledger/execution.js";
import { firstTip } from "../ledger/first-tip.js";
import { CONTRACTS_SERVICE, type Governance, initialGovernance } from "../ledger/governance.js";
import type { MemberSet } from "../ledger/members.js";
import { checkEvidence, checkMessage, checkOrder } from "../ledger/notices.js";
import type { RunResult } from "../ledger/outcome.js";
import { roleComplaint } from "../ledger/record-scan.js";
import { type ReplayedBlock, replayWith } from "../ledger/replay.js";
import type { RunPlan } from "../ledger/run-plan.js";
import type { MeterState } from "../ledger/state.js";
import { type ViolationView, violationView } from "../ledger/violation-place.js";
import {
  decodeResults,
  type Equivocation,
  type FalseAcknowledgement,
  type ViolationKind,
} from "../ledger/violations.js";
import { Incomplete } from "../sources/incomplete.js";
import type { Confrontation } from "./anchors.js";
import { createForkProofs, type ForkProofs } from "./fork-proofs.js";
import { checkCertificate, checkInput } from "./input.js";
import { type AuditedMark, isBeyond } from "./mark.js";
import { type Problem, type Verdict, verdictOn } from "./problem.js";

export interface AuditReport {
  readonly service: number;
  readonly name: string;
  /** of the last good block; 0 where there is none */
  readonly height: number;
  /** header hash of that block in hex; the genesis hash where there is none */
  readonly header: string;
  readonly time_ms: number | undefined;
  readonly records: number;
  readonly meters: number;
  /** that the chain has recorded of its meters */
  readonly violations: Readonly<Record<ViolationKind, number>>;
  /** the first of them, one behind the other as blocks have them */
  readonly violationsListed: readonly ViolationView[];
  /** numbers that are left out as yet: they may still come, or become violations */
  readonly openGaps: OpenGaps;
  /** orders that it seals */
  readonly orders: number;
  /** what nodes signed twice, as its blocks prove */
  readonly equivocations: readonly EquivocationReport[];
  /** nodes that signed that they had verified what does not verify, as its blocks prove */
  readonly falseAcknowledgements: readonly FalseAcknowledgementReport[];
  /** headers of other chains that blocks name, of which heights of which chain, and what those chains say where they are at hand */
  readonly anchors: Confrontation & { readonly named: number; readonly chains: readonly AnchoredChain[] };
  /** `incomplete`: good as far as it goes, but something is missing without which it cannot be judged */
  readonly verdict: Verdict;
  /** absent where the chain is good */
  readonly firstProblem: Problem | undefined;
}

/** Numbers below a meter's highest that are not sealed, and no violation yet. */
export interface OpenGaps {
  /** how many numbers of how many meters */
  readonly numbers: number;
  readonly meters: number;
  /** the first of them by the ids of the meters */
  readonly first: readonly { readonly meter: string; readonly from: number; readonly to: number }[];
}

/** Open gaps that a report lists. */
const GAPS_LISTED_MAX = 100;
/** Violations that a report lists. */
const VIOLATIONS_LISTED_MAX = 10_000;

/** Who signed two statements for one height, round and type, and the block that says so. */
export interface EquivocationReport {
  readonly block: number;
  readonly node: string;
  readonly height: number;
  readonly round: number;
  readonly statement: "proposal" | "prevote" | "precommit";
}

/** Whose word on which temporary block was false, and the block that says so. */
export interface FalseAcknowledgementReport {
  readonly block: number;
  readonly node: string;
  readonly origin: string;
  /** of the temporary block */
  readonly number: number;
}

/** The heights of another chain that a chain's blocks name. */
export interface AnchoredChain {
  readonly service: number;
  readonly first: number;
  readonly last: number;
  readonly named: number;
}

export interface AuditOptions {
  /** What the contracts chain's orders come to, audited; without them a chain that names any is not proved. */
  readonly governance?: Governance;
  /** How far the contracts chain has been audited and is good; 0 where it is not at hand. */
  readonly contractsHeight?: number;
  /** Runs contracts, where a chain has any. */
  readonly runContracts?: ((plan: RunPlan) => Promise<readonly RunResult[]>) | undefined;
  /** What a block of a chain that is still growing is judged by, where that grows as well. Resolves when it is at hand. */
  groundOf?(block: Block): Promise<{ readonly governance: Governance; readonly contractsHeight: number }>;
  /** What an earlier audit has found good. Signatures up to there are not verified again; what the blocks come to is. */
  readonly audited?: AuditedMark;
  /** Whether each block is concluded before the next one is asked for, as where that comes much later. */
  readonly isFollowing?: boolean;
  /** Called after each good block. */
  onBlock?(audited: AuditedBlock): void;
}

/** A block that is good in every respect, with its header hash, the orders up to it and the members that sealed it. */
export interface AuditedBlock {
  readonly block: Block;
  readonly header: Uint8Array;
  /** keys of the state that it has written, each behind its contract's name and a slash */
  readonly written: readonly string[];
  readonly governance: Governance;
  readonly members: MemberSet;
}

interface Key {
  readonly key: PublicKey;
  readonly services: readonly number[];
  readonly roles: readonly Role[];
}

interface Totals {
  height: number;
  header: Uint8Array;
  time_ms: number | undefined;
  records: number;
  orders: number;
  violations: Record<ViolationKind, number>;
  readonly violationsListed: ViolationView[];
  readonly equivocations: EquivocationReport[];
  readonly falseAcknowledgements: FalseAcknowledgementReport[];
  readonly anchored: Map<number, AnchoredChain>;
}

interface Audit {
  readonly genesis: Genesis;
  readonly chain: GenesisChain;
  readonly options: AuditOptions;
  readonly memory: ChainMemory;
  readonly keys: Map<string, Key>;
  readonly forks: ForkProofs;
  tip: ChainTip;
  /** of the blocks that are good in every respect */
  readonly totals: Totals;
}

/** A block that follows from those before; its signatures are being verified. */
interface Replayed {
  readonly block: Block;
  readonly records: number;
  readonly orders: number;
  readonly governance: Governance;
  readonly members: MemberSet;
  readonly written: readonly string[];
  readonly violations: Execution["violations"];
  readonly complaint: Promise<string | undefined>;
}

/**
 * Audits a chain whose blocks `blocks` yields in order from height 1, and yields again where forks of meters are to be proved. Stops
 * at the first problem. Rejects only with what `blocks` or `headerOf` throw, other than WireErrors.
 */
export async function auditChain(
  genesis: Genesis,
  chain: GenesisChain,
  blocks: () => AsyncIterable<Uint8Array>,
  options: AuditOptions = {},
): Promise<AuditReport> {
  const audit = createAudit(genesis, chain, options);
  const problem = (await findProblem(audit, blocks())) ?? (await audit.forks.findUnproved(blocks));
  return reportOf(chain, { ...audit, meters: audit.memory.meters }, problem);
}

function reportOf(
  chain: Pick<GenesisChain, "service" | "name">,
  { totals, keys, meters }: Pick<Audit, "totals" | "keys"> & Pick<ChainMemory, "meters">,
  problem: Problem | undefined,
): AuditReport {
  return {
    service: chain.service,
    name: chain.name,
    height: totals.height,
    header: toHex(totals.header),
    time_ms: totals.time_ms,
    records: totals.records,
    meters: keys.size,
    violations: totals.violations,
    violationsListed: totals.violationsListed,
    openGaps: openGapsOf(meters),
    orders: totals.orders,
    equivocations: totals.equivocations,
    falseAcknowledgements: totals.falseAcknowledgements,
    anchors: {
      named: [...totals.anchored.values()].reduce((sum, { named }) => sum + named, 0),
      confirmed: 0,
      contradicted: 0,
      contradictions: [],
      chains: [...totals.anchored.values()].sort((left, right) => left.service - right.service),
    },
    verdict: verdictOn(problem),
    firstProblem: problem,
  };
}

/** Of a chain that the genesis does not have, where the order that would add it is not at hand. */
export function unknownChainReport(genesis: Genesis, service: number): AuditReport {
  const chain = { service, name: `service-${service}`, members: [], target: 0, verifiers: 0 };
  const what = `the genesis does not have service ${service}, and no order that is at hand adds it`;
  const nothing = { totals: createTotals(genesis), keys: new Map(), meters: new Map() };
  return reportOf(chain, nothing, { height: 1, what, lacks: "contracts" });
}

/** How far headers alone are good. */
export interface HeadersSeen {
  readonly height: number;
  /** hash of the last one, the genesis hash where there is none */
  readonly header: Uint8Array;
  readonly time_s: number | undefined;
}

/** Of a chain of which nothing but headers and certificates is at hand. */
export function reportOfHeaders(
  genesis: Genesis,
  service: number,
  { height, header, time_s }: HeadersSeen,
  problem: Problem,
): AuditReport {
  const name = genesis.chains.find((chain) => chain.service === service)?.name ?? `service-${service}`;
  const time_ms = time_s === undefined ? undefined : 1_000 * time_s;
  const totals = { ...createTotals(genesis), height, header, time_ms };
  return reportOf({ service, name }, { totals, keys: new Map(), meters: new Map() }, problem);
}

function openGapsOf(states: ReadonlyMap<string, MeterState>): OpenGaps {
  const open = [...states].filter(([, { gaps }]) => gaps.length > 0).sort(([one], [other]) => (one < other ? -1 : 1));
  const all = open.flatMap(([meter, { gaps }]) => gaps.map(([from, to]) => ({ meter, from, to })));
  const numbers = all.reduce((sum, { from, to }) => sum + to - from + 1, 0);
  return { numbers, meters: open.length, first: all.slice(0, GAPS_LISTED_MAX) };
}

function createAudit(genesis: Genesis, chain: GenesisChain, options: AuditOptions): Audit {
  const memory = new ChainMemory();
  const governance =
    (chain.service === CONTRACTS_SERVICE ? undefined : options.governance) ?? initialGovernance(genesis);
  return {
    genesis,
    chain,
    options,
    memory,
    keys: new Map(),
    forks: createForkProofs(),
    tip: firstTip({ genesis, chain, governance, view: memory.view }),
    totals: createTotals(genesis),
  };
}

function createTotals(genesis: Genesis): Totals {
  return {
    height: 0,
    header: genesis.hash,
    time_ms: undefined,
    records: 0,
    violations: { gap: 0, fork: 0, link: 0, equivocation: 0, falseAcknowledgement: 0, contract: 0 },
    violationsListed: [],
    orders: 0,
    equivocations: [],
    falseAcknowledgements: [],
    anchored: new Map(),
  };
}

/** Goes through the blocks; while the signatures of one are verified on other threads, the next is replayed on this one. */
async function findProblem(audit: Audit, blocks: AsyncIterable<Uint8Array>): Promise<Problem | undefined> {
  let pending: Replayed | undefined;
  try {
    for await (const bytes of blocks) {
      const replayed = await replayNext(audit, bytes);
      const problem = await conclude(audit, pending);
      pending = undefined;
      if (problem !== undefined) return problem;
      pending = replayed;
      if (audit.options.isFollowing !== true) continue;
      const own = await conclude(audit, replayed);
      pending = undefined;
      if (own !== undefined) return own;
    }
  } catch (error) {
    const isPruned = error instanceof GridsealError && error.code === "BLOCK_PRUNED";
    if (!isPruned && !(error instanceof WireError)) throw error;
    const lacks = isPruned ? "pruned" : error instanceof Incomplete ? error.lacks : undefined;
    const found = { height: audit.tip.height, what: error.message, ...(lacks !== undefined && { lacks }) };
    return (await conclude(audit, pending)) ?? found;
  }
  return conclude(audit, pending);
}

/** Replays the next block and begins to verify its signatures. Rejects with a WireError where it does not follow. */
async function replayNext(audit: Audit, bytes: Uint8Array): Promise<Replayed> {
  const block = decodeBlock(bytes);
  const ground = await audit.options.groundOf?.(block);
  if (ground !== undefined) audit.tip = { ...audit.tip, governance: ground.governance };
  const { tip } = audit;
  checkInput(tip, block, ground?.contractsHeight ?? audit.options.contractsHeight ?? 0);
  const replayed = await replayWith(tip, block, { run: audit.options.runContracts ?? cannotRun });
  const { execution, records } = replayed;
  const hash = headerHash(block.header);
  const isNew = isBeyond(audit.options.audited, block.height, hash);
  if (isNew) checkCertificate(tip, block, hash);
  bringCredentials(audit, execution);
  if (isNew) for (const order of replayed.orders) checkOrder(audit.genesis, block.chain, order, nodeVerify);
  if (isNew) for (const carried of execution.messages) checkMessage(tip.governance, carried, nodeVerify);
  const complaint = isNew ? complaintOf(audit, block, replayed) : Promise.resolve(undefined);
  audit.memory.apply(replayed);
  audit.forks.expect(replayed.forks, block.height);
  audit.tip = tipAfter(tip, block, replayed);
  const { violations } = decodeResults(block.results);
  const written = [...replayed.entries.writes.keys()];
  const counted = { records: records.length, orders: replayed.orders.length, violations, written };
  return { block, ...counted, governance: execution.governance, members: tip.members, complaint };
}

/** Waits for a block's signatures and counts it where all are good. */
async function conclude(audit: Audit, replayed: Replayed | undefined): Promise<Problem | undefined> {
  if (replayed === undefined) return undefined;
  const { block } = replayed;
  const what = await replayed.complaint;
  if (what !== undefined) return { height: block.height, what };
  const { totals } = audit;
  totals.height = block.height;
  totals.header = headerHash(block.header);
  totals.time_ms = block.time_ms;
  totals.records += replayed.records;
  totals.orders += replayed.orders;
  for (const [index, violation] of replayed.violations.entries()) {
    totals.violations[violation.kind] += 1;
    if (totals.violationsListed.length < VIOLATIONS_LISTED_MAX) {
      const { chain: service, height, time_ms } = block;
      totals.violationsListed.push(violationView({ service, height, index, time_ms, violation }));
    }
    if (violation.kind === "equivocation") totals.equivocations.push(equivocationReport(block.height, violation));
    if (violation.kind === "falseAcknowledgement") {
      totals.falseAcknowledgements.push(falseAcknowledgementReport(block.height, violation));
    }
  }
  for (const anchor of block.anchors) noteAnchor(totals.anchored, anchor);
  const { governance, members, written } = replayed;
  audit.options.onBlock?.({ block, header: totals.header, written, governance, members });
  return undefined;
}

function equivocationReport(block: number, { evidence }: Equivocation): EquivocationReport {
  const { type, node, height, round } = decodeEvidence(evidence).first;
  return { block, node, height, round, statement: type === "head" ? "proposal" : type };
}

function falseAcknowledgementReport(
  block: number,
  { node, number, evidence }: FalseAcknowledgement,
): FalseAcknowledgementReport {
  const { origin } = decodeDisproof(evidence).bad.summary;
  return { block, node: toHex(node), origin: toHex(origin), number };
}

function noteAnchor(anchored: Map<number, AnchoredChain>, { chain, height }: Anchor): void {
  const known = anchored.get(chain);
  if (known?.last === height) return;
  const first = Math.min(known?.first ?? height, height);
  anchored.set(chain, { service: chain, first, last: height, named: (known?.named ?? 0) + 1 });
}

/** Credentials that the block brings: signed by the authority of the genesis. */
function bringCredentials(audit: Audit, execution: Execution): void {
  for (const [kid, bytes] of execution.credentials) {
    const credential = verifyCredential(bytes, audit.genesis, nodeVerify);
    const { key, services, roles } = credential;
    audit.keys.set(kid, { key, services, roles });
  }
}

function cannotRun(): never {
  throw new GridsealError("ENGINE_FAULT", "the chain has contracts, and no engine is at hand that runs them");
}

function none(): undefined {}

/** Resolves to what is wrong with a record's signature or permission, an acknowledgement or evidence, if anything is. */
async function complaintOf(
  audit: Audit,
  block: Block,
  { records, forks, evidence }: ReplayedBlock,
): Promise<string | undefined> {
  const { governance, chain, members } = audit.tip;
  const answerable = block.batches.flatMap((batch) => batch.records.map(() => batch));
  const complaints = await Promise.all([
    ...records.map((record, place) => sealedComplaint(audit, record, answerable[place]!)),
    ...forks.map((record) => recordComplaint(audit, record)),
    ...block.batches.map((batch) => acknowledgementComplaint(audit, members, batch)),
    ...evidence.map(({ bytes }) => checkEvidence(governance, chain.service, bytes, verification).then(none, reasonOf)),
  ]);
  return complaints.find((complaint) => complaint !== undefined);
}

/** A sealed record that is none has been verified by nobody, whatever they have signed. */
async function sealedComplaint(audit: Audit, record: AnyRecord, batch: SealedBatch): Promise<string | undefined> {
  const complaint = await recordComplaint(audit, record);
  if (complaint === undefined) return undefined;
  const said = batch.acknowledgements.filter(({ verified }) => verified).map(({ node }) => toHex(node));
  return `${complaint}; ${said.join(", ")} signed that they have verified it`;
}

async function acknowledgementComplaint(
  { genesis, chain }: Audit,
  members: MemberSet,
  batch: SealedBatch,
): Promise<string | undefined> {
  for (const { node, signature, verified } of batch.acknowledgements) {
    const key = members.keyOf(toHex(node));
    const message = acknowledgementBytes(genesis.hash, chain.service, batch, verified);
    if (key !== undefined && (await verifyAsync(key, message, signature))) continue;
    return `batch ${batch.number} of ${toHex(batch.origin)}: the acknowledgement of ${toHex(node)} does not verify`;
  }
  return undefined;
}

const verification = { verify: nodeVerify, verifyAsync };

async function recordComplaint(audit: Audit, record: AnyRecord): Promise<string | undefined> {
  const kid = toHex(record.kid);
  const type = isOperation(record) ? record.claims.type : undefined;
  const name = `record ${record.claims.seq} of ${type === undefined ? "meter" : "participant"} ${kid}`;
  const known = audit.keys.get(kid);
  if (known === undefined) return `${name}: the chain has no credential of who signed it`;
  const unfit = roleComplaint(known, type);
  if (unfit !== undefined) return `${name}: its ${unfit}`;
  if (!known.services.includes(record.claims.service)) return `${name}: its credential does not permit the service`;
  const isSigned =
    known.key.algorithm === record.algorithm && (await verifyAsync(known.key, record.signedBytes, record.signature));
  return isSigned ? undefined : `${name}: its signature does not verify`;
}
