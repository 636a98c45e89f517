// Whether a grid carries a schedule: voltages within their bands and branches within their ratings, also with any one branch of a mesh
// out of service. What is compared is rounded first, so that the verdict does not hang on a last bit.

import { must, sum } from "../market/amounts.js";
import { shareOut } from "../market/sharing.js";
import { type LoadFlow, loadFlow } from "./load-flow.js";
import { magnitude, type Network } from "./network.js";
import { infinite } from "./real.js";

/** What a grid is held to. */
export interface Limits {
  /** by bus, in ten-thousandths of its nominal voltage: [least, most] */
  readonly bands: readonly (readonly [number, number])[];
  /** by branch, per unit; undefined where none is stated */
  readonly ratings: readonly (number | undefined)[];
}

/** What is to be delivered beside what the network's buses take anyway. */
export interface Delivery {
  readonly bus: number;
  /** W that are fed in, negative where they are taken */
  readonly power: bigint;
  /** var that are fed in with that power */
  readonly reactive: bigint;
}

/** What a check comes to with one branch out of service, or with none. */
export interface Case {
  /** index of the branch that is out of service */
  readonly outage?: number;
  /** lowest and highest voltage in ten-thousandths of nominal, each where it comes closest to its band */
  readonly voltage?: { readonly bus: number; readonly value: number };
  /** in thousandths of the rating */
  readonly loading?: { readonly branch: number; readonly value: number };
}

export type Binding =
  | { readonly type: "voltage"; readonly bus: number; readonly value: number; readonly outage?: number }
  | { readonly type: "loading"; readonly branch: number; readonly value: number; readonly outage?: number }
  | { readonly type: "diverged"; readonly outage?: number }
  | { readonly type: "islanded"; readonly bus: number };

export interface Verdict {
  /** `curtailed`: a part of the deliveries can be carried · `refused`: not even the grid without them is within its limits */
  readonly type: "accepted" | "curtailed" | "refused";
  /** thousandths of the deliveries that can be carried */
  readonly kept: number;
  /** W of each delivery that can be carried */
  readonly powers: readonly bigint[];
  /** what stands in the way of more; of an accepted schedule undefined */
  readonly binding?: Binding;
  /** the closest of all cases, of what can be carried */
  readonly closest: Case;
  readonly cases: number;
  /** of a schedule that is refused, or without which no state is found, undefined */
  readonly losses?: Losses;
}

/** What the branches take in all while none is out of service, per unit of power: with what is carried, and without any delivery. */
export interface Losses {
  readonly carried: number;
  readonly without: number;
}

export interface Schedule {
  readonly network: Network;
  readonly limits: Limits;
  readonly deliveries: readonly Delivery[];
  /** W of one per unit */
  readonly base: number;
  /** whether the outage of each branch without which the grid still hangs together is tried as well */
  readonly withOutages: boolean;
}

const WHOLE = 1_000;
/** A state within any limit is found in some five; a check that seeks for longer would cost contracts their budget. */
const CHECK_TURNS_MAX = 16;

/** Judges a schedule; where it cannot be carried, the greatest part of it that can, the same of each delivery. */
export function checkSchedule(schedule: Schedule): Verdict {
  const outages = schedule.withOutages ? outagesOf(schedule.network) : [];
  const examine = (kept: number) => examineAll(schedule, outages, kept);
  const all = examine(WHOLE);
  const cases = outages.length + 1;
  const verdict = (type: Verdict["type"], kept: number, { binding, closest, losses }: Judged): Verdict => {
    const powers = keptPowers(schedule.deliveries, kept);
    const said = { ...(binding !== undefined && { binding }), ...(losses !== undefined && { losses }) };
    return { type, kept, powers, ...said, closest, cases };
  };
  if (all.binding === undefined) {
    const flow = loadFlow(withDeliveries(schedule, 0), CHECK_TURNS_MAX);
    const without = flow.type === "solved" ? lossIn(flow) : undefined;
    return verdict("accepted", WHOLE, { ...all, ...lossesOf(all.loss, without) });
  }
  const none = examine(0);
  if (none.binding !== undefined) return verdict("refused", 0, none);
  let [good, bad, best, worst] = [0, WHOLE, none, all];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    const examined = examine(middle);
    if (examined.binding === undefined) [good, best] = [middle, examined];
    else [bad, worst] = [middle, examined];
  }
  return verdict("curtailed", good, { ...best, binding: worst.binding!, ...lossesOf(best.loss, none.loss) });
}

interface Examination {
  readonly binding?: Binding;
  readonly closest: Case;
  /** per unit, while no branch is out of service */
  readonly loss?: number;
}

type Judged = Examination & Pick<Verdict, "losses">;

function lossesOf(carried: number | undefined, without: number | undefined): Pick<Verdict, "losses"> {
  return carried === undefined || without === undefined ? {} : { losses: { carried, without } };
}

function examineAll(schedule: Schedule, outages: readonly number[], kept: number): Examination {
  const network = withDeliveries(schedule, kept);
  let closest: Case = {};
  let loss: number | undefined;
  for (const outage of [undefined, ...outages]) {
    const flow = loadFlow(outage === undefined ? network : withoutBranch(network, outage), CHECK_TURNS_MAX);
    const out = outage === undefined ? {} : { outage };
    if (flow.type === "islanded") return { binding: { type: "islanded", bus: flow.bus }, closest };
    if (flow.type === "diverged") return { binding: { type: "diverged", ...out }, closest };
    if (outage === undefined) loss = lossIn(flow);
    const { binding, found } = judge(schedule.limits, flow, outage);
    closest = closerOf(schedule.limits, closest, { ...out, ...found });
    if (binding !== undefined) return { binding: { ...binding, ...out }, closest };
  }
  return { closest, ...(loss !== undefined && { loss }) };
}

type Solved = Extract<LoadFlow, { type: "solved" }>;

function lossIn({ flows }: Solved): number {
  return flows.reduce((total, { loss }) => total + loss, 0);
}

/** The worst of a case, and what of it is beyond its limit. */
function judge({ bands, ratings }: Limits, { voltages, flows }: Solved, outage: number | undefined) {
  const magnitudes = voltages.map((voltage) => Math.round(magnitude(voltage) * 10_000));
  const margins = magnitudes.map((value, bus) => marginOf(bands[bus]!, value));
  const bus = margins.indexOf(Math.min(...margins));
  const voltage = { bus, value: magnitudes[bus]! };
  // Flows of a case with an outage have one branch less.
  const places = ratings.flatMap((_, branch) => (branch === outage ? [] : [branch]));
  let loading: { branch: number; value: number } | undefined;
  for (const [index, { from, to }] of flows.entries()) {
    const branch = places[index]!;
    const rating = ratings[branch];
    if (rating === undefined) continue;
    const value = Math.round((Math.max(from, to) / rating) * 1_000);
    if (loading === undefined || value > loading.value) loading = { branch, value };
  }
  const found = { voltage, ...(loading !== undefined && { loading }) };
  if (margins[bus]! < 0) return { found, binding: { type: "voltage" as const, ...voltage } };
  if (loading !== undefined && loading.value > WHOLE)
    return { found, binding: { type: "loading" as const, ...loading } };
  return { found };
}

function marginOf([least, most]: readonly [number, number], value: number): number {
  return Math.min(value - least, most - value);
}

/** Of two cases, voltage and loading of the one that is closer to a limit. */
function closerOf({ bands }: Limits, one: Case, other: Case): Case {
  const margin = ({ voltage }: Case) =>
    voltage === undefined ? infinite : marginOf(bands[voltage.bus]!, voltage.value);
  const load = ({ loading }: Case) => loading?.value ?? -infinite;
  const isCloser = margin(other) < margin(one) || load(other) > load(one);
  if (!isCloser) return one;
  const voltage = margin(other) < margin(one) ? other.voltage : one.voltage;
  const loading = load(other) > load(one) ? other.loading : one.loading;
  return {
    ...(other.outage !== undefined && { outage: other.outage }),
    ...(voltage !== undefined && { voltage }),
    ...(loading !== undefined && { loading }),
  };
}

/** W of each delivery: so many thousandths of their sum, by their size, to the last one. */
export function keptPowers(deliveries: readonly Delivery[], kept: number): readonly bigint[] {
  const sizes = deliveries.map(({ power }) => (power < 0n ? -power : power));
  const parts = shareOut((sum(sizes) * BigInt(kept)) / BigInt(WHOLE), sizes);
  return parts.map((part, index) => (deliveries[index]!.power < 0n ? -part : part));
}

function withDeliveries({ network, deliveries, base }: Schedule, kept: number): Network {
  const powers = keptPowers(deliveries, kept);
  const buses = network.buses.map((bus) => ({ ...bus, power: { ...bus.power } }));
  for (const [index, { bus, power, reactive }] of deliveries.entries()) {
    const target = buses[bus];
    must(target !== undefined, "a delivery is at a bus of the network");
    const part = power === 0n ? kept / WHOLE : Number(powers[index]!) / Number(power);
    target.power.re += Number(powers[index]!) / base;
    target.power.im += (Number(reactive) * part) / base;
  }
  return { ...network, buses };
}

function withoutBranch(network: Network, outage: number): Network {
  return { ...network, branches: network.branches.filter((_, branch) => branch !== outage) };
}

/** Branches without which every bus still has a way to the slack: those of meshes. */
function outagesOf(network: Network): readonly number[] {
  const isBridge = bridgesOf(network);
  return [...network.branches.keys()].filter((branch) => !isBridge.has(branch));
}

/** Branches that are the only way to something (Tarjan 1974), without recursion. */
function bridgesOf({ buses, branches, slack }: Network): ReadonlySet<number> {
  const at: { branch: number; other: number }[][] = buses.map(() => []);
  for (const [branch, { from, to }] of branches.entries()) {
    at[from]!.push({ branch, other: to });
    at[to]!.push({ branch, other: from });
  }
  const entered = buses.map(() => 0);
  const low = buses.map(() => 0);
  const next = buses.map(() => 0);
  const bridges = new Set<number>();
  let clock = 1;
  entered[slack] = low[slack] = clock;
  const path: { readonly bus: number; readonly by: number }[] = [{ bus: slack, by: -1 }];
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const { bus, by } = top;
    const way = at[bus]![next[bus]!];
    next[bus]! += 1;
    if (way === undefined) {
      path.pop();
      const before = path.at(-1)?.bus;
      if (before === undefined) break;
      low[before] = Math.min(low[before]!, low[bus]!);
      if (low[bus]! > entered[before]!) bridges.add(by);
      continue;
    }
    if (way.branch === by) continue;
    if (entered[way.other] !== 0) {
      low[bus] = Math.min(low[bus]!, entered[way.other]!);
      continue;
    }
    clock += 1;
    entered[way.other] = low[way.other] = clock;
    path.push({ bus: way.other, by: way.branch });
  }
  return bridges;
}
