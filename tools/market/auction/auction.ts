// The auction contract: sealed bids for a slot, opened after gate closure, cleared at one price, told to dispatch, and held against what
// was metered. Parameters: `slot_s` (900), `gate_s` before the slot (3,600), `opening_s` behind the gate (900), `floor` and `cap` in 10^-5
// a kWh, `price_long` and `price_short` of imbalance (the clearing's price), `dispatch`, the chain that hears of trades (3; 0 for none).

import type { Context, Message, Operation } from "../../contracts/author.js";
import { Denied } from "../asked.js";
import { bid, open, own } from "./bids.js";
import { operationTypes } from "./types.js";

export { due } from "./bids.js";
export { slot } from "./imbalance.js";
export { writes } from "./kept.js";
export const reads: readonly string[] = [];

const handlers: { readonly [name in keyof typeof operationTypes]: (context: Context, operation: Operation) => void } = {
  points: own,
  bid,
  open,
};

export function operation(context: Context, asked: Operation): void {
  const names = Object.keys(operationTypes) as (keyof typeof operationTypes)[];
  const name = names.find((each) => operationTypes[each] === asked.type);
  try {
    if (name === undefined) throw new Denied("unknown-type", asked.type);
    handlers[name](context, asked);
  } catch (thrown) {
    if (!(thrown instanceof Denied)) throw thrown;
    context.deny(thrown.rule, thrown.about);
  }
}

/** `limit` of the credit chain: `{participant, limit}`, the most that he may owe for a slot, or null for any. */
export function message(context: Context, { name, body }: Message): void {
  const { participant, limit } = body as { readonly participant?: unknown; readonly limit?: unknown };
  const isLimit = name === "limit" && typeof participant === "string" && participant.length === 16;
  if (!isLimit || (limit !== null && typeof limit !== "number")) return context.deny("malformed", name);
  if (limit === null) context.remove(`limit/${participant}`);
  else context.put(`limit/${participant}`, limit);
}
