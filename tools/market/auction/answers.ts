// What other chains tell the auction: dispatch what the grid carries of the trades, credit what a participant may owe.

import type { Context, Message } from "../../contracts/author.js";
import { granted } from "../asked.js";
import { limitsIn, transmissionIn, verdictIn } from "../messages.js";
import { big, putTrades, type Traded, tradesOf } from "./kept.js";

/** `limit`, `verdict` or `transmission`. Throws Denied. */
export function answer(context: Context, { name, body }: Message): void {
  if (name === "limit") takeLimits(context, body);
  else if (name === "verdict") takeVerdict(context, body);
  else context.effect("transmission", { ...transmissionIn(body) });
}

function takeLimits(context: Context, body: Message["body"]): void {
  for (const [participant, grade, limit, , rebate_permille, list] of limitsIn(context, body)) {
    if (limit === null) context.remove(`limit/${participant}`);
    else context.put(`limit/${participant}`, [limit, rebate_permille]);
    context.effect("limit", { participant, grade, limit, rebate_permille, list });
  }
}

/** What is not carried is not traded: it is neither paid, nor an imbalance. */
function takeVerdict(context: Context, body: Message["body"]): void {
  const { slot_s, number, verdict, kept_permille, rows } = verdictIn(context, body);
  const trades = tradesOf(context, slot_s);
  granted(trades !== undefined, "no-trades", slot_s);
  const net = new Map<string, readonly [bought: bigint, sold: bigint]>();
  for (const [participant, bought, sold] of trades.rows) net.set(participant, [big(bought), big(sold)]);
  for (const [, carried, , participant, asked] of rows) {
    const sums = participant === null ? undefined : net.get(participant);
    if (sums === undefined) continue;
    const [bought, sold] = sums;
    const lost = BigInt(Math.abs(asked - carried));
    net.set(participant!, asked > 0 ? [bought, sold - lost] : [bought - lost, sold]);
  }
  const left = [...net].map(([participant, [bought, sold]]): Traded => [participant, bought, sold]);
  putTrades(context, slot_s, { ...trades, rows: left });
  const said = rows.map(([point, carried, , participant, asked]) => [participant, point, carried, asked]);
  context.effect("carried", { slot: slot_s, number, verdict, kept_permille, rows: said });
}
