// One node: a process that serves several chains over one store, one peer network, one ingest and one API. Composes the parts;
// what they do is theirs.

import type { Logger } from "pino";
import { toHex } from "../../src/wire/bytes.js";
import { localTimeouts } from "../consensus/types.js";
import { nodeVerify } from "../crypto/signatures.js";
import { verifyAsync, verifyOfAnybody, verifyRecords, verifySoon } from "../crypto/verifying.js";
import { GridsealError, reasonOf } from "../errors.js";
import { lockFolder } from "../files/lock.js";
import { closeFolder } from "../files/private-files.js";
import { governedChain } from "../ledger/governance.js";
import { createApi } from "./api/server.js";
import { anchorsBeside } from "./chain/blocks/anchoring.js";
import type { SealedBlock } from "./chain/ports.js";
import { createGovernor } from "./chain/sealed-orders.js";
import type { NodeConfiguration } from "./configuration.js";
import { createAnnouncer } from "./ingest/announcer.js";
import { createIntroductions } from "./ingest/handovers.js";
import { createIngest } from "./ingest/open-ingest.js";
import { Busy, createAdmissions } from "./ingest/publications.js";
import { createReceipts } from "./ingest/receipts.js";
import type { FetchedChain } from "./level.js";
import { addressesOf, createPeerLinks } from "./network/chain-links.js";
import { type Identity, openOwnStore, readIdentity, readTls } from "./node-files.js";
import { createOrders } from "./orders.js";
import { createRunningChains, type RunningChains } from "./running-chains.js";
import { createTimers } from "./timers.js";
import { createHealthWatch, watchWrites } from "./watch/health-watch.js";
import { createLog } from "./watch/log.js";
import { createMetrics } from "./watch/metrics.js";

export interface Node {
  readonly id: string;
  readonly mqttUrl: string;
  readonly apiPort: number;
  /** How far each chain is, and what the other members have of it. */
  fetched(): readonly FetchedChain[];
  /** Takes the peers' addresses and the chains to follow from a changed configuration. Throws CONFIGURATION_INVALID. */
  reload(configuration: NodeConfiguration): void;
  /** Stops taking records, ends the chains and closes everything. */
  stop(): Promise<void>;
  /** Settles when the node stopped by itself: with the reason, a full disk or a damaged store. */
  readonly failed: Promise<unknown>;
}

/** Starts a node. Rejects with a GridsealError of the catalogue; nothing is left open then. */
export async function startNode(configuration: NodeConfiguration): Promise<Node> {
  const log = createLog(configuration);
  const identity = await readIdentity(configuration);
  await closeFolder(configuration.data);
  const unlock = await lockFolder(configuration.data, "node");
  const closing: (() => unknown)[] = [unlock];
  const close = async () => {
    for (const step of closing.splice(0).reverse()) await step();
  };
  try {
    const opened = await openOwnStore(configuration, identity);
    closing.push(() => opened.close());
    return await compose(configuration, identity, watchWrites(opened), log, closing, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function compose(
  configuration: NodeConfiguration,
  identity: Identity,
  { store, writes }: ReturnType<typeof watchWrites>,
  log: Logger,
  closing: (() => unknown)[],
  close: () => Promise<void>,
): Promise<Node> {
  const { genesis, genesisBytes, signer, self } = identity;
  const selfId = toHex(self.id);
  const metrics = createMetrics();
  const receipts = createReceipts(genesis.network, store);
  const governor = createGovernor(genesis, store);
  const introductions = createIntroductions(genesis.network, store, (topic, payload, to) => {
    ingest.publish(topic, payload, to);
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
        verifyRecords,
        now_ms: Date.now,
        monotonic_ms: () => performance.now(),
        setTimer: scope.set,
        clearTimer: scope.clear,
        peers: () => network.connected(),
        send: (node, frame) => void network.send(node, frame),
        unsent_bytes: (node) => network.unsent_bytes(node),
        charge: (node, work, amount) => network.charge(node, work, amount),
        anchors: () => anchorsBeside(chain.service, chains),
        onSealed: (sealed, waited_ms) => onSealed(sealed, waited_ms),
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
    // Of what was under way when the node was stopped: nobody waits for it.
    if (error instanceof GridsealError && error.code === "STORE_CLOSED") return;
    log.error({ err: error }, "the node stops");
    running.stop();
    fail(error);
  };

  const network = createPeerLinks(configuration, await readTls(configuration, selfId), {
    identity,
    governor,
    chains,
    onTwoRuns: (name) => health.onTwoRuns(name),
    onOrder: (from, bytes) => orders.onPassedOn(from, bytes),
    metrics,
    log,
  });
  closing.push(() => network.close());
  const orders = createOrders({
    self: selfId,
    genesis,
    governor,
    chains,
    verify: nodeVerify,
    connected: () => network.connected(),
    send: (node, frame) => network.send(node, frame),
    monotonic_ms: () => performance.now(),
  });
  const ingest = createIngest(configuration.mqtt, {
    network: genesis.network,
    node: selfId,
    services: servedServices(),
    handlers: {
      onPublish: (topic, payload, client) => admissions.onPublish(topic, payload, client),
      onRefused(reason, detail) {
        metrics.refused.inc({ reason });
        log.debug({ reason, detail }, "refused before it became a message");
      },
      onHandlerFailure: (error) => {
        if (error instanceof GridsealError) onFatal(error);
        // What a meter sent has caused anything else: it stays without PUBACK, and the node goes on.
        else if (!(error instanceof Busy)) log.error({ err: error }, "a publish could not be handled");
      },
    },
    onConnection: (connected, detail) => log.info({ connected, detail }, "shared broker"),
  });
  serve = () => ingest.serve(servedServices());
  closing.push(() => ingest.close());
  const admissions = createAdmissions({
    genesis,
    self: selfId,
    store,
    chains,
    receipts,
    introductions,
    metrics,
    log,
    verifyBirth: verifyOfAnybody,
    verifyRecord: verifySoon,
    now_ms: () => health.now_ms(),
    monotonic_ms: () => performance.now(),
    rate: configuration.rate,
    sealsService: (service) => governedChain(governor.current, service) !== undefined,
    isRevoked: (meter) => governor.current.revoked.has(meter),
    publish: (topic, payload, to) => void ingest.publish(topic, payload, to),
    addressOf: (client) => ingest.addressOf(client),
    isProved: (client, meter) => ingest.isProved(client, meter),
    onProved: (client, meter) => ingest.prove(client, meter),
  });
  const health = createHealthWatch({
    self: selfId,
    chains,
    nameOf: running.nameOf,
    connected: () => network.connected(),
    writes,
    folder: configuration.data,
    metrics,
    log,
  });
  closing.push(() => health.stop());
  const api = createApi(configuration.api, {
    name: configuration.name,
    genesis,
    genesisBytes,
    store,
    receipts,
    metrics,
    monotonic_ms: () => performance.now(),
    peersConnected: () => network.connected().length,
    health: () => health.verdict(),
    chains: () =>
      [...chains].map(([service, { head, pendingRecords: pending }]) => {
        return { service, name: running.nameOf(service), head, pending };
      }),
    isWaiting: (service, kid, seq) => chains.get(service)?.isWaiting(kid, seq) ?? false,
    submitOrder: orders.submit,
    onDamage({ message, remedy }) {
      log.error({ reason: message, remedy }, "somebody asked for what is damaged in the store");
      health.onDamage(`${message}. ${remedy}`);
    },
  });
  closing.push(() => api.close());

  const announce = createAnnouncer({
    network: genesis.network,
    metrics,
    introductions,
    ingest,
    recordsOf: "url" in configuration.mqtt ? self.id : undefined,
    broadcast: (event) => api.broadcast(event),
  });
  const onSealed = (sealed: SealedBlock, waited_ms: readonly number[]) => {
    for (const wait_ms of waited_ms) metrics.sealing.observe(wait_ms / 1000);
    if (sealed.handover !== undefined) {
      introductions.onChange(sealed.block.chain);
      serve();
    }
    health.onBlock({ time_ms: sealed.head.time_ms, isLive: sealed.isLive });
    admissions.onSealed(sealed);
    announce(sealed);
    if (sealed.orders.length === 0) return;
    running.onGoverned();
    network.onBans();
  };

  closing.push(
    () => timers.stop(),
    () => running.stop(),
  );
  await network.start();
  const apiPort = await listen(() => api.listen(), "API", configuration.api.port);
  // What can fail has not: from here on the node signs.
  running.start();
  const { url } = await ingest.start();
  log.info({ id: selfId, network: genesis.network, mqtt: url, api: apiPort, chains: [...chains.keys()] }, "node is up");
  const reload = ({ peers, follow }: NodeConfiguration) => {
    network.setPeers(addressesOf(peers));
    running.follow(follow);
    log.info({ peers: Object.keys(peers.addresses), follow }, "configuration is read again");
  };
  const stop = () => {
    log.info("node stops");
    return close();
  };
  const fetched = () =>
    [...chains].map(
      ([
        service,
        {
          head,
          standing: { members, claimed },
        },
      ]) => {
        const others = members.filter((member) => member !== selfId).length;
        return { name: running.nameOf(service), height: head.height, members: members.length, others, claimed };
      },
    );
  return { id: selfId, mqttUrl: url, apiPort, fetched, reload, stop, failed };
}

async function listen(start: () => Promise<number>, what: string, port: number): Promise<number> {
  try {
    return await start();
  } catch (cause) {
    throw new GridsealError("PORT_UNAVAILABLE", `${what} cannot listen on port ${port}: ${reasonOf(cause)}`, { cause });
  }
}
