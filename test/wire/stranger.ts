// A stranger who has PROTOCOL.md, node:crypto and nothing of Gridseal verifies an exported chain: "Verifying an exported chain, step
// by step", in its order. It imports neither src nor tools. Throws an Error that names the first thing that is not proven.

import { type Item, independentCbor, independentDecode, independentSequence } from "./independent-cbor.js";
import type { StrangerAnchor } from "./stranger-anchors.js";
import { bounds, counts, sizes } from "./stranger-bounds.js";
import { scriptOf } from "./stranger-contracts.js";
import {
  ascending,
  memberSetHash,
  readGenesis,
  type StrangerChain,
  type StrangerGenesis,
  type StrangerMember,
  verifyCertificate,
} from "./stranger-genesis.js";
import { noLanes } from "./stranger-messages.js";
import { CONTRACTS, membersAfter, noOrders, type StrangerOrders } from "./stranger-orders.js";
import { countedEffects, effectsOf } from "./stranger-outcomes.js";
import { bytesOf, demand, list, listUpTo, meets, merkleRoot, numberOf, same, sha256 } from "./stranger-proof.js";
import { type RulesState, runRules, type StrangerRecord } from "./stranger-rules.js";
import { noSettlement } from "./stranger-slots.js";

export interface StrangerChainReport {
  readonly network: string;
  readonly chain: number;
  readonly height: number;
  /** header hash of the last block, as hex */
  readonly header: string;
  /** violations up to the last block */
  readonly counter: number;
  readonly records: readonly StrangerRecord[];
  /** by height, from 1: the ids of those who sealed it, in their order; behind them who seals the next height */
  readonly members: readonly (readonly string[])[];
  /** what the orders that it seals have come to */
  readonly orders: StrangerOrders;
  /** header hashes as hex by height, from 1, and what its blocks name of other chains */
  readonly headers: readonly string[];
  readonly anchors: readonly StrangerAnchor[];
  /** what its contracts remember, behind the last block */
  readonly stateRoot: string;
  /** what its blocks have outcomes and effects of, in the order of their leaves */
  readonly effects: readonly { readonly height: number; readonly bytes: Buffer }[];
  /** encoded rows of closed slots, by their begins */
  readonly slots: ReadonlyMap<number, readonly Buffer[]>;
}

interface State extends RulesState {
  previous: Buffer;
  counter: number;
  /** by height, from 1; the last of them seal the next block */
  readonly members: (readonly StrangerMember[])[];
  /** of the next block */
  verifiers: number;
  readonly headers: string[];
  readonly anchors: StrangerAnchor[];
  stateRoot: Buffer;
  readonly effects: { readonly height: number; readonly bytes: Buffer }[];
  readonly slots: Map<number, readonly Buffer[]>;
}

/**
 * Verifies every block of an exported chain from the genesis and, where it was added by an order or its blocks name orders, from what
 * the verified contracts chain's orders have come to.
 */
export function verifyExport(
  genesisBytes: Uint8Array,
  exportBytes: Uint8Array,
  contracts?: StrangerOrders,
): StrangerChainReport {
  const genesis = readGenesis(genesisBytes);
  const blocks = independentSequence(exportBytes);
  demand(blocks.length > 0, "the export holds no block");
  const service = numberOf(list(list(independentDecode(blocks[0]!), 7)[0], 5)[3], bounds.service, 1);
  const orders = (service === CONTRACTS ? undefined : contracts) ?? noOrders(genesis);
  const chain = orders.chains.get(service);
  if (chain === undefined) throw new Error(`neither the genesis nor a known order has chain ${service}`);
  const { name, target, sets } = chain;
  const state: State = {
    height: 0,
    previous: genesis.hash,
    time_ms: 0,
    counter: 0,
    judgedAt: sets[0]!.at,
    members: [sets[0]!.members],
    verifiers: sets[0]!.verifiers,
    orders,
    faults: new Map(),
    falseWords: new Set(),
    meters: new Map(),
    batches: new Map(),
    records: [],
    lanes: noLanes(),
    headers: [],
    anchors: [],
    stateRoot: Buffer.alloc(32),
    effects: [],
    settlement: noSettlement(),
    slots: new Map(),
  };
  for (const block of blocks) {
    const seats = { members: state.members.at(-1)!, verifiers: state.verifiers };
    verifyBlock(genesis, { service, name, target, ...seats }, state, block);
  }
  const { height, counter, records, headers, anchors } = state;
  const members = state.members.map((set) => set.map(({ id }) => id));
  const header = state.previous.toString("hex");
  return {
    network: genesis.network,
    chain: service,
    height,
    header,
    counter,
    records,
    members,
    orders,
    headers,
    anchors,
    stateRoot: state.stateRoot.toString("hex"),
    effects: state.effects,
    slots: state.slots,
  };
}

function verifyBlock(genesis: StrangerGenesis, chain: StrangerChain, state: State, bytes: Uint8Array): void {
  const [format, size, headerItem, counter, dataItem, lock, certificate] = list(independentDecode(bytes), 7);
  const height = state.height + 1;
  same(
    independentCbor(format!),
    independentCbor([Buffer.from("GSB1"), 1, genesis.network, chain.service, height]),
    "block format",
  );
  demand(Buffer.from(bytesOf(size, 4)).readUInt32BE() === bytes.length, "block size is not its own");
  demand(Buffer.from(bytesOf(lock, 8)).readBigUInt64BE() <= BigInt(bounds.time_ms), "lock time is above its bound");
  numberOf(counter, bounds.counter);
  demand(bytes.length <= sizes.block, "block is too long");

  const header = Buffer.from(bytesOf(headerItem, 80));
  const headerHash = sha256(header);
  demand(header.readUInt32LE(0) === 1, "header version is not 1");
  same(header.subarray(4, 36), state.previous, "link to the header before");
  demand(
    header.readUInt32LE(72) === chain.target && meets(headerHash, chain.target),
    "header does not meet the target",
  );
  verifyCertificate(genesis, chain.service, chain.members, height, headerHash, certificate);

  const content = list(independentDecode(bytesOf(dataItem)), 10);
  const [service, batchItems, script, results, anchors, judgedAt, time, memberSet, nextMemberSet, stateRoot] = content;
  demand(service === chain.service, "data record is of another service");
  same(bytesOf(memberSet), memberSetHash(chain.members), "member set");
  const judged = numberOf(judgedAt, bounds.height);
  demand(judged >= state.judgedAt, "contracts height is below that of the block before");
  demand(judged === state.judgedAt || state.orders.heights.has(judged), "contracts height holds no known order");
  const next = membersAfter(state.orders, chain.service, height, judged);
  same(bytesOf(nextMemberSet), memberSetHash(next.members), "next member set");
  const time_ms = numberOf(time, bounds.time_ms);
  demand(time_ms >= state.time_ms, "block time runs backwards");
  demand(header.readUInt32LE(68) === Math.floor(time_ms / 1_000), "header's time is not the block's");
  const derived = scriptOf(state.orders.contracts, chain.service, height, judged);
  same(bytesOf(script), derived, "script of the contracts in force");

  verifyAnchors(state.orders, chain.service, judged, list(anchors));
  const batches = listUpTo(batchItems, counts.temporaryBlocks).map((batch) => list(batch, 6));
  demand(batches.length > 0, "block holds no temporary block");
  const summary = batches.map(([origin, number, id, acknowledgements, notices, records]): Item => {
    return [origin!, number!, id!, acknowledgements!, notices!, list(records).length];
  });
  const [, outcomes, slots] = list(independentDecode(bytesOf(results)), 3);
  const effects = effectsOf(chain.service, height, outcomes, slots);
  const metadata = independentCbor([
    Buffer.from("GSB1"),
    1,
    genesis.network,
    chain.service,
    height,
    counter!,
    sha256(independentCbor(summary)),
    sha256(bytesOf(script)),
    sha256(bytesOf(results)),
    bytesOf(memberSet),
    bytesOf(nextMemberSet),
    judgedAt!,
    time!,
    anchors!,
    bytesOf(stateRoot, 32),
    countedEffects(outcomes, effects),
  ]);
  const entries = batches.flatMap((batch) => list(batch[5]).map((record) => sha256(bytesOf(record))));
  demand(entries.length <= counts.records, "block has records too many");
  same(header.subarray(36, 68), merkleRoot([metadata, ...entries, ...effects.map(({ hash }) => hash)]), "Merkle root");

  state.headers.push(headerHash.toString("hex"));
  state.anchors.push(...readAnchors(chain.members, height, certificate, list(anchors)));
  state.height = height;
  state.previous = headerHash;
  state.time_ms = time_ms;
  state.judgedAt = judged;
  state.members.push(next.members);
  state.verifiers = next.verifiers;
  const before = state.orders.last;
  const { violations, closing } = runRules(genesis, chain, state, batches, bytesOf(results));
  same(bytesOf(results), independentCbor([violations, outcomes!, closing.slots]), "results of the rules");
  for (const [start, rows] of closing.rows) state.slots.set(start, rows);
  // What is told and due changes the state, whatever comes of it.
  const changes = (row: readonly Item[]) =>
    row[1] === 1 || row[1] === 2 || row[1] === 5 || list(row[0])[0] === 1 || list(row[0])[0] === 3;
  const ran = list(outcomes).some((row) => changes(list(row)));
  if (!ran) same(bytesOf(stateRoot), state.stateRoot, "state root of a block in which no contract has done anything");
  state.stateRoot = Buffer.from(bytesOf(stateRoot));
  state.effects.push(...effects.map(({ bytes }) => ({ height, bytes })));
  const ordered = chain.service === CONTRACTS && state.orders.last > before;
  const told = batches.some((batch) => list(batch[4]).some((notice) => Number(list(notice)[0]) > 3));
  demand(violations.length > 0 || entries.length > 0 || ordered || told, "block is empty");
  state.counter += violations.length;
  demand(counter === state.counter, `action counter is not ${state.counter}`);
}

/** What a block names, whose turn it was to propose in the round that decided it (section 8), and who signed it. */
function readAnchors(
  members: readonly StrangerMember[],
  block: number,
  certificate: Item | undefined,
  anchors: readonly Item[],
): StrangerAnchor[] {
  const hexOf = (item: Item | undefined) => Buffer.from(bytesOf(item)).toString("hex");
  const [turn, signatures] = list(certificate, 2);
  const round = numberOf(turn, bounds.round);
  const proposer = members[(block + round) % members.length]!.id;
  const signers = list(signatures).map((item) => hexOf(list(item, 2)[0]));
  return anchors.map((anchor) => {
    const [service, height, hash] = list(anchor, 3);
    return {
      block,
      round,
      proposer,
      signers,
      chain: numberOf(service, bounds.service),
      height: numberOf(height, bounds.height),
      hash: hexOf(hash),
    };
  });
}

/** Section 11: ascending by chain, of other chains that the network has by the judged-at height. */
function verifyAnchors(orders: StrangerOrders, own: number, judged: number, anchors: readonly Item[]): void {
  const rows = anchors.map((anchor) => list(anchor, 3));
  const others = rows.map(([service]) => numberOf(service, bounds.service, 1));
  demand(ascending(others, 0) && !others.includes(own), "anchors are not of other chains in order");
  for (const [service, height, hash] of rows) {
    const since = orders.chains.get(numberOf(service, bounds.service, 1))?.sets[0]?.at;
    demand(since !== undefined && since <= judged, "anchor is of a chain that is not known by the contracts height");
    numberOf(height, bounds.height, 1);
    bytesOf(hash, 32);
  }
}
