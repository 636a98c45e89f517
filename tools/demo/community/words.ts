// What sealed effects of the demo's community say, a line each of at most 80 columns; most effects are worth none.

import type { Value } from "../../../src/wire/value.js";
import { decimal } from "../../terminal/output.js";
import type { Seen } from "./asked.js";
import { type Cast, nameIn } from "./cast.js";

export const LINE_COLUMNS = 80;

type Body = { readonly [field: string]: Value };
type Rows = readonly (readonly Value[])[];
type Words = (body: Body, name: (id: Value | undefined) => string) => string | undefined;

/** All digits that are sealed, as `market bill show` and the explorer have them. */
const kWh = (energy: Value | undefined) => decimal(whole(energy), -6);
const money = (amount: Value | undefined) => decimal(whole(amount), -5);
const clock = (time_s: Value | undefined) => new Date(1_000 * Number(time_s)).toISOString().slice(11, 19);
const total = (rows: Rows, column: number) => rows.reduce((sum, row) => sum + whole(row[column]), 0n);

function whole(value: Value | undefined): bigint {
  return typeof value === "number" || typeof value === "bigint" ? BigInt(value) : 0n;
}

/** By contract and effect, or violation. */
const words: Readonly<Record<string, Words>> = {
  "community/founded": ({ name, terms }) => {
    const [{ model, price }] = terms as unknown as readonly [Body];
    return `${name} is founded: ${model}, ${money(price)} a kWh`;
  },
  "community/joined": ({ point }, name) => `${name(point)} joins with meter ${point}`,
  "community/shares": ({ start, rows }) => {
    const [consumed, covered] = [total(rows as Rows, 1), total(rows as Rows, 3)];
    const left = total(rows as Rows, 5);
    return `${clock(start)} covered ${kWh(covered)} of ${kWh(consumed)} kWh, ${kWh(left)} left`;
  },
  "community/bill": ({ owner, kind, amount, consumed, lines }, name) => {
    const covered = (lines as Rows).filter(([what]) => what === "covered");
    const sides = `${kWh(consumed)} kWh, ${kWh(total(covered, 1))} solar`;
    return `${name(owner)}: ${kind} bill ${money(amount)}, ${sides}`;
  },
  "auction/cleared": ({ slot, price, volume, bids, opened }) =>
    price === null
      ? `${clock(slot)} nothing is traded, ${opened} of ${bids} bids opened`
      : `${clock(slot)} ${kWh(volume)} kWh trade at ${money(price)}, ${opened} of ${bids} bids opened`,
  "auction/unopened": ({ subject, slot }, name) =>
    `${name(subject)} has not opened its bid for ${clock(slot)}: a breach`,
  "auction/limit": ({ participant, grade, limit }, name) =>
    `${name(participant)} is ${grade} and may owe ${limit === null ? "anything" : money(limit)}`,
  "auction/credit-limit": ({ subject }, name) => `${name(subject)} bids for more than it may owe: denied`,
  "auction/imbalance": ({ slot, rows }) => `${clock(slot)} imbalance of ${(rows as Rows).length} who traded is settled`,
  "dispatch/network": ({ buses, branches, hash }) =>
    `the grid is sealed: ${buses} buses, ${branches} branch, ${String(hash).slice(0, 8)}`,
  "dispatch/verdict": ({ slot_s, verdict, kept_permille, binding }) => {
    const { branch = "the grid" } = (binding ?? {}) as Body;
    const share = `${Number(kept_permille) / 10} %`;
    return verdict === "accepted"
      ? `${clock(slot_s)} the grid carries all of it`
      : `${clock(slot_s)} ${verdict}, ${share} are carried: ${branch} is at its limit`;
  },
  "dispatch/countersigned": ({ number, slot_s }) => `${clock(slot_s)} the grid operator signs contract ${number}`,
  "dispatch/deviation": ({ subject, contracted_mWh, metered_mWh }, name) =>
    `${name(subject)} was to feed in ${kWh(contracted_mWh)}, and did ${kWh(metered_mWh)}: a breach`,
  "credit/rating": ({ participant, grade, score, standing }, name) => {
    const { list } = standing as Body;
    return `${name(participant)} is rated ${grade}, ${score} of 1000${list === "none" ? "" : `, list ${list}`}`;
  },
  "mining/asked": ({ requester, kind, size, cost }, name) =>
    `${name(requester)} asks for ${kind} of ${size} homes, which costs ${cost}`,
  "mining/study": ({ kind, group, to, result }) =>
    `${kind} of ${group} homes up to block ${to} is sealed: ${String(result).slice(0, 8)}`,
};

const services: Readonly<Record<number, string>> = { 1: "trading", 2: "credit", 3: "dispatch", 4: "mining" };

/** The line of what was seen after so many seconds; undefined where it is worth none. */
export function lineOf({ service, contract, name, body }: Seen, cast: Cast, elapsed_s: number): string | undefined {
  const said = words[`${contract}/${name}`]?.(body as Body, (id) => nameIn(cast, String(id)));
  if (said === undefined) return undefined;
  const line = `${`${elapsed_s}`.padStart(4)} s  ${(services[service] ?? "").padEnd(8)}  ${said}`;
  // Whoever names a community gets no terminal to move about in.
  return line.replace(/[^ -~]/g, "?").slice(0, LINE_COLUMNS);
}
