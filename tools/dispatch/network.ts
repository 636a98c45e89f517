// A grid in per unit, as a load flow needs it: buses with what they take, branches as pi sections behind an ideal transformer.

import { squareRoot } from "./real.js";

/** Complex numbers as pairs, so that every machine multiplies them in the same order. */
export interface Complex {
  readonly re: number;
  readonly im: number;
}

export interface Bus {
  readonly id: string;
  /** power that is fed in, less what is taken; per unit */
  readonly power: Complex;
  /** conductance and susceptance to earth, per unit */
  readonly shunt: Complex;
  /** magnitude that a generator holds; of others undefined, per unit */
  readonly held?: number;
}

export interface Branch {
  readonly id: string;
  /** index of the bus on the transformer's side */
  readonly from: number;
  readonly to: number;
  readonly impedance: Complex;
  /** of the whole line */
  readonly susceptance: number;
  /** of the ideal transformer: voltage at `from` over voltage behind it */
  readonly ratio: Complex;
}

export interface Network {
  readonly buses: readonly Bus[];
  readonly branches: readonly Branch[];
  /** index of the bus that balances, whose `held` magnitude has angle 0 */
  readonly slack: number;
}

/** What a branch lets through: currents at its ends from the voltages there. */
export interface Admittance {
  readonly fromFrom: Complex;
  readonly fromTo: Complex;
  readonly toFrom: Complex;
  readonly toTo: Complex;
}

export const one: Complex = { re: 1, im: 0 };

/** The two-port of a branch (MATPOWER's manual, section 3.2). */
export function admittanceOf({ impedance, susceptance, ratio }: Branch): Admittance {
  const series = divide(one, impedance);
  const end = { re: series.re, im: series.im + susceptance / 2 };
  const squared = ratio.re * ratio.re + ratio.im * ratio.im;
  return {
    fromFrom: { re: end.re / squared, im: end.im / squared },
    fromTo: divide({ re: -series.re, im: -series.im }, conjugate(ratio)),
    toFrom: divide({ re: -series.re, im: -series.im }, ratio),
    toTo: end,
  };
}

export function add(a: Complex, b: Complex): Complex {
  return { re: a.re + b.re, im: a.im + b.im };
}

export function multiply(a: Complex, b: Complex): Complex {
  return { re: a.re * b.re - a.im * b.im, im: a.re * b.im + a.im * b.re };
}

export function divide(a: Complex, b: Complex): Complex {
  const squared = b.re * b.re + b.im * b.im;
  return { re: (a.re * b.re + a.im * b.im) / squared, im: (a.im * b.re - a.re * b.im) / squared };
}

export function conjugate({ re, im }: Complex): Complex {
  return { re, im: -im };
}

export function magnitude({ re, im }: Complex): number {
  return squareRoot(re * re + im * im);
}
