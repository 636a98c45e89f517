// What `gridseal study run` shows of figures: lists have heads, and rows that say something.

import assert from "node:assert/strict";
import { test } from "node:test";
import { figureLines } from "../../tools/cli/study/figures.js";

test("a load curve has heads, its quarters by their times, and none without a slot", () => {
  const curve = Array.from({ length: 96 }, (_, at) =>
    at >= 24 && at < 28 ? [1_000n * BigInt(at), 2, 90] : [0n, 0, null],
  );
  const lines = figureLines("load-curve", { slots: 4, curve: curve as never, duration_mW: [400, 90] });
  assert.match(lines[0]!, /^slots +4$/);
  const at = lines.indexOf("curve:");
  assert.deepEqual(lines[at + 1]!.split(/ {2,}/), ["UTC", "mWh", "SLOTS", "mW A MEMBER"]);
  assert.deepEqual(
    lines.slice(at + 2, at + 6).map((line) => line.trim().split(/ +/)),
    [
      ["06:00", "24000", "2", "90"],
      ["06:15", "25000", "2", "90"],
      ["06:30", "26000", "2", "90"],
      ["06:45", "27000", "2", "90"],
    ],
  );
  assert.deepEqual(lines.slice(at + 6, at + 9), ["", "duration_mW:", "% OF THE TIME  mW OR MORE"]);
});

test("days and times stand as dates, a query's rows under the names that it gives them", () => {
  const days = figureLines("anomalies", { days: [[20_000, 3, 2]], listed: [["m-1", 1_728_000_000, 5, 4]] });
  assert.ok(
    days.some((line) => /^2024-10-04 +3 +2$/.test(line)),
    days.join("\n"),
  );
  assert.ok(
    days.some((line) => /^m-1 +2024-10-04T00:00:00Z +5 +4$/.test(line)),
    days.join("\n"),
  );
  const query = figureLines("sql", { columns: ["class", "mWh"], rows: Array.from({ length: 30 }, () => ["home", 7]) });
  assert.deepEqual(query.slice(0, 4), ["", "rows:", "class  mWh", "home     7"]);
  assert.equal(query.at(-1), "and 6 more, which -o FILE has");
});

test("what a group came to fits a terminal of 80 columns", () => {
  const shape = Array.from({ length: 24 }, (_, hour) => 4_000 + hour);
  const lines = figureLines("day-shapes", { days: 200, clusters: [[100, 12, shape]] });
  for (const line of lines) assert.ok(line.length <= 80, line);
  for (const part of shape) assert.ok(lines.join(" ").includes(`${part}`), `${part}`);
});
