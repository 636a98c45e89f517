// Where everything is checked as it happens: what nodes tell their surroundings goes through here,
// and an invariant that does not hold ends the run.

import { toHex } from "../../../../src/wire/bytes.js";
import type { Genesis } from "../../../../src/wire/genesis.js";
import type { AnyRecord } from "../../../../src/wire/operation.js";
import { decodeSentReceipt } from "../../../../src/wire/receipt.js";
import { parseTopic } from "../../../../src/wire/topics.js";
import { GridsealError, reasonOf } from "../../../errors.js";
import { decodeFrame } from "../../../node/chain/frame.js";
import { blocks } from "../../../node/chain/tables/blocks.js";
import { heads } from "../../../node/chain/tables/heads.js";
import { type BlockKey, chainIn, chainKey, heightIn } from "../../../node/store/keys.js";
import { decodeRow } from "../../../node/store/table.js";
import type { NotedRow } from "../../../node/store/writer.js";
import type { Random } from "../../rig/random.js";
import type { Coverage } from "../coverage.js";
import type { Mutant } from "../mutants/mutant.js";
import type { SimulatedContracts } from "../world/contracts.js";
import type { SimulatedMeter } from "../world/meter.js";
import type { Network } from "../world/network.js";
import type { NodeWorld, SimulatedNode } from "../world/node-world.js";
import { isCorrect } from "../world/population.js";
import type { Timeline } from "../world/timeline.js";
import { createAccounts } from "./accounts.js";
import type { BlockChecks } from "./blocks.js";
import type { EvidenceChecks } from "./evidence.js";
import type { HiddenChecks } from "./hidden.js";
import { createHoldings } from "./holdings.js";
import { createKindChecks } from "./kinds.js";
import type { SigningChecks } from "./signing.js";
import { isDurable } from "./storage.js";
import { type Fail, stackOf } from "./violation.js";

/** Far more than a block a round takes, and the answers to a flood. */
const FRAMES_PER_SECOND_MAX = 3_000;

export interface ChecksPorts {
  readonly genesis: Genesis;
  /** of all nodes */
  readonly ids: readonly string[];
  /** ids of the members that are not correct */
  readonly faulty: ReadonlySet<string>;
  /** of the real budget, which a node has for each peer */
  readonly share: number;
  readonly timeline: Timeline;
  readonly random: Random;
  readonly contracts: SimulatedContracts;
  readonly network: Network;
  readonly blockChecks: BlockChecks;
  readonly signingChecks: SigningChecks;
  readonly evidenceChecks: EvidenceChecks;
  readonly hidden: HiddenChecks;
  readonly coverage: Coverage;
  readonly meters: readonly SimulatedMeter[];
  readonly mutant: Mutant | undefined;
  readonly fail: Fail;
  /** A node has stopped by itself: it comes back. */
  onStopped(node: SimulatedNode): void;
  trace(line: string): void;
}

export interface Checks {
  readonly world: NodeWorld;
  onDurable(node: SimulatedNode, rows: readonly NotedRow[]): void;
  /** A node has acknowledged a meter's record. */
  onAcknowledged(node: SimulatedNode, record: AnyRecord): void;
  /** transactions of all nodes so far */
  readonly writes: number;
}

export function createChecks(ports: ChecksPorts): Checks {
  const {
    genesis,
    timeline,
    random,
    contracts,
    network,
    blockChecks,
    signingChecks,
    evidenceChecks,
    coverage,
    meters,
    mutant,
    fail,
    trace,
  } = ports;
  const sent = new Map<string, number>();
  const accounts = createAccounts(ports.faulty, ports.share, timeline.now_ms, fail);
  const holdings = createHoldings(timeline.now_ms, fail);
  const kinds = createKindChecks(fail);
  let writes = 0;

  const suspectOf = (node: SimulatedNode) => ({ id: node.id, life: node.life, durable: node.disk.rows });

  /** I17: what a node sends does not feed on itself. */
  const countSent = (node: SimulatedNode) => {
    const key = `${node.label} in second ${Math.floor(timeline.now_ms() / 1_000)}`;
    const count = (sent.get(key) ?? 0) + 1;
    sent.set(key, count);
    if (count > FRAMES_PER_SECOND_MAX) fail("I17 a node's frames stay bounded", key);
  };

  const publish = (node: SimulatedNode, topic: string, payload: Uint8Array) => {
    const parsed = parseTopic(topic);
    if (parsed?.kind === "receipt" && isCorrect(node)) {
      const { chain, height } = decodeSentReceipt(payload).receipt;
      const durable = node.disk.rows.get(heads, chainKey(chain))?.height ?? 0;
      if (height > durable)
        fail("I13 no receipt before its block is durable", `${node.label} block ${chain}/${height}`);
    }
    const meter = meters.find(({ id }) => id === parsed?.meter);
    if (parsed?.kind === "ack") meter?.onRefused(payload);
    // What proves members comes before the receipts that need it: a broker keeps the order.
    const delay_ms = parsed?.kind === "members" ? 1 : random.between(1, 20);
    timeline.after(delay_ms, () => meter?.receive(topic, payload));
  };

  const world: NodeWorld = {
    genesis,
    ids: ports.ids,
    timeline,
    random,
    contracts,
    send(from, to, frame) {
      if (!isCorrect(from)) evidenceChecks.refutations.onSent(frame);
      network.send(from, to, frame);
    },
    onSent(node, frame) {
      if (!isCorrect(node)) return;
      ports.hidden.onSent(node, frame);
      if (decodeFrame(frame) !== undefined) signingChecks.onSent(suspectOf(node), frame);
      countSent(node);
    },
    onSigned: (node, bytes) => signingChecks.onSigned(node.id, bytes),
    onEvidence(node, chain, first, second) {
      if (!isCorrect(node)) return;
      signingChecks.onEvidence(suspectOf(node), chain, first, second);
      evidenceChecks.note(node, chain, first);
    },
    onRefuted(node, chain, record) {
      if (isCorrect(node)) evidenceChecks.refutations.note(node, chain, record);
    },
    onSealed(node, sealed) {
      const highest = blockChecks.heights.get(sealed.block.chain) ?? 0;
      if (isCorrect(node) && sealed.head.height < highest) coverage.catchUps += 1;
    },
    onEncrypted: ports.hidden.onEncrypted,
    onShut(node, peer) {
      coverage.shutOut += 1;
      if (isCorrect(node)) accounts.onShut(node, peer);
    },
    onKeptOut(node, peer) {
      if (isCorrect(node)) accounts.onKeptOut(node, peer);
    },
    onCharged(node, peer, work, amount) {
      if (isCorrect(node)) accounts.onCharged(node, peer, work, amount);
    },
    publish,
    isSubscribed: (node, topic) => meters.some((meter) => meter.isAt(node) && topic.endsWith(meter.id)),
    onFatal(node, reason) {
      const isFull = reason instanceof GridsealError && reason.code === "STORE_FULL";
      trace(`${node.label} has stopped: ${reasonOf(reason)}`);
      if (isFull) coverage.disksFull += 1;
      const isRefused = reason instanceof GridsealError && reason.code === "STORE_CORRUPT" && node.disk.isDamaged;
      if (!isFull && !isRefused && isCorrect(node))
        fail("a correct node does not stop by itself", `${node.label}: ${stackOf(reason)}`);
      ports.onStopped(node);
    },
    onDefect(node, what) {
      if (isCorrect(node)) fail("bad input never throws", `${node.label} ${what}`);
    },
    trace,
    mutate: (chainPorts, node) => (isCorrect(node) ? (mutant?.ports?.(chainPorts) ?? chainPorts) : chainPorts),
    mutateFrame: (frame, node) => (isCorrect(node) ? (mutant?.frames?.(frame, node) ?? [frame]) : [frame]),
  };

  return {
    world,
    onDurable(node, rows) {
      writes += 1;
      if (!isCorrect(node)) return;
      holdings.onDurable(node, rows);
      ports.hidden.onDurable(node, rows);
      for (const { table, key, row } of rows) {
        if (table.name !== blocks.name || row === undefined) continue;
        const [chain, height] = [chainIn(key as BlockKey), heightIn(key as BlockKey)];
        trace(`${node.label} has block ${chain}/${height}`);
        const bytes = decodeRow(blocks, row);
        blockChecks.onBlock(node.label, chain, height, bytes);
        kinds.onBlock(chain, height, bytes);
      }
    },
    /**
     * I4: a record is on disk before it is acknowledged: by itself, in a temporary block, or in a
     * block.
     */
    onAcknowledged(node, record) {
      if (!isCorrect(node)) return;
      if (!isDurable(node, record)) fail("I4 a record is durable before its PUBACK", `${node.label} ${nameOf(record)}`);
      ports.hidden.onAcknowledged(node, record);
      blockChecks.promise(record, node.id, node.label);
    },
    get writes() {
      return writes;
    },
  };
}

function nameOf(record: AnyRecord): string {
  return `${record.claims.service}/${toHex(record.kid)}/${record.claims.seq}`;
}
