// The dispatch contract: the operator's network, verdicts on schedules, transmission contracts, and deviations from them
// (docs/grid-operator.md has its operations, messages and parameters).

import type { Context, Message, Operation, Slot } from "../../contracts/author.js";
import { Denied, grantedTo } from "../../market/asked.js";
import { operationTypes, roles } from "./kinds.js";
import { takeNetwork } from "./networks.js";
import { askedIn, judge } from "./schedules.js";
import { countersign, holdTo } from "./transmissions.js";

export const reads: readonly string[] = [];
export const writes = ["count", "network", "pending/", "slot/", "transmission/"];

export function operation(context: Context, asked: Operation): void {
  denying(context, () => {
    if (asked.type === operationTypes.network) takeNetwork(context, asked);
    else if (asked.type === operationTypes.countersign) countersign(context, asked);
    else {
      grantedTo(asked, [roles.gridOperator, roles.dispatcher, roles.marketOperator]);
      judge(context, askedIn(asked.body), null);
    }
  });
}

/** Trades of another chain: `schedule`. */
export function message(context: Context, { service, body }: Message): void {
  denying(context, () => judge(context, askedIn(body), service));
}

export function slot(context: Context, closed: Slot): void {
  holdTo(context, closed);
}

function denying(context: Context, act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof Denied)) throw error;
    context.deny(error.rule, error.about);
  }
}
