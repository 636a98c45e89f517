// `npm run fuzz`: four nodes' network of which three run and the fourth is this program, a member that sends changed messages, beside
// clients of MQTT and HTTP that do the same, orders with contracts among it. A contract runs for what participants ask. Meters must get their receipts all the while; no node may end, log an error or grow.
// The seed decides which changes are drawn; what they are applied to is partly the nodes' own traffic, which no seed decides.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { withSource } from "../../../src/wire/contract-order.js";
import { verifyGenesis } from "../../../src/wire/genesis.js";
import { parseOperation } from "../../../src/wire/operation.js";
import { issueOrder, readOrder } from "../../../src/wire/order.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { reasonOf } from "../../errors.js";
import { readNodeConfiguration } from "../../node/configuration.js";
import { createParticipant } from "../../provisioning/participant.js";
import { whole } from "../../terminal/arguments.js";
import { pairs, printLines, table } from "../../terminal/output.js";
import { endAllChildren } from "../rig/children.js";
import { type Cluster, createCluster } from "../rig/cluster.js";
import { installCounting } from "../rig/contracts/counting.js";
import { createRandom } from "../rig/random.js";
import { type LoadMeter, readLoadMeter, readLoadParticipant, signedOperations, signedRecords } from "../rig/records.js";
import { type HonestMeter, startHonestMeter } from "./honest.js";
import { createHttpSurface } from "./http-surface.js";
import { readMember } from "./member-links.js";
import { createMqttSurface } from "./mqtt-surface.js";
import { createPeerSurface, type PeerTarget } from "./peer-surface.js";
import { createStrangerSurface } from "./stranger-surface.js";
import type { Surface } from "./surface.js";
import { createWatch, type Watch } from "./watch.js";

interface FuzzOptions {
  readonly messages: number;
  readonly seed: number;
  readonly rssMax: number;
}

const NODES = 4;
const CHAINS = 2;
const HONEST_METERS = 3;
const HOSTILE_METERS = 6;
const HONEST_RECORDS = 20_000;
/** The first so many types of operations are a contract's. */
const OPERATION_TYPES = 16;
const HONEST_EVERY_MS = 500;
const LOOK_EVERY_MS = 1_000;
const PRINT_EVERY_MS = 30_000;
const FINISH_MAX_MS = 120_000;
const MEBIBYTE = 1_048_576;
/** The most that a node can be told to take of an address. */
const REQUESTS_S = 10_000;
const HOST = "127.0.0.1";

const program = new Command("fuzz")
  .description("send changed messages to running nodes over MQTT, HTTP and the links between nodes")
  .option("--messages <count>", "how many in all", whole(1, 1_000_000_000), 200_000)
  .option("--seed <number>", "decides the changes", whole(0, 4_294_967_295), 1)
  .option("--rss-max <MiB>", "memory that no node may exceed", whole(64, 65_536), 1_024)
  .exitOverride();

interface Attack {
  readonly surfaces: readonly Surface[];
  readonly honest: readonly HonestMeter[];
  readonly watch: Watch;
  readonly cluster: Cluster;
}

async function run(options: FuzzOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-fuzz-"));
  try {
    const attack = await prepare(folder, options);
    const started_ms = performance.now();
    await attackUntil(attack, options);
    await checkAll(attack, options, (performance.now() - started_ms) / 1000);
  } finally {
    await endAllChildren();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function prepare(folder: string, { seed }: FuzzOptions): Promise<Attack> {
  const meters = HONEST_METERS + HOSTILE_METERS;
  const cluster = await createCluster({ folder, nodes: NODES, chains: CHAINS, meters, isGoverned: true });
  // The first node limits its API as nodes do; the others take what comes, so that all of it gets to their routes.
  for (const path of cluster.configurations.slice(1)) await takeEveryRequest(path);
  const participants = [await makeParticipant(cluster)];
  await cluster.start(NODES - 1);
  const types = participants.flatMap((participant) => typesOf(participant, cluster.services[0]!));
  const order = await installCounting(cluster, { service: cluster.services[0]!, types });
  const hostile = cluster.meterFolders.slice(HONEST_METERS).map((meter) => readLoadMeter(meter));
  const [service] = cluster.services;
  const honest = await Promise.all(
    cluster.nodes.map((node, index) => {
      const address = { host: HOST, port: node.mqttPort };
      return startHonestMeter(cluster.meterFolders[index]!, cluster.network, service!, HONEST_RECORDS, address);
    }),
  );
  const member = await memberOf(cluster, hostile, participants);
  const peers = await createPeerSurface(member, createRandom(seed ^ 0x9e3779b9));
  const strangers = createStrangerSurface(member, member.peers);
  const sent = {
    meters: hostile.map(({ kid }) => toHex(kid)),
    orders: [order, ...foreignOrders(member, order)],
    records: member.records.map(({ record }) => record),
  };
  const surfaces = cluster.nodes.flatMap((node) => {
    const target = { network: cluster.network, services: cluster.services, meters: hostile, participants };
    const mqtt = { ...target, address: { host: HOST, port: node.mqttPort } };
    const api = { host: HOST, port: Number(new URL(node.api).port) };
    return [
      createMqttSurface(mqtt, `MQTT ${node.name}`),
      createHttpSurface({ address: api, ...sent }, `HTTP ${node.name}`),
    ];
  });
  const watch = createWatch(cluster.nodes.map((server) => ({ server, logPath: join(folder, `${server.name}.log`) })));
  return { surfaces: [...surfaces, peers, strangers], honest, watch, cluster };
}

/** Types of the operations that a participant is going to send, as many as one contract takes, ascending. */
function typesOf(participant: LoadMeter, service: number): readonly number[] {
  const operations = [...signedOperations(participant, service, OPERATION_TYPES, 1)].map(parseOperation);
  return operations.map(({ claims }) => claims.type).sort((one, other) => one - other);
}

/** What the order says, of later numbers and signed by a member, who is no authority. */
function foreignOrders({ genesis, signer }: PeerTarget, sealed: Uint8Array): Uint8Array[] {
  const { source = "", ...order } = readOrder(sealed);
  return [1, 2, 3].map((number) => withSource(issueOrder({ ...order, number }, genesis, signer), source));
}

/** A participant of the network, who signs operations. */
async function makeParticipant({ folder: network, services }: Cluster): Promise<LoadMeter> {
  const out = join(network, "participant");
  const plan = { network, id: "participant", role: "customer", services, algorithm: "ESP256", out } as const;
  await createParticipant(plan, new Date());
  return readLoadParticipant(out);
}

async function takeEveryRequest(path: string): Promise<void> {
  const document = JSON.parse(await readFile(path, "utf8")) as { readonly api: object };
  const api = { ...document.api, addressRequests_s: REQUESTS_S };
  await writeFile(path, JSON.stringify({ ...document, api }));
}

/** The member that did not start, as this program. */
async function memberOf(
  cluster: Cluster,
  meters: readonly LoadMeter[],
  participants: readonly LoadMeter[],
): Promise<PeerTarget> {
  const configuration = await readNodeConfiguration(cluster.configurations[NODES - 1]!);
  const now_s = Math.floor(Date.now() / 1000);
  const [service] = cluster.services;
  const recordsOf = (meter: LoadMeter, signed: typeof signedRecords) =>
    [...signed(meter, service!, 20, now_s)].map((record) => ({ meter, record }));
  return {
    ...(await readMember(verifyGenesis(cluster.genesis, nodeVerify), configuration)),
    records: [
      ...meters.flatMap((meter) => recordsOf(meter, signedRecords)),
      ...participants.flatMap((participant) => recordsOf(participant, signedOperations)),
    ],
  };
}

/** Every way in is used at once, each with a random source of its own, until the messages are sent or a node has taken harm. */
async function attackUntil({ surfaces, honest, watch }: Attack, options: FuzzOptions): Promise<void> {
  const total = () => surfaces.reduce((sum, { sent }) => sum + sent, 0);
  let over = false;
  const attackers = surfaces.map(async (surface, index) => {
    const random = createRandom(options.seed + 7_919 * index);
    while (!over && total() < options.messages) {
      const before = surface.sent;
      await surface.sendSome(random);
      // A node that takes nothing is left alone for a moment.
      if (surface.sent === before) await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  const publishing = setInterval(() => {
    for (const meter of honest) meter.publishNext();
  }, HONEST_EVERY_MS);
  const looking = setInterval(() => {
    if (watch.look().length > 0) over = true;
  }, LOOK_EVERY_MS);
  const printing = setInterval(() => printLines([progressOf(total(), watch, honest)]), PRINT_EVERY_MS);
  await Promise.all(attackers);
  for (const timer of [publishing, looking, printing]) clearInterval(timer);
}

function progressOf(total: number, watch: Watch, honest: readonly HonestMeter[]): string {
  const memory = watch.memory.map(({ now }) => Math.round(now / MEBIBYTE));
  const answered = honest.map(({ receipted, published }) => `${receipted}/${published}`);
  return `${total} messages, memory ${memory.join(" ")} MiB, receipts ${answered.join(" ")}, log ${Math.round(watch.logged_bytes / MEBIBYTE)} MiB`;
}

async function checkAll(attack: Attack, options: FuzzOptions, seconds: number): Promise<void> {
  const { surfaces, honest, watch, cluster } = attack;
  const finished = await Promise.all(honest.map((meter) => meter.finish(FINISH_MAX_MS)));
  const findings = [...watch.look(), ...honest.flatMap(({ problems }) => problems)];
  const memory_mib = watch.memory.map(({ most }) => Math.round(most / MEBIBYTE));
  if (finished.includes(false)) findings.push("a meter that did its work got no receipt for all of it");
  if (memory_mib.some((used) => used > options.rssMax)) findings.push(`a node used ${Math.max(...memory_mib)} MiB`);
  const chains = await cluster.agreedChains().catch((error: unknown) => {
    findings.push(reasonOf(error));
    return [];
  });
  for (const part of [...surfaces, ...honest]) await part.close();
  const sent = surfaces.reduce((sum, surface) => sum + surface.sent, 0);
  printLines([
    ...table(
      ["way in", "messages", "connections ended"],
      surfaces.map((surface) => [surface.name, surface.sent, surface.ended]),
    ),
    "",
    ...pairs([
      ["seed", options.seed],
      ["messages", sent],
      ["messages/s", Math.round(sent / seconds)],
      ["most memory of a node, MiB", memory_mib.join(" ")],
      ["receipts of records", honest.map(({ receipted, published }) => `${receipted}/${published}`).join(" ")],
      ["chains", chains.map(({ name, height, records }) => `${name}: ${height} blocks, ${records} records`).join("; ")],
      ["log, MiB", Math.round(watch.logged_bytes / MEBIBYTE)],
    ]),
    ...findings.map((finding) => `FOUND ${finding}`),
  ]);
  if (findings.length > 0) process.exitCode = 1;
}

try {
  await run(program.parse().opts<FuzzOptions>());
} catch (error) {
  if (!(error instanceof CommanderError)) process.stderr.write(`fuzz: ${reasonOf(error)}\n`);
  process.exitCode = error instanceof CommanderError ? error.exitCode : 1;
}
