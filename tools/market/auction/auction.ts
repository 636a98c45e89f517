// The auction contract: sealed bids for a slot, opened after gate closure, cleared at one price, told to dispatch, and held against what
// was metered (docs/trading.md has its operations, messages and parameters).

import type { Context, Message, Operation } from "../../contracts/author.js";
import { Denied, denying } from "../asked.js";
import { answer } from "./answers.js";
import { bid, open } from "./bids.js";
import { own } from "./points.js";
import { operationTypes } from "./types.js";

export { due } from "./clearing.js";
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
  denying(context, () => {
    if (name === undefined) throw new Denied("unknown-type", asked.type);
    handlers[name](context, asked);
  });
}

export function message(context: Context, said: Message): void {
  denying(context, () => answer(context, said));
}
