// The systems that are measured beside Gridseal where Debian's packages of them are installed: etcd
// with its default fsync, and JetStream with three replicas in files. Neither verifies a signature:
// their client does, once a record, or nobody.

import { accessSync, constants } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { freePorts, type ServerProcess, startServer, waitFor } from "../rig/server-process.js";
import { createStream } from "./jetstream-client.js";
import type { PeerName, PeerOrder, PeerResult } from "./peer-client.js";
import { startWorker } from "./worker.js";

export type PeerMeasurement = (PeerResult & { readonly inFlight: number }) | { readonly skipped: string };

export interface PeerPlan {
  readonly folder: string;
  readonly meters: readonly string[];
  readonly service: number;
  readonly warmup_s: number;
  readonly seconds: number;
  /** whether the client verifies each record once before it stores it */
  readonly isVerified: boolean;
}

const SERVERS = 3;
const IN_FLIGHT = 768;
const START_MAX_S = 60;
const programs = { etcd: "etcd", jetstream: "nats-server" } as const;

/**
 * Path of the program, looked for where Debian puts daemons too; undefined where it is not
 * installed.
 */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** Records a second that a cluster of three stores. */
export async function measurePeer(name: PeerName, plan: PeerPlan): Promise<PeerMeasurement> {
  const program = findProgram(programs[name]);
  if (program === undefined) return { skipped: `${programs[name]} is not installed` };
  const folder = join(plan.folder, plan.isVerified ? name : `${name}-unverified`);
  await mkdir(folder, { recursive: true });
  const ports = await freePorts(2 * SERVERS);
  const clientPorts = ports.slice(0, SERVERS);
  const servers = await (name === "etcd" ? startEtcd : startNats)(program, folder, clientPorts, ports.slice(SERVERS));
  const client = startWorker<PeerOrder, PeerResult | number>("peer-client");
  try {
    await client.ask({ order: "prepare", meters: plan.meters, service: plan.service });
    await (name === "etcd" ? awaitEtcd(servers, clientPorts) : awaitJetStream(servers, clientPorts));
    const { warmup_s, seconds, isVerified } = plan;
    const under = { ports: clientPorts, inFlight: IN_FLIGHT, warmup_s, seconds };
    const order = { order: "store", peer: name, isVerified, ...under } as const;
    return { ...((await client.ask(order)) as PeerResult), inFlight: IN_FLIGHT };
  } finally {
    await client.end();
    await Promise.all(servers.map((server) => server.stop()));
  }
}

async function startEtcd(
  program: string,
  folder: string,
  clientPorts: readonly number[],
  peerPorts: readonly number[],
): Promise<readonly ServerProcess[]> {
  const cluster = peerPorts.map((port, index) => `e${index}=http://127.0.0.1:${port}`).join(",");
  return clientPorts.map((port, index) => {
    const client = `http://127.0.0.1:${port}`;
    const peer = `http://127.0.0.1:${peerPorts[index]}`;
    const args = ["--name", `e${index}`, "--data-dir", join(folder, `e${index}`), "--log-level", "error"];
    args.push("--listen-client-urls", client, "--advertise-client-urls", client);
    args.push("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer);
    args.push("--initial-cluster", cluster, "--initial-cluster-state", "new");
    return startServer(`etcd ${index}`, program, args, join(folder, `e${index}.log`));
  });
}

async function awaitEtcd(servers: readonly ServerProcess[], ports: readonly number[]): Promise<void> {
  await waitFor("etcd is healthy", servers, START_MAX_S, async () => {
    const answers = ports.map((port) =>
      fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(2_000) }),
    );
    return (await Promise.all(answers)).every(({ ok }) => ok);
  });
}

async function startNats(
  program: string,
  folder: string,
  clientPorts: readonly number[],
  routePorts: readonly number[],
): Promise<readonly ServerProcess[]> {
  const routes = routePorts.map((port) => `"nats://127.0.0.1:${port}"`).join(", ");
  const servers = clientPorts.map(async (port, index) => {
    const configuration = [
      `server_name: n${index}`,
      `listen: "127.0.0.1:${port}"`,
      `jetstream { store_dir: "${join(folder, `n${index}`)}" }`,
      `cluster { name: bench, listen: "127.0.0.1:${routePorts[index]}", routes: [${routes}] }`,
    ];
    const path = join(folder, `n${index}.conf`);
    await writeFile(path, `${configuration.join("\n")}\n`);
    return startServer(`nats-server ${index}`, program, ["-c", path], join(folder, `n${index}.log`));
  });
  return Promise.all(servers);
}

async function awaitJetStream(servers: readonly ServerProcess[], ports: readonly number[]): Promise<void> {
  await waitFor("the stream is made", servers, START_MAX_S, async () => {
    await createStream(ports[0]!);
    return true;
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
