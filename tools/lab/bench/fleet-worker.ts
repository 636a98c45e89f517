// One child's part of a fleet: thousands of meters, each with an MQTT connection of its own from
// one of several addresses. Each publishes a record when it is due, all at their own times; then all
// publish one at once. The path of every receipt is verified, the signatures of each block once.

import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { toHex } from "../../../src/wire/bytes.js";
import { issueCredential, issuerName } from "../../../src/wire/credential.js";
import { chainOf, type Genesis, verifyGenesis } from "../../../src/wire/genesis.js";
import { sha256 } from "../../../src/wire/hash.js";
import { keyId, type Signer } from "../../../src/wire/key.js";
import { decodeSentReceipt, verifyInclusionOf, verifySealOf } from "../../../src/wire/receipt.js";
import { decodeRefusal } from "../../../src/wire/refusal.js";
import { meterTopic, serviceTopic } from "../../../src/wire/topics.js";
import { generateMeterKey } from "../../authority/issue.js";
import { nodeVerify, signerFromSeed } from "../../crypto/signatures.js";
import { readKeyFile } from "../../files/key-file.js";
import {
  createPacketReader,
  encodeConnect,
  encodePubacks,
  encodePublish,
  encodeSubscribe,
  packetTypes,
  readPublish,
} from "../rig/mqtt-packets.js";
import { type LoadMeter, nextRecord, REGISTERS_DEFAULT } from "../rig/records.js";
import { summarise } from "./quantile.js";
import { serveOrders } from "./worker.js";

/** `burst` is for the meters that are connected since `spread`; it is the last order. */
export type FleetOrder = ({ readonly order: "spread" } & FleetPlan) | { readonly order: "burst" };

export interface FleetPlan {
  readonly genesis: Uint8Array;
  /** the authority's key file */
  readonly authority: string;
  readonly service: number;
  readonly host: string;
  /** MQTT ports of the nodes, meters in turn */
  readonly ports: readonly number[];
  readonly meters: number;
  /** the first meter's number; of the status list */
  readonly first: number;
  readonly every_s: number;
  readonly seconds: number;
  /** connections that are opened in a second */
  readonly connects_per_s: number;
}

export interface FleetResult {
  readonly meters: number;
  readonly connected: number;
  readonly published: number;
  readonly verified: number;
  readonly refused: Readonly<Record<string, number>>;
  /** what went wrong, the first few */
  readonly failures: readonly string[];
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
}

interface FleetMeter extends LoadMeter {
  readonly socket: Socket;
  readonly id: string;
  seq: number;
  previous: Uint8Array;
  /** hash of the record that has no receipt yet, as hex, and when it was published */
  readonly open: Map<string, number>;
}

/** Addresses of the loopback network that the meters have (RFC 1122, section 3.2.1.3). */
const ADDRESSES = 16;
const FAILURES_MAX = 10;
const DAY_S = 86_400;
const RECEIPTS_MAX_S = 120;
const SUBSCRIBE_ID = 1;
const BIRTH_ID = 2;
const RECORD_ID = 3;

interface Fleet {
  readonly plan: FleetPlan;
  readonly genesis: Genesis;
  readonly tally: Tally;
  readonly meters: readonly FleetMeter[];
}

let fleet: Fleet | undefined;

async function carryOut(order: FleetOrder): Promise<FleetResult> {
  if (order.order === "burst") return publishAtOnce(fleet!);
  fleet = await join(order);
  return publishSpread(fleet);
}

/** Connects the meters and makes each known. */
async function join(order: FleetPlan): Promise<Fleet> {
  const genesis = verifyGenesis(order.genesis, nodeVerify);
  const authority = await readKeyFile(order.authority);
  const tally = createTally(genesis);
  const meters: FleetMeter[] = [];
  for (let index = 0; index < order.meters; index += 1) {
    meters.push(joinMeter(order, genesis, authority, order.first + index, tally));
    if (index % Math.ceil(order.connects_per_s / 20) === 0) await pause(50);
  }
  await waitFor(() => tally.ready === order.meters || tally.failures.length > 0, RECEIPTS_MAX_S);
  return { plan: order, genesis, tally, meters };
}

/** Each meter has its place in the period, and keeps it. */
async function publishSpread(spread: Fleet): Promise<FleetResult> {
  const { plan, meters } = spread;
  const period_ms = 1000 * plan.every_s;
  const timers = new Map<FleetMeter, NodeJS.Timeout>();
  for (const [index, meter] of meters.entries()) {
    const publish = () => publishNext(spread, meter);
    const begin = () => {
      timers.set(meter, setInterval(publish, period_ms));
      publish();
    };
    timers.set(meter, setTimeout(begin, (period_ms * index) / meters.length));
  }
  await pause(1000 * plan.seconds);
  for (const timer of timers.values()) clearTimeout(timer);
  return settle(spread);
}

/** As after a power cut, or where all have the same full minute. */
async function publishAtOnce(burst: Fleet): Promise<FleetResult> {
  const { tally, meters } = burst;
  tally.begin();
  // Signed before: a real fleet signs on its own processors.
  const packets = meters.map((meter) => signNext(burst, meter));
  for (const [index, meter] of meters.entries()) send(burst, meter, packets[index]!);
  const result = await settle(burst);
  tally.end();
  for (const { socket } of meters) socket.destroy();
  return result;
}

/** What came of it, once every receipt is here. */
async function settle({ tally, meters }: Fleet): Promise<FleetResult> {
  await waitFor(() => tally.verified === tally.published, RECEIPTS_MAX_S);
  const connected = meters.filter(({ socket }) => !socket.destroyed).length;
  const { published, verified, refused, failures } = tally;
  const latencies = summarise(Float64Array.from(tally.latencies_ms));
  return { meters: meters.length, connected, published, verified, refused, failures, ...latencies };
}

function createTally(genesis: Genesis) {
  const refused: Record<string, number> = {};
  const failures: string[] = [];
  const latencies_ms: number[] = [];
  /** blocks whose certificate was verified, by chain, height and header */
  const seals = new Set<string>();
  let over = false;
  return {
    ready: 0,
    published: 0,
    verified: 0,
    refused,
    failures,
    latencies_ms,
    fail(what: string) {
      if (!over && failures.length < FAILURES_MAX) failures.push(what);
    },
    /** What is published from here on counts by itself. */
    begin() {
      this.published = 0;
      this.verified = 0;
      latencies_ms.length = 0;
    },
    end() {
      over = true;
    },
    /** Verifies a receipt as a meter does. */
    onReceipt(meter: FleetMeter, bytes: Buffer) {
      const { receipt } = decodeSentReceipt(Uint8Array.from(bytes));
      const hash = toHex(receipt.recordHash);
      const published_ms = meter.open.get(hash);
      if (published_ms === undefined) return;
      verifyInclusionOf(receipt, genesis);
      const seal = `${receipt.chain}/${receipt.height}/${toHex(receipt.header)}`;
      if (!seals.has(seal)) verifySealOf(receipt, genesis, chainOf(genesis, receipt.chain)!.members, nodeVerify);
      seals.add(seal);
      meter.open.delete(hash);
      this.verified += 1;
      latencies_ms.push(performance.now() - published_ms);
    },
  };
}

type Tally = ReturnType<typeof createTally>;

function joinMeter(order: FleetPlan, genesis: Genesis, authority: Signer, number: number, tally: Tally): FleetMeter {
  const signer = signerFromSeed(generateMeterKey().seed);
  const kid = keyId(signer.key);
  const id = toHex(kid);
  const credential = credentialFor(order, genesis, authority, number, signer);
  const port = order.ports[number % order.ports.length]!;
  const socket = connect({
    host: order.host,
    port,
    localAddress: `127.0.0.${2 + (number % ADDRESSES)}`,
    noDelay: true,
  });
  const registers = REGISTERS_DEFAULT;
  const meter = {
    kid,
    credential,
    signer,
    registers,
    socket,
    id,
    seq: 0,
    previous: new Uint8Array(0),
    open: new Map(),
  };
  const receiptTopic = serviceTopic(genesis.network, order.service, "receipt", id);
  let pubacks: number[] = [];
  const reader = createPacketReader((type, body) => {
    if (type === packetTypes.connack && body[1] === 0) {
      socket.write(encodeSubscribe(SUBSCRIBE_ID, [receiptTopic, meterTopic(genesis.network, "ack", id)]));
    } else if (type === packetTypes.suback) {
      socket.write(encodePublish(meterTopic(genesis.network, "birth", id), BIRTH_ID, credential));
    } else if (type === packetTypes.puback && body.readUInt16BE(0) === BIRTH_ID) {
      tally.ready += 1;
    } else if (type === packetTypes.publish) {
      const { topic, packetId, payload } = readPublish(body);
      pubacks.push(packetId);
      if (topic.toString() === receiptTopic) return tally.onReceipt(meter, payload);
      const { reason } = decodeRefusal(Uint8Array.from(payload));
      tally.refused[reason] = (tally.refused[reason] ?? 0) + 1;
    }
  });
  socket.on("connect", () => socket.write(encodeConnect(id)));
  socket.on("error", (error) => tally.fail(`meter ${id}: ${error.message}`));
  socket.on("close", () => tally.fail(`meter ${id}: the node on port ${port} ended the connection`));
  socket.on("data", (chunk: Buffer) => {
    try {
      reader(chunk);
    } catch (thrown) {
      tally.fail(`meter ${id}: ${String(thrown)}`);
    }
    if (pubacks.length > 0) socket.write(encodePubacks(pubacks));
    pubacks = [];
  });
  return meter;
}

function credentialFor(order: FleetPlan, genesis: Genesis, authority: Signer, number: number, signer: Signer) {
  const now_s = Math.floor(Date.now() / 1000);
  const id = Buffer.alloc(8);
  id.writeUIntBE(number, 2, 6);
  const terms = {
    issuer: issuerName(genesis),
    subject: `fleet-${number}`,
    notBefore_s: now_s - DAY_S,
    expires_s: now_s + DAY_S,
    id: Uint8Array.from(id),
    key: signer.key,
    statusIndex: number,
    services: [order.service],
    roles: ["meter" as const],
  };
  return issueCredential(terms, authority);
}

function publishNext(fleet: Fleet, meter: FleetMeter): void {
  send(fleet, meter, signNext(fleet, meter));
}

/** The meter's next record in its packet. */
function signNext({ plan: { service }, genesis }: Fleet, meter: FleetMeter): Buffer {
  const record = nextRecord(meter, service, meter.seq, meter.previous, Math.floor(Date.now() / 1000));
  meter.previous = sha256(record);
  meter.seq += 1;
  return encodePublish(serviceTopic(genesis.network, service, "record", meter.id), RECORD_ID, record);
}

/** Sends what the meter has signed last. */
function send({ tally }: Fleet, meter: FleetMeter, packet: Buffer): void {
  meter.open.set(toHex(meter.previous), performance.now());
  tally.published += 1;
  meter.socket.write(packet);
}

async function waitFor(holds: () => boolean, seconds: number): Promise<void> {
  const until_ms = performance.now() + 1000 * seconds;
  while (!holds() && performance.now() < until_ms) await pause(50);
}

serveOrders(carryOut);
