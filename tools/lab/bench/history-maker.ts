// A chain of many records, sealed by the chain code itself: a quorum of its members in this
// process, each over the store that its node will start from. Only what crosses between nodes, and
// verifying what was signed here a moment before, is left out.

import { join } from "node:path";
import { toHex } from "../../../src/wire/bytes.js";
import { chainOf, type Genesis, type Member } from "../../../src/wire/genesis.js";
import { sha256 } from "../../../src/wire/hash.js";
import type { Signer } from "../../../src/wire/key.js";
import { parseRecord } from "../../../src/wire/record.js";
import { localTimeouts } from "../../consensus/types.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { readKeyFile } from "../../files/key-file.js";
import { type Chain, createChain } from "../../node/chain/chain.js";
import { decodeFrame } from "../../node/chain/frame.js";
import { createGovernor } from "../../node/chain/sealed-orders.js";
import { credentials } from "../../node/chain/tables/credentials.js";
import { batchDefaults } from "../../node/configuration.js";
import { idKey } from "../../node/store/keys.js";
import { openStore } from "../../node/store/open-store.js";
import type { Store } from "../../node/store/store.js";
import { refuseContracts } from "../rig/no-contracts.js";
import { type LoadMeter, nextRecord, readLoadMeter } from "../rig/records.js";

export interface HistoryPlan {
  readonly service: number;
  /** folders of the nodes that seal; a quorum of the chain's members */
  readonly nodeFolders: readonly string[];
  readonly meterFolders: readonly string[];
  readonly records: number;
  /** how often progress is told */
  readonly every: number;
  onProgress(sealed: number): void;
}

interface Maker {
  readonly id: string;
  readonly store: Store;
  readonly chain: Chain;
}

interface Source {
  readonly meter: LoadMeter;
  readonly records: Generator<Uint8Array, void>;
  readonly maker: Maker;
}

/** Between two records of a meter, by its clock. */
export const RECORD_EVERY_S = 900;
/** One record of so many does not name the one before it: the chain holds that against its meter. */
const BROKEN_LINK_EVERY = 100;

/** Records that are not sealed yet, as many as a saturated cluster has. */
const UNDER_WAY = 6_400;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Resolves when all records are sealed at every maker and their stores are closed. */
export async function makeHistory(plan: HistoryPlan): Promise<void> {
  let fail: (reason: unknown) => void = () => undefined;
  let onSealed = (_records: number) => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const makers: Maker[] = [];
  const timers = new Map<string, NodeJS.Timeout>();
  const { genesis } = await readGenesisFile(join(plan.nodeFolders[0]!, "genesis.cbor"));
  const deliver = (from: string, to: string, frame: Uint8Array) => {
    const receiver = makers.find(({ id }) => id === to);
    if (receiver !== undefined) setImmediate(() => receiver.chain.onFrame(from, decodeFrame(frame)!).catch(fail));
  };
  for (const folder of plan.nodeFolders) {
    const signer = await readKeyFile(join(folder, "key.json"));
    const self = genesis.nodes.find((node) => toHex(node.key.x) === toHex(signer.key.x))!;
    const id = toHex(self.id);
    const store = await openStore(join(folder, "data"), { node: self.id, genesisHash: genesis.hash }, false);
    const chain = createMakerChain(plan.service, genesis, self, signer, store, {
      timers,
      peers: () => makers.map((maker) => maker.id).filter((other) => other !== id),
      send: (to, frame) => deliver(id, to, frame),
      onSealed: (records) => self === genesis.nodes[0] && onSealed(records),
      onFatal: fail,
    });
    makers.push({ id, store, chain });
  }
  for (const { chain } of makers) chain.start();
  const sources = await openSources(plan, makers);
  const done = new Promise<void>((resolve) => {
    onSealed = publishing(plan, sources, resolve, fail);
  });
  onSealed(0);
  await Promise.race([done, failed]);
  while (makers.some(({ chain }) => chain.head.records < plan.records)) await Promise.race([nextTurn(), failed]);
  for (const { chain } of makers) chain.stop();
  for (const timer of timers.values()) clearTimeout(timer);
  for (const { store } of makers) await store.close();
}

interface MakerPorts {
  readonly timers: Map<string, NodeJS.Timeout>;
  peers(): readonly string[];
  send(to: string, frame: Uint8Array): void;
  onSealed(records: number): void;
  onFatal(reason: unknown): void;
}

function createMakerChain(
  service: number,
  genesis: Genesis,
  self: Member,
  signer: Signer,
  store: Store,
  ports: MakerPorts,
): Chain {
  const timerOf = (name: string) => `${toHex(self.id)}/${name}`;
  return createChain({
    genesis,
    governor: createGovernor(genesis, store),
    chain: chainOf(genesis, service)!,
    self,
    signer,
    store,
    timeouts: localTimeouts,
    batch: batchDefaults,
    log: silent,
    verify: nodeVerify,
    verifyAsync: () => Promise.resolve(true),
    verifyRecords: () => Promise.resolve(true),
    verifyRecordsLater: () => Promise.resolve(true),
    runContracts: refuseContracts,
    onRunFault() {},
    onDisagreement: ports.onFatal,
    now_ms: Date.now,
    monotonic_ms: () => performance.now(),
    setTimer(name, delay_ms, callback) {
      clearTimeout(ports.timers.get(timerOf(name)));
      ports.timers.set(timerOf(name), setTimeout(callback, delay_ms));
    },
    clearTimer: (name) => clearTimeout(ports.timers.get(timerOf(name))),
    peers: ports.peers,
    send: ports.send,
    unsent_bytes: () => 0,
    charge() {},
    onDropped() {},
    anchors: () => [],
    onSealed: ({ head }) => ports.onSealed(head.records),
    onFatal: ports.onFatal,
  });
}

async function openSources(plan: HistoryPlan, makers: readonly Maker[]): Promise<Source[]> {
  const time_s = Math.floor(Date.now() / 1000);
  const perMeter = Math.ceil(plan.records / plan.meterFolders.length);
  const sources = plan.meterFolders.map((folder, index): Source => {
    const meter = readLoadMeter(folder);
    const records = recordsUntil(time_s, meter, { service: plan.service, count: perMeter });
    return { meter, records, maker: makers[index % makers.length]! };
  });
  for (const { store } of makers) {
    await store.write((writer) => {
      for (const { meter } of sources) writer.put(credentials, idKey(0, meter.kid), meter.credential);
    });
  }
  return sources;
}

/** The meter's records from number 0 on, the last of them at this time. */
function* recordsUntil(
  time_s: number,
  meter: LoadMeter,
  { service, count }: { readonly service: number; readonly count: number },
): Generator<Uint8Array, void> {
  let previous: Uint8Array = new Uint8Array(0);
  for (let seq = 0; seq < count; seq += 1) {
    const named = seq % BROKEN_LINK_EVERY === BROKEN_LINK_EVERY - 1 ? new Uint8Array(32) : previous;
    const record = nextRecord(meter, service, seq, named, time_s - (count - 1 - seq) * RECORD_EVERY_S);
    previous = sha256(record);
    yield record;
  }
}

/** Called with the records that are sealed: publishes as many more. */
function publishing(
  plan: HistoryPlan,
  sources: readonly Source[],
  onDone: () => void,
  onFailed: (reason: unknown) => void,
): (sealed: number) => void {
  let published = 0;
  let told = 0;
  return (sealed) => {
    while (told + plan.every <= sealed) {
      told += plan.every;
      plan.onProgress(told);
    }
    while (published < plan.records && published - sealed < UNDER_WAY) {
      const { records, maker } = sources[published % sources.length]!;
      const next = records.next();
      published += 1;
      if (next.done !== true) maker.chain.admit(parseRecord(next.value), undefined).catch(onFailed);
    }
    if (sealed >= plan.records) onDone();
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
