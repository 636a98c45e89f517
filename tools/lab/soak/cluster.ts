// A network of real processes whose links, clocks, disks and broker can be disturbed: every link between nodes goes through a proxy,
// one node shares a mosquitto with its meters, one has a small disk of its own, all have a clock that can be set.

import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { paperServices } from "../../../src/wire/services.js";
import { type NodeProcess, runNode } from "../../demo/processes.js";
import { readNodeConfiguration } from "../../node/configuration.js";
import { createNetwork } from "../../provisioning/network.js";
import { freeBasePort, freePorts, type ServerProcess, startServer } from "../rig/server-process.js";
import { type LyingBroker, startLyingBroker } from "./lying-broker.js";
import { type LinkProxy, startProxy } from "./proxy.js";

const run = promisify(execFile);
const HOST = "127.0.0.1";
const program = fileURLToPath(new URL("../../../dist/tools/cli/gridseal.js", import.meta.url));
/** Room for a store that is a few minutes old, and not for much more. */
const SMALL_DISK_MIB = 96;
/** of the nodes, the one whose broker lies now and then */
const LYING_NODE = 1;

export interface SoakNode {
  readonly name: string;
  /** its folder */
  readonly home: string;
  readonly api: string;
  readonly process: NodeProcess;
  /** to the other nodes that it dials, and from those that dial it */
  readonly links: readonly LinkProxy[];
  /** Sets its wall clock off by so much. */
  setClock(offset_ms: number): Promise<void>;
  /** Makes each sync of its disk take so much longer. */
  slowDisk(delay_ms: number): Promise<void>;
}

export interface SoakCluster {
  readonly folder: string;
  readonly nodes: readonly SoakNode[];
  /** of a link between two nodes, whichever of them dials */
  linksBetween(one: number, other: number): readonly LinkProxy[];
  /** the data folder that stands on a small disk; undefined where none could be made */
  readonly smallDisk: { readonly node: number; readonly folder: string } | undefined;
  /** whether `setClock` and `slowDisk` do anything */
  readonly hasPreloads: boolean;
  readonly mosquitto: { kill(): Promise<void>; start(): void } | undefined;
  /** the first broker of every meter: it stands before the own one of the second node */
  readonly liar: LyingBroker;
  stop(): Promise<void>;
}

export async function startCluster(folder: string, nodes: number, meters: number): Promise<SoakCluster> {
  const network = join(folder, "network");
  const numbers = Array.from({ length: nodes }, (_, index) => index + 1);
  const basePort = await freeBasePort(numbers.flatMap((number) => [number, 100 + number, 200 + number]));
  const chains = [...paperServices].map(([service, name]) => ({ service, name, nodes: numbers }));
  const plan = { network: "soak", nodes, chains, meters, host: HOST, basePort, target: 0 };
  const created = await createNetwork(network, plan, new Date());
  const homes = created.nodes.map(({ name }) => join(network, "nodes", name));
  const undo: (() => unknown)[] = [];
  const links = await putProxiesBetween(
    homes,
    created.nodes.map(({ id }) => id),
  );
  const mosquitto = await shareBroker(folder, network, homes[0]!, `mqtt://${HOST}:${basePort + 101}`);
  const liar = await startLyingBroker({ host: HOST, port: basePort + LYING_NODE + 101 }, LYING_NODE);
  await editMeters(network, (brokers) => {
    const own = `mqtt://${HOST}:${basePort + LYING_NODE + 101}`;
    return [`mqtt://${HOST}:${liar.port}`, ...brokers.filter((broker) => broker !== own)];
  });
  const smallDisk = await mountSmallDisk(join(homes[nodes - 1]!, "data"), undo);
  const preloads = await Promise.all(["clock", "slow-disk"].map((name) => buildPreload(folder, name)));
  const hasPreloads = !preloads.includes(undefined);
  const running = await Promise.all(
    created.nodes.map(async ({ name }, index): Promise<SoakNode> => {
      const home = homes[index]!;
      const offset = join(home, "clock");
      const delay = join(home, "disk");
      await Promise.all([writeFile(offset, "0"), writeFile(delay, "0")]);
      const files = { GRIDSEAL_CLOCK_FILE: offset, GRIDSEAL_DISK_FILE: delay };
      const environment = hasPreloads ? { LD_PRELOAD: preloads.join(":"), ...files } : {};
      const { api } = await readNodeConfiguration(join(home, "node.json"));
      return {
        name,
        home,
        api: `http://${api.host}:${api.port}`,
        process: runNode(name, home, { program, environment, forEver: true }, () => {}),
        links: numbers.flatMap((_, other) => (other === index ? [] : [links[index]![other]!, links[other]![index]!])),
        setClock: (offset_ms) => writeFile(offset, String(offset_ms)),
        slowDisk: (delay_ms) => writeFile(delay, String(delay_ms)),
      };
    }),
  );
  return {
    folder: network,
    nodes: running,
    linksBetween: (one, other) => [links[one]![other]!, links[other]![one]!],
    smallDisk: smallDisk === undefined ? undefined : { node: nodes - 1, folder: smallDisk },
    hasPreloads,
    mosquitto,
    liar,
    async stop() {
      await Promise.all(running.map((node) => node.process.stop()));
      await liar.close();
      await mosquitto?.stop();
      for (const proxy of links.flat()) await proxy?.close();
      for (const step of undo) await step();
    },
  };
}

/** One proxy for every node and each other one that it may dial; node.json names them. */
async function putProxiesBetween(
  homes: readonly string[],
  ids: readonly string[],
): Promise<readonly (readonly (LinkProxy | undefined)[])[]> {
  const listens = await Promise.all(
    homes.map(async (home) => (await readNodeConfiguration(join(home, "node.json"))).peers.listen),
  );
  return Promise.all(
    homes.map(async (home, from) => {
      const proxies = await Promise.all(
        listens.map((listen, to) => (to === from ? undefined : startProxy(HOST, listen))),
      );
      await edit(join(home, "node.json"), (document) => {
        const peers = document.peers as { addresses: Record<string, unknown> };
        for (const [to, proxy] of proxies.entries()) {
          if (proxy !== undefined) peers.addresses[ids[to]!] = { host: HOST, port: proxy.port };
        }
      });
      return proxies;
    }),
  );
}

/** Puts a mosquitto in the place of one node's own broker; undefined where none is installed. */
async function shareBroker(folder: string, network: string, home: string, own: string) {
  const command = await findMosquitto();
  if (command === undefined) return undefined;
  const [port] = await freePorts(1);
  const url = `mqtt://${HOST}:${port}`;
  await edit(join(home, "node.json"), (document) => {
    document.mqtt = { url };
  });
  await editMeters(network, (brokers) => brokers.map((broker) => (broker === own ? url : broker)));
  const configuration = join(folder, "mosquitto.conf");
  await writeFile(configuration, `listener ${port} ${HOST}\nallow_anonymous true\nset_tcp_nodelay true\n`);
  let server: ServerProcess;
  const start = () => {
    server = startServer("mosquitto", command, ["-c", configuration], join(folder, "mosquitto.log"));
  };
  start();
  return {
    start,
    async kill() {
      const killed = server.stop();
      process.kill(server.pid, "SIGKILL");
      await killed;
    },
    stop: () => server.stop(),
  };
}

async function findMosquitto(): Promise<string | undefined> {
  for (const command of ["mosquitto", "/usr/sbin/mosquitto"]) {
    // It prints its version among its help, and ends with a status of its own.
    const known = await run(command, ["-h"]).then(
      () => true,
      (error: { readonly code?: unknown }) => error.code !== "ENOENT",
    );
    if (known) return command;
  }
  return undefined;
}

/** A file system in memory for one data folder, which wants root; undefined where it cannot be had. */
async function mountSmallDisk(folder: string, undo: (() => unknown)[]): Promise<string | undefined> {
  await mkdir(folder, { recursive: true });
  try {
    await run("mount", ["-t", "tmpfs", "-o", `size=${SMALL_DISK_MIB}m`, "gridseal", folder]);
  } catch {
    return undefined;
  }
  undo.push(() => run("umount", ["-l", folder]));
  return folder;
}

/** What is put in front of the C library; undefined where there is no compiler. */
async function buildPreload(folder: string, name: string): Promise<string | undefined> {
  const library = join(folder, `${name}.so`);
  const source = fileURLToPath(new URL(`${name}.c`, import.meta.url));
  try {
    await run("cc", ["-shared", "-fPIC", "-O2", "-o", library, source]);
    return library;
  } catch {
    return undefined;
  }
}

async function editMeters(network: string, change: (brokers: readonly string[]) => readonly string[]): Promise<void> {
  const meters = join(network, "meters");
  for (const name of await readdir(meters)) {
    await edit(join(meters, name, "configuration.json"), (document) => {
      document.brokers = change(document.brokers as string[]);
    });
  }
}

async function edit(path: string, change: (document: Record<string, unknown>) => void): Promise<void> {
  const document = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  change(document);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, JSON.stringify(document));
}
