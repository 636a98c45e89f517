import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createD0Handshake } from "../../../src/meter/d0/handshake.js";
import { createReader } from "../../../src/meter/open-reader.js";
import type { PortAction } from "../../../src/meter/port-action.js";
import type { MeterReader } from "../../../src/meter/reader.js";
import { checkedBlock } from "../../../tools/emulators/d0-readout.js";
import { kinds } from "../streams.js";
import { latin1 } from "../telegram.js";

const nothing = new Uint8Array(0);
const block = checkedBlock(["1.8.0(1*kWh)"]);

function said(actions: readonly PortAction[]): string[] {
  return actions.map((action) =>
    action.kind === "speed" ? String(action.baud) : Buffer.from(action.bytes).toString("latin1"),
  );
}

function asking(address?: string): MeterReader {
  return createReader("d0", { request: { interval_ms: 60_000, ...(address !== undefined && { address }) } });
}

/** What is sent after the identification, once the meter's reaction time has passed. */
function answerTo(identification: string): string[] {
  const reader = asking();
  reader.toSend(0);
  reader.push(latin1(`/${identification}\r\n`), 500);
  const early = said(reader.toSend(500));
  return [...early, ...said(reader.toSend(701))];
}

test("asks at 300 baud, acknowledges mode C, changes the speed and reads", () => {
  const reader = asking();
  assert.deepEqual(said(reader.toSend(0)), ["300", "/?!\r\n"]);
  assert.deepEqual(said(reader.toSend(100)), []);
  assert.deepEqual(reader.push(latin1("/?!\r\n/ISK5MT174-0001\r\n"), 500), []);
  assert.deepEqual(said(reader.toSend(600)), [], "the meter needs 200 ms");
  assert.deepEqual(said(reader.toSend(700)), ["\u0006050\r\n", "9600"]);
  assert.deepEqual(kinds(reader.push(block, 1500)), ["ok"]);
  assert.deepEqual(said(reader.toSend(59_999)), []);
  assert.deepEqual(said(reader.toSend(60_000)), ["300", "/?!\r\n"]);
});

test("answers each mode as it wants it", () => {
  assert.deepEqual(answerTo("SIE WR3"), [], "mode A stays at 300 baud");
  assert.deepEqual(answerTo("SIECWR3"), ["2400"], "mode B changes by itself");
  assert.deepEqual(answerTo("LGZ4ZMF100"), ["\u0006040\r\n", "4800"], "mode C");
  assert.deepEqual(answerTo("LGZ5\\2ZMD4104407.B31"), ["\u0006050\r\n", "9600"], "mode E, read as mode C");
  assert.deepEqual(answerTo("ACE0\\3k260V01.18"), ["\u0006000\r\n", "300"]);
  assert.deepEqual(answerTo("ABC9x"), ["\u0006000\r\n", "300"], "an unknown speed");
});

test("answers a meter with a lower case third letter after its short reaction time", () => {
  const reader = asking();
  reader.toSend(0);
  reader.push(latin1("/ISk5MT174\r\n"), 500);
  assert.deepEqual(said(reader.toSend(520)), ["\u0006050\r\n", "9600"]);
});

test("asks the meter of its address", () => {
  assert.deepEqual(said(asking("Bla0").toSend(0)), ["300", "/?Bla0!\r\n"]);
  assert.throws(() => asking("a!b"), /D0 address/);
  assert.throws(() => asking("x".repeat(33)), /at most 32/);
});

test("tells that a meter is silent, and asks again after the interval", () => {
  const reader = asking();
  reader.toSend(0);
  assert.deepEqual(reader.push(nothing, 5000), []);
  const [silent] = reader.push(nothing, 5001);
  assert.ok(silent?.ok === false && silent.reason === "silent");
  assert.match(silent.detail, /did not answer/);
  assert.equal(reader.counters.silent, 1);
  assert.deepEqual(reader.push(nothing, 20_000), []);
  assert.deepEqual(said(reader.toSend(60_000)), ["300", "/?!\r\n"]);
});

test("asks again where noise never ends", () => {
  const reader = asking();
  reader.toSend(0);
  const outcomes = [];
  for (let now_ms = 0; now_ms < 60_000; now_ms += 1000) outcomes.push(...reader.push(latin1("~~~"), now_ms));
  assert.deepEqual(kinds(outcomes), ["silent"]);
  assert.deepEqual(said(reader.toSend(60_000)), ["300", "/?!\r\n"]);
});

test("asks to be woken for the request, the acknowledgement, and to tell that the meter is silent", () => {
  const reader = asking();
  assert.equal(reader.wakeAt_ms(), 0);
  reader.toSend(0);
  assert.equal(reader.wakeAt_ms(), 5001);
  reader.push(latin1("/ISK5MT174\r\n"), 500);
  assert.equal(reader.wakeAt_ms(), 700);
  reader.toSend(700);
  reader.push(block, 900);
  assert.equal(reader.wakeAt_ms(), 60_000);
});

test("tells that a readout stopped in the middle", () => {
  const reader = asking();
  reader.toSend(0);
  reader.push(latin1("/ISK5MT174\r\n"), 500);
  reader.toSend(700);
  assert.deepEqual(kinds(reader.push(nothing, 5501)), ["silent"]);
  const cutOff = asking();
  cutOff.toSend(0);
  cutOff.push(latin1("/ISK5MT174\r\n"), 500);
  cutOff.toSend(700);
  cutOff.push(block.subarray(0, 10), 1500);
  assert.deepEqual(kinds(cutOff.push(nothing, 6501)), ["truncated"]);
});

test("is told by bytes that go on that a slow meter is not silent", () => {
  const reader = asking();
  reader.toSend(0);
  reader.push(latin1("/ISK0MT174\r\n"), 500);
  reader.toSend(700);
  for (let index = 0; index < block.length - 1; index++) {
    assert.deepEqual(reader.push(block.subarray(index, index + 1), 1000 + index * 4000), []);
  }
  assert.deepEqual(kinds(reader.push(block.subarray(block.length - 1), 1000 + block.length * 4000)), ["ok"]);
});

test("never asks twice within the interval, and always asks again, whatever comes", () => {
  const step = fc.record({
    pause_ms: fc.integer({ min: 0, max: 4000 }),
    event: fc.constantFrom("tick", "heard", "identified", "finished", "expired"),
    identification: fc.string({ maxLength: 20 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const interval_ms = 10_000;
      const handshake = createD0Handshake({ interval_ms });
      let now_ms = 0;
      let asked_ms: number | undefined;
      for (const { pause_ms, event, identification } of steps) {
        now_ms += pause_ms;
        if (event === "heard") handshake.heard(now_ms);
        if (event === "identified") handshake.identified(identification, now_ms);
        if (event === "finished") handshake.finished();
        if (event === "expired") handshake.expired(now_ms);
        for (const action of handshake.toSend(now_ms)) {
          if (action.kind !== "send" || action.bytes[0] !== 0x2f) continue;
          assert.ok(asked_ms === undefined || now_ms - asked_ms >= interval_ms);
          asked_ms = now_ms;
        }
      }
      now_ms += 100_000;
      handshake.expired(now_ms);
      assert.ok(handshake.toSend(now_ms).some((action) => action.kind === "send"));
    }),
  );
});
