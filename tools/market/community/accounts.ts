// Accounts of a community: what each member has consumed, was covered with and gave in a period, under one set of terms. Bills follow
// from them. What is corrected after a period's final bills adds up apart, for the correction.

import type { Context, Value } from "../../contracts/author.js";
import { type Community, padded, periodAt, type ShareRow } from "./kept.js";

const ACCOUNTS_TOGETHER = 100;

/** mWh of a member over slots: how many there are, how many with an interpolated or replaced energy, how many without one. */
export type Account = readonly [
  number: number,
  consumed: Value,
  covered: Value,
  produced: Value,
  shared: Value,
  slots: number,
  estimated: number,
  missing: number,
];

/** First and last slot, their count, and the heights of the blocks that have their shares. */
export type Head = readonly [first: number, last: number, slots: number, firstHeight: number, lastHeight: number];

export interface Place {
  readonly id: string;
  readonly community: Community;
  /** index of the terms */
  readonly terms: number;
  readonly start_s: number;
}

const QUALITY_ESTIMATED = 2;
const QUALITY_MISSING = 3;

/** What one slot's shares add to a member's account. */
export function slotRow(
  number: number,
  [, consumed, , covered, produced, surplus]: ShareRow,
  quality: number,
): Account {
  const shared = big(produced) - big(surplus);
  return [
    ...([number, consumed, covered, produced, shared, 1] as const),
    ...([quality === QUALITY_ESTIMATED ? 1 : 0, quality === QUALITY_MISSING ? 1 : 0] as const),
  ];
}

/** What takes the place of a row of before: their difference. */
export function difference(after: Account, before: Account): Account {
  return [
    after[0],
    ...([1, 2, 3, 4].map((field) => big(after[field]!) - big(before[field]!)) as unknown as [
      Value,
      Value,
      Value,
      Value,
    ]),
    ...([after[5] - before[5], after[6] - before[6], after[7] - before[7]] as const),
  ];
}

/** Adds to the accounts of the slot's period; to its adjustments where the period has final bills. */
export function addToAccounts(context: Context, place: Place, rows: readonly Account[]): void {
  const { id, community, start_s, terms } = place;
  const period = periodAt(community, start_s);
  if (period === undefined) return;
  const isFinal = context.get(`run/${id}/${padded(period, 13)}`) !== undefined;
  const under = `${id}/${padded(period, 13)}/${padded(terms, 2)}`;
  noteHead(context, `head/${isFinal ? "adjusted" : "account"}/${under}`, place);
  const together = new Map<number, Account[]>();
  for (const row of rows) {
    const place = Math.floor(row[0] / ACCOUNTS_TOGETHER);
    const before = together.get(place);
    if (before === undefined) together.set(place, [row]);
    else before.push(row);
  }
  for (const [place, added] of together) {
    const key = `${isFinal ? "adjusted" : "account"}/${under}/${padded(place, 3)}`;
    const accounts = new Map(accountsAt(context, key).map((account) => [account[0], account] as const));
    for (const row of added) accounts.set(row[0], total(accounts.get(row[0]), row));
    context.put(key, [...accounts.values()]);
  }
}

export function accountsAt(context: Context, key: string): readonly Account[] {
  return (context.get(key) ?? []) as unknown as readonly Account[];
}

function total(account: Account | undefined, row: Account): Account {
  if (account === undefined) return row;
  return [
    row[0],
    ...([1, 2, 3, 4].map((field) => big(account[field]!) + big(row[field]!)) as unknown as [
      Value,
      Value,
      Value,
      Value,
    ]),
    ...([account[5] + row[5], account[6] + row[6], account[7] + row[7]] as const),
  ];
}

function noteHead(context: Context, key: string, { start_s }: Place): void {
  const before = context.get(key) as unknown as Head | undefined;
  const head: Head =
    before === undefined
      ? [start_s, start_s, 1, context.height, context.height]
      : [Math.min(before[0], start_s), Math.max(before[1], start_s), before[2] + 1, before[3], context.height];
  context.put(key, head);
}

function big(value: Value): bigint {
  return BigInt(value as number | bigint);
}
