// A grid as its operator states it, in whole numbers of SI units, and what load flows take of it per unit. `gridseal grid check` and the
// dispatch contract read it by the same code (docs/grid-operator.md has the fields).

import type { Value } from "../contracts/author.js";
import type { Limits } from "./check.js";
import { type Branch, type Bus, type Complex, type Network, one } from "./network.js";
import { squareRoot } from "./real.js";

/** W of one per unit */
export const BASE_W = 1_000_000;
const PPM = 1_000_000;
const NANO = 1_000_000_000;
const ELEMENTS_MAX = 100_000;
const WHOLE_MAX = 9_007_199_254_740_991;
const bandUsual = [9_000, 11_000] as const;

/** What a file may have beside `slack`, `band` and `name`: lists of elements. */
export const gridLists = [
  "buses",
  "lines",
  "transformers",
  "generators",
  "shunts",
  "loads",
  "points",
  "deliveries",
] as const;

export interface StatedDelivery {
  readonly id: string;
  /** index */
  readonly bus: number;
  readonly power_W: number;
  readonly reactive_var: number;
}

export interface Grid {
  readonly network: Network;
  readonly limits: Limits;
  /** index of the bus of each point */
  readonly points: ReadonlyMap<string, number>;
  readonly deliveries: readonly StatedDelivery[];
}

type Fields = { readonly [name: string]: Value };

/** Throws a RangeError that names the field. */
export function gridFrom(value: Value): Grid {
  const fields = fieldsOf(value, "the grid", ["name", "band", "slack", ...gridLists]);
  const buses = listIn(fields, "buses", ["id", "nominal_V", "band"]);
  demand(buses.length > 0, "buses is empty");
  const places = new Map<string, number>();
  for (const [index, bus] of buses.entries()) {
    const id = nameIn(bus, "id", "buses");
    demand(!places.has(id), `two buses are called ${id}`);
    places.set(id, index);
  }
  const at = (element: Fields, field: string, list: string): number => {
    const id = nameIn(element, field, list);
    const place = places.get(id);
    demand(place !== undefined, `${list}: there is no bus ${id}`);
    return place;
  };
  const file: File = { fields, at, nominals: buses.map((bus) => wholeIn(bus, "nominal_V", [1, WHOLE_MAX])) };
  const made = [...linesOf(file), ...transformersOf(file)];
  const usual = bandIn(fields) ?? bandUsual;
  const slack = at(fieldsOf(fields.slack ?? null, "slack", ["bus", "voltage_ppm"]), "bus", "slack");
  return {
    network: { buses: busesOf(file, buses, slack), branches: made.map(({ branch }) => branch), slack },
    limits: { bands: buses.map((bus) => bandIn(bus) ?? usual), ratings: made.map(({ rating }) => rating) },
    points: pointsOf(file),
    deliveries: deliveriesOf(file),
  };
}

interface File {
  readonly fields: Fields;
  readonly at: (element: Fields, field: string, list: string) => number;
  readonly nominals: readonly number[];
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

function busesOf({ fields, at }: File, buses: readonly Fields[], slack: number): Bus[] {
  const nothing: Complex = { re: 0, im: 0 };
  const made = buses.map(({ id }) => ({ id: String(id), power: nothing, shunt: nothing }) as Writable<Bus>);
  for (const load of listIn(fields, "loads", ["bus", "power_W", "reactive_var"])) {
    const target = made[at(load, "bus", "loads")]!;
    const [power, reactive] = [wholeIn(load, "power_W"), wholeIn(load, "reactive_var", bounds, 0)];
    target.power = { re: target.power.re - power / BASE_W, im: target.power.im - reactive / BASE_W };
  }
  for (const shunt of listIn(fields, "shunts", ["bus", "power_W", "reactive_var"])) {
    const target = made[at(shunt, "bus", "shunts")]!;
    const [power, reactive] = [wholeIn(shunt, "power_W"), wholeIn(shunt, "reactive_var")];
    target.shunt = { re: target.shunt.re + power / BASE_W, im: target.shunt.im + reactive / BASE_W };
  }
  for (const generator of listIn(fields, "generators", ["bus", "power_W", "voltage_ppm"])) {
    const target = made[at(generator, "bus", "generators")]!;
    demand(target.held === undefined, `two generators hold the voltage of bus ${target.id}`);
    target.held = wholeIn(generator, "voltage_ppm", heldBounds) / PPM;
    target.power = { re: target.power.re + wholeIn(generator, "power_W") / BASE_W, im: target.power.im };
  }
  made[slack]!.held = wholeIn(fields.slack as Fields, "voltage_ppm", heldBounds) / PPM;
  return made;
}

interface MadeBranch {
  readonly branch: Branch;
  /** per unit; undefined where none is stated */
  readonly rating: number | undefined;
}

function linesOf({ fields, at, nominals }: File): MadeBranch[] {
  return listIn(fields, "lines", ["id", "from", "to", "r_nOhm", "x_nOhm", "b_nS", "rating_mA"]).map((line) => {
    const id = nameIn(line, "id", "lines");
    const [from, to] = [at(line, "from", `line ${id}`), at(line, "to", `line ${id}`)];
    const nominal = nominals[from]!;
    demand(nominals[to] === nominal, `line ${id} joins buses of two nominal voltages`);
    const ohms = (nominal * nominal) / BASE_W;
    const rating = wholeIn(line, "rating_mA", [0, WHOLE_MAX], 0);
    return {
      branch: {
        ...{ id, from, to, ratio: one, impedance: impedanceOf(line, id, ohms) },
        susceptance: (wholeIn(line, "b_nS", bounds, 0) / NANO) * ohms,
      },
      rating: rating === 0 ? undefined : ((rating / 1_000) * squareRoot(3) * nominal) / BASE_W,
    };
  });
}

function transformersOf({ fields, at, nominals }: File): MadeBranch[] {
  const names = ["id", "from", "to", "r_nOhm", "x_nOhm", "ratio_ppm", "clock", "rating_VA"];
  return listIn(fields, "transformers", names).map((transformer) => {
    const id = nameIn(transformer, "id", "transformers");
    const [from, to] = [at(transformer, "from", `transformer ${id}`), at(transformer, "to", `transformer ${id}`)];
    const ohms = (nominals[to]! * nominals[to]!) / BASE_W;
    const ratio = wholeIn(transformer, "ratio_ppm", heldBounds, PPM) / PPM;
    const rating = wholeIn(transformer, "rating_VA", [0, WHOLE_MAX], 0);
    return {
      branch: {
        ...{ id, from, to, susceptance: 0, impedance: impedanceOf(transformer, id, ohms) },
        ratio: turned(ratio, wholeIn(transformer, "clock", [0, 11], 0)),
      },
      rating: rating === 0 ? undefined : rating / BASE_W,
    };
  });
}

function impedanceOf(branch: Fields, id: string, ohms: number): Complex {
  const [re, im] = [wholeIn(branch, "r_nOhm"), wholeIn(branch, "x_nOhm")];
  demand(re !== 0 || im !== 0, `${id} has no impedance: make its two buses one`);
  return { re: re / NANO / ohms, im: im / NANO / ohms };
}

/** Cosines of 0, 30, 60 ... 330 degrees, exact but for one square root. */
function cosineOf(clock: number): number {
  const half = squareRoot(3) / 2;
  return [1, half, 1 / 2, 0, -1 / 2, -half, -1, -half, -1 / 2, 0, 1 / 2, half][clock]!;
}

function turned(ratio: number, clock: number): Complex {
  return { re: ratio * cosineOf(clock), im: ratio * cosineOf((clock + 9) % 12) };
}

function pointsOf({ fields, at }: File): ReadonlyMap<string, number> {
  const points = new Map<string, number>();
  for (const point of listIn(fields, "points", ["id", "bus"])) {
    const id = nameIn(point, "id", "points");
    demand(!points.has(id), `two points are called ${id}`);
    points.set(id, at(point, "bus", "points"));
  }
  return points;
}

function deliveriesOf({ fields, at }: File): StatedDelivery[] {
  return listIn(fields, "deliveries", ["id", "bus", "power_W", "reactive_var"]).map((delivery) => {
    const id = nameIn(delivery, "id", "deliveries");
    const bus = at(delivery, "bus", `delivery ${id}`);
    return {
      id,
      bus,
      power_W: wholeIn(delivery, "power_W"),
      reactive_var: wholeIn(delivery, "reactive_var", bounds, 0),
    };
  });
}

const bounds = [-WHOLE_MAX, WHOLE_MAX] as const;
const heldBounds = [100_000, 2_000_000] as const;

function fieldsOf(value: Value, what: string, names: readonly string[]): Fields {
  demand(typeof value === "object" && value !== null && !Array.isArray(value), `${what} is no object`);
  for (const name of Object.keys(value))
    demand(names.includes(name), `${what} has a field ${name}, which is none of ${names.join(", ")}`);
  return value as Fields;
}

function listIn(fields: Fields, list: string, names: readonly string[]): readonly Fields[] {
  const value = fields[list] ?? [];
  demand(Array.isArray(value) && value.length <= ELEMENTS_MAX, `${list} is no list of at most ${ELEMENTS_MAX}`);
  return (value as readonly Value[]).map((element, index) => fieldsOf(element, `${list}/${index}`, names));
}

function nameIn(fields: Fields, field: string, list: string): string {
  const value = fields[field];
  demand(
    typeof value === "string" && value.length > 0 && value.length <= 64,
    `${field} of ${list} is no text of 1 to 64 characters`,
  );
  return value;
}

function wholeIn(
  fields: Fields,
  field: string,
  [least, most]: readonly [number, number] = bounds,
  absent?: number,
): number {
  const value = fields[field] ?? absent;
  const isWhole = typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most;
  demand(isWhole, `${field} is ${String(value)}: no whole number from ${least} to ${most}`);
  return value;
}

function bandIn(fields: Fields): readonly [number, number] | undefined {
  const { band } = fields;
  if (band === undefined) return undefined;
  demand(Array.isArray(band) && band.length === 2, "band is not two numbers");
  const [least, most] = [wholeIn({ least: band[0]! }, "least"), wholeIn({ most: band[1]! }, "most")];
  demand(least >= 0 && least <= most, "band is not [least, most]");
  return [least, most];
}

/** Throws a RangeError that says what is wrong with the network. */
function demand(holds: boolean, problem: string): asserts holds {
  if (!holds) throw new RangeError(problem);
}
