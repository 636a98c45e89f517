// What the firmware takes of a chip's time: the instructions of what it does, counted on an emulated RV32 (hosts/counter). The limits are
// in manifest.json; more fails. How many cycles an instruction takes on a chip, from its flash, nothing here can tell.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { toHex } from "../../src/wire/bytes.js";
import { keyId } from "../../src/wire/key.js";
import { stripRecord } from "../../src/wire/record.js";
import { serviceTopic } from "../../src/wire/topics.js";
import { signerFromSeed } from "../crypto/signatures.js";
import { createHousehold } from "../emulators/household.js";
import { p1Telegram } from "../emulators/p1-telegram.js";
import { root } from "./builds.js";
import type { Signatures } from "./compile.js";
import { type Answer, buildCounter, type Counter, startCounter } from "./counter.js";
import { createSealer, type Sealer } from "./sealer.js";
import type { Sdk } from "./sdk.js";

const NETWORK = "instructions";
const EVERY_S = 10;
/** As a port's ring gives them to the agent (hosts/shared/serial-port.ts). */
const PIECE_BYTES = 256;
const MESSAGE_BYTES = 200;
/** The first minute brings the engine's memory to its size. */
const WARM_S = 60;
const MEASURED_S = 120;
const SEALING_MS = 500;
const MILLION = 1_000_000;

/** Millions of instructions. */
export interface Instructions {
  readonly boot: number;
  /** the key from its seed */
  readonly key: number;
  /** with its key expanded */
  readonly signature: number;
  readonly check: number;
  /** the median of those that no record is made of */
  readonly telegram: number;
  /** what a telegram takes more with it */
  readonly record: number;
  /** with what comes after it, over all receipts */
  readonly receipt: number;
  readonly longestStep: number;
  readonly tenSeconds: number;
}

export type InstructionLimits = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Prints what was counted, with one service and with five, and throws where anything is over its limit. */
export async function reportInstructions(sdk: Sdk, signatures: Signatures, libsodium?: string): Promise<void> {
  const { config } = JSON.parse(await readFile(join(root, "manifest.json"), "utf8")) as {
    config: { instructions: InstructionLimits };
  };
  const program = await buildCounter(sdk, signatures, libsodium);
  const over: string[] = [];
  for (const services of [1, 5]) {
    const found = await measure(program, services);
    const limits = config.instructions[`${signatures}${services}`] ?? {};
    for (const { what, millions, limit } of rowsOf(found, limits)) {
      console.log(`${services} services, ${signatures}, ${what}: ${millions.toFixed(1)} of at most ${limit} million`);
      if (millions > limit) over.push(`${what} with ${services} services`);
    }
  }
  if (over.length > 0) throw new Error(`over the limit: ${over.join(", ")}`);
}

export interface InstructionRow {
  readonly what: string;
  readonly millions: number;
  readonly limit: number;
}

/** What was counted beside its limits. Throws where one is not stated. */
export function rowsOf(found: Instructions, limits: Readonly<Record<string, number>>): InstructionRow[] {
  return Object.entries(found).map(([what, millions]) => {
    const limit = limits[what];
    if (limit === undefined) throw new Error(`manifest.json states no limit for ${what}`);
    return { what, millions, limit };
  });
}

/** Runs a meter with a record every ten seconds for each of the services. Throws where not every record gets its receipt. */
export async function measure(program: string, services: number): Promise<Instructions> {
  const chains = Array.from({ length: services }, (_, index) => index + 1);
  const sealer = createSealer(NETWORK, chains);
  const seed = Uint8Array.from({ length: 32 }, (_, index) => index);
  const { counter, boot } = await startCounter(program, provision(sealer, seed, chains));
  try {
    const meter = new Meter(counter, sealer, toHex(keyId(signerFromSeed(seed).key)));
    await counter.tell("connected");
    for (let second = 0; second < WARM_S; second += 1) await meter.second();
    meter.forget();
    for (let second = 0; second < MEASURED_S; second += 1) await meter.second();
    const steady = meter.outcome();
    return { boot: total(boot) / MILLION, ...(await signatures(counter, seed)), ...steady };
  } finally {
    await counter.close();
  }
}

async function signatures(counter: Counter, seed: Uint8Array): Promise<Pick<Instructions, "key" | "signature" | "check">> {
  const signer = signerFromSeed(seed);
  const message = new Uint8Array(MESSAGE_BYTES).fill(7);
  const signature = signer.sign(message);
  const key = await counter.tell("key");
  const signed = await counter.tell("sign", "-", message);
  const checked = await counter.tell("check", "-", Uint8Array.from([...signer.key.x, ...signature, ...message]));
  if (!signed.said.some(({ bytes }) => toHex(bytes) === toHex(signature)) || !checked.said.some(({ text }) => text === "true"))
    throw new Error("the firmware signs or checks wrongly");
  const expanding = total(key);
  return {
    key: expanding / MILLION,
    signature: (total(signed) - expanding) / MILLION,
    check: total(checked) / MILLION,
  };
}

/** A meter second by second: a telegram, and receipts of what it has published. */
class Meter {
  private readonly household;
  private time_s = 1_790_000_000;
  private plain: number[] = [];
  private withRecord: { readonly instructions: number; readonly records: number }[] = [];
  private afterwards = 0;
  private receipts = 0;
  private longest = 0;
  private sum = 0;

  constructor(
    private readonly counter: Counter,
    private readonly sealer: Sealer,
    private readonly id: string,
  ) {
    this.household = createHousehold({ seed: 1, start_s: this.time_s });
  }

  async second(): Promise<void> {
    const answers = [await this.tell("time", String(1_000 - SEALING_MS))];
    this.time_s += 1;
    const telegram = p1Telegram(this.household.step(this.time_s), "5.0");
    const read: Answer[] = [];
    for (let at = 0; at < telegram.length; at += PIECE_BYTES)
      read.push(await this.tell("bytes", "-", telegram.subarray(at, at + PIECE_BYTES)));
    const published = [...answers, ...read].flatMap(({ said }) => said).filter(({ word }) => word === "publish");
    const instructions = read.reduce((sum, answer) => sum + total(answer), 0);
    if (published.length === 0) this.plain.push(instructions);
    else this.withRecord.push({ instructions, records: published.length });
    for (const { text, bytes } of published) answers.push(...(await this.seal(text, bytes)));
    answers.push(await this.tell("time", String(SEALING_MS)));
    this.afterwards += answers.reduce((sum, answer) => sum + total(answer), 0);
  }

  forget(): void {
    this.plain = [];
    this.withRecord = [];
    this.afterwards = this.receipts = this.longest = this.sum = 0;
  }

  outcome(): Pick<Instructions, "telegram" | "record" | "receipt" | "longestStep" | "tenSeconds"> {
    const telegram = median(this.plain);
    const records = this.withRecord.map((each) => (each.instructions - telegram) / each.records);
    return {
      telegram: telegram / MILLION,
      record: median(records) / MILLION,
      receipt: this.afterwards / this.receipts / MILLION,
      longestStep: this.longest / MILLION,
      tenSeconds: (this.sum * EVERY_S) / MEASURED_S / MILLION,
    };
  }

  private async seal(text: string, payload: Uint8Array): Promise<Answer[]> {
    const at = text.indexOf(":");
    const service = Number(text.slice(at + 1).split("/")[2]);
    const receipt = this.sealer.seal(service, [stripRecord(payload)])[0]!;
    this.receipts += 1;
    return [
      await this.tell("published", text.slice(0, at)),
      await this.tell("message", serviceTopic(NETWORK, service, "receipt", this.id), receipt),
    ];
  }

  private async tell(word: string, text: string, bytes?: Uint8Array): Promise<Answer> {
    const answer = await this.counter.tell(word, text, bytes);
    const wrong = answer.said.find(({ word: said, text: level }) => said === "log" && (level === "warn" || level === "error"));
    if (wrong !== undefined) throw new Error(`the firmware says: ${Buffer.from(wrong.bytes).toString()}`);
    this.longest = Math.max(this.longest, ...answer.steps);
    this.sum += total(answer);
    return answer;
  }
}

function provision(sealer: Sealer, seed: Uint8Array, services: readonly number[]): Readonly<Record<string, Uint8Array>> {
  const configuration = {
    version: 1,
    network: NETWORK,
    genesis: toHex(sealer.genesisBytes),
    brokers: ["mqtt://192.0.2.1:1883"],
    meter: { protocol: "p1", port: { kind: "serial", baud: 115_200, parity: "none" } },
    schedule: services.map((service) => ({
      service,
      serviceId: 7,
      every_s: EVERY_S,
      aligned: true,
      registers: ["1-0:1.8.n", "1-0:2.8.n", "1-0:1.7.0", "1-0:2.7.0"],
    })),
  };
  return {
    seed,
    credential: sealer.credential(signerFromSeed(seed).key, services),
    configuration: new TextEncoder().encode(JSON.stringify(configuration)),
  };
}

function total({ steps }: Answer): number {
  return steps.reduce((sum, step) => sum + step, 0);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  if (sorted.length === 0) throw new Error("nothing was counted");
  return sorted[Math.floor(sorted.length / 2)]!;
}
