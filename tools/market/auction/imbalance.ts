// Imbalance of a slot that was traded: what points of each participant were metered, less what he traded, at one price or at two; and
// what the trade itself costs.

import type { Context, Slot, Value } from "../../contracts/author.js";
import { roundHalfUp } from "../amounts.js";
import { rowsByPoint } from "../slot-rows.js";
import { big, limitOf, slotKey, type Trades, tradesOf } from "./kept.js";
import { pointsOf } from "./points.js";
import { feeOf } from "./rules.js";

const MWH = 1_000_000n;
const PERMILLE = 1_000n;

/** Given less taken so far, and the points of which an energy is missing. */
type Metered = readonly [participant: string, net: Value, missing: number];

export function slot(context: Context, { start_s, first, count, points }: Slot): void {
  const trades = tradesOf(context, start_s);
  if (trades === undefined) return;
  const rows = rowsByPoint(points);
  const before = (context.get("metered/rows") ?? []) as unknown as readonly Metered[];
  const earlier = new Map(first === 0 ? [] : before.map((each) => [each[0], each] as const));
  const metered = trades.rows.map(([participant]): Metered => {
    let [, net, missing] = earlier.get(participant) ?? [participant, 0n, 0];
    for (const point of pointsOf(context, participant)) {
      const row = rows.get(point);
      if (row === undefined) continue;
      const [, taken, given, quality] = row;
      net = big(net) + big(given ?? 0) - big(taken ?? 0);
      if (quality === 3) missing += 1;
    }
    return [participant, net, missing];
  });
  if (first + points.length < count) {
    context.put("metered/rows", metered);
    return;
  }
  if (first > 0) context.remove("metered/rows");
  context.remove(`trade/${slotKey(start_s)}`);
  context.remove(`due/forget/${slotKey(start_s)}`);
  settle(context, { start_s, trades, metered });
}

interface Settling {
  readonly start_s: number;
  readonly trades: Trades;
  readonly metered: readonly Metered[];
}

/**
 * What a participant is paid for more than he traded, or pays for less; both at the clearing's price where no other is set. Then what he
 * is paid for what he traded, and his fee, of which credit gives a part back.
 */
function settle(context: Context, { start_s, trades, metered }: Settling): void {
  const long = big(context.parameters.price_long ?? trades.price);
  const short = big(context.parameters.price_short ?? trades.price);
  const fee = feeOf(context);
  const rows = trades.rows.map(([participant, bought, sold], index) => {
    const [, net, missing] = metered[index]!;
    const traded = big(sold) - big(bought);
    const imbalance = big(net) - traded;
    const price = imbalance < 0n ? short : long;
    const paid = [roundHalfUp(imbalance * price, MWH), roundHalfUp(traded * big(trades.price), MWH)] as const;
    const [, rebate] = limitOf(context, participant) ?? [0, 0];
    const charged = (big(bought) + big(sold)) * fee * (PERMILLE - BigInt(rebate));
    const [amount, worth] = paid;
    return [participant, traded, net, imbalance, price, amount, missing, worth, roundHalfUp(charged, PERMILLE * MWH)];
  });
  context.effect("imbalance", { slot: start_s, price: trades.price, rows });
}
