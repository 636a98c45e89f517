// What the auction contract keeps: points and whose they are, bids of the slots to come, what has been traded until it is delivered.
// Every key but those of points is let go of by a deadline, at the latest.

import type { Context, Value } from "../../contracts/author.js";

export const writes = ["point/", "points/", "stated/", "bids/", "trade/", "metered/", "limit/", "window/", "due/"];

/** A bid by what has become of it: opened to buy or to sell, shown by an opening that was denied, or null where nobody has shown it. */
export type BidSide = "buy" | "sell" | "denied" | null;

/** A sealed bid; price, volume and the point that is to carry it are null until it is opened. */
export type SealedBid = readonly [
  participant: string,
  digest: string,
  side: BidSide,
  price: number | null,
  volume: number | null,
  point: string | null,
];

/** Of a participant and slot, mWh. */
export type Traded = readonly [participant: string, bought: Value, sold: Value];
export type Trades = { readonly price: Value; readonly rows: readonly Traded[] };

/** What credit grants. */
export type Granted = readonly [limit: number, rebate_permille: number];

/** A value of the state has room for so many, whatever their points are called. */
const BIDS_TOGETHER = 80;
/** Bids of a slot; those beyond the first of a participant while there are fewer than the other bound. */
export const BIDS_MAX = 400;
export const FURTHER_BIDS_MAX = 200;

export function padded(number: number, digits: number): string {
  return `${number}`.padStart(digits, "0");
}

export function slotKey(slot: number): string {
  return padded(slot, 13);
}

export function bidsOf(context: Context, slot: number): SealedBid[] {
  return context.keys(`bids/${slotKey(slot)}/`).flatMap((key) => context.get(key) as unknown as readonly SealedBid[]);
}

/** Sets the bid in this place, which may be the next one. */
export function putBid(context: Context, slot: number, [place, bid]: readonly [number, SealedBid]): void {
  const key = `bids/${slotKey(slot)}/${Math.floor(place / BIDS_TOGETHER)}`;
  const bids = [...((context.get(key) ?? []) as unknown as readonly SealedBid[])];
  bids[place % BIDS_TOGETHER] = bid;
  context.put(key, bids);
}

export function forgetBids(context: Context, slot: number): void {
  for (const key of context.keys(`bids/${slotKey(slot)}/`)) context.remove(key);
}

/** Whether a bid is open, and clears. */
export function isOpened(side: BidSide): side is "buy" | "sell" {
  return side === "buy" || side === "sell";
}

/** Keeps whether a block came in the second half of the time in which bids of the slot can be opened. */
export function putWindow(context: Context, slot: number, hadBlock: boolean): void {
  const key = `window/${slotKey(slot)}`;
  if (hadBlock) context.put(key, context.time_s);
  else if (context.get(key) !== undefined) context.remove(key);
}

/** Whether one came; and lets go of it. */
export function takeWindow(context: Context, slot: number): boolean {
  const hadBlock = context.get(`window/${slotKey(slot)}`) !== undefined;
  putWindow(context, slot, false);
  return hadBlock;
}

export function tradesOf(context: Context, slot: number): Trades | undefined {
  return context.get(`trade/${slotKey(slot)}`) as unknown as Trades | undefined;
}

export function putTrades(context: Context, slot: number, trades: Trades): void {
  context.put(`trade/${slotKey(slot)}`, trades as unknown as Value);
}

export function big(value: Value): bigint {
  return BigInt(value as number | bigint);
}

/** Undefined where credit has said nothing: then nothing is bounded. */
export function limitOf(context: Context, participant: string): Granted | undefined {
  return context.get(`limit/${participant}`) as unknown as Granted | undefined;
}
