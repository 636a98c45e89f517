// A chain of one member made from a seed, to compare machines by: generated contracts that come, change and go, and the operations of
// participants, block after block. Pure but for whoever runs its plans, so that a browser makes the same chain.

import { acknowledgementBytes } from "../../../src/wire/batch.js";
import { type Block, decodeBlock, encodeBlock } from "../../../src/wire/block.js";
import { toHex } from "../../../src/wire/bytes.js";
import { type ContractAction, signTried } from "../../../src/wire/contract-order.js";
import { issueCredential, issuerName } from "../../../src/wire/credential.js";
import { type Genesis, issueGenesis, verifyGenesis } from "../../../src/wire/genesis.js";
import { sha256 } from "../../../src/wire/hash.js";
import { encodeHeader, headerHash } from "../../../src/wire/header.js";
import { keyId, type Signer } from "../../../src/wire/key.js";
import type { Notice } from "../../../src/wire/notice.js";
import { parseOperation, signOperation } from "../../../src/wire/operation.js";
import { assertInvariant } from "../../errors.js";
import { type ChainTip, composeBlock, makeBatch } from "../../ledger/compose.js";
import type { OrderedContracts } from "../../ledger/contract-orders.js";
import { firstTip } from "../../ledger/first-tip.js";
import { type Governance, govern, initialGovernance } from "../../ledger/governance.js";
import { MemoryState } from "../../ledger/memory-state.js";
import type { RunResult } from "../../ledger/outcome.js";
import { executionRecord } from "../../ledger/record-scan.js";
import { type ReplayedBlock, replayWith } from "../../ledger/replay.js";
import type { RunPlan } from "../../ledger/run-plan.js";
import { MemorySettlement } from "../../ledger/settlement/memory-settlement.js";
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
  readonly outcomes: Readonly<Record<string, number>>;
  /** entries that the contracts have at the end */
  readonly entries: number;
}

const SERVICE = 1;
const EPOCH_MS = 1_790_000_000_000;
const OPERATIONS_MAX = 4;
const names = Object.keys(generatedTypes);
const issuing = { network: "determinism", time_s: 1 } as const;

/** Makes the chain, and replays each block from its bytes. Throws where the replay comes to something else. */
export async function makeChain({ seed, blocks, run, restart }: ChainPlan): Promise<MadeChain> {
  const random = createRandom(seed);
  const outcomes: Record<string, number> = {};
  const participants = jurisdictions.map((jurisdiction, index) => createParticipant(index, jurisdiction));
  let state = emptyState();
  let runs = run;
  let tip = firstTip({
    genesis,
    chain: genesis.chains[0]!,
    governance: initialGovernance(genesis),
    view: viewOf(state),
  });
  let digest: Uint8Array = new Uint8Array(32);
  for (let height = 1; height <= blocks; height += 1) {
    if (height % 3 === 1) tip = { ...tip, governance: ordered(random, tip) };
    const block = await composed(tip, state, { random, participants, run: runs });
    const replayed = await replayWith(tip, decodeBlock(encodeBlock(block)), runs);
    take(state, replayed);
    for (const { type } of replayed.entries.outcomes) outcomes[type] = (outcomes[type] ?? 0) + 1;
    digest = sha256(Uint8Array.of(...digest, ...block.header, ...block.stateRoot));
    if (restart !== undefined) {
      state = again(state);
      runs = restart();
    }
    tip = next(tip, block, replayed, state);
  }
  return { digest: toHex(digest), outcomes, entries: state.entries.size };
}

const authority = simulatedSigner("authority");
const member = simulatedSigner("member");
const genesis: Genesis = createGenesis();

function createGenesis(): Genesis {
  const nodes = [{ id: keyId(member.key), key: member.key, name: "member" }];
  const chains = [{ service: SERVICE, name: "generated", members: nodes, target: 0, verifiers: 1 }];
  return verifyGenesis(issueGenesis({ ...issuing, nodes, chains }, authority), simulatedVerify);
}

interface Participant {
  readonly signer: Signer;
  readonly kid: Uint8Array;
  readonly credential: Uint8Array;
  seq: number;
  previous: Uint8Array;
}

function createParticipant(index: number, jurisdiction: string | undefined): Participant {
  const signer = simulatedSigner(`participant ${index}`);
  const kid = keyId(signer.key);
  const credential = issueCredential(
    {
      ...{ issuer: issuerName(genesis), subject: `participant-${index}`, notBefore_s: 0, expires_s: 4_000_000_000 },
      ...{ id: kid, key: signer.key, statusIndex: index, services: [SERVICE], roles: ["customer"] },
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
  return { contracts, entries, settlement, meters, origins, credentials };
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
function ordered(random: Random, { governance, height }: ChainTip): Governance {
  const { action, source } = drawAction(random, governance.contracts, height);
  const number = governance.lastOrder + 1;
  const ready = action.type === "install" && { ready: signTried(genesis.hash, action, [member]) };
  const order = { number, time_s: 1, action: { ...action, ...ready }, ...(source !== undefined && { source }) };
  const governed = govern(governance, order, number);
  assertInvariant(governed.type === "governed", "an order of a generated chain holds");
  return governed.governance;
}

function drawAction(
  random: Random,
  { rulings }: OrderedContracts,
  fromHeight: number,
): { readonly action: ContractAction; readonly source?: string } | Generated {
  const name = random.pick(names);
  const installed = rulings.flatMap(({ action }) =>
    action.type !== "parameters" && action.name === name ? [action] : [],
  );
  const last = installed.at(-1);
  const version = installed.reduce(
    (most, action) => (action.type === "install" ? Math.max(most, action.version) : most),
    0,
  );
  if (last?.type !== "install" || random.chance(0.4)) {
    return generateContract(random, { service: SERVICE, name, version: version + 1, fromHeight });
  }
  if (random.chance(0.2)) return { action: { type: "retire", service: SERVICE, name, fromHeight } };
  return { action: generateParameters(random, { service: SERVICE, contract: name, fromHeight, rate: fromHeight }) };
}

interface Asking {
  readonly random: Random;
  readonly participants: readonly Participant[];
  readonly run: RunPlans;
}

/** The next block, of one temporary block. */
async function composed(tip: ChainTip, state: ChainState, { random, participants, run }: Asking): Promise<Block> {
  const time_ms = EPOCH_MS + tip.height * 1_000;
  const askers = Array.from({ length: 1 + random.below(OPERATIONS_MAX) }, () => random.pick(participants));
  const operations = askers.map((asker) => operationOf(random, asker, time_ms));
  const strangers = [...new Set(askers)].filter(({ kid }) => !state.credentials.has(toHex(kid)));
  const notices = strangers.map(({ credential }): Notice => ({ kind: "credential", bytes: credential }));
  const content = { chain: SERVICE, origin: keyId(member.key), number: tip.height - 1, notices };
  const read = makeBatch(genesis.hash, content, operations.map(parseOperation).map(executionRecord), member.sign);
  const signature = member.sign(acknowledgementBytes(genesis.hash, SERVICE, { ...content, id: read.id }, true));
  const acknowledgements = [{ node: content.origin, signature, verified: true }];
  const inputs = { batches: [{ read, acknowledgements }], anchors: [], time_ms, judgedAt: tip.governance.lastOrder };
  const composition = composeBlock(tip, inputs);
  assertInvariant(composition.type !== "none", "a generated block holds what is new");
  const made = composition.type === "block" ? composition.block : composition.finish(await run(composition.plan));
  return {
    ...{ ...made.content, header: encodeHeader(made.header) },
    ...{ lock_ms: time_ms, certificate: { round: 0, signatures: [] } },
  };
}

function operationOf(random: Random, participant: Participant, time_ms: number): Uint8Array {
  const { signer, kid, seq, previous } = participant;
  const time_s = time_ms / 1_000;
  const until = random.chance(0.1) ? { until_s: time_s - 1 } : {};
  const claims = { service: SERVICE, serviceId: 0, seq, previous, time_s, quality: 2 };
  const bytes = signOperation({ ...claims, ...generateAsked(random), ...until }, [], signer, kid);
  participant.seq += 1;
  participant.previous = parseOperation(bytes).hash;
  return bytes;
}
