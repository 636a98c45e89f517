// A network of real node processes for the integration tests, and what its chains must show at the end of each.

import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import type { Signer } from "../../src/wire/key.js";
import { paperServices } from "../../src/wire/services.js";
import { readGenesisFile } from "../../tools/files/genesis-file.js";
import { readKeyFile } from "../../tools/files/key-file.js";
import { readNodeConfiguration } from "../../tools/node/configuration.js";
import type { FirstContract } from "../../tools/provisioning/contracts/founding.js";
import { createNetwork } from "../../tools/provisioning/network.js";
import { type ChainState, type ChainSummary, chains as chainsRoute } from "../../tools/routes/chains.js";
import { health } from "../../tools/routes/health.js";
import { metrics } from "../../tools/routes/metrics.js";
import { type StrangerChainReport, verifyExport } from "../wire/stranger.js";
import { CONTRACTS } from "../wire/stranger-orders.js";
import { isGoverned, verifyNewestReceipt } from "./lineages.js";
import { type Defer, gridseal, gridsealJson, PATIENCE_MS, program, type Running, start, until } from "./processes.js";
import { auditStores, exportOf, type StoppedNode, type StoredChains } from "./stores.js";

export interface TestNode {
  readonly name: string;
  readonly folder: string;
  readonly mqtt: { readonly host: string; readonly port: number };
  readonly peers: { readonly host: string; readonly port: number };
  readonly api: { readonly host: string; readonly port: number };
  /** the process, once it was started */
  readonly process: Running | undefined;
  /** Starts it, or starts it again, as the command built here or another; resolves when it answers. */
  start(command?: string): Promise<void>;
  stop(): Promise<void>;
  /** kill -9 */
  kill(): Promise<void>;
  chains(): Promise<readonly ChainState[]>;
  /** The sum of its counters of this name and labels. */
  counter(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
}

export interface TestNetwork {
  readonly folder: string;
  readonly network: string;
  readonly genesis: string;
  readonly genesisHash: Uint8Array;
  readonly authority: Signer;
  readonly nodes: readonly TestNode[];
}

const HOST = "127.0.0.1";
/** Below the ports that the system gives to connections of its own. */
const PORTS = { from: 11_000, step: 300, slots: 70 } as const;
/** Tests that run at the same time begin in different places. */
let nextSlot = 7 * process.pid;

/** A base for the ports of a network's nodes, all of them free; no other call gets it while this test process lives. */
export async function freeBasePort(nodes: number): Promise<number> {
  for (let attempt = 0; attempt < PORTS.slots; attempt += 1) {
    const base = PORTS.from + PORTS.step * (nextSlot++ % PORTS.slots);
    const ports = Array.from({ length: nodes }, (_, index) => [base + 1, base + 101, base + 201].map((p) => p + index));
    // Who holds the last port holds the others, though nobody listens there yet.
    const held = await listen(base + PORTS.step - 1);
    if (held === undefined) continue;
    const free = await Promise.all(ports.flat().map(isFree));
    if (!free.includes(false)) return base;
    held.close();
  }
  throw new Error("no free ports");
}

/** Whether nobody listens at the port. */
export async function isFree(port: number): Promise<boolean> {
  const server = await listen(port);
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  return server !== undefined;
}

/** A server on the port that keeps no process alive; undefined where the port is taken. */
function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer().unref();
    server.once("error", () => resolve(undefined));
    server.listen(port, HOST, () => resolve(server));
  });
}

/** Makes a network of nodes with the paper's chains, all nodes members of all. */
export async function makeNetwork(
  defer: Defer,
  folder: string,
  plan: { nodes: number; meters: number; contracts?: readonly FirstContract[] },
): Promise<TestNetwork> {
  const nodes = Array.from({ length: plan.nodes }, (_, index) => index + 1);
  await createNetwork(
    folder,
    {
      network: "trial",
      nodes: plan.nodes,
      chains: [...paperServices].map(([service, name]) => ({ service, name, nodes })),
      meters: plan.meters,
      ...(plan.contracts !== undefined && { hasContracts: true, contracts: plan.contracts }),
      host: HOST,
      basePort: await freeBasePort(plan.nodes),
      target: 0,
    },
    new Date(),
  );
  return openNetwork(defer, folder);
}

/** The option with READY of these nodes, which run the contract's vectors; `how` has the terms of its order. */
export async function readyOf(
  nodes: readonly Pick<TestNode, "folder">[],
  file: string,
  out: string,
  ...how: readonly string[]
): Promise<readonly string[]> {
  const named = nodes.flatMap(({ folder }) => ["--node", folder]);
  const { status, errors } = await gridseal("contract", "ready", file, ...named, ...how, "-o", out);
  assert.equal(status, 0, errors);
  return ["--ready", out];
}

/** The network in a folder, none of its nodes started. */
export async function openNetwork(defer: Defer, folder: string): Promise<TestNetwork> {
  const genesis = join(folder, "genesis.cbor");
  const { genesis: parsed } = await readGenesisFile(genesis);
  const names = (await readdir(join(folder, "nodes"))).sort();
  return {
    folder,
    network: parsed.network,
    genesis,
    genesisHash: parsed.hash,
    authority: await readKeyFile(join(folder, "authority/key.json")),
    nodes: await Promise.all(names.map((name) => openNode(defer, join(folder, "nodes", name), name))),
  };
}

/** One node of a network, not started. */
export async function openNode(defer: Defer, folder: string, name: string): Promise<TestNode> {
  const document = join(folder, "node.json");
  const { mqtt, peers, api } = await readNodeConfiguration(document);
  const url = `http://${api.host}:${api.port}`;
  let running: Running | undefined;
  const fetchText = async (path: string) => (await fetch(url + path)).text();
  return {
    name,
    folder,
    mqtt: "listen" in mqtt ? mqtt.listen : { host: HOST, port: 0 },
    peers: peers.listen,
    api,
    get process() {
      return running;
    },
    async start(command = program) {
      const started = start(defer, process.execPath, [command, "node", "run", document]);
      running = started;
      await until(`${name} answers`, async () => {
        if (!started.isRunning) throw new Error(`${name} ended: ${(await started.ended).errors}`);
        return fetchText(health.path).catch(() => undefined);
      });
    },
    async stop() {
      await running?.stop();
    },
    async kill() {
      running?.signal("SIGKILL");
      await running?.ended;
    },
    chains: async () => JSON.parse(await fetchText(chainsRoute.path)) as ChainState[],
    counter: async (metric, labels = {}) => counterIn(await fetchText(metrics.path), metric, labels),
  };
}

/** The sum of a metric over all that have at least these labels, in Prometheus' text format. */
export function counterIn(text: string, name: string, labels: Readonly<Record<string, string>>): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return text
    .split("\n")
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .filter((line) => wanted.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

/** Starts all nodes at once. */
export async function startNodes({ nodes }: TestNetwork): Promise<void> {
  await Promise.all(nodes.map((node) => node.start()));
}

/** Stops all nodes, in order as a user would; fails where one does not end well. */
export async function stopNodes({ nodes }: TestNetwork): Promise<void> {
  await Promise.all(nodes.map((node) => node.stop()));
  for (const node of nodes) {
    const outcome = await node.process?.ended;
    assert.equal(outcome?.status ?? 0, 0, `${node.name}: ${outcome?.errors}`);
  }
}

/** Waits until all nodes that run have the same newest block of every chain. */
export async function whenEqual({ nodes }: TestNetwork, patience_ms = PATIENCE_MS): Promise<readonly ChainState[]> {
  const running = nodes.filter((node) => node.process?.isRunning);
  return until(
    "nodes have the same chains",
    async () => {
      const all = await Promise.all(running.map((node) => node.chains().catch(() => [])));
      const heads = all.map((chains) => chains.map(({ service, header }) => `${service} ${header}`).join());
      return heads.every((head) => head !== "" && head === heads[0]) && all[0];
    },
    patience_ms,
  );
}

/** So many blocks at most come while one node after the other stops. */
const BEHIND_MAX = 3;

/** That a node's newest block is the one of its height that the node of the newest has in its folder. */
async function assertShortlyBehind(own: ChainSummary, newest: ChainSummary, data: string): Promise<void> {
  const { service, height, header, name } = own;
  assert.ok(
    newest.height - height <= BEHIND_MAX,
    `${name} is at ${height} on one node, at ${newest.height} on another`,
  );
  if (height === 0) return;
  const shown = await gridsealJson("chain", "show", String(height), "--service", String(service), "--data", data);
  assert.equal(
    (shown as { readonly header: { readonly hash: string } }).header.hash,
    header,
    `block ${height} of ${name}`,
  );
}

/**
 * What must hold of every network whose nodes have stopped: the audit of each node's store finds nothing, all nodes have the same blocks
 * but for the last few, which come while one node stops before the other, and a stranger who knows nothing but the genesis verifies the
 * export of every chain, those that orders have added included, and comes to what the audit comes to. Returns what the stranger has
 * read, by service.
 */
export async function verifyChains({
  folder,
  genesis,
  nodes,
}: Pick<TestNetwork, "folder" | "genesis"> & {
  readonly nodes: readonly StoppedNode[];
}): Promise<ReadonlyMap<number, StrangerChainReport>> {
  const stores = await auditStores(genesis, nodes);
  const newest = new Map<number, { readonly state: ChainSummary; readonly name: string }>();
  for (const [name, { chains }] of stores) {
    for (const state of chains) {
      const known = newest.get(state.service);
      if (known === undefined || known.state.height < state.height) newest.set(state.service, { state, name });
    }
  }
  for (const [name, { chains }] of stores) {
    for (const { state, name: other } of newest.values()) {
      const own = chains.find(({ service }) => service === state.service);
      assert.ok(own !== undefined, `${name} has no chain ${state.name}`);
      if (own.height < state.height) await assertShortlyBehind(own, state, stores.get(other)!.data);
      else assert.deepEqual(own, state, `${name} has other blocks than ${other}`);
    }
  }

  const genesisBytes = await readFile(genesis);
  const reports = new Map<number, StrangerChainReport>();
  const receipts = await mkdtemp(join(folder, "receipts-"));
  const sealed = [...newest.values()].filter(({ state }) => state.height > 0);
  // The contracts chain first: it has the orders that the others are judged by.
  const isContracts = ({ state }: (typeof sealed)[number]) => state.service === CONTRACTS;
  for (const { state, name } of [...sealed.filter(isContracts), ...sealed.filter((each) => !isContracts(each))]) {
    const { service } = state;
    const { data, reports: audited } = stores.get(name)!;
    const exported = await exportOf(data, genesis, service);
    const report = verifyExport(genesisBytes, exported, reports.get(CONTRACTS)?.orders);
    assertAgreed(
      report,
      audited.find((one) => one.service === service),
    );
    reports.set(service, report);
    if (isGoverned(report)) await verifyNewestReceipt(report, genesis, data, receipts);
  }
  return reports;
}

/** Fails unless the stranger and the command's audit have read the same from a chain. */
function assertAgreed(report: StrangerChainReport, audited: StoredChains["reports"][number] | undefined): void {
  const { chain, height, header, records, counter, orders } = report;
  const violations = Object.values(audited?.violations ?? {}).reduce((sum, count) => sum + count, 0);
  assert.deepEqual(
    [audited?.service, audited?.height, audited?.header, audited?.records, violations, audited?.orders],
    [chain, height, header, records.length, counter, chain === CONTRACTS ? orders.last : 0],
  );
}

/** Chains on which the demo's community plays, where who does not keep his word is in breach. */
const played = [1, 2, 3];

/** As `assertUnbroken`, of a demo, whose participants may be in breach. */
export function assertNumbered(reports: ReadonlyMap<number, StrangerChainReport>): void {
  const others = [...reports].map(([service, report]) =>
    played.includes(service) ? ([service, { ...report, counter: 0 }] as const) : ([service, report] as const),
  );
  assertUnbroken(new Map(others));
}

/** Fails unless every meter's records are on the chain from the first on, each once, and no violation is. */
export function assertUnbroken(reports: ReadonlyMap<number, StrangerChainReport>): void {
  for (const { chain, counter, records } of reports.values()) {
    assert.equal(counter, 0, `chain ${chain} has violations`);
    for (const [meter, seqs] of numbersOf(records)) {
      assert.deepEqual(
        seqs.sort((a, b) => a - b),
        [...seqs.keys()],
        `records of meter ${meter} on chain ${chain}`,
      );
    }
  }
}

/** The sequence numbers on a chain, by meter. */
export function numbersOf(records: StrangerChainReport["records"]): ReadonlyMap<string, number[]> {
  const numbers = new Map<string, number[]>();
  for (const { meter, seq } of records) numbers.set(meter, [...(numbers.get(meter) ?? []), seq]);
  return numbers;
}
