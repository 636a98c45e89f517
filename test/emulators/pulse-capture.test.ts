import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { pulsesOf } from "../../tools/emulators/pulse-capture.js";

test("counts no bounces: neither a short closing, nor a short opening within a pulse", () => {
  const edges = [
    [true, 100],
    [false, 105],
    [true, 110],
    [false, 150],
    [true, 155],
    [false, 160],
    [true, 400],
    [false, 410],
  ] as const;
  assert.deepEqual(pulsesOf(edges.map(([closed, uptime_ms]) => ({ closed, uptime_ms }))), [110]);
});

test("counts a pulse whose end has not come yet, once", () => {
  assert.deepEqual(pulsesOf([{ closed: true, uptime_ms: 100 }]), [100]);
  const same = [100, 150, 200].map((uptime_ms) => ({ closed: true, uptime_ms }));
  assert.deepEqual(pulsesOf(same), [100]);
});

test("counts every clean pulse, whatever bounces surround it", () => {
  const pulse = fc.record({
    pause_ms: fc.integer({ min: 80, max: 5000 }),
    width_ms: fc.integer({ min: 30, max: 120 }),
    bounces: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(pulse, { maxLength: 30 }), (pulses) => {
      const edges: { closed: boolean; uptime_ms: number }[] = [];
      let now_ms = 0;
      for (const { pause_ms, width_ms, bounces } of pulses) {
        now_ms += pause_ms;
        for (const bounce_ms of bounces) {
          edges.push({ closed: true, uptime_ms: now_ms }, { closed: false, uptime_ms: now_ms + bounce_ms });
          now_ms += 2 * bounce_ms;
        }
        edges.push({ closed: true, uptime_ms: now_ms });
        now_ms += width_ms;
        edges.push({ closed: false, uptime_ms: now_ms });
      }
      assert.equal(pulsesOf(edges).length, pulses.length);
    }),
  );
});
