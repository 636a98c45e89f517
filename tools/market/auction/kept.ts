// What the auction contract keeps: points and whose they are, bids of the slots to come, what has been traded until it is delivered.

import type { Context, Value } from "../../contracts/author.js";

export const writes = ["point/", "points/", "bids/", "trade/", "metered/", "limit/", "due/"];

/** A sealed bid; its side, price and volume are null until it is opened. */
export type SealedBid = readonly [
  participant: string,
  digest: string,
  side: "buy" | "sell" | null,
  price: number | null,
  volume: number | null,
];

/** Of a participant and slot, mWh. */
export type Traded = readonly [participant: string, bought: Value, sold: Value];
export type Trades = { readonly price: Value; readonly rows: readonly Traded[] };

const BIDS_TOGETHER = 100;
export const BIDS_MAX = 400;

export function padded(number: number, digits: number): string {
  return `${number}`.padStart(digits, "0");
}

export function bidsOf(context: Context, slot: number): SealedBid[] {
  return context
    .keys(`bids/${padded(slot, 13)}/`)
    .flatMap((key) => context.get(key) as unknown as readonly SealedBid[]);
}

/** Sets the bid in this place, which may be the next one. */
export function putBid(context: Context, slot: number, [place, bid]: readonly [number, SealedBid]): void {
  const key = `bids/${padded(slot, 13)}/${Math.floor(place / BIDS_TOGETHER)}`;
  const bids = [...((context.get(key) ?? []) as unknown as readonly SealedBid[])];
  bids[place % BIDS_TOGETHER] = bid;
  context.put(key, bids);
}

export function forgetBids(context: Context, slot: number): void {
  for (const key of context.keys(`bids/${padded(slot, 13)}/`)) context.remove(key);
}

export function big(value: Value): bigint {
  return BigInt(value as number | bigint);
}
