// One node: a process that serves several chains over one store, one peer network, one ingest and one API. Composes the parts;
// what they do is theirs.

import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import type { Logger } from "pino";
import type { Anchor } from "../../src/wire/block.js";
import { equalBytes, toHex } from "../../src/wire/bytes.js";
import type { Genesis, Member } from "../../src/wire/genesis.js";
import { decodeKey, encodeKey, equalKeys, keyId, type Signer } from "../../src/wire/key.js";
import { serviceTopic } from "../../src/wire/topics.js";
import { createFile, readWhole } from "../authority/files.js";
import { readGenesisFile } from "../authority/genesis-file.js";
import { readKeyFile } from "../authority/key-file.js";
import { GridsealError, reasonOf } from "../errors.js";
import { lockFolder } from "../lock.js";
import { Busy, createAdmissions } from "./admissions.js";
import { createApi } from "./api/server.js";
import type { Chain } from "./chain/chain.js";
import { createGovernor, type Governor } from "./chain/governor.js";
import type { SealedBlock } from "./chain/sealer.js";
import { decodeResults, type Violation } from "./chain/violations.js";
import type { NodeConfiguration } from "./configuration.js";
import { localTimeouts } from "./consensus/types.js";
import { nodeVerify } from "./crypto.js";
import { decodeFrame } from "./frame.js";
import { createIngest } from "./ingest/create.js";
import { createIntroductions } from "./introductions.js";
import { createLog } from "./log.js";
import { createMetrics } from "./metrics.js";
import type { VerifyHello } from "./network/hello.js";
import type { TlsMaterial } from "./network/listener.js";
import { createPeerNetwork, defaultPeerLimits, type PeerAddress, type PeerNetwork } from "./network/peers.js";
import { submitOrder } from "./orders.js";
import { createReceipts, receiptsOf } from "./receipts.js";
import { createRunningChains, type RunningChains } from "./running-chains.js";
import { openStore, type Store } from "./store/store.js";
import { verifyAsync } from "./verifying.js";

const PEM_BYTES_MAX = 65_536;

export interface Node {
  readonly id: string;
  readonly mqttUrl: string;
  readonly apiPort: number;
  /** Takes the peers' addresses and the chains to follow from a changed configuration. Throws CONFIGURATION_INVALID. */
  reload(configuration: NodeConfiguration): void;
  /** Stops taking records, ends the chains and closes everything. */
  stop(): Promise<void>;
  /** Settles when the node stopped by itself: with the reason, a full disk or a damaged store. */
  readonly failed: Promise<unknown>;
}

interface Identity {
  readonly genesis: Genesis;
  readonly genesisBytes: Uint8Array;
  readonly signer: Signer;
  readonly self: Member;
}

/** Starts a node. Rejects with a GridsealError of the catalogue; nothing is left open then. */
export async function startNode(configuration: NodeConfiguration): Promise<Node> {
  const log = createLog(configuration);
  const identity = await readIdentity(configuration);
  await createDataFolder(configuration.data);
  const unlock = await lockFolder(configuration.data, "node");
  const closing: (() => unknown)[] = [unlock];
  const close = async () => {
    for (const step of closing.splice(0).reverse()) await step();
  };
  try {
    const store = await openOwnStore(configuration, identity);
    closing.push(() => store.close());
    return await compose(configuration, identity, store, log, closing, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function readIdentity(configuration: NodeConfiguration): Promise<Identity> {
  const { genesis, bytes: genesisBytes } = await readGenesisFile(configuration.genesis);
  const signer = await readKeyFile(configuration.key);
  const known = genesis.nodes.find((node) => equalKeys(node.key, signer.key));
  const self = known ?? { id: keyId(signer.key), key: signer.key, name: configuration.name };
  return { genesis, genesisBytes, signer, self };
}

async function compose(
  configuration: NodeConfiguration,
  identity: Identity,
  store: Store,
  log: Logger,
  closing: (() => unknown)[],
  close: () => Promise<void>,
): Promise<Node> {
  const { genesis, genesisBytes, signer, self } = identity;
  const selfId = toHex(self.id);
  const metrics = createMetrics();
  const receipts = createReceipts(genesis.network, store);
  const governor = createGovernor(genesis, store);
  const introductions = createIntroductions(genesis.network, store, (topic, payload) => {
    ingest.publish(topic, payload);
  });
  const timers = createTimers();
  /** Before ingest there is nobody to tell. */
  let serve = (): void => {};
  const running: RunningChains = createRunningChains({
    governor,
    store,
    self: self.id,
    portsOf: (chain) => {
      const scope = timers.scope(String(chain.service));
      return {
        genesis,
        chain,
        self,
        signer,
        store,
        governor,
        timeouts: localTimeouts,
        batch: configuration.batch,
        log: log.child({ chain: chain.name }),
        verify: nodeVerify,
        verifyAsync,
        now_ms: Date.now,
        monotonic_ms: () => performance.now(),
        setTimer: scope.set,
        clearTimer: scope.clear,
        peers: () => network.connected(),
        send: (node, frame) => void network.send(node, frame),
        anchors: () => anchorsBeside(chain.service, chains),
        onSealed: (sealed) => onSealed(sealed),
        onFatal: (error) => onFatal(error),
      };
    },
    onChain: () => serve(),
  });
  const { chains } = running;
  /** A node that only follows takes no records. */
  const servedServices = () => [...chains].flatMap(([service, chain]) => (chain.hasMember(selfId) ? [service] : []));
  running.follow(configuration.follow);
  let fail: (reason: unknown) => void;
  const failed = new Promise<unknown>((resolve) => {
    fail = resolve;
  });
  const onFatal = (error: unknown) => {
    log.error({ err: error }, "the node stops");
    running.stop();
    fail(error);
  };

  const network = createPeers(configuration, await readTls(configuration), identity, governor, chains, metrics, log);
  closing.push(() => network.close());
  const ingest = createIngest(configuration.mqtt, {
    network: genesis.network,
    node: selfId,
    services: servedServices(),
    handlers: {
      onRecord: (topic, payload, client) => admissions.onPublish(topic, payload, client),
      onNotice: (topic, payload, client) => admissions.onPublish(topic, payload, client),
      onRefused(reason, detail) {
        metrics.refused.inc({ reason });
        log.debug({ reason, detail }, "refused before it became a message");
      },
      onHandlerFailure: (error) => {
        if (!(error instanceof Busy)) onFatal(error);
      },
    },
    onConnection: (connected, detail) => log.info({ connected, detail }, "shared broker"),
  });
  serve = () => ingest.serve(servedServices());
  closing.push(() => ingest.close());
  const admissions = createAdmissions({
    genesis,
    store,
    chains,
    receipts,
    introductions,
    metrics,
    log,
    verify: nodeVerify,
    verifyAsync,
    now_ms: Date.now,
    isRevoked: (meter) => governor.current.revoked.has(meter),
    publish: (topic, payload, to) => void ingest.publish(topic, payload, to),
  });
  const own = configuration.mqtt;
  const api = createApi({
    name: configuration.name,
    genesis,
    genesisBytes,
    store,
    receipts,
    metrics,
    peersConnected: () => network.connected().length,
    chains: () =>
      [...chains].map(([service, { head, pendingRecords: pending }]) => {
        return { service, name: running.nameOf(service), head, pending };
      }),
    isWaiting: (service, kid, seq) => chains.get(service)?.isWaiting(kid, seq) ?? false,
    submitOrder: (bytes) => submitOrder({ genesis, governor, chains, verify: nodeVerify }, bytes),
  });
  closing.push(() => api.close());

  const onSealed = (sealed: SealedBlock) => {
    const { block, head } = sealed;
    if (sealed.handover !== undefined) {
      introductions.onChange(block.chain);
      serve();
    }
    const service = String(block.chain);
    metrics.sealed.inc({ service }, sealed.records.length);
    metrics.height.set({ service }, head.height);
    metrics.violations.set({ service }, head.counter);
    metrics.rounds.inc({ service }, block.certificate.round);
    publishReceipts(sealed, "url" in own ? self.id : undefined);
    if (sealed.orders.length > 0) running.onGoverned();
    api.broadcast({
      service: block.chain,
      height: head.height,
      header: toHex(head.headerHash),
      records: sealed.records.length,
      violations: head.counter,
      found: decodeResults(block.results).map(foundView),
      orders: sealed.orders.map((order) => order.number),
      time_ms: head.time_ms,
    });
  };

  /** To the meters that are connected here; over a shared broker, of the records that came here. */
  const publishReceipts = ({ block, tree, records }: SealedBlock, originOnly: Uint8Array | undefined) => {
    const encode = receiptsOf(block, tree);
    /** by meter; absent where nobody here is to receive it */
    const topics = new Map<string, string | undefined>();
    const topicOf = (meter: string) => {
      if (topics.has(meter)) return topics.get(meter);
      const topic = serviceTopic(genesis.network, block.chain, "receipt", meter);
      const wanted = ingest.hasSubscriber(topic) ? topic : undefined;
      topics.set(meter, wanted);
      if (wanted !== undefined) introductions.beforeReceipt(block.chain, meter, block.height);
      return wanted;
    };
    let leaf = 0;
    for (const batch of block.batches) {
      const mine = originOnly === undefined || equalBytes(batch.origin, originOnly);
      for (let index = 0; index < batch.records.length; index += 1) {
        leaf += 1;
        const { meter, hash } = records[leaf - 1]!;
        const topic = mine ? topicOf(meter) : undefined;
        if (topic !== undefined && ingest.publish(topic, encode(leaf, hash))) metrics.receipts.inc();
      }
    }
  };

  closing.push(
    () => timers.clear(),
    () => running.stop(),
  );
  await network.start();
  const apiPort = await listen(
    () => api.listen(configuration.api.host, configuration.api.port),
    "API",
    configuration.api.port,
  );
  // What can fail has not: from here on the node signs.
  running.start();
  const { url } = await ingest.start();
  log.info({ id: selfId, network: genesis.network, mqtt: url, api: apiPort, chains: [...chains.keys()] }, "node is up");
  const reload = ({ peers, follow }: NodeConfiguration) => {
    network.setPeers(addressesOf(peers));
    running.follow(follow);
    log.info({ peers: Object.keys(peers.addresses), follow }, "configuration is read again");
  };
  return { id: selfId, mqttUrl: url, apiPort, reload, stop: close, failed };
}

/** A violation as subscribers are told of it; the block has its proof. */
function foundView(violation: Violation) {
  return violation.kind === "equivocation"
    ? { kind: violation.kind, node: toHex(violation.node), height: violation.height }
    : { kind: violation.kind, meter: toHex(violation.meter), seq: violation.seq };
}

async function listen(start: () => Promise<number>, what: string, port: number): Promise<number> {
  try {
    return await start();
  } catch (cause) {
    throw new GridsealError("PORT_UNAVAILABLE", `${what} cannot listen on port ${port}: ${reasonOf(cause)}`, { cause });
  }
}

async function createDataFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw new GridsealError("FILE_UNWRITABLE", `folder ${path} cannot be made: ${reasonOf(cause)}`, { cause });
  }
}

/** The store, and beside the key the mark that it has signed: a store that is made anew afterwards has forgotten what. */
async function openOwnStore(configuration: NodeConfiguration, { genesis, self }: Identity): Promise<Store> {
  const mark = `${configuration.key}.used`;
  const keyHasSigned = existsSync(mark);
  const store = await openStore(configuration.data, { node: self.id, genesisHash: genesis.hash }, keyHasSigned);
  if (!keyHasSigned) await createFile(mark, "This key has signed for its node: keep the node's data folder.\n");
  return store;
}

async function readTls({ tls }: NodeConfiguration): Promise<TlsMaterial> {
  const read = async (path: string) => new TextDecoder().decode(await readWhole(path, PEM_BYTES_MAX));
  const [ca, cert, key] = await Promise.all([read(tls.ca), read(tls.certificate), read(tls.key)]);
  return { ca, cert, key };
}

function addressesOf({ addresses }: NodeConfiguration["peers"]): PeerAddress[] {
  return Object.entries(addresses).map(([id, address]) => ({ id, ...address }));
}

/** The network's authority has certified the id for the link; the key is the one that genesis or orders have for it, or else its own. */
function peerVerifier(governor: Governor): VerifyHello {
  return (id, encodedKey, bytes, signature) => {
    const key = decodeKey(encodedKey);
    const known = governor.current.nodes.get(id);
    const isOfId = known === undefined ? toHex(keyId(key)) === id : equalKeys(known.key, key);
    return isOfId && nodeVerify(key, bytes, signature);
  };
}

function createPeers(
  configuration: NodeConfiguration,
  tls: TlsMaterial,
  { genesis, signer, self }: Identity,
  governor: Governor,
  chains: ReadonlyMap<number, Chain>,
  metrics: ReturnType<typeof createMetrics>,
  log: Logger,
): PeerNetwork {
  const connected = new Set<string>();
  return createPeerNetwork({
    self: toHex(self.id),
    listen: configuration.peers.listen,
    peers: addressesOf(configuration.peers),
    tls,
    genesisHash: genesis.hash,
    limits: defaultPeerLimits,
    key: encodeKey(signer.key),
    sign: (bytes) => signer.sign(bytes),
    verify: peerVerifier(governor),
    async onMessage(id, bytes) {
      const frame = decodeFrame(bytes);
      const chain = frame === undefined ? undefined : chains.get(frame.chain);
      if (frame === undefined || chain === undefined) {
        metrics.peerFramesRefused.inc();
        return;
      }
      try {
        await chain.onFrame(id, frame);
      } catch (error) {
        metrics.peerFramesRefused.inc();
        log.warn(
          { peer: id, chain: frame.chain, kind: frame.kind, reason: reasonOf(error) },
          "peer's frame was dropped",
        );
      }
    },
    onPeer(id, isConnected) {
      if (isConnected) connected.add(id);
      else connected.delete(id);
      metrics.peers.set(connected.size);
      log.info({ peer: id, connected: isConnected }, "peer");
      if (isConnected) for (const chain of chains.values()) chain.onPeer(id);
    },
    onRefused(reason, detail) {
      metrics.peerConnectionsRefused.inc({ reason });
      // Whoever can reach the port can cause these: the counter tells, the log is not theirs to fill.
      log.debug({ reason, detail }, "peer connection refused");
    },
    onHandlerFailure: (id, error) => log.error({ peer: id, err: error }, "handling a peer's frame failed"),
  });
}

/** Newest sealed headers of the other chains here, ascending. */
function anchorsBeside(service: number, chains: ReadonlyMap<number, Chain>): Anchor[] {
  return [...chains]
    .filter(([other, chain]) => other !== service && chain.head.height > 0)
    .map(([chain, { head }]) => ({ chain, height: head.height, headerHash: head.headerHash }))
    .sort((left, right) => left.chain - right.chain);
}

/** Named one-shot timers, so that setting one again replaces it. */
function createTimers() {
  const timers = new Map<string, NodeJS.Timeout>();
  const clear = (name: string) => {
    clearTimeout(timers.get(name));
    timers.delete(name);
  };
  return {
    scope: (prefix: string) => ({
      set(name: string, delay_ms: number, callback: () => void) {
        const key = `${prefix}/${name}`;
        clear(key);
        timers.set(
          key,
          setTimeout(() => {
            timers.delete(key);
            callback();
          }, delay_ms),
        );
      },
      clear: (name: string) => clear(`${prefix}/${name}`),
    }),
    clear() {
      for (const name of [...timers.keys()]) clear(name);
    },
  };
}
