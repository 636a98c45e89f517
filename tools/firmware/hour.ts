// An hour of a simulated meter in a few minutes: a telegram a second, a record every ten seconds for each of five services, every record
// sealed by four keys, the connection lost halfway. What it takes of memory is what a meter takes.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import mqtt from "mqtt";
import { toHex } from "../../src/wire/bytes.js";
import { keyId } from "../../src/wire/key.js";
import { stripRecord } from "../../src/wire/record.js";
import { serviceTopic } from "../../src/wire/topics.js";
import { signerFromSeed } from "../crypto/signatures.js";
import { createHousehold } from "../emulators/household.js";
import { p1Telegram } from "../emulators/p1-telegram.js";
import { servePty } from "../emulators/serve.js";
import type { SimulatorBuild } from "./builds.js";
import { createSealer, type Sealer } from "./sealer.js";
import {
  type MemoryUse,
  type Simulator,
  type SimulatorMessage,
  type SimulatorSettings,
  startSimulator,
} from "./simulator.js";

const NETWORK = "hour";
const SERVICES = [1, 2, 3, 4, 5] as const;
const EVERY_S = 10;
/** A node seals what came within so long; simulated. */
const SEALING_MS = 1_000;
/** What is still on its way after the last telegram is waited for, by the world's clock. */
const SETTLING_MS = 120_000;
const LOOK_MS = 1_000;

export interface HourOptions {
  /** where the meter's folder is made */
  readonly folder: string;
  readonly broker: string;
  /** Takes the broker away and brings it back. */
  readonly interrupt: () => Promise<void>;
  /** how long, by the meter's clock */
  readonly minutes: number;
  /** how much faster than the world's its clock runs */
  readonly speed: number;
  /** of the meter; what the manifest states where it is left out */
  readonly memory?: Pick<SimulatorSettings, "poolBytes" | "stackSlots">;
}

export interface HourOutcome {
  /** records that the meter has made, and those whose receipts it has verified */
  readonly appended: number;
  readonly sealed: number;
  readonly counters: Readonly<Record<string, number>>;
  readonly use: MemoryUse;
  /** what it logged as errors, a failure of its own included */
  readonly errors: readonly string[];
}

/** Runs the hour. Throws where the meter ends before it. */
export async function runHour(build: SimulatorBuild, options: HourOptions): Promise<HourOutcome> {
  const { speed, memory } = options;
  const folder = join(options.folder, "meter");
  const sealer = createSealer(NETWORK, SERVICES);
  const start_s = Math.floor(Date.now() / 1000);
  const household = createHousehold({ seed: 1, start_s });
  let time_s = start_s;
  let telegrams: NodeJS.Timeout | undefined;
  const pty = await servePty((onBytes) => {
    telegrams = setInterval(() => onBytes(p1Telegram(household.step(++time_s), "5.0")), 1000 / speed);
    return { close: () => clearInterval(telegrams) };
  });
  const meter = await provision(folder, sealer, options.broker, pty.path);
  const cluster = await startCluster(sealer, options.broker, meter, SEALING_MS / speed);
  const errors: string[] = [];
  let use: MemoryUse | undefined;
  const onMessage = (message: SimulatorMessage): void => {
    if ("use" in message) use = message.use;
    else if (isError(message)) errors.push(message.message);
  };
  const simulator = startSimulator(build, folder, onMessage, { speed, ...memory });
  try {
    const half_ms = (options.minutes * 30_000) / speed;
    await passes(simulator, half_ms, errors);
    await options.interrupt();
    await passes(simulator, half_ms, errors);
    clearInterval(telegrams);
    const settled_ms = performance.now() + SETTLING_MS;
    do await passes(simulator, LOOK_MS, errors);
    while ((simulator.counters.waiting ?? 0) > 0 && performance.now() < settled_ms);
    simulator.send("use");
    while (use === undefined) await passes(simulator, LOOK_MS, errors);
    const { appended = 0, sealed = 0 } = simulator.counters;
    return { appended, sealed, counters: simulator.counters, use, errors };
  } finally {
    await simulator.kill();
    await pty.close();
    await cluster.close();
  }
}

function isError(message: SimulatorMessage): message is { readonly level: "error"; readonly message: string } {
  return "level" in message && message.level === "error";
}

async function passes(simulator: Simulator, delay_ms: number, errors: readonly string[]): Promise<void> {
  const ended = await Promise.race([
    simulator.ended.then((status) => ({ status })),
    new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), delay_ms)),
  ]);
  if (ended !== undefined) throw new Error(`the meter ended with status ${ended.status}: ${errors.join("; ")}`);
}

/** Makes the meter's folder; its id as topics write it. */
async function provision(folder: string, sealer: Sealer, broker: string, device: string): Promise<string> {
  const seed = Uint8Array.from({ length: 32 }, (_, index) => index);
  const { key } = signerFromSeed(seed);
  await mkdir(join(folder, "keyvalue"), { recursive: true });
  await writeFile(join(folder, "keyvalue/seed"), seed);
  await writeFile(join(folder, "keyvalue/credential"), sealer.credential(key, SERVICES));
  const configuration = {
    version: 1,
    network: NETWORK,
    genesis: toHex(sealer.genesisBytes),
    brokers: [broker],
    meter: { protocol: "p1", port: { kind: "serial", path: device, baud: 115_200, parity: "none" } },
    schedule: SERVICES.map((service) => ({
      service,
      serviceId: 7,
      every_s: EVERY_S,
      aligned: true,
      registers: ["1-0:1.8.n", "1-0:2.8.n", "1-0:1.7.0", "1-0:2.7.0"],
      ...(service === 3 && { confidential: [{ label: "phases", registers: ["1-0:31.7.0", "1-0:51.7.0"] }] }),
    })),
  };
  await writeFile(join(folder, "configuration.json"), JSON.stringify(configuration));
  return toHex(keyId(key));
}

/** Four keys behind a broker that seal what comes, a block a chain and interval, and answer with receipts. */
async function startCluster(sealer: Sealer, broker: string, meter: string, sealing_ms: number) {
  const client = await mqtt.connectAsync(broker, { reconnectPeriod: 50, protocolVersion: 4 });
  const waiting = new Map<number, Map<string, Uint8Array>>(SERVICES.map((service) => [service, new Map()]));
  const receipts = new Map<string, Uint8Array>();
  const seal = (): void => {
    for (const [service, records] of waiting) {
      if (records.size === 0) continue;
      const sealed = sealer.seal(service, [...records.values()]);
      [...records.keys()].forEach((hex, index) => {
        receipts.set(hex, sealed[index]!);
        client.publish(serviceTopic(NETWORK, service, "receipt", meter), Buffer.from(sealed[index]!), { qos: 1 });
      });
      records.clear();
    }
  };
  client.on("message", (topic, payload) => {
    const service = Number(topic.split("/")[2]);
    const record = stripRecord(new Uint8Array(payload));
    const hex = toHex(record.subarray(-64)); // its signature
    const known = receipts.get(hex);
    if (known === undefined) waiting.get(service)!.set(hex, record);
    else client.publish(serviceTopic(NETWORK, service, "receipt", meter), Buffer.from(known), { qos: 1 });
  });
  await client.subscribeAsync(`gs1/${NETWORK}/+/record/${meter}`, { qos: 1 });
  const timer = setInterval(seal, sealing_ms);
  return {
    async close() {
      clearInterval(timer);
      await client.endAsync(true);
    },
  };
}
