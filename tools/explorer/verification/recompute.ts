// Shares and bills computed again from what is sealed: a figure is verified where this comes to the same, and wrong where it does not.

import { least, roundHalfUp } from "../../market/amounts.js";
import { type Rounding, type SharingModel, sharesOf } from "../../market/sharing.js";
import type { FindingState } from "./finding.js";

/** Of a row's energies (tools/market/community/accounts.ts). */
const QUALITY_ESTIMATED = 2;
const QUALITY_MISSING = 3;
/** mWh in a kWh: prices are of these. */
const MWH = 1_000_000n;

/** An integer as a contract's effect has it. */
type Whole = number | bigint;

/** A member in an effect `shares` or `corrected` of the community contract; mWh. */
export type ShareRow = readonly [
  point: string,
  consumed: Whole,
  offered: Whole,
  covered: Whole,
  produced: Whole,
  surplus: Whole,
  quality: number,
];

export interface SlotShares {
  readonly community: string;
  readonly start: number;
  readonly length?: number;
  readonly model?: SharingModel;
  readonly rounding?: Rounding;
  readonly revision: number;
  readonly rows: readonly ShareRow[];
}

export interface Recomputed {
  readonly state: FindingState;
  /** what differs, or why it is not computed */
  readonly reason?: string;
}

/** The shares of a slot, of which `proportional` is computed whole; other models rest on keys that stand in the contract's state. */
export function recomputeShares({ model, rounding, rows }: SlotShares): Recomputed {
  const column = (place: 1 | 2 | 3 | 4 | 5) => rows.map((row) => BigInt(row[place]));
  const [consumed, offered, covered, produced, surplus] = [column(1), column(2), column(3), column(4), column(5)];
  if (covered.some((one, index) => one !== least(consumed[index]!, offered[index]!))) {
    return { state: "wrong", reason: "what is covered is not the lesser of what is offered and consumed" };
  }
  if (model !== "proportional" || rounding === undefined) return { state: "sealed", reason: model ?? "" };
  const own = sharesOf({ model, rounding, produced, consumed });
  const isSame = (one: readonly bigint[], other: readonly bigint[]) =>
    one.every((each, index) => each === other[index]);
  if (isSame(own.offered, offered) && isSame(own.covered, covered) && isSame(own.surplus, surplus)) {
    return { state: "verified" };
  }
  return { state: "wrong", reason: "the sealed energies come to other shares" };
}

/** A line of a bill, as the contract puts it out (tools/market/community/bills.ts). */
export type BillLine = readonly [
  what: "covered" | "shared" | "fee",
  energy: Whole | null,
  price: number,
  amount: Whole,
  slots: number,
  estimated: number,
  missing: number,
  first: number,
  last: number,
  firstHeight: number,
  lastHeight: number,
];

export interface Bill {
  readonly community: string;
  readonly kind: string;
  readonly number: number;
  readonly period: readonly [number, number | null];
  readonly point: string;
  readonly owner: string;
  readonly consumed: Whole;
  readonly produced: Whole;
  readonly lines: readonly BillLine[];
  readonly amount: Whole;
}

/** A line's amount by its energy and price; a fee is its price. */
function lineAmount([what, energy, price]: BillLine): bigint {
  if (energy === null) return BigInt(price);
  return (what === "shared" ? -1n : 1n) * roundHalfUp(BigInt(energy) * BigInt(price), MWH);
}

/** A line against the sealed shares of the slots that it names: its energy is added up again, then its amount. */
export function recomputeLine(line: BillLine, bill: Bill, shares: readonly SlotShares[]): Recomputed {
  const [what, energy, , amount, slots, estimated, missing, first, last] = line;
  if (lineAmount(line) !== BigInt(amount)) {
    return { state: "wrong", reason: `energy and price come to ${lineAmount(line)}, not ${amount}` };
  }
  if (energy === null) return { state: "verified" };
  if (bill.kind === "correction") return { state: "sealed", reason: "a correction adds up differences" };
  const newest = new Map<number, SlotShares>();
  for (const each of shares) {
    const isIts = each.community === bill.community && each.start >= first && each.start <= last;
    const known = newest.get(each.start);
    if (isIts && (known === undefined || each.revision > known.revision)) newest.set(each.start, each);
  }
  const rows = [...newest.values()].flatMap((each) => each.rows.filter(([point]) => point === bill.point));
  // A point that has changed its owner has a bill for each.
  if (rows.length !== slots)
    return { state: "sealed", reason: `${rows.length} slots of ${slots} stand under this point` };
  const sum = rows.reduce((total, [, , , covered, produced, surplus]) => {
    return total + (what === "covered" ? BigInt(covered) : BigInt(produced) - BigInt(surplus));
  }, 0n);
  if (sum !== BigInt(energy)) {
    return { state: "wrong", reason: `the sealed slots come to ${sum} mWh, not ${energy}` };
  }
  const countOf = (quality: number) => rows.filter((row) => row[6] === quality).length;
  const counts = [countOf(QUALITY_ESTIMATED), countOf(QUALITY_MISSING)];
  if (counts[0] === estimated && counts[1] === missing) return { state: "verified" };
  return { state: "wrong", reason: `of the sealed slots ${counts[0]} are estimated and ${counts[1]} missing` };
}

/** A bill's amount against its lines. */
export function recomputeTotal({ lines, amount }: Bill): Recomputed {
  const sum = lines.reduce((total, line) => total + BigInt(line[3]), 0n);
  if (sum === BigInt(amount)) return { state: "verified" };
  return { state: "wrong", reason: `the lines come to ${sum}, not ${amount}` };
}
