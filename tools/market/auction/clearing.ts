// The clearing of a slot: trades at one price, in the order in which bids were sealed; dispatch hears what is to be carried, credit who
// has not shown a bid although he could.

import type { Context, Deadline } from "../../contracts/author.js";
import { least } from "../amounts.js";
import { type Bid, clear } from "../auction.js";
import { SCHEDULE_ROWS_MAX, type ScheduleRow, tell, tellFacts } from "../messages.js";
import {
  bidsOf,
  forgetBids,
  isOpened,
  limitOf,
  putTrades,
  putWindow,
  slotKey,
  type Traded,
  takeWindow,
} from "./kept.js";
import { bandOf, tieOf, timesOf, toldOf } from "./rules.js";

/** Class of a bid that was not opened, as credit counts it. */
const UNOPENED_CLASS = 3;

interface Opened {
  readonly participant: string;
  readonly point: string;
  readonly side: "buy" | "sell";
  readonly price: number;
  readonly volume: number;
}

interface Trade extends Opened {
  /** mWh */
  readonly traded: bigint;
}

/** `half/SLOT` when half of the time to open is over, `clear/SLOT`, and `forget/SLOT` where the slot has not closed long after its end. */
export function due(context: Context, { key, body }: Deadline): void {
  const [what, slot] = key.split("/") as [string, string];
  if (what === "half") putWindow(context, Number(slot), context.time_s < Number(body));
  else if (what === "clear") clearSlot(context, Number(slot));
  else context.remove(`trade/${slot}`);
}

function clearSlot(context: Context, slot: number): void {
  const bids = bidsOf(context, slot);
  const opened = bids.flatMap(([participant, , side, price, volume, point]): Opened[] =>
    isOpened(side) ? [{ participant, point: point!, side, price: price!, volume: volume! }] : [],
  );
  const { floor, cap } = bandOf(context);
  const tie = tieOf(context);
  const list = opened.map(({ participant, side, price, volume }): Bid => {
    const bid = { side, price: BigInt(price), volume: BigInt(volume) };
    return tie === "reward" ? { ...bid, isPreferred: isRewarded(context, participant) } : bid;
  });
  const { price, volume, fills } = clear(list, { floor: BigInt(floor), cap: BigInt(cap), tie });
  const trades = opened.flatMap((each, index): Trade[] =>
    fills[index]! > 0n ? [{ ...each, traded: fills[index]! }] : [],
  );
  const said = trades.map(({ participant, side, traded, point }) => [participant, side, traded, point]);
  context.effect("cleared", { slot, price, volume, tie, bids: bids.length, opened: opened.length, trades: said });
  const silent = bids.filter(([, , side]) => side === null).map(([participant]) => participant);
  // Where the chain stood still nobody could be heard: it is nobody's breach.
  if (takeWindow(context, slot)) accuse(context, slot, new Set(silent));
  forgetBids(context, slot);
  if (price === null) return;
  putTrades(context, slot, { price, rows: netOf(trades) });
  const { slot_s, kept_s } = timesOf(context);
  context.put(`due/forget/${slotKey(slot)}`, [slot + slot_s + kept_s, null]);
  for (const rows of schedulesOf(slot, trades)) {
    tell(context, toldOf(context).dispatch, "schedule", { slot_s: slot, length_s: slot_s, rows });
  }
}

/** Whether credit gives him back a part of fees. */
function isRewarded(context: Context, participant: string): boolean {
  const [, rebate_permille] = limitOf(context, participant) ?? [0, 0];
  return rebate_permille > 0;
}

function accuse(context: Context, slot: number, participants: ReadonlySet<string>): void {
  for (const participant of participants) context.violation("unopened", participant, { slot });
  const rows = [...participants].map((participant) => [participant, UNOPENED_CLASS, "auction/unopened"] as const);
  tellFacts(context, toldOf(context).credit, "breach", { slot_s: slot, rows });
}

function netOf(trades: readonly Trade[]): Traded[] {
  const net = new Map<string, [bought: bigint, sold: bigint]>();
  for (const { participant, side, traded } of trades) {
    const sums = net.get(participant) ?? [0n, 0n];
    sums[side === "buy" ? 0 : 1] += traded;
    net.set(participant, sums);
  }
  return [...net].map(([participant, [bought, sold]]) => [participant, bought, sold]);
}

/**
 * What is to be carried, in parts of as many rows as a schedule has. Each part takes as much as it gives, and is one trade: where the
 * grid carries less, both of its sides lose the same. The dearest buyers and the cheapest sellers stand in the first.
 */
export function schedulesOf(slot: number, trades: readonly Trade[]): ScheduleRow[][] {
  const buys = trades.filter(({ side }) => side === "buy").sort((one, other) => other.price - one.price);
  const sells = trades.filter(({ side }) => side === "sell").sort((one, other) => one.price - other.price);
  const parts: Map<Trade, bigint>[] = [];
  const left = new Map(trades.map((trade) => [trade, trade.traded] as const));
  for (let buy = 0, sell = 0; buy < buys.length && sell < sells.length; ) {
    const [buyer, seller] = [buys[buy]!, sells[sell]!];
    const volume = least(left.get(buyer)!, left.get(seller)!);
    let part = parts[parts.length - 1];
    if (part === undefined || part.size + 2 > SCHEDULE_ROWS_MAX) {
      part = new Map();
      parts.push(part);
    }
    for (const trade of [seller, buyer]) {
      part.set(trade, (part.get(trade) ?? 0n) + volume);
      left.set(trade, left.get(trade)! - volume);
    }
    if (left.get(buyer) === 0n) buy += 1;
    if (left.get(seller) === 0n) sell += 1;
  }
  return parts.map((part, index) =>
    [...part].map(
      ([{ point, participant, side }, volume]): ScheduleRow => [
        ...([point, Number(side === "sell" ? volume : -volume), `${slot}/${index}`] as const),
        participant,
      ],
    ),
  );
}
