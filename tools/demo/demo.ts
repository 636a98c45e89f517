// The main job on one machine: node processes, meters in XS engines that emulated households or
// captured telegrams feed, and participants who sign operations. When it is stopped, everything published is sealed, counted and
// reported.

import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Block, decodeBlock } from "../../src/wire/block.js";
import type { Genesis } from "../../src/wire/genesis.js";
import { paperServices } from "../../src/wire/services.js";
import { nodeVerify } from "../crypto/signatures.js";
import { openPort } from "../emulators/port.js";
import { GridsealError } from "../errors.js";
import { readGenesisFile } from "../files/genesis-file.js";
import { type Meter, startMeter } from "../meters/meter.js";
import { parsePort } from "../meters/ports/port-configuration.js";
import { readNodeConfiguration } from "../node/configuration.js";
import { createNetwork } from "../provisioning/network.js";
import type { ChainSummary } from "../routes/chains.js";
import { openApiSource } from "../sources/api.js";
import type { ChainSource } from "../sources/source.js";
import { demoContracts } from "./community/contracts.js";
import { castOf, keepMeters, tellStory } from "./community/stage.js";
import { mixProtocols } from "./inputs.js";
import { type DemoParticipants, GUEST, makeParticipants, startParticipants } from "./participants.js";
import { type NodeProcess, runNode } from "./processes.js";
import { createTally, type Tally, type Totals } from "./tally.js";
import type { Picture, Screen } from "./view.js";

export interface DemoOptions {
  readonly nodes: number;
  readonly meters: number;
  /** folder to begin in, or to go on from; a temporary one where absent */
  readonly data: string | undefined;
  /** captured telegrams in place of the emulated households */
  readonly frames: string | undefined;
  readonly basePort: number;
}

export interface Report {
  readonly records: Totals;
  readonly chains: readonly { readonly service: string; readonly height: number; readonly records: number }[];
  readonly latency_ms: { readonly p50: number; readonly p99: number };
}

/** A service beside the paper's five, as any genesis may add. */
const addedServices = [[6, "charging"]] as const;
const HOST = "127.0.0.1";
const PICTURE_MS = 1_000;
/** How long what was published before the stop may take to be sealed. */
const RECEIPTS_MS_MAX = 60_000;
const READY_MS_MAX = 60_000;
/** A base port leaves room for the ports above it. */
const BASE_PORT_STEP = 400;
const BASE_PORT_TRIES = 20;

/**
 * Runs the demo until `until` resolves. Throws where it cannot start, or a node cannot be kept up.
 * `announce` gets the folder and the nodes' API addresses once the nodes are ready, and what is waited for when it is to stop.
 */
export async function runDemo(
  options: DemoOptions,
  screen: Screen,
  until: Promise<unknown>,
  announce: (lines: readonly string[]) => void,
): Promise<Report> {
  const folder = options.data ?? (await mkdtemp(join(tmpdir(), "gridseal-demo-")));
  try {
    await prepare(folder, options);
    return await run(folder, options, screen, until, announce);
  } finally {
    if (options.data === undefined) await rm(folder, { recursive: true, force: true });
  }
}

async function prepare(folder: string, options: DemoOptions): Promise<void> {
  if (existsSync(join(folder, "genesis.cbor"))) return;
  const nodes = Array.from({ length: options.nodes }, (_, index) => index + 1);
  const plan = {
    network: "demo",
    nodes: options.nodes,
    chains: [...paperServices, ...addedServices].map(([service, name]) => ({ service, name, nodes })),
    meters: options.meters,
    host: HOST,
    basePort: await freeBasePort(options),
    target: 0,
    ...{ hasContracts: true, contracts: demoContracts },
  };
  const now = new Date();
  const { meters } = await createNetwork(folder, plan, now);
  const services = plan.chains.map(({ service }) => service);
  await makeParticipants(folder, services, now);
  await keepMeters(folder, meters);
  const names = meters.map(({ name }) => name);
  await mixProtocols(folder, names, now);
}

async function run(
  folder: string,
  options: DemoOptions,
  screen: Screen,
  until: Promise<unknown>,
  announce: (lines: readonly string[]) => void,
): Promise<Report> {
  const { genesis } = await readGenesisFile(join(folder, "genesis.cbor"));
  const tally = createTally(genesis, nodeVerify);
  const meters = new Map<string, { meter: Meter; state: string; waiting: number }>();
  let giveUp: (error: GridsealError) => void = () => {};
  const broken = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  broken.catch(() => {});
  let isOver = false;
  const nodes = await startNodes(folder, giveUp);
  const sources = nodes.map(({ api }) => openApiSource(api));
  let participants: DemoParticipants | undefined;
  try {
    await Promise.race([whenReady(sources, () => isOver), broken]);
    announce([
      `look at it at ${nodes[0]!.api}/`,
      `data in ${folder}`,
      ...guestLines(folder, nodes[0]!.api),
      ...nodes.map(({ process, api }) => `${process.name}  ${api}`),
    ]);
    await startMeters(folder, options, tally, meters);
    const apis = nodes.map(({ api }) => api);
    participants = await startParticipants(folder, apis, tally, giveUp);
    const { ask } = participants;
    const cast = await castOf(folder);
    const telling =
      cast === undefined ? until : tellStory({ cast, genesis, folder, sources, ask, tell: screen.tell, until });
    await Promise.race([Promise.all([keepShowing(until), telling]), broken]);
    announce([stopping(tally.open)]);
    participants.pause();
    await Promise.all([...meters.values()].map(({ meter }) => meter.pauseMeter()));
    await Promise.race([allReceipted(), broken]);
    await participants.stop();
    for (const { meter } of meters.values()) await meter.stop();
    return await report(genesis, tally, sources);
  } finally {
    isOver = true;
    screen.end();
    await participants?.stop();
    for (const { meter } of meters.values()) await meter.stop();
    await Promise.all(nodes.map(({ process }) => process.stop()));
  }

  async function keepShowing(end: Promise<unknown>): Promise<void> {
    const started_ms = performance.now();
    let ended = false;
    const stop = end.then(() => {
      ended = true;
    });
    while (!ended && !isOver) {
      const chains = await anyChains(sources);
      screen.show(picture(Math.round((performance.now() - started_ms) / 1000), chains));
      await Promise.race([stop, delay(PICTURE_MS)]);
    }
  }

  async function allReceipted(): Promise<void> {
    const deadline_ms = performance.now() + RECEIPTS_MS_MAX;
    const isOpen = () =>
      tally.open + (participants?.open ?? 0) > 0 || [...meters.values()].some(({ waiting }) => waiting > 0);
    while (isOpen() && !isOver && performance.now() < deadline_ms) await delay(100);
  }

  function picture(elapsed_s: number, chains: readonly ChainSummary[]): Picture {
    return {
      elapsed_s,
      meters: [...meters].map(([name, { state }]) => ({ name, state })),
      nodes: nodes.map(({ process }) => ({
        name: process.name,
        pid: process.pid,
        restarts: process.restarts,
      })),
      chains,
      operations: participants?.signed ?? 0,
      published: tally.published,
      verified: tally.verified,
      open: tally.open,
      p50_ms: tally.latency_ms(50),
      p99_ms: tally.latency_ms(99),
    };
  }
}

/** Who is there for commands of one's own; nobody in the folder of an older demo. */
function guestLines(folder: string, api: string): string[] {
  const guest = join(folder, GUEST);
  if (!existsSync(guest)) return [];
  return [
    `try commands as a participant that the demo leaves to you: --as ${guest}`,
    `orders with the authority's key: --network ${folder} --api ${api}`,
  ];
}

/** What whoever has stopped it waits for, said at once. */
function stopping(open: number): string {
  const waited = `waits up to ${RECEIPTS_MS_MAX / 1_000} s until what was published is sealed and verified`;
  return `stops: ${waited}, ${open} under way; Ctrl-C again ends it at once`;
}

async function startNodes(folder: string, onGone: (error: GridsealError) => void) {
  const names = (await readdir(join(folder, "nodes"))).sort();
  const nodes: { readonly process: NodeProcess; readonly api: string }[] = [];
  for (const name of names) {
    const { api } = await readNodeConfiguration(join(folder, "nodes", name, "node.json"));
    const running = runNode(name, join(folder, "nodes", name), { program: process.argv[1]! }, onGone);
    nodes.push({ process: running, api: `http://${api.host}:${api.port}` });
  }
  return nodes;
}

async function startMeters(
  folder: string,
  { frames }: DemoOptions,
  tally: Tally,
  meters: Map<string, { meter: Meter; state: string; waiting: number }>,
): Promise<void> {
  for (const name of (await readdir(join(folder, "meters"))).sort()) {
    const shown = { state: "starting", waiting: 0 };
    const directory = join(folder, "meters", name);
    const meter = await startMeter({
      name,
      directory,
      adapt: (document) => withFrames(document, frames),
      openPort: (configured, onBytes, line) =>
        openPort(
          parsePort(configured),
          onBytes,
          (error) => {
            shown.state = error.message;
          },
          line,
        ),
      onState(state, counters) {
        shown.state = state;
        shown.waiting = counters.waiting ?? 0;
      },
      onTraffic: (direction, topic, payload) => tally.note(direction, topic, payload, performance.now()),
    });
    meters.set(name, Object.assign(shown, { meter }));
  }
}

/** Captured telegrams are P1, whatever the meter speaks otherwise. */
function withFrames(document: string, frames: string | undefined): string {
  if (frames === undefined) return document;
  const port = { kind: "file", path: frames, interval_ms: 1_000 };
  return JSON.stringify({ ...JSON.parse(document), meter: { protocol: "p1", port } });
}

/** Resolves when every node answers, or when nobody waits for that any more. */
async function whenReady(sources: readonly ChainSource[], isOver: () => boolean): Promise<void> {
  const deadline_ms = performance.now() + READY_MS_MAX;
  for (const source of sources) {
    while ((await chainsOf(source)) === undefined && !isOver()) {
      if (performance.now() > deadline_ms) {
        throw new GridsealError("NODE_UNREACHABLE", `${source.origin} did not come up in ${READY_MS_MAX / 1000} s`);
      }
      await delay(100);
    }
  }
}

async function chainsOf(source: ChainSource): Promise<readonly ChainSummary[] | undefined> {
  try {
    return await source.chains();
  } catch (error) {
    if (error instanceof GridsealError && error.code === "NODE_UNREACHABLE") return undefined;
    throw error;
  }
}

/** Of each chain the longest that a node has; nodes that are down are passed over. */
async function anyChains(sources: readonly ChainSource[]): Promise<ChainSummary[]> {
  const best = new Map<number, ChainSummary>();
  for (const chains of await Promise.all(sources.map(chainsOf))) {
    for (const chain of chains ?? []) {
      if (chain.height >= (best.get(chain.service)?.height ?? 0)) best.set(chain.service, chain);
    }
  }
  return [...best.values()].sort((left, right) => left.service - right.service);
}

async function report(genesis: Genesis, tally: Tally, sources: readonly ChainSource[]): Promise<Report> {
  const chains = await anyChains(sources);
  let isWhole = true;
  const blocks = blocksOf(genesis, sources, () => {
    isWhole = false;
  });
  const records = await tally.reconcile(blocks, () => isWhole);
  return {
    records,
    chains: chains.map(({ name, height, records: count }) => ({ service: name, height, records: count })),
    latency_ms: { p50: tally.latency_ms(50), p99: tally.latency_ms(99) },
  };
}

/**
 * The blocks of every chain, from the nodes in turn until one has given all that it has.
 * `onMissing` is told where none has, or a node does not answer, which may be the one that has
 * more.
 */
async function* blocksOf(
  genesis: Genesis,
  sources: readonly ChainSource[],
  onMissing: () => void,
): AsyncGenerator<Block> {
  for (const { service } of genesis.chains) {
    let height = 0;
    let isWhole = false;
    const answering = await longestFirst(service, sources);
    for (const source of answering) {
      try {
        for await (const bytes of source.blocks(service, height + 1)) {
          height += 1;
          yield decodeBlock(bytes);
        }
        isWhole = true;
        break;
      } catch (error) {
        if (!(error instanceof GridsealError && error.code === "NODE_UNREACHABLE")) throw error;
      }
    }
    if (!isWhole || answering.length < sources.length) onMissing();
  }
}

/** The nodes that answer, those with the most blocks of the chain first. */
async function longestFirst(service: number, sources: readonly ChainSource[]): Promise<readonly ChainSource[]> {
  const found: { readonly source: ChainSource; readonly height: number }[] = [];
  for (const source of sources) {
    const height = (await chainsOf(source))?.find((chain) => chain.service === service)?.height;
    if (height !== undefined) found.push({ source, height });
  }
  return found.sort((left, right) => right.height - left.height).map(({ source }) => source);
}

/** The wanted base port, or the next whose ports are all free. */
async function freeBasePort({ basePort, nodes }: DemoOptions): Promise<number> {
  for (let attempt = 0; attempt < BASE_PORT_TRIES; attempt += 1) {
    const base = basePort + attempt * BASE_PORT_STEP;
    const ports = Array.from({ length: nodes }, (_, index) =>
      [1, 101, 201].map((above) => base + above + index),
    ).flat();
    const free = await Promise.all(ports.map(isFree));
    if (!free.includes(false)) return base;
  }
  throw new GridsealError("PORT_UNAVAILABLE", `no free ports from ${basePort} on`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, HOST, () => server.close(() => resolve(true)));
  });
}

function delay(duration_ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, duration_ms));
}

/** The text of a capture, read once to say what is wrong with it before anything is started. */
export async function checkFrames(path: string): Promise<void> {
  try {
    await readFile(path);
  } catch (cause) {
    throw new GridsealError("FILE_UNREADABLE", `capture ${path} cannot be read`, { cause });
  }
}
