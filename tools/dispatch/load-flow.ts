// The steady state of a grid: Newton's method in rectangular coordinates (Tinney and Hart 1967; da Costa et al. 1999), with the four
// operations and the square root alone, in a fixed order, so that every machine comes to the same bits.

import { must } from "../market/amounts.js";
import { type Block, type BlockMatrix, eliminationOrder, solve } from "./block-matrix.js";
import {
  type Admittance,
  add,
  admittanceOf,
  type Branch,
  type Bus,
  type Complex,
  conjugate,
  divide,
  magnitude,
  multiply,
  type Network,
} from "./network.js";
import { isReal } from "./real.js";

/** A state is one where no bus lacks more power than this, per unit. */
export const MISMATCH_MAX = 1 / 1_000_000_000;
export const TURNS_MAX = 50;

export interface BranchFlow {
  /** current at each end, per unit */
  readonly from: number;
  readonly to: number;
  /** power that the branch takes, per unit */
  readonly loss: number;
}

export type LoadFlow =
  | {
      readonly type: "solved";
      readonly voltages: readonly Complex[];
      readonly flows: readonly BranchFlow[];
      readonly turns: number;
    }
  /** the grid cannot carry what is asked of it, or no state was found */
  | { readonly type: "diverged"; readonly turns: number }
  /** a bus has no way to the slack */
  | { readonly type: "islanded"; readonly bus: number };

/** A row of the grid's admittance matrix. */
type Row = Map<number, Complex>;

/** The state of a grid, sought for so many turns. */
export function loadFlow(network: Network, turnsMax = TURNS_MAX): LoadFlow {
  must(network.buses[network.slack]?.held !== undefined, "the slack holds its voltage");
  const started = startOf(network);
  if (typeof started === "number") return { type: "islanded", bus: started };
  const admittances = network.branches.map(admittanceOf);
  const rows = rowsOf(network, admittances);
  const order = eliminationOrder(neighboursOf(rows, network.slack));
  const voltages = started;
  for (let turns = 0; turns <= turnsMax; turns += 1) {
    const currents = rows.map((row) => currentOf(row, voltages));
    const right = mismatches(network, voltages, currents);
    const most = right.reduce((worst, value) => Math.max(worst, Math.abs(value)), 0);
    if (!isReal(most)) return { type: "diverged", turns };
    if (most < MISMATCH_MAX) {
      const flows = network.branches.map((branch, index) => flowOf(branch, admittances[index]!, voltages));
      return { type: "solved", voltages, flows, turns };
    }
    if (!solve(jacobian(network, rows, voltages, currents), right, order)) return { type: "diverged", turns };
    for (const bus of voltages.keys()) {
      voltages[bus] = add(voltages[bus]!, { re: right[2 * bus]!, im: right[2 * bus + 1]! });
    }
  }
  return { type: "diverged", turns: turnsMax };
}

/** Voltages without load: the slack's, turned and stepped by the transformers on the way. A bus's index where it has no way. */
function startOf({ buses, branches, slack }: Network): Complex[] | number {
  const at: (Branch & { readonly isForward: boolean })[][] = buses.map(() => []);
  for (const branch of branches) {
    at[branch.from]!.push({ ...branch, isForward: true });
    at[branch.to]!.push({ ...branch, isForward: false });
  }
  const voltages: (Complex | undefined)[] = buses.map(() => undefined);
  voltages[slack] = { re: buses[slack]!.held!, im: 0 };
  const queue = [slack];
  for (let bus = queue.shift(); bus !== undefined; bus = queue.shift()) {
    for (const { from, to, ratio, isForward } of at[bus]!) {
      const other = isForward ? to : from;
      if (voltages[other] !== undefined) continue;
      voltages[other] = isForward ? divide(voltages[bus]!, ratio) : multiply(voltages[bus]!, ratio);
      queue.push(other);
    }
  }
  const alone = voltages.indexOf(undefined);
  if (alone >= 0) return alone;
  return voltages.map((voltage, bus) => scaledTo(voltage!, buses[bus]!.held));
}

function scaledTo(voltage: Complex, held: number | undefined): Complex {
  if (held === undefined) return voltage;
  const factor = held / magnitude(voltage);
  return { re: voltage.re * factor, im: voltage.im * factor };
}

function rowsOf({ buses, branches }: Network, admittances: readonly Admittance[]): readonly Row[] {
  const rows: Row[] = buses.map(({ shunt }, bus) => new Map([[bus, shunt]]));
  const put = (row: number, column: number, value: Complex) => {
    const old = rows[row]!.get(column);
    rows[row]!.set(column, old === undefined ? value : add(old, value));
  };
  for (const [index, { from, to }] of branches.entries()) {
    const { fromFrom, fromTo, toFrom, toTo } = admittances[index]!;
    put(from, from, fromFrom);
    put(from, to, fromTo);
    put(to, from, toFrom);
    put(to, to, toTo);
  }
  return rows;
}

/** Which buses' unknowns meet in an equation; the slack has none. */
function neighboursOf(rows: readonly Row[], slack: number): readonly ReadonlySet<number>[] {
  return rows.map((row, bus) => {
    if (bus === slack) return new Set<number>();
    return new Set([...row.keys()].filter((other) => other !== bus && other !== slack));
  });
}

function currentOf(row: Row, voltages: readonly Complex[]): Complex {
  let current: Complex = { re: 0, im: 0 };
  for (const [bus, admittance] of row) current = add(current, multiply(admittance, voltages[bus]!));
  return current;
}

/** What each bus lacks: active power, and reactive power or, where it is held, the square of its magnitude. */
function mismatches({ buses, slack }: Network, voltages: readonly Complex[], currents: readonly Complex[]): number[] {
  const right = Array.from({ length: 2 * buses.length }, () => 0);
  for (const [bus, { power, held }] of buses.entries()) {
    if (bus === slack) continue;
    const voltage = voltages[bus]!;
    const taken = multiply(voltage, conjugate(currents[bus]!));
    right[2 * bus] = power.re - taken.re;
    const squared = voltage.re * voltage.re + voltage.im * voltage.im;
    right[2 * bus + 1] = held === undefined ? power.im - taken.im : held * held - squared;
  }
  return right;
}

function jacobian(
  { buses, slack }: Network,
  rows: readonly Row[],
  voltages: readonly Complex[],
  currents: readonly Complex[],
): BlockMatrix {
  return rows.map((row, bus) => {
    if (bus === slack) return new Map<number, Block>([[bus, [1, 0, 0, 1]]]);
    const blocks = new Map<number, Block>();
    for (const [other, admittance] of row) {
      if (other !== slack) blocks.set(other, derivatives(buses[bus]!, voltages[bus]!, admittance));
    }
    addOwn(blocks.get(bus)!, buses[bus]!, voltages[bus]!, currents[bus]!);
    return blocks;
  });
}

/** Of a bus's two equations, by the real and imaginary part of a neighbour's voltage. */
function derivatives({ held }: Bus, { re: e, im: f }: Complex, { re: g, im: b }: Complex): Block {
  const active = [e * g + f * b, f * g - e * b] as const;
  return held === undefined ? [...active, f * g - e * b, -f * b - e * g] : [...active, 0, 0];
}

/** What a bus's own voltage does beside that. */
function addOwn(block: Block, { held }: Bus, { re: e, im: f }: Complex, { re: a, im: b }: Complex): void {
  block[0] += a;
  block[1] += b;
  if (held === undefined) {
    block[2] -= b;
    block[3] += a;
  } else {
    block[2] = 2 * e;
    block[3] = 2 * f;
  }
}

function flowOf({ from, to }: Branch, admittance: Admittance, voltages: readonly Complex[]): BranchFlow {
  const [near, far] = [voltages[from]!, voltages[to]!];
  const out = add(multiply(admittance.fromFrom, near), multiply(admittance.fromTo, far));
  const into = add(multiply(admittance.toFrom, near), multiply(admittance.toTo, far));
  const loss = multiply(near, conjugate(out)).re + multiply(far, conjugate(into)).re;
  return { from: magnitude(out), to: magnitude(into), loss };
}
