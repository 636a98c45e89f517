// An order as it is printed.

import type { Assignment } from "../../../src/wire/assignment-order.js";
import { toHex } from "../../../src/wire/bytes.js";
import type { ContractAction } from "../../../src/wire/contract-order.js";
import type { Action, Order } from "../../../src/wire/order.js";
import { timeText } from "../../terminal/output.js";

/** An order as it is printed: its fields, and one line of what it says. */
export function orderView({ number, time_s, action }: Order) {
  return { number, time_s, action, what: whatItSays(action) };
}

function contractText({ service, fromHeight }: ContractAction): string {
  return `contracts of chain ${service} from height ${fromHeight} on`;
}

function assignmentText({ point, meter, from_s, until_s, sign }: Assignment): string {
  const until = until_s === undefined ? "" : ` until ${timeText(until_s * 1_000)}`;
  return `${toHex(meter)} ${sign < 0 ? "taken from" : "added to"} ${point} from ${timeText(from_s * 1_000)}${until}`;
}

function whatItSays(action: Action): string {
  const names = (members: readonly { readonly id: Uint8Array; readonly name: string }[]) =>
    members.map((member) => `${member.name} ${toHex(member.id)}`).join(", ");
  switch (action.type) {
    case "members":
      return `chain ${action.chain} from height ${action.effectiveHeight} on: ${names(action.members)}`;
    case "chain":
      return `new chain ${action.name} (${action.service}): ${names(action.members)}`;
    case "revoke":
      return `revoked: ${action.meters.map(toHex).join(", ")}`;
    case "suspend":
    case "resume":
      return `${action.type === "suspend" ? "suspended" : "resumed"}: ${action.meters.map(toHex).join(", ")}`;
    case "end": {
      const ends = action.ends.map(([service, seq]) => `service ${service} from number ${seq} on`);
      const successor = action.successor === undefined ? "" : `; ${toHex(action.successor)} takes its place`;
      return `ended: ${toHex(action.meter)}, ${ends.join(", ") || "all services"}${successor}`;
    }
    case "withdraw":
      return `order ${action.order} is taken back`;
    case "register":
      return `the register's head is ${action.entry}:${toHex(action.hash)}`;
    case "assign":
      return `assigned: ${action.assignments.map(assignmentText).join(", ")}`;
    case "ban":
      return `banned: ${action.nodes.map(toHex).join(", ")}`;
    case "install":
      return `${contractText(action)}: ${action.name} ${action.version}, source ${toHex(action.source)}`;
    case "parameters": {
      const values = [...action.parameters].map(([name, value]) => `${name} ${value}`);
      const whose = action.jurisdiction === undefined ? "everywhere" : `in ${action.jurisdiction}`;
      return `${contractText(action)}: parameters of ${action.contract} ${whose}: ${values.join(", ") || "none"}`;
    }
    case "retire":
      return `${contractText(action)}: ${action.name} is retired`;
  }
}
