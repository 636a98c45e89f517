import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { doubtBits, errorBitsOf } from "../../src/agent/doubts.js";
import { openOutbox } from "../../src/agent/outbox.js";
import {
  CLOCK_AHEAD_MAX_S,
  CLOCK_DIFFERENCE_MAX_S,
  createRecorder,
  type Moment,
  readingTime,
} from "../../src/agent/recorder.js";
import { createSchedule } from "../../src/agent/schedule.js";
import { toHex } from "../../src/wire/bytes.js";
import { sha256 } from "../../src/wire/hash.js";
import { keyId } from "../../src/wire/key.js";
import { parseRecord, type Record } from "../../src/wire/record.js";
import { signerFromSeed } from "../../tools/crypto/signatures.js";
import { simulatedStores } from "./norFlash.js";

/** The record of a reading that states this time, made by a host whose clock is synchronised. */
function recordOf(time_s: number): Record {
  const { flash, keyValue } = simulatedStores(4 * 4096, 4096);
  const outbox = openOutbox({ flash, keyValue, recordHash: sha256 });
  const signer = signerFromSeed(new Uint8Array(32).fill(7));
  const kid = keyId(signer.key);
  const schedule = createSchedule([{ service: 1, serviceId: 1, every_s: 1, aligned: false, registers: ["1-0:1.8.n"] }]);
  const random = (length: number) => new Uint8Array(length);
  const identity = { signer, kid, id: toHex(kid) };
  const recorder = createRecorder({ identity, outbox, schedule, random, beforeRecord() {} });
  const registers = [{ obis: Uint8Array.of(1, 0, 1, 8, 1, 255), value: 1, scaler: 0, unit: 30 }];
  const reading = { protocol: "p1", meter: "m", time_s, registers, flags: [], frame: new Uint8Array(3) } as const;
  assert.deepEqual(recorder.record({ ok: true, ...reading }, moment(2)), []);
  return parseRecord(outbox.read(outbox.next()!.position)!);
}

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

  test("is the host's, with a doubt, where a synchronised one shows the meter's so far ahead that no node would take it", () => {
    const host_s = 1_790_000_000;
    const far_s = host_s + CLOCK_AHEAD_MAX_S;
    assert.equal(readingTime(far_s, moment(2)).time_s, far_s, "as far as nodes go");
    assert.deepEqual(readingTime(far_s + 1, moment(2)), { time_s: host_s, quality: 2 });
    assert.deepEqual(readingTime(far_s + 1, moment(1)), { time_s: far_s + 1, quality: 1 }, "nobody knows better");
    for (const [time_s, errors] of [
      [far_s, undefined],
      [far_s + 1, 1 << doubtBits["no-clock"]!],
    ] as const) {
      assert.equal(recordOf(time_s).claims.errors, errors);
    }
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
