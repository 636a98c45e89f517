// Two chains of one member made from a seed, to compare machines by: generated contracts that come, change and go, operations of
// participants, readings that slots are closed of, and what the chains tell each other, block after block. Pure but for whoever runs
// the plans, so that a browser makes the same chains.

import type { AssignAction } from "../../../src/wire/assignment-order.js";
import { acknowledgementBytes } from "../../../src/wire/batch.js";
import { type Block, blockTree, decodeBlock, encodeBlock, slotsIn } from "../../../src/wire/block.js";
import { toHex } from "../../../src/wire/bytes.js";
import { precommitBytes } from "../../../src/wire/certificate.js";
import { type ContractAction, signTried } from "../../../src/wire/contract-order.js";
import { issueCredential, issuerName, type Role } from "../../../src/wire/credential.js";
import { type Genesis, issueGenesis, verifyGenesis } from "../../../src/wire/genesis.js";
import { sha256 } from "../../../src/wire/hash.js";
import { encodeHeader, headerHash } from "../../../src/wire/header.js";
import { keyId, type Signer } from "../../../src/wire/key.js";
import { encodeCarried } from "../../../src/wire/message.js";
import type { Notice } from "../../../src/wire/notice.js";
import { type AnyRecord, parseAnyRecord, signOperation } from "../../../src/wire/operation.js";
import { effectItems, outcomesIn, placedMessages } from "../../../src/wire/outcome.js";
import { receiptEncoder } from "../../../src/wire/receipt.js";
import { signRecord } from "../../../src/wire/record.js";
import { assertInvariant } from "../../errors.js";
import { assignmentsOf } from "../../ledger/assignments.js";
import { type ChainTip, composeBlock, makeBatch } from "../../ledger/compose.js";
import type { OrderedContracts } from "../../ledger/contract-orders.js";
import { firstTip } from "../../ledger/first-tip.js";
import { type Governance, govern, initialGovernance } from "../../ledger/governance.js";
import { SOURCE_MESSAGES_MAX } from "../../ledger/intake.js";
import { MemoryState } from "../../ledger/memory-state.js";
import type { RunResult } from "../../ledger/outcome.js";
import { atOnce } from "../../ledger/pieces.js";
import { executionRecord } from "../../ledger/record-scan.js";
import { type ReplayedBlock, replayWith } from "../../ledger/replay.js";
import { KIND_CALLS_MAX, type RunPlan } from "../../ledger/run-plan.js";
import { MemorySettlement } from "../../ledger/settlement/memory-settlement.js";
import { decodeMeterCounters, encodeMeterCounters } from "../../ledger/settlement/meter-counters.js";
import type { MeterState, OriginState } from "../../ledger/state.js";
import { EMPTY_STATE, updateState } from "../../ledger/state-map.js";
import {
  type Generated,
  generateAsked,
  generateContract,
  generatedTypes,
  generateParameters,
  jurisdictions,
} from "../rig/contracts/generate.js";
import { createRandom, type Random } from "../rig/random.js";
import { createCounters } from "../simulation/world/counters.js";
import { simulatedSigner, simulatedVerify } from "../simulation/world/keys.js";

export type RunPlans = (plan: RunPlan) => Promise<readonly RunResult[]>;

export interface ChainPlan {
  readonly seed: number;
  readonly blocks: number;
  readonly run: RunPlans;
  /** Called after each block, where a node would start again: what is known then is made anew from the rows. */
  readonly restart?: () => RunPlans;
}

export interface MadeChain {
  /** SHA-256 over the header and the state's root of each block, as hex */
  readonly digest: string;
  /** of entries, by what has become of them and by their kinds */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly slots: number;
  /** entries that the contracts have at the end */
  readonly entries: number;
}

const SERVICES = [1, 2] as const;
/** Of each chain. */
const METERS = 3;
/** Orders are not all about contracts. */
const ASSIGNS_EVERY = 4;
const EPOCH_MS = 1_790_000_000_000;
const OPERATIONS_MAX = 4;
const names = Object.keys(generatedTypes);
const issuing = { network: "determinism", time_s: 1 } as const;

/** Makes the chains' blocks in turn, and replays each from its bytes. Throws where the replay comes to something else. */
export async function makeChain({ seed, blocks, run, restart }: ChainPlan): Promise<MadeChain> {
  const random = createRandom(seed);
  const outcomes: Record<string, number> = {};
  const chains = SERVICES.map(firstChain);
  let runs = run;
  let governance = initialGovernance(genesis);
  let digest: Uint8Array = new Uint8Array(32);
  let slots = 0;
  for (let made = 0; made < blocks; made += 1) {
    const chain = chains[made % chains.length]!;
    if (made % 3 === 0) governance = ordered(random, chain, governance);
    chain.tip = { ...chain.tip, governance };
    const block = await composed(chain, random, runs);
    const replayed = await replayWith(chain.tip, decodeBlock(encodeBlock(block)), { run: runs });
    take(chain.state, replayed);
    for (const message of sentIn(block)) chains[message.to - 1]?.coming.push(message);
    chain.coming = chain.coming.slice(replayed.execution.messages.length);
    for (const { type, entry } of replayed.entries.outcomes) {
      for (const name of [type, entry.kind]) outcomes[name] = (outcomes[name] ?? 0) + 1;
    }
    slots += slotsIn(block.results).length;
    digest = sha256(Uint8Array.of(...digest, ...block.header, ...block.stateRoot));
    if (restart !== undefined) {
      chain.state = again(chain.state);
      runs = restart();
    }
    chain.tip = next(chain.tip, block, replayed, chain.state);
  }
  return {
    digest: toHex(digest),
    outcomes,
    slots,
    entries: chains.reduce((sum, { state }) => sum + state.entries.size, 0),
  };
}

/** A chain as far as it is made. */
interface ChainMade {
  readonly service: number;
  readonly participants: readonly Signing[];
  readonly meters: readonly (Signing & { readonly counters: ReturnType<typeof createCounters> })[];
  tip: ChainTip;
  state: ChainState;
  /** of the other chain, in the order of their numbers */
  coming: Sent[];
}

/** A message as it is carried. */
interface Sent {
  readonly to: number;
  readonly bytes: Uint8Array;
}

function firstChain(service: number): ChainMade {
  const state = emptyState();
  const governance = initialGovernance(genesis);
  const chain = genesis.chains.find((candidate) => candidate.service === service)!;
  const meters = Array.from({ length: METERS }, (_, place) => ({
    ...createSigning(service, `meter ${service}/${place}`, { roles: ["meter"] }),
    counters: createCounters(place),
  }));
  const participants = jurisdictions.map((jurisdiction, place) =>
    createSigning(service, `participant ${service}/${place}`, { roles: ["customer"], jurisdiction }),
  );
  const tip = firstTip({ genesis, chain, governance, view: viewOf(state) });
  return { service, participants, meters, tip, state, coming: [] };
}

const authority = simulatedSigner("authority");
const member = simulatedSigner("member");
const genesis: Genesis = createGenesis();

function createGenesis(): Genesis {
  const nodes = [{ id: keyId(member.key), key: member.key, name: "member" }];
  const chains = SERVICES.map((service) => ({
    ...{ service, name: `generated-${service}`, members: nodes, target: 0, verifiers: 1 },
  }));
  return verifyGenesis(issueGenesis({ ...issuing, nodes, chains }, authority), simulatedVerify);
}

/** A meter or a participant, and where its own records stand. */
interface Signing {
  readonly signer: Signer;
  readonly kid: Uint8Array;
  readonly credential: Uint8Array;
  seq: number;
  previous: Uint8Array;
}

interface Held {
  readonly roles: readonly Role[];
  readonly jurisdiction?: string | undefined;
}

function createSigning(service: number, name: string, { roles, jurisdiction }: Held): Signing {
  const signer = simulatedSigner(name);
  const kid = keyId(signer.key);
  const credential = issueCredential(
    {
      ...{ issuer: issuerName(genesis), subject: name.replace(/[ /]/g, "-"), notBefore_s: 0, expires_s: 4_000_000_000 },
      ...{ id: kid, key: signer.key, statusIndex: 0, services: [service], roles },
      ...(jurisdiction !== undefined && { jurisdiction }),
    },
    authority,
  );
  return { signer, kid, credential, seq: 0, previous: new Uint8Array(0) };
}

/** What a node would have in rows. */
interface ChainState {
  readonly contracts: MemoryState;
  /** what contracts keep, by whole keys */
  readonly entries: Map<string, Uint8Array>;
  readonly settlement: MemorySettlement;
  readonly meters: Map<string, MeterState>;
  readonly origins: Map<string, OriginState>;
  readonly credentials: Map<string, Uint8Array>;
}

function emptyState(): ChainState {
  return {
    contracts: new MemoryState(),
    entries: new Map(),
    settlement: new MemorySettlement(),
    meters: new Map(),
    origins: new Map(),
    credentials: new Map(),
  };
}

function viewOf({ contracts, settlement, meters, origins, credentials }: ChainState): ChainTip["view"] {
  return {
    meter: (kid) => meters.get(kid),
    origin: (node) => origins.get(node),
    faults: () => [],
    sealedHash: () => undefined,
    credential: (kid) => credentials.get(kid),
    state: contracts,
    settlement,
  };
}

function take(
  state: ChainState,
  { execution, entries, settlement }: Pick<ReplayedBlock, "execution" | "entries" | "settlement">,
) {
  for (const [kid, meter] of execution.meters) state.meters.set(kid, meter);
  for (const [node, origin] of execution.origins) state.origins.set(node, origin);
  for (const [kid, credential] of execution.credentials) state.credentials.set(kid, credential);
  state.contracts.apply(entries);
  state.settlement.apply(settlement);
  for (const [key, value] of entries.writes) {
    if (value === undefined) state.entries.delete(key);
    else state.entries.set(key, value);
  }
}

/** The same, from nothing but what the rows say. */
function again(before: ChainState): ChainState {
  const contracts = new MemoryState();
  const { settlement, ...rows } = before;
  const { entries, meters, origins, credentials } = structuredClone({ ...rows, contracts: undefined });
  contracts.apply({ writes: entries, state: updateState(contracts, EMPTY_STATE, entries) });
  return { contracts, entries, settlement: settlementAgain(settlement), meters, origins, credentials };
}

function settlementAgain(before: MemorySettlement): MemorySettlement {
  const after = new MemorySettlement();
  const head = structuredClone(before.head);
  const counters = [...before.all()].map(
    ([meter, row]) => [meter, decodeMeterCounters(encodeMeterCounters(row))] as const,
  );
  const slot = head?.showing?.slot;
  const closed = slot === undefined ? [] : [{ slot, rows: structuredClone(before.rows(slot.start_s)) }];
  after.apply({ head, counters: new Map(counters), closed, shown: [] });
  return after;
}

function next(tip: ChainTip, block: Block, { nextMembers }: ReplayedBlock, state: ChainState): ChainTip {
  const { counter, time_ms, judgedAt } = block;
  const previous = headerHash(block.header);
  return {
    ...{ ...tip, previous, counter, time_ms, judgedAt },
    ...{ height: tip.height + 1, members: nextMembers, view: viewOf(state) },
  };
}

/** The network's orders with one more, in a contracts block of its own. */
function ordered(random: Random, chain: ChainMade, governance: Governance): Governance {
  const number = governance.lastOrder + 1;
  const isAssigning = number % ASSIGNS_EVERY === 0;
  const { action, source } = isAssigning
    ? { action: drawAssignment(random, chain, governance), source: undefined }
    : drawContract(random, governance.contracts, chain);
  const ready = action.type === "install" && { ready: signTried(genesis.hash, action, [member]) };
  const order = { number, time_s: 1, action: { ...action, ...ready }, ...(source !== undefined && { source }) };
  const governed = govern(governance, order, number);
  assertInvariant(governed.type === "governed", "an order of a generated chain holds");
  return governed.governance;
}

function drawContract(
  random: Random,
  { rulings }: OrderedContracts,
  { service, tip: { height: fromHeight } }: ChainMade,
): { readonly action: ContractAction; readonly source?: string } | Generated {
  const name = random.pick(names);
  const installed = rulings.flatMap(({ action }) =>
    action.type !== "parameters" && action.service === service && action.name === name ? [action] : [],
  );
  const last = installed.at(-1);
  const version = installed.reduce(
    (most, action) => (action.type === "install" ? Math.max(most, action.version) : most),
    0,
  );
  if (last?.type !== "install" || random.chance(0.4)) {
    return generateContract(random, { service, name, version: version + 1, fromHeight });
  }
  if (random.chance(0.2)) return { action: { type: "retire", service, name, fromHeight } };
  return { action: generateParameters(random, { service, contract: name, fromHeight, rate: fromHeight }) };
}

/** A meter counts for a point for a while, behind whatever it counted for before. */
function drawAssignment(random: Random, { meters, tip }: ChainMade, { assignments }: Governance): AssignAction {
  const meter = random.pick(meters).kid;
  const last = assignmentsOf(assignments, toHex(meter), Number.POSITIVE_INFINITY)?.at(-1);
  const from_s = Math.max(last?.until_s ?? 0, timeAt(tip.height) / 1_000 - 3 + random.below(6));
  const row = { point: `P-${random.below(3)}`, meter, from_s, until_s: from_s + 1 + random.below(30) };
  return { type: "assign", assignments: [{ ...row, sign: random.pick([1, -1]), capacity: undefined }] };
}

function timeAt(height: number): number {
  return EPOCH_MS + height * 1_000;
}

/** The next block, of one temporary block. */
async function composed({ service, tip, state, ...chain }: ChainMade, random: Random, run: RunPlans): Promise<Block> {
  const time_ms = timeAt(tip.height);
  const askers = Array.from({ length: 1 + random.below(OPERATIONS_MAX) }, () => random.pick(chain.participants));
  const read = chain.meters.filter(() => random.chance(0.7));
  const records = [
    ...askers.map((asker) => signed(asker, operationOf(random, service, asker, time_ms))),
    ...read.map((meter) => signed(meter, readingOf(random, service, meter, time_ms))),
  ];
  const strangers = [...new Set<Signing>([...askers, ...read])].filter(({ kid }) => !state.credentials.has(toHex(kid)));
  const notices: Notice[] = [
    ...strangers.map(({ credential }): Notice => ({ kind: "credential", bytes: credential })),
    ...chain.coming.slice(0, SOURCE_MESSAGES_MAX).map(({ bytes }): Notice => ({ kind: "message", bytes })),
  ];
  const content = { chain: service, origin: keyId(member.key), number: tip.height - 1, notices };
  const batch = makeBatch(genesis.hash, content, records.map(executionRecord), member.sign);
  const signature = member.sign(acknowledgementBytes(genesis.hash, service, { ...content, id: batch.id }, true));
  const acknowledgements = [{ node: content.origin, signature, verified: true }];
  const accepted = [{ read: batch, acknowledgements }];
  const judgedAt = tip.governance.lastOrder;
  const inputs = { batches: accepted, anchors: [], time_ms, judgedAt, calls: 1 + random.below(KIND_CALLS_MAX) };
  const composition = atOnce(composeBlock(tip, inputs));
  assertInvariant(composition.type !== "none", "a generated block holds what is new");
  const made = composition.type === "block" ? composition.block : composition.finish(await run(composition.plan));
  const header = encodeHeader(made.header);
  const sealing = member.sign(precommitBytes(genesis.hash, service, tip.height, 0, headerHash(header)));
  const certificate = { round: 0, signatures: [{ node: content.origin, signature: sealing }] };
  return { ...made.content, header, lock_ms: time_ms, certificate };
}

function operationOf(random: Random, service: number, { seq, previous, signer, kid }: Signing, time_ms: number) {
  const time_s = time_ms / 1_000;
  const until = random.chance(0.1) ? { until_s: time_s - 1 } : {};
  const claims = { service, serviceId: 0, seq, previous, time_s, quality: 2 };
  return signOperation({ ...claims, ...generateAsked(random), ...until }, [], signer, kid);
}

function readingOf(random: Random, service: number, meter: ChainMade["meters"][number], time_ms: number): Uint8Array {
  const { seq, previous, signer, kid, counters } = meter;
  const counted = counters.read(time_ms / 1_000, random.below(1_000_000));
  // Of some that hide registers a row has less of their doubts.
  const hidden = random.chance(0.2) && { digests: [random.bytes(32)] };
  return signRecord({ service, serviceId: 0, seq, previous, ...counted, ...hidden }, [], signer, kid);
}

/** The signer's next record is linked to this one. */
function signed(signing: Signing, bytes: Uint8Array): AnyRecord {
  const record = parseAnyRecord(bytes);
  signing.seq += 1;
  signing.previous = record.hash;
  return record;
}

/** The block's messages, as they are carried. */
function sentIn(block: Block): Sent[] {
  const outcomes = outcomesIn(block.results);
  const items = effectItems({ chain: block.chain, height: block.height }, outcomes);
  const records = block.batches.reduce((sum, batch) => sum + batch.records.length, 0);
  const receiptOf = receiptEncoder(block, blockTree(block));
  return placedMessages(outcomes).map(({ to, index }) => {
    const item = items[index]!;
    return { to: to.service, bytes: encodeCarried(item, receiptOf(1 + records + index, sha256(item)), 0) };
  });
}
