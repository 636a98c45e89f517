// What stands in each cell of the map of meters and days, and who stands first.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex } from "../../src/wire/bytes.js";
import { countsOf, type DayRows, meterDays } from "../../tools/explorer/days/heat-map.js";
import type { DayRow } from "../../tools/routes/days.js";

const [good, gappy, gone] = ["00000000000000aa", "00000000000000bb", "00000000000000cc"] as const;

function day(rows: Readonly<Record<string, Partial<DayRow> & { first: number; last: number }>>): DayRows {
  return new Map(
    Object.entries(rows).map(([kid, row]) => {
      const whole = { records: row.last - row.first + 1, late: 0, doubtful: 0, ...row };
      return [kid, { kid: fromHex(kid)!, ...whole }];
    }),
  );
}

const states = (days: readonly DayRows[], kid: string) =>
  meterDays(days)
    .find((meter) => meter.kid === kid)!
    .cells.map(({ state }) => state);

test("a day's numbers that are not sealed are missing, within the day and since the one before", () => {
  const days = [day({ [gappy]: { first: 0, last: 9 } }), day({ [gappy]: { first: 12, last: 20, records: 8 } })];
  const [meter] = meterDays(days);
  assert.deepEqual(
    meter!.cells.map(({ state, missing }) => [state, missing]),
    [
      ["sealed", 0],
      ["missing", 3],
    ],
    "two between the days, one within",
  );
});

test("a meter without a record is silent between two days that have some, and after them but for the newest day", () => {
  const some = { [gone]: { first: 0, last: 9 } };
  const more = { [gone]: { first: 10, last: 19 } };
  assert.deepEqual(states([day({}), day(some), day({}), day(more), day({}), day({})], gone), [
    ...["none", "sealed", "silent", "sealed", "silent", "none"],
  ]);
});

test("a day that the node does not have says nothing against anybody but that nothing is shown", () => {
  assert.deepEqual(states([undefined, day({ [good]: { first: 50, last: 59 } })], good), ["none", "sealed"]);
});

test("late and doubtful are told where nothing is missing, and the worst meters stand first", () => {
  const days = [
    day({
      [good]: { first: 0, last: 9 },
      [gone]: { first: 0, last: 9, doubtful: 2 },
      [gappy]: { first: 0, last: 9, late: 1, doubtful: 3 },
    }),
  ];
  const meters = meterDays(days);
  assert.deepEqual(
    meters.map(({ kid, cells }) => [kid, cells[0]!.state]),
    [
      [gappy, "late"],
      [gone, "doubtful"],
      [good, "sealed"],
    ],
  );
  assert.deepEqual(countsOf(meters), { sealed: 1, late: 1, doubtful: 1, missing: 0, silent: 0, none: 0 });
});
