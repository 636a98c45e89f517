// The mining contract in the engine that nodes run it in: cohorts stay fixed, groups are large enough, a budget is never passed, and what
// a study came to is checked by others.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import type { Value } from "../../src/wire/value.js";
import { lintSource } from "../../tools/cli/contract/rules.js";
import { monthOf } from "../../tools/market/mining/cohorts.js";
import { type Study, operationTypes as types } from "../../tools/market/mining/kinds.js";
import { defaults, groupComplaint } from "../../tools/market/mining/rules.js";
import { bundleContract } from "../../tools/provisioning/contracts/bundle.js";
import { testContract } from "../../tools/provisioning/contracts/trying.js";
import { vectorsPathOf } from "../../tools/provisioning/contracts/vectors.js";
import { effects, openChains, type Said, type Signer, type TestChain } from "./chain.js";

const file = fileURLToPath(new URL("../../tools/market/mining/mining.ts", import.meta.url));
const { chain: newChain, close } = await openChains(file);
after(close);

const admin: Signer = { id: "ad00000000000001", role: 13 };
const regulator: Signer = { id: "ad00000000000002", role: 10 };
const researcher: Signer = { id: "ee00000000000001", role: 9, jurisdiction: "AT" };
const other: Signer = { id: "ee00000000000002", role: 9, jurisdiction: "AT" };
const rules = { "rule-9-7": "law 366 AT,DE" };
const hash = (digit: string) => digit.repeat(64);
const month = monthOf(1_790_000_000);
const day_s = 86_400;
const from_s = 1_789_948_800;

const cohort = { name: "homes", class: "residential", digest: hash("a"), size: 120, from: month };
const asked = {
  ...{
    purpose: 7,
    kind: "load-curve",
    cohort: "homes",
    service: 1,
    from_s,
    to_s: from_s + day_s,
    least: 100,
    query: hash("b"),
  },
};
const came = (study: string, more: object = {}) => ({
  ...{
    study,
    to: 40,
    header: hash("c"),
    engine: "gridseal-study/1",
    group: 110,
    largest_permille: 30,
    result: hash("d"),
  },
  ...more,
});

async function chainWith(parameters: Readonly<Record<string, Value>> = {}, stated: object = {}): Promise<TestChain> {
  const chain = newChain({ ...rules, ...parameters });
  chain.time_s = 1_790_000_000;
  await chain.done(admin, types.cohort, { ...cohort, ...stated } as Value);
  return chain;
}

async function askedStudy(chain: TestChain, who = researcher, more: object = {}): Promise<string> {
  const said = await chain.done(who, types.ask, { ...asked, ...more } as Value);
  return String(effects(said, "asked")[0]!.study);
}

const studyAt = (chain: TestChain, id: string) => chain.get(`study/${id}`) as unknown as Study;
const rulesOf = (said: readonly Said[]) => said.map(({ type, name }) => `${type} ${name}`);

test("the mining contract uses nothing that a contract must not", async () => {
  const { files } = await bundleContract(file);
  for (const path of files) assert.deepEqual(lintSource(await readFile(path, "utf8"), path), [], path);
});

test("the mining contract comes to what its vectors say", async () => {
  const { complaint } = await testContract(file, vectorsPathOf(file, undefined));
  assert.equal(complaint, undefined);
});

test("a study is asked, sealed with its inputs and result, and confirmed by somebody else", async () => {
  const chain = await chainWith();
  const id = await askedStudy(chain);
  assert.equal(studyAt(chain, id).state, "asked");
  const [sealed] = effects(await chain.done(admin, types.result, came(id)), "study");
  assert.deepEqual(
    [sealed!.requester, sealed!.query, sealed!.header, sealed!.to, sealed!.group, sealed!.result, sealed!.digest],
    [researcher.id, hash("b"), hash("c"), 40, 110, hash("d"), hash("a")],
  );
  assert.equal(await chain.denied(admin, types.check, { study: id, result: hash("d") }), "own-study");
  assert.equal(await chain.denied(other, types.check, { study: id, result: hash("d") }), "role");
  assert.equal(
    effects(await chain.done(regulator, types.check, { study: id, result: hash("d") }), "confirmed").length,
    1,
  );
  assert.equal(await chain.denied(regulator, types.check, { study: id, result: hash("e") }), "checked");
  assert.deepEqual([studyAt(chain, id).state, studyAt(chain, id).checks.length], ["sealed", 1]);
});

test("only who asked, or who stated the cohort, says first what a study came to; the others check it", async () => {
  const chain = await chainWith();
  const id = await askedStudy(chain);
  for (const who of [regulator, other]) {
    for (const group of [110, 0]) {
      assert.equal(await chain.denied(who, types.result, came(id, { group, result: hash("f") })), "not-yours");
    }
  }
  assert.equal(studyAt(chain, id).state, "asked");
  assert.equal(effects(await chain.done(researcher, types.result, came(id)), "study").length, 1);
});

test("a feeder's figures are one meter's: no study of groups is asked for them", async () => {
  const chain = await chainWith();
  await chain.denied(researcher, types.ask, { ...asked, kind: "feeder-loss" });
  assert.equal(chain.get(`budget/${researcher.id}`), undefined);
});

test("a second key of a participant has no budget of its own", async () => {
  const chain = await chainWith({ budget: 2 });
  const keys = ["ee00000000000007", "ee00000000000008"].map((id) => ({ ...researcher, id, issued_id: "institute" }));
  for (const who of keys) await askedStudy(chain, who);
  for (const who of keys) {
    assert.deepEqual(rulesOf(await chain.ask(who, types.ask, asked)), ["denial budget", "violation budget"]);
  }
  await askedStudy(chain, researcher);
});

test("a check that comes to something else makes the study disputed", async () => {
  const chain = await chainWith();
  const id = await askedStudy(chain);
  await chain.done(admin, types.result, came(id));
  const [disputed] = effects(await chain.done(regulator, types.check, { study: id, result: hash("e") }), "disputed");
  assert.deepEqual([disputed!.said, disputed!.result], [hash("e"), hash("d")]);
  assert.equal(studyAt(chain, id).state, "disputed");
});

test("who may not ask, for that purpose or from there, breaches a rule with its ID", async () => {
  const chain = await chainWith({ "prohibit-8": "*", "rule-9-8": "law 366 *" });
  for (const [who, more, rule] of [
    [{ id: "cc00000000000001", role: 2 }, {}, "role"],
    [researcher, { purpose: 6 }, "role"],
    [researcher, { purpose: 8 }, "prohibited"],
    [{ ...researcher, jurisdiction: "CN" }, {}, "jurisdiction"],
    [researcher, { to_s: from_s + 400 * day_s }, "period"],
  ] as const) {
    const said = await chain.ask(who, types.ask, { ...asked, ...more });
    assert.deepEqual(rulesOf(said), [`denial ${rule}`, `violation ${rule}`]);
    assert.equal(said[1]!.subject, who.id);
  }
  assert.equal(chain.get(`budget/${researcher.id}`), undefined);
});

test("a group below its minimum is a breach when it is asked for, and withheld when its data is too little", async () => {
  const small = await chainWith({}, { size: 99 });
  const said = await small.ask(researcher, types.ask, asked);
  assert.deepEqual(rulesOf(said), ["denial group", "violation group"]);
  assert.equal((said[0]!.body as { meters_min: number }).meters_min, 100);
  const chain = await chainWith();
  const few = await chain.ask(researcher, types.ask, { ...asked, least: 99 });
  assert.deepEqual(rulesOf(few), ["denial group", "violation group"], "figures of 99 of them");
  const id = await askedStudy(chain);
  const [withheld] = effects(await chain.done(admin, types.result, came(id, { group: 99 })), "withheld");
  assert.deepEqual(withheld, { study: id, meters_min: 100, size: 99 });
  assert.equal(studyAt(chain, id).result, null);
  assert.equal(await chain.denied(admin, types.result, came(id)), "not-open");
});

test("of others than homes fifteen are enough, unless one has over 15 per cent", async () => {
  const chain = await chainWith({}, { class: "non-residential", size: 15 });
  const ask = () => askedStudy(chain, researcher, { least: 15 });
  const [first, second] = [await ask(), await ask()];
  await chain.done(admin, types.result, came(first, { group: 15, largest_permille: 150 }));
  await chain.done(admin, types.result, came(second, { group: 15, largest_permille: 151 }));
  assert.deepEqual([studyAt(chain, first).state, studyAt(chain, second).state], ["sealed", "withheld"]);
});

test("the group rule holds for exactly the groups that the thresholds allow", () => {
  const group = fc.record({
    class: fc.constantFrom("residential" as const, "non-residential" as const),
    size: fc.integer({ min: 0, max: 200 }),
    largest_permille: fc.integer({ min: 0, max: 1_000 }),
  });
  fc.assert(
    fc.property(group, (one) => {
      const isResidential = one.class === "residential";
      const holds = isResidential ? one.size >= 100 : one.size >= 15 && one.largest_permille <= 150;
      assert.equal(groupComplaint({ parameters: {} }, one) === undefined, holds);
    }),
  );
});

test("a budget is spent study by study, never passed, and begins anew with its window", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom("load-curve", "day-shapes", "anomalies", "sql"), { maxLength: 12 }),
      async (kinds) => {
        const chain = await chainWith({ budget: 10 });
        let spent = 0;
        for (const kind of kinds) {
          const cost = defaults[`cost_${kind as "sql"}`];
          const said = await chain.ask(researcher, types.ask, { ...asked, kind });
          const isBeyond = spent + cost > 10;
          if (!isBeyond) spent += cost;
          assert.deepEqual(
            rulesOf(said),
            isBeyond ? ["denial budget", "violation budget"] : ["effect budget", "effect asked"],
          );
          assert.equal((chain.get(`budget/${researcher.id}`) as number[] | undefined)?.[1] ?? 0, spent);
        }
        await chain.done(other, types.ask, asked);
        chain.time_s += 30 * day_s;
        const [fresh] = effects(await chain.done(researcher, types.ask, asked), "budget");
        assert.equal(fresh!.spent, 1);
      },
    ),
    { numRuns: 8 },
  );
});

test("a cohort stays as it is from its month on, and none is studied across a change", async () => {
  const chain = await chainWith();
  const next = { ...cohort, digest: hash("f"), from: month + 1 };
  assert.equal(await chain.denied(researcher, types.cohort, next), "role");
  assert.equal(await chain.denied(admin, types.cohort, { ...next, from: month }), "fixed");
  assert.equal(await chain.denied(regulator, types.cohort, next), "not-yours");
  await chain.done(admin, types.cohort, next);
  assert.equal(await chain.denied(admin, types.cohort, { ...next, digest: hash("0") }), "fixed");
  assert.equal(await chain.denied(researcher, types.ask, { ...asked, to_s: from_s + 40 * day_s }), "cohort-changes");
  assert.equal(await chain.denied(researcher, types.ask, { ...asked, from_s: from_s - 40 * day_s }), "before-cohort");
  assert.equal(await chain.denied(researcher, types.ask, { ...asked, cohort: "others" }), "unknown-cohort");
});

test("a study that nobody runs lapses, and what was spent stays spent", async () => {
  const chain = await chainWith();
  const id = await askedStudy(chain);
  const said = await chain.pass(chain.time_s + 14 * day_s);
  assert.equal(effects(said, "lapsed").length, 1);
  assert.equal(studyAt(chain, id).state, "lapsed");
  assert.equal(await chain.denied(admin, types.result, came(id)), "not-open");
});

test("what one requester has asked for is bounded: no more than 16 wait, and the oldest that has ended goes", async () => {
  const chain = await chainWith({ budget: 1_000 });
  const first = await askedStudy(chain);
  for (let count = 1; count < 16; count += 1) await askedStudy(chain);
  assert.equal(await chain.denied(researcher, types.ask, asked), "too-many");
  await chain.pass(chain.time_s + 14 * day_s);
  for (let count = 0; count < 85; count += 1) {
    if (count % 16 === 15) await chain.pass(chain.time_s + 14 * day_s);
    await askedStudy(chain, researcher, {});
  }
  assert.equal(studyAt(chain, first), undefined);
  assert.equal([...chain.state.keys()].filter((key) => key.startsWith("study/")).length, 100);
});

test("months are those of the calendar", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 200_000 }), (day) => {
      const date = new Date(day * day_s * 1_000);
      assert.equal(monthOf(day * day_s + 1), 12 * (date.getUTCFullYear() - 1_970) + date.getUTCMonth());
    }),
  );
});
