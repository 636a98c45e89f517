// One node: a process that serves several chains over one store, one peer network, one ingest and one API. Ties the parts to these
// from one configuration; what they do is theirs.

import { toHex } from "../../src/wire/bytes.js";
import { freshToken } from "../crypto/fresh-token.js";
import { GridsealError, reasonOf } from "../errors.js";
import { lockFolder } from "../files/lock.js";
import { closeFolder } from "../files/private-files.js";
import { type Api, createApi } from "./api/server.js";
import { admissionAt, fieldsForRestart, type NodeConfiguration, namesOf } from "./configuration.js";
import type { MissingOfChain } from "./disclosures/missing/missing.js";
import { openCustody, readIdentity } from "./identity.js";
import { Busy } from "./ingest/admission.js";
import type { Ingest } from "./ingest/ingest.js";
import { createIngest, type IngestTerms } from "./ingest/open-ingest.js";
import { addressesOf, createPeerLinks } from "./network/chain-links.js";
import type { TlsMaterial } from "./network/peer-listener.js";
import { openOwnStore, readBrokerTls, readTls } from "./node-files.js";
import { assertTables, framesOf, type RunningPart, routesOf, topicsOf } from "./part.js";
import { parts } from "./parts.js";
import { createServices, type NodeServices, servedServices } from "./services.js";
import type { FetchedChain } from "./store/level.js";
import { tables } from "./store/tables.js";
import { watchWrites } from "./watch/health-watch.js";
import { createLog } from "./watch/log.js";

export interface Node {
  readonly id: string;
  readonly mqttUrl: string;
  readonly apiPort: number;
  /** How far each chain is, and what the other members have of it. */
  fetched(): readonly FetchedChain[];
  /** What it lacks of what readings hide, of each chain that it is a member of. */
  missing(): readonly MissingHere[];
  /** Takes the peers' addresses and the chains to follow from a changed configuration. Throws CONFIGURATION_INVALID. */
  reload(configuration: NodeConfiguration): void;
  /** A changed configuration cannot be taken, for the reason. */
  keepConfiguration(reason: string): void;
  /** Stops taking records, ends the chains and closes everything. */
  stop(): Promise<void>;
  /** Settles when the node stopped by itself: with the reason, a full disk or a damaged store. */
  readonly failed: Promise<unknown>;
}

export interface MissingHere extends MissingOfChain {
  /** of the chain */
  readonly name: string;
}

/** What ends with a node, the last first. */
type Closing = (() => unknown)[];

/** Starts a node. Rejects with a GridsealError of the catalogue; nothing is left open then. */
export async function startNode(configuration: NodeConfiguration): Promise<Node> {
  const log = createLog(configuration);
  const identity = await readIdentity(configuration);
  await closeFolder(configuration.data);
  const unlock = await lockFolder(configuration.data, "node");
  const closing: Closing = [unlock];
  const close = async () => {
    for (const step of closing.splice(0).reverse()) await step();
  };
  try {
    const opened = await openOwnStore(configuration, identity);
    closing.push(() => opened.close());
    // Behind this nothing waits until the links stand: what looks after the node's health looks at them.
    const tls = await readTls(configuration, toHex(identity.self.id));
    const brokerTls = await readBrokerTls(configuration);
    const custody = await openCustody(configuration);
    const services = createServices(configuration, { ...identity, custody }, watchWrites(opened), log);
    const started = await start(services, { tls, brokerTls }, closing);
    const stop = () => {
      log.info("node stops");
      return close();
    };
    return { ...nodeOver(services), ...started, stop };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Makes the parts, what takes their frames, topics and routes, and starts all of it. */
async function start(
  services: NodeServices,
  { tls, brokerTls }: { readonly tls: TlsMaterial; readonly brokerTls: IngestTerms["tls"] },
  closing: Closing,
): Promise<Pick<Node, "mqttUrl" | "apiPort">> {
  const { configuration, identity, governor, chains, metrics, log, timers } = services;
  assertTables(parts, tables);
  const made = parts.map((part) => part.create(services));
  const links = createPeerLinks(configuration, tls, {
    ...{ identity, governor, chains, metrics, log },
    frames: framesOf(made),
    onTwoRuns: (name) => services.health.onTwoRuns(name),
  });
  services.links.open(links);
  closing.push(() => links.close());
  const ingest = ingestOf(services, made, brokerTls);
  services.ingest.open(ingest);
  closing.push(() => ingest.close());
  const api = apiOf(services, made);
  services.api.open(api);
  closing.push(() => api.close());
  services.sealing.open({
    onSealed(sealed, waited_ms) {
      for (const part of made) part.onSealed?.(sealed, waited_ms);
    },
  });
  closing.push(() => timers.stop(), ...made.map((part) => () => part.stop?.()));
  await links.start();
  const apiPort = await listen(() => api.listen(), "API", configuration.api.port);
  // What can fail has not: from here on the node signs.
  for (const part of made) await part.start?.();
  const { url } = await ingest.start();
  const { network, isTest } = identity.genesis;
  if (!services.governor.current.nodes.has(services.selfId)) {
    log.warn(
      { id: services.selfId, network },
      "this node's key is of no node of the network: it follows until an order admits it",
    );
  }
  log.info({ id: services.selfId, network, isTest, mqtt: url, api: apiPort, chains: [...chains.keys()] }, "node is up");
  return { mqttUrl: url, apiPort };
}

function nodeOver(services: NodeServices) {
  const { selfId, chains, running, links, log, failed, configuration, disclosures } = services;
  return {
    id: selfId,
    failed,
    reload(changed: NodeConfiguration) {
      const { peers, follow } = changed;
      links.to.setPeers(addressesOf(peers));
      running.follow(follow);
      log.info({ peers: Object.keys(peers.addresses), follow }, "configuration is read again");
      const fields = fieldsForRestart(configuration, changed);
      if (fields.length > 0)
        log.warn({ fields }, "these fields are others now: they count from the node's next start on");
    },
    keepConfiguration: (reason: string) => log.warn({ reason }, "the configuration stays as it was"),
    missing: () =>
      [...chains.keys()].flatMap((service) => {
        const missing = disclosures.missing.of(service);
        return missing === undefined ? [] : [{ name: running.nameOf(service), ...missing }];
      }),
    fetched: () =>
      [...chains].map(([service, { head, standing }]) => {
        const { members, claimed } = standing;
        const others = members.filter((member) => member !== selfId).length;
        return { name: running.nameOf(service), height: head.height, members: members.length, others, claimed };
      }),
  };
}

function ingestOf(services: NodeServices, made: readonly RunningPart[], tls: IngestTerms["tls"]): Ingest {
  const { configuration, identity, selfId, metrics, log, onFatal } = services;
  const topics = topicsOf(made);
  const { signer, genesis } = identity;
  return createIngest(configuration.mqtt, {
    ...{ tls, tokens: services.tokens },
    passwordFor: (url) => ({
      username: selfId,
      password: freshToken({ signer, genesis: genesis.hash }, url, Date.now()),
    }),
    network: identity.genesis.network,
    node: selfId,
    services: servedServices(services),
    handlers: {
      onPublish: async (topic, payload, client) => topics.get(topic.kind)?.take(topic, payload, client),
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
    onConnection(connected, detail) {
      log[connected ? "info" : "warn"]({ connected, detail }, "shared broker");
      services.health.onBroker(connected, detail);
    },
  });
}

function apiOf(services: NodeServices, made: readonly RunningPart[]): Api {
  const { configuration, identity, store, chains, running, links, health, receipts, metrics, log } = services;
  const { genesis, genesisBytes } = identity;
  return createApi(configuration.api, {
    name: configuration.name,
    ...{ genesis, genesisBytes, store, receipts, metrics },
    monotonic_ms: () => performance.now(),
    peersConnected: () => links.to.connected().length,
    health: () => health.verdict(),
    chains: () =>
      [...chains].map(([service, { head, unsealedRecords: pending }]) => {
        return { service, name: running.nameOf(service), head, pending };
      }),
    isWaiting: (service, kid, seq) => chains.get(service)?.isWaiting(kid, seq) ?? false,
    routes: routesOf(made),
    admission: {
      isAsked: admissionAt(configuration.api, configuration.api.admission) === "tokens",
      readersOf: services.readersOf,
      objection: services.tokens.objection,
      services: () => [...services.chains.keys()],
      judge: (token) => services.tokens.judge(token, namesOf(configuration.api, configuration.api.hosts)),
    },
    onDamage({ message, remedy }) {
      log.error({ reason: message, remedy }, "somebody asked for what is damaged in the store");
      health.onDamage(`${message}. ${remedy}`);
    },
    onDefect: (route, error) =>
      log.error({ route, reason: error.stack ?? error.message }, "a request failed: a defect"),
  });
}

async function listen(start: () => Promise<number>, what: string, port: number): Promise<number> {
  try {
    return await start();
  } catch (cause) {
    throw new GridsealError("PORT_UNAVAILABLE", `${what} cannot listen on port ${port}: ${reasonOf(cause)}`, { cause });
  }
}
