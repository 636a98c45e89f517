// What the pages of the market's contracts show of entries: the shapes that contracts keep, and others as they stand.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Value } from "../../src/wire/value.js";
import { curvesOf } from "../../tools/explorer/views/curve.js";
import { type Cell, rowsOf, type ViewName, views } from "../../tools/explorer/views/views.js";

const textOf = (cell: Cell) => (typeof cell === "string" ? cell : "at_s" in cell ? `@${cell.at_s}` : cell.text);
const shown = (view: ViewName, place: number, [key, value]: readonly [string, Value]) =>
  rowsOf(views[view].sections[place]!, { key, value, service: 1 }).map((cells) => cells.map(textOf));

const terms = { from: 900, model: "proportional", rounding: "conserving", price: 12_000, feed: 9_000, fee: 0 };
const rating = {
  ...{ score: 735, grade: "BB", month: 680, since: 677, time_s: 50, rules: {} },
  indicators: [{ name: "tenure", value: 4, weight: 50, inputs: { months: 3 } }],
  standing: { grade: "BB", limit: 40_000, bond_percent: 130, rebate_permille: 0, list: "none" },
};

const study = {
  ...{ state: "sealed", requester: "n", purpose: 9, kind: "quality", cohort: "homes", class: "residential", size: 120 },
  ...{ digest: "ab".repeat(32), service: 1, from_s: 0, to_s: 900, query: "cd".repeat(32), cost: 1 },
  result: {
    by: "gg",
    height: 9,
    to: 7,
    header: "ef",
    engine: "e",
    group: 101,
    largest_permille: 25,
    result: "cd".repeat(32),
  },
  checks: [
    ["hh", true, 10],
    ["ii", false, 11],
  ],
};

test("each view shows what its contract keeps", () => {
  const community = { manager: "aa", name: "Sun street", begins: [0], terms: [terms], members: 3 };
  for (const [view, place, entry, row] of [
    [
      "community",
      0,
      ["community/sun", community],
      ["Sun street (sun)", "aa", "3", "proportional", "0.12000", "0.09000", "0.00000", "@900"],
    ],
    [
      "community",
      1,
      ["member/sun/000", [["house", "bb", 10_000, 0, 900, null]]],
      ["sun", "house", "bb", "100 %", "0", "@900", "–"],
    ],
    [
      "community",
      2,
      ["run/sun/0000000000900", [["final", 7, 950, 3, 0]]],
      ["sun", "@900", "final", "3", "0.00000", "1:7"],
    ],
    [
      "market",
      0,
      ["trade/0000000001800", { price: 9_000, rows: [["cc", 300_000, 0]] }],
      ["@1800", "0.09000", "cc", "0.300000", "0.000000"],
    ],
    [
      "market",
      1,
      ["bids/0000000001800/0", [["cc", "d1", null, null, null, null]]],
      ["@1800", "cc", "d1…", "–", "–", "–"],
    ],
    ["market", 2, ["limit/cc", [40_000, 25]], ["cc", "0.40000", "2.5 %"]],
    ["grid", 0, ["network", { hash: "ab", operator: "dd", parts: 1, height: 4 }], ["ab", "dd", "1:4"]],
    [
      "credit",
      0,
      ["rating/ee", rating],
      ["ee", "BB", "735", "0.40000", "130 %", "none", 'tenure 4 (50): {"months":3}', "@50"],
    ],
    [
      "access",
      1,
      ["grant/n-4", { requester: "n", group: "north", purpose: 8, from: 20_000, until: 20_002, until_s: 900 }],
      ["n-4", "n", "north", "8", "2024-10-04 – 2024-10-06", "@900"],
    ],
    ["access", 2, ["need/n", [1, 30, "why"]], ["n", "1", "30", "why"]],
    [
      "studies",
      0,
      ["study/n-1", study],
      [
        "n-1",
        "sealed",
        "quality",
        "n",
        "9",
        "homes",
        "101 residential, ≤ 2.5 %",
        "@0",
        "@900",
        "1:7",
        "cdcdcdcdcdcdcdcd",
        "1 / 2",
      ],
    ],
    [
      "studies",
      1,
      ["cohort/homes", [{ from: 683, class: "residential", digest: "ab".repeat(32), size: 120, by: "gg" }]],
      ["homes", "2026-12", "residential", "120", "abababababababab", "gg"],
    ],
    ["studies", 2, ["budget/n", [693, 20]], ["n", "20", "693"]],
  ] as const) {
    assert.deepEqual(shown(view, place, entry as unknown as readonly [string, Value]), [[...row]], entry[0]);
  }
});

test("an entry of another shape stands as it is, in as many cells as there are heads", () => {
  for (const [name, { sections }] of Object.entries(views)) {
    for (const section of sections) {
      const rows = rowsOf(section, { key: `${section.prefix}x`, value: 7, service: 1 });
      for (const cells of rows) assert.equal(cells.length, section.heads.length, `${name} ${section.prefix}`);
    }
  }
});

test("curves sum up opened bids: what is asked for from the highest price on, what is offered from the lowest", () => {
  const bid = (side: string | null, price: number, volume: number) => ["p", "d", side, price, volume, "x"];
  const { demand, supply } = curvesOf([
    bid("buy", 8, 10),
    bid("sell", 7, 4),
    bid("buy", 9, 1),
    bid(null, 1, 1),
    bid("sell", 5, 2),
    3,
  ]);
  assert.deepEqual(demand, [
    { price: 9, volume: 1 },
    { price: 8, volume: 11 },
  ]);
  assert.deepEqual(supply, [
    { price: 5, volume: 2 },
    { price: 7, volume: 6 },
  ]);
});
