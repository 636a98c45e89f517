// The credit contract in the engine: indicators from facts, grades, what trading is told, lists, objection and repair, and what holds of
// any facts.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { encodeValue, type Value } from "../../src/wire/value.js";
import { monthOf, noFacts, rate } from "../../tools/market/credit/rating.js";
import { defaults, rulesOf } from "../../tools/market/credit/rules.js";
import { FACT_ROWS_MAX } from "../../tools/market/messages.js";
import { openChains, type Said, type TestChain } from "./chain.js";

const KIND = 512;
const PAID = 513;
const OBJECT = 514;
const REPAIR = 515;
const DECIDE = 516;
const regulator = { id: "00000000000000f0", role: 10 };
const agent = { id: "00000000000000f1", role: 8 };
const firm = { id: "00000000000000c1", role: 4 };
const household = { id: "00000000000000c2", role: 2 };
const DAY = 86_400;
const NOW = Date.UTC(2026, 9, 15) / 1_000;

let opened: Awaited<ReturnType<typeof openChains>>;
before(async () => {
  opened = await openChains(fileURLToPath(new URL("../../tools/market/credit/credit.ts", import.meta.url)));
});
after(() => opened.close());

function newChain(parameters: Readonly<Record<string, Value>> = {}): TestChain {
  const chain = opened.chain(parameters);
  chain.time_s = NOW;
  return chain;
}

const say = (chain: TestChain, service: number, name: string, slot_s: number, rows: Value) =>
  chain.run("message", {
    ...{ service, number: chain.height, contract: "x", name, height: 7, time_s: chain.time_s },
    body: { slot_s, rows },
  });
interface Kept {
  readonly score: number;
  readonly grade: string;
  readonly indicators: readonly { readonly name: string; readonly value: number | null }[];
  readonly standing: { readonly list: string; readonly bond_percent: number; readonly limit: number };
}
const ratingOf = (chain: TestChain, id: string) => chain.get(`rating/${id}`) as unknown as Kept;
const indicatorOf = (chain: TestChain, id: string, name: string) =>
  ratingOf(chain, id).indicators.find((each) => each.name === name)!.value;
const denialsOf = (said: readonly Said[]) => said.flatMap(({ type, name }) => (type === "denial" ? [name] : []));
const toldIn = (said: readonly Said[]) => said.filter(({ type }) => type === "message");

test("months are those of UTC", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 8_000_000_000 }), (time_s) => {
      const date = new Date(time_s * 1_000);
      assert.equal(monthOf(time_s), (date.getUTCFullYear() - 1_970) * 12 + date.getUTCMonth());
    }),
  );
});

test("each indicator is of its facts, the score is weighed by those that are known, and trading is told what changes", async () => {
  const chain = newChain();
  const said = await say(chain, 3, "delivery", NOW, [[firm.id, 1_000_000, 100_000, "AT-roof", 0]]);
  assert.equal(indicatorOf(chain, firm.id, "delivery"), 900);
  assert.equal(indicatorOf(chain, firm.id, "conduct"), 900, "a day beyond tolerance is one breach of class 2");
  assert.equal(indicatorOf(chain, firm.id, "settlement"), null);
  assert.equal(ratingOf(chain, firm.id).score, Math.floor((350 * 900 + 150 * 900) / 550));
  assert.deepEqual(
    toldIn(said).map(({ name, body }) => [name, (body as { rows: Value }).rows]),
    [["limit", [[firm.id, "BBB", 100_000_000, 100, 0, "none"]]]],
  );
  const again = await say(chain, 3, "delivery", NOW + 900, [[firm.id, 1_000_000, 1, "AT-roof", 1]]);
  assert.equal(toldIn(again).length, 0, "nothing that trading grants is another");
  assert.equal(indicatorOf(chain, firm.id, "conduct"), 900, "a day is one occasion");
  await chain.done(agent, PAID, { participant: firm.id, bill: "2026-09", due_s: NOW - DAY, paid_s: NOW - DAY });
  await chain.done(agent, PAID, { participant: firm.id, bill: "2026-08", due_s: NOW - 40 * DAY, paid_s: null });
  assert.equal(indicatorOf(chain, firm.id, "settlement"), 500);
  await chain.done(agent, PAID, { participant: firm.id, bill: "2026-08", due_s: NOW - 40 * DAY, paid_s: NOW });
  assert.equal(indicatorOf(chain, firm.id, "settlement"), 500, "late, and counted once");
  await say(chain, 1, "quality", NOW, [[firm.id, 96, 24]]);
  assert.equal(indicatorOf(chain, firm.id, "data"), 750);
  assert.equal(await chain.denied(firm, PAID, { participant: firm.id, bill: "x", due_s: 1, paid_s: 1 }), "role");
});

test("breaches weigh by class, half after half a year, and are gone after twelve months", async () => {
  const chain = newChain();
  await say(chain, 1, "breach", NOW, [[firm.id, 1, "auction/unopened"]]);
  assert.equal(indicatorOf(chain, firm.id, "conduct"), 700);
  chain.time_s = NOW + 190 * DAY;
  await say(chain, 1, "quality", chain.time_s, [[firm.id, 1, 0]]);
  assert.equal(indicatorOf(chain, firm.id, "conduct"), 850);
  chain.time_s = NOW + 370 * DAY;
  await say(chain, 1, "quality", chain.time_s, [[firm.id, 1, 0]]);
  assert.equal(indicatorOf(chain, firm.id, "conduct"), 1_000);
  assert.equal([...chain.state.keys()].filter((key) => key.startsWith("facts/")).length, 2, "old months are let go of");
});

test("a firm that is low is listed for attention, then black; a household is rewarded alone and on no list", async () => {
  const chain = newChain();
  await chain.done(regulator, KIND, { participant: firm.id, kind: "firm" });
  for (const { id } of [firm, household]) {
    await say(chain, 1, "breach", NOW, [
      [id, 1, "r"],
      [id, 1, "r"],
      [id, 1, "r"],
      [id, 1, "r"],
    ]);
    await say(chain, 3, "delivery", NOW, [[id, 100, 100]]);
  }
  assert.deepEqual(
    [
      ratingOf(chain, firm.id).grade,
      ratingOf(chain, firm.id).standing.list,
      ratingOf(chain, firm.id).standing.bond_percent,
    ],
    ["C", "attention", 150],
  );
  const { standing } = ratingOf(chain, household.id);
  assert.deepEqual([standing.list, standing.bond_percent, standing.limit], ["none", 100, 100_000_000]);
  chain.time_s = NOW + 91 * DAY;
  await say(chain, 1, "quality", chain.time_s, [[firm.id, 10, 10]]);
  assert.deepEqual([ratingOf(chain, firm.id).standing.list, ratingOf(chain, firm.id).standing.limit], ["black", 0]);
  assert.equal(await chain.denied(household, REPAIR, { reason: "none" }), "not-listed");
  await chain.done(firm, REPAIR, { reason: "paid all" });
  assert.equal(await chain.denied(firm, DECIDE, { case: 0, upheld: true, reason: "mine" }), "role");
  const said = await chain.done(regulator, DECIDE, { case: 0, upheld: true, reason: "mended" });
  assert.equal(ratingOf(chain, firm.id).standing.list, "none");
  assert.equal(toldIn(said).length, 1);
});

test("an objection that is upheld takes its fact out, one that is dismissed does not; each is decided once", async () => {
  const chain = newChain();
  const month = monthOf(NOW);
  await say(chain, 1, "breach", NOW, [
    [firm.id, 1, "first"],
    [firm.id, 2, "second"],
  ]);
  assert.equal(await chain.denied(firm, OBJECT, { month, what: "breaches", at: 2, reason: "no" }), "unknown-fact");
  await chain.done(firm, OBJECT, { month, what: "breaches", at: 0, reason: "the meter was out" });
  await chain.done(firm, OBJECT, { month, what: "breaches", at: 1, reason: "nor this" });
  await chain.done(regulator, DECIDE, { case: 0, upheld: true, reason: "so it was" });
  assert.equal(indicatorOf(chain, firm.id, "conduct"), 900);
  await chain.done(regulator, DECIDE, { case: 1, upheld: false, reason: "it was not" });
  assert.equal(indicatorOf(chain, firm.id, "conduct"), 900);
  assert.equal(await chain.denied(regulator, DECIDE, { case: 1, upheld: true, reason: "again" }), "unknown-case");
});

test("a row that is wrong is denied alone, by its place, and the others count", async () => {
  const chain = newChain();
  const said = await say(chain, 3, "delivery", NOW, [
    ["no ID", 1, 1],
    [firm.id, 1_000, 0],
    [household.id, -1, 0],
  ]);
  assert.deepEqual(
    said.filter(({ type }) => type === "denial").map(({ name, body }) => [name, body]),
    [
      ["malformed", { row: 0, about: "participant" }],
      ["malformed", { row: 2, about: "contracted_mWh" }],
    ],
  );
  assert.equal(indicatorOf(chain, firm.id, "delivery"), 1_000);
  assert.equal(chain.get(`rating/${household.id}`), undefined);
});

test("sums of energies beyond 2^53 and beyond 64 bits fail no message", async () => {
  const chain = newChain();
  const most = Number.MAX_SAFE_INTEGER;
  const rows = Array.from({ length: FACT_ROWS_MAX }, () => [firm.id, most, 0]);
  for (let count = 0; count < 1_200 / FACT_ROWS_MAX; count += 1) await say(chain, 3, "delivery", NOW, rows);
  assert.equal(indicatorOf(chain, firm.id, "delivery"), 1_000);
  await say(chain, 3, "delivery", NOW, [[firm.id, 0, most]]);
  assert.equal(indicatorOf(chain, firm.id, "delivery"), 999);
});

test("a bill is one bill, whatever month it is stated again for, and none before it is late", async () => {
  const chain = newChain();
  const bill = (due_s: number, paid_s: number | null) =>
    chain.done(agent, PAID, { participant: firm.id, bill: "one", due_s, paid_s });
  await bill(NOW + 20 * DAY, null);
  assert.equal(indicatorOf(chain, firm.id, "settlement"), null, "it is not due yet");
  await bill(NOW - DAY, null);
  assert.equal(indicatorOf(chain, firm.id, "settlement"), 0);
  await bill(NOW - 40 * DAY, NOW - 41 * DAY);
  assert.equal(indicatorOf(chain, firm.id, "settlement"), 1_000, "what was said before of it is gone");
  const far = { participant: firm.id, bill: "two", due_s: NOW + 100 * DAY, paid_s: null };
  assert.equal(await chain.denied(agent, PAID, far), "too-far");
  const wide = { participant: firm.id, bill: "\u{20ac}", due_s: NOW, paid_s: null };
  assert.equal(await chain.denied(agent, PAID, wide), "malformed");
});

test("a month full of the longest facts is kept, and what is beyond is denied", async () => {
  const chain = newChain();
  const name = (index: number) => `${index}`.padEnd(64, "x");
  const rows = (from: number, row: (index: number) => readonly Value[]) =>
    Array.from({ length: 25 }, (_, index) => row(from + index));
  for (const from of [0, 25, 50]) {
    await say(
      chain,
      1,
      "breach",
      NOW,
      rows(from, (index) => [firm.id, 3, name(index)]),
    );
    await say(
      chain,
      1,
      "payment",
      NOW,
      rows(from, (index) => [firm.id, name(index), NOW, NOW]),
    );
  }
  const kept = chain.get(`facts/${firm.id}/${String(monthOf(NOW)).padStart(5, "0")}`) as unknown as {
    readonly breaches: readonly Value[];
    readonly payments: readonly Value[];
  };
  assert.deepEqual([kept.breaches.length, kept.payments.length], [48, 48]);
});

test("one participant has so many cases that wait, and names so many others", async () => {
  const chain = newChain();
  const month = monthOf(NOW);
  await say(chain, 1, "breach", NOW, [[firm.id, 1, "first"]]);
  const objection = { month, what: "breaches", at: 0, reason: "no" };
  for (let count = 0; count < 4; count += 1) await chain.done(firm, OBJECT, objection);
  assert.equal(await chain.denied(firm, OBJECT, objection), "full");
  await chain.done(regulator, DECIDE, { case: 2, upheld: false, reason: "it was" });
  await chain.done(firm, OBJECT, objection);
  chain.state = new Map([...chain.state, [`count/by/${agent.id}`, encodeValue(1_000)]]);
  const bill = { participant: household.id, bill: "one", due_s: NOW, paid_s: NOW };
  assert.equal(await chain.denied(agent, PAID, bill), "full");
  await chain.done(agent, PAID, { ...bill, participant: firm.id });
  const other = { ...agent, id: "00000000000000f2" };
  await chain.done(other, PAID, bill);
  assert.deepEqual([chain.get("count/subjects"), chain.get(`count/by/${other.id}`)], [2, 1]);
});

test("a rating is made anew each month; of a household without a fact nothing is kept, and trading is told", async () => {
  const chain = newChain();
  await say(chain, 1, "breach", NOW, [[household.id, 1, "r"]]);
  for (let day = 30; day < 240; day += 30) await chain.pass(NOW + day * DAY);
  assert.equal(indicatorOf(chain, household.id, "conduct"), 850, "half after half a year, though nothing else came");
  let said: readonly Said[] = [];
  for (let day = 240; day < 400; day += 30) said = [...said, ...(await chain.pass(NOW + day * DAY))];
  assert.deepEqual([...chain.state.keys()], []);
  const last = toldIn(said).at(-1)!.body as { readonly rows: Value };
  assert.deepEqual(last.rows, [[household.id, "none", null, 100, 0, "none"]]);
});

test("a score is within its bounds, and never better for a deviation, a late payment or a breach more", () => {
  const facts = fc.record({
    contracted: fc.nat(1_000_000),
    beyond: fc.nat(1_000_000),
    slots: fc.integer({ min: 1, max: 3_000 }),
    flawed: fc.nat(3_000),
    late: fc.nat(5),
    breaches: fc.array(fc.constantFrom(1, 2, 3), { maxLength: 5 }),
  });
  fc.assert(
    fc.property(facts, fc.nat(11), ({ contracted, beyond, slots, flawed, late, breaches }, ago) => {
      const evidence = [1, 1, "message 0"] as const;
      const rules = rulesOf({ parameters: {} });
      const with_ = (more: { beyond: number; late: number; breach: number }) =>
        rate({
          facts: new Map([
            [
              600 - ago,
              {
                ...{ ...noFacts, contracted, beyond: beyond + more.beyond, slots, flawed },
                payments: Array.from({ length: 6 }, (_, index) => {
                  const paid_s = index < late + more.late ? null : 0;
                  return [`b${index}`, 0, paid_s, evidence] as const;
                }),
                breaches: [...breaches, ...(more.breach > 0 ? [more.breach] : [])].map(
                  (class_) => ["r", class_, 0, evidence] as const,
                ),
              },
            ],
          ]),
          ...{ since: 600 - ago, month: 600, time_s: 1, rules },
        }).score;
      const score = with_({ beyond: 0, late: 0, breach: 0 });
      assert.ok(score >= 0 && score <= 1_000, `${score}`);
      for (const more of [
        { beyond: 5, late: 0, breach: 0 },
        { beyond: 0, late: 1, breach: 0 },
        { beyond: 0, late: 0, breach: 3 },
      ])
        assert.ok(with_(more) <= score, JSON.stringify(more));
    }),
  );
  assert.equal(
    defaults.weight_delivery +
      defaults.weight_settlement +
      defaults.weight_data +
      defaults.weight_conduct +
      defaults.weight_tenure,
    1_000,
  );
});

test("each parameter of a jurisdiction is one that the contract has, and its bonds hold for who is rated there", async () => {
  for (const [place, bond] of [
    ["EU", 100],
    ["CN", 150],
  ] as const) {
    const path = fileURLToPath(new URL(`../../tools/market/credit/parameters/${place}.json`, import.meta.url));
    const { parameters } = JSON.parse(readFileSync(path, "utf8")) as { parameters: Record<string, string | number> };
    for (const name of Object.keys(parameters)) assert.ok(name.replace(/_law$/, "") in defaults, `${place}: ${name}`);
    const chain = newChain(parameters);
    await chain.done(regulator, KIND, { participant: firm.id, kind: "firm" });
    await say(chain, 1, "breach", NOW, [
      [firm.id, 1, "r"],
      [firm.id, 1, "r"],
      [firm.id, 1, "r"],
    ]);
    assert.equal(ratingOf(chain, firm.id).standing.bond_percent, bond, place);
    await say(chain, 3, "delivery", NOW, [[firm.id, 100, 100]]);
    const { limit } = ratingOf(chain, firm.id).standing;
    assert.equal(
      limit === 0,
      place === "CN",
      `${place}: a firm of grade C ${limit === 0 ? "leaves" : "stays on"} the market`,
    );
  }
});

test("as many rows as a message has are taken in one run: of new participants, and of those with a year of facts, of which months fall out", async () => {
  const chain = newChain();
  const ids = Array.from({ length: FACT_ROWS_MAX }, (_, index) => `d${`${index}`.padStart(15, "0")}`);
  const MONTH_S = 2_629_800;
  for (let month = 0; month < 15; month += 1) {
    // The second year has a month without any word, so that more than one falls out at once.
    if (month === 12) continue;
    chain.time_s = NOW + month * MONTH_S;
    const bill = (number: number) => `a-community-with-a-long-name-as-it/1767225600/${number}/${month}`;
    const said = await say(
      chain,
      1,
      "payment",
      chain.time_s,
      ids.map((id, index) => [id, bill(index), chain.time_s + 86_400, null]),
    );
    assert.deepEqual(denialsOf(said), [], `month ${month}`);
    const all: readonly (readonly [string, readonly Value[]])[] = [
      ["quality", [2_880, 12]],
      ["delivery", [1_000_000_000, 200_000_000]],
      ["breach", [3, "auction/unopened"]],
    ];
    for (const [name, cells] of all) {
      const rows = ids.map((id) => [id, ...cells]);
      assert.deepEqual(denialsOf(await say(chain, 1, name, chain.time_s, rows)), [], `${name} of month ${month}`);
    }
  }
  assert.ok(ids.every((id) => chain.get(`rating/${id}`) !== undefined));
  const rows = [...ids, "e".repeat(16)].map((id) => [id, 1, 0]);
  assert.deepEqual(denialsOf(await say(chain, 1, "quality", NOW, rows)), ["malformed"]);
});
