// A whole cluster and its meters in one process, from one seed: faults for a while, then calm, in which everything that was promised
// must be sealed on every correct node, and then silence. Throws a Violation where an invariant does not hold.

import { toHex } from "../../src/wire/bytes.js";
import type { GenesisChain } from "../../src/wire/genesis.js";
import { decodeReceipt } from "../../src/wire/receipt.js";
import type { Record } from "../../src/wire/record.js";
import { parseTopic } from "../../src/wire/topics.js";
import { GridsealError, reasonOf } from "../errors.js";
import { localTimeouts } from "../node/consensus/types.js";
import { createAdversary } from "./adversary.js";
import { createAgentMeter } from "./agent-meter.js";
import { createDisk, type Row } from "./disk.js";
import { createFaults } from "./faults.js";
import { createGenesis } from "./genesis.js";
import { checkBounds, checkStates, isDurable } from "./holdings.js";
import { digestOf } from "./keys.js";
import { createLedger } from "./ledger.js";
import { createMeter, type MeterWorld, type SimulatedMeter } from "./meter.js";
import type { Mutant } from "./mutants.js";
import { calm, createNetwork } from "./network.js";
import { createNode, type NodeWorld, type SimulatedNode } from "./node.js";
import type { ClusterOptions } from "./options.js";
import { createRandom } from "./random.js";
import { kindOf } from "./statements.js";
import { createTimeline } from "./timeline.js";
import { createTrace } from "./trace.js";
import { createWitness } from "./witness.js";

/** After the faults everything must be sealed everywhere within this time. */
const LIVENESS_MS = 240_000;
/** An agent waits longer the more often it has asked in vain: all its receipts are there within this time. */
const RECEIPTS_MS = 1_800_000;
/** Far more than a block a round takes, and the answers to a flood. */
const FRAMES_PER_SECOND_MAX = 3_000;
const SETTLE_MS = 20_000;
const IDLE_MS = 70_000;

export class Violation extends Error {
  readonly invariant: string;
  readonly trace: readonly string[];

  constructor(invariant: string, detail: string, trace: readonly string[]) {
    super(`${invariant}: ${detail}`);
    this.name = "Violation";
    this.invariant = invariant;
    this.trace = trace;
  }
}

/** What happened, to prove that faults did; the same for the same seed. */
export interface ClusterReport {
  readonly blocks: number;
  readonly records: number;
  readonly receipts: number;
  readonly roundChanges: number;
  readonly restarts: number;
  readonly crashesInCalls: number;
  readonly partitions: number;
  readonly linksHealed: number;
  readonly framesLost: number;
  readonly catchUps: number;
  readonly recordsLost: number;
  readonly fullDisks: number;
  readonly equivocations: number;
  readonly meterViolations: number;
  readonly healed_ms: number;
  readonly traceHash: number;
}

/** Runs one seed to its end; `onLine` sees every line of the trace. */
export async function runCluster(
  options: ClusterOptions,
  mutant?: Mutant,
  onLine?: (line: string) => void,
): Promise<ClusterReport> {
  const cluster = createCluster(options, mutant, onLine);
  const onRejection = (reason: unknown) => cluster.fail("unhandled rejection", reasonOf(reason));
  process.on("unhandledRejection", onRejection);
  try {
    return await cluster.run();
  } finally {
    process.off("unhandledRejection", onRejection);
  }
}

function createCluster(options: ClusterOptions, mutant: Mutant | undefined, onLine?: (line: string) => void) {
  const random = createRandom(options.seed);
  const timeline = createTimeline();
  const trace = createTrace(timeline.now_ms, onLine);
  const { genesis, signers, authority } = createGenesis(options);
  const faultyMembers = genesis.nodes.slice(genesis.nodes.length - options.faulty);
  const isHostile = options.fault === "twins" || options.fault === "byzantine";
  const faulty = new Set(isHostile ? faultyMembers.map(({ id }) => toHex(id)) : []);
  const nodes: SimulatedNode[] = [];
  const meters: SimulatedMeter[] = [];
  const counts = { catchUps: 0, fullDisks: 0, idleSends: 0, idleOthers: 0, writes: 0 };
  let violation: Violation | undefined;
  let isCalm = false;

  const fail = (invariant: string, detail: string) => {
    violation ??= new Violation(invariant, detail, trace.recent());
  };
  const ledger = createLedger(genesis, fail);
  const witness = createWitness(genesis, faulty, fail);
  const network = createNetwork({
    timeline,
    random,
    nodes,
    kindOf,
    onSend(from, to, kind, frame, fate) {
      trace.say(`${from.label}>${to.label} ${kind} ${frame.length} ${digestOf(frame).toString(16)} ${fate}`);
      counts.idleSends += 1;
      if (kind !== "status") counts.idleOthers += 1;
    },
  });
  const isCorrect = (node: SimulatedNode) => node.adversary === undefined && node.copies === 1;

  const suspectOf = (node: SimulatedNode) => ({ id: node.id, life: node.life, durable: node.disk.tables });

  const onDurable = (node: SimulatedNode, rows: readonly Row[]) => {
    counts.writes += 1;
    if (!isCorrect(node)) return;
    for (const { table, key, value } of rows) {
      if (table !== "blocks") continue;
      const [chain, height] = key.split("/").map(Number);
      trace.say(`${node.label} has block ${key}`);
      ledger.onBlock(node.label, chain!, height!, value as Uint8Array);
    }
  };

  const sent = new Map<string, number>();
  /** I17: what a node sends does not feed on itself. */
  const countSent = (node: SimulatedNode) => {
    const key = `${node.label} in second ${Math.floor(timeline.now_ms() / 1_000)}`;
    const count = (sent.get(key) ?? 0) + 1;
    sent.set(key, count);
    if (count > FRAMES_PER_SECOND_MAX) fail("I17 a node's frames stay bounded", key);
  };

  const world: NodeWorld = {
    genesis,
    timeline,
    random,
    send: (from, to, frame) => network.send(from, to, frame),
    onSent(node, frame) {
      if (!isCorrect(node)) return;
      witness.onSent(suspectOf(node), frame);
      countSent(node);
    },
    onSigned: (node, bytes) => witness.onSigned(node.id, bytes),
    onEvidence(node, chain, first, second) {
      if (isCorrect(node)) witness.onEvidence(suspectOf(node), chain, first, second);
    },
    onSealed(node, sealed) {
      const highest = ledger.heights.get(sealed.block.chain) ?? 0;
      if (isCorrect(node) && sealed.head.height < highest) counts.catchUps += 1;
    },
    publish: (node, topic, payload) => publish(node, topic, payload),
    isSubscribed: (node, topic) => meters.some((meter) => meter.isAt(node) && topic.endsWith(meter.id)),
    onFatal: (node, reason) => onFatal(node, reason),
    onDefect(node, what) {
      if (isCorrect(node)) fail("bad input never throws", `${node.label} ${what}`);
    },
    trace: (line) => trace.say(line),
    mutate: (ports, node) => (isCorrect(node) ? (mutant?.ports?.(ports) ?? ports) : ports),
    mutateFrame: (frame, node) => (isCorrect(node) ? (mutant?.frames?.(frame, node) ?? [frame]) : [frame]),
  };

  const onFatal = (node: SimulatedNode, reason: unknown) => {
    const isFull = reason instanceof GridsealError && reason.code === "STORE_FULL";
    trace.say(`${node.label} has stopped: ${reasonOf(reason)}`);
    if (isFull) counts.fullDisks += 1;
    if (!isFull && isCorrect(node)) fail("a correct node does not stop by itself", `${node.label}: ${stackOf(reason)}`);
    faults.onFull(node);
  };

  const publish = (node: SimulatedNode, topic: string, payload: Uint8Array) => {
    const parsed = parseTopic(topic);
    if (parsed?.kind === "receipt" && isCorrect(node)) {
      const { chain, height } = decodeReceipt(payload);
      const durable = node.disk.tables.heads.get(String(chain))?.height ?? 0;
      if (height > durable)
        fail("I13 no receipt before its block is durable", `${node.label} block ${chain}/${height}`);
    }
    const meter = meters.find(({ id }) => id === parsed?.meter);
    if (parsed?.kind === "ack") meter?.onRefused(payload);
    timeline.after(random.between(1, 20), () => meter?.receive(topic, payload));
  };

  /** I4: a record is on disk before it is acknowledged: by itself, in a temporary block, or in a block. */
  const onAcknowledged = (node: SimulatedNode, record: Record) => {
    if (!isCorrect(node)) return;
    if (!isDurable(node, record)) fail("I4 a record is durable before its PUBACK", `${node.label} ${nameOf(record)}`);
    ledger.promise(record, node.label);
  };

  for (const [index, member] of genesis.nodes.entries()) {
    const hostile = isHostile && faultyMembers.includes(member);
    const copies = hostile && options.fault === "twins" ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const label = `n${index + 1}${copy === 0 ? "" : "'"}`;
      const disk = createDisk({ timeline, random, onDurable: (rows) => onDurable(node, rows) });
      const signer = signers[index]!;
      const adversary =
        hostile && options.fault === "byzantine"
          ? createAdversary({
              genesis,
              self: toHex(member.id),
              signer,
              random,
              behaviours: options.behaviours,
              onSigned: (bytes) => witness.onSigned(toHex(member.id), bytes),
            })
          : undefined;
      const { batch } = options;
      const node: SimulatedNode = createNode(world, { member, signer, label, copy, copies, disk, adversary, batch });
      nodes.push(node);
    }
  }
  const correct = nodes.filter(isCorrect);
  const faults = createFaults({
    options,
    timeline,
    random,
    network,
    nodes,
    spare: nodes.at(-1)!,
    onWiped(node) {
      ledger.release(node.label);
      witness.onWiped(node.id);
    },
    trace: (line) => trace.say(line),
  });
  const meterWorldOf = (chain: GenesisChain): MeterWorld => ({
    genesis,
    authority,
    timeline,
    random,
    nodes: nodes.filter((node) => node.chainNumbers.includes(chain.service)),
    ledger,
    fail,
    loss: () => (isCalm ? 0 : options.conditions.loss),
    onAcknowledged,
    trace: (line) => trace.say(line),
  });
  for (let index = 0; index < options.meters; index += 1) {
    const chain = genesis.chains[index % genesis.chains.length]!;
    meters.push(
      createMeter(meterWorldOf(chain), {
        name: `meter ${index + 1} of seed ${options.seed}`,
        service: chain.service,
        trusting: index % 2 === 0,
        forking: random.chance(0.15),
        forging: random.chance(options.behaviours.includes("forge") ? 1 : 0.3),
      }),
    );
  }
  const agent = options.agent
    ? createAgentMeter(meterWorldOf(genesis.chains[0]!), `agent of seed ${options.seed}`, genesis.chains[0]!.service)
    : undefined;
  if (agent !== undefined) meters.push(agent);

  const afterEach = () => {
    if (violation !== undefined) throw violation;
  };

  const isSettled = () =>
    correct.every((node) => node.isUp) &&
    meters.every((meter) => meter === agent || meter.waiting === 0) &&
    genesis.chains.every(({ service }) => {
      const height = ledger.heights.get(service) ?? 0;
      return correct.every((node) => (node.chains.get(service)?.head.height ?? 0) === height);
    }) &&
    ledger.missing().length === 0;

  /** I9, and what it takes. */
  const settle = async () => {
    let looked = 0;
    const done = await timeline.run(timeline.now_ms() + LIVENESS_MS, afterEach, () => {
      looked += 1;
      return looked % 16 === 0 && isSettled();
    });
    if (done || isSettled()) return;
    const where = nodes.map((node) => {
      const heads = [...node.chains].map(([service, chain]) => `${service}/${chain.head.height}`);
      return `${node.label} ${node.isUp ? heads.join(" ") : "down"}`;
    });
    const waiting = meters.map((meter) => `${meter.name}: ${meter.waiting}`);
    const missing = ledger.missing().slice(0, 4);
    fail("I9 everything promised is sealed once the network heals", [...where, ...waiting, ...missing].join("; "));
    afterEach();
  };

  /** I10: heartbeats alone, where nobody is hostile, and nothing is written. */
  const checkIdle = async () => {
    await timeline.run(timeline.now_ms() + SETTLE_MS, afterEach);
    Object.assign(counts, { idleSends: 0, idleOthers: 0, writes: 0 });
    await timeline.run(timeline.now_ms() + IDLE_MS, afterEach);
    // A node that got a new disk may have used a number twice, and offers for ever what no quorum can accept any more.
    if (isHostile || options.fault === "wiped" || options.fault === "damagedRecord") return;
    const links = options.members * (options.members - 1) * genesis.chains.length;
    const most = links * (Math.ceil(IDLE_MS / localTimeouts.heartbeat_ms) + 1);
    if (counts.idleOthers > 0 || counts.idleSends > most || counts.writes > 0) {
      fail("I10 an idle cluster sends heartbeats alone", JSON.stringify(counts));
    }
  };

  return {
    fail,
    async run(): Promise<ClusterReport> {
      trace.say(JSON.stringify(options));
      network.heal();
      for (const node of nodes) node.start();
      for (const node of nodes) network.connect(node);
      faults.start();
      for (const meter of meters) {
        meter.start();
        for (let count = 0; count < options.recordsPerMeter; count += 1) {
          timeline.after(random.between(0, options.faults_ms), () => meter.measure());
        }
      }
      await timeline.run(options.faults_ms, afterEach);
      checkBounds(genesis, correct, fail);
      isCalm = true;
      faults.heal();
      network.setConditions(calm);
      const from_ms = timeline.now_ms();
      await settle();
      if (!(await timeline.run(from_ms + RECEIPTS_MS, afterEach, () => (agent?.waiting ?? 0) === 0))) {
        fail("I9 an agent has its receipts", `${agent?.waiting} records wait`);
      }
      await settle();
      const healed_ms = timeline.now_ms() - from_ms;
      checkStates(genesis, correct, fail);
      await checkIdle();
      checkBounds(genesis, correct, fail);
      if (!isSettled()) fail("I9 what is sealed stays", "after the silence");
      afterEach();
      return {
        blocks: [...ledger.heights.values()].reduce((sum, height) => sum + height, 0),
        records: ledger.sealed,
        receipts: meters.reduce((sum, meter) => sum + meter.receipts, 0),
        roundChanges: ledger.rounds,
        restarts: faults.restarts,
        crashesInCalls: faults.crashesInCalls,
        partitions: faults.partitions,
        linksHealed: network.healed,
        framesLost: network.lost,
        catchUps: counts.catchUps,
        recordsLost: faults.recordsLost,
        fullDisks: counts.fullDisks,
        equivocations: witness.equivocations,
        meterViolations: ledger.violations,
        healed_ms: Math.round(healed_ms),
        traceHash: trace.hash,
      };
    },
  };
}

function nameOf(record: Record): string {
  return `${record.claims.service}/${toHex(record.kid)}/${record.claims.seq}`;
}

function stackOf(reason: unknown): string {
  return reason instanceof Error ? String(reason.stack).split("\n").slice(0, 5).join(" | ") : String(reason);
}
