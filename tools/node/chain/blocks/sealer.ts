// Builds, checks and stores blocks of one chain: from proposals with the consensus, and from peers when this node was away.

import { type Block, blockTree, decodeBlockViews, encodeBlock, metadataEntry } from "../../../../src/wire/block.js";
import { TIME_MS_MAX } from "../../../../src/wire/bounds.js";
import { equalBytes, fromHex, toHex } from "../../../../src/wire/bytes.js";
import { type Certificate, verifyCertificate } from "../../../../src/wire/certificate.js";
import { parseCredential } from "../../../../src/wire/credential.js";
import { WireError } from "../../../../src/wire/error.js";
import type { MemberKey } from "../../../../src/wire/genesis.js";
import { decodeHandover, encodeHandover, type Handover } from "../../../../src/wire/handover.js";
import { decodeHeader, encodeHeader, headerHash, meetsTarget, mineHeader } from "../../../../src/wire/header.js";
import { keyId } from "../../../../src/wire/key.js";
import { isFounding } from "../../../../src/wire/lineage.js";
import { inclusionPath, leafCount, type MerkleLevels, rootOfLevels } from "../../../../src/wire/merkle.js";
import { placedMessages } from "../../../../src/wire/outcome.js";
import { BoundedMap } from "../../../bounded-map.js";
import { GridsealError, reasonOf } from "../../../errors.js";
import {
  type BlockInputs,
  type ChainTip,
  type ComposedBlock,
  type Composition,
  composeBlock,
  judgedAtComplaint,
} from "../../../ledger/compose.js";
import type { EntriesResult } from "../../../ledger/entries.js";
import type { Execution } from "../../../ledger/execution.js";
import { governedChain, governedHeight, membersAfter } from "../../../ledger/governance.js";
import { falseSignerOf, type MemberSet, memberSetOf } from "../../../ledger/members.js";
import { checkEvidence, checkMessage, checkOrder } from "../../../ledger/notices.js";
import type { ProvedAnchor } from "../../../ledger/proposal.js";
import { encodeProposalBody, type ProposalBody } from "../../../ledger/proposal.js";
import { kidOf } from "../../../ledger/record-scan.js";
import { areAnchorsInOrder, replayWith } from "../../../ledger/replay.js";
import { KIND_CALLS_MAX } from "../../../ledger/run-plan.js";
import { UnknownScript } from "../../../ledger/scripts.js";
import type { Settlement } from "../../../ledger/settlement/settle.js";
import { EMPTY_STATE } from "../../../ledger/state-map.js";
import { blockKey, chainKey, idKey, nodeKey, numberKey, outgoingKey, slotKey, stateKey } from "../../store/keys.js";
import type { Writer } from "../../store/writer.js";
import type { ChainPorts, SealedBlock } from "../ports.js";
import { orderKey, sealedOrders } from "../sealed-orders.js";
import { viewOf } from "../stored-state.js";
import { deleteBatch } from "../tables/batches.js";
import { blocks } from "../tables/blocks.js";
import { contractState } from "../tables/contract-state.js";
import { credentials } from "../tables/credentials.js";
import { type Head, heads } from "../tables/heads.js";
import { lineage, lineageOf } from "../tables/lineage.js";
import { outgoing } from "../tables/outgoing.js";
import { index, type SealedRecord, type SealedRun } from "../tables/runs.js";
import { counters, SLOTS_KEPT, settlements, slots } from "../tables/settlement.js";
import { stateNodes } from "../tables/state-nodes.js";
import { faults, meters, origins } from "../tables/states.js";
import { listViolations } from "../tables/violations.js";
import { anchorComplaint, storedAnchor } from "./anchoring.js";
import type { Compositions } from "./compositions.js";
import type { ContractRuns } from "./contract-runs.js";
import { callsOfKind } from "./run-pace.js";

/** A fresh proposal's timestamp may be so far from the voter's clock. */
export const CLOCK_SKEW_MAX_MS = 30_000;
/** A block whose contracts run longer is built anew: it would come too late. */
const BUILDING_MS_MAX = CLOCK_SKEW_MAX_MS / 2;
const CANDIDATES_KEPT = 8;

interface Candidate {
  readonly composed: ComposedBlock;
  readonly header: Uint8Array;
}

/** Of a proposal: the block that its header says, or why this node votes against it. */
export type Verdict = { readonly type: "good" } | { readonly type: "bad"; readonly reason: string };

/** The header of a peer's block has a quorum's certificate and commits to its content, and that does not follow here. */
export class Disagreement extends Error {
  readonly block: string;

  constructor(block: string, reason: string) {
    super(reason);
    this.block = block;
  }
}

/** A block that was built here, with the body of its proposal. */
export type Built =
  | { readonly type: "built"; readonly id: Uint8Array; readonly body: Uint8Array }
  | Extract<Composition, { type: "none" }>
  | Waits;

/** Contracts are being run for it: it is to be asked for again. */
export interface Waits {
  readonly type: "waits";
}

/** What a block is built of here. */
export interface BuildInputs {
  readonly batches: BlockInputs["batches"];
  readonly anchors: readonly ProvedAnchor[];
  readonly round: number;
}

/** What a block is being built of. */
interface Begun {
  readonly chosen: BlockInputs & Pick<BuildInputs, "anchors">;
  /** its calls are as many as this machine makes in time */
  readonly isPaced: boolean;
}

export interface Sealer {
  readonly head: Head;
  /** the head as other chains name it; undefined before the first block */
  readonly newest: ProvedAnchor | undefined;
  /** A block is being written: until it is the head, what the store says is of another height than the head, and nothing is judged. */
  readonly isSealing: boolean;
  /** of the next height */
  readonly members: MemberSet;
  /** A block of these batches with its proposal body, or why there is none: most often nothing in it is new. */
  build(inputs: BuildInputs): Built;
  /** A fresh proposal of the next height has come, whether all that it needs is here or not. */
  noteProposed(id: Uint8Array): void;
  /** Whether the proposal, whose batches are all here, is the block that its header says. */
  check(id: Uint8Array, body: ProposalBody, batches: BlockInputs["batches"], fresh: boolean): Verdict | Waits;
  /** Whether `check` or `build` has made this block. */
  isKnown(id: Uint8Array): boolean;
  /** Stores a decided block that was built or judged here. */
  commit(id: Uint8Array, certificate: Certificate): Promise<SealedBlock>;
  /**
   * Checks and stores the next block from a peer. Resolves to undefined where it waits for orders of the contracts chain, and rejects
   * with a WireError where it is not what the chain goes on with.
   */
  adopt(bytes: Uint8Array): Promise<SealedBlock | undefined>;
  /** Whether a block judged at this contracts height waits for orders of the contracts chain that are not here. */
  awaits(judgedAt: number): boolean;
  readonly tip: ChainTip;
}

export interface SealerParts {
  readonly runs: ContractRuns;
  readonly compositions: Compositions;
  /** Writes with a block what belongs to it elsewhere on this node. */
  onSealing(writer: Writer, block: Block): void;
}

export function createSealer(ports: ChainPorts, { runs, compositions, onSealing }: SealerParts): Sealer {
  const { genesis, chain, store } = ports;
  let head: Head = store.get(heads, chainKey(chain.service)) ?? {
    height: 0,
    headerHash: genesis.hash,
    counter: 0,
    time_ms: 0,
    records: 0,
    judgedAt: governedChain(ports.governor.current, chain.service)?.contractsHeight ?? 0,
    stateRoot: EMPTY_STATE,
  };
  if (store.get(blocks, blockKey(chain.service, head.height + 1)) !== undefined) {
    const what = `block ${head.height + 1} of chain ${chain.service} is there, and what belongs to it is not`;
    throw new GridsealError("STORE_CORRUPT", `${what}: a write was left half done`);
  }
  const { verifiers } = membersAfter(ports.governor.current, chain.service, head.height, head.judgedAt);
  let members = memberSetOf(newestMembers(lineageOf(store, chain.service)) ?? chain.members, verifiers);
  /** blocks made for the next height, by id as hex */
  const candidates = new BoundedMap<string, Candidate>(CANDIDATES_KEPT);
  /** when values of this height were proposed while this node was at it, monotonic */
  const proposed = new BoundedMap<string, number>(CANDIDATES_KEPT);
  const view = viewOf(store, chain.service);
  /** undefined where it is still to be read */
  let newest: ProvedAnchor | undefined;
  let sealing = false;
  /** while its slots are closed, or contracts run for it */
  let building: Begun | undefined;

  const tipOf = (): ChainTip => ({
    genesis,
    chain,
    height: head.height + 1,
    previous: head.headerHash,
    counter: head.counter,
    time_ms: head.time_ms,
    judgedAt: head.judgedAt,
    governance: ports.governor.current,
    members,
    view,
  });

  const compositionOf = (inputs: BlockInputs) => compositions.of(inputs, () => composeBlock(tipOf(), inputs));

  /** The block of the inputs, once its slots are closed and its contracts have run. */
  const composedOf = (inputs: BlockInputs): Exclude<Composition, { type: "runs" }> | Waits => {
    const composition = compositionOf(inputs);
    if (composition === undefined) return { type: "waits" };
    if (composition.type !== "runs") return composition;
    const outcomes = runs.outcomesOf(inputs, composition.plan);
    return outcomes === undefined ? { type: "waits" } : { type: "block", block: composition.finish(outcomes) };
  };

  const pause = () => new Promise<void>((resolve) => ports.setTimer("adopting", 0, resolve));

  /** The inputs with as many calls as this machine makes in time, once it is known what they come to. */
  const withinPace = (begun: Begun, round: number): Begun => {
    const composition = begun.isPaced ? undefined : compositionOf(begun.chosen);
    if (composition === undefined) return begun;
    if (composition.type !== "runs") return { ...begun, isPaced: true };
    const calls = callsOfKind(composition.plan, runs.pace.callsIn(round));
    return { chosen: { ...begun.chosen, calls }, isPaced: true };
  };

  /** New orders may have ended what it runs for; it has been given up; or those who vote would find that it came late. */
  const isOutdated = (inputs: BlockInputs, now: Pick<BlockInputs, "time_ms" | "judgedAt">) =>
    inputs.judgedAt < now.judgedAt || runs.givesUp(inputs) || now.time_ms - inputs.time_ms > BUILDING_MS_MAX;

  const keep = (id: Uint8Array, candidate: Candidate) => {
    candidates.set(toHex(id), candidate);
  };

  const noteProposed = (id: Uint8Array) => {
    if (!proposed.has(toHex(id))) proposed.set(toHex(id), ports.monotonic_ms());
  };

  const finish = async (
    block: Block,
    judged: Pick<ComposedBlock, "execution" | "entries" | "settlement" | "tree" | "nextMembers">,
    records: SealedBlock["records"],
  ): Promise<SealedBlock> => {
    const { execution, entries, settlement, tree, nextMembers } = judged;
    const next: Head = {
      height: block.height,
      headerHash: headerHash(block.header),
      counter: block.counter,
      time_ms: block.time_ms,
      records: head.records + records.length,
      judgedAt: block.judgedAt,
      stateRoot: block.stateRoot,
    };
    const changes = !equalBytes(block.memberSet, block.nextMemberSet);
    const handover = changes ? encodeHandover(handoverOf(block, tree, nextMembers)) : undefined;
    sealing = true;
    compositions.clear();
    try {
      await writeBlock(ports, block, execution, records, next, (writer) => {
        writeState(writer, chain.service, block.height, entries);
        writeSettlement(writer, chain.service, settlement);
        const violations = [...execution.violations, ...entries.violations];
        listViolations(writer, { chain: chain.service, height: block.height, time_ms: block.time_ms, violations });
        if (handover !== undefined) writer.put(lineage, blockKey(chain.service, block.height + 1), handover);
        onSealing(writer, block);
      });
    } finally {
      sealing = false;
    }
    view.state.note(head.stateRoot, next.stateRoot, entries.writes);
    head = next;
    newest = { chain: chain.service, height: next.height, headerHash: next.headerHash, certificate: block.certificate };
    members = nextMembers;
    const orders = ordersOf(execution);
    if (orders.length > 0) ports.governor.advance(execution.governance);
    candidates.clear();
    runs.clear();
    runs.pace.onSealed(block.certificate.round);
    building = undefined;
    const proposed_ms = proposed.get(toHex(next.headerHash));
    const sealing_ms = proposed_ms === undefined ? undefined : ports.monotonic_ms() - proposed_ms;
    proposed.clear();
    return { block, tree, records, head: next, orders: orders.map(({ order }) => order), handover, sealing_ms };
  };

  /** A peer's block that the chain goes on with; undefined where it waits for orders. Rejects with a WireError where it is none. */
  const checkReceived = async (bytes: Uint8Array) => {
    try {
      const received = decodeBlockViews(bytes);
      const tip = tipOf();
      const named = {
        genesisHash: genesis.hash,
        chain: chain.service,
        height: tip.height,
        headerHash: headerHash(received.header),
      };
      verifyCertificate(received.certificate, named, tip.members.members, ports.verify);
      if (judgedAtComplaint(tip, received.judgedAt) === "unknown" && isCommitted(received)) return undefined;
      const replayed = await replayWith(tip, received, { run: ports.runContracts, pause }).catch((error: unknown) => {
        const isSealed = error instanceof WireError && !(error instanceof UnknownScript) && isCommitted(received);
        throw isSealed ? new Disagreement(`block ${received.height}`, error.message) : error;
      });
      for (const bytes of replayed.orders) checkOrder(genesis, chain.service, bytes, ports.verify);
      for (const carried of replayed.execution.messages) checkMessage(tip.governance, carried, ports.verify);
      for (const { bytes } of replayed.evidence) {
        await checkEvidence(tip.governance, chain.service, bytes, ports);
      }
      const place = { genesisHash: genesis.hash, chain: chain.service };
      for (const batch of received.batches) {
        const signer = falseSignerOf(tip.members, place, batch, ports.verify);
        if (signer !== undefined) throw new WireError("unproven", `an acknowledgement of ${signer} does not verify`);
      }
      return { received, replayed };
    } catch (error) {
      // Whatever else than a damaged row of this node's own stops here, the block has caused.
      if (error instanceof WireError || error instanceof GridsealError || error instanceof Disagreement) throw error;
      throw new WireError("unproven", `a block cannot be judged: ${reasonOf(error)}`);
    }
  };

  return {
    get head() {
      return head;
    },
    get newest() {
      newest ??= storedAnchor(store, chain.service, head.height);
      return newest;
    },
    get isSealing() {
      return sealing;
    },
    get members() {
      return members;
    },
    get tip() {
      return tipOf();
    },
    build({ round, ...inputs }) {
      const time_ms = Math.max(statableTime(ports.now_ms()), head.time_ms);
      const judgedAt = Math.max(head.judgedAt, governedHeight(ports.governor.current));
      if (building !== undefined && isOutdated(building.chosen, { time_ms, judgedAt })) {
        runs.letGo(building.chosen);
        building = undefined;
      }
      const asked = { ...inputs, time_ms, judgedAt, calls: KIND_CALLS_MAX };
      const before = building;
      // What throws is not gone on with.
      building = undefined;
      const begun = withinPace(before ?? { chosen: asked, isPaced: false }, round);
      const { chosen } = begun;
      const composition = composedOf(chosen);
      if (composition.type === "waits") building = begun;
      if (composition.type !== "block") return composition;
      const composed = composition.block;
      const header = composed.header.target === 0 ? encodeHeader(composed.header) : mineHeader(composed.header);
      const id = headerHash(header);
      keep(id, { composed, header });
      noteProposed(id);
      const batches = chosen.batches.map(({ read, acknowledgements }) => ({
        origin: read.batch.origin,
        number: read.batch.number,
        id: read.id,
        acknowledgements,
      }));
      const { anchors, calls } = chosen;
      const stated = { time_ms: chosen.time_ms, judgedAt: chosen.judgedAt, calls };
      const body = encodeProposalBody({ header, anchors, batches, ...stated });
      return { type: "built", id, body };
    },
    noteProposed,
    check(id, body, batches, fresh) {
      if (!equalBytes(headerHash(body.header), id)) return bad("its header is not the one that was proposed");
      if (!areAnchorsInOrder(body.anchors, chain.service, ports.governor.current, body.judgedAt)) {
        return bad("its anchors are not of other chains in their order");
      }
      const reason = fresh ? freshComplaint(ports, body) : undefined;
      if (reason !== undefined) return bad(reason);
      if (candidates.has(toHex(id))) return good;
      const { anchors, time_ms, judgedAt, calls } = body;
      const composition = composedOf({ batches, anchors, time_ms, judgedAt, calls });
      if (composition.type === "waits") return composition;
      if (composition.type === "none") return bad(composition.reason);
      const composed = composition.block;
      const nonce = new DataView(body.header.buffer, body.header.byteOffset).getUint32(76, true);
      const header = encodeHeader({ ...composed.header, nonce });
      if (!equalBytes(header, body.header)) return bad(differenceOf(header, body.header));
      if (!meetsTarget(id, chain.target)) return bad("its header does not meet the chain's target");
      keep(id, { composed, header });
      return good;
    },
    isKnown: (id) => candidates.has(toHex(id)),
    async commit(id, certificate) {
      const candidate = candidates.get(toHex(id));
      if (candidate === undefined) throw new Error(`decided block ${toHex(id)} was never judged here`);
      const { composed, header } = candidate;
      const block: Block = { ...composed.content, header, lock_ms: statableTime(ports.now_ms()), certificate };
      return finish(block, composed, composed.records);
    },
    async adopt(bytes) {
      const judged = await checkReceived(bytes);
      if (judged === undefined) return undefined;
      const { replayed } = judged;
      const block = { ...judged.received, lock_ms: statableTime(ports.now_ms()) };
      const records = replayed.execution.sealed.flatMap((sealed) => sealed.records);
      return finish(block, replayed, records);
    },
    awaits: (judgedAt) => judgedAtComplaint(tipOf(), judgedAt) === "unknown",
  };
}

/** What a block can state of the clock's time, whatever the clock shows. */
function statableTime(now_ms: number): number {
  return Math.min(Math.max(0, now_ms), TIME_MS_MAX);
}

/** Whether the block's header commits to its content, the contracts height included. */
function isCommitted(block: Block): boolean {
  return equalBytes(rootOfLevels(blockTree(block)), decodeHeader(block.header).merkleRoot);
}

function ordersOf({ sealed }: Execution) {
  return sealed.flatMap(({ notices }) => notices.flatMap((notice) => (notice.kind === "order" ? [notice] : [])));
}

/** Of the last handover; undefined where the first members still count. */
function newestMembers(lineage: readonly Uint8Array[]): readonly MemberKey[] | undefined {
  const last = lineage.at(-1);
  return last === undefined || isFounding(last) ? undefined : decodeHandover(last).members;
}

function handoverOf(block: Block, tree: MerkleLevels, { members }: MemberSet): Handover {
  const { network, chain, height, header, certificate } = block;
  const place = { metadata: metadataEntry(block), size: leafCount(tree), path: inclusionPath(tree, 0) };
  return { network, chain, height, ...place, header, certificate, members };
}

/** What only this node knows, its clock and its other chains, speaks against fresh proposals alone: a decided one stays decided. */
function freshComplaint(ports: ChainPorts, { time_ms, anchors, judgedAt }: ProposalBody): string | undefined {
  const behind_ms = ports.now_ms() - time_ms;
  if (Math.abs(behind_ms) > CLOCK_SKEW_MAX_MS) {
    const off = `${Math.abs(behind_ms)} ms ${behind_ms > 0 ? "behind" : "ahead of"} this node's clock`;
    return `its time is ${off}: it came late, or a clock is off`;
  }
  for (const anchor of anchors) {
    const complaint = anchorComplaint(ports, anchor, judgedAt);
    if (complaint !== undefined) return complaint;
  }
  return undefined;
}

/** What of a header is not what its block comes to here. */
function differenceOf(composed: Uint8Array, proposed: Uint8Array): string {
  const isSame = (from: number, to: number) => equalBytes(composed.subarray(from, to), proposed.subarray(from, to));
  if (!isSame(4, 36)) return "it links to another block than the newest one here";
  if (!isSame(36, 68)) return "its Merkle root is not that of what it names";
  return "its header's version, time or target is not the block's";
}

export const good: Verdict = { type: "good" };

export function bad(reason: string): Verdict {
  return { type: "bad", reason };
}

/** What the block's contracts have written, with the map over it, and where its messages stand. */
function writeState(writer: Writer, chain: number, height: number, { writes, state, outcomes }: EntriesResult): void {
  for (const [key, value] of writes) {
    if (value === undefined) writer.delete(contractState, stateKey(chain, key));
    else writer.put(contractState, stateKey(chain, key), value);
  }
  for (const hash of state.removed) writer.delete(stateNodes, nodeKey(chain, fromHex(hash)!));
  for (const [hash, node] of state.added) writer.put(stateNodes, nodeKey(chain, fromHex(hash)!), node);
  for (const { to, index } of placedMessages(outcomes)) {
    writer.put(outgoing, outgoingKey(chain, to.service, to.number), { height, index });
  }
}

/** What the block has made of the chain's settlement. */
function writeSettlement(writer: Writer, chain: number, { head, counters: read, closed }: Settlement): void {
  if (head === undefined) return;
  writer.put(settlements, chainKey(chain), head);
  for (const [meter, row] of read) writer.put(counters, idKey(chain, fromHex(meter)!), row);
  for (const { slot, rows } of closed) {
    writer.put(slots, slotKey(chain, slot.start_s), { height: head.height, rows });
    const oldest_s = slot.start_s - SLOTS_KEPT * slot.slot_s;
    if (oldest_s >= 0) writer.delete(slots, slotKey(chain, oldest_s));
  }
}

/** Block, state, index and head in one transaction; the temporary blocks that it seals go. */
async function writeBlock(
  ports: ChainPorts,
  block: Block,
  execution: Execution,
  records: SealedBlock["records"],
  head: Head,
  onSealing: (writer: Writer) => void,
): Promise<void> {
  const chain = block.chain;
  const bytes = encodeBlock(block);
  const written = ports.store.write((writer) => {
    writer.put(blocks, blockKey(chain, block.height), bytes);
    for (const run of runsOf(block.height, records)) writer.put(index, numberKey(chain, run.kid, run.first), run);
    for (const [kid, state] of execution.meters) writer.put(meters, idKey(chain, Buffer.from(kid, "hex")), state);
    for (const [node, state] of execution.origins) writer.put(origins, idKey(chain, Buffer.from(node, "hex")), state);
    for (const [node, heights] of execution.faults) writer.put(faults, idKey(chain, Buffer.from(node, "hex")), heights);
    for (const { order, bytes: signed } of ordersOf(execution)) {
      writer.put(sealedOrders, orderKey(order.number), { contractsHeight: block.height, bytes: signed });
      if (order.action.type === "chain") writer.put(lineage, blockKey(order.action.service, 1), signed);
    }
    for (const credential of execution.credentials.values()) {
      writer.put(credentials, idKey(chain, keyId(parseCredential(credential).key)), credential);
    }
    for (const batch of block.batches) deleteBatch(writer, chain, batch.origin, batch.number);
    onSealing(writer);
    writer.put(heads, chainKey(chain), head);
  });
  await written.catch((cause: unknown) => {
    if (cause instanceof GridsealError) throw cause;
    // A quorum has sealed it, and this node cannot go on without it.
    const message = `block ${block.height} of chain ${chain} cannot be written: ${reasonOf(cause)}`;
    throw new GridsealError("INVARIANT_VIOLATED", message, { cause });
  });
}

interface MeterRun extends SealedRun {
  readonly kid: Uint8Array;
  /** the lowest number */
  readonly first: number;
  readonly records: SealedRecord[];
}

/** Each meter's numbers in the block, as far as they follow one another. */
function runsOf(height: number, records: SealedBlock["records"]): readonly MeterRun[] {
  const runs: MeterRun[] = [];
  const open = new Map<string, MeterRun>();
  for (const [place, record] of records.entries()) {
    const { meter, seq, hash } = record;
    let run = open.get(meter);
    if (run === undefined || seq !== run.first + run.records.length) {
      run = { kid: kidOf(record), first: seq, height, records: [] };
      runs.push(run);
      open.set(meter, run);
    }
    run.records.push({ leaf: place + 1, hash });
  }
  return runs;
}
