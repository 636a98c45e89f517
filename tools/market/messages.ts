// What contracts of the services' chains tell each other: one shape of each message, by which its sender says it and its receiver reads
// it (PROTOCOL.md, section 4, has the table). Energies are in mWh, money in 10^-5 of the currency's unit, times in UTC seconds.

import type { Context, Value } from "../contracts/author.js";
import { Denied, fieldsOf, granted, idOf, listOf, oneOf, plainOf, TIME_S_MAX, textOf, wholeOf } from "./asked.js";

/** Rows of a schedule, which one transmission contract has. */
export const SCHEDULE_ROWS_MAX = 80;
/** Rows of facts: credit writes some six keys for each, of the 256 that a run may write. */
export const FACT_ROWS_MAX = 25;
/** Rows of limits, each of which is a key of the auction. */
export const LIMIT_ROWS_MAX = 100;
/** of a row of a schedule, so that a slot's sum stays exact */
export const ROW_ENERGY_MAX = 1_000_000_000_000;
const AMOUNT_MAX = 9_007_199_254_740_991;

/** What a point feeds in within a slot, negative where it takes, for a trade, or for none where it is a forecast. */
export type ScheduleRow = readonly [
  point: string,
  energy_mWh: number,
  trade: string | null,
  participant: string | null,
];

/** A row as it is carried, with what was asked. */
export type CarriedRow = readonly [...ScheduleRow, asked_mWh: number];

/** Trading, or whoever signs it, to dispatch: what is to be carried. */
export interface Schedule {
  readonly slot_s: number;
  readonly length_s: number;
  readonly rows: readonly ScheduleRow[];
}

export const verdicts = ["accepted", "curtailed", "refused"] as const;

/** Dispatch to who has asked. */
export interface VerdictSaid {
  readonly slot_s: number;
  /** of the verdict, and of its transmission contract; null where no load flow was computed */
  readonly number: number | null;
  readonly verdict: (typeof verdicts)[number];
  readonly kept_permille: number;
  /** what stands in the way of more; null where nothing does */
  readonly binding: Value;
  readonly rows: readonly CarriedRow[];
}

/** Dispatch to who has asked: the grid operator has countersigned. */
export interface TransmissionSaid {
  readonly slot_s: number;
  readonly number: number;
}

/** Credit to trading: what a participant is granted. Without a limit nothing is known of him any more. */
export type LimitRow = readonly [
  participant: string,
  grade: string,
  limit: number | null,
  bond_percent: number,
  rebate_permille: number,
  list: string,
];

/** To credit. Columns behind those named are for people. */
export type DeliveryRow = readonly [participant: string, contracted_mWh: number, beyond_mWh: number, ...Value[]];
export type QualityRow = readonly [participant: string, slots: number, flawed: number, ...Value[]];
export type PaymentRow = readonly [participant: string, bill: string, due_s: number, paid_s: number | null, ...Value[]];
export type BreachRow = readonly [participant: string, class_: number, rule: string, ...Value[]];

/** Facts of the time `slot_s`. */
export interface Facts<Row> {
  readonly slot_s: number;
  readonly rows: readonly Row[];
}

export interface Messages {
  readonly schedule: Schedule;
  readonly verdict: VerdictSaid;
  readonly transmission: TransmissionSaid;
  readonly limit: { readonly rows: readonly LimitRow[] };
  readonly delivery: Facts<DeliveryRow>;
  readonly quality: Facts<QualityRow>;
  readonly payment: Facts<PaymentRow>;
  readonly breach: Facts<BreachRow>;
}

/** Numbers of the chains, where a parameter names no other. */
export const chains = { trading: 1, credit: 2, dispatch: 3, mining: 4 } as const;

/** Tells another chain; none where the chain's number is 0. */
export function tell<Name extends keyof Messages>(
  context: Context,
  service: number,
  name: Name,
  body: Messages[Name],
): void {
  if (service !== 0) context.message(service, name, body as unknown as Value);
}

/** Tells facts in as many messages as they take. */
export function tellFacts<Name extends "delivery" | "quality" | "payment" | "breach">(
  context: Context,
  service: number,
  name: Name,
  { slot_s, rows }: Messages[Name],
): void {
  for (let at = 0; at < rows.length; at += FACT_ROWS_MAX) {
    tell(context, service, name, { slot_s, rows: rows.slice(at, at + FACT_ROWS_MAX) } as unknown as Messages[Name]);
  }
}

/** The rows that are sound. One that is not is denied alone, by its place. Throws Denied where there is no list of rows. */
export function soundRows<Row>(
  context: Context,
  { rows, most }: { readonly rows: Value | undefined; readonly most: number },
  read: (row: readonly Value[]) => Row,
): Row[] {
  const sound: Row[] = [];
  for (const [at, row] of listOf(rows, most, "rows").entries()) {
    try {
      granted(Array.isArray(row), "malformed", "row");
      sound.push(read(row as readonly Value[]));
    } catch (error) {
      if (!(error instanceof Denied)) throw error;
      context.deny(error.rule, { row: at, about: error.about });
    }
  }
  return sound;
}

/** Throws Denied. */
export function scheduleRow(row: readonly Value[]): ScheduleRow {
  granted(row.length === 4, "malformed", "row");
  const [point, energy, trade, participant] = row;
  return [
    textOf(point, "point"),
    wholeOf(energy, [-ROW_ENERGY_MAX, ROW_ENERGY_MAX], "energy_mWh"),
    trade === null ? null : textOf(trade, "trade"),
    participant === null ? null : idOf(participant, "participant"),
  ];
}

/** A schedule's slot; its rows are read apart. Throws Denied. `absent_s` is its length where it states none. */
export function scheduleHead(
  body: Value,
  absent_s: number,
): Omit<Schedule, "rows"> & { readonly rows: Value | undefined } {
  const { slot_s, length_s, rows } = fieldsOf(body, ["slot_s", "length_s", "rows"]);
  return {
    slot_s: wholeOf(slot_s, [0, TIME_S_MAX], "slot_s"),
    length_s: length_s === undefined ? absent_s : wholeOf(length_s, [1, TIME_S_MAX], "length_s"),
    rows,
  };
}

/** Throws Denied. */
export function verdictIn(context: Context, body: Value): VerdictSaid {
  const fields = fieldsOf(body, ["slot_s", "number", "verdict", "kept_permille", "binding", "rows"]);
  return {
    slot_s: wholeOf(fields.slot_s, [0, TIME_S_MAX], "slot_s"),
    number: fields.number === null ? null : wholeOf(fields.number, [0, AMOUNT_MAX], "number"),
    verdict: oneOf(fields.verdict, verdicts, "verdict"),
    kept_permille: wholeOf(fields.kept_permille, [0, 1_000], "kept_permille"),
    binding: fields.binding ?? null,
    rows: soundRows(context, { rows: fields.rows, most: SCHEDULE_ROWS_MAX }, carriedRow),
  };
}

function carriedRow(row: readonly Value[]): CarriedRow {
  granted(row.length === 5, "malformed", "row");
  const [point, energy, trade, participant] = scheduleRow(row.slice(0, 4));
  const asked = wholeOf(row[4], [-ROW_ENERGY_MAX, ROW_ENERGY_MAX], "asked_mWh");
  return [point, energy, trade, participant, asked];
}

/** Throws Denied. */
export function transmissionIn(body: Value): TransmissionSaid {
  const { slot_s, number } = fieldsOf(body, ["slot_s", "number"]);
  return {
    slot_s: wholeOf(slot_s, [0, TIME_S_MAX], "slot_s"),
    number: wholeOf(number, [0, AMOUNT_MAX], "number"),
  };
}

/** Throws Denied. */
export function limitsIn(context: Context, body: Value): readonly LimitRow[] {
  const { rows } = fieldsOf(body, ["rows"]);
  return soundRows(context, { rows, most: LIMIT_ROWS_MAX }, (row) => {
    const [participant, grade, limit, bond, rebate, list] = row;
    return [
      idOf(participant, "participant"),
      textOf(grade, "grade"),
      limit === null ? null : wholeOf(limit, [0, AMOUNT_MAX], "limit"),
      wholeOf(bond, [0, 10_000], "bond_percent"),
      wholeOf(rebate, [0, 1_000], "rebate_permille"),
      textOf(list, "list"),
    ] as const;
  });
}

/** A fact's row as credit reads it; amounts are whole and not negative. Throws Denied. */
export const factRows = {
  delivery: ([participant, contracted, beyond]: readonly Value[]): DeliveryRow => [
    idOf(participant, "participant"),
    wholeOf(contracted, [0, AMOUNT_MAX], "contracted_mWh"),
    wholeOf(beyond, [0, AMOUNT_MAX], "beyond_mWh"),
  ],
  quality: ([participant, slots, flawed]: readonly Value[]): QualityRow => {
    const count = wholeOf(slots, [0, 1_000_000], "slots");
    return [idOf(participant, "participant"), count, wholeOf(flawed, [0, count], "flawed")];
  },
  payment: ([participant, bill, due, paid = null]: readonly Value[]): PaymentRow => [
    idOf(participant, "participant"),
    plainOf(bill, "bill"),
    wholeOf(due, [0, TIME_S_MAX], "due_s"),
    paid === null ? null : wholeOf(paid, [0, TIME_S_MAX], "paid_s"),
  ],
  breach: ([participant, class_, rule]: readonly Value[]): BreachRow => [
    idOf(participant, "participant"),
    wholeOf(class_, [1, 3], "class"),
    plainOf(rule, "rule"),
  ],
} as const;
