// Vectors of a contract: calls with what they must come to. A JSON file beside the source, in which an
// integer beyond 2^53 is written as { "integer": "9007199254740993" }.

import { toHex } from "../../../src/wire/bytes.js";
import { CONTRACT_BUDGET_MAX, CONTRACT_PAGES_MAX, CONTRACT_PAGES_MIN } from "../../../src/wire/contract-order.js";
import { CONTRACT_OUTPUT_MAX, decodeOutput, decodeValue, encodeValue } from "../../../src/wire/value.js";
import { type Entry, entries, type Run } from "../../contracts/engine.js";
import type { Limits } from "../../contracts/limits.js";
import { valueFromJson, valueToJson } from "../../contracts/value-json.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readWhole } from "../../files/made-once.js";
import type { Outcome } from "../../ledger/outcome.js";
import { toJson } from "../../terminal/output.js";

export const VECTORS_BYTES_MAX = 1_048_576;

export interface Vector {
  readonly name: string;
  readonly run: Omit<Run<ReadonlyMap<string, Uint8Array>>, "source">;
  /** as `expectation` writes an outcome; undefined where nothing is expected yet */
  readonly expect: string | undefined;
}

/** Where the vectors of a source lie. */
export function vectorsPathOf(file: string, named: string | undefined): string {
  return named ?? file.replace(/\.[^./]+$/, ".vectors.json");
}

/** Rejects with CONTRACT_INVALID where the file holds no vectors. */
export async function readVectors(path: string, limits: Limits): Promise<readonly Vector[]> {
  const bytes = await readWhole(path, VECTORS_BYTES_MAX);
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (!Array.isArray(parsed) || parsed.length === 0) throw new Error("it is no list of vectors");
    return parsed.map((vector, index) => vectorOf(fieldsOf(vector, `vector ${index + 1}`), limits));
  } catch (cause) {
    throw new GridsealError("CONTRACT_INVALID", `${path} cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

function vectorOf(fields: Readonly<Record<string, unknown>>, given: Limits): Vector {
  const { name, entry = "operation", argument = null, parameters = {}, state = {}, expect, limits = {} } = fields;
  const { height = 1, time_s = 0 } = fields;
  if (typeof name !== "string" || name === "") throw new Error("a vector has no name");
  if (!entries.includes(entry as Entry)) throw new Error(`${name}: entry is none of ${entries.join(", ")}`);
  const values = Object.entries(fieldsOf(state, `${name}: state`));
  return {
    name,
    run: {
      entry: entry as Entry,
      argument: valueFromJson(argument, name),
      parameters: valueFromJson(parameters, name),
      height: wholeOf(height, `${name}: height`),
      time_s: wholeOf(time_s, `${name}: time_s`),
      state: new Map(values.map(([key, value]) => [key, encodeValue(valueFromJson(value, name))])),
      limits: { ...given, ...limitsOf(fieldsOf(limits, `${name}: limits`), name) },
    },
    expect: expect === undefined ? undefined : canonical(expect),
  };
}

/** What an outcome is in a vector: `{ failed }`, or `{ writes, emissions }`; both sorted by key in JSON. */
export function expectation(outcome: Outcome): string {
  return canonical(JSON.parse(toJson(outcomeView(outcome))));
}

/** An outcome with its values, as it is printed. */
export function outcomeView(outcome: Outcome) {
  if (outcome.type === "failed") return { failed: outcome.reason };
  const writes = outcome.writes.map(
    ([key, value]) => [key, value === null ? null : valueToJson(decodeValue(value))] as const,
  );
  const emissions = outcome.emissions.map(({ body, ...emission }) => ({
    ...emission,
    ...("subject" in emission && { subject: toHex(emission.subject) }),
    body: valueToJson(decodeOutput(body)),
  }));
  return { writes: Object.fromEntries(writes), emissions };
}

const bounds: Readonly<Record<string, readonly [number, number]>> = {
  budget: [1, CONTRACT_BUDGET_MAX],
  pages: [CONTRACT_PAGES_MIN, CONTRACT_PAGES_MAX],
  output: [0, CONTRACT_OUTPUT_MAX],
};

function limitsOf(fields: Readonly<Record<string, unknown>>, name: string): Readonly<Record<string, number>> {
  for (const [key, value] of Object.entries(fields)) {
    const bound = bounds[key];
    if (bound === undefined) throw new Error(`${name}: no limit is called ${key}`);
    const number = wholeOf(value, `${name}: ${key}`);
    if (number < bound[0] || number > bound[1])
      throw new Error(`${name}: ${key} is not from ${bound[0]} to ${bound[1]}`);
  }
  return fields as Readonly<Record<string, number>>;
}

function wholeOf(value: unknown, what: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`${what} is no whole number`);
}

function fieldsOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error(`${what} is no object`);
}

/** JSON with keys in order, by which two are compared. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(",")}}`;
}
