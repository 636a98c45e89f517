import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  ASK_AGAIN_MS,
  ASK_MS,
  createClock,
  describeClock,
  judgeTime,
  qualityOf,
  STEP_MS,
  SYNCHRONISED_MS,
} from "../../../hosts/esp32/clock.js";

const NOW_S = 1_800_000_000;

test("time is unknown after power on, informative after another reset, synchronised once two answers agreed, and ages", () => {
  assert.equal(qualityOf(createClock(false, NOW_S * 1000), 0), 0);
  assert.equal(qualityOf(createClock(true, 12_000), 0), 0);
  const clock = createClock(true, NOW_S * 1000);
  assert.equal(qualityOf(clock, 0), 1);
  assert.deepEqual(judgeTime(clock, NOW_S - 30, 0, -25_000), { set: true, askIn_ms: ASK_AGAIN_MS });
  assert.equal(qualityOf(clock, 0), 1);
  assert.deepEqual(judgeTime(clock, NOW_S, NOW_S * 1000, 5_000), { set: true, askIn_ms: ASK_MS });
  assert.equal(qualityOf(clock, 5_000 + SYNCHRONISED_MS), 2);
  assert.equal(qualityOf(clock, 5_001 + SYNCHRONISED_MS), 1);
  assert.equal(describeClock(clock, 65_000), "time synchronised, a time server answered 60 s ago");
  assert.equal(
    describeClock(createClock(false, 0), 0),
    "time unknown, no two answers of a time server have agreed (0 failures)",
  );
});

test("one answer after power on is informative, however often others contradict it", () => {
  const clock = createClock(false, 0);
  let time_ms = 0;
  for (const answer_s of [NOW_S, NOW_S + 7_200, NOW_S - 86_400, NOW_S]) {
    assert.deepEqual(judgeTime(clock, answer_s, time_ms, 0), { set: true, askIn_ms: ASK_AGAIN_MS });
    assert.equal(qualityOf(clock, 0), 1);
    time_ms = answer_s * 1000;
  }
  judgeTime(clock, undefined, time_ms, 0);
  assert.equal(judgeTime(clock, NOW_S + 1, time_ms, 0).askIn_ms, ASK_AGAIN_MS, "a silence between two answers");
  assert.equal(judgeTime(clock, NOW_S + 31, (NOW_S + 31) * 1000, 30_000).askIn_ms, ASK_MS);
  assert.equal(qualityOf(clock, 30_000), 2);
});

test("an answer far off moves a synchronised clock only when the next one says the same", () => {
  const clock = createClock(false, 0);
  judgeTime(clock, NOW_S, 0, 0);
  judgeTime(clock, NOW_S, NOW_S * 1000, 0);
  const off_s = NOW_S + 3_600;
  assert.deepEqual(judgeTime(clock, off_s, NOW_S * 1000, 1), { set: false, askIn_ms: ASK_AGAIN_MS });
  assert.deepEqual(judgeTime(clock, NOW_S + 1, NOW_S * 1000, 2), { set: true, askIn_ms: ASK_MS });
  assert.equal(judgeTime(clock, off_s, NOW_S * 1000, 3).set, false);
  assert.equal(judgeTime(clock, off_s + 30, (NOW_S + 30) * 1000, 30_003).set, true);
});

test("no answer and no time of this century set nothing, and are asked again", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.constant(undefined),
          fc.integer(),
          fc.constant(Number.NaN),
          fc.integer({ min: NOW_S - 20, max: NOW_S + 20 }),
        ),
        { maxLength: 20 },
      ),
      (answers) => {
        const clock = createClock(false, 0);
        for (const [index, answer_s] of answers.entries()) {
          const wasKnown = qualityOf(clock, index) === 2;
          const { set, askIn_ms } = judgeTime(clock, answer_s, NOW_S * 1000, index);
          assert.ok(askIn_ms === ASK_MS || askIn_ms === ASK_AGAIN_MS);
          if (answer_s === undefined || Number.isNaN(answer_s) || answer_s < 1_767_225_600) assert.equal(set, false);
          else if (!wasKnown && answer_s < 4_102_444_800) assert.equal(set, true);
          else if (Math.abs(answer_s - NOW_S) * 1000 <= STEP_MS) assert.equal(set, true);
        }
      },
    ),
  );
});
