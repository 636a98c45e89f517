// How many instructions of a chip the firmware takes: XS, the SDK's natives and the agent as they are compiled for an ESP32-C3, run on an
// emulated processor that counts. How long that is, the chip's clock and its cache say. The limits are in manifest.json; more fails.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./builds.js";
import type { Signatures } from "./compile.js";
import { buildCounted, findProcessor, startProcessor } from "./counted.js";
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
  "record",
  "receipt",
  "tenSeconds",
] as const;

/** Instructions of each: of a telegram that brings no record; of a record and of a receipt on top, each of the latter with its share of checks. */
export type Counts = Readonly<Record<(typeof counted)[number], number>>;

const PLAN: MinutePlan = { services: 5, every_s: 10 };
const MILLION = 1_000_000;

const words: Readonly<Record<keyof Counts, string>> = {
  boot: "boot with five services",
  key: "a key expanded",
  signature: "a signature",
  verification: "a verification",
  telegram: "a telegram of P1 without a record",
  record: "a record",
  receipt: "a receipt",
  tenSeconds: "ten seconds of five services, a record each",
};

/** Prints the counts, with signatures by noble and by libsodium, and throws where one is over its limit. */
export async function reportInstructions(sdk: Sdk): Promise<void> {
  const limits = readInstructionLimits(JSON.parse(await readFile(join(root, "manifest.json"), "utf8")));
  await findProcessor(sdk);
  const over: string[] = [];
  for (const signatures of ["noble"] as const) {
    const counts = countsOf(await measure(sdk, signatures));
    const rows = rowsOf(counts, limits[signatures]);
    for (const { what, found, limit } of rows)
      console.log(`${signatures}: ${what}: ${inMillions(found)} of at most ${inMillions(limit)} million instructions`);
    over.push(...rows.filter(({ found, limit }) => found > limit).map(({ what }) => `${what} with ${signatures}`));
  }
  if (over.length > 0) throw new Error(`over the limit: ${over.join(", ")}`);
}

async function measure(sdk: Sdk, signatures: Signatures): Promise<MinuteOutcome> {
  const processor = startProcessor(await buildCounted(sdk, signatures));
  try {
    return await runMinute(processor, PLAN);
  } finally {
    await processor.close();
  }
}

/** The limits in the manifest, by who makes the signatures. Throws where one is not there. */
export function readInstructionLimits(manifest: unknown): Readonly<Record<"noble", Counts>> {
  const { limits } = manifest as { limits?: { instructions?: Record<string, Record<string, unknown>> } };
  const of = (signatures: Signatures): Counts =>
    Object.fromEntries(
      counted.map((name) => {
        const value = limits?.instructions?.[signatures]?.[name];
        if (typeof value === "number" && value > 0) return [name, value];
        throw new Error(`manifest.json states no limits.instructions.${signatures}.${name}`);
      }),
    ) as Counts;
  return { noble: of("noble") };
}

/** What a minute says of each. Throws where nothing was recorded in it, or something each second. */
export function countsOf({ boot, key, signature, verification, seconds }: MinuteOutcome): Counts {
  const plain = seconds.filter(({ records }) => records === 0);
  const due = seconds.filter(({ records }) => records > 0);
  if (plain.length === 0 || due.length === 0) throw new Error("a minute needs telegrams with records and without");
  const telegram = sum(plain, "telegram") / plain.length;
  const records = sum(due, "records");
  return {
    boot,
    key,
    signature,
    verification,
    telegram,
    record: (sum(due, "telegram") - telegram * due.length) / records,
    receipt: sum(seconds, "answers") / records,
    tenSeconds: ((sum(seconds, "telegram") + sum(seconds, "answers")) * 10) / seconds.length,
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
