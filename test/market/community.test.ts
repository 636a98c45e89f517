// The community contract in the engine that nodes run it in: joining by consent, shares to the last unit, bills that add up to nothing,
// corrections that change nothing which is sealed.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { encodeValue, type Value } from "../../src/wire/value.js";
import { operationTypes as types } from "../../tools/market/community/types.js";
import type { Rounding, SharingModel } from "../../tools/market/sharing.js";
import { shared } from "../shared.js";
import { effects, openChains, type Row, type Said, type Signer, type TestChain } from "./chain.js";

const file = fileURLToPath(new URL("../../tools/market/community/community.ts", import.meta.url));
const { chain: newChain, close } = await openChains(file);
after(close);

const manager: Signer = { id: "aa00000000000001", role: 3 };
const operator: Signer = { id: "bb00000000000002", role: 5 };
const owners: readonly Signer[] = Array.from({ length: 8 }, (_, index) => ({
  ...{ id: `cc0000000000000${index}`, role: 2 },
}));
const point = (index: number) => `AT${index}`;
const SLOT = 900_000;

interface Joined {
  readonly keys?: readonly number[];
  readonly factors?: readonly number[];
  readonly community?: string;
}

/** Founds a community in which so many points are members from the slot at 900,000 s on. */
async function communityOf(
  chain: TestChain,
  count: number,
  { terms, keys, factors, community = "sun" }: { readonly terms: { readonly [name: string]: Value } } & Joined,
): Promise<void> {
  await chain.done(manager, types.found, { community, name: "Sun", ...terms });
  const points = owners.slice(0, count).map(({ id }, index) => [point(index), id, null]);
  if (chain.get("point/AT0") === undefined) await chain.done(operator, types.owners, { points });
  for (let index = 0; index < count; index += 1) {
    const part = { community, point: point(index), factor: factors?.[index] ?? 10_000, key: keys?.[index] ?? 0 };
    await chain.done(manager, types.invite, part);
    await chain.done(owners[index]!, types.join, part);
  }
}

interface Shares {
  readonly start: number;
  readonly revision: number;
  readonly rows: readonly (readonly [string, number, number, number, number, number, number])[];
}

const sharesIn = (said: readonly Said[], name = "shares") => effects<Shares>(said, name);
const column = ({ rows }: Shares, index: 1 | 2 | 3 | 4 | 5 | 6) => rows.map((row) => row[index]);
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
const even = { model: "proportional", price: 12_000, feed: 10_000, fee: 200_000 };

test("a point joins by its owner's consent, as it was invited, and by nobody else's", async () => {
  const chain = newChain();
  assert.equal(await chain.denied(owners[0]!, types.found, { community: "sun", name: "Sun", ...even }), "role");
  await chain.done(manager, types.found, { community: "sun", name: "Sun", ...even });
  assert.equal(await chain.denied(manager, types.found, { community: "sun", name: "Sun", ...even }), "exists");
  const part = { community: "sun", point: "AT0", factor: 5_000, key: 0 };
  assert.equal(await chain.denied(owners[0]!, types.join, part), "no-point");
  assert.equal(await chain.denied(owners[0]!, types.owners, { points: [["AT0", owners[0]!.id, null]] }), "role");
  await chain.done(operator, types.owners, { points: [["AT0", owners[0]!.id, null]] });
  assert.equal(await chain.denied(owners[0]!, types.join, part), "not-invited");
  assert.equal(await chain.denied(owners[0]!, types.invite, part), "not-manager");
  await chain.done(manager, types.invite, part);
  assert.equal(await chain.denied(owners[1]!, types.join, part), "not-owner");
  assert.equal(await chain.denied(owners[0]!, types.join, { ...part, factor: 6_000 }), "not-as-invited");
  await chain.done(owners[0]!, types.join, part);
  assert.equal(await chain.denied(owners[0]!, types.join, part), "not-invited", "an invitation is good once");
  const said = await chain.close(SLOT, [["AT0", 1_000, null, 1]]);
  assert.deepEqual(sharesIn(said)[0]!.rows, [["AT0", 500, 0, 0, 0, 0, 1]]);
});

test("a point is in five communities at most, with the whole of it at most, at any time", async () => {
  const chain = newChain({ managed_max: 16 });
  await chain.done(operator, types.owners, { points: [["AT0", owners[0]!.id, null]] });
  const join = async (community: string, factor: number, from: number | null = null) => {
    await chain.done(manager, types.found, { community, name: community, ...even });
    const part = { community, point: "AT0", factor, key: 0 };
    await chain.done(manager, types.invite, { ...part, from });
    return part;
  };
  for (const community of ["a", "b", "c", "d"]) {
    await chain.done(owners[0]!, types.join, await join(community, 2_000));
  }
  const later = await join("later", 2_001, SLOT + 90_000);
  assert.equal(await chain.denied(owners[0]!, types.join, later), "factors", "8,000 and 2,001");
  await chain.done(owners[0]!, types.join, await join("e", 1_000));
  assert.equal(await chain.denied(owners[0]!, types.join, await join("f", 500)), "factors", "a sixth community");
  await chain.done(owners[0]!, types.leave, { community: "a", point: "AT0", from: SLOT + 45_000 });
  await chain.done(manager, types.invite, { ...later, from: SLOT + 90_000 });
  await chain.done(owners[0]!, types.join, later);
  const parts = async (start: number) =>
    sharesIn(await chain.close(start, [["AT0", 1_003, null, 1]])).map((shares) => column(shares, 1)[0]);
  assert.deepEqual(await parts(SLOT), [201, 201, 200, 200, 100], "parts add up to nine tenths of the point");
  assert.deepEqual(await parts(SLOT + 90_000), [201, 200, 200, 100, 201], "the largest remainders have what is left");
});

test("a membership ends at its date, with the ownership, or where another factor begins", async () => {
  const chain = newChain();
  await communityOf(chain, 3, { terms: even });
  const rows: Row[] = [0, 1, 2].map((index) => [point(index), 1_000, null, 1]);
  const members = async (start: number) => {
    const [shares] = sharesIn(await chain.close(start, rows));
    return shares?.rows.map(([name, consumed]) => [name, consumed]);
  };
  await chain.done(manager, types.leave, { community: "sun", point: "AT0", from: SLOT + 900 });
  await chain.done(operator, types.owners, { points: [["AT1", owners[7]!.id, SLOT + 1_800]] });
  const part = { community: "sun", point: "AT2", factor: 2_500, key: 0 };
  await chain.done(manager, types.invite, { ...part, from: SLOT + 2_700 });
  await chain.done(owners[2]!, types.join, part);
  const whole = (index: number) => [point(index), 1_000];
  assert.deepEqual(await members(SLOT), [0, 1, 2].map(whole));
  assert.deepEqual(await members(SLOT + 900), [1, 2].map(whole));
  assert.deepEqual(await members(SLOT + 1_800), [whole(2)]);
  assert.deepEqual(await members(SLOT + 2_700), [["AT2", 250]]);
  const past = { community: "sun", point: "AT2", from: SLOT };
  assert.equal(await chain.denied(owners[2]!, types.leave, past), "past", "what is closed stays");
});

/** A chain with a community of so many points, made once for each count, that goes on under these rules. */
async function sharingBy(
  bases: Map<number, TestChain>,
  count: number,
  rule: { readonly model: SharingModel; readonly rounding: Rounding; readonly key: readonly number[] | null },
): Promise<TestChain> {
  const { model, rounding, key } = rule;
  const base = bases.get(count) ?? newChain();
  if (!bases.has(count)) await communityOf(base, count, { terms: even });
  bases.set(count, base);
  const chain = newChain();
  chain.state = base.state;
  if (key !== null) {
    const members = (chain.get("member/sun/000") as readonly Value[][]).map((member, index) =>
      member.with(3, key[index] ?? 0),
    );
    chain.state = new Map([...chain.state, ["member/sun/000", encodeValue(members)]]);
  }
  await chain.done(manager, types.terms, { community: "sun", model, rounding });
  return chain;
}

test("shares are those of the market's vectors", { skip: shared("vectors/market/sharing.json").skip }, async () => {
  interface Vector {
    readonly model: SharingModel;
    readonly rounding: Rounding;
    readonly produced: readonly number[];
    readonly consumed: readonly number[];
    readonly key: readonly number[] | null;
    readonly offered: readonly number[];
    readonly covered: readonly number[];
    readonly surplus: readonly number[];
  }
  const vectors = JSON.parse(readFileSync(shared("vectors/market/sharing.json").path, "utf8")) as readonly Vector[];
  const bases = new Map<number, TestChain>();
  let tried = 0;
  for (const vector of vectors) {
    const { model, rounding, produced, consumed, key } = vector;
    const count = consumed.length + produced.length;
    if (count > owners.length) continue;
    const chain = await sharingBy(bases, count, { model, rounding, key });
    const rows = [
      ...consumed.map((energy, index): Row => [point(index), energy, null, 1]),
      ...produced.map((energy, index): Row => [point(consumed.length + index), null, energy, 1]),
    ];
    const [shares] = sharesIn(await chain.close(SLOT, rows));
    assert.ok(shares !== undefined, "there are shares");
    const of = (index: 2 | 3) => column(shares, index).slice(0, consumed.length);
    const found = { offered: of(2), covered: of(3), surplus: column(shares, 5).slice(consumed.length) };
    const { offered, covered, surplus } = vector;
    assert.deepEqual(found, { offered, covered, surplus }, JSON.stringify(vector));
    tried += 1;
  }
  assert.ok(tried > 20, `${tried} vectors fit`);
});

const energies = fc.record({
  model: fc.constantFrom<SharingModel>("proportional", "static", "redistributed", "ranked"),
  rows: fc.array(fc.tuple(fc.nat(5_000_000), fc.nat(5_000_000), fc.constantFrom(1, 2)), { minLength: 2, maxLength: 6 }),
  keys: fc.array(fc.nat(1_600), { minLength: 6, maxLength: 6 }),
  together: fc.constantFrom(1, 2, 500),
});

test("what a community produces is covered or surplus, nobody is covered beyond need, in however many parts", async () => {
  await fc.assert(
    fc.asyncProperty(energies, async ({ model, rows, keys, together }) => {
      const chain = newChain();
      await communityOf(chain, rows.length, { terms: { model }, keys });
      const list = rows.map(([taken, given, quality], index): Row => [point(index), taken, given, quality]);
      const [shares] = sharesIn(await chain.close(SLOT, [...list, ["ZZ", 7, 7, 1]], together));
      assert.equal(sum(column(shares!, 4)), sum(rows.map(([, given]) => given)), "all is produced");
      assert.equal(sum(column(shares!, 3)) + sum(column(shares!, 5)), sum(column(shares!, 4)), "nothing is lost");
      for (const [, consumed, offered, covered] of shares!.rows) {
        assert.ok(covered <= consumed && covered <= offered, "covered within need and offer");
      }
    }),
    { numRuns: 25 },
  );
});

interface Bill {
  readonly point: string;
  readonly kind: string;
  readonly number: number;
  readonly lines: readonly (readonly [string, number | null, number, number, ...number[]])[];
  readonly amount: number;
}

test("a period is billed once: preview, then final; what all pay and get adds up to the community's own", async () => {
  const chain = newChain();
  await communityOf(chain, 3, { terms: even });
  const end = SLOT + 1_800;
  await chain.done(manager, types.periods, { community: "sun", begins: [end] });
  const rows: readonly Row[] = [
    ["AT0", 1_000_000, null, 1],
    ["AT1", 3_000_000, null, 2],
    ["AT2", 0, 2_000_001, 1],
  ];
  await chain.close(SLOT, rows);
  const run = { community: "sun", period: SLOT };
  assert.equal(await chain.denied(owners[0]!, types.bill, { ...run, kind: "preview" }), "not-manager");
  assert.equal(await chain.denied(manager, types.bill, { ...run, kind: "final" }), "period-open");
  const preview = effects<Bill>(await chain.done(manager, types.bill, { ...run, kind: "preview" }), "bill");
  assert.deepEqual(
    preview.map(({ point, amount }) => [point, amount]),
    [
      ["AT0", 206_000],
      ["AT1", 218_000],
      ["AT2", 180_000],
    ],
    "0.5 kWh at 0.12, 1.5 kWh at 0.12, 2.000001 kWh at 0.10, and a fee of 2",
  );
  await chain.close(SLOT + 900, [["AT0", 1_000_000, null, 1], ["AT1", null, null, 3], rows[2]!]);
  const said = await chain.done(manager, types.bill, { ...run, kind: "final" });
  const bills = effects<Bill>(said, "bill");
  const [own] = effects<{ own: number; bills: number }>(said, "bills");
  assert.equal(sum(bills.map(({ amount }) => amount)) + own!.own, 0, "money conserves");
  assert.deepEqual(bills[1]!.lines[0]!.slice(4, 7), [2, 1, 1], "two slots, one estimated, one missing");
  assert.deepEqual(bills[0]!.lines[0]!.slice(7, 9), [SLOT, SLOT + 900], "its slots");
  assert.equal(await chain.denied(manager, types.bill, { ...run, kind: "final" }), "already-final");
  await chain.close(end, rows);
  assert.equal(await chain.denied(manager, types.bill, { ...run, period: 1, kind: "final" }), "no-period");
});

test("what comes late is a correction: of the open account before the final bills, in a run of its own after them", async () => {
  const chain = newChain();
  await communityOf(chain, 3, { terms: { ...even, fee: 0 } });
  await chain.done(manager, types.periods, { community: "sun", begins: [SLOT + 900] });
  const produced: Row = ["AT2", null, 2_000_000, 1];
  const rows: readonly Row[] = [["AT0", 1_000_000, null, 1], ["AT1", null, null, 3], produced];
  await chain.close(SLOT, rows);
  const before = chain.get("shares/sun/00");
  const late = { point: "AT1", slots: [[SLOT, 3_000_000, null, 1]] };
  assert.equal(await chain.denied(owners[1]!, types.correct, late), "role");
  assert.equal(await chain.denied({ ...operator, id: "dd00000000000003" }, types.correct, late), "not-yours");
  const run = { community: "sun", period: SLOT };
  const final = effects<Bill>(await chain.done(manager, types.bill, { ...run, kind: "final" }), "bill");
  const corrected = await chain.done(operator, types.correct, late);
  assert.deepEqual(column(sharesIn(corrected, "corrected")[0]!, 3), [500_000, 1_500_000, 0]);
  assert.deepEqual(chain.get("shares/sun/00"), before, "what is sealed stays");
  const correction = effects<Bill>(await chain.done(manager, types.bill, { ...run, kind: "correction" }), "bill");
  const amounts = (bills: readonly Bill[]) => new Map(bills.map(({ point, amount }) => [point, amount]));
  assert.deepEqual(
    amounts(correction),
    new Map([
      ["AT0", -6_000],
      ["AT1", 18_000],
      ["AT2", -10_000],
    ]),
  );
  // As if it had come in time.
  const inTime = newChain();
  await communityOf(inTime, 3, { terms: { ...even, fee: 0 } });
  await inTime.done(manager, types.periods, { community: "sun", begins: [SLOT + 900] });
  await inTime.close(SLOT, [rows[0]!, ["AT1", 3_000_000, null, 1], produced]);
  const whole = amounts(effects<Bill>(await inTime.done(manager, types.bill, { ...run, kind: "final" }), "bill"));
  for (const [name, amount] of whole) {
    assert.equal((amounts(final).get(name) ?? 0) + (amounts(correction).get(name) ?? 0), amount, name);
  }
  const again = await chain.done(manager, types.bill, { ...run, kind: "correction" });
  assert.deepEqual(effects(again, "bill"), [], "a correction is billed once");
});

test("energies are kept for so many slots and not longer", async () => {
  const chain = newChain({ kept_slots: 2 });
  await communityOf(chain, 1, { terms: even });
  for (let slot = 0; slot < 4; slot += 1) await chain.close(SLOT + 900 * slot, [["AT0", 5, 5, 1]]);
  const late = (start: number) => ({ point: "AT0", slots: [[start, 9, null, 1]] });
  assert.equal(await chain.denied(operator, types.correct, late(SLOT + 900)), "not-kept");
  await chain.done(operator, types.correct, late(SLOT + 1_800));
  assert.equal([...chain.state.keys()].filter((key) => key.startsWith("energy/")).length, 2);
});

test("two communities are one manager's, and one that nobody joins is let go of", async () => {
  const chain = newChain();
  const found = (community: string, who = manager) => [who, types.found, { community, name: "Sun", ...even }] as const;
  await chain.done(...found("one"));
  await chain.done(...found("two"));
  assert.equal(await chain.denied(...found("three")), "full");
  await chain.done(...found("three", { id: "aa00000000000009", role: 3 }));
  await chain.done(manager, types.invite, { community: "one", point: "AT0" });
  const said = await chain.pass(chain.time_s + 90 * 86_400);
  assert.equal(effects(said, "dissolved").length, 3);
  assert.deepEqual([...chain.state.keys()], []);
});

test("so many invitations of a community wait, for a month", async () => {
  const chain = newChain();
  await chain.done(manager, types.found, { community: "sun", name: "Sun", ...even });
  const invited = (index: number) => ({ community: "sun", point: `AT${index}` });
  for (let index = 0; index < 100; index += 1) await chain.done(manager, types.invite, invited(index));
  assert.equal(await chain.denied(manager, types.invite, invited(100)), "full");
  await chain.done(manager, types.invite, invited(7));
  await chain.pass(chain.time_s + 30 * 86_400);
  assert.deepEqual(
    [...chain.state.keys()].filter((key) => key.includes("invited")),
    [],
  );
});

test("nothing begins beyond five years, and who measures states so many points", async () => {
  const chain = newChain();
  const far = chain.time_s + 200_000_000;
  assert.equal(
    await chain.denied(manager, types.found, { community: "sun", name: "Sun", ...even, from: far }),
    "too-far",
  );
  await chain.done(operator, types.owners, { points: [["AT0", owners[0]!.id, null]] });
  assert.equal(await chain.denied(operator, types.owners, { points: [["AT0", owners[1]!.id, far]] }), "too-far");
  chain.state = new Map([...chain.state, [`stated/${operator.id}`, encodeValue(5_000)]]);
  assert.equal(await chain.denied(operator, types.owners, { points: [["AT1", owners[1]!.id, null]] }), "full");
});

test("an energy that no point can carry is missing, and costs the others nothing", async () => {
  const chain = newChain();
  await communityOf(chain, 2, { terms: even });
  const said = await chain.close(SLOT, [
    [point(0), 9_223_372_036_854_775_807n, null, 1],
    [point(1), null, 1_000, 1],
  ]);
  assert.deepEqual(sharesIn(said)[0]!.rows, [
    [point(0), 0, 0, 0, 0, 0, 3],
    [point(1), 0, 0, 0, 1_000, 1_000, 1],
  ]);
});

test("credit hears of final bills: who owes what until when, and how good the data is", async () => {
  const chain = newChain();
  await communityOf(chain, 2, { terms: even });
  await chain.done(manager, types.periods, { community: "sun", begins: [SLOT + 900] });
  await chain.close(SLOT, [
    [point(0), 1_000_000, null, 1],
    [point(1), null, 1_000_000, 2],
  ]);
  const said = await chain.done(manager, types.bill, { community: "sun", period: SLOT, kind: "final" });
  const told = said.filter(({ type }) => type === "message").map(({ service, name, body }) => [service, name, body]);
  const due_s = chain.time_s + 14 * 86_400;
  assert.deepEqual(told, [
    [
      2,
      "payment",
      { slot_s: chain.time_s, rows: [0, 1].map((n) => [owners[n]!.id, `sun/${SLOT}/${n}/0`, due_s, null]) },
    ],
    [
      2,
      "quality",
      {
        slot_s: chain.time_s,
        rows: [
          [owners[0]!.id, 1, 0],
          [owners[1]!.id, 1, 1],
        ],
      },
    ],
  ]);
});

test("a tariff beyond what a jurisdiction sets is denied by the paragraph", async () => {
  const chain = newChain({ price_max: 11_999, price_max_law: "RO 1 Art. 7" });
  const [denial] = await chain.ask(manager, types.found, { community: "sun", name: "Sun", ...even });
  assert.deepEqual(
    [denial!.name, denial!.body],
    ["law", { parameter: "price_max", value: 11_999, law: "RO 1 Art. 7" }],
  );
});
