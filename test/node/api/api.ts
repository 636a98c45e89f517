// The API of a node over a simulated cluster, and raw connections to it, for its tests.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { decodeBlock } from "../../../src/wire/block.js";
import { keyId } from "../../../src/wire/key.js";
import { nodeCiphers } from "../../../tools/crypto/ciphers.js";
import { generateDeliveryKeys } from "../../../tools/crypto/hpke.js";
import { nodeVerify } from "../../../tools/crypto/signatures.js";
import { CONTRACTS_SERVICE } from "../../../tools/ledger/governance.js";
import { createBrokerHooks } from "../../../tools/node/admission/broker-hooks.js";
import type { ApiAdmission } from "../../../tools/node/api/access.js";
import { blockEvent } from "../../../tools/node/api/events/block-event.js";
import { createApi } from "../../../tools/node/api/server.js";
import { blocks } from "../../../tools/node/chain/tables/blocks.js";
import { apiDefaults, type NodeConfiguration } from "../../../tools/node/configuration.js";
import type { Submission, SubmittedRecord } from "../../../tools/node/ingest/publications.js";
import { createReceipts } from "../../../tools/node/ingest/receipts.js";
import { groupGrantRoutes } from "../../../tools/node/parts/disclosures/group-routes.js";
import { grantRoutes } from "../../../tools/node/parts/disclosures/routes.js";
import { createOrders } from "../../../tools/node/parts/orders/orders.js";
import { ordersRoute, submitOrderRoute } from "../../../tools/node/parts/orders/routes.js";
import { submitRecordRoute } from "../../../tools/node/parts/publications/routes.js";
import { brokerHookRoutes } from "../../../tools/node/parts/shared-broker/routes.js";
import { violationRoutes } from "../../../tools/node/parts/violations/routes.js";
import { type BlockKey, blockKey, heightIn } from "../../../tools/node/store/keys.js";
import type { Store } from "../../../tools/node/store/store.js";
import type { Verdict } from "../../../tools/node/watch/health.js";
import { createMetrics } from "../../../tools/node/watch/metrics.js";
import { createCluster, SERVICE } from "../chain/cluster.js";

/** The JSON that the API answers with. */
export async function jsonOf(response: Response): Promise<Record<string, unknown>> {
  return (await response.json()) as Record<string, unknown>;
}

/** The API of a node whose chain holds five records in blocks of its own; its clock stands until it is moved. */
export async function createNodeApi(
  t: TestContext,
  terms: Partial<NodeConfiguration["api"]> = {},
  admission: ApiAdmission = {
    isAsked: false,
    services: () => [SERVICE, CONTRACTS_SERVICE],
    readersOf: () => undefined,
    objection: () => undefined,
    judge: async () => assert.fail("no token is judged"),
  },
) {
  const cluster = await createCluster(1, 0, 1, [SERVICE, CONTRACTS_SERVICE]);
  const meter = await cluster.meter();
  const { chain, chains, governor, store } = cluster.nodes[0]!;
  const orders = createOrders({
    self: cluster.nodes[0]!.id,
    genesis: cluster.genesis,
    governor,
    chains,
    verify: nodeVerify,
    connected: () => [],
    send: () => false,
    monotonic_ms: () => 0,
  });
  /** Seals the meter's next record in a block of its own. */
  const sealNext = async () => {
    const records = chain.head.records + 1;
    await chain.admit(meter.next(), undefined);
    await cluster.until(() => chain.head.records === records, `record ${records} is sealed`);
  };
  for (let index = 1; index <= 5; index += 1) await sealNext();
  const damage: string[] = [];
  const submitted: SubmittedRecord[] = [];
  const answers: { next: Submission } = { next: { type: "busy", message: "nothing is taken yet" } };
  const defects: string[] = [];
  const verdict: { now: Verdict } = { now: { status: "pass", problems: [] } };
  const metrics = createMetrics();
  const log = { info() {}, warn() {}, debug() {}, error() {} };
  const clock = { now_ms: 0 };
  const api = createApi(
    { host: "127.0.0.1", port: 0, ...apiDefaults, ...terms },
    {
      name: "node-1",
      genesis: cluster.genesis,
      genesisBytes: cluster.genesisBytes,
      store,
      receipts: createReceipts(cluster.genesis.network, store),
      metrics,
      monotonic_ms: () => clock.now_ms,
      peersConnected: () => 0,
      health: () => verdict.now,
      chains: () =>
        [...chains].map(([service, { head }]) => ({
          ...{ service, head, pending: 0 },
          name: service === SERVICE ? "trading" : "contracts",
        })),
      isWaiting: (_service, _kid, seq) => seq === 99,
      routes: [
        ordersRoute(store),
        submitOrderRoute(orders.submit),
        ...grantRoutes({
          readersOf: admission.readersOf,
          disclosures: {
            ...{
              genesis: cluster.genesis,
              store,
              log,
              verify: nodeVerify,
              custody: generateDeliveryKeys(),
              ciphers: nodeCiphers,
            },
            ...{ signer: cluster.nodes[0]!.signer, self: keyId(cluster.nodes[0]!.signer.key) },
            nodeKey: () => undefined,
            membersOf: () => undefined,
            hasContract: () => true,
            connected: () => [],
            send() {},
            unsent_bytes: () => 0,
            charge() {},
            now_ms: Date.now,
            after: () => () => {},
          },
          receipts: createReceipts(cluster.genesis.network, store),
        }),
        ...groupGrantRoutes({
          disclosures: { store, hasContract: () => true, now_ms: Date.now, self: keyId(cluster.nodes[0]!.signer.key) },
          groups: { ask: () => assert.fail("no sums are asked for"), head_s: () => 0, computing: () => [] },
        }),
        ...violationRoutes({ store, services: () => [...chains.keys()] }),
        submitRecordRoute(async (record) => {
          submitted.push(record);
          return answers.next;
        }),
        ...brokerHookRoutes(
          createBrokerHooks({
            network: cluster.genesis.network,
            governance: () => governor.current,
            judge: admission.judge,
          }),
        ),
      ],
      admission,
      onDamage: ({ message }) => damage.push(message),
      onDefect: (route, { message }) => defects.push(`${route}: ${message}`),
    },
  );
  const port = await api.listen();
  const refused = async (reason: string): Promise<number> => {
    const { values } = await metrics.apiRefused.get();
    return values.find(({ labels }) => labels.reason === reason)?.value ?? 0;
  };
  t.after(async () => {
    await api.close();
    await cluster.close();
  });
  /** Tells subscribers as a node does. */
  const tell = (service: number) => {
    api.broadcast(blockEvent(decodeBlock(store.get(blocks, blockKey(service, chains.get(service)!.head.height))!)));
  };
  const seal = async () => {
    await sealNext();
    tell(SERVICE);
  };
  const base = `http://127.0.0.1:${port}`;
  const served = { cluster, meter, api, port, verdict, damage, defects, clock, refused, base, seal, tell };
  return { ...served, submitted, answers };
}

/** A connection that reads nothing until it is told to. */
export async function openUnread(t: TestContext, port: number, text = ""): Promise<Socket> {
  const socket = connect(port, "127.0.0.1").pause();
  socket.on("error", () => {});
  t.after(() => socket.destroy());
  await once(socket, "connect");
  socket.write(text);
  return socket;
}

/** All that comes on a connection, until the other side has ended it. */
export async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk)).resume();
  if (!socket.closed) await once(socket, "close");
  return Buffer.concat(chunks);
}

/** The status and head of what is answered to the bytes, on a connection of their own. */
export async function askRaw(t: TestContext, port: number, text: string): Promise<string> {
  const socket = await openUnread(t, port, text);
  return (await readAll(socket)).toString("latin1");
}

export function request(path: string, headers: readonly string[] = ["host: localhost"], method = "GET"): string {
  return `${[`${method} ${path} HTTP/1.1`, ...headers].join("\r\n")}\r\n\r\n`;
}

/** Waits for what must come in the end. */
export async function eventually(what: string, is: () => boolean | Promise<boolean>): Promise<void> {
  const until_ms = performance.now() + 20_000;
  while (!(await is())) {
    if (performance.now() > until_ms) throw new Error(`waited too long: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Makes a node's store answer for its blocks as `read` does; `otherwise` is what it would answer. */
export function replaceBlocks(
  store: Store,
  read: (height: number, otherwise: () => Uint8Array | undefined) => Uint8Array | undefined,
): void {
  const get = store.get.bind(store);
  Object.assign(store, {
    get(...args: Parameters<Store["get"]>) {
      const [table, key] = args;
      if ((table as unknown) !== blocks) return get(...args);
      return read(heightIn(key as BlockKey), () => get(...args) as Uint8Array | undefined);
    },
  });
}
