// One life of a node, from its start to its end: the real chains, admissions and receipts over a
// simulated disk, clock and network. It can end within any call of the outside; what the code does
// after that has no effect, as if the process were gone.

import type { GenesisChain } from "../../../../src/wire/genesis.js";
import type { PublicKey } from "../../../../src/wire/key.js";
import { parseAnyRecord } from "../../../../src/wire/operation.js";
import { encodeSentReceipt, receiptEncoder } from "../../../../src/wire/receipt.js";
import { serviceTopic } from "../../../../src/wire/topics.js";
import { localTimeouts, type Statement } from "../../../consensus/types.js";
import { GridsealError } from "../../../errors.js";
import { governedChain, holderStanding, standingOf } from "../../../ledger/governance.js";
import { anchorsBeside } from "../../../node/chain/blocks/anchoring.js";
import type { Chain } from "../../../node/chain/chain.js";
import { byteOf } from "../../../node/chain/frame.js";
import type { ChainLog, ChainPorts, SealedBlock } from "../../../node/chain/ports.js";
import { createGovernor } from "../../../node/chain/sealed-orders.js";
import { rateDefaults } from "../../../node/ingest/allowances.js";
import { createIntroductions, type Introductions } from "../../../node/ingest/handovers.js";
import type { AdmissionsPorts } from "../../../node/ingest/publication-ports.js";
import { type Admissions, createAdmissions } from "../../../node/ingest/publications.js";
import { createReceiptLinks } from "../../../node/ingest/receipt-links.js";
import { createReceipts } from "../../../node/ingest/receipts.js";
import { createPeerBudget } from "../../../node/network/budget.js";
import { costOfDropped } from "../../../node/network/chain-links.js";
import { createRunningChains } from "../../../node/parts/chains/running-chains.js";
import { type CarrierPorts, createCarrier } from "../../../node/parts/messages/carrier.js";
import { createOrders, type OrderAnswer } from "../../../node/parts/orders/orders.js";
import type { Store } from "../../../node/store/store.js";
import { createMetrics } from "../../../node/watch/metrics.js";
import { createHiding, type Hiding, hidesNothing } from "./hiding.js";
import { simulatedVerify } from "./keys.js";
import type { LifePorts, NodeWorld } from "./node-world.js";
import { EPOCH_MS } from "./timeline.js";

export interface Life {
  readonly chains: ReadonlyMap<number, Chain>;
  readonly admissions: Admissions;
  /** frames that its parts take, by their first byte */
  readonly frames: Hiding["frames"];
  /** Another node has made it work. */
  charge: ChainPorts["charge"];
  submitOrder(bytes: Uint8Array): Promise<OrderAnswer>;
  /** A message of another chain that a node hands over. */
  onPassedOn(chain: number, bytes: Uint8Array): void;
  start(): void;
  stop(): void;
  /** A frame that came was dropped for this reason. */
  drop(from: string, frame: Uint8Array, reason: unknown): void;
  /** Whether a node is kept out for what it has sent. */
  isShut(from: string): boolean;
  /** How long nothing more is read from a node that has made this one work too much; no more than 0 where it is read. */
  delay_ms(from: string): number;
}

/** What a node says of its machine. One that cannot go on stands still, which I9 notices. */
const unheard = { onRunFault() {}, onDisagreement() {} } as const;

/** How often a node looks for messages and deadlines, and how soon behind a block. */
const LOOK_MS = 500;
const LOOK_SOON_MS = 20;
const metrics = createMetrics();

/**
 * Opens the disk and the chains on it; throws where the store is damaged. The chains are still to
 * be started.
 */
export function openLife(ports: LifePorts): Life {
  const { world, options, node, reaches } = ports;
  const { timeline, random, genesis } = world;
  const { signer, member, adversary } = options;
  const started_ms = timeline.now_ms();
  const { setTimer, clearTimer } = createTimers(ports);
  const { verifyAsync, verifyRecord, verifyRecords, verifyRecordsLater } = createVerification(timeline, random);
  const unverified = () => Promise.resolve(true);
  const now_ms = () => Math.floor(EPOCH_MS + timeline.now_ms() + node.clock_ms);

  const portsOf = (chain: GenesisChain, store: Store): ChainPorts => ({
    ...{ genesis, chain, store, governor },
    self: member,
    signer: { key: signer.key, sign },
    timeouts: localTimeouts,
    batch: options.batch,
    log: createLog(ports, chain.service),
    verify: simulatedVerify,
    verifyAsync,
    verifyRecords: adversary?.perjures ? unverified : noting(ports, chain.service, verifyRecords),
    verifyRecordsLater: adversary?.perjures ? unverified : noting(ports, chain.service, verifyRecordsLater),
    runContracts: runningOf(ports),
    ...unheard,
    now_ms,
    monotonic_ms: () => timeline.now_ms() - started_ms,
    setTimer: (name, delay_ms, callback) => setTimer(`${chain.service}/${name}`, delay_ms, callback),
    clearTimer: (name) => clearTimer(`${chain.service}/${name}`),
    peers: () => node.peers,
    send,
    unsent_bytes: () => 0,
    charge,
    onDropped() {},
    anchors() {
      const honest = anchorsBeside(chain.service, chains);
      return adversary?.anchors(chain.service, honest) ?? honest;
    },
    onSealed(sealed) {
      if (!reaches()) return;
      carrying.lookSoon();
      world.onSealed(node, sealed);
      publishReceipts(sealed);
      hiding.onSealed?.(sealed, []);
      if (sealed.orders.length > 0) running.onGoverned();
    },
    onFatal: ports.onFatal,
  });

  const { budget, charge, unreadUntil_ms } = createAccount(ports);

  const sign = (bytes: Uint8Array) => {
    if (reaches()) world.onSigned(node, bytes);
    return signer.sign(bytes);
  };

  const send = (to: string, frame: Uint8Array) => {
    if (!reaches()) return;
    if (adversary === undefined) {
      world.onSent(node, frame);
      world.send(node, to, frame);
    } else if (hiding.frames.has(byteOf(frame) ?? 0)) {
      const sent = adversary.onPartFrame(to, frame);
      if (sent !== undefined) world.send(node, to, sent);
    } else {
      for (const sent of adversary.onSend(to, frame)) world.send(node, sent.to, sent.frame);
    }
  };

  const publish = (topic: string, payload: Uint8Array) => {
    if (reaches()) world.publish(node, topic, payload);
  };

  const opened = options.disk.open();
  const store: Store = {
    ...opened,
    write(fill) {
      if (!reaches()) return new Promise(() => {});
      const written = opened.write(fill);
      ports.onWrite();
      return written;
    },
  };
  const governor = createGovernor(genesis, store);
  const introductions = createIntroductions(genesis.network, store, publish);
  const publishReceipts = createReceiptPublishing(ports, introductions, publish);
  const running = createRunningChains({
    governor,
    store,
    self: member.id,
    portsOf: (chain) => world.mutate(portsOf(chain, store), node),
    onChain() {},
  });
  running.follow(options.follows);
  const { chains } = running;
  const receipts = createReceipts(genesis.network, store);
  const log = createLog(ports, 0);
  const hiding = options.hides
    ? createHiding(ports, {
        ...{ store, governor, chains, receipts, log, send, charge, now_ms, setTimer, clearTimer },
        signer: { key: signer.key, sign },
      })
    : hidesNothing;
  const admissions = createAdmissions({
    ...{ genesis, store, chains, introductions, metrics },
    self: node.id,
    ...{ receipts, log },
    verifyBirth: verifyAsync,
    verifyRecord: adversary?.takesForgeries ? unverified : verifyRecord,
    now_ms,
    monotonic_ms: () => timeline.now_ms(),
    sealsService: (service) => governedChain(governor.current, service) !== undefined,
    isRevoked: (meter) => governor.current.revoked.has(meter),
    holderStanding: (meter) => holderStanding(governor.current, meter),
    standingOf: (...named) => standingOf(governor.current, ...named, Number.POSITIVE_INFINITY),
    publish,
    sealDisclosures: hiding.seal,
    rate: rateDefaults,
    addressOf: () => undefined,
    ...{ isProved: () => false, onProved() {} },
  });
  const orders = createOrders({
    ...{ self: node.id, genesis, governor, chains, verify: simulatedVerify },
    // Whoever changes the membership goes to members itself.
    ...{ connected: () => [], send: () => false },
    monotonic_ms: () => timeline.now_ms(),
  });
  const carrying = createCarrying(ports, { store, governor, chains, now_ms, setTimer });
  return {
    chains,
    admissions,
    frames: hiding.frames,
    charge,
    submitOrder: orders.submit,
    onPassedOn: carrying.onPassedOn,
    start() {
      running.start();
      carrying.lookSoon();
      void hiding.start?.();
    },
    stop() {
      void hiding.stop?.();
      running.stop();
    },
    drop: (from, frame, error) => charge(from, costOfDropped(error), frame.length),
    isShut: (from) => budget.isShut(from, timeline.now_ms()),
    delay_ms: (from) => (unreadUntil_ms.get(from) ?? 0) - timeline.now_ms(),
  };
}

/** What other nodes have made the life work, and what comes of that. */
function createAccount({ world, options, node }: LifePorts) {
  const budget = createPeerBudget(options.budget);
  /** by node: when its frames are read again */
  const unreadUntil_ms = new Map<string, number>();
  const charge: ChainPorts["charge"] = (peer, work, amount) => {
    const now_ms = world.timeline.now_ms();
    world.onCharged(node, peer, work, amount);
    const verdict = budget.charge(peer, work, amount, now_ms);
    if (verdict.type === "shut") world.onShut(node, peer);
    if (verdict.type === "delay") unreadUntil_ms.set(peer, now_ms + verdict.for_ms);
  };
  return { budget, charge, unreadUntil_ms };
}

/** One-shot timers by their names, which end with the life. */
function createTimers({ world: { timeline, random }, reaches, isOver, onFatal }: LifePorts) {
  const timers = new Map<string, object>();
  return {
    setTimer(name: string, delay_ms: number, callback: () => void) {
      if (!reaches()) return;
      const token = {};
      timers.set(name, token);
      // A timer is a little late, or early by the rounding of the clock.
      timeline.after(Math.max(0, delay_ms + random.between(-0.4, 3)), () => {
        if (isOver() || timers.get(name) !== token) return;
        timers.delete(name);
        try {
          callback();
        } catch (error) {
          if (!(error instanceof GridsealError)) throw error;
          onFatal(error); // as of a damaged row that it reads
        }
      });
    },
    clearTimer: (name: string) => void timers.delete(name),
  };
}

/** Receipts of a sealed block for the meters that listen, each behind the headers that lead back to it. */
function createReceiptPublishing(
  { world, node }: LifePorts,
  introductions: Introductions,
  publish: (topic: string, payload: Uint8Array) => void,
): (sealed: SealedBlock) => void {
  const links = createReceiptLinks();
  return ({ block, tree, records, handover }) => {
    if (handover !== undefined) introductions.onChange(block.chain);
    for (const [index, record] of records.entries()) {
      const topic = serviceTopic(world.genesis.network, block.chain, "receipt", record.meter);
      if (!world.isSubscribed(node, topic)) continue;
      introductions.beforeReceipt(block.chain, record.meter, block.height);
      const receipt = receiptEncoder(block, tree)(index + 1, record.hash);
      publish(topic, encodeSentReceipt(receipt, links.before(block.chain, record.meter, block.height)));
    }
    links.sealed(block.chain, block.height, block.header);
  };
}

/** Says all into the trace, and what it knows of equivocations to the checks. */
function createLog({ world, options, node, isOver }: LifePorts, chain: number): ChainLog {
  const say = (fields: object, message: string) => {
    if (isOver()) return;
    world.trace(`${options.label} chain ${chain}: ${message} ${describe(fields)}`);
    const { first, second } = fields as { first?: Statement; second?: Statement };
    if (first !== undefined && second !== undefined) world.onEvidence(node, chain, first, second);
  };
  return { debug: say, info: say, warn: say, error: say };
}

/** The thread that runs a chain's contracts; a faulty member makes something else of what they come to. */
function runningOf({ world, options: { adversary, label }, isOver }: LifePorts): ChainPorts["runContracts"] {
  const run = world.contracts.threadOf(label, isOver);
  return adversary === undefined ? run : async (plan) => adversary.outcomes(await run(plan));
}

interface CarryingPorts extends Pick<CarrierPorts, "store" | "governor" | "chains" | "now_ms"> {
  setTimer(name: string, delay_ms: number, callback: () => void): void;
}

/** As the part of a node does that carries messages. */
function createCarrying({ world, options, node, reaches, onFatal }: LifePorts, { setTimer, ...ports }: CarryingPorts) {
  const carrier = createCarrier({
    ...{ ...ports, onFatal, self: node.id, genesisHash: world.genesis.hash, verify: simulatedVerify },
    connected: () => node.peers,
    send(to, frame) {
      if (reaches()) world.send(node, to, frame);
      return true;
    },
    onWaiting() {},
    monotonic_ms: () => world.timeline.now_ms(),
  });
  const look = () => {
    carrier.look();
    setTimer("messages/look", LOOK_MS, look);
  };
  return {
    onPassedOn: carrier.onPassedOn,
    lookSoon() {
      if (options.carries) setTimer("messages/look", LOOK_SOON_MS, look);
    },
  };
}

/** Threads that verify: their answers come a little later, in any order. */
function createVerification(timeline: NodeWorld["timeline"], random: NodeWorld["random"]) {
  const verifyAsync: ChainPorts["verifyAsync"] = (key, message, signature) =>
    new Promise((resolve) =>
      timeline.after(random.between(0.1, 3), () => resolve(simulatedVerify(key, message, signature))),
    );

  const verifyRecord: AdmissionsPorts["verifyRecord"] = (key, record) => {
    const { signedBytes, signature } = parseAnyRecord(record);
    return verifyAsync(key, signedBytes, signature);
  };
  const verifyRecords: ChainPorts["verifyRecords"] = async (records) => {
    const verified = records.map(({ key, record }) => verifyRecord(key, record));
    return !(await Promise.all(verified)).includes(false);
  };
  const verifyRecordsLater: ChainPorts["verifyRecords"] = (records) =>
    new Promise((resolve) => timeline.after(random.between(10, 400), () => resolve(verifyRecords(records))));
  return { verifyAsync, verifyRecord, verifyRecords, verifyRecordsLater };
}

/** The checks are told which records are found not to verify. */
function noting(
  { world, node, isOver }: LifePorts,
  service: number,
  verify: ChainPorts["verifyRecords"],
): ChainPorts["verifyRecords"] {
  return async (records) => {
    const areGood = await verify(records);
    if (areGood || isOver()) return areGood;
    for (const { key, record } of records) if (!isSigned(key, record)) world.onRefuted(node, service, record);
    return false;
  };
}

function isSigned(key: PublicKey, record: Uint8Array): boolean {
  const { signedBytes, signature } = parseAnyRecord(record);
  return simulatedVerify(key, signedBytes, signature);
}

function describe(fields: object): string {
  return Object.entries(fields)
    .filter(([, value]) => typeof value !== "object")
    .map(([name, value]) => `${name} ${String(value).slice(0, 96)}`)
    .join(", ");
}
