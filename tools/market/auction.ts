// The clearing of one slot's sealed bids at one price: merit order by price, then time, the middle of the prices that clear the greatest
// volume. Prices and volumes are integers, so that every machine comes to the same trades.

import { least, must, sum } from "./amounts.js";
import { shareOut } from "./sharing.js";

export interface Bid {
  readonly side: "buy" | "sell";
  /** in a unit of the market's own; may be negative */
  readonly price: bigint;
  /** mWh, not negative */
  readonly volume: bigint;
  /** served before others of its price, where these are served by `reward`; absent is false */
  readonly isPreferred?: boolean;
}

/**
 * Who is served first of bids at one price: `time`, the earlier one · `reward`, the preferred ones, then the earlier one · `share`, each by
 * its volume, to the last unit by the largest remainders.
 */
export const ties = ["time", "reward", "share"] as const;
export type Tie = (typeof ties)[number];

export interface MarketRules {
  readonly floor: bigint;
  readonly cap: bigint;
  /** absent is `time` */
  readonly tie?: Tie;
}

export interface Clearing {
  /** what all pay and get; null where nothing trades */
  readonly price: bigint | null;
  readonly volume: bigint;
  /** what trades of each bid, in their order */
  readonly fills: readonly bigint[];
}

/** Clears bids that came in this order. The price is the same by each `tie`. Throws a RangeError where the floor is above the cap. */
export function clear(bids: readonly Bid[], { floor, cap, tie = "time" }: MarketRules): Clearing {
  must(floor <= cap, "a market's floor is not above its cap");
  const places = [...bids.keys()];
  const behind = (one: number, other: number) =>
    (tie === "reward" ? preferenceOf(bids[other]!) - preferenceOf(bids[one]!) : 0) || one - other;
  const buys = places
    .filter((place) => bids[place]!.side === "buy")
    .sort((a, b) => order(bids[b]!, bids[a]!) || behind(a, b));
  const sells = places
    .filter((place) => bids[place]!.side === "sell")
    .sort((a, b) => order(bids[a]!, bids[b]!) || behind(a, b));
  const fills = bids.map(() => 0n);
  let volume = 0n;
  for (let buy = 0, sell = 0; buy < buys.length && sell < sells.length; ) {
    const buyer = buys[buy]!;
    const seller = sells[sell]!;
    if (bids[buyer]!.price < bids[seller]!.price) break;
    const wanted = bids[buyer]!.volume - fills[buyer]!;
    const given = bids[seller]!.volume - fills[seller]!;
    const traded = least(wanted, given);
    fills[buyer]! += traded;
    fills[seller]! += traded;
    volume += traded;
    if (traded === wanted) buy += 1;
    if (traded === given) sell += 1;
  }
  if (volume === 0n) return { price: null, volume, fills };
  if (tie === "share") for (const side of [buys, sells]) shareByPrice(bids, side, fills);
  return { price: priceOf(bids, fills, { floor, cap }), volume, fills };
}

/** The middle, rounded down, of the prices at which nobody wants to trade more or less than is filled. */
function priceOf(
  bids: readonly Bid[],
  fills: readonly bigint[],
  { floor, cap }: Pick<MarketRules, "floor" | "cap">,
): bigint {
  let low = floor;
  let high = cap;
  for (const [place, { side, price, volume }] of bids.entries()) {
    const isFilled = fills[place]! > 0n;
    const isWhole = fills[place] === volume;
    const raises = side === "sell" ? isFilled : !isWhole;
    const lowers = side === "sell" ? !isWhole : isFilled;
    if (raises && price > low) low = price;
    if (lowers && price < high) high = price;
  }
  const doubled = low + high;
  return doubled >= 0n || doubled % 2n === 0n ? doubled / 2n : doubled / 2n - 1n;
}

/** Of each price's bids of one side, in the order of price: what trades of them all, by their volumes. */
function shareByPrice(bids: readonly Bid[], side: readonly number[], fills: bigint[]): void {
  for (let first = 0, end = 0; first < side.length; first = end) {
    while (end < side.length && bids[side[end]!]!.price === bids[side[first]!]!.price) end += 1;
    const level = side.slice(first, end);
    const parts = shareOut(
      sum(level.map((place) => fills[place]!)),
      level.map((place) => bids[place]!.volume),
    );
    for (const [index, place] of level.entries()) fills[place] = parts[index]!;
  }
}

function preferenceOf({ isPreferred = false }: Bid): number {
  return isPreferred ? 1 : 0;
}

function order(one: Bid, other: Bid): number {
  return one.price < other.price ? -1 : one.price > other.price ? 1 : 0;
}
