import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  ATTEMPT_MS,
  createStation,
  PAUSE_MS_MAX,
  type StationInput,
  stepStation,
} from "../../../hosts/esp32/station.js";

test("connects at once, and again at once when the network is lost", () => {
  const station = createStation(0);
  assert.deepEqual(
    stepStation(station, { kind: "timer" }, 0, () => 0),
    [{ kind: "connect" }],
  );
  assert.deepEqual(
    stepStation(station, { kind: "up", address: "10.0.0.7" }, 900, () => 0),
    [{ kind: "online", address: "10.0.0.7" }],
  );
  assert.deepEqual(
    stepStation(station, { kind: "up", address: "10.0.0.7" }, 950, () => 0),
    [],
  );
  assert.deepEqual(
    stepStation(station, { kind: "timer" }, 1_000_000, () => 0),
    [],
  );
  assert.deepEqual(
    stepStation(station, { kind: "down" }, 2_000_000, () => 0),
    [{ kind: "lost" }],
  );
  assert.deepEqual(
    stepStation(station, { kind: "timer" }, 2_000_000, () => 0),
    [{ kind: "connect" }],
  );
  assert.equal(station.losses, 1);
});

test("an attempt that says nothing is given up, and one that is refused is not repeated at once", () => {
  const station = createStation(0);
  stepStation(station, { kind: "timer" }, 0, () => 0.5);
  assert.deepEqual(
    stepStation(station, { kind: "timer" }, ATTEMPT_MS - 1, () => 0.5),
    [],
  );
  assert.deepEqual(
    stepStation(station, { kind: "timer" }, ATTEMPT_MS, () => 0.5),
    [{ kind: "disconnect" }],
  );
  assert.equal(station.next_ms, ATTEMPT_MS + 750);
  assert.deepEqual(
    stepStation(station, { kind: "timer" }, ATTEMPT_MS + 750, () => 0.5),
    [{ kind: "connect" }],
  );
  assert.deepEqual(
    stepStation(station, { kind: "down" }, ATTEMPT_MS + 800, () => 0.5),
    [],
  );
  assert.equal(station.next_ms, ATTEMPT_MS + 800 + 1500);
});

test("a lease that ends while the association lasts is a loss: the station leaves, and comes again after a pause", () => {
  const station = createStation(0);
  stepStation(station, { kind: "timer" }, 0, () => 0.5);
  assert.deepEqual(
    stepStation(station, { kind: "unaddressed" }, 10, () => 0.5),
    [],
  );
  stepStation(station, { kind: "up", address: "10.0.0.7" }, 900, () => 0.5);
  assert.deepEqual(
    stepStation(station, { kind: "unaddressed" }, 5_000, () => 0.5),
    [{ kind: "lost" }, { kind: "disconnect" }],
  );
  assert.equal(station.losses, 1);
  assert.deepEqual(
    stepStation(station, { kind: "down" }, 5_010, () => 0.5),
    [],
  );
  assert.deepEqual(
    stepStation(station, { kind: "timer" }, 5_750, () => 0.5),
    [{ kind: "connect" }],
  );
});

test("tries for ever, never twice at a time, never with a pause beyond the longest, whatever the driver says when", () => {
  const input = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ wait_ms: fc.nat({ max: 200_000 }), input: fc.constant<StationInput>({ kind: "timer" }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ wait_ms: fc.nat({ max: 9_000 }), input: fc.constant<StationInput>({ kind: "down" }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        wait_ms: fc.nat({ max: 9_000 }),
        input: fc.constantFrom<StationInput>({ kind: "up", address: "10.0.0.7" }, { kind: "unaddressed" }),
      }),
    },
  );
  fc.assert(
    fc.property(
      fc.array(input, { maxLength: 60 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (inputs, random) => {
        const station = createStation(0);
        let now_ms = 0;
        let attempts = 0;
        for (const each of inputs) {
          now_ms += each.wait_ms;
          const wasAttempting = station.attempting;
          const effects = stepStation(station, each.input, now_ms, () => random);
          if (effects.some(({ kind }) => kind === "connect")) {
            assert.equal(wasAttempting, false);
            attempts += 1;
          }
          if (station.address === undefined) assert.ok(station.next_ms <= now_ms + Math.max(ATTEMPT_MS, PAUSE_MS_MAX));
        }
        const before = attempts;
        for (let more = 0; more < 4; more += 1) {
          now_ms = Math.max(now_ms, Math.min(station.next_ms, now_ms + 1e6));
          if (stepStation(station, { kind: "timer" }, now_ms, () => random).some(({ kind }) => kind === "connect"))
            attempts += 1;
        }
        if (station.address === undefined) assert.ok(attempts > before);
      },
    ),
  );
});
