// What the authority of a simulation orders of measuring points: it assigns meters to them, for a time or without end, puts others in
// their place, and corrects what it has ordered before, also where slots of that time are closed.

import { type Assignment, compareRows } from "../../../../src/wire/assignment-order.js";
import { fromHex } from "../../../../src/wire/bytes.js";
import type { Action } from "../../../../src/wire/order.js";
import type { Random } from "../../rig/random.js";
import type { Membership } from "../checks/membership.js";
import { assignedAt, untilOf } from "../checks/points.js";
import { COUNTER_CAPACITY } from "../world/counters.js";
import type { SimulatedMeter } from "../world/meter.js";
import type { Timeline } from "../world/timeline.js";
import { EPOCH_MS } from "../world/timeline.js";

const POINTS = ["P-1", "P-2", "P-3"] as const;

export interface AssignmentFaults {
  /** Assignments to order next, which hold; undefined where what is drawn would not. */
  draw(): Action | undefined;
}

export interface AssignmentFaultPorts {
  readonly random: Random;
  readonly meters: readonly SimulatedMeter[];
  readonly membership: Membership;
  readonly timeline: Timeline;
}

export function createAssignmentFaults(ports: AssignmentFaultPorts): AssignmentFaults {
  const { random, meters, membership } = ports;
  const known = (meter: string) =>
    assignedAt(membership.contracts.slots.assignments, meter, Number.POSITIVE_INFINITY) ?? [];
  const soon_s = () =>
    Math.floor((EPOCH_MS + ports.timeline.now_ms()) / 1_000) + random.pick([-20, -9, -4, -1, 0, 2, 5]);

  const fresh = (meter: string, from_s = soon_s()): Assignment => ({
    ...{ point: random.pick(POINTS), meter: fromHex(meter)!, from_s },
    until_s: random.chance(0.4) ? from_s + 1 + random.below(20) : undefined,
    sign: random.pick([1, 1, -1]),
    capacity: random.chance(0.5) ? BigInt(COUNTER_CAPACITY) : undefined,
  });

  /** Ends it, at another time than before, takes it back, or says something else of it. */
  const corrected = (row: Assignment): Assignment => {
    const kind = random.below(4);
    if (kind === 0) return { ...row, until_s: row.from_s };
    if (kind === 1) return { ...row, point: random.pick(POINTS), sign: random.pick([1, -1]) };
    return { ...row, until_s: Math.max(row.from_s, soon_s()) };
  };

  /** One meter takes the place of another. */
  const exchanged = (row: Assignment): Assignment[] => {
    const at_s = Math.max(row.from_s + 1, soon_s());
    const until_s = untilOf(row) > at_s ? row.until_s : undefined;
    return [
      { ...row, until_s: at_s },
      { ...row, meter: fromHex(meterId())!, from_s: at_s, until_s },
    ];
  };

  /** Now and then somebody's who sends no readings: the point never has an energy. */
  const meterId = (): string =>
    random.pick(random.chance(0.9) ? meters.filter(({ isAsking }) => !isAsking) : meters).id;

  const drawn = (): Assignment[] => {
    const meter = meterId();
    const rows = known(meter);
    if (rows.length === 0 || random.chance(0.2)) return [fresh(meter)];
    return random.chance(0.4) ? exchanged(random.pick(rows)) : [corrected(random.pick(rows))];
  };

  return {
    draw() {
      const assignments = drawn().sort(compareRows);
      const isApart = assignments.every((row, place) => place === 0 || compareRows(assignments[place - 1]!, row) < 0);
      const holds = isApart && meters.every(({ id }) => areApart(withRows(known(id), id, assignments)));
      return holds ? { type: "assign", assignments } : undefined;
    },
  };
}

/** A meter's assignments with those that an order has of it. */
function withRows(rows: readonly Assignment[], meter: string, ordered: readonly Assignment[]): Assignment[] {
  const own = ordered.filter((row) => Buffer.from(row.meter).toString("hex") === meter);
  const all = new Map([...rows, ...own].map((row) => [row.from_s, row]));
  const real = [...all.values()].filter((row) => untilOf(row) > row.from_s);
  return real.sort((one, other) => one.from_s - other.from_s);
}

function areApart(rows: readonly Assignment[]): boolean {
  return rows.every((row, place) => place === 0 || untilOf(rows[place - 1]!) <= row.from_s);
}
