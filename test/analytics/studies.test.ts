// Studies over exported readings: energy is conserved, groups are large enough, and the same export comes to the same hash.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { digestOf } from "../../tools/analytics/manifest.js";
import type { Export } from "../../tools/analytics/read.js";
import type { MeterSeries, Series } from "../../tools/analytics/series.js";
import { anomalies } from "../../tools/analytics/studies/anomalies.js";
import { dayShapes } from "../../tools/analytics/studies/day-shapes.js";
import { feederLoss } from "../../tools/analytics/studies/feeder-loss.js";
import { forecast } from "../../tools/analytics/studies/forecast.js";
import { loadCurve } from "../../tools/analytics/studies/load-curve.js";
import { quality } from "../../tools/analytics/studies/quality.js";
import type { StudyInput } from "../../tools/analytics/studies/study-input.js";
import { resultHash, resultText, runStudy } from "../../tools/analytics/study.js";
import { queryHash, type StudyFields, termsFrom } from "../../tools/analytics/terms.js";
import { cohortDigest } from "../../tools/market/mining/cohorts.js";
import { exported, FROM_S, householdChain } from "./tables.js";

const SLOTS_OF_DAY = 24;
const slot_s = 3_600;

/** Series of hours from a midnight on. */
function inputOf(energies: readonly (readonly (number | null)[])[], more: Partial<StudyInput> = {}): StudyInput {
  const count = energies[0]!.length;
  const member = (taken: readonly (number | null)[]): MeterSeries => ({
    ...{ taken, given: taken.map(() => 0), quality: taken.map((energy) => (energy === null ? 3 : 1)) },
  });
  const meters = new Map(energies.map((taken, index) => [`m${index}`, member(taken)]));
  const series: Series = { from_s: 0, to_s: count * slot_s, slot_s, gapMax_s: 3_600, count, meters };
  const members = [...meters.keys()];
  return { series, members, silent: 0, feeder: undefined, audience: "aggregate", least: 1, clusters: 2, ...more };
}

const energy = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 10 ** 9 }) },
  { weight: 1, arbitrary: fc.constant(null) },
);
const days = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 })).chain(([members, length]) => {
  const slots = length * SLOTS_OF_DAY;
  return fc.array(fc.array(energy, { minLength: slots, maxLength: slots }), { minLength: members, maxLength: members });
});
const sumOf = (list: readonly (number | null)[]) => list.reduce<bigint>((sum, each) => sum + BigInt(each ?? 0), 0n);

test("a load curve conserves energy, and its duration curve never rises", () => {
  fc.assert(
    fc.property(days, (energies) => {
      const figures = loadCurve(inputOf(energies));
      const all = energies.reduce((sum, list) => sum + sumOf(list), 0n);
      assert.equal(figures.energy_mWh, all);
      const curve = figures.curve as readonly (readonly [bigint, number, bigint | null])[];
      assert.equal(
        curve.reduce((sum, [part]) => sum + part, 0n),
        all,
      );
      const duration = figures.duration_mW as readonly bigint[];
      for (let at = 1; at < duration.length; at += 1) assert.ok(duration[at]! <= duration[at - 1]!);
    }),
  );
});

test("a quarter of which too few members are known is hidden from third parties", () => {
  const [one, other] = [
    Array.from({ length: SLOTS_OF_DAY }, () => 10),
    [...Array.from({ length: 12 }, () => 5), ...Array.from({ length: 12 }, () => null)],
  ];
  const figures = loadCurve(inputOf([one, other], { least: 2 }));
  assert.deepEqual([figures.energy_mWh, figures.hidden_quarters], [180n, 12]);
  const shown = loadCurve(inputOf([one, other], { least: 2, audience: "members" }));
  assert.deepEqual([shown.energy_mWh, shown.hidden_quarters], [300n, 0]);
});

test("what a feeder measures is what its members take and what is lost, by day and in all", () => {
  fc.assert(
    fc.property(days, fc.nat(1_000), (energies, lost) => {
      const input = inputOf(energies);
      const whole = energies[0]!.map((_, at) => {
        const column = energies.map((list) => list[at] ?? null);
        return column.includes(null) ? null : column.reduce<number>((sum, each) => sum + (each ?? 0), lost);
      });
      const feeder = { taken: whole, given: whole.map(() => 0), quality: whole.map(() => 1 as const) };
      const figures = feederLoss({ ...input, feeder });
      const { feeder_mWh, members_mWh, loss_mWh, whole_slots } = figures as unknown as Record<string, bigint>;
      assert.equal(feeder_mWh, members_mWh! + loss_mWh!);
      assert.equal(loss_mWh, BigInt(lost) * BigInt(whole_slots!));
      const byDay = figures.days as readonly (readonly [number, number, bigint, bigint, bigint])[];
      assert.equal(
        byDay.reduce((sum, row) => sum + row[4], 0n),
        loss_mWh,
      );
    }),
  );
});

test("a meter that another one is tapped behind shows as the feeder's loss", () => {
  const taken = Array.from({ length: SLOTS_OF_DAY }, () => 1_000);
  const feeder = {
    taken: taken.map((each) => 2 * each + 500),
    given: taken.map(() => 0),
    quality: taken.map(() => 1 as const),
  };
  const figures = feederLoss({ ...inputOf([taken, taken]), feeder });
  assert.deepEqual([figures.loss_mWh, figures.loss_permille], [12_000n, 200n]);
});

test("day shapes tell evening homes from solar noons, whatever the order of the homes", () => {
  const day = (peak: number, scale: number) =>
    Array.from({ length: SLOTS_OF_DAY }, (_, hour) => scale * (Math.abs(hour - peak) < 3 ? 100 : 10));
  const homes = [day(19, 1), day(12, 3), day(19, 7), day(12, 2), day(19, 1)];
  const clusters = (energies: readonly (readonly number[])[]) =>
    dayShapes(inputOf(energies)).clusters as readonly (readonly [number, number, readonly number[]])[];
  const found = clusters(homes);
  assert.deepEqual(
    found.map(([count]) => count),
    [3, 2],
  );
  assert.deepEqual(
    found.map(([, , shape]) => shape.indexOf(Math.max(...shape))),
    [17, 10],
  );
  assert.deepEqual(clusters([...homes].reverse()), found);
});

test("a cluster of too few members is hidden, and its days are counted", () => {
  const day = (peak: number) => Array.from({ length: SLOTS_OF_DAY }, (_, hour) => (hour === peak ? 1_000 : 1));
  const energies = [day(19), day(19), day(19), day(3)];
  const aggregate = dayShapes(inputOf(energies, { least: 2 }));
  assert.deepEqual([(aggregate.clusters as unknown[]).length, aggregate.hidden_days], [1, 1]);
  const members = dayShapes(inputOf(energies, { least: 2, audience: "members" }));
  assert.deepEqual([(members.clusters as unknown[]).length, members.hidden_days], [2, 0]);
});

test("every day of a member is in one cluster or hidden", () => {
  fc.assert(
    fc.property(days, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 3 }), (energies, clusters, least) => {
      const figures = dayShapes(inputOf(energies, { clusters, least }));
      const shown = (figures.clusters as readonly (readonly number[])[]).reduce((sum, [count]) => sum + count!, 0);
      assert.equal(shown + Number(figures.hidden_days), figures.days);
    }),
  );
});

test("a slot far from its usual is an anomaly, and names its meter to those alone who may see members", () => {
  const usual = Array.from(
    { length: 10 * SLOTS_OF_DAY },
    (_, at) => 100_000 + (at % 24) * 5_000 + ((at * 7) % 13) * 100,
  );
  const odd = [...usual];
  odd[9 * SLOTS_OF_DAY + 3] = 5_000_000;
  const aggregate = anomalies(inputOf([usual, odd]));
  assert.deepEqual([aggregate.odd_slots, aggregate.odd_members, aggregate.days], [1, 1, [[9, 1, 1]]]);
  assert.equal(aggregate.listed, undefined);
  const { listed } = anomalies(inputOf([usual, odd], { audience: "members" }));
  assert.deepEqual(
    (listed as readonly (readonly unknown[])[]).map(([meter, at]) => [meter, at]),
    [["m1", (9 * 24 + 3) * slot_s]],
  );
});

test("a load that repeats by weeks is forecast by them without error, and by the day before with some", () => {
  const week = Array.from({ length: 7 * SLOTS_OF_DAY }, (_, at) => 1_000 * (1 + Math.floor(at / SLOTS_OF_DAY)));
  const figures = forecast(inputOf([[...week, ...week, ...week]]));
  assert.deepEqual(
    [figures.weeks_error_mWh, figures.weeks_mase_permille, figures.scored_slots],
    [0n, 0n, 14 * SLOTS_OF_DAY],
  );
  assert.ok((figures.naive_error_mWh as bigint) > 0n);
  assert.equal(forecast(inputOf([week])).weeks_mase_permille, null);
});

test("the quality league counts every slot once, and has names for members alone", () => {
  fc.assert(
    fc.property(days, (energies) => {
      const { slots, read, interpolated, missing, bands, league } = quality(inputOf(energies)) as unknown as Record<
        string,
        number
      > & {
        readonly bands: readonly number[];
      };
      assert.equal(read! + interpolated! + missing!, slots! * energies.length);
      assert.equal(
        bands.reduce((sum, each) => sum + each, 0),
        energies.length,
      );
      assert.equal(league, undefined);
    }),
  );
  const figures = quality(
    inputOf(
      [
        [1, 2],
        [null, 1],
      ],
      { audience: "members" },
    ),
  );
  assert.deepEqual(figures.league, [
    ["m1", 1, 0, 1, 500],
    ["m0", 2, 0, 0, 1_000],
  ]);
});

const fields: StudyFields = {
  ...{ kind: "load-curve", service: 1, from: new Date(FROM_S * 1_000).toISOString().replace(".000Z", "Z") },
  ...{ to: new Date((FROM_S + 4 * 900) * 1_000).toISOString().replace(".000Z", "Z"), least: 2 },
};

test("a study of an export says of which blocks and group it is, and comes to the same again", async (t) => {
  const { chain, ids } = householdChain([{ taken: [100, 50, 20, 30] }, { taken: [10, 10, 10, 10] }]);
  const of = await exported(t, chain);
  const terms = termsFrom({ ...fields, members: ids }, "a test");
  const result = await runStudy(of, terms);
  assert.equal(result.figures.energy_mWh, 240_000n);
  assert.deepEqual([result.group, result.largest_permille, result.header], [2, 834, of.manifest.chains[0]!.header]);
  assert.deepEqual([result.digest, result.query], [cohortDigest([...ids].sort()), queryHash(terms)]);
  assert.equal(resultHash(await runStudy(of, terms)), resultHash(result));
  assert.deepEqual(JSON.parse(resultText(result)).figures.slots, 4);
});

test("what is missing is a gap and never a zero", async (t) => {
  const { chain } = householdChain([{ taken: [100, 50] }, { taken: [10, 10, 10, 10] }]);
  const { figures } = await runStudy(await exported(t, chain), termsFrom(fields, "a test"));
  assert.deepEqual([figures.energy_mWh, figures.member_slots, figures.whole_slots, figures.slots], [170_000n, 4, 2, 4]);
});

test("figures of too small a group are refused, and of a group that one dominates", async (t) => {
  const { chain } = householdChain([{ taken: [100, 50, 20, 30] }, { taken: [10, 10, 10, 10] }]);
  const of = await exported(t, chain);
  const refused = (more: StudyFields) =>
    assert.rejects(runStudy(of, termsFrom({ ...fields, ...more }, "a test")), { code: "GROUP_TOO_SMALL" });
  await refused({ least: 3 });
  await refused({ class: "non-residential", least: 2 });
  await runStudy(of, termsFrom({ ...fields, least: 3, audience: "members" }, "a test"));
});

test("an export that does not begin at the first block, or lacks the chain, is no ground for a study", async (t) => {
  const { chain } = householdChain([{ taken: [1, 2, 3, 4] }], 2);
  const of = await exported(t, chain, { from: 2 });
  await assert.rejects(runStudy(of, termsFrom(fields, "a test")), { code: "USAGE" });
  await assert.rejects(runStudy(of as Export, termsFrom({ ...fields, service: 7 }, "a test")), { code: "NOT_FOUND" });
});

test("a period of more slots than are computed at once is refused before anything is read", async (t) => {
  const { chain } = householdChain([{ taken: [1, 2, 3, 4] }]);
  const of = await exported(t, chain);
  const long = { ...fields, from: "2000-01-01", to: "2020-01-01" };
  await assert.rejects(runStudy(of, termsFrom(long, "a test")), {
    code: "USAGE",
    message: /at most 100000 are studied/,
  });
});

test("a study's file is read field by field, and refused with the field's name", () => {
  for (const [more, what] of [
    [{ kind: "guess" }, /kind must be one of/],
    [{ slot_s: 7 }, /slot_s must divide a day/],
    [{ from: "yesterday" }, /from must be a time/],
    [{ members: [] }, /members must be a list/],
    [{ members: ["x"] }, /members must have meters' ids/],
    [{ kind: "feeder-loss" }, /feeder must be/],
    [{ kind: "feeder-loss", feeder: "00".repeat(8) }, /its audience is members/],
    [{ sql: "SELECT 1" }, /sql must be/],
    [{ extra: 1 }, /has a field "extra"/],
  ] as const) {
    assert.throws(() => termsFrom({ ...fields, ...more }, "study.json"), { code: "FILE_INVALID", message: what });
  }
});

test("two queries that differ in anything have two hashes; order and repetition of members none", () => {
  const base = termsFrom(fields, "a test");
  const others = [
    { slot_s: 300 },
    { gap_s: 1 },
    { least: 3 },
    { kind: "quality" },
    { kind: "day-shapes", clusters: 5 },
  ];
  const hashes = [base, ...others.map((more) => termsFrom({ ...fields, ...more }, "a test"))].map(queryHash);
  assert.equal(new Set(hashes).size, hashes.length);
  const [one, other] = [
    ["00000000000000aa", "00000000000000bb"],
    ["00000000000000bb", "00000000000000aa", "00000000000000bb"],
  ];
  assert.deepEqual(
    termsFrom({ ...fields, members: one }, "a").members,
    termsFrom({ ...fields, members: other }, "a").members,
  );
});

/** Of each kind over one export; the same on every version of Node and every machine. */
const pinned = "63890c9799618cbb830c56144937907870fd25c5727d16d72d4c9cf4c138636f";

test("each kind comes to the same hash on every machine and version", async (t) => {
  const slots = 9 * 24;
  const homes = Array.from({ length: 3 }, (_, home) => ({
    taken: Array.from({ length: slots }, (_unused, at) => {
      return ((at * 31 + home * 17) % 97) + (at % 24 > 17 ? 800 : 80) + (at === 190 ? 9_000 : 0);
    }),
  }));
  const { chain, ids } = householdChain(homes, 64, 3_600);
  const of = await exported(t, chain);
  const period = {
    from: fields.from,
    to: new Date((FROM_S + slots * 3_600) * 1_000).toISOString().replace(".000Z", "Z"),
    slot_s: 3_600,
  };
  const hashes: string[] = [];
  for (const kind of ["load-curve", "day-shapes", "feeder-loss", "anomalies", "forecast", "quality"]) {
    const feeder = kind === "feeder-loss" ? { feeder: ids[0] } : {};
    for (const audience of kind === "feeder-loss" ? ["members"] : ["aggregate", "members"]) {
      const terms = termsFrom({ ...fields, ...period, ...feeder, kind, audience }, "a test");
      hashes.push(resultHash(await runStudy(of, terms)));
    }
  }
  assert.equal(digestOf([...of.manifest.files.map(({ sha256 }) => sha256), ...hashes].join()), pinned);
});
