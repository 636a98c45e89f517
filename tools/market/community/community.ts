// The community contract: energy communities that are founded, joined by consent, shared in by closed slots, billed and corrected.
// Parameters: `kept_slots`, for how many slots energies can be corrected (2,976); `price_max`, the highest price of a kWh; `managed_max`,
// communities of one manager (2); `due_days`, when a bill is to be paid (14); `credit_chain`, which is told of bills (2; 0 for none).

import type { Context, Deadline, Operation } from "../../contracts/author.js";
import { Denied, denying } from "../asked.js";
import { run } from "./bills.js";
import { correct } from "./corrections.js";
import { change, consent, expire, found, invite, leave, own, setPeriods } from "./members.js";
import { operationTypes } from "./types.js";

export { writes } from "./kept.js";
export { slot } from "./shares.js";
export const reads: readonly string[] = [];

const handlers: { readonly [name in keyof typeof operationTypes]: (context: Context, operation: Operation) => void } = {
  found,
  terms: change,
  periods: setPeriods,
  owners: own,
  invite,
  join: consent,
  leave,
  correct,
  bill: run,
};

export function operation(context: Context, asked: Operation): void {
  const names = Object.keys(operationTypes) as (keyof typeof operationTypes)[];
  const name = names.find((each) => operationTypes[each] === asked.type);
  denying(context, () => {
    if (name === undefined) throw new Denied("unknown-type", asked.type);
    handlers[name](context, asked);
  });
}

export function due(context: Context, { key }: Deadline): void {
  expire(context, key);
}
