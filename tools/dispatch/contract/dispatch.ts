// The dispatch contract: the operator's network, verdicts on schedules, transmission contracts, and deviations from them
// (docs/grid-operator.md has its operations, messages and parameters).

import type { Context, Deadline, Message, Operation, Slot } from "../../contracts/author.js";
import { denying, grantedTo } from "../../market/asked.js";
import { operationTypes, roles } from "./kinds.js";
import { takeNetwork } from "./networks.js";
import { takeSchedule, takeScheduleOfChain } from "./schedules.js";
import { countersign, forgetSlot, holdTo } from "./transmissions.js";

export const reads: readonly string[] = [];
export const writes = ["count", "due/", "network", "pending/", "slot/", "transmission/"];

export function operation(context: Context, asked: Operation): void {
  denying(context, () => {
    if (asked.type === operationTypes.network) takeNetwork(context, asked);
    else if (asked.type === operationTypes.countersign) countersign(context, asked);
    else {
      grantedTo(asked, [roles.gridOperator, roles.dispatcher, roles.marketOperator]);
      takeSchedule(context, asked);
    }
  });
}

/** Trades of another chain: `schedule`. */
export function message(context: Context, said: Message): void {
  denying(context, () => takeScheduleOfChain(context, said));
}

export function slot(context: Context, closed: Slot): void {
  holdTo(context, closed);
}

/** `forget/SLOT`: its contracts have been kept for long enough. */
export function due(context: Context, { key }: Deadline): void {
  forgetSlot(context, Number(key.slice("forget/".length)));
}
