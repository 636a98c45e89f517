// Verdicts on schedules: what they name, and what must hold of any feeder.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkSchedule, type Delivery, type Schedule } from "../../tools/dispatch/check.js";
import { loadFlow } from "../../tools/dispatch/load-flow.js";
import { magnitude, type Network, one } from "../../tools/dispatch/network.js";

const BASE = 1_000_000;
const nothing = { re: 0, im: 0 };
const line = (from: number, to: number, re = 0.02, im = 0.01) => ({
  ...{ id: `${from}-${to}`, from, to, susceptance: 0, ratio: one },
  impedance: { re, im },
});
const grid = (buses: number, branches: readonly ReturnType<typeof line>[]): Network => ({
  buses: Array.from({ length: buses }, (_, bus) => ({
    ...{ id: String(bus), power: nothing, shunt: nothing },
    ...(bus === 0 && { held: 1 }),
  })),
  branches,
  slack: 0,
});
const schedule = (network: Network, deliveries: readonly Delivery[], rating?: number): Schedule => ({
  network,
  deliveries,
  limits: {
    bands: network.buses.map(() => [9_000, 11_000] as const),
    ratings: network.branches.map(() => rating),
  },
  base: BASE,
  withOutages: false,
});
const fed = (bus: number, power: number): Delivery => ({ bus, power: BigInt(power), reactive: 0n });

test("accepts what the grid carries, curtails what it does not, and names what binds", () => {
  const feeder = grid(3, [line(0, 1), line(1, 2)]);
  const good = checkSchedule(schedule(feeder, [fed(1, 100_000), fed(2, -50_000)], 0.5));
  assert.equal(good.type, "accepted");
  assert.deepEqual(good.powers, [100_000n, -50_000n]);
  const loaded = checkSchedule(schedule(feeder, [fed(1, 400_000), fed(2, 400_000)], 0.5));
  assert.equal(loaded.type, "curtailed");
  assert.deepEqual({ ...loaded.binding, value: 0 }, { type: "loading", branch: 0, value: 0 });
  const high = checkSchedule(schedule(feeder, [fed(2, 5_000_000)]));
  assert.equal(high.type, "curtailed");
  assert.ok(high.binding?.type === "voltage" && high.binding.bus === 2 && high.binding.value > 11_000);
});

test("refuses a grid that is beyond its limits without any delivery, and one that no state is found for", () => {
  const feeder = grid(2, [line(0, 1)]);
  const taking = (power: number): Network => ({
    ...feeder,
    buses: feeder.buses.map((bus) => (bus.id === "1" ? { ...bus, power: { re: power, im: 0 } } : bus)),
  });
  const low = checkSchedule(schedule(taking(-6), [fed(1, 1)]));
  assert.equal(low.type, "refused");
  assert.equal(low.binding?.type, "voltage");
  assert.equal(checkSchedule(schedule(taking(-60), [fed(1, 1)])).binding?.type, "diverged");
  assert.deepEqual(checkSchedule(schedule(grid(3, [line(0, 1)]), [])).binding, { type: "islanded", bus: 2 });
});

test("with outages a ring is held to what either half carries, and a spur is not taken out", () => {
  const ring = grid(4, [line(0, 1), line(1, 2), line(2, 0), line(2, 3)]);
  const alone = schedule(ring, [fed(3, 400_000)], 0.5);
  assert.equal(checkSchedule(alone).type, "accepted");
  const { type, cases, closest } = checkSchedule({ ...alone, withOutages: true });
  assert.deepEqual({ type, cases, outage: closest.outage }, { type: "accepted", cases: 4, outage: 2 });
  const more = checkSchedule({ ...schedule(ring, [fed(1, 300_000), fed(2, 300_000)], 0.5), withOutages: true });
  assert.equal(more.type, "curtailed");
  assert.ok(more.binding !== undefined && "outage" in more.binding && more.binding.outage !== undefined);
});

test("says what the branches lose with what is carried and without it; a delivery that relieves them loses less", () => {
  const feeder = grid(2, [line(0, 1)]);
  const taking = {
    ...feeder,
    buses: feeder.buses.map((bus, at) => ({ ...bus, power: { re: at === 0 ? 0 : -1, im: 0 } })),
  };
  const alone = checkSchedule(schedule(feeder, [fed(1, -1_000_000)])).losses!;
  const flow = loadFlow(taking);
  assert.ok(flow.type === "solved");
  // The current squared times the resistance, of one branch.
  assert.ok(Math.abs(alone.carried - flow.flows[0]!.from ** 2 * 0.02) < 1e-9);
  assert.equal(alone.without, 0);
  const relieved = checkSchedule(schedule(taking, [fed(1, 500_000)])).losses!;
  assert.equal(relieved.without, alone.carried);
  assert.ok(relieved.carried < relieved.without / 3);
  const curtailed = checkSchedule(schedule(taking, [fed(1, 90_000_000)]));
  assert.equal(curtailed.type, "curtailed");
  assert.equal(curtailed.losses?.without, alone.carried);
  const refused = checkSchedule(
    schedule({ ...taking, buses: taking.buses.map((bus) => ({ ...bus, power: { re: -60, im: 0 } })) }, []),
  );
  assert.equal(refused.losses, undefined);
});

const feeders = fc.integer({ min: 2, max: 12 }).chain((buses) =>
  fc.record({
    buses: fc.constant(buses),
    parents: fc.array(fc.nat(), { minLength: buses - 1, maxLength: buses - 1 }),
    ohms: fc.array(fc.double({ min: 0.001, max: 0.05, noNaN: true }), { minLength: buses - 1, maxLength: buses - 1 }),
    deliveries: fc.array(fc.tuple(fc.nat(buses - 1), fc.integer({ min: -900_000, max: 900_000 })), { maxLength: 6 }),
  }),
);
const feederOf = ({ buses, parents, ohms }: { buses: number; parents: number[]; ohms: number[] }) =>
  grid(
    buses,
    parents.map((parent, index) => line(parent % (index + 1), index + 1, ohms[index], ohms[index]! / 2)),
  );

test("what is carried is within every limit, and a thousandth more is not", () => {
  fc.assert(
    fc.property(feeders, ({ deliveries, ...shape }) => {
      const asked = deliveries.map(([bus, power]) => fed(bus, power));
      const whole = schedule(feederOf(shape), asked, 0.8);
      const verdict = checkSchedule(whole);
      const carried = whole.deliveries.map((delivery, index) => ({ ...delivery, power: verdict.powers[index]! }));
      const again = checkSchedule({ ...whole, deliveries: carried });
      if (verdict.type !== "refused") assert.equal(again.type, "accepted");
      for (const [index, power] of verdict.powers.entries()) {
        const most = asked[index]!.power;
        assert.ok(most < 0n ? power >= most && power <= 0n : power >= 0n && power <= most);
      }
      assert.equal(verdict.type === "accepted", verdict.kept === 1_000);
    }),
  );
});

test("in a state of a feeder every bus has the power that it feeds in, and the slack gives the rest and the losses", () => {
  fc.assert(
    fc.property(feeders, ({ deliveries, ...shape }) => {
      const network = feederOf(shape);
      const buses = network.buses.map((bus) => ({ ...bus, power: { ...bus.power } }));
      for (const [bus, power] of deliveries) buses[bus]!.power.re += power / BASE;
      const flow = loadFlow({ ...network, buses });
      if (flow.type !== "solved") return;
      const losses = flow.flows.reduce((sum, { loss }) => sum + loss, 0);
      assert.ok(losses >= -1e-12);
      // Ohm's law along each branch: what flows is the difference of voltages over the impedance.
      for (const [index, { from, to, impedance }] of network.branches.entries()) {
        const difference = {
          re: flow.voltages[from]!.re - flow.voltages[to]!.re,
          im: flow.voltages[from]!.im - flow.voltages[to]!.im,
        };
        assert.ok(Math.abs(magnitude(difference) / magnitude(impedance) - flow.flows[index]!.from) < 1e-9);
      }
    }),
  );
});
