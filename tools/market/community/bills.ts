// Bills of a community's period: a preview at any time, final bills once all its slots are closed, corrections of what came late.
// Each is an effect a point and owner; what all of them add up to is the community's own, so that money conserves.

import type { Context, Operation, Value } from "../../contracts/author.js";
import { roundHalfUp } from "../amounts.js";
import { fieldsOf, granted, oneOf, TIME_S_MAX, wholeOf } from "../asked.js";
import { chains, type PaymentRow, type QualityRow, tellFacts } from "../messages.js";
import { type Account, accountsAt, type Head } from "./accounts.js";
import { type Community, membersOf, padded, type Terms } from "./kept.js";
import { managed } from "./members.js";

const kinds = ["preview", "final", "correction"] as const;
type Kind = (typeof kinds)[number];

const DAY_S = 86_400;
/** As far ahead as credit takes a bill. */
const DUE_DAYS_MAX = 90;
/** mWh in a kWh: prices are of these. */
const MWH = 1_000_000n;

/** A run of before: what it was, in which block, when, how many bills, and what was the community's own. */
export type Ran = readonly [kind: Kind, height: number, time_s: number, bills: number, own: Value];

/**
 * A line: what for, mWh (of a fee null), 10^-5 of the currency's unit for a kWh, the amount in them. Then slots, those with an estimated
 * energy, those without one; first and last slot; heights of the first and last block that have the shares.
 */
export type Line = readonly [
  what: "covered" | "shared" | "fee",
  energy: Value,
  price: number,
  amount: Value,
  slots: number,
  estimated: number,
  missing: number,
  first: number,
  last: number,
  firstHeight: number,
  lastHeight: number,
];

interface Bill {
  readonly point: string;
  readonly owner: string;
  /** its first membership, by which its bill is named */
  readonly number: number;
  slots: number;
  flawed: number;
  consumed: bigint;
  produced: bigint;
  amount: bigint;
  readonly lines: Line[];
}

export function run(context: Context, operation: Operation): void {
  const fields = fieldsOf(operation.body, ["community", "period", "kind"]);
  const { id, community } = managed(context, operation, fields.community);
  const kind = oneOf(fields.kind, kinds, "kind");
  const begin = wholeOf(fields.period, [0, TIME_S_MAX], "period");
  const place = community.begins.indexOf(begin);
  granted(place >= 0, "no-period", [...community.begins]);
  const end = community.begins[place + 1];
  const key = `run/${id}/${padded(begin, 13)}`;
  const before = (context.get(key) ?? []) as unknown as readonly Ran[];
  granted(kind !== "correction" || before.length > 0, "not-final", begin);
  granted(kind !== "final" || before.length === 0, "already-final", begin);
  if (kind === "final") {
    granted(end !== undefined && isClosed(context, end), "period-open", end ?? null);
  }
  const kept = kind === "correction" || before.length > 0 ? "adjusted" : "account";
  const under = `${id}/${padded(begin, 13)}/`;
  const bills = billsOf(context, { id, community, kept, under, isFeed: kept === "account" });
  const period = [begin, end ?? null];
  let own = 0n;
  for (const { point, owner, consumed, produced, amount, lines } of bills) {
    own -= amount;
    const whose = { community: id, name: community.name, kind, number: before.length, period, point, owner };
    context.effect("bill", { ...whose, consumed, produced, lines, amount });
  }
  context.effect("bills", { community: id, kind, number: before.length, period, bills: bills.length, own });
  if (kind === "preview") return;
  tellCredit(context, { id, begin, run: before.length, bills });
  // What is billed is never billed again: it stands in the effects.
  for (const old of [...context.keys(`${kept}/${under}`), ...context.keys(`head/${kept}/${under}`)])
    context.remove(old);
  context.put(key, [...before, [kind, context.height, context.time_s, bills.length, own]]);
}

interface Told {
  readonly id: string;
  readonly begin: number;
  readonly run: number;
  readonly bills: readonly Bill[];
}

/** Credit hears who owes what until when, and how good the data of final bills is. */
function tellCredit(context: Context, { id, begin, run, bills }: Told): void {
  const { credit_chain = chains.credit, due_days = 14 } = context.parameters;
  const due_s = context.time_s + DAY_S * Math.min(Number(due_days), DUE_DAYS_MAX);
  const owed = bills.filter(({ amount }) => amount > 0n);
  const payments = owed.map(({ owner, number }): PaymentRow => [owner, `${id}/${begin}/${number}/${run}`, due_s, null]);
  const quality = run > 0 ? [] : bills.map(({ owner, slots, flawed }): QualityRow => [owner, slots, flawed]);
  const slot_s = context.time_s;
  tellFacts(context, Number(credit_chain), "payment", { slot_s, rows: payments });
  tellFacts(context, Number(credit_chain), "quality", { slot_s, rows: quality });
}

/** Whether slots have closed up to a moment. */
function isClosed(context: Context, end: number): boolean {
  const closed = context.get("closed/slot");
  if (closed === undefined) return false;
  const [start, length] = closed as readonly [number, number];
  return start + length >= end;
}

interface Asked {
  readonly id: string;
  readonly community: Community;
  readonly kept: "account" | "adjusted";
  readonly under: string;
  readonly isFeed: boolean;
}

/** Bills by point and owner, in the order of their first memberships. */
function billsOf(context: Context, { id, community, kept, under, isFeed }: Asked): Bill[] {
  const bills = new Map<string, Bill>();
  const fees = new Map<string, Line>();
  const members = new Map(membersOf(context, id).map((each) => [each.number, each.member] as const));
  for (const key of context.keys(`${kept}/${under}`)) {
    const index = Number(key.slice(kept.length + 1 + under.length).split("/")[0]);
    const terms = community.terms[index]!;
    const head = context.get(`head/${kept}/${under}${padded(index, 2)}`) as unknown as Head;
    for (const account of accountsAt(context, key)) {
      const [point, owner] = members.get(account[0])!;
      const name = `${owner}/${point}`;
      const absent = { point, owner, number: account[0], slots: 0, flawed: 0, consumed: 0n, produced: 0n, amount: 0n };
      const bill: Bill = bills.get(name) ?? { ...absent, lines: [] };
      bills.set(name, bill);
      addLines(bill, { account, terms, head });
      const fee = BigInt(terms.fee);
      if (isFeed && terms.fee > 0) fees.set(name, lineOf(["fee", null, terms.fee, fee], account, head));
    }
  }
  for (const [name, fee] of fees) {
    const bill = bills.get(name)!;
    bill.lines.push(fee);
    bill.amount += big(fee[3]);
  }
  return [...bills.values()];
}

interface Counted {
  readonly account: Account;
  readonly terms: Terms;
  readonly head: Head;
}

/** What is covered is paid, what is shared is got. A kind without energy has no line. */
function addLines(bill: Bill, { account, terms, head }: Counted): void {
  const [, consumed, covered, produced, shared] = account.map((each) => big(each));
  bill.slots += account[5];
  bill.flawed += account[6] + account[7];
  bill.consumed += consumed!;
  bill.produced += produced!;
  const add = (what: "covered" | "shared", energy: bigint, price: number, sign: bigint) => {
    if (energy === 0n) return;
    const amount = sign * roundHalfUp(energy * BigInt(price), MWH);
    bill.amount += amount;
    bill.lines.push(lineOf([what, energy, price, amount], account, head));
  };
  add("covered", covered!, terms.price, 1n);
  add("shared", shared!, terms.feed, -1n);
}

function lineOf(
  said: readonly [what: Line[0], energy: Value, price: number, amount: Value],
  [, , , , , slots, estimated, missing]: Account,
  [first, last, , firstHeight, lastHeight]: Head,
): Line {
  return [...said, slots, estimated, missing, first, last, firstHeight, lastHeight];
}

function big(value: Value): bigint {
  return BigInt(value as number | bigint);
}
