// The bills of a community reckoned beside its contract, from the same energies and by the pure rules of sharing alone: what each member's
// lines must come to, and that money adds up between members and supplier.

import { roundHalfUp } from "../../../market/amounts.js";
import { sharesOf } from "../../../market/sharing.js";
import type { HomeEnergy } from "./homes.js";

/** 10^-5 of the currency's unit, for a kWh and for a point and period. */
export const terms = {
  model: "proportional",
  rounding: "conserving",
  price: 12_000,
  feed: 10_000,
  fee: 200_000,
} as const;
const MWH = 1_000_000n;

interface Sums {
  covered: bigint;
  produced: bigint;
  surplus: bigint;
}

/** What a bill of the contract says, as far as it is compared. */
export interface Billed {
  readonly point: string;
  readonly amount: bigint;
}

export interface Faults {
  /** bills that differ from what was reckoned, or are missing */
  readonly bills: number;
  /** 10^-5 of the currency's unit that members and supplier do not add up to zero by */
  readonly money: bigint;
}

export class Reckoning {
  #sums: readonly Sums[];

  constructor(points: number) {
    this.#sums = emptySums(points);
  }

  add(energies: readonly HomeEnergy[]): void {
    const consumed = energies.map(({ taken }) => BigInt(taken));
    const produced = energies.map(({ given }) => BigInt(given));
    const { covered, surplus } = sharesOf({ model: terms.model, rounding: terms.rounding, consumed, produced });
    for (const [home, sums] of this.#sums.entries()) {
      sums.covered += covered[home]!;
      sums.produced += produced[home]!;
      sums.surplus += surplus[home]!;
    }
  }

  /** Holds a period's bills and the supplier's part against it, and begins the next period. */
  close(bills: readonly Billed[], own: bigint, pointOf: (home: number) => string): Faults {
    const billed = new Map(bills.map(({ point, amount }) => [point, amount] as const));
    const amounts = this.#sums.map(({ covered, produced, surplus }) => {
      const paid = roundHalfUp(covered * BigInt(terms.price), MWH);
      return paid - roundHalfUp((produced - surplus) * BigInt(terms.feed), MWH) + BigInt(terms.fee);
    });
    const wrong = amounts.filter((amount, home) => billed.get(pointOf(home)) !== amount).length;
    const money = amounts.reduce((sum, amount) => sum + amount, own);
    this.#sums = emptySums(this.#sums.length);
    return { bills: wrong + Math.abs(bills.length - amounts.length), money };
  }
}

function emptySums(points: number): readonly Sums[] {
  return Array.from({ length: points }, () => ({ covered: 0n, produced: 0n, surplus: 0n }));
}
