import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isDaylightSaving, isNormalTariff, localTime } from "../../tools/emulators/calendar.js";

const seconds = fc.integer({ min: Date.UTC(2000, 0, 1) / 1000, max: Date.UTC(2060, 0, 1) / 1000 });

function utc(text: string): number {
  return Date.parse(text) / 1000;
}

test("shows the time of Amsterdam, as the engine's time zone tables have it", () => {
  const amsterdam = new Intl.DateTimeFormat("en-GB", {
    timeZone: "Europe/Amsterdam",
    dateStyle: "short",
    timeStyle: "medium",
  });
  const pad = (value: number): string => String(value).padStart(2, "0");
  fc.assert(
    fc.property(seconds, (time_s) => {
      const { year, month, day, hour, minute, second } = localTime(time_s);
      const shown = `${pad(day)}/${pad(month)}/${year}, ${pad(hour)}:${pad(minute)}:${pad(second)}`;
      assert.equal(shown, amsterdam.format(time_s * 1000));
    }),
  );
});

test("switches at 01:00 UTC on the last Sundays of March and October", () => {
  assert.equal(isDaylightSaving(utc("2024-03-31T00:59:59Z")), false);
  assert.equal(isDaylightSaving(utc("2024-03-31T01:00:00Z")), true);
  assert.equal(isDaylightSaving(utc("2024-10-27T00:59:59Z")), true);
  assert.equal(isDaylightSaving(utc("2024-10-27T01:00:00Z")), false);
});

test("takes the normal tariff on working days from 7 to 23 h", () => {
  const normal = (text: string): boolean => isNormalTariff(localTime(utc(text)));
  assert.equal(normal("2024-06-12T06:59:59+02:00"), false);
  assert.equal(normal("2024-06-12T07:00:00+02:00"), true);
  assert.equal(normal("2024-06-12T22:59:59+02:00"), true);
  assert.equal(normal("2024-06-12T23:00:00+02:00"), false);
  assert.equal(normal("2024-06-15T12:00:00+02:00"), false);
  assert.equal(normal("2024-06-16T12:00:00+02:00"), false);
});

test("takes the low tariff on holidays", () => {
  const holidays = [
    "2024-01-01",
    "2024-04-01", // Easter Monday
    "2025-04-21",
    "2024-05-09", // Ascension
    "2024-05-20", // Whit Monday
    "2026-04-27", // King's Day
    "2024-12-25",
    "2024-12-26",
  ];
  for (const day of holidays) assert.equal(isNormalTariff(localTime(utc(`${day}T12:00:00Z`))), false, day);
});
