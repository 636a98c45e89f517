import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type P1Time, scanP1Time } from "../../../src/meter/p1/time.js";

function scan(text: string, zoneOffset_s = 3600): P1Time {
  const padded = Buffer.from(`((${text}))`);
  return scanP1Time(padded, 2, padded.length - 2, zoneOffset_s);
}

const pad = (value: number): string => String(value).padStart(2, "0");

/** By the calendar of JavaScript's Date. */
function p1Text(time_s: number, letter: "S" | "W"): string {
  const local = new Date((time_s + (letter === "S" ? 7200 : 3600)) * 1000);
  const date = `${pad(local.getUTCFullYear() - 2000)}${pad(local.getUTCMonth() + 1)}${pad(local.getUTCDate())}`;
  return `${date}${pad(local.getUTCHours())}${pad(local.getUTCMinutes())}${pad(local.getUTCSeconds())}${letter}`;
}

test("reads any second of the century in either season", () => {
  const century = fc.integer({ min: Date.UTC(2000, 0, 2) / 1000, max: Date.UTC(2099, 11, 30) / 1000 });
  fc.assert(
    fc.property(century, fc.constantFrom("S" as const, "W" as const), (time_s, letter) => {
      const text = p1Text(time_s, letter);
      fc.pre(!text.startsWith("700101"));
      assert.deepEqual(scan(text), { kind: "time", time_s });
    }),
  );
});

test("tells the eight quarter-hours of October's switch apart", () => {
  const quarters = ["S", "W"].flatMap((letter) =>
    ["00", "15", "30", "45"].map((minute) => scan(`23102902${minute}00${letter}`)),
  );
  const times = quarters.map((quarter) => (quarter.kind === "time" ? quarter.time_s : Number.NaN));
  const first = Date.UTC(2023, 9, 29, 0) / 1000;
  assert.deepEqual(
    times,
    [0, 1, 2, 3, 4, 5, 6, 7].map((index) => first + index * 900),
  );
});

test("goes by the zone of the profile", () => {
  const noon = Date.UTC(2023, 6, 1, 12) / 1000;
  assert.deepEqual(scan("230701130000S", 0), { kind: "time", time_s: noon });
  assert.deepEqual(scan("230701150000S", 7200), { kind: "time", time_s: noon });
});

test("knows the null times", () => {
  for (const text of [
    "",
    "700101010000W",
    "700101000000W",
    "632525252525W",
    "632525252525S",
    "000000000000W",
    "700101010000",
  ]) {
    assert.deepEqual(scan(text), { kind: "null" }, text);
  }
});

test("reads the first second of the year 2000, which some meters begin with", () => {
  assert.deepEqual(scan("000101000001W"), { kind: "time", time_s: Date.UTC(1999, 11, 31, 23, 0, 1) / 1000 });
});

test("does not guess the season where the letter is missing", () => {
  assert.deepEqual(scan("161107190000"), { kind: "local" });
});

test("refuses what no clock shows", () => {
  const wrong = [
    "231301000000W",
    "230001000000W",
    "230229000000W",
    "210229000000S",
    "230431000000S",
    "230700120000S",
    "230701240000S",
    "230701126000S",
    "230701120060S",
    "230701120000X",
    "23070112000W",
    "2307011200000S",
    "23070112000aS",
    "230701120000s",
  ];
  for (const text of wrong) assert.deepEqual(scan(text), { kind: "invalid" }, text);
  assert.equal(scan("240229000000W").kind, "time");
});
