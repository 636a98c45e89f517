// A grid and a schedule in one file, in whole numbers of SI units, and what a check makes of them per unit.

import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { Delivery, Schedule } from "../../dispatch/check.js";
import { type Branch, type Bus, type Complex, type Network, one } from "../../dispatch/network.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readWhole } from "../../files/made-once.js";

const FILE_BYTES_MAX = 67_108_864;
const ELEMENTS_MAX = 100_000;
/** W of one per unit */
const BASE = 1_000_000;
const PPM = 1_000_000;
const NANO = 1e9;

const strict = { additionalProperties: false };
const name = Type.String({ minLength: 1, maxLength: 64 });
const whole = Type.Integer({ minimum: -9_007_199_254_740_991, maximum: 9_007_199_254_740_991 });
const natural = Type.Integer({ minimum: 0, maximum: 9_007_199_254_740_991 });
const positive = Type.Integer({ minimum: 1, maximum: 9_007_199_254_740_991 });
const held = Type.Integer({ minimum: 100_000, maximum: 2_000_000 });
const list = <T extends ReturnType<typeof Type.Object>>(items: T) => Type.Array(items, { maxItems: ELEMENTS_MAX });

const impedance = { r_nOhm: whole, x_nOhm: whole };
const shape = Type.Object(
  {
    name: Type.Optional(Type.String({ maxLength: 128 })),
    /** of nominal, in ten-thousandths, where a bus says nothing of its own */
    band: Type.Optional(Type.Tuple([natural, natural])),
    buses: Type.Array(
      Type.Object({ id: name, nominal_V: positive, band: Type.Optional(Type.Tuple([natural, natural])) }, strict),
      { minItems: 1, maxItems: ELEMENTS_MAX },
    ),
    slack: Type.Object({ bus: name, voltage_ppm: held }, strict),
    generators: Type.Optional(list(Type.Object({ bus: name, power_W: whole, voltage_ppm: held }, strict))),
    lines: list(
      Type.Object(
        {
          id: name,
          from: name,
          to: name,
          ...impedance,
          b_nS: Type.Optional(whole),
          rating_mA: Type.Optional(positive),
        },
        strict,
      ),
    ),
    transformers: Type.Optional(
      list(
        Type.Object(
          {
            id: name,
            /** the side of the windings' taps */
            from: name,
            to: name,
            /** as seen from `to` */
            ...impedance,
            ratio_ppm: Type.Optional(held),
            /** of the vector group: 30 degrees each that `to` lags behind `from` */
            clock: Type.Optional(Type.Integer({ minimum: 0, maximum: 11 })),
            rating_VA: Type.Optional(positive),
          },
          strict,
        ),
      ),
    ),
    shunts: Type.Optional(list(Type.Object({ bus: name, power_W: whole, reactive_var: whole }, strict))),
    /** what is taken anyway */
    loads: Type.Optional(list(Type.Object({ bus: name, power_W: whole, reactive_var: Type.Optional(whole) }, strict))),
    /** what is to be carried beside that: fed in, or taken where it is negative */
    deliveries: Type.Optional(
      list(Type.Object({ id: name, bus: name, power_W: whole, reactive_var: Type.Optional(whole) }, strict)),
    ),
  },
  strict,
);
type Fields = Static<typeof shape>;

export interface GridFile extends Omit<Schedule, "withOutages"> {
  /** of the deliveries */
  readonly names: readonly string[];
}

const bandUsual = [9_000, 11_000] as const;

/** Reads the file. Rejects with GRID_INVALID, which names the field. */
export async function readGridFile(path: string): Promise<GridFile> {
  const bytes = await readWhole(path, FILE_BYTES_MAX);
  try {
    const parsed: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    const wrong = Value.Errors(shape, parsed).First();
    if (wrong !== undefined) throw new Error(`${wrong.path || "the file"}: ${wrong.message}`);
    return gridOf(parsed as Fields);
  } catch (cause) {
    throw new GridsealError("GRID_INVALID", `${path} is no grid: ${reasonOf(cause)}`, { cause });
  }
}

function gridOf(fields: Fields): GridFile {
  const places = new Map(fields.buses.map(({ id }, index) => [id, index]));
  if (places.size !== fields.buses.length) throw new Error("two buses have one id");
  const at = (bus: string, of: string) => {
    const place = places.get(bus);
    if (place === undefined) throw new Error(`${of} names bus ${bus}, which is none`);
    return place;
  };
  const branches = [
    ...fields.lines.map((line) => lineOf(fields, line, at)),
    ...(fields.transformers ?? []).map((transformer) => transformerOf(fields, transformer, at)),
  ];
  const deliveries = (fields.deliveries ?? []).map(
    ({ id, bus, power_W, reactive_var = 0 }): Delivery => ({
      bus: at(bus, `delivery ${id}`),
      power: BigInt(power_W),
      reactive: BigInt(reactive_var),
    }),
  );
  const network: Network = {
    buses: busesOf(fields, at),
    branches: branches.map(({ branch }) => branch),
    slack: at(fields.slack.bus, "the slack"),
  };
  return {
    network,
    limits: {
      bands: fields.buses.map(({ band }) => band ?? fields.band ?? bandUsual),
      ratings: branches.map(({ rating }) => rating),
    },
    deliveries,
    base: BASE,
    names: (fields.deliveries ?? []).map(({ id }) => id),
  };
}

type Places = (bus: string, of: string) => number;

function busesOf({ buses, slack, generators = [], loads = [], shunts = [] }: Fields, at: Places): Bus[] {
  const made = buses.map(({ id }) => ({ id, power: { re: 0, im: 0 }, shunt: { re: 0, im: 0 } }) as Writable<Bus>);
  for (const { bus, power_W, reactive_var = 0 } of loads) {
    const target = made[at(bus, "a load")]!;
    target.power = { re: target.power.re - power_W / BASE, im: target.power.im - reactive_var / BASE };
  }
  for (const { bus, power_W, reactive_var } of shunts) {
    const target = made[at(bus, "a shunt")]!;
    target.shunt = { re: target.shunt.re + power_W / BASE, im: target.shunt.im + reactive_var / BASE };
  }
  for (const { bus, power_W, voltage_ppm } of generators) {
    const target = made[at(bus, "a generator")]!;
    if (target.held !== undefined) throw new Error(`two generators hold the voltage of bus ${bus}`);
    target.held = voltage_ppm / PPM;
    target.power = { re: target.power.re + power_W / BASE, im: target.power.im };
  }
  made[at(slack.bus, "the slack")]!.held = slack.voltage_ppm / PPM;
  return made;
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

interface MadeBranch {
  readonly branch: Branch;
  /** per unit */
  readonly rating: number | undefined;
}

function lineOf(fields: Fields, line: Fields["lines"][number], at: Places): MadeBranch {
  const { id, r_nOhm, x_nOhm, b_nS = 0, rating_mA } = line;
  const [from, to] = [at(line.from, `line ${id}`), at(line.to, `line ${id}`)];
  const { nominal_V } = fields.buses[from]!;
  if (fields.buses[to]!.nominal_V !== nominal_V) throw new Error(`line ${id} joins two nominal voltages`);
  const ohms = (nominal_V * nominal_V) / BASE;
  return {
    branch: {
      ...{ id, from, to, ratio: one },
      impedance: impedanceOf(id, r_nOhm / NANO / ohms, x_nOhm / NANO / ohms),
      susceptance: (b_nS / NANO) * ohms,
    },
    rating: rating_mA === undefined ? undefined : ((rating_mA / 1_000) * Math.sqrt(3) * nominal_V) / BASE,
  };
}

function transformerOf(
  fields: Fields,
  transformer: NonNullable<Fields["transformers"]>[number],
  at: Places,
): MadeBranch {
  const { id, r_nOhm, x_nOhm, ratio_ppm = PPM, clock = 0, rating_VA } = transformer;
  const [from, to] = [at(transformer.from, `transformer ${id}`), at(transformer.to, `transformer ${id}`)];
  const { nominal_V } = fields.buses[to]!;
  const ohms = (nominal_V * nominal_V) / BASE;
  return {
    branch: {
      ...{ id, from, to, susceptance: 0 },
      impedance: impedanceOf(id, r_nOhm / NANO / ohms, x_nOhm / NANO / ohms),
      ratio: turned(ratio_ppm / PPM, clock),
    },
    rating: rating_VA === undefined ? undefined : rating_VA / BASE,
  };
}

function impedanceOf(id: string, re: number, im: number): Complex {
  if (re === 0 && im === 0) throw new Error(`${id} has no impedance: make one bus of its two`);
  return { re, im };
}

/** Cosines of 0, 30, 60 ... 330 degrees, exact but for one square root. */
const cosines = [
  1,
  Math.sqrt(3) / 2,
  0.5,
  0,
  -0.5,
  -Math.sqrt(3) / 2,
  -1,
  -Math.sqrt(3) / 2,
  -0.5,
  0,
  0.5,
  Math.sqrt(3) / 2,
];

function turned(ratio: number, clock: number): Complex {
  return { re: ratio * cosines[clock]!, im: ratio * cosines[(clock + 9) % 12]! };
}
