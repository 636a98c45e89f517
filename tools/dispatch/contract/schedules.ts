// A schedule's way to a verdict: what is asked beside all that the slot has been granted already, checked on the network in force, and
// kept whole, in part or not at all. What is kept becomes a transmission contract.

import type { Context, Value } from "../../contracts/author.js";
import { least, sum } from "../../market/amounts.js";
import { fieldsOf, granted, listOf, textOf, wholeOf } from "../../market/asked.js";
import { shareOut } from "../../market/sharing.js";
import { type Binding, type Case, checkSchedule, type Delivery, type Verdict } from "../check.js";
import { BASE_W, type Grid } from "../grid.js";
import { type CarriedRow, ENERGY_MAX, type NetworkInForce, ROWS_MAX, type Row, type Transmission } from "./kinds.js";
import { gridInForce, networkInForce } from "./networks.js";
import { grantedByLaw, wholeParameter } from "./rules.js";

/** J of one mWh, in tenths. */
const TENTHS_OF_J = 36;
const SLOT_S = 900;
const DAY_S = 86_400;
const PERMILLE = 1_000n;

export interface Asked {
  readonly slot_s: number;
  readonly rows: readonly Row[];
}

/** Reads what a schedule asks. Throws Denied. */
export function askedIn(body: Value): Asked {
  const fields = fieldsOf(body, ["slot_s", "rows"]);
  const rows = listOf(fields.rows, ROWS_MAX, "rows").map((row): Row => {
    granted(Array.isArray(row) && row.length === 4, "malformed", "rows");
    const [point, energy, trade, participant] = row as readonly Value[];
    return [
      textOf(point, "point"),
      wholeOf(energy, [-ENERGY_MAX, ENERGY_MAX], "energy_mWh"),
      trade === null ? null : textOf(trade, "trade"),
      participant === null ? null : textOf(participant, "participant"),
    ];
  });
  return { slot_s: wholeOf(fields.slot_s, [0, 4_398_046_511_103], "slot_s"), rows };
}

/** Comes to a verdict and says it; to the chain that asked too. Throws Denied. */
export function judge(context: Context, { slot_s, rows }: Asked, askedBy: number | null): void {
  const length_s = wholeParameter(context, "slot_s", SLOT_S);
  grantedByLaw(context, slot_s % length_s === 0, "slot_s", length_s);
  const ahead_s = slot_s - context.time_s;
  granted(ahead_s > 0, "late", context.time_s);
  const lead_s = wholeParameter(context, "lead_s", 0);
  grantedByLaw(context, ahead_s >= lead_s, "lead_s", lead_s);
  const horizon_s = wholeParameter(context, "horizon_s", 7 * DAY_S);
  grantedByLaw(context, ahead_s <= horizon_s, "horizon_s", horizon_s);
  const most_mWh = wholeParameter(context, "trade_mWh", ENERGY_MAX);
  grantedByLaw(
    context,
    rows.every(([, energy]) => Math.abs(energy) <= most_mWh),
    "trade_mWh",
    most_mWh,
  );
  const network = networkInForce(context);
  granted(network !== undefined, "no-network");
  const grid = gridInForce(context);
  for (const [point] of rows) granted(grid.points.has(point), "unknown-point", point);

  const before = transmissionsOf(context, slot_s).flatMap(({ rows: carried }) => carried);
  const verdict = verdictOn(context, { grid, before, rows, length_s });
  const number = Number(context.get("count") ?? 0);
  context.put("count", number + 1);
  const kept = keptOf(rows, verdict.kept);
  const said = { slot_s, length_s, ...saidOf(grid, verdict), network: network.hash };
  context.effect("verdict", { number, cases: verdict.cases, ...said });
  if (verdict.type !== "refused") {
    const carried = rows.map((row, at): CarriedRow => [row[0], kept[at]!, row[2], row[3], row[1]]);
    keep(context, number, transmissionOf(context, { said, network, carried, askedBy }));
  }
  if (askedBy === null) return;
  const answer = rows.map(([point, , trade], at) => [point, trade, verdict.type === "refused" ? 0 : kept[at]!]);
  const { verdict: word, kept_permille, binding } = said;
  context.message(askedBy, "verdict", { number, slot_s, verdict: word, kept_permille, binding, rows: answer });
}

interface Question {
  readonly grid: Grid;
  /** what the slot has been granted already */
  readonly before: readonly CarriedRow[];
  readonly rows: readonly Row[];
  readonly length_s: number;
}

/** Energies of a slot as mean power: so many mWh are one per unit. */
function verdictOn(context: Context, { grid, before, rows, length_s }: Question): Verdict {
  const base = (BASE_W * length_s * 10) / TENTHS_OF_J;
  const reactive = wholeParameter(context, "reactive_permille", 0);
  const buses = grid.network.buses.map((bus) => ({ ...bus, power: { ...bus.power } }));
  for (const [point, energy] of before) {
    const place = grid.points.get(point);
    // A network that came later may not have the point any more.
    if (place === undefined) continue;
    buses[place]!.power.re += energy / base;
    buses[place]!.power.im += (energy * reactive) / 1_000 / base;
  }
  const deliveries = rows.map(([point, energy]): Delivery => {
    const [power, part] = [BigInt(energy), BigInt(Math.trunc((energy * reactive) / 1_000))];
    return { bus: grid.points.get(point)!, power, reactive: part };
  });
  const withOutages = context.parameters.outages === true;
  return checkSchedule({ network: { ...grid.network, buses }, limits: grid.limits, deliveries, base, withOutages });
}

/** mWh of each row that is kept: trades are curtailed alike, by the largest remainder, and both sides of one by the same. */
export function keptOf(rows: readonly Row[], kept_permille: number): readonly number[] {
  const groups = new Map<string, number[]>();
  for (const [at, [, , trade]] of rows.entries()) {
    const name = trade === null ? `row ${at}` : `trade ${trade}`;
    groups.set(name, [...(groups.get(name) ?? []), at]);
  }
  const sides = [...groups.values()].map((places) => {
    const fed = places.filter((at) => rows[at]![1] > 0);
    const taken = places.filter((at) => rows[at]![1] < 0);
    const [given, used] = [fed, taken].map((side) => sum(side.map((at) => sizeOf(rows[at]!)))) as [bigint, bigint];
    return { fed, taken, given, used, size: most(given, used) };
  });
  const whole = sum(sides.map(({ size }) => size));
  const parts = shareOut(
    (whole * BigInt(kept_permille)) / PERMILLE,
    sides.map(({ size }) => size),
  );
  const kept = rows.map(() => 0);
  for (const [at, { fed, taken, given, used, size }] of sides.entries()) {
    if (size === 0n) continue;
    for (const [side, total, sign] of [
      [fed, given, 1],
      [taken, used, -1],
    ] as const) {
      const shares = shareOut(
        (parts[at]! * total) / size,
        side.map((place) => sizeOf(rows[place]!)),
      );
      for (const [index, place] of side.entries()) kept[place] = sign * Number(shares[index]!);
    }
  }
  return kept;
}

function most(one: bigint, other: bigint): bigint {
  return least(one, other) === one ? other : one;
}

function sizeOf([, energy]: Row): bigint {
  return BigInt(Math.abs(energy));
}

interface Said {
  readonly slot_s: number;
  readonly length_s: number;
  readonly verdict: string;
  readonly kept_permille: number;
  readonly binding: Value;
  readonly closest: Value;
}

function saidOf(grid: Grid, { type, kept, binding, closest }: Verdict) {
  return {
    verdict: type,
    kept_permille: kept,
    binding: binding === undefined ? null : bindingOf(grid, binding),
    closest: closestOf(grid, closest),
  };
}

function bindingOf({ network }: Grid, binding: Binding): Value {
  const outage = "outage" in binding && binding.outage !== undefined ? network.branches[binding.outage]!.id : null;
  const { type } = binding;
  if (type === "loading")
    return { type, branch: network.branches[binding.branch]!.id, permille: binding.value, outage };
  if (type === "voltage") return { type, bus: network.buses[binding.bus]!.id, per10000: binding.value, outage };
  return type === "islanded" ? { type, bus: network.buses[binding.bus]!.id } : { type, outage };
}

function closestOf({ network }: Grid, { voltage, loading }: Case): Value {
  return {
    ...(voltage !== undefined && { bus: network.buses[voltage.bus]!.id, per10000: voltage.value }),
    ...(loading !== undefined && { branch: network.branches[loading.branch]!.id, permille: loading.value }),
  };
}

interface Made {
  readonly said: Said;
  readonly network: NetworkInForce;
  readonly carried: readonly CarriedRow[];
  readonly askedBy: number | null;
}

function transmissionOf(context: Context, { said, network, carried, askedBy }: Made): Transmission {
  const perKWh = BigInt(wholeParameter(context, "fee_per_kWh", 0));
  const fed = sum(carried.map(([, energy]) => BigInt(Math.max(0, energy))));
  return {
    ...{ ...said, network: network.hash, operator: network.operator, rows: carried },
    fee: Number((fed * perKWh) / BigInt(1_000_000)),
    penalty_per_kWh: wholeParameter(context, "penalty_per_kWh", 0),
    tolerance_permille: wholeParameter(context, "tolerance_permille", 100),
    ...{ asked_by: askedBy, countersigned: null },
  };
}

function keep(context: Context, number: number, transmission: Transmission): void {
  context.put(`transmission/${number}`, transmission as unknown as Value);
  const key = `slot/${transmission.slot_s}`;
  context.put(key, [...numbersOf(context, transmission.slot_s), number]);
  context.effect("transmission", { number, ...transmission } as unknown as Value);
}

export function numbersOf(context: Context, slot_s: number): readonly number[] {
  return (context.get(`slot/${slot_s}`) ?? []) as readonly number[];
}

export function transmissionAt(context: Context, number: number): Transmission | undefined {
  return context.get(`transmission/${number}`) as unknown as Transmission | undefined;
}

function transmissionsOf(context: Context, slot_s: number): readonly Transmission[] {
  return numbersOf(context, slot_s).map((number) => transmissionAt(context, number)!);
}
