import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { doubtBits, errorBitsOf } from "../../src/agent/doubts.js";
import { CLOCK_DIFFERENCE_MAX_S, type Moment, readingTime } from "../../src/agent/recorder.js";

const moment = (quality: Moment["quality"]): Moment => ({ uptime_ms: 12_345, time_ms: 1_790_000_000_999, quality });

describe("time of a reading", () => {
  test("is the meter's own, as informative", () => {
    for (const quality of [0, 1, 3] as const) {
      assert.deepEqual(readingTime(1_790_000_000, moment(quality)), { time_s: 1_790_000_000, quality: 1 });
    }
  });

  test("is synchronised only where the host says so and its clock agrees", () => {
    const host_s = 1_790_000_000;
    assert.equal(readingTime(host_s - CLOCK_DIFFERENCE_MAX_S, moment(2)).quality, 2);
    assert.equal(readingTime(host_s + CLOCK_DIFFERENCE_MAX_S + 1, moment(2)).quality, 1);
    assert.equal(readingTime(host_s - 100_000, moment(2)).time_s, host_s - 100_000);
  });

  test("is the host's where the meter states none, and seconds since the start where nobody knows", () => {
    assert.deepEqual(readingTime(undefined, moment(2)), { time_s: 1_790_000_000, quality: 2 });
    assert.deepEqual(readingTime(undefined, moment(1)), { time_s: 1_790_000_000, quality: 1 });
    assert.deepEqual(readingTime(undefined, moment(0)), { time_s: 12, quality: 3 });
    assert.deepEqual(readingTime(undefined, moment(3)), { time_s: 12, quality: 3 });
  });
});

describe("doubts", () => {
  test("become bits of claim 15, unknown kinds the last one, none no claim", () => {
    assert.equal(errorBitsOf([]), undefined);
    assert.equal(errorBitsOf(["unchecked"]), 1);
    assert.equal(errorBitsOf(["fell 1-0:1.8.1*255", "fell 1-0:1.8.2*255"]), 1 << doubtBits.fell!);
    assert.equal(errorBitsOf(["no-clock", "toString 1-0:1.8.1*255"]), 2 + 2 ** 30);
  });
});
