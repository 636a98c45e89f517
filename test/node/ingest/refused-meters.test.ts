import assert from "node:assert/strict";
import { test } from "node:test";
import { createRefusedMeters, LINE_MS, METERS_COUNTED } from "../../../tools/node/ingest/refused-meters.js";
import { createMetrics } from "../../../tools/node/watch/metrics.js";

function bench() {
  const { refusedMeters: counter } = createMetrics();
  const lines: object[] = [];
  let now_ms = 0;
  const log = { warn: (fields: object, message: string) => void lines.push({ ...fields, message }) };
  const meters = createRefusedMeters({ counter, log, monotonic_ms: () => now_ms });
  return {
    meters,
    lines,
    pass(later_ms: number) {
      now_ms += later_ms;
    },
    counts: async () =>
      (await counter.get()).values.map(({ labels, value }) => `${labels.meter} ${labels.reason} ${value}`),
  };
}

test("a meter that is refused is named in a line, and again after ten minutes with how often it was meanwhile", () => {
  const { meters, lines, pass } = bench();
  for (let time = 0; time < 30; time += 1) meters.note("00aa", "revoked", "credential is revoked");
  meters.note("00aa", "clock-far-off", "2 h ahead");
  const line = { meter: "00aa", message: "a meter is refused" };
  assert.deepEqual(lines, [
    { ...line, reason: "revoked", detail: "credential is revoked", refusals: 1 },
    { ...line, reason: "clock-far-off", detail: "2 h ahead", refusals: 1 },
  ]);
  pass(LINE_MS);
  meters.note("00aa", "revoked", "credential is revoked");
  assert.deepEqual(lines[2], { ...line, reason: "revoked", detail: "credential is revoked", refusals: 30 });
});

test("counts those that were refused last, each with its reasons, and no more than so many", async () => {
  const { meters, counts } = bench();
  meters.note("first", "revoked", "no");
  meters.note("second", "revoked", "no");
  meters.note("second", "malformed", "no");
  meters.note("first", "revoked", "no");
  assert.deepEqual(await counts(), ["first revoked 2", "second revoked 1", "second malformed 1"]);
  for (let meter = 2; meter <= METERS_COUNTED; meter += 1) meters.note(`meter ${meter}`, "fork", "no");
  const left = await counts();
  assert.equal(left.length, METERS_COUNTED);
  assert.ok(left.includes("first revoked 2") && !left.some((one) => one.startsWith("second")));
});
