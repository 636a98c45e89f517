// Nothing is delivered without a grant in force, whatever anybody says in which order; and each rule, broken, is seen to be.

import assert from "node:assert/strict";
import { test } from "node:test";
import { TYPES } from "../../../tools/market/access/types.js";
import { live, type Mutant, parameters } from "./grant-machine.js";

const SEEDS = 10_000;
const permitter = { id: "aa00000000000002", role: 12, jurisdiction: "AT" };
const anna = { id: "aa00000000000003", role: 2, jurisdiction: "AT" };

test("in ten thousand lives no custodian delivers what nobody may have", () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) assert.equal(live(seed), undefined);
});

const of =
  (type: number, change: Mutant): Mutant =>
  (said) =>
    said.type === type ? change(said) : said;

const mutants: readonly { readonly name: string; find(seed: number): string | undefined }[] = [
  {
    name: "anybody may consent",
    find: (seed) =>
      live(
        seed,
        of(TYPES.consent, (said) => ({ ...said, by: anna })),
      ),
  },
  {
    name: "anybody may decide",
    find: (seed) =>
      live(
        seed,
        of(TYPES.decision, (said) => ({ ...said, by: permitter })),
      ),
  },
  {
    name: "a withdrawal is passed over",
    find: (seed) =>
      live(
        seed,
        of(TYPES.withdrawal, () => undefined),
      ),
  },
  {
    name: "an objection is passed over",
    find: (seed) =>
      live(
        seed,
        of(TYPES.objection, () => undefined),
      ),
  },
  {
    name: "an erasure is passed over",
    find: (seed) =>
      live(
        seed,
        of(TYPES.erasure, () => undefined),
      ),
  },
  {
    name: "a new subject is passed over",
    find: (seed) =>
      live(
        seed,
        of(TYPES.confirmation, () => undefined),
      ),
  },
  {
    name: "roles are not looked at",
    find: (seed) =>
      live(
        seed,
        of(TYPES.request, (said) => ({ ...said, by: { ...said.by, role: 9 } })),
      ),
  },
  {
    name: "jurisdictions are not looked at",
    find: (seed) =>
      live(
        seed,
        of(TYPES.request, (said) => ({ ...said, by: { ...said.by, jurisdiction: "AT" } })),
      ),
  },
  {
    name: "periods have no bound",
    find: (seed) => live(seed, undefined, { ...parameters, "rule-9-8": "law 99 *", "rule-9-7": "consent 99 AT" }),
  },
  { name: "a grant has no end", find: (seed) => live(seed, undefined, { ...parameters, grant_days: 99 }) },
  { name: "a prohibition is none", find: (seed) => live(seed, undefined, { ...parameters, "prohibit-8": "" }) },
];

for (const { name, find } of mutants) {
  test(`where ${name}, some life shows it`, () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) if (find(seed) !== undefined) return;
    assert.fail("no life has shown it");
  });
}
