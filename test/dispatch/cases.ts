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
