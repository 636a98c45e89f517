// A whole cluster in one process, deterministic by its seed: loss, delay, duplication, reordering, partitions, crashes that lose
// what is not durable, lost records, and up to f members that are twins, two copies with one key, which equivocates for free.

import { decodeMessage } from "../../tools/consensus/messages.js";
import { localTimeouts, type NodeId } from "../../tools/consensus/types.js";
import { type Checks, createChecks, Violation } from "./checks.js";
import { nodeId } from "./keys.js";
import { createNode, type Mutant, type Packet, type SimulatedNode, type World } from "./node.js";
import { createRandom, createTimeline } from "./random.js";

export interface ClusterOptions {
  readonly seed: number;
  readonly members: number;
  /** members that are twins */
  readonly twins: number;
  readonly items: number;
  /** every third item is withdrawn again, by each node in its own time */
  readonly withdrawals: boolean;
  /** how long faults last */
  readonly faults_ms: number;
  readonly loss: number;
  readonly crashes: boolean;
  readonly partitions: boolean;
  /** one member loses its record in a crash */
  readonly damage: boolean;
  /** the last member's clock is wrong */
  readonly clock: boolean;
  /** every shell */
  readonly mutant: Mutant;
}

/** What happened, to prove that faults did. */
export interface ClusterReport {
  readonly blocks: number;
  readonly rounds: number;
  readonly restarts: number;
  readonly partitions: number;
  readonly lost: number;
  readonly evidence: number;
  readonly resumed: number;
  readonly healed_ms: number;
  /** the same for the same seed */
  readonly traceHash: number;
}

/** What a phase of the faults may let through badly; without precommits locks form and rounds go on. */
const scarceTypes: readonly (readonly string[])[] = [
  [],
  ["proposal"],
  ["precommit"],
  ["polka", "prevote"],
  ["polka", "precommit", "decision"],
];
/** After the faults everything must be sealed everywhere within this time. */
const LIVENESS_MS = 300_000;
const IDLE_MS = 100_000;

/** Runs one seed to its end. Throws a Violation, or what an invariant of a core threw. */
export function runCluster(options: ClusterOptions): ClusterReport {
  const random = createRandom(options.seed);
  const timeline = createTimeline();
  const members = Array.from({ length: options.members }, (_, index) => nodeId(index));
  const faulty = new Set(members.slice(options.members - options.twins));
  const checks: Checks = createChecks(members, faulty);
  const counts = { lost: 0, restarts: 0, partitions: 0, sends: 0, delivered: 0, rounds: 0 };
  const items: string[] = [];
  const nodes: SimulatedNode[] = [];
  let calm = false;
  let split = false;
  let scarce: readonly string[] = [];
  let slowShare = 0.05;
  let group = new Map<NodeId, number>();
  let sides = new Map<string, number>();
  let hash = 0x811c9dc5;
  let onlyStatus = true;

  const world: World = {
    timeline,
    random,
    members,
    timeouts: localTimeouts,
    checks,
    items,
    send,
    trace(line) {
      const text = `${timeline.now_ms().toFixed(3)} ${line}`;
      for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
      if (line.endsWith(" inquiry")) return; // who has lost its record asks, beside its heartbeat
      if (!line.endsWith(" status")) onlyStatus = false;
      counts.sends += 1;
    },
  };

  /** Which copy of a faulty member a peer is in touch with: 0, 1 or both (2), anew with every partition. */
  function side(twin: NodeId, peer: NodeId): number {
    const key = `${twin}/${peer}`;
    const chosen = sides.get(key) ?? Math.floor(random() * 3);
    sides.set(key, chosen);
    return chosen;
  }

  function copiesOf(id: NodeId): SimulatedNode[] {
    return nodes.filter((node) => node.id === id);
  }

  /** While the network is split, one copy of a twin stands on each side: the strongest form of equivocation. */
  function connected(left: SimulatedNode, right: SimulatedNode): boolean {
    if (split) return sideOf(left) === sideOf(right);
    for (const [node, peer] of [
      [left, right],
      [right, left],
    ] as const) {
      const chosen = node.faulty ? side(node.id, peer.id) : 2;
      if (chosen !== 2 && copiesOf(node.id)[chosen] !== node) return false;
    }
    return true;
  }

  function sideOf(node: SimulatedNode): number {
    return node.faulty ? copiesOf(node.id).indexOf(node) : (group.get(node.id) ?? 0);
  }

  function send(from: SimulatedNode, to: NodeId, packet: Packet): void {
    for (const receiver of copiesOf(to)) {
      if (!connected(from, receiver)) continue;
      const copies = !calm && random() < 0.03 ? 2 : 1;
      for (let copy = 0; copy < copies; copy += 1) sendOnce(from, receiver, packet);
    }
  }

  function sendOnce(from: SimulatedNode, receiver: SimulatedNode, packet: Packet): void {
    const isScarce = packet.kind === "consensus" && scarce.includes(packet.message.type);
    if (!calm && random() < (isScarce ? 0.75 : options.loss)) {
      counts.lost += 1;
      return;
    }
    const slow = !calm && random() < slowShare ? random() * 2_000 : 0;
    const delay_ms = 1 + random() * (calm ? 10 : 40) + slow;
    timeline.at(timeline.now_ms() + delay_ms, () => deliver(receiver, from.id, packet));
  }

  /** Some messages take the way over their bytes, so that the codec is under test too. */
  function deliver(node: SimulatedNode, from: NodeId, packet: Packet): void {
    counts.delivered += 1;
    const overWire = packet.kind === "consensus" && packet.bytes.length > 0 && counts.delivered % 8 === 0;
    node.receive(from, overWire ? { ...packet, message: decodeMessage(packet.bytes) } : packet);
    counts.rounds = Math.max(counts.rounds, node.position()?.round ?? 0);
  }

  for (const id of members) {
    const clock_ms = options.clock && id === members.at(-1) ? 60_000 : 0;
    const copies = faulty.has(id) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      nodes.push(createNode(world, { id, faulty: faulty.has(id), mutant: options.mutant, clock_ms }));
    }
  }
  const correct = nodes.filter((node) => !node.faulty);

  function submitItems(): void {
    for (let index = 0; index < options.items; index += 1) {
      const time_ms = random() * options.faults_ms;
      timeline.at(time_ms, () => {
        items.push(`item ${items.length}`);
        const count = items.length;
        for (const node of nodes) timeline.at(timeline.now_ms() + random() * 300, () => node.learnItems(count));
        if (isWithdrawn(count - 1)) withdraw(items[count - 1]!);
      });
    }
  }

  function isWithdrawn(index: number): boolean {
    return options.withdrawals && index % 3 === 0;
  }

  /** So that a round may have begun for it, on some nodes or on all. */
  function withdraw(item: string): void {
    const from_ms = timeline.now_ms() + random() * 1_000;
    for (const node of nodes) timeline.at(from_ms + random() * 1_000, () => node.withdraw(item));
  }

  function scheduleCrash(): void {
    const time_ms = timeline.now_ms() + 200 + random() * 4_000;
    if (time_ms > options.faults_ms) return;
    timeline.at(time_ms, () => {
      const node = nodes[Math.floor(random() * nodes.length)]!;
      if (node.alive()) {
        node.crash();
        if (options.damage && node === correct[1] && counts.restarts > 3) node.damage();
        timeline.at(timeline.now_ms() + random() * 3_000, () => restart(node));
      }
      scheduleCrash();
    });
  }

  function restart(node: SimulatedNode): void {
    if (node.alive()) return;
    counts.restarts += 1;
    node.start();
  }

  function schedulePartition(): void {
    const time_ms = timeline.now_ms() + random() * 6_000;
    if (time_ms > options.faults_ms) return;
    timeline.at(time_ms, () => {
      counts.partitions += 1;
      split = random() < 0.5;
      group = new Map(members.map((id) => [id, Math.floor(random() * 2)]));
      sides = new Map();
      scarce = scarceTypes[Math.floor(random() * scarceTypes.length)]!;
      slowShare = random() < 0.3 ? 0.5 : 0.05;
      schedulePartition();
    });
  }

  function heal(): void {
    calm = true;
    split = false;
    for (const node of nodes) if (!node.alive() && !node.faulty) restart(node);
  }

  function isDone(): boolean {
    if (items.length < options.items) return false;
    const height = Math.max(...correct.map((node) => node.blocks.length));
    return correct.every((node) => {
      const sealed = new Set(node.blocks.flatMap(({ block }) => block.items));
      return node.blocks.length === height && items.every((item, index) => isWithdrawn(index) || sealed.has(item));
    });
  }

  for (const node of nodes) node.start();
  submitItems();
  if (options.crashes) scheduleCrash();
  if (options.partitions) schedulePartition();
  while (timeline.next(options.faults_ms));
  heal();
  const healed_ms = timeline.now_ms();
  while (!isDone()) {
    if (!timeline.next(healed_ms + LIVENESS_MS)) {
      const where = nodes.map((node) => JSON.stringify([node.id.slice(-2), node.position(), node.blocks.length]));
      throw new Violation(`I9 everything is sealed within a bound: ${where.join(" ")}`);
    }
  }
  const done_ms = timeline.now_ms();
  checkIdle();

  /** I10: once all is said, heartbeats alone. Faulty members may say more, and correct ones may answer them. */
  function checkIdle(): void {
    const settled_ms = done_ms + 30_000;
    while (timeline.next(settled_ms));
    onlyStatus = true;
    counts.sends = 0;
    while (timeline.next(settled_ms + IDLE_MS));
    const heartbeats_max = options.members * (IDLE_MS / localTimeouts.heartbeat_ms + 1);
    if (options.twins === 0 && (!onlyStatus || counts.sends > heartbeats_max)) {
      throw new Violation(`I10 an idle cluster sends heartbeats alone: ${counts.sends} messages`);
    }
  }

  return {
    blocks: Math.max(...correct.map((node) => node.blocks.length)),
    rounds: counts.rounds,
    restarts: counts.restarts,
    partitions: counts.partitions,
    lost: counts.lost,
    evidence: checks.evidenceCount(),
    resumed: correct.filter((node) => node.position()?.voting === true).length,
    healed_ms: done_ms - healed_ms,
    traceHash: hash >>> 0,
  };
}
