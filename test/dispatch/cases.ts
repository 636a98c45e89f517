// Solved networks beside the project, as load flows take them.

import { readFileSync } from "node:fs";
import { type Branch, type Complex, type Network, one } from "../../tools/dispatch/network.js";
import { shared } from "../shared.js";

interface CaseFile {
  readonly base_mva: number;
  readonly buses: readonly {
    readonly i: number;
    readonly type: "slack" | "PV" | "PQ";
    readonly p_mw: number;
    readonly q_mvar: number;
    readonly gs_mw: number;
    readonly bs_mvar: number;
    readonly base_kv: number;
  }[];
  readonly generators: readonly { readonly bus: number; readonly p_mw: number; readonly vm_pu: number }[];
  readonly branches: readonly {
    readonly from: number;
    readonly to: number;
    readonly r_pu: number;
    readonly x_pu: number;
    readonly b_pu: number;
    readonly ratio: number;
    readonly shift_degree: number;
    readonly in_service: boolean;
  }[];
  readonly line_ratings: readonly { readonly branch: number; readonly rating_a: number }[];
  readonly cases: readonly SolvedCase[];
}

export interface SolvedCase {
  readonly load_scale: number;
  readonly outage: number | null;
  readonly converges: boolean;
  readonly voltages: Readonly<Record<string, readonly [number, number]>>;
  readonly lines: readonly { readonly branch: number; readonly i_a: number; readonly loading_percent: number }[];
  readonly losses_kw: number;
}

export const caseNames = ["case14", "case33bw", "cigre-lv"] as const;
export const caseFiles = shared("data/power-networks");

export function readCase(name: (typeof caseNames)[number]): CaseFile {
  return JSON.parse(readFileSync(shared(`data/power-networks/${name}.json`).path, "utf8")) as CaseFile;
}

/** The network of a case, and of each of its branches the index in the file. */
export function networkOf(file: CaseFile, { load_scale, outage }: Pick<SolvedCase, "load_scale" | "outage">) {
  const buses = file.buses.map(({ i, type, p_mw, q_mvar, gs_mw, bs_mvar }) => {
    const generators = file.generators.filter(({ bus }) => bus === i);
    const fed = generators.reduce((sum, generator) => sum + generator.p_mw, 0);
    const held = type === "PQ" ? undefined : generators[0]!.vm_pu;
    return {
      id: String(i),
      power: { re: (fed - load_scale * p_mw) / file.base_mva, im: (-load_scale * q_mvar) / file.base_mva },
      shunt: { re: gs_mw / file.base_mva, im: bs_mvar / file.base_mva },
      ...(held !== undefined && { held }),
    };
  });
  const places: number[] = [];
  const branches: Branch[] = [];
  for (const [index, { from, to, r_pu, x_pu, b_pu, ratio, shift_degree, in_service }] of file.branches.entries()) {
    if (!in_service || index === outage) continue;
    places.push(index);
    branches.push({
      id: String(index),
      from,
      to,
      impedance: { re: r_pu, im: x_pu },
      susceptance: b_pu,
      ratio: ratioOf(ratio === 0 ? 1 : ratio, shift_degree),
    });
  }
  const slack = file.buses.findIndex(({ type }) => type === "slack");
  const network: Network = { buses, branches, slack };
  return { network, places };
}

function ratioOf(ratio: number, shift_degree: number): Complex {
  if (shift_degree === 0) return { re: ratio * one.re, im: 0 };
  const angle = (shift_degree * Math.PI) / 180;
  return { re: ratio * Math.cos(angle), im: ratio * Math.sin(angle) };
}

/** A case as its operator would state it, in whole numbers of SI units, its ratings as far as the file has them. */
export function statedGrid(file: CaseFile, { load_scale, outage }: Pick<SolvedCase, "load_scale" | "outage">) {
  const nominal_V = file.buses.map(({ base_kv }) => Math.round(base_kv * 1_000));
  const watts = (mw: number) => Math.round(mw * 1e6);
  const nano = (pu: number, bus: number) => Math.round(((pu * nominal_V[bus]! ** 2) / (file.base_mva * 1e6)) * 1e9);
  const slack = file.buses.find(({ type }) => type === "slack")!;
  const voltageOf = (bus: number) => Math.round(file.generators.find((each) => each.bus === bus)!.vm_pu * 1e6);
  const branches = [...file.branches.entries()].filter(([index, { in_service }]) => in_service && index !== outage);
  const stated = branches.map(([index, branch]) => ({
    ...{ id: `b${index}`, from: String(branch.from), to: String(branch.to) },
    ...{ r_nOhm: nano(branch.r_pu, branch.to), x_nOhm: nano(branch.x_pu, branch.to) },
    ...{ branch, index, isLine: nominal_V[branch.from] === nominal_V[branch.to] && branch.ratio === 0 },
  }));
  const ratingOf = (index: number) => file.line_ratings.find(({ branch }) => branch === index)?.rating_a;
  return {
    buses: file.buses.map(({ i }) => ({ id: String(i), nominal_V: nominal_V[i]!, band: [8_000, 12_000] })),
    slack: { bus: String(slack.i), voltage_ppm: voltageOf(slack.i) },
    generators: file.generators
      .filter(({ bus }) => file.buses[bus]!.type === "PV")
      .map(({ bus, p_mw }) => ({ bus: String(bus), power_W: watts(p_mw), voltage_ppm: voltageOf(bus) })),
    loads: file.buses
      .filter(({ p_mw, q_mvar }) => p_mw !== 0 || q_mvar !== 0)
      .map(({ i, p_mw, q_mvar }) => ({
        ...{ bus: String(i), power_W: watts(load_scale * p_mw), reactive_var: watts(load_scale * q_mvar) },
      })),
    shunts: file.buses
      .filter(({ gs_mw, bs_mvar }) => gs_mw !== 0 || bs_mvar !== 0)
      .map(({ i, gs_mw, bs_mvar }) => ({ bus: String(i), power_W: watts(gs_mw), reactive_var: watts(bs_mvar) })),
    lines: stated
      .filter(({ isLine }) => isLine)
      .map(({ branch, index, isLine: _, ...line }) => {
        const rating = ratingOf(index);
        const ohms = nominal_V[branch.to]! ** 2 / (file.base_mva * 1e6);
        return {
          ...{ ...line, b_nS: Math.round((branch.b_pu / ohms) * 1e9) },
          ...(rating !== undefined && { rating_mA: Math.round(rating * 1e3) }),
        };
      }),
    transformers: stated
      .filter(({ isLine }) => !isLine)
      .map(({ branch, index: _, isLine: __, ...transformer }) => ({
        ...transformer,
        ratio_ppm: Math.round((branch.ratio === 0 ? 1 : branch.ratio) * 1e6),
        clock: (((branch.shift_degree / 30) % 12) + 12) % 12,
      })),
    points: file.buses.map(({ i }) => ({ id: `P${i}`, bus: String(i) })),
  };
}
