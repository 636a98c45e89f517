// The credit contract: ratings of participants from sealed facts alone, what trading grants them by it, and how they object
// (docs/credit.md has its operations, messages and parameters).

import type { Context, Deadline, Message, Operation, Value } from "../../contracts/author.js";
import { denying, fieldsOf, granted, grantedTo, idOf, oneOf, plainOf, TIME_S_MAX, textOf, wholeOf } from "../asked.js";
import { FACT_ROWS_MAX, factRows, soundRows } from "../messages.js";
import { type Case, decide, open } from "./cases.js";
import { operationTypes, roles } from "./kinds.js";
import {
  type Known,
  noteBreach,
  noteDelivery,
  notePayment,
  noteQuality,
  openLedger,
  rateAgain,
  setKind,
} from "./ledger.js";
import type { Evidence } from "./rating.js";

export const reads: readonly string[] = [];
export const writes = ["case/", "cases", "count/", "due/", "facts/", "open/", "rating/", "subject/"];

const DAY_S = 86_400;
/** A bill may be due so long after it is told of: each month that has one is a key. */
const DUE_AHEAD_S = 92 * DAY_S;

export function operation(context: Context, asked: Operation): void {
  denying(context, () => {
    switch (asked.type) {
      case operationTypes.kind:
        return stateKind(context, asked);
      case operationTypes.paid:
        return takePayment(context, asked);
      case operationTypes.decide:
        return takeDecision(context, asked);
      default:
        return takeCase(context, asked);
    }
  });
}

export function message(context: Context, said: Message): void {
  denying(context, () => {
    const evidence: Evidence = [said.service, said.height, `message ${said.number}`];
    const ledger = openLedger(context, null);
    const { slot_s, rows } = fieldsOf(said.body, ["slot_s", "rows"]);
    const time_s = wholeOf(slot_s, [0, TIME_S_MAX], "slot_s");
    granted(time_s <= context.time_s + DAY_S, "future", time_s);
    const read = (row: readonly Value[]) => noteOf(ledger, said.name, { row, time_s, evidence });
    for (const note of soundRows(context, { rows, most: FACT_ROWS_MAX }, read)) note();
    ledger.rateAll();
  });
}

/** `rate/ID`: a rating is made anew, as its facts have grown older. */
export function due(context: Context, { key }: Deadline): void {
  rateAgain(openLedger(context, null), key.slice("rate/".length));
}

interface Row {
  readonly row: readonly Value[];
  readonly time_s: number;
  readonly evidence: Evidence;
}

/** Reads a row, of which the first columns count; what stands behind them is for people. Throws Denied; what it returns notes it. */
function noteOf(ledger: Known, name: string, { row, time_s, evidence }: Row): () => void {
  const fact = { time_s, evidence };
  switch (name) {
    case "delivery": {
      const [id, contracted, beyond] = factRows.delivery(row);
      return () => noteDelivery(ledger, id, { contracted, beyond, ...fact });
    }
    case "quality": {
      const [id, slots, flawed] = factRows.quality(row);
      return () => noteQuality(ledger, id, { slots, flawed, ...fact });
    }
    case "payment": {
      const [id, bill, due_s, paid_s] = factRows.payment(row);
      granted(due_s <= ledger.context.time_s + DUE_AHEAD_S, "too-far", due_s);
      return () => notePayment(ledger, id, { bill, due_s, paid_s, ...fact });
    }
    default: {
      const [id, class_, rule] = factRows.breach(row);
      return () => noteBreach(ledger, id, { class_, rule, ...fact });
    }
  }
}

function stateKind(context: Context, asked: Operation): void {
  grantedTo(asked, [roles.marketOperator, roles.regulator]);
  const { participant, kind } = fieldsOf(asked.body, ["participant", "kind"]);
  const ledger = openLedger(context, asked.participant);
  setKind(ledger, idOf(participant, "participant"), oneOf(kind, ["household", "firm"] as const, "kind"));
  ledger.rateAll();
}

function takePayment(context: Context, asked: Operation): void {
  grantedTo(asked, [roles.settlementAgent]);
  const fields = fieldsOf(asked.body, ["participant", "bill", "due_s", "paid_s"]);
  const ledger = openLedger(context, asked.participant);
  const due_s = wholeOf(fields.due_s, [0, TIME_S_MAX], "due_s");
  granted(due_s <= context.time_s + DUE_AHEAD_S, "too-far", due_s);
  notePayment(ledger, idOf(fields.participant, "participant"), {
    ...{ bill: plainOf(fields.bill, "bill"), due_s },
    ...{ paid_s: paidOf(fields.paid_s), time_s: context.time_s, evidence: evidenceOf(context, asked) },
  });
  ledger.rateAll();
}

function takeCase(context: Context, asked: Operation): void {
  const fields = fieldsOf(asked.body, ["month", "what", "at", "reason"]);
  const reason = textOf(fields.reason, "reason");
  const isRepair = asked.type === operationTypes.repair;
  const about: Case["about"] = isRepair
    ? null
    : [
        wholeOf(fields.month, [0, 100_000], "month"),
        oneOf(fields.what, ["breaches", "payments"] as const, "what"),
        wholeOf(fields.at, [0, 1_000], "at"),
      ];
  open(context, asked.participant, { kind: isRepair ? "repair" : "objection", about, reason });
}

function takeDecision(context: Context, asked: Operation): void {
  grantedTo(asked, [roles.regulator]);
  const { upheld, reason, ...fields } = fieldsOf(asked.body, ["case", "upheld", "reason"]);
  granted(typeof upheld === "boolean", "malformed", "upheld");
  const ledger = openLedger(context, asked.participant);
  decide(ledger, wholeOf(fields.case, [0, 1_000_000_000], "case"), { upheld, reason: textOf(reason, "reason") });
  ledger.rateAll();
}

function evidenceOf({ height }: Context, { participant, seq }: Operation): Evidence {
  return [2, height, `operation ${participant}:${seq}`];
}

function paidOf(value: Value | undefined): number | null {
  return value === null || value === undefined ? null : wholeOf(value, [0, TIME_S_MAX], "paid_s");
}
