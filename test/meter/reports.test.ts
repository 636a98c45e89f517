// What other people's meters sent, and what must come of it: every capture of the two lists beside the project, read as `gridseal decode`
// reads it. A list says what a capture states to the last register, or why nothing may be read from it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type DecodeOptions, decode } from "../../tools/cli/decode/decode.js";
import { shared } from "../shared.js";

/** A register as `gridseal decode --json` prints it. */
interface Stated {
  readonly obis: string;
  readonly value: number;
  readonly scaler: number;
  readonly unit: string;
}

/** What must come of a capture; `refusal` is a reason, or says what the refusal must say. */
interface Demand {
  readonly registers?: readonly Stated[];
  readonly flags?: readonly string[] | string;
  readonly refusal?: string;
  readonly time?: number | null;
  readonly meter?: string;
}

interface Report extends Demand {
  readonly file: string;
  readonly protocol: string;
  readonly options: readonly string[];
  readonly key_file?: string;
  readonly alternatives?: readonly Demand[];
  /** What a type that was not read states: it must be among what is read; of Linky by its label alone. */
  readonly values_of_it?: readonly (Omit<Stated, "obis" | "scaler"> & Partial<Stated>)[];
}

interface MadeUp {
  readonly file: string;
  readonly protocol: string;
  readonly profile: string | null;
  /** It must hold with the protocol named, and with the protocol found. */
  readonly auto: boolean;
  readonly expect: {
    readonly refused?: boolean;
    readonly registers?: readonly (readonly [obis: string, quantity: number | string, unit: string])[];
    readonly or_flag?: string;
  };
}

/** A line of `gridseal decode --json`. */
type Frame =
  | ({ readonly ok: true; readonly protocol: string; readonly registers: readonly Stated[] } & {
      readonly meter: string;
      readonly time: number | null;
      readonly flags?: readonly string[];
    })
  | { readonly ok: false; readonly protocol: string; readonly reason: string; readonly detail: string };

const lists = { real: shared("reports/EXPECTED.json"), madeUp: shared("reports/EXPECTED-2.json") };

async function framesOf(name: string, options: Omit<DecodeOptions, "file">): Promise<readonly Frame[]> {
  const lines: string[] = [];
  await decode({ ...options, file: shared(`reports/${name}`).path, json: true }, (line) => lines.push(line));
  return lines.map((line) => JSON.parse(line));
}

/** `--protocol d0 --profile x` as decode takes them. */
function optionsOf({ options, key_file }: Report): Omit<DecodeOptions, "file"> {
  const named = Object.fromEntries(
    options.flatMap((word, index) => (word.startsWith("--") ? [[word.slice(2), options[index + 1]]] : [])),
  );
  return { ...named, ...(key_file !== undefined && { keyFile: shared(`reports/${key_file}`).path }) };
}

function sorted(registers: readonly Stated[]): readonly string[] {
  return registers.map(({ obis, value, scaler, unit }) => `${obis} ${value}e${scaler} ${unit}`).sort();
}

/** What a refusal must say for what the list asks of it; undefined where it asks for the reason alone. */
function saidBy(refusal: string): RegExp | undefined {
  if (refusal.includes("name the meter")) return /unsupported.*AMIS/i;
  if (refusal.startsWith("unsupported")) return /unsupported/i;
  if (refusal.includes("parity")) return /parity/;
  if (refusal.includes("hex")) return /hex/;
  return refusal.startsWith("any") ? /./ : undefined;
}

function assertRefused(frames: readonly Frame[], refusal: string): void {
  const lines = frames.map((frame) => (frame.ok ? "read" : `${frame.reason}: ${frame.detail}`));
  assert.ok(
    frames.every(({ ok }) => !ok),
    JSON.stringify(frames),
  );
  const said = saidBy(refusal);
  if (said === undefined)
    assert.ok(
      lines.every((line) => line.startsWith(`${refusal}: `)),
      lines.join("\n"),
    );
  else assert.match(lines.join("\n"), said);
  if (refusal.startsWith("unsupported")) assert.equal(lines.length, 1, "in one line");
}

function assertDemand(frames: readonly Frame[], { registers, flags, refusal, time, meter }: Demand): void {
  if (refusal !== undefined) return assertRefused(frames, refusal);
  assert.deepEqual(
    frames.map((frame) => (frame.ok ? "ok" : `${frame.reason}: ${frame.detail}`)),
    ["ok"],
  );
  const frame = frames[0] as Frame & { ok: true };
  if (registers !== undefined) assert.deepEqual(sorted(frame.registers), sorted(registers));
  if (time !== undefined) assert.equal(frame.time, time);
  if (meter !== undefined) assert.equal(frame.meter, meter);
  const stated = frame.flags ?? [];
  if (typeof flags === "string") assert.ok(stated.some((flag) => /^(not-understood |malformed-line)/.test(flag)));
  else for (const flag of flags ?? []) assert.ok(stated.includes(flag), `${flag} among ${stated.join()}`);
}

/** The first demand that holds is enough. */
function assertAny(frames: readonly Frame[], demands: readonly Demand[]): void {
  const failures: string[] = [];
  for (const demand of demands) {
    try {
      return assertDemand(frames, demand);
    } catch (failure) {
      failures.push(String(failure));
    }
  }
  assert.fail(failures.join("\nnor "));
}

/** Value times 10 to the scaler as an exact fraction of ten to the nine. */
function exact(quantity: string): bigint {
  const [, sign, whole, decimals = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(quantity)!;
  const digits = BigInt(whole + decimals.padEnd(9, "0"));
  return sign === "-" ? -digits : digits;
}

function assertMadeUp(frames: readonly Frame[], { expect }: MadeUp): void {
  assert.ok(frames.length > 0);
  if (expect.refused) return assertRefused(frames, "any");
  const frame = frames.find(({ ok }) => ok) as (Frame & { ok: true }) | undefined;
  assert.ok(frame !== undefined, JSON.stringify(frames));
  assert.ok(frame.registers.length > 0);
  if (expect.or_flag !== undefined && frame.flags?.includes(expect.or_flag)) return;
  for (const [obis, quantity, unit] of expect.registers!) {
    const register: Stated | undefined = frame.registers.find((candidate) => candidate.obis === obis);
    assert.ok(register !== undefined, `${obis} in ${sorted(frame.registers)}`);
    assert.equal(register.unit, unit, obis);
    const stated: bigint = BigInt(register.value) * 10n ** BigInt(9 + register.scaler);
    assert.equal(stated, exact(String(quantity)), obis);
  }
}

/** Values of a type that was not read when they were written down. */
function assertValues(frames: readonly Frame[], values: NonNullable<Report["values_of_it"]>): void {
  const [frame] = frames;
  assert.ok(frame?.ok && frames.length === 1, JSON.stringify(frames));
  for (const { obis, value, scaler = 0, unit } of values) {
    const found = frame.registers.some(
      (register) =>
        (obis === undefined || register.obis === obis) &&
        register.value === value &&
        register.scaler === scaler &&
        register.unit === unit,
    );
    assert.ok(found, `${obis} ${value}e${scaler} ${unit} among ${sorted(frame.registers)}`);
  }
}

test("what other people's meters sent comes out as their owners say", { skip: lists.real.skip }, async (context) => {
  const reports: Readonly<Record<string, Report>> = JSON.parse(readFileSync(lists.real.path, "utf8"));
  assert.ok(Object.keys(reports).length >= 20);
  for (const [name, report] of Object.entries(reports)) {
    await context.test(name, async () => {
      const frames = await framesOf(report.file, optionsOf(report));
      const { alternatives = [{}], values_of_it: values } = report;
      if (values !== undefined && frames[0]?.ok) return assertValues(frames, values);
      assertAny(
        frames,
        alternatives.map((alternative) => ({ ...report, ...alternative })),
      );
    });
  }
});

test("frames made up to slip through are refused, or read rightly", { skip: lists.madeUp.skip }, async (context) => {
  const reports: Readonly<Record<string, MadeUp>> = JSON.parse(readFileSync(lists.madeUp.path, "utf8"));
  assert.ok(Object.keys(reports).length >= 10);
  for (const [name, report] of Object.entries(reports)) {
    const profile = report.profile === null ? {} : { profile: report.profile };
    await context.test(`${name}, its protocol named`, async () => {
      assertMadeUp(await framesOf(report.file, { protocol: report.protocol, ...profile }), report);
    });
    if (!report.auto) continue;
    await context.test(`${name}, its protocol found`, async () => {
      assertMadeUp(await framesOf(report.file, profile), report);
    });
  }
});
