// The two curves of a slot's opened bids: what would be taken at most at a price, and what would be given. Pure.

import type { Value } from "../../../src/wire/value.js";

/** A step: so much energy in all, mWh, up to or from this price on, 10^-5 of the currency's unit a kWh. */
export interface Step {
  readonly price: number;
  readonly volume: number;
}

export interface Curves {
  /** falling prices */
  readonly demand: readonly Step[];
  /** rising prices */
  readonly supply: readonly Step[];
}

/** Of bids as the auction's contract keeps them (tools/market/auction/kept.ts); what is still sealed is in neither. */
export function curvesOf(bids: readonly Value[]): Curves {
  const opened = (wanted: "buy" | "sell") =>
    bids.flatMap((bid): Step[] => {
      const [, , side, price, volume] = Array.isArray(bid) ? (bid as readonly Value[]) : [];
      return side === wanted && typeof price === "number" && typeof volume === "number" ? [{ price, volume }] : [];
    });
  return {
    demand: summed(opened("buy").sort((one, other) => other.price - one.price)),
    supply: summed(opened("sell").sort((one, other) => one.price - other.price)),
  };
}

function summed(steps: readonly Step[]): Step[] {
  let sum = 0;
  return steps.map(({ price, volume }) => {
    sum += volume;
    return { price, volume: sum };
  });
}
