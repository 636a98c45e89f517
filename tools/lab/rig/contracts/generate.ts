// Contracts and operations made from a seed, for whoever compares machines or looks for what a chain must not do. What a run says
// or writes names its operation, so that a check can tell whose it is without running anything.

import type { InstallAction, ParametersAction } from "../../../../src/wire/contract-order.js";
import { sourceHash } from "../../../../src/wire/contract-order.js";
import { sha256 } from "../../../../src/wire/hash.js";
import type { SettlementPlan } from "../../../../src/wire/slot.js";
import type { Value } from "../../../../src/wire/value.js";
import { newestEngine } from "../../../ledger/engines.js";
import type { Random } from "../random.js";

/** Contracts that a chain may have, each with the operations that it takes; nobody takes types beyond. */
export const generatedTypes: Readonly<Record<string, readonly number[]>> = {
  alpha: [1, 2, 3],
  beta: [4, 5],
  gamma: [6, 7],
};
const TYPES = 9;
/** The contract that names two deadlines for each operation, so much for each that two have no room in one block. */
const REMINDER = "beta";
/** The contract that takes messages of any chain, and what they are called. */
export const LISTENER = "alpha";
export const HEARD = "heard";

/** How a chain settles whose contracts ask for slots: all of them ask for the same. */
export const generatedSlots: SettlementPlan = { slot_s: 2, lateness_s: 4, gapMax_s: 12 };

/** Countries and parts of them that participants are of, and that parameters are set for. */
export const jurisdictions = [undefined, "DE", "DE-BY", "FR"] as const;

/** A contract with an order to install it. */
export interface Generated {
  readonly action: InstallAction;
  readonly source: string;
}

/** What an order to install says beside what is drawn. */
export type Place = Pick<InstallAction, "service" | "name" | "version" | "fromHeight">;

/** `name` is one of `generatedTypes`. */
export function generateContract(random: Random, place: Place): Generated {
  const source = generateSource(random, place.name);
  const asks = random.chance(0.85);
  return {
    source,
    action: {
      type: "install",
      ...place,
      source: sourceHash(source),
      ...newestEngine,
      budget: random.pick([20, 40, 80]),
      pages: 16 + random.below(32),
      output: random.pick([400, 4_000, 16_000]),
      types: generatedTypes[place.name]!,
      // One contract of a chain takes what the others' contracts tell it.
      messages: place.name === LISTENER ? [{ service: 0, name: HEARD }] : [],
      ...(asks && { slots: generatedSlots }),
      vectors: sha256(new Uint8Array(0)),
      ready: [],
    },
  };
}

/** Parameters that no other order sets: `rate` tells which one it was. */
export function generateParameters(
  random: Random,
  place: Pick<ParametersAction, "service" | "contract" | "fromHeight"> & { readonly rate: number },
): ParametersAction {
  const { rate, ...named } = place;
  const parameters = new Map([["rate", rate]]);
  return { type: "parameters", ...named, jurisdiction: random.pick(jurisdictions), parameters };
}

/** What an operation asks: of a type that is taken or not, in a body that makes contracts do different things. */
export function generateAsked(random: Random): { readonly type: number; readonly body: Value } {
  const number = random.below(1_000);
  const bodies: readonly Value[] = [number, number, { n: number, t: "ä".repeat(number % 7) }, null, ["a", -number]];
  return { type: 1 + random.below(TYPES), body: random.pick(bodies) };
}

/**
 * The contract's source. It puts `[mark, value]`, and says `[mark, count, rate, value]` in effects and messages, whose count goes
 * up from 0 in each run. The mark names what it runs for: "<participant>/<number>" of an operation, "message/<chain>/<number>",
 * "due/<seconds>/<key>", "slot/<contract>/<begin>/<first row>". What is due tells no other chain anything and names no deadline: a chain comes to rest.
 */
function generateSource(random: Random, name: string): string {
  const statements = Array.from({ length: 2 + random.below(6) }, () => statement(random, 0));
  const settled = random.pick(settling)(random);
  return `export const reads = ["shared/"];
export const writes = ["own/", "shared/", "due/"];
export function operation(context, { participant, seq, jurisdiction, roles, time_s, body }) {
  const mark = participant + "/" + seq;
  const rate = context.parameters.rate ?? 0;
  let said = 0;
  let n = typeof body === "number" ? body : body === null ? 1 : body.n ?? body.length + 2;
  const put = (key, value) => context.put(key, [mark, value]);
  ${name === REMINDER ? reminding : ""}
  const read = (key) => {
    const value = context.get(key)?.[1];
    return typeof value === "number" ? value : 1;
  };
  const effect = (name, value) => {
    context.effect(name, [mark, said, rate, value]);
    said += 1;
  };
  n = (n + seq + roles.length + (time_s % 7) + (jurisdiction ?? "").length) % 1000003;
${statements.join("\n")}
}
function tell(context, mark, number) {
  context.put("own/told-" + (number % 3), [mark, number]);
  context.effect("took", [mark, 0, context.parameters.rate ?? 0, number]);
  if (number % 7 === 5) throw new Error("not taken");
}
export function message(context, { service, number }) {
  tell(context, "message/" + service + "/" + number, number);
}
export function due(context, { time_s, key }) {
  const mark = "due/" + time_s + "/" + key;
  tell(context, mark, time_s);
  ${name === REMINDER ? 'for (let i = 0; i < 150; i += 1) context.put("own/at-" + i, [mark, i]);' : ""}
}
export function slot(context, { start_s, count, first, points }) {
  const mark = "slot/${name}/" + start_s + "/" + first;
  let [taken, given, qualities, doubted] = [0n, 0n, 0, 0];
  for (const [, imported, exported, quality, doubts] of points) {
    taken += BigInt(imported ?? 0);
    given += BigInt(exported ?? 0);
    qualities += quality;
    doubted |= doubts;
  }
  const n = start_s / ${generatedSlots.slot_s};
  context.put("own/slot-" + (n % 3), [mark, taken]);
  context.effect("settled", [mark, 0, context.parameters.rate ?? 0, [first, count, taken, given, qualities, doubted]]);
  ${settled}
}
`;
}

/** What a contract does of a closed slot beside that; of some two or three have no room in one block. */
const settling: readonly ((random: Random) => string)[] = [
  () => "",
  (random) => `if (n % ${2 + random.below(3)} === 1) throw new Error("not settled");`,
  (random) => `for (let i = 0; i < ${130 + random.below(110)}; i += 1) context.put("own/of-" + i, [mark, n]);`,
  (random) =>
    `if (n % 2 === 1) for (let i = 0; i < ${130 + random.below(110)}; i += 1) context.put("own/of-" + i, [mark, n]);`,
  (random) => `for (let i = 0; i < ${100 + random.below(900)} * 1000; i += 1) taken ^= 1n;`,
];

/** What is left of those that have passed shows in all that the run says. */
const reminding = `for (const at of ["x", "y"]) context.put("due/" + mark + "-" + at, [time_s + 1, [mark, at]]);
  n += context.keys("due/").length;`;

const DEPTH_MAX = 2;

function statement(random: Random, depth: number): string {
  const kinds = depth < DEPTH_MAX ? [...harmless, ...nested, failing, failing] : harmless;
  return random.pick(kinds)(random, depth);
}

type Make = (random: Random, depth: number) => string;

const key = (random: Random) => `"${random.pick(["own", "shared"])}/" + (n % ${2 + random.below(4)})`;

const harmless: readonly Make[] = [
  (random) => `n = (n * ${1 + random.below(97)} + ${random.below(1_000)}) % 1000003;`,
  (random) => `put(${key(random)}, n);`,
  (random) => `put(${key(random)}, n);`,
  (random) => `put(${key(random)}, [BigInt(n) * 2n ** ${random.below(44)}n, "${random.pick(["ä", "z", "😀"])}" + n]);`,
  (random) => `context.remove(${key(random)});`,
  // Two or three of these have no room in one block.
  (random) => `for (let i = 0; i < ${90 + random.below(100)}; i += 1) put("own/many-" + i, n);`,
  (random) => `n = (n + read(${key(random)})) % 1000003;`,
  (random) => `n += context.keys("${random.pick(["own", "shared", "due"])}/").length;`,
  (random) => `effect("told-${random.below(3)}", n);`,
  () => `effect("told", [n, context.height, context.time_s % 1000]);`,
  (random) =>
    `context.message(${random.pick([1, 1, 2, 2, 3])}, "${HEARD}", [mark, said, rate, n]);
said += 1;`,
  (random) => `context.put("due/" + mark + "-" + (n % 3), [time_s + ${random.below(12)}, [mark, n]]);`,
  (random) => `if (n % ${2 + random.below(5)} === 0) context.violation("late", participant, [mark, n]);`,
  (random) => `if (n % ${3 + random.below(5)} === 0) context.deny("rule-${random.below(3)}", [mark, n]);`,
  (random) => `n += [n % 13, n % 7, ${random.below(20)}].toSorted((a, b) => a - b).at(-1);`,
  () => `n += new Set([...String(n)]).size;`,
];

const nested: readonly Make[] = [
  (random, depth) =>
    `for (let i = 0; i < ${random.below(random.chance(0.1) ? 300_000 : 5)}; i += 1) { n = (n + i) % 1000003; ${statement(random, DEPTH_MAX)} ${depth === 0 && random.chance(0.2) ? "if (i > 9) break;" : ""} }`,
  (random, depth) =>
    `if (n % ${2 + random.below(4)} === 0) { ${statement(random, depth + 1)} } else { ${statement(random, depth + 1)} }`,
  (random) => `if (n % 3 === 1) for (let i = 0; i < ${random.below(90)} * 10000; i += 1) n ^= i;`,
  (random, depth) => `try { ${statement(random, depth + 1)} } catch { n += 1; }`,
];

/** What ends a run as failed, now and then. */
const failures: readonly Make[] = [
  () => `throw new RangeError("at " + n);`,
  () => `for (;;) n += 1;`,
  () => `for (let i = 0; i < 20; i += 1) put("own/large-" + i, "x".repeat(2000));`,
  () => `put("own/half", n / 2 + 0.25);`,
  () => `context.put("other/key", n);`,
  () => `{ const held = []; for (;;) held.push([mark, n]); }`,
  () => `return n;`,
  () => `null.missing;`,
];

function failing(random: Random, depth: number): string {
  const before = statement(random, Math.max(depth, DEPTH_MAX));
  return `if (n % ${3 + random.below(4)} === 1) { ${before} ${random.pick(failures)(random, depth)} }`;
}
