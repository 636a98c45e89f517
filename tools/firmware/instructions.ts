// How many instructions of a chip the firmware takes: XS, the SDK's natives and the agent as they are compiled for an ESP32-C3, run on an
// emulated processor that counts. How long that is, the chip's clock and its cache say. The limits are in manifest.json; more fails.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./builds.js";
import type { Signatures } from "./compile.js";
import { buildCounted, findProcessor, findSodium, startProcessor } from "./counted.js";
import { type MinuteOutcome, type MinutePlan, runMinute } from "./minute.js";
import type { Sdk } from "./sdk.js";
import type { Row } from "./size.js";

/** What is counted, in the order in which it is told. */
export const counted = [
  "boot",
  "key",
  "signature",
  "verification",
  "telegram",
  "reading",
  "record",
  "receipt",
  "tenSeconds",
] as const;

/**
 * Instructions of each: of a telegram that nobody reads; on top of it of the reading, and of each record that it gives; of a receipt with
 * its share of the certificates that are checked.
 */
export type Counts = Readonly<Record<(typeof counted)[number], number>>;

const FIVE: MinutePlan = { services: 5, every_s: 10 };
/** What differs from the five tells a record from the reading that gives it. */
const ONE: MinutePlan = { services: 1, every_s: 10 };
const MILLION = 1_000_000;

const words: Readonly<Record<keyof Counts, string>> = {
  boot: "boot with five services",
  key: "a key expanded",
  signature: "a signature",
  verification: "a verification",
  telegram: "a telegram of P1 that no record is due for",
  reading: "the reading of one",
  record: "a record",
  receipt: "a receipt",
  tenSeconds: "ten seconds of five services, a record each",
};

/** Prints the counts, with signatures by noble and by libsodium, and throws where one is over its limit. */
export async function reportInstructions(sdk: Sdk): Promise<void> {
  const limits = readInstructionLimits(JSON.parse(await readFile(join(root, "manifest.json"), "utf8")));
  await findProcessor(sdk);
  const over: string[] = [];
  const sodium = findSodium();
  for (const library of sodium === undefined ? [undefined] : [undefined, sodium]) {
    const signatures: Signatures = library === undefined ? "noble" : "libsodium";
    const program = await buildCounted(sdk, library);
    const counts = countsOf(await measure(program, FIVE), await measure(program, ONE));
    const rows = rowsOf(counts, limits[signatures]);
    for (const { what, found, limit } of rows)
      console.log(`${signatures}: ${what}: ${inMillions(found)} of at most ${inMillions(limit)} million instructions`);
    over.push(...rows.filter(({ found, limit }) => found > limit).map(({ what }) => `${what} with ${signatures}`));
  }
  if (sodium === undefined)
    console.log("libsodium: not counted: SODIUM_RISCV names no libsodium for RISC-V; docs/chip.md says how to make it");
  if (over.length > 0) throw new Error(`over the limit: ${over.join(", ")}`);
}

async function measure(program: string, plan: MinutePlan): Promise<MinuteOutcome> {
  const processor = startProcessor(program);
  try {
    return await runMinute(processor, plan);
  } finally {
    await processor.close();
  }
}

/** The limits in the manifest, by who makes the signatures. Throws where one is not there. */
export function readInstructionLimits(manifest: unknown): Readonly<Record<Signatures, Counts>> {
  const { limits } = manifest as { limits?: { instructions?: Record<string, Record<string, unknown>> } };
  const of = (signatures: Signatures): Counts =>
    Object.fromEntries(
      counted.map((name) => {
        const value = limits?.instructions?.[signatures]?.[name];
        if (typeof value === "number" && value > 0) return [name, value];
        throw new Error(`manifest.json states no limits.instructions.${signatures}.${name}`);
      }),
    ) as Counts;
  return { noble: of("noble"), libsodium: of("libsodium") };
}

/** What a minute of several services says of each, beside one of a single service. Throws where either has not telegrams of both kinds. */
export function countsOf(several: MinuteOutcome, single: MinuteOutcome): Counts {
  const { boot, key, signature, verification, seconds } = several;
  const of = telegramsOf(several);
  const ofOne = telegramsOf(single);
  if (of.records <= ofOne.records)
    throw new Error("the minute of several services has no more records than that of one");
  const record = (of.due - ofOne.due) / (of.records - ofOne.records);
  return {
    ...{ boot, key, signature, verification, record },
    telegram: of.plain,
    reading: ofOne.due - ofOne.records * record,
    receipt: sum(seconds, "answers") / sum(seconds, "records"),
    tenSeconds: ((sum(seconds, "telegram") + sum(seconds, "answers")) * 10) / seconds.length,
  };
}

/** A telegram that brings no record; what one takes beyond that which does, and how many records it brings. */
function telegramsOf({ seconds }: MinuteOutcome): {
  readonly plain: number;
  readonly due: number;
  readonly records: number;
} {
  const without = seconds.filter(({ records }) => records === 0);
  const having = seconds.filter(({ records }) => records > 0);
  if (without.length === 0 || having.length === 0) throw new Error("a minute needs telegrams with records and without");
  const plain = sum(without, "telegram") / without.length;
  return {
    plain,
    due: sum(having, "telegram") / having.length - plain,
    records: sum(having, "records") / having.length,
  };
}

/** What is held against the limits. */
export function rowsOf(counts: Counts, limits: Counts): Row[] {
  return counted.map((name) => ({ what: words[name], found: counts[name], limit: limits[name] }));
}

/** With a digit behind the point, rounded up: what is over a limit is not told as the limit. */
function inMillions(instructions: number): string {
  return (Math.ceil((instructions * 10) / MILLION) / 10).toFixed(1);
}

function sum<Name extends string>(rows: readonly Readonly<Record<Name, number>>[], name: Name): number {
  return rows.reduce((total, row) => total + row[name], 0);
}
