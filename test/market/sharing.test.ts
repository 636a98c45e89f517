// Shares of an energy community: to the last unit as the market's vectors, and what must hold of any slot.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { type Rounding, type SharingModel, shareOut, sharesOf } from "../../tools/market/sharing.js";
import { shared } from "../shared.js";

const vectors = shared("vectors/market/sharing.json");
const sum = (energies: readonly bigint[]) => energies.reduce((total, energy) => total + energy, 0n);

test("shares are those of the market's vectors", { skip: vectors.skip }, () => {
  interface Vector {
    model: SharingModel;
    rounding: Rounding;
    produced: number[];
    consumed: number[];
    key: number[] | null;
    offered: number[];
    covered: number[];
    surplus: number[];
  }
  const cases = JSON.parse(readFileSync(vectors.path, "utf8")) as Vector[];
  assert.ok(cases.length > 0);
  for (const { model, rounding, produced, consumed, key, ...expected } of cases) {
    const shares = sharesOf({
      model,
      rounding,
      produced: produced.map(BigInt),
      consumed: consumed.map(BigInt),
      ...(key !== null && { key: key.map(BigInt) }),
    });
    const found = Object.entries(shares).map(([name, energies]) => [name, energies.map(Number)]);
    assert.deepEqual(Object.fromEntries(found), expected, JSON.stringify({ model, rounding, produced, consumed, key }));
  }
});

const energy = fc.oneof(fc.bigInt(0n, 20n), fc.bigInt(0n, 5_000_000_000n));
const slots = fc.integer({ min: 1, max: 8 }).chain((count) =>
  fc.record({
    model: fc.constantFrom<SharingModel>("proportional", "static", "redistributed", "ranked"),
    produced: fc.array(energy, { minLength: 1, maxLength: 4 }),
    consumed: fc.array(energy, { minLength: count, maxLength: count }),
    key: fc.array(fc.bigInt(0n, 1_250n), { minLength: count, maxLength: count }),
  }),
);

test("conserving shares lose nothing and nobody is covered beyond need or offer", () => {
  fc.assert(
    fc.property(slots, (slot) => {
      const { offered, covered, surplus } = sharesOf({ ...slot, rounding: "conserving" });
      assert.equal(sum(covered) + sum(surplus), sum(slot.produced));
      assert.ok(sum(offered) <= sum(slot.produced));
      for (const [index, part] of covered.entries()) {
        assert.ok(part >= 0n && part <= slot.consumed[index]! && part <= offered[index]!);
      }
      assert.ok(surplus.every((part, index) => part >= 0n && part <= slot.produced[index]!));
    }),
  );
});

test("redistributed and ranked shares leave nothing over while somebody who has a key needs it", () => {
  fc.assert(
    fc.property(slots, (slot) => {
      if (slot.model !== "redistributed" && slot.model !== "ranked") return;
      const { covered, surplus } = sharesOf({ ...slot, rounding: "conserving" });
      if (sum(surplus) === 0n) return;
      const isNeeding = (index: number) => slot.model === "ranked" || slot.key[index]! > 0n;
      for (const [index, part] of covered.entries()) if (isNeeding(index)) assert.equal(part, slot.consumed[index]);
    }),
  );
});

test("an amount is shared out to the last unit, each part within one of its exact value", () => {
  fc.assert(
    fc.property(energy, fc.array(energy, { minLength: 1, maxLength: 10 }), (amount, weights) => {
      const parts = shareOut(amount, weights);
      const whole = sum(weights);
      assert.equal(sum(parts), whole === 0n ? 0n : amount);
      for (const [index, part] of parts.entries()) {
        const exact = amount * weights[index]!;
        assert.ok(whole === 0n || (part * whole > exact - whole && part * whole < exact + whole));
      }
    }),
  );
});
