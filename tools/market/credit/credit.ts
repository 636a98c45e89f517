// The credit contract: ratings of participants from sealed facts alone, what trading grants them by it, and how they object
// (docs/credit.md has its operations, messages and parameters).

import type { Context, Message, Operation, Value } from "../../contracts/author.js";
import { Denied, fieldsOf, granted, grantedTo, listOf, oneOf, TIME_S_MAX, textOf, wholeOf } from "../asked.js";
import { type Case, decide, open } from "./cases.js";
import { operationTypes, roles } from "./kinds.js";
import { type Known, noteBreach, noteDelivery, notePayment, noteQuality, openLedger, setKind } from "./ledger.js";
import type { Evidence } from "./rating.js";

export const reads: readonly string[] = [];
export const writes = ["case/", "cases", "facts/", "rating/", "subject/"];

const ROWS_MAX = 100;
const ENERGY_MAX = 9_000_000_000_000;
const YEAR_S = 31_557_600;

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
    const ledger = openLedger(context);
    const { slot_s, rows } = fieldsOf(said.body, ["slot_s", "rows"]);
    const time_s = wholeOf(slot_s, [0, TIME_S_MAX], "slot_s");
    granted(time_s <= context.time_s + YEAR_S, "future", time_s);
    const notes = listOf(rows, ROWS_MAX, "rows").map((row) => {
      granted(Array.isArray(row), "malformed", "rows");
      return noteOf(ledger, said.name, { row: row as readonly Value[], time_s, evidence });
    });
    // All rows have been read: none is left out because of another one.
    for (const note of notes) note();
    ledger.rateAll();
  });
}

interface Row {
  readonly row: readonly Value[];
  readonly time_s: number;
  readonly evidence: Evidence;
}

/** Reads a row, of which the first columns count; what stands behind them is for people. Throws Denied; what it returns notes it. */
function noteOf(ledger: Known, name: string, { row, time_s, evidence }: Row): () => void {
  const id = idOf(row[0]);
  if (name === "delivery") {
    const contracted = wholeOf(row[1], [0, ENERGY_MAX], "contracted_mWh");
    const beyond = wholeOf(row[2], [0, ENERGY_MAX], "beyond_mWh");
    return () => noteDelivery(ledger, id, { contracted, beyond, time_s, evidence });
  }
  if (name === "quality") {
    const slots = wholeOf(row[1], [0, 1_000_000], "slots");
    const flawed = wholeOf(row[2], [0, slots], "flawed");
    return () => noteQuality(ledger, id, { slots, flawed, time_s, evidence });
  }
  if (name === "payment") {
    const payment = {
      bill: textOf(row[1], "bill"),
      due_s: wholeOf(row[2], [0, TIME_S_MAX], "due_s"),
      paid_s: paidOf(row[3]),
    };
    return () => notePayment(ledger, id, { ...payment, time_s, evidence });
  }
  const class_ = wholeOf(row[1], [1, 3], "class");
  const rule = textOf(row[2], "rule");
  return () => noteBreach(ledger, id, { class_, rule, time_s, evidence });
}

function stateKind(context: Context, asked: Operation): void {
  grantedTo(asked, [roles.marketOperator, roles.regulator]);
  const { participant, kind } = fieldsOf(asked.body, ["participant", "kind"]);
  const ledger = openLedger(context);
  setKind(ledger, idOf(participant), oneOf(kind, ["household", "firm"] as const, "kind"));
  ledger.rateAll();
}

function takePayment(context: Context, asked: Operation): void {
  grantedTo(asked, [roles.settlementAgent]);
  const fields = fieldsOf(asked.body, ["participant", "bill", "due_s", "paid_s"]);
  const ledger = openLedger(context);
  notePayment(ledger, idOf(fields.participant), {
    ...{ bill: textOf(fields.bill, "bill"), due_s: wholeOf(fields.due_s, [0, TIME_S_MAX], "due_s") },
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
  const ledger = openLedger(context);
  decide(ledger, wholeOf(fields.case, [0, 1_000_000_000], "case"), { upheld, reason: textOf(reason, "reason") });
  ledger.rateAll();
}

function evidenceOf({ height }: Context, { participant, seq }: Operation): Evidence {
  return [2, height, `operation ${participant}:${seq}`];
}

function paidOf(value: Value | undefined): number | null {
  return value === null || value === undefined ? null : wholeOf(value, [0, TIME_S_MAX], "paid_s");
}

/** An ID is 16 hex digits. */
function idOf(value: Value | undefined): string {
  const text = textOf(value, "participant");
  let isId = text.length === 16;
  for (const character of text) isId &&= "0123456789abcdef".includes(character);
  granted(isId, "malformed", "participant");
  return text;
}

function denying(context: Context, act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof Denied)) throw error;
    context.deny(error.rule, error.about);
  }
}
