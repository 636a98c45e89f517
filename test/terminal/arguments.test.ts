import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compactTarget,
  duration,
  id,
  moment,
  moment_ms,
  reachedHost,
  serviceTexts,
  utcDay,
  whole,
} from "../../tools/terminal/arguments.js";
import { countText, pairs, table, toJson } from "../../tools/terminal/output.js";

test("reads whole numbers, services, ids and targets, and nothing that only looks like them", () => {
  assert.equal(whole(1, 5)("5"), 5);
  assert.deepEqual(serviceTexts("1,65535,heat"), ["1", "65535", "heat"]);
  assert.deepEqual(id("00ff00ff00ff00ff"), Uint8Array.of(0, 255, 0, 255, 0, 255, 0, 255));
  assert.equal(compactTarget("1f00ffff"), 0x1f00ffff);
  assert.equal(compactTarget("00000000"), 0);
  for (const text of ["", "0", "6", "1e0", "0x1", " 1", "1.0", "-1"]) assert.throws(() => whole(1, 5)(text), /whole/);
  for (const text of ["1,", "0", "65536", "A"]) assert.throws(() => serviceTexts(text), /whole/);
  for (const text of ["00FF00FF00FF00FF", "00", ""]) assert.throws(() => id(text), /hex/);
  for (const text of ["1f", "1f000000", "ff00ffff", "1f80ffff"]) assert.throws(() => compactTarget(text), /compact/);
});

test("prints every digit of an integer, bytes as hex, and leaves out what is not there", () => {
  const value = {
    big: 2n ** 63n - 1n,
    bytes: Uint8Array.of(1, 255),
    none: undefined,
    list: [1, null, "a\n"],
    ok: true,
  };
  assert.equal(toJson(value), '{"big":9223372036854775807,"bytes":"01ff","list":[1,null,"a\\n"],"ok":true}');
});

test("says how many as people do", () => {
  assert.deepEqual(
    [0, 1, 2].map((count) => countText(count, "temporary block")),
    ["0 temporary blocks", "1 temporary block", "2 temporary blocks"],
  );
});

test("aligns tables, numbers to the right", () => {
  assert.deepEqual(
    table(
      ["N", "NAME"],
      [
        [1, "a"],
        [100, "long"],
      ],
    ),
    ["  N  NAME", "  1  a", "100  long"],
  );
  assert.deepEqual(
    pairs([
      ["a", 1],
      ["long", "b"],
    ]),
    ["a     1", "long  b"],
  );
});

test("reads days and times of UTC alike, and no time that is none", () => {
  const start_s = Date.UTC(2026, 2, 29) / 1_000;
  for (const text of ["2026-03-29", "2026-03-29T00:00Z", "2026-03-29T00:00:00Z", "2026-03-29T00:00:00.000Z"]) {
    assert.equal(moment(text), start_s, text);
  }
  for (const text of ["2026-03-29T01:00+01:00", "2026-03-28T19:00:00.000-05:00"]) {
    assert.equal(moment(text), start_s, text);
  }
  assert.equal(moment_ms("2026-03-29T00:00:00.250Z"), start_s * 1_000 + 250);
  for (const text of [
    "",
    "2026",
    "2026-03-29T00:00:00",
    "2026-03-29T00:00:00+0100",
    "2026-03-29T24:00Z",
    "2026-02-30",
    "2026-02-30T00:00:00Z",
    "1969-12-31",
    "now",
  ]) {
    assert.throws(() => moment(text), /It must be a day in UTC or a time with its zone/, text);
  }
});

test("reads a whole day by its date or its beginning, and no other time", () => {
  const day = Date.UTC(2026, 2, 29) / 86_400_000;
  for (const text of ["2026-03-29", "2026-03-29T00:00Z", "2026-03-29T00:00:00.000Z"]) {
    assert.equal(utcDay(text), day, text);
  }
  for (const text of ["2026-03-29T00:00:01Z", "2026-03-29T00:00+01:00", "2026-02-30", "29.03.2026"]) {
    assert.throws(() => utcDay(text), /It must be a day in UTC/, text);
  }
});

test("takes a host's name or address, and no address that is none", () => {
  for (const text of ["127.0.0.1", "10.0.0.0", "::1", "fe80::1", "localhost", "node-1.example.org"]) {
    assert.equal(reachedHost(text), text);
  }
  for (const text of ["", "300.1.1.1", "1.2.3", "1.2.3.4.5", "a b", "-x", "http://a"]) {
    assert.throws(() => reachedHost(text), /It must be an IP address/, text);
  }
  for (const text of ["0.0.0.0", "::", "0:0:0:0:0:0:0:0", "::0.0.0.0"]) {
    assert.throws(() => reachedHost(text), /nobody can connect to it: name the address/, text);
  }
});

test("reads lengths of time by their unit", () => {
  assert.deepEqual(["45s", "30m", "12h", "400d", "52w"].map(duration), [45, 1_800, 43_200, 34_560_000, 31_449_600]);
  for (const text of ["", "0d", "-1d", "1", "1.5d", "1y", "1 d"])
    assert.throws(() => duration(text), /It must be/, text);
});
