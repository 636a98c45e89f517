// Who gets how much of what an energy community produces in one slot: the four models of Austria, France and Spain, exact in integers.
// `operator` rounds each figure half up, as grid operators' reports do, and so does not conserve; `conserving` shares out every unit.

import { least, must, quotient, roundHalfUp, sum } from "./amounts.js";

/**
 * `proportional`: by what each consumes (Austria's dynamic key, France's default) · `static`: by fixed keys (Austria, Spain's betas) ·
 * `redistributed`: by the keys of those who still need, until nothing is left · `ranked`: the lower rank first, equal ones as `proportional`
 */
export type SharingModel = "proportional" | "static" | "redistributed" | "ranked";
export type Rounding = "operator" | "conserving";

/** What a community does in one slot. Energies are in mWh and not negative. */
export interface SharingInputs {
  readonly model: SharingModel;
  /** `redistributed` and `ranked` conserve alone */
  readonly rounding: Rounding;
  readonly produced: readonly bigint[];
  readonly consumed: readonly bigint[];
  /** by consumer: parts of 10,000, or ranks where the model is `ranked`; of `proportional` none */
  readonly key?: readonly bigint[];
}

export interface Shares {
  /** by consumer: its part of what is produced */
  readonly offered: readonly bigint[];
  /** by consumer: what of that it consumes itself */
  readonly covered: readonly bigint[];
  /** by producer: what nobody of the community consumes; with `operator` it can come to -1 */
  readonly surplus: readonly bigint[];
}

/** Keys are parts of so many. */
export const KEY_PARTS = 10_000n;

/** Throws a RangeError where an energy is negative, a key is missing, or the model does not take the rounding. */
export function sharesOf(inputs: SharingInputs): Shares {
  const { model, rounding, produced, consumed } = inputs;
  const isKeyed = model !== "proportional";
  must(
    [...produced, ...consumed].every((energy) => energy >= 0n),
    "energies of a slot are not negative",
  );
  must(!isKeyed || inputs.key?.length === consumed.length, "each consumer has a key");
  must(rounding === "conserving" || model === "proportional" || model === "static", "this model conserves");
  const offered = offeredOf(inputs, sum(produced));
  const covered = consumed.map((energy, index) => least(energy, offered[index]!));
  return { offered, covered, surplus: surplusOf(inputs, sum(covered)) };
}

function offeredOf({ model, rounding, consumed, key = [] }: SharingInputs, produced: bigint): readonly bigint[] {
  switch (model) {
    case "proportional":
      if (rounding === "operator") return inParts(produced, consumed, sum(consumed));
      return shareOut(sum(consumed) === 0n ? 0n : produced, consumed);
    case "static":
      if (rounding === "operator") return inParts(produced, key, KEY_PARTS);
      return shareOut(quotient(produced * sum(key), KEY_PARTS), key);
    case "redistributed":
      return redistribute(produced, consumed, key);
    case "ranked":
      return serveInRanks(produced, consumed, key);
  }
}

function surplusOf({ rounding, produced }: SharingInputs, covered: bigint): readonly bigint[] {
  const total = sum(produced);
  if (rounding === "conserving") return shareOut(total - covered, produced);
  if (total === 0n) return produced;
  return produced.map((energy) => roundHalfUp(energy * total - covered * energy, total));
}

/** Each its part of the whole, rounded by itself. */
function inParts(amount: bigint, weights: readonly bigint[], whole: bigint): readonly bigint[] {
  return weights.map((weight) => (whole === 0n ? 0n : roundHalfUp(amount * weight, whole)));
}

/** By the keys of those who still need and at most their need, again and again until nothing moves. */
function redistribute(amount: bigint, needs: readonly bigint[], key: readonly bigint[]): readonly bigint[] {
  const given = needs.map(() => 0n);
  for (let left = amount; left > 0n; ) {
    const weights = key.map((weight, index) => (needs[index]! > given[index]! ? weight : 0n));
    const parts = shareOut(sum(weights) === 0n ? 0n : left, weights);
    let moved = 0n;
    for (const [index, part] of parts.entries()) {
      const taken = least(part, needs[index]! - given[index]!);
      given[index]! += taken;
      moved += taken;
    }
    if (moved === 0n) return given;
    left -= moved;
  }
  return given;
}

function serveInRanks(amount: bigint, needs: readonly bigint[], ranks: readonly bigint[]): readonly bigint[] {
  const given = needs.map(() => 0n);
  let left = amount;
  for (const rank of [...new Set(ranks)].sort((one, other) => (one < other ? -1 : 1))) {
    const weights = needs.map((need, index) => (ranks[index] === rank ? need : 0n));
    const served = least(left, sum(weights));
    for (const [index, part] of shareOut(served, weights).entries()) given[index]! += part;
    left -= served;
  }
  return given;
}

/**
 * The amount in proportion to the weights, to the last unit: each has the floor of its part, and what is left goes to the largest
 * remainders, of equal ones to the earlier position. Without weights nobody gets anything.
 */
export function shareOut(amount: bigint, weights: readonly bigint[]): readonly bigint[] {
  const whole = sum(weights);
  if (whole === 0n) return weights.map(() => 0n);
  const parts = weights.map((weight) => quotient(amount * weight, whole));
  const remainders = weights.map((weight, index) => ({ remainder: (amount * weight) % whole, index }));
  remainders.sort((one, other) => (one.remainder === other.remainder ? 0 : one.remainder > other.remainder ? -1 : 1));
  const left = Number(amount - sum(parts));
  for (const { index } of remainders.slice(0, left)) parts[index]! += 1n;
  return parts;
}
