// A minute of a meter on an emulated processor, in which every instruction is counted: a telegram a second, records of each service as
// often as asked, every record sealed by a quorum of four. The minute is the second one of its life: what only a start costs is before it.

import { toHex } from "../../src/wire/bytes.js";
import { keyId } from "../../src/wire/key.js";
import { parseRecord } from "../../src/wire/record.js";
import { parseTopic, serviceTopic } from "../../src/wire/topics.js";
import { nodeVerify, signerFromSeed } from "../crypto/signatures.js";
import { createHousehold } from "../emulators/household.js";
import { p1Telegram } from "../emulators/p1-telegram.js";
import type { Processor, Saying } from "./counted.js";
import { createSealer, type Sealer } from "./sealer.js";

const NETWORK = "minute";
const START_S = 1_790_000_000;
/** Before it each service has had its first receipt, whose certificate is checked when it comes. */
export const WARM_S = 15;
export const MINUTE_S = 60;
/** When in its second what came is read, when the broker answers, and when the next telegram comes. */
const READ_MS = 400;
const ANSWER_MS = 401;
const SECOND_MS = 1_000;
const REGISTERS = ["1-0:1.8.n", "1-0:2.8.n", "1-0:1.7.0", "1-0:2.7.0"];
const MESSAGE_BYTES = 200;
const REPEATS = 3;

/** How often which services make a record. */
export interface MinutePlan {
  readonly services: number;
  readonly every_s: number;
}

/** Instructions of a second: of a telegram with the records that it brings, then of their receipts with what these set off. */
export interface Second {
  readonly telegram: number;
  readonly answers: number;
  /** how many the telegram brought: as many receipts came */
  readonly records: number;
}

export interface MinuteOutcome {
  readonly boot: number;
  readonly key: number;
  readonly signature: number;
  readonly verification: number;
  readonly seconds: readonly Second[];
}

/** Runs it. Throws where the meter seals no record of its last receipts, or does not sign as it should. */
export async function runMinute(processor: Processor, { services, every_s }: MinutePlan): Promise<MinuteOutcome> {
  const chains = Array.from({ length: services }, (_, index) => index + 1);
  const sealer = createSealer(NETWORK, chains);
  const seed = Uint8Array.from({ length: 32 }, (_, index) => index);
  const signer = signerFromSeed(seed);
  const meter = toHex(keyId(signer.key));
  const store = (text: string, bytes: Uint8Array): Promise<unknown> => processor.ask("value", { text, bytes });
  await processor.ask("clock", { text: String(START_S * 1000) });
  await store("configuration", new TextEncoder().encode(configurationOf(sealer, chains, every_s)));
  await store("seed", seed);
  await store("credential", sealer.credential(signer.key, chains));
  const boot = await processor.ask("boot");
  // A telegram comes at its second, the first one too.
  await processor.ask("until", { text: String(START_S * 1000 + SECOND_MS - 1) });
  const world = { processor, sealer, meter, said: [...boot.said] };
  const seconds: Second[] = [];
  const household = createHousehold({ seed: 1, start_s: START_S });
  let sealed = 0;
  let records = 0;
  for (let second_s = 1; second_s <= WARM_S + MINUTE_S; second_s++) {
    const telegram = p1Telegram(household.step(START_S + second_s), "5.0");
    const { second, sealed: shown } = await passSecond(world, telegram, second_s);
    sealed = shown ?? sealed;
    records += second.records;
    if (second_s > WARM_S) seconds.push(second);
  }
  // The last receipts may wait for their certificate.
  if (records === 0 || sealed < records / 2)
    throw new Error(`of ${records} records the meter says that ${sealed} are sealed`);
  return { boot: boot.instructions, seconds, ...(await countSignatures(processor, seed)) };
}

interface World {
  readonly processor: Processor;
  readonly sealer: Sealer;
  readonly meter: string;
  /** what the agent has said and nobody has answered yet */
  readonly said: Saying[];
}

async function passSecond({ processor, sealer, meter, said }: World, telegram: Uint8Array, second_s: number) {
  const until = async (part_ms: number): Promise<number> => {
    const passed = await processor.ask("until", { text: String((START_S + second_s) * 1000 + part_ms) });
    said.push(...passed.said);
    return passed.instructions;
  };
  await processor.ask("port", { bytes: telegram });
  const read = await until(READ_MS);
  let answers = await until(ANSWER_MS);
  const hear = async (word: string, asked: Partial<Saying>): Promise<void> => {
    const answer = await processor.ask(word, asked);
    answers += answer.instructions;
    said.push(...answer.said);
  };
  let records = 0;
  let sealed: number | undefined;
  for (let next = said.shift(); next !== undefined; next = said.shift()) {
    const { word, number, text, bytes } = next;
    if (word === "state") sealed = number;
    if (word === "connect") await hear("connected", {});
    if (word === "log" && (text === "error" || text === "warn")) throw new Error(new TextDecoder().decode(bytes));
    if (word !== "publish") continue;
    await hear("acknowledged", { number });
    const topic = parseTopic(text);
    if (topic?.kind !== "record") continue;
    records += 1;
    const [receipt] = sealer.seal(topic.service, [parseRecord(bytes).stripped]);
    await hear("message", { text: serviceTopic(NETWORK, topic.service, "receipt", meter), bytes: receipt! });
  }
  answers += await until(SECOND_MS - 1);
  return { second: { telegram: read, records, answers }, sealed };
}

/** Key, signature and verification alone, in the memory of a meter that has run for a while. */
async function countSignatures(processor: Processor, seed: Uint8Array) {
  const { key, sign } = signerFromSeed(seed);
  const message = new Uint8Array(MESSAGE_BYTES).fill(1);
  const expanded = await processor.ask("key", { bytes: seed });
  let signature = 0;
  let verification = 0;
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const made = await processor.ask("sign", { bytes: message });
    const bytes = made.said.find(({ word }) => word === "signature")?.bytes;
    if (bytes === undefined || !nodeVerify(key, message, bytes)) throw new Error("the processor's signature is none");
    const judged = await processor.ask("verify", {
      bytes: Uint8Array.from([...(key as { x: Uint8Array }).x, ...sign(message), ...message]),
    });
    if (judged.said.find(({ word }) => word === "verdict")?.number !== 1)
      throw new Error("a good signature is refused");
    signature += made.instructions / REPEATS;
    verification += judged.instructions / REPEATS;
  }
  return { key: expanded.instructions, signature, verification };
}

function configurationOf(sealer: Sealer, chains: readonly number[], every_s: number): string {
  return JSON.stringify({
    version: 1,
    network: NETWORK,
    genesis: toHex(sealer.genesisBytes),
    brokers: ["mqtt://broker:1883"],
    meter: { protocol: "p1", port: { kind: "serial", baud: 115_200, parity: "none" } },
    schedule: chains.map((service) => ({ service, serviceId: 7, every_s, aligned: true, registers: REGISTERS })),
  });
}
