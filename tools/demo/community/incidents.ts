// What happens beside the course of the demo's story, once in a run: a name is set, energies are corrected, terms change, somebody leaves,
// a breach is answered. So participants sign each type of operations that the demo's contracts take.

import type { Value } from "../../../src/wire/value.js";
import { operationTypes as networks } from "../../dispatch/contract/kinds.js";
import { CONTRACTS_SERVICE } from "../../ledger/governance.js";
import { operationTypes as communities } from "../../market/community/types.js";
import { operationTypes as ratings } from "../../market/credit/kinds.js";
import { monthOf } from "../../market/credit/rating.js";
import { chains } from "../../market/messages.js";
import type { Asked, Seen, Wanted } from "./asked.js";
import { type Actor, type Cast, SUPPLY_POINT } from "./cast.js";
import { COMMUNITY, SLOT_S } from "./contracts.js";

/** Types of the contracts that every network begins with (PROTOCOL.md, section 4). */
const SET_NAME = 1;
const CASE_STEP = 16;
/** A name is set from so many blocks of the contracts chain ahead. */
const AHEAD = 10;
/** What bert's meter is said to have missed, and what the supplier is forecast to feed in, in mWh. */
const MISSED = 1_000;
const FORECAST = 1_000;

export interface Incidents {
  /** of the contracts chain; 0 until it is known */
  contractsHeight: number;
  /** begin of the first period that is billed */
  billed: number | undefined;
  /** what bert took and gave in the first slot that is shared, in mWh */
  bertsFirst: readonly [start_s: number, taken: number, given: number] | undefined;
  /** the first breach of a transmission contract */
  accused: { readonly violation: string; readonly subject: string } | undefined;
  /** whether the works is on a list of credit */
  isListed: boolean;
  /** cases of credit that wait to be decided, by their numbers */
  readonly openCases: Set<number>;
}

export function createIncidents(): Incidents {
  const nothing = { billed: undefined, bertsFirst: undefined, accused: undefined };
  return { contractsHeight: 0, ...nothing, isListed: false, openCases: new Set() };
}

/** Takes note of what a block shows. */
export function noteIncident(
  incidents: Incidents,
  { ids, points }: Cast,
  { contract, name, body, violation }: Seen,
): void {
  const said = body as { readonly [field: string]: Value };
  switch (`${contract}/${name}`) {
    case "community/shares": {
      const row = (said.rows as readonly (readonly Value[])[]).find(([point]) => point === points.bert);
      if (row !== undefined) incidents.bertsFirst ??= [Number(said.start), Number(row[1]), Number(row[4])];
      break;
    }
    case "community/bills":
      if (said.kind === "final") incidents.billed ??= (said.period as readonly number[])[0];
      break;
    case "dispatch/deviation":
      if (violation !== undefined) incidents.accused ??= { violation, subject: String(said.subject) };
      break;
    case "credit/rating": {
      const { list } = (said.standing ?? {}) as { readonly list?: Value };
      if (said.participant === ids.works) incidents.isListed = list !== undefined && list !== "none";
      break;
    }
    case "credit/objection":
    case "credit/repair":
      incidents.openCases.add(Number(said.number));
      break;
    case "credit/decided":
      incidents.openCases.delete(Number(said.number));
  }
}

export interface Course {
  readonly cast: Cast;
  /** names of what was seen, and when something was asked for the last time */
  readonly seen: ReadonlySet<string>;
  readonly asked: ReadonlyMap<string, number>;
}

/** What is to be asked for, under the name by which it is seen where it is sealed. */
export function incidentsOf(incidents: Incidents, course: Course, now_s: number): readonly Wanted[] {
  const { seen } = course;
  const wanted = [
    ...announcements(incidents, now_s),
    ...changesOf(incidents, course),
    ...answersTo(incidents, course, now_s),
    ...unseenOnes(incidents, course, now_s),
  ];
  return wanted.filter(([name]) => !seen.has(name));
}

const of = (who: Actor, service: number, type: number, body: Value): Asked => ({ who, service, type, body });

/** The market's operator sets a name. */
function announcements({ contractsHeight }: Incidents, now_s: number): readonly Wanted[] {
  if (contractsHeight === 0) return [];
  const value = { community: COMMUNITY, since: now_s };
  const body = { name: "demo", jurisdiction: null, from: contractsHeight + AHEAD, value };
  return [["registry/set", of("office", CONTRACTS_SERVICE, SET_NAME, body)]];
}

/** What the community's members and its manager change. */
function changesOf({ bertsFirst, billed }: Incidents, { cast: { points }, seen }: Course): readonly Wanted[] {
  const wanted: Wanted[] = [];
  if (bertsFirst !== undefined) {
    const [start, taken, given] = bertsFirst;
    const body = { point: points.bert, slots: [[start, taken + MISSED, given, 2]] };
    wanted.push(["community/corrected", of("grid", chains.trading, communities.correct, body)]);
  }
  if (billed === undefined) return wanted;
  const terms = { community: COMMUNITY, model: "proportional", price: 11_500, feed: 10_000 };
  wanted.push(["community/terms", of("manager", chains.trading, communities.terms, terms)]);
  if (!seen.has("mining/study")) return wanted;
  // He is invited and joins again, as whoever is not a member yet.
  const left = { community: COMMUNITY, point: points.bert };
  return [...wanted, ["community/left", of("bert", chains.trading, communities.leave, left)]];
}

/** A breach is acknowledged, and objected to; the regulator decides what is asked of him. */
function answersTo(
  { accused, isListed, openCases }: Incidents,
  { cast: { ids } }: Course,
  now_s: number,
): readonly Wanted[] {
  const wanted: Wanted[] = [];
  if (accused !== undefined) {
    const step = { ...accused, state: "acknowledged", reason: "seen" };
    wanted.push(["cases/case", of("office", CONTRACTS_SERVICE, CASE_STEP, step)]);
  }
  if (accused?.subject === ids.works) {
    const objection = { month: monthOf(now_s), what: "breaches", at: 0, reason: "clouds" };
    wanted.push(["credit/objection", of("works", chains.credit, ratings.object, objection)]);
  }
  if (isListed) {
    wanted.push(["credit/repair", of("works", chains.credit, ratings.repair, { reason: "it buys what it owes" })]);
  }
  for (const number of openCases) {
    const decision = { case: number, upheld: false, reason: "clouds are foreseen" };
    wanted.push([`decision/${number}`, of("agency", chains.credit, ratings.decide, decision)]);
  }
  return wanted;
}

/** What no effect tells apart from others: it is asked for once. */
function unseenOnes(
  { billed, bertsFirst }: Incidents,
  { cast: { ids }, seen, asked }: Course,
  now_s: number,
): readonly Wanted[] {
  const wanted: Wanted[] = [];
  if (billed !== undefined) {
    const payment = { participant: ids.bert, bill: `${COMMUNITY}-${billed}`, due_s: now_s + 86_400, paid_s: now_s };
    wanted.push(["payment", of("clearing", chains.credit, ratings.paid, payment)]);
  }
  // The first check is that of the market: commands show it by its number.
  const isChecked = [...seen].some((name) => name.startsWith("transmission/"));
  if (bertsFirst !== undefined && isChecked) {
    const slot_s = SLOT_S * (Math.floor(now_s / SLOT_S) + 2);
    const forecast = { slot_s, length_s: SLOT_S, rows: [[SUPPLY_POINT, FORECAST, null, null]] };
    wanted.push(["forecast", of("office", chains.dispatch, networks.schedule, forecast)]);
  }
  return wanted.filter(([name]) => !asked.has(name));
}
