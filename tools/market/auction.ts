// The clearing of one slot's sealed bids at one price: merit order by price, then time, the middle of the prices that clear the greatest
// volume. Prices and volumes are integers, so that every machine comes to the same trades.

import { least, must } from "./amounts.js";

export interface Bid {
  readonly side: "buy" | "sell";
  /** in a unit of the market's own; may be negative */
  readonly price: bigint;
  /** mWh, not negative */
  readonly volume: bigint;
}

export interface PriceBand {
  readonly floor: bigint;
  readonly cap: bigint;
}

export interface Clearing {
  /** what all pay and get; null where nothing trades */
  readonly price: bigint | null;
  readonly volume: bigint;
  /** what trades of each bid, in their order */
  readonly fills: readonly bigint[];
}

/** Throws a RangeError where the floor is above the cap. Clears bids that came in this order. Where a price leaves a bid's volume in part, the earlier one of a price is served first. */
export function clear(bids: readonly Bid[], { floor, cap }: PriceBand): Clearing {
  must(floor <= cap, "a market's floor is not above its cap");
  const places = [...bids.keys()];
  const buys = places.filter((place) => bids[place]!.side === "buy").sort((a, b) => order(bids[b]!, bids[a]!) || a - b);
  const sells = places
    .filter((place) => bids[place]!.side === "sell")
    .sort((a, b) => order(bids[a]!, bids[b]!) || a - b);
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
  return { price: priceOf(bids, fills, { floor, cap }), volume, fills };
}

/** The middle, rounded down, of the prices at which nobody wants to trade more or less than is filled. */
function priceOf(bids: readonly Bid[], fills: readonly bigint[], { floor, cap }: PriceBand): bigint {
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

function order(one: Bid, other: Bid): number {
  return one.price < other.price ? -1 : one.price > other.price ? 1 : 0;
}
