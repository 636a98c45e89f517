// A schedule's way to a verdict: what is asked beside all that the slot has been granted already, checked on the network in force, and
// kept whole, in part or not at all. What is kept becomes a transmission contract.

import type { Context, Message, Operation, Value } from "../../contracts/author.js";
import { least, sum } from "../../market/amounts.js";
import { Denied, granted, listOf } from "../../market/asked.js";
import { grantedByLaw, wholeParameter } from "../../market/law.js";
import {
  type CarriedRow,
  ROW_ENERGY_MAX,
  SCHEDULE_ROWS_MAX,
  type Schedule,
  type ScheduleRow,
  scheduleHead,
  scheduleRow,
  soundRows,
  tell,
} from "../../market/messages.js";
import { shareOut } from "../../market/sharing.js";
import { type Binding, type Case, checkSchedule, type Delivery, type Verdict } from "../check.js";
import { BASE_W, type Grid } from "../grid.js";
import type { NetworkInForce, Transmission } from "./kinds.js";
import { gridInForce, networkInForce } from "./networks.js";

/** J of one mWh, in tenths. */
const TENTHS_OF_J = 36;
const SLOT_S = 900;
const DAY_S = 86_400;
const KEPT_DAYS = 7;
const PERMILLE = 1_000n;
/** Schedules of a slot: of one chain, of one who signs, and of all who sign. */
const OF_CHAIN_MAX = 16;
const OF_SIGNER_MAX = 8;
const SIGNED_MAX = 32;

/** Who asks: a chain, or a participant. */
interface Asker {
  readonly service: number | null;
  readonly signer: string | null;
}

/** A schedule that is signed: what is wrong with one of its rows denies it. Throws Denied. */
export function takeSchedule(context: Context, { participant, body }: Operation): void {
  const { rows: listed, ...head } = scheduleHead(body, wholeParameter(context, "slot_s", SLOT_S));
  const rows = listOf(listed, SCHEDULE_ROWS_MAX, "rows").map((row) => {
    granted(Array.isArray(row), "malformed", "row");
    return scheduleRow(row as readonly Value[]);
  });
  const asker = { service: null, signer: participant };
  const grid = allowedGrid(context, head, asker);
  for (const row of rows) checkRow(context, grid, row);
  judge(context, { schedule: { ...head, rows }, grid, asker });
}

/**
 * Trades of another chain, which is answered in any case. A row that is wrong, or of a point that the network does not have, is denied
 * alone: it is not carried, and the others lose nothing by it.
 */
export function takeScheduleOfChain(context: Context, { service, body }: Message): void {
  const { rows: listed, ...head } = scheduleHead(body, wholeParameter(context, "slot_s", SLOT_S));
  const stated = soundRows(context, { rows: listed, most: SCHEDULE_ROWS_MAX }, scheduleRow);
  const schedule = { ...head, rows: stated };
  const asker = { service, signer: null };
  const found = denialOf(() => allowedGrid(context, head, asker));
  if (found instanceof Denied) {
    context.deny(found.rule, found.about);
    return refuse(context, schedule, { service, rule: found.rule });
  }
  const sound: ScheduleRow[] = [];
  for (const row of stated) {
    const denial = denialOf(() => checkRow(context, found, row));
    if (!(denial instanceof Denied)) sound.push(row);
    else {
      context.deny(denial.rule, denial.about);
      refuse(context, { ...head, rows: [row] }, { service, rule: denial.rule });
    }
  }
  if (sound.length > 0) judge(context, { schedule: { ...head, rows: sound }, grid: found, asker });
}

function denialOf<Found>(find: () => Found): Found | Denied {
  try {
    return find();
  } catch (error) {
    if (error instanceof Denied) return error;
    throw error;
  }
}

/** Nothing of it is carried, and no load flow says why. */
function refuse(
  context: Context,
  { slot_s, rows }: Schedule,
  { service, rule }: { readonly service: number; readonly rule: string },
): void {
  const none = rows.map(([point, asked, trade, participant]): CarriedRow => [point, 0, trade, participant, asked]);
  const binding = { type: "denied", rule };
  if (none.length > 0) {
    tell(context, service, "verdict", {
      slot_s,
      number: null,
      verdict: "refused",
      kept_permille: 0,
      binding,
      rows: none,
    });
  }
}

/** The grid in force, where the schedule may be judged on it. Throws Denied. */
function allowedGrid(context: Context, { slot_s, length_s: stated_s }: Omit<Schedule, "rows">, asker: Asker): Grid {
  const length_s = wholeParameter(context, "slot_s", SLOT_S);
  granted(stated_s === length_s, "slot-length", length_s);
  grantedByLaw(context, slot_s % length_s === 0, "slot_s", length_s);
  const ahead_s = slot_s - context.time_s;
  granted(ahead_s > 0, "late", context.time_s);
  const lead_s = wholeParameter(context, "lead_s", 0);
  grantedByLaw(context, ahead_s >= lead_s, "lead_s", lead_s);
  const horizon_s = wholeParameter(context, "horizon_s", 7 * DAY_S);
  grantedByLaw(context, ahead_s <= horizon_s, "horizon_s", horizon_s);
  granted(networkInForce(context) !== undefined, "no-network");
  grantedRoom(transmissionsOf(context, slot_s), asker);
  return gridInForce(context);
}

/** Throws Denied. */
function checkRow(context: Context, grid: Grid, [point, energy]: ScheduleRow): void {
  granted(grid.points.has(point), "unknown-point", point);
  const most_mWh = wholeParameter(context, "trade_mWh", ROW_ENERGY_MAX);
  grantedByLaw(context, Math.abs(energy) <= most_mWh, "trade_mWh", most_mWh);
}

/** Throws Denied where the slot has as many schedules as it may, of whoever asks. */
function grantedRoom(before: readonly Transmission[], { service, signer }: Asker): void {
  const all = before.filter(({ asked_by }) => asked_by === service).length;
  const own = before.filter((each) => each.asked_by === service && each.signer === signer).length;
  const [most, mostOwn] = service === null ? [SIGNED_MAX, OF_SIGNER_MAX] : [OF_CHAIN_MAX, OF_CHAIN_MAX];
  granted(all < most && own < mostOwn, "full", Math.min(most, mostOwn));
}

interface Judging {
  readonly schedule: Schedule;
  readonly grid: Grid;
  readonly asker: Asker;
}

/** Comes to a verdict and says it; to the chain that asked too. */
function judge(context: Context, { schedule: { slot_s, length_s, rows }, grid, asker }: Judging): void {
  const network = networkInForce(context)!;
  const before = transmissionsOf(context, slot_s).flatMap(({ rows: carried }) => carried);
  const { base, ...verdict } = verdictOn(context, { grid, before, rows, length_s });
  const number = Number(context.get("count") ?? 0);
  context.put("count", number + 1);
  const kept = keptOf(rows, verdict.kept);
  const losses_mWh = lossesOf(verdict, base);
  const said = { slot_s, length_s, ...saidOf(grid, verdict), losses_mWh, network: network.hash };
  context.effect("verdict", { number, cases: verdict.cases, ...said });
  const isRefused = verdict.type === "refused";
  const carried = rows.map((row, at): CarriedRow => [row[0], isRefused ? 0 : kept[at]!, row[2], row[3], row[1]]);
  if (!isRefused) keep(context, number, transmissionOf(context, { said, network, carried, asker }));
  if (asker.service === null) return;
  const { verdict: word, kept_permille, binding } = said;
  tell(context, asker.service, "verdict", { slot_s, number, verdict: word, kept_permille, binding, rows: carried });
}

interface Question {
  readonly grid: Grid;
  /** what the slot has been granted already */
  readonly before: readonly CarriedRow[];
  readonly rows: readonly ScheduleRow[];
  readonly length_s: number;
}

/** Energies of a slot as mean power: `base` mWh are one per unit. */
function verdictOn(context: Context, { grid, before, rows, length_s }: Question): Verdict & { readonly base: number } {
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
  const schedule = { network: { ...grid.network, buses }, limits: grid.limits, deliveries, base, withOutages };
  return { ...checkSchedule(schedule), base };
}

/** What the grid loses more by what is carried than without it, beside what the slot has been granted already. Never -0. */
function lossesOf({ losses }: Verdict, base: number): number {
  return losses === undefined ? 0 : Math.round((losses.carried - losses.without) * base) + 0;
}

/** Each row's part of the losses by the energy that is carried of it, to the last mWh. */
function lossShares(losses_mWh: number, carried: readonly CarriedRow[]): readonly number[] {
  const sizes = carried.map(([, energy]) => BigInt(Math.abs(energy)));
  const sign = losses_mWh < 0 ? -1 : 1;
  return shareOut(BigInt(Math.abs(losses_mWh)), sizes).map((part) => sign * Number(part) + 0);
}

/** mWh of each row that is kept: trades are curtailed alike, by the largest remainder, and both sides of one by the same. */
export function keptOf(rows: readonly ScheduleRow[], kept_permille: number): readonly number[] {
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

function sizeOf([, energy]: ScheduleRow): bigint {
  return BigInt(Math.abs(energy));
}

interface Said {
  readonly slot_s: number;
  readonly length_s: number;
  readonly verdict: Verdict["type"];
  readonly kept_permille: number;
  readonly binding: Value;
  readonly closest: Value;
  readonly losses_mWh: number;
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
  readonly asker: Asker;
}

function transmissionOf(context: Context, { said, network, carried, asker }: Made): Transmission {
  const price = (name: string) => BigInt(wholeParameter(context, name, 0));
  const fed = sum(carried.map(([, energy]) => BigInt(Math.max(0, energy))));
  const owed = fed * price("fee_per_kWh") + BigInt(said.losses_mWh) * price("loss_per_kWh");
  return {
    ...{ ...said, network: network.hash, operator: network.operator, rows: carried },
    losses: lossShares(said.losses_mWh, carried),
    fee: Number(owed / BigInt(1_000_000)),
    penalty_per_kWh: wholeParameter(context, "penalty_per_kWh", 0),
    tolerance_permille: wholeParameter(context, "tolerance_permille", 100),
    ...{ asked_by: asker.service, signer: asker.signer, countersigned: null },
  };
}

function keep(context: Context, number: number, transmission: Transmission): void {
  context.put(`transmission/${number}`, transmission as unknown as Value);
  const key = `slot/${transmission.slot_s}`;
  context.put(key, [...numbersOf(context, transmission.slot_s), number]);
  const kept_s = wholeParameter(context, "kept_days", KEPT_DAYS) * DAY_S;
  context.put(`due/forget/${transmission.slot_s}`, [transmission.slot_s + kept_s, null]);
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
