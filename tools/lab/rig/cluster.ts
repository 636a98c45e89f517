// The cluster that is measured: a network made by the authority, and its nodes as processes of the
// `gridseal` command.

import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { defaultVerifiers } from "../../../src/wire/quorum.js";
import { paperServices } from "../../../src/wire/services.js";
import { CONTRACTS_SERVICE } from "../../ledger/governance.js";
import { modulePath } from "../../module-path.js";
import { type ChainPlan, createNetwork } from "../../provisioning/network.js";
import { type ChainState, chains as chainsRoute } from "../../routes/chains.js";
import { health } from "../../routes/health.js";
import { metrics as metricsRoute } from "../../routes/metrics.js";
import { askAnswer, askValue, bytesOf } from "../../sources/client.js";
import { freeBasePort, type ServerProcess, startServer, waitFor } from "./server-process.js";

export interface ClusterPlan {
  /** folder to make the network in; logs stand beside it */
  readonly folder: string;
  readonly nodes: number;
  readonly chains: number;
  readonly meters: number;
  /** members that verify a temporary block; as many as a network has where nobody says otherwise */
  readonly verifiers?: number | undefined;
  /**
   * Whether a few meters publish as fast as many thousands: nodes would refuse it of a household's.
   */
  readonly isLoad?: boolean;
  /** Whether there is a contracts chain, beside the others. */
  readonly isGoverned?: boolean;
  /** Whether it begins with the contracts that every network has; it has a contracts chain then. */
  readonly hasContracts?: boolean;
  /** folder for the first node's CPU profile */
  readonly profile?: string;
}

export interface ClusterNode extends ServerProcess {
  readonly mqttPort: number;
  readonly api: string;
  readonly dataFolder: string;
}

export interface Cluster {
  readonly network: string;
  readonly host: string;
  readonly services: readonly number[];
  /** of the members of each chain, those that verify a temporary block before it is sealed */
  readonly verifiers: number;
  /** the network's, as `gridseal init` makes it */
  readonly folder: string;
  readonly meterFolders: readonly string[];
  readonly genesis: Uint8Array;
  /** node.json of every node, whether it is started or not */
  readonly configurations: readonly string[];
  /**
   * Starts the nodes, or the first `count` of them, and waits until each is connected to all
   * others.
   */
  start(count?: number): Promise<void>;
  readonly nodes: readonly ClusterNode[];
  /** The chains of every node, once all tell the same. Throws where they do not come to. */
  agreedChains(): Promise<readonly ChainState[]>;
  /** Resolves once no node has anything left that it verifies when it has time. */
  allVerified(): Promise<void>;
  stop(): Promise<void>;
}

const HOST = "127.0.0.1";
const NETWORK = "bench";
const LOAD_RATE = { records_per_s: 1_000_000, burst: 1_000_000_000 };
const START_MAX_S = 60;
const AGREE_MAX_S = 30;
/** For what a node may have left to verify: 16 MiB of temporary blocks. */
const VERIFY_MAX_S = 120;
/** A line of /metrics that says there is some. */
const UNVERIFIED = /^gridseal_temporary_blocks_unverified\{.*\} [1-9]/m;
const PATIENCE_MS = 5_000;
const METRICS_BYTES_MAX = 1_048_576;

export async function createCluster(plan: ClusterPlan): Promise<Cluster> {
  const folder = join(plan.folder, "network");
  const numbers = Array.from({ length: plan.nodes }, (_, index) => index + 1);
  const basePort = await freeBasePort(numbers.flatMap((number) => [number, 100 + number, 200 + number]));
  const chains = planChains(plan.chains, numbers);
  const { verifiers, meters } = plan;
  const governed = plan.isGoverned || plan.hasContracts ? [...chains, contractsChain(numbers)] : chains;
  const network = {
    network: NETWORK,
    nodes: plan.nodes,
    chains: governed,
    meters,
    host: HOST,
    basePort,
    target: 0,
    verifiers,
    ...(plan.hasContracts && { hasContracts: true }),
  };
  const created = await createNetwork(folder, network, new Date());
  const nodes: ClusterNode[] = [];
  const configurations = created.nodes.map(({ name }) => join(folder, "nodes", name, "node.json"));
  if (plan.isLoad) for (const path of configurations) await allowLoad(path);
  return {
    network: NETWORK,
    host: HOST,
    services: chains.map(({ service }) => service),
    verifiers: Math.min(verifiers ?? defaultVerifiers(plan.nodes), plan.nodes),
    folder,
    meterFolders: created.meters.map(({ name }) => join(folder, "meters", name)),
    genesis: Uint8Array.from(await readFile(join(folder, "genesis.cbor"))),
    nodes,
    configurations,
    async start(count = plan.nodes) {
      for (const [index, { name }] of created.nodes.slice(0, count).entries()) {
        const home = join(folder, "nodes", name);
        const profiled =
          index === 0 && plan.profile !== undefined ? ["--cpu-prof", `--cpu-prof-dir=${plan.profile}`] : [];
        const args = [
          ...process.execArgv,
          ...profiled,
          modulePath("cli/gridseal"),
          "node",
          "run",
          configurations[index]!,
        ];
        const server = startServer(name, process.execPath, args, join(plan.folder, `${name}.log`));
        const ports = { mqttPort: basePort + 101 + index, api: `http://${HOST}:${basePort + 201 + index}` };
        nodes.push(Object.assign(server, { ...ports, dataFolder: join(home, "data") }));
      }
      await waitFor("every node is connected to all others", nodes, START_MAX_S, async () => {
        const peers = await Promise.all(nodes.map(({ api }) => connectedPeers(api)));
        return peers.every((connected) => connected === count - 1);
      });
    },
    async agreedChains() {
      let agreed: readonly ChainState[] = [];
      await waitFor("all nodes tell the same chains", nodes, AGREE_MAX_S, async () => {
        const told = await Promise.all(
          nodes.map(({ api }) => askValue(api, chainsRoute, { parameters: {}, patience_ms: PATIENCE_MS })),
        );
        agreed = told[0]!;
        return told.every((other) => fingerprint(other) === fingerprint(agreed));
      });
      return agreed;
    },
    async allVerified() {
      const hasNone = async ({ api }: ClusterNode) => {
        const answer = await askAnswer(api, metricsRoute, { parameters: {}, patience_ms: PATIENCE_MS });
        return !UNVERIFIED.test(new TextDecoder().decode(await bytesOf(answer, METRICS_BYTES_MAX)));
      };
      await waitFor("all nodes have verified what they stored", nodes, VERIFY_MAX_S, async () =>
        (await Promise.all(nodes.map(hasNone))).every((has) => has),
      );
    },
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}

async function allowLoad(path: string): Promise<void> {
  const document = JSON.parse(await readFile(path, "utf8"));
  await writeFile(path, `${JSON.stringify({ ...document, rate: LOAD_RATE }, null, 2)}\n`);
}

/** Bytes that a folder's files take on the disk, as du counts them. */
export async function diskUsage_bytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = entries.map(async (entry) => (await stat(join(entry.parentPath, entry.name))).blocks * 512);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

function planChains(count: number, nodes: readonly number[]): readonly ChainPlan[] {
  return Array.from({ length: count }, (_, index) => {
    const service = index + 1;
    return { service, name: paperServices.get(service) ?? `added-${service}`, nodes };
  });
}

function contractsChain(nodes: readonly number[]): ChainPlan {
  return { service: CONTRACTS_SERVICE, name: "contracts", nodes };
}

function fingerprint(chains: readonly ChainState[]): string {
  return JSON.stringify(chains.map(({ service, height, header, records }) => [service, height, header, records]));
}

/** Whatever the node's verdict on itself. */
async function connectedPeers(api: string): Promise<number> {
  return (await askValue(api, health, { parameters: {}, patience_ms: PATIENCE_MS })).peers;
}
