// How long a meter's flash lasts: the agent itself runs through weeks of its clock as fast as this machine signs, every record is sealed
// and let go, and the sectors that it erases and the values that it replaces are counted.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Agent, type AgentInput, createAgent } from "../../src/agent/agent.js";
import { RESERVATION } from "../../src/agent/outbox.js";
import { DEFER_MS } from "../../src/agent/receipts.js";
import type { Flash, KeyValue } from "../../src/host.js";
import { toHex } from "../../src/wire/bytes.js";
import { parseRecord } from "../../src/wire/record.js";
import { parseTopic, serviceTopic } from "../../src/wire/topics.js";
import { signerFromSeed } from "../crypto/signatures.js";
import { createHousehold } from "../emulators/household.js";
import { p1Telegram } from "../emulators/p1-telegram.js";
import { nodeMeterCrypto } from "../meters/meter-crypto.js";
import { NvsPages } from "./nvs-pages.js";
import { createSealer, type Sealer } from "./sealer.js";

export interface WearPlan {
  /** how many services get a record of each telegram */
  readonly services: number;
  /** between telegrams */
  readonly every_s: number;
  /** of the outbox */
  readonly sectors: number;
  readonly telegrams: number;
}

export interface Wear {
  /** made, and let go by their verified receipts */
  readonly records: number;
  readonly sealed: number;
  /** of each sector of the outbox */
  readonly erases: readonly number[];
  /** bytes of each value that was replaced in the key-value store, by its key, in order */
  readonly values: readonly (readonly [key: string, bytes: number])[];
}

const NETWORK = "wear";
const SECTOR_BYTES = 4096;
const START_S = 1_790_000_000;
const REGISTERS = ["1-0:1.8.n", "1-0:2.8.n"];
const INPUTS_MAX = 1_000;
const DAY_S = 86_400;
/** Erases that the maker of a flash promises of each sector. */
const ERASES_MAX = 100_000;
const SERVICES = [1, 5] as const;
const SCHEDULES_S = [10, 900] as const;
/** The ring of the smallest board is run through more than once. */
const TURNS = 1.5;
const RECORDS_A_SECTOR_MAX = 14;
const RESERVATION_BYTES = 4;
/** What lives in NVS beside the reservations; a configuration has 1 to 4 kB. */
const KEPT_BYTES = { configuration: 4_000, seed: 32, credential: 300, settings: 200 } as const;
/** of each service, in the pages of NVS: enough that each page is erased many times */
const RESERVATIONS = 2_000;

interface Partitions {
  /** of the outbox */
  readonly sectors: number;
  /** of NVS */
  readonly pages: number;
}

/** Prints what a board's flash takes for a record every 10 s and every 15 min, and the years that it lasts. */
export function reportWear(folder: string): void {
  const boards = readdirSync(folder)
    .filter((name) => name.startsWith("flash-"))
    .map((name) => ({ name, ...partitionsIn(readFileSync(join(folder, name, "partitions.csv"), "utf8")) }));
  const sectors = Math.min(...boards.map((board) => board.sectors));
  for (const services of SERVICES) {
    const telegrams = Math.ceil((TURNS * sectors * RECORDS_A_SECTOR_MAX) / services);
    const wear = measureWear({ services, every_s: SCHEDULES_S[0], sectors, telegrams });
    const erases = wear.erases.reduce((sum, times) => sum + times, 0);
    console.log(
      `${services === 1 ? "one service" : `${services} services`}: ${wear.records} records, ${wear.sealed} let go, ${erases} sectors erased, ${wear.values.length} values replaced`,
    );
    for (const { name, pages, ...board } of boards) {
      const pageErases = worstPageErases(services, pages);
      for (const every_s of SCHEDULES_S) {
        const daily = (services * DAY_S) / every_s;
        const sector = (daily * erases) / wear.records / board.sectors;
        const page = (daily / RESERVATION) * pageErases;
        console.log(
          `  ${name}, every ${every_s} s: a sector of ${board.sectors} is erased ${sector.toFixed(3)} times a day, ${yearsOf(sector)}; ` +
            `the page of NVS that is erased most ${page.toFixed(3)} times, ${yearsOf(page)}`,
        );
      }
    }
  }
}

/** Erases of the page that is erased most, a reservation; beside the reservations live a configuration, the key and the credential. */
export function worstPageErases(services: number, pages: number): number {
  const nvs = new NvsPages(pages);
  for (const [key, bytes] of Object.entries(KEPT_BYTES)) nvs.set(key, bytes);
  for (let round = 0; round < RESERVATIONS; round++)
    for (let service = 1; service <= services; service++) nvs.set(`seq${service}`, RESERVATION_BYTES);
  return Math.max(...nvs.erases) / (RESERVATIONS * services);
}

/** The outbox's sectors and the pages of NVS in a partition table of ESP-IDF. Throws where it has none. */
export function partitionsIn(table: string): Partitions {
  const sectorsOf = (name: string): number => {
    const size = new RegExp(`^${name},[^,]*,[^,]*,[^,]*,\\s*(0x[0-9a-fA-F]+)`, "m").exec(table)?.[1];
    if (size === undefined) throw new Error(`the partition table has no ${name}`);
    return Number(size) / SECTOR_BYTES;
  };
  return { sectors: sectorsOf("outbox"), pages: sectorsOf("nvs") };
}

function yearsOf(daily: number): string {
  return `${Math.floor(ERASES_MAX / daily / 365)} years`;
}

/** Runs the agent on flash in memory. */
export function measureWear({ services, every_s, sectors, telegrams }: WearPlan): Wear {
  const chains = Array.from({ length: services }, (_, index) => index + 1);
  const sealer = createSealer(NETWORK, chains, 1);
  const flash = countingFlash(sectors);
  const stored = countingStore(sealer, chains);
  const agent = createAgent(configurationOf(sealer, chains, every_s), {
    keyValue: stored.keyValue,
    outboxFlash: flash.flash,
    random: (length) => new Uint8Array(length),
    crypto: nodeMeterCrypto,
  });
  if ("reason" in agent) throw new Error(`${agent.path} ${agent.reason}`);
  const household = createHousehold({ seed: 1, start_s: START_S });
  let counters = perform(agent, sealer, { kind: "started" }, 0);
  for (let telegram = 1; telegram <= telegrams; telegram++) {
    const uptime_s = telegram * every_s;
    const bytes = p1Telegram(household.step(START_S + uptime_s), "5.0");
    counters = { ...counters, ...perform(agent, sealer, { kind: "meterBytes", bytes }, uptime_s) };
  }
  // What is offered again for its receipt, and the last receipts' certificates, take a minute each.
  const ended_s = telegrams * every_s + (2 * DEFER_MS) / 1000;
  for (let uptime_s = telegrams * every_s + 1; uptime_s <= ended_s; uptime_s++) {
    counters = { ...counters, ...perform(agent, sealer, { kind: "timer" }, uptime_s) };
  }
  return { records: counters.appended!, sealed: counters.sealed!, erases: flash.erases, values: stored.values };
}

/** Gives an input to the agent, and to what it does the answers of a broker and a cluster; what it counted in the end. */
function perform(agent: Agent, sealer: Sealer, first: AgentInput, uptime_s: number): Readonly<Record<string, number>> {
  const moment = { uptime_ms: uptime_s * 1000, time_ms: (START_S + uptime_s) * 1000, quality: 2 } as const;
  const inputs: AgentInput[] = [first, { kind: "timer" }];
  let counters: Readonly<Record<string, number>> = {};
  for (let taken = 0; taken < inputs.length; taken++) {
    if (taken === INPUTS_MAX) throw new Error(`the agent comes to no rest after ${INPUTS_MAX} inputs`);
    for (const effect of agent.step(inputs[taken]!, { ...moment, uptime_ms: moment.uptime_ms + taken })) {
      if (effect.kind === "showState") counters = effect.counters;
      if (effect.kind === "connect") inputs.push({ kind: "mqttConnected", connection: effect.connection });
      if (effect.kind !== "publish") continue;
      const { connection, packetId, topic, payload } = effect;
      inputs.push({ kind: "mqttPublished", connection, packetId });
      const parsed = parseTopic(topic);
      if (parsed === undefined || parsed.kind !== "record") continue;
      const [receipt] = sealer.seal(parsed.service, [parseRecord(payload).stripped]);
      const answered = serviceTopic(NETWORK, parsed.service, "receipt", parsed.meter);
      inputs.push({ kind: "mqttMessage", connection, topic: answered, payload: receipt! });
    }
  }
  return counters;
}

function configurationOf(sealer: Sealer, chains: readonly number[], every_s: number): string {
  return JSON.stringify({
    version: 1,
    network: NETWORK,
    genesis: toHex(sealer.genesisBytes),
    brokers: ["mqtt://broker:1883"],
    meter: { protocol: "p1", port: null },
    schedule: chains.map((service) => ({ service, serviceId: 7, every_s, aligned: true, registers: REGISTERS })),
  });
}

function countingFlash(sectors: number): { readonly flash: Flash; readonly erases: readonly number[] } {
  const cells = new Uint8Array(sectors * SECTOR_BYTES).fill(0xff);
  const erases = new Array<number>(sectors).fill(0);
  const flash: Flash = {
    size: cells.length,
    sectorSize: SECTOR_BYTES,
    read: (offset, length) => cells.slice(offset, offset + length),
    write(offset, bytes) {
      for (let index = 0; index < bytes.length; index++) cells[offset + index]! &= bytes[index]!;
    },
    erase(offset) {
      cells.fill(0xff, offset, offset + SECTOR_BYTES);
      erases[offset / SECTOR_BYTES]! += 1;
    },
  };
  return { flash, erases };
}

function countingStore(sealer: Sealer, chains: readonly number[]) {
  const seed = new Uint8Array(32).fill(1);
  const credential = sealer.credential(signerFromSeed(seed).key, chains);
  const stored = new Map<string, Uint8Array>([
    ["seed", seed],
    ["credential", credential],
  ]);
  const values: (readonly [string, number])[] = [];
  const keyValue: KeyValue = {
    get: (key) => stored.get(key),
    set(key, value) {
      stored.set(key, value.slice());
      values.push([key, value.length]);
    },
    delete: (key) => void stored.delete(key),
  };
  return { keyValue, values };
}
