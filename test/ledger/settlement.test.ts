// Settlement: slots close once, in order, with the energies that the batch computation finds in all readings that counted, whatever
// the order in which they were sealed.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Assignment } from "../../src/wire/assignment-order.js";
import { fromHex, toHex } from "../../src/wire/bytes.js";
import type { Signer } from "../../src/wire/key.js";
import { parseRecord, type Register, signRecord } from "../../src/wire/record.js";
import { encodePointRow, type PointRow, type SettlementPlan, slotRoot } from "../../src/wire/slot.js";
import { signerFromSeed } from "../../tools/crypto/signatures.js";
import { assign, type OrderedAssignments } from "../../tools/ledger/assignments.js";
import { atOnce } from "../../tools/ledger/pieces.js";
import { type ExecutionRecord, executionRecord } from "../../tools/ledger/record-scan.js";
import { scanCounters } from "../../tools/ledger/settlement/counter-scan.js";
import { MemorySettlement } from "../../tools/ledger/settlement/memory-settlement.js";
import {
  decodeMeterCounters,
  encodeMeterCounters,
  OPEN_SLOTS_MAX,
} from "../../tools/ledger/settlement/meter-counters.js";
import {
  closeSlots,
  type Settlement,
  type SettlementPlace,
  takeReadings,
} from "../../tools/ledger/settlement/settle.js";
import { type CounterReading, slotEnergies } from "../../tools/ledger/slot-energy.js";

const SLOT_S = 900;
const OPEN_S = 1_790_000_100;
const plan: SettlementPlan = { slot_s: SLOT_S, lateness_s: 4 * SLOT_S, gapMax_s: 3_600 };
/** Nothing here looks at signatures. */
const unsigned: Signer = { ...signerFromSeed(new Uint8Array(32)), sign: () => new Uint8Array(64) };

const meterId = (number: number) => new Uint8Array(8).fill(number).fill(number + (number >> 8), 7);
const meterName = (number: number) => toHex(meterId(number));

interface Stated {
  readonly meter: number;
  readonly time_s: number;
  readonly seq: number;
  readonly quality?: number;
  readonly errors?: number;
  readonly digests?: readonly Uint8Array[];
  readonly registers: readonly Register[];
}

function record({ meter, time_s, seq, quality = 2, registers, ...more }: Stated): ExecutionRecord {
  const claims = { service: 1, serviceId: 0, seq, previous: new Uint8Array(seq === 0 ? 0 : 32), time_s, quality };
  return executionRecord(parseRecord(signRecord({ ...claims, ...more, registers }, [], unsigned, meterId(meter))));
}

/** A counter in whole mWh, as a register of Wh. */
const register = (group: number, tariff: number, counter: number | bigint): Register => {
  return { obis: Uint8Array.of(1, 0, group, 8, tariff, 255), value: counter, scaler: -3, unit: 30 };
};
const reading = (meter: number, time_s: number, counter: number, seq = Math.floor(time_s)): ExecutionRecord =>
  record({ meter, time_s, seq: seq % 100_000_000, registers: [register(1, 0, counter)] });

interface Sealing {
  readonly rests?: number;
  readonly asked?: SettlementPlan;
  readonly runs?: number;
}

/** A chain as far as it settles. */
function settled(given: { plan?: SettlementPlan; contracts?: number } = {}) {
  const view = new MemorySettlement();
  let height = 0;
  let assignments: OrderedAssignments = new Map();
  return {
    view,
    assign(...rows: readonly Assignment[]) {
      const assigned = assign(assignments, { type: "assign", assignments: rows }, 1);
      assert.equal(assigned.type, "assigned");
      assignments = (assigned as Extract<typeof assigned, { type: "assigned" }>).assignments;
    },
    /** Of the next block. */
    placeOf(time_s: number): SettlementPlace {
      const asking = Array.from({ length: given.contracts ?? 1 }, (_, index) => `asking-${index}`);
      const place = { height: height + 1, time_ms: time_s * 1_000, judgedAt: 1, assignments, view };
      return { ...place, plan: given.plan ?? plan, asking };
    },
    /** Seals the next block; `rests` heights go by before it at which nothing asks for slots. */
    seal(
      time_s: number,
      records: readonly ExecutionRecord[] = [],
      { rests = 0, asked = given.plan ?? plan, runs }: Sealing = {},
    ) {
      height += rests;
      const place = { ...this.placeOf(time_s), plan: asked };
      height += 1;
      const settlement = atOnce(closeSlots(takeReadings(place, records), runs));
      view.apply(settlement);
      return settlement;
    },
  };
}

const rowsOf = ({ closed }: Settlement, point = meterName(1)) =>
  closed.map(({ slot, rows }) => {
    const row = rows.find((each) => each.point === point);
    return [slot.start_s - OPEN_S, row?.imported ?? null, row?.quality];
  });
const assignment = (point: string, meter: number, from_s: number, more: Partial<Assignment> = {}): Assignment => ({
  ...{ point, meter: meterId(meter), from_s, until_s: undefined, sign: 1, capacity: undefined },
  ...more,
});

/** Readings of a counter that may fall, come twice, or be of other registers. */
const readings = fc
  .array(
    fc.record({
      at: fc.integer({ min: -4_000, max: 20 * SLOT_S }),
      counter: fc.integer({ min: 0, max: 400 }),
      tariff: fc.constantFrom(0, 0, 0, 1),
      errors: fc.constantFrom(undefined, undefined, 1, 2 ** 8, 2 ** 30, 2 ** 31 + 4),
    }),
    { maxLength: 60 },
  )
  .map((all) => all.map((each, seq) => ({ ...each, seq })));

test("slots are those of the batch computation over all readings, whatever the order in which they were sealed", () => {
  fc.assert(
    fc.property(
      readings.chain((all) =>
        fc.tuple(
          fc.constant(all),
          fc.shuffledSubarray(all, { minLength: all.length }),
          fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 60 }),
        ),
      ),
      ([all, arrival, sizes]) => {
        const end_s = OPEN_S + 20 * SLOT_S;
        const chain = settled({ plan: { ...plan, lateness_s: 40 * SLOT_S } });
        // A meter that stays behind keeps the first slot open until all have come.
        chain.seal(OPEN_S, [reading(9, OPEN_S, 0)]);
        const left = [...arrival];
        for (const size of [...sizes, 100]) {
          const some = left.splice(0, size).map(({ at, counter, tariff, seq, errors }) =>
            record({
              ...{ meter: 1, time_s: OPEN_S + at, seq, registers: [register(1, tariff, counter)] },
              ...(errors !== undefined && { errors }),
            }),
          );
          assert.equal(chain.seal(end_s, some).closed.length, 0);
        }
        const found: (readonly [bigint | null, number, number])[] = [];
        while (found.length < 20) {
          for (const { rows } of chain.seal(end_s + 40 * SLOT_S).closed) {
            const row = rows.find(({ point }) => point === meterName(1));
            found.push([row?.imported ?? null, row?.quality ?? 3, row?.doubts ?? 0]);
          }
        }
        const counted: CounterReading[] = all.map(({ at, counter, tariff, seq, errors = 0 }) => ({
          ...{ time_s: OPEN_S + at, counter: BigInt(counter), seq, codes: tariff, doubts: errors % 2 ** 31 },
        }));
        const batch = slotEnergies(counted, { slot_s: SLOT_S, gapMax_s: plan.gapMax_s, start_s: OPEN_S, end_s });
        assert.deepEqual(
          found.slice(0, 20),
          batch.map(({ energy, quality, doubts }) => [energy, quality, doubts]),
        );
      },
    ),
    { numRuns: 300 },
  );
});

test("what is kept of a meter's counters is the same whatever the order, and two readings a slot at most", () => {
  fc.assert(
    fc.property(
      readings.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
      (orders) => {
        const [one, other] = orders.map((all) => {
          const chain = settled({ plan: { ...plan, lateness_s: 40 * SLOT_S } });
          chain.seal(OPEN_S);
          for (const { at, counter, seq } of all) {
            chain.seal(OPEN_S, [reading(1, OPEN_S + Math.min(at, 50), counter, seq)]);
          }
          return chain.view.counters(meterName(1));
        });
        assert.deepEqual(one, other);
        if (one === undefined) return;
        assert.ok(one.imported.readings.length <= 3, `${one.imported.readings.length} readings`);
        assert.deepEqual(decodeMeterCounters(encodeMeterCounters(one)), one);
      },
    ),
  );
});

test("rows do not depend on the order of readings or on which blocks seal them, also where more slots are open than are kept", () => {
  // About as many slots as are kept, the first of them alone with a reading before it.
  const read = fc.record({ at: fc.integer({ min: -2 * SLOT_S, max: 140 * SLOT_S }), counter: fc.nat(400) });
  const given = fc.record({
    count: fc.integer({ min: OPEN_SLOTS_MAX - 3, max: OPEN_SLOTS_MAX + 3 }),
    more: fc.array(read, { maxLength: 6 }),
    order: fc.infiniteStream(fc.nat()),
    sizes: fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 1, maxLength: 5 }),
  });
  fc.assert(
    fc.property(given, ({ count, more, order, sizes }) => {
      const regular = Array.from({ length: count }, (_, slot) => ({ at: slot * SLOT_S + 300, counter: 401 + slot }));
      const all = [{ at: -100, counter: 400 }, ...more, ...regular].map((each, seq) => ({ ...each, seq }));
      const late = { ...plan, lateness_s: 200 * SLOT_S };
      const closedOf = (arrival: typeof all, block: readonly number[]) => {
        const chain = settled({ plan: late });
        // A meter that stays behind keeps the first slot open until all have come.
        chain.seal(OPEN_S, [reading(9, OPEN_S, 0)]);
        const records = arrival.map((each) => reading(1, OPEN_S + each.at, each.counter, each.seq));
        for (let index = 0; records.length > 0; index += 1) {
          chain.seal(OPEN_S + 150 * SLOT_S, records.splice(0, block[index % block.length]));
        }
        const kept = chain.view.counters(meterName(1));
        const closing = Array.from({ length: 3 }, () => chain.seal(OPEN_S + 210 * SLOT_S).closed);
        return { kept, closing };
      };
      const byTime = [...all].sort((one, other) => one.at - other.at);
      const random = [...order.take(all.length)];
      const shuffled = all.map((each, index) => ({ each, rank: random[index]! })).sort((a, b) => a.rank - b.rank);
      const inOrder = closedOf(byTime, [all.length]);
      assert.equal(inOrder.closing[0]!.length, 4);
      const others = [byTime, byTime.toReversed(), shuffled.map(({ each }) => each)];
      for (const arrival of others) assert.deepEqual(closedOf(arrival, sizes), inOrder);
    }),
    { numRuns: 25, includeErrorInReport: true },
  );
});

test("the reading before the first open slot is kept beside as many slots as are kept", () => {
  const chain = settled();
  chain.seal(OPEN_S + 10, [reading(1, OPEN_S - 100, 0, 0)]);
  const slots = Array.from({ length: OPEN_SLOTS_MAX }, (_, slot) => slot);
  const records = slots.map((slot) => reading(1, OPEN_S + slot * SLOT_S + 300, 100 * (slot + 1), slot + 1));
  const { closed } = chain.seal(OPEN_S + (OPEN_SLOTS_MAX + 2) * SLOT_S, records);
  // A quarter of the first 100 lies before the slot, two thirds of the next 100 lie in it.
  assert.deepEqual(rowsOf({ closed } as Settlement)[0], [0, 141n, 2]);
});

test("a slot closes once all meters have readings beyond it, in order and once", () => {
  const chain = settled();
  const closed = (settlement: Settlement) => settlement.closed.map(({ slot }) => (slot.start_s - OPEN_S) / SLOT_S);
  assert.deepEqual(closed(chain.seal(OPEN_S, [reading(1, OPEN_S, 0), reading(2, OPEN_S, 0)])), []);
  assert.deepEqual(closed(chain.seal(OPEN_S + 901, [reading(1, OPEN_S + 900, 90)])), [], "meter 2 is missing");
  assert.deepEqual(closed(chain.seal(OPEN_S + 902, [reading(2, OPEN_S + 901, 90)])), [0]);
  assert.deepEqual(closed(chain.seal(OPEN_S + 903, [reading(2, OPEN_S + 902, 91)])), [], "closed once");
  const both = [reading(1, OPEN_S + 2_700, 270), reading(2, OPEN_S + 2_700, 270)];
  assert.deepEqual(closed(chain.seal(OPEN_S + 2_701, both)), [1, 2]);
});

test("a slot closes when lateness_s have passed, whoever is missing; who is silent for longer is not waited for", () => {
  const chain = settled();
  chain.seal(OPEN_S, [reading(1, OPEN_S, 0), reading(2, OPEN_S, 0)]);
  chain.seal(OPEN_S + 900, [reading(1, OPEN_S + 900, 90)]);
  assert.deepEqual(rowsOf(chain.seal(OPEN_S + 4_499, [reading(1, OPEN_S + 4_499, 450)])), []);
  const late = chain.seal(OPEN_S + 4_500);
  assert.deepEqual(rowsOf(late), [[0, 90n, 1]]);
  assert.deepEqual(rowsOf(late, meterName(2)), [[0, null, 3]]);
  // Meter 2 was last heard of more than lateness_s before the sixth slot.
  const on = chain.seal(OPEN_S + 7_000, [reading(1, OPEN_S + 7_000, 700)]);
  assert.deepEqual(
    rowsOf(on, meterName(2)).map(([at]) => at),
    [900, 1_800],
  );
  const more = chain.seal(OPEN_S + 9_000, [reading(1, OPEN_S + 9_000, 900)]);
  assert.deepEqual(
    more.closed.map(({ slot }) => slot.start_s - OPEN_S),
    [2_700, 3_600, 4_500, 5_400],
  );
  assert.deepEqual(
    chain.seal(OPEN_S + 9_001).closed.map(({ slot }) => slot.start_s - OPEN_S),
    [6_300, 7_200, 8_100],
  );
});

test("a reading of a closed slot changes nothing that was closed, and consecutive slots conserve", () => {
  const chain = settled();
  chain.seal(OPEN_S, [reading(1, OPEN_S, 0)]);
  const first = chain.seal(OPEN_S + 1_000, [reading(1, OPEN_S + 1_000, 1_000)]);
  assert.deepEqual(rowsOf(first), [[0, 900n, 2]], "its end is interpolated");
  // Nearer to the end that is closed: the next slot begins where that one ended all the same.
  chain.seal(OPEN_S + 1_001, [reading(1, OPEN_S + 899, 850), reading(1, OPEN_S + 901, 950)]);
  const second = chain.seal(OPEN_S + 1_801, [reading(1, OPEN_S + 1_800, 1_800)]);
  assert.deepEqual(rowsOf(second), [[900, 900n, 2]]);
});

test("late readings say where the next slot begins where the one before had no energy", () => {
  const chain = settled();
  chain.seal(OPEN_S, [reading(1, OPEN_S - 7_200, 5)]);
  assert.deepEqual(rowsOf(chain.seal(OPEN_S + 4_500)), [[0, null, 3]]);
  chain.seal(OPEN_S + 4_501, [reading(1, OPEN_S + 890, 890), reading(1, OPEN_S + 910, 910)]);
  assert.deepEqual(rowsOf(chain.seal(OPEN_S + 4_600, [reading(1, OPEN_S + 1_800, 1_800)])), [[900, 900n, 2]]);
});

test("a meter whose clock is not set, a reading from the future, and other registers do not count", () => {
  const chain = settled();
  const registers = [register(1, 0, 5)];
  const none = [
    record({ meter: 1, time_s: OPEN_S, seq: 1, quality: 0, registers }),
    record({ meter: 1, time_s: OPEN_S, seq: 2, quality: 3, registers }),
    record({ meter: 1, time_s: OPEN_S + 62, seq: 3, registers }),
    record({ meter: 1, time_s: OPEN_S, seq: 4, registers: [register(3, 0, 5), register(1, 33, 5)] }),
    record({ meter: 1, time_s: OPEN_S, seq: 5, registers: [{ ...register(1, 0, 5), unit: 27 }] }),
    record({ meter: 1, time_s: OPEN_S, seq: 6, registers: [register(1, 0, -5)] }),
    record({ meter: 1, time_s: OPEN_S, seq: 7, registers: [{ ...register(1, 0, 5), scaler: 120 }] }),
  ];
  chain.seal(OPEN_S + 1, none);
  assert.equal(chain.view.counters(meterName(1)), undefined);
  assert.deepEqual(chain.seal(OPEN_S + 50_000).closed, [], "a slot without points passes");
});

test("both directions count, by all tariffs together or their sum; a change between them is no energy", () => {
  const chain = settled();
  const at = (time_s: number, ...registers: readonly Register[]) =>
    chain
      .seal(time_s + 1, [record({ meter: 1, time_s, seq: time_s % 10_000, registers })])
      .closed.map(({ rows }) => rows[0]);
  at(OPEN_S, register(1, 1, 10), register(1, 2, 20), register(2, 0, 7));
  const [first] = at(OPEN_S + 900, register(1, 1, 11), register(1, 2, 25), register(2, 0, 9), register(2, 1, 1));
  assert.deepEqual(first, { point: meterName(1), imported: 6n, exported: 2n, quality: 1, doubts: 0 });
  const [second] = at(OPEN_S + 1_800, register(1, 0, 50), register(2, 0, 9));
  assert.deepEqual(second, { point: meterName(1), imported: null, exported: 0n, quality: 3, doubts: 0 });
});

test("an older capture counts at its own time", () => {
  const chain = settled();
  chain.seal(OPEN_S, [reading(1, OPEN_S, 0)]);
  const registers = [{ ...register(1, 0, 90), age: 10 }];
  assert.deepEqual(rowsOf(chain.seal(OPEN_S + 911, [record({ meter: 1, time_s: OPEN_S + 910, seq: 1, registers })])), [
    [0, 90n, 1],
  ]);
});

test("a meter that is exchanged in a slot: both count for the point, each as far as it was there", () => {
  const chain = settled();
  const swap_s = OPEN_S + 400;
  chain.assign(assignment("P", 1, 0, { until_s: swap_s }), assignment("P", 2, swap_s));
  chain.seal(OPEN_S, [reading(1, OPEN_S, 5_000)]);
  chain.seal(OPEN_S + 401, [reading(1, OPEN_S + 390, 5_039), reading(2, OPEN_S + 410, 3)]);
  chain.seal(OPEN_S + 901, [reading(2, OPEN_S + 900, 52)]);
  // The old meter has no reading beyond the slot: it is waited for.
  const { closed } = chain.seal(OPEN_S + 4_500);
  assert.deepEqual(
    closed.map(({ rows }) => rows),
    [[{ point: "P", imported: 39n + 49n, exported: null, quality: 2, doubts: 0 }]],
  );
});

test("several meters of a point are added, or taken from it; without one of them it has no energy", () => {
  const chain = settled();
  chain.assign(
    assignment("P", 1, 0),
    assignment("P", 2, 0, { sign: -1 }),
    assignment("Q", 3, 0),
    assignment("Q", 4, 0),
  );
  chain.seal(OPEN_S, [reading(1, OPEN_S, 0), reading(2, OPEN_S, 0), reading(3, OPEN_S, 0)]);
  const beyond = [reading(1, OPEN_S + 900, 10), reading(2, OPEN_S + 900, 25), reading(3, OPEN_S + 900, 1)];
  const { closed } = chain.seal(OPEN_S + 900, beyond);
  assert.deepEqual(closed[0]?.rows, [
    { point: "P", imported: -15n, exported: null, quality: 1, doubts: 0 },
    { point: "Q", imported: null, exported: null, quality: 3, doubts: 0 },
  ]);
});

test("a counter that overflows goes on where its capacity is known, else it was reset", () => {
  for (const capacity of [1_000n, undefined]) {
    const chain = settled();
    chain.assign(assignment("P", 1, 0, { capacity }));
    chain.seal(OPEN_S, [reading(1, OPEN_S, 990)]);
    const first = chain.seal(OPEN_S + 1_000, [reading(1, OPEN_S + 1_000, 90)]);
    const second = chain.seal(OPEN_S + 1_801, [reading(1, OPEN_S + 1_800, 170)]);
    const found = [...rowsOf(first, "P"), ...rowsOf(second, "P")];
    const unknown = [
      [0, null, 3],
      [900, null, 3],
    ];
    assert.deepEqual(
      found,
      capacity === undefined
        ? unknown
        : [
            [0, 90n, 2],
            [900, 90n, 2],
          ],
    );
  }
});

test("a row has the doubts of the readings at its ends, of both directions and of all its meters, also where an energy is missing", () => {
  const chain = settled();
  chain.assign(assignment("P", 1, 0), assignment("P", 2, 0), assignment("Q", 3, 0));
  const at = (meter: number, time_s: number, errors: number, registers: readonly Register[] = [register(1, 0, 5)]) =>
    record({ meter, time_s, seq: time_s % 10_000, errors, registers });
  const doubts = (settlement: Settlement) => settlement.closed.map(({ rows }) => rows.map((row) => row.doubts));
  const energies = [register(1, 0, 5), register(2, 0, 1)];
  chain.seal(OPEN_S, [at(1, OPEN_S, 1), at(2, OPEN_S, 0, energies), at(3, OPEN_S, 2 ** 9)]);
  // In the middle of a slot nothing rests on a reading.
  chain.seal(OPEN_S + 500, [at(1, OPEN_S + 400, 2 ** 6), at(1, OPEN_S + 450, 2 ** 7), at(1, OPEN_S + 500, 2 ** 28)]);
  const beyond = [
    at(1, OPEN_S + 1_000, 2 ** 30, [register(1, 0, 6)]),
    at(2, OPEN_S + 900, 2 ** 5 + 2 ** 31 + 2 ** 52, [register(2, 0, 2)]),
    at(3, OPEN_S + 900, 2 ** 8, [register(1, 0, 1)]),
  ];
  assert.deepEqual(doubts(chain.seal(OPEN_S + 1_001, beyond)), [[1 + 2 ** 28 + 2 ** 30 + 2 ** 5, 2 ** 8 + 2 ** 9]]);
  // Where the slot begins is known by what the one before ended with.
  const next = [1, 2, 3].map((meter) => at(meter, OPEN_S + 1_800, 0, [register(1, 0, 9), register(2, 0, 9)]));
  assert.deepEqual(doubts(chain.seal(OPEN_S + 1_801, next)), [[2 ** 28 + 2 ** 30 + 2 ** 5, 2 ** 8]]);
});

test("of a reading that hides registers a row has only the doubts that are about none of them", () => {
  const all = 2 ** 31 - 1;
  const wholeFrame = [0, 1, 10, 12, 13, 17, 18, 20, 24, 28].reduce((sum, bit) => sum + 2 ** bit, 0);
  for (const digests of [undefined, [new Uint8Array(32)]]) {
    const chain = settled();
    const at = (time_s: number) =>
      record({
        ...{ meter: 1, time_s, seq: time_s % 10_000, errors: all, registers: [register(1, 0, 5)] },
        ...(digests !== undefined && { digests }),
      });
    chain.seal(OPEN_S, [at(OPEN_S)]);
    const [closed] = chain.seal(OPEN_S + 900, [at(OPEN_S + 900)]).closed;
    assert.equal(closed?.rows[0]?.doubts, digests === undefined ? all : wholeFrame);
  }
});

test("slots are as long as ever on the day on which clocks change", () => {
  const day_s = Date.UTC(2026, 9, 25) / 1_000;
  const chain = settled();
  chain.seal(day_s, [reading(1, day_s, 0)]);
  const starts: number[] = [];
  for (let slot = 1; slot <= 100; slot += 1) {
    const time_s = day_s + SLOT_S * slot;
    for (const { slot: one, rows } of chain.seal(time_s, [reading(1, time_s, 7 * slot)]).closed) {
      starts.push(one.start_s);
      assert.deepEqual([rows[0]?.imported, rows[0]?.quality], [7n, 1]);
    }
  }
  assert.deepEqual(
    starts,
    Array.from({ length: 100 }, (_, slot) => day_s + SLOT_S * slot),
  );
});

test("many points are shown part by part, over several blocks; the next slot closes behind the last part", () => {
  const chain = settled({ contracts: 8 });
  const points = Array.from({ length: 1_700 }, (_, index) =>
    assignment(`P${String(index).padStart(5, "0")}`, 0, 0, { meter: fromHex(index.toString(16).padStart(16, "0"))! }),
  );
  chain.assign(...points);
  const first = chain.seal(OPEN_S + 1, [reading(255, OPEN_S, 0)]);
  assert.deepEqual(first.shown, []);
  const shown: PointRow[] = [];
  const places: number[] = [];
  const take = (settlement: Settlement) => {
    for (const { first: at, rows } of settlement.shown) {
      places.push(at);
      shown.push(...rows);
    }
  };
  const closing = chain.seal(OPEN_S + 901, [reading(255, OPEN_S + 900, 3)]);
  take(closing);
  assert.equal(closing.closed.length, 1);
  const between = chain.seal(OPEN_S + 1_801, [reading(255, OPEN_S + 1_800, 3)]);
  take(between);
  assert.deepEqual(places, [0, 500, 1_000, 1_500]);
  assert.equal(between.closed.length, 1, "behind the last part the next one closes");
  assert.deepEqual(shown, closing.closed[0]?.rows);
  const [{ slot, rows }] = closing.closed as [Settlement["closed"][number]];
  assert.equal(slot.points, 1_701);
  assert.deepEqual(slot.root, slotRoot(rows.map(encodePointRow)));
  const names = rows.map(({ point }) => point);
  assert.deepEqual(names, [...names].sort());
});

test("a settlement begins anew behind a rest, in another way, and goes on with the current slot where it stood for long", () => {
  const begin = () => {
    const chain = settled();
    chain.seal(OPEN_S, [reading(1, OPEN_S, 0)]);
    chain.seal(OPEN_S + 901, [reading(1, OPEN_S + 900, 9)]);
    return chain;
  };
  const rested = begin();
  assert.deepEqual(rested.seal(OPEN_S + 1_850, [reading(1, OPEN_S + 1_800, 9)], { rests: 1 }).closed, []);
  assert.equal(rested.view.head?.open_s, OPEN_S + 1_800);
  const otherwise = begin();
  otherwise.seal(OPEN_S + 1_850, [], { asked: { ...plan, slot_s: 300 } });
  assert.equal(otherwise.view.head?.open_s, OPEN_S + 1_800);
  assert.equal(otherwise.view.head?.awaited, 0, "what was known of the meter is of another time");
  const stood = begin();
  const later_s = OPEN_S + 1_002 * SLOT_S;
  assert.deepEqual(stood.seal(later_s).closed, []);
  assert.equal(stood.view.head?.open_s, later_s);
});

test("a meter that is silent for a week is no point any more, one that is assigned stays one", () => {
  const slow: SettlementPlan = { slot_s: 86_400, lateness_s: 0, gapMax_s: 86_400 };
  const day_s = Math.floor(OPEN_S / 86_400) * 86_400;
  const chain = settled({ plan: slow });
  chain.assign(assignment("P", 2, 0));
  chain.seal(day_s, [reading(1, day_s, 0), reading(2, day_s, 0)]);
  const points: string[][] = [];
  for (let day = 1; day <= 10; day += 1) {
    for (const { rows } of chain.seal(day_s + day * 86_400).closed) points.push(rows.map(({ point }) => point));
  }
  assert.deepEqual(points, [...Array(8).fill([meterName(1), "P"]), ["P"], ["P"]]);
});

test("counters are read from the bytes as from the decoded claims", () => {
  const registers = fc.array(
    fc.record(
      {
        obis: fc
          .tuple(
            fc.constantFrom(1, 0),
            fc.constantFrom(0, 1),
            fc.constantFrom(1, 2, 3),
            fc.constantFrom(8, 7),
            fc.nat(255),
          )
          .map((groups) => Uint8Array.of(...groups, 255)),
        value: fc.oneof(fc.integer(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
        scaler: fc.integer({ min: -128, max: 127 }),
        unit: fc.constantFrom(30, 27, 255),
        age: fc.option(fc.nat(), { nil: undefined }),
      },
      { noNullPrototype: true },
    ),
    { minLength: 1, maxLength: 20 },
  );
  const given = fc.record({
    ...{
      registers,
      seq: fc.constantFrom(0, 1, 70_000),
      time_s: fc.nat(2 ** 31),
      quality: fc.integer({ min: 0, max: 3 }),
    },
    status: fc.option(fc.nat(), { nil: undefined }),
    digests: fc.option(fc.constantFrom([new Uint8Array(32)], [new Uint8Array(32), new Uint8Array(32).fill(15)]), {
      nil: undefined,
    }),
    source: fc.option(fc.nat(), { nil: undefined }),
    frameHash: fc.option(fc.constant(new Uint8Array(32).fill(15)), { nil: undefined }),
    events: fc.option(fc.nat(), { nil: undefined }),
    errors: fc.option(fc.nat(Number.MAX_SAFE_INTEGER), { nil: undefined }),
  });
  fc.assert(
    fc.property(given, ({ registers, seq, time_s, quality, ...more }) => {
      const optional = Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined));
      const claims = {
        ...{ service: 1, serviceId: 0, seq, previous: new Uint8Array(seq === 0 ? 0 : 32), time_s, quality },
        ...optional,
        registers: registers.map(({ age, ...rest }) => (age === undefined ? rest : { ...rest, age })),
      };
      const parsed = parseRecord(signRecord(claims, [], unsigned, meterId(1)));
      const isCounter = ({ obis }: Register) => obis[3] === 8 && (obis[2] === 1 || obis[2] === 2);
      assert.deepEqual(scanCounters(executionRecord(parsed)), {
        ...{ time_s, quality, seq, ...(more.errors !== undefined && { errors: more.errors }) },
        registers: parsed.claims.registers!.filter(isCounter),
      });
    }),
  );
});

test("runs for which a block has no room come in later ones: each contract is shown each part once, in order, and slots wait for it", () => {
  const closing = { length: 1_200 };
  const points = Array.from(closing, (_, index) =>
    assignment(`P${String(index).padStart(5, "0")}`, 0, 0, { meter: fromHex(index.toString(16).padStart(16, "0"))! }),
  );
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 12 }), (rooms) => {
      const chain = settled({ contracts: 3 });
      chain.assign(...points);
      chain.seal(OPEN_S + 1, [reading(255, OPEN_S, 0)]);
      const shown: string[] = [];
      const closed: number[] = [];
      for (let block = 0; closed.length < 2 || chain.view.head?.showing !== undefined; block += 1) {
        assert.ok(block < 60, `${shown.length} runs are shown`);
        const runs = rooms[block % rooms.length]!;
        const readings = [reading(255, OPEN_S + 900, 3, 900), reading(255, OPEN_S + 1_800, 3, 1_800)];
        const settlement = chain.seal(OPEN_S + 1_801, block === 0 ? readings : [], { runs });
        if (shown.length > 0 && shown.length % 9 > 0)
          assert.ok(settlement.closed.length <= 1, "one waits for the other");
        closed.push(...settlement.closed.map(({ slot }) => slot.start_s));
        const before = shown.length;
        for (const { slot, to, first } of settlement.shown) {
          for (const name of to) shown.push(`${slot.start_s - OPEN_S} ${first} ${name}`);
        }
        assert.ok(shown.length - before <= runs && shown.length > before, `${shown.length - before} of ${runs}`);
      }
      const names = ["asking-0", "asking-1", "asking-2"];
      const expected = [0, 900].flatMap((start) =>
        [0, 500, 1_000].flatMap((first) => names.map((name) => `${start} ${first} ${name}`)),
      );
      assert.deepEqual(shown, expected);
    }),
    { numRuns: 15 },
  );
});

test("a block that has room for fewer runs is settled anew with what it has computed, and comes to the same as from the start", () => {
  const chain = settled({ plan: { ...plan, lateness_s: 0 }, contracts: 3 });
  const meters = Array.from({ length: 1_300 }, (_, index) => index + 1);
  const readings = (at_s: number, seq: number) => meters.map((meter) => reading(meter, OPEN_S + at_s, seq * 7, seq));
  chain.seal(OPEN_S, readings(0, 0));
  const place = chain.placeOf(OPEN_S + 2 * SLOT_S);
  const settling = takeReadings(place, [...readings(SLOT_S, 1), ...readings(2 * SLOT_S, 2)]);
  const work = closeSlots(settling);
  let pauses = 0;
  while (work.next().done !== true) pauses += 1;
  assert.ok(pauses >= 3, `${pauses} pauses: a node turns to votes meanwhile`);
  for (const { slot, rows } of atOnce(closeSlots(settling)).closed) {
    assert.deepEqual(slot.root, slotRoot(rows.map(encodePointRow)), "the root of all rows at once");
  }
  for (const runs of [16, 5, 1, 0]) {
    const fresh = takeReadings(place, [...readings(SLOT_S, 1), ...readings(2 * SLOT_S, 2)]);
    const again = closeSlots(settling, runs).next();
    assert.equal(again.done, true, "nothing is computed once more");
    assert.deepEqual(again.value, atOnce(closeSlots(fresh, runs)));
  }
});
