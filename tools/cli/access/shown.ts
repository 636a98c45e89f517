// Requests as `gridseal access list` shows them: a table for all, and to a participant what a decision needs, with the command for it.

import type { Value } from "../../../src/wire/value.js";
import { secondText, table, toJson } from "../../terminal/output.js";
import { purposes } from "./purposes.js";
import { dayText } from "./sign-access.js";

export type Request = Readonly<Record<"requester" | "need" | "state" | "basis", string>> &
  Readonly<Record<"purpose" | "from" | "until", number>> & {
    /** absent where sums over a group are asked for */
    readonly meter?: string;
    readonly group?: string;
    readonly days?: readonly (readonly [first: number, end: number, subject: string | null])[];
    /** UTC seconds until which it is delivered */
    readonly until_s?: number;
    readonly ended_s?: number;
  };

/** Runs of days, each with whose consent counts on them. */
export type Subjects = readonly (readonly [subject: string, first: number, end: number])[];

/** Days from 1970 from which on no date can be written: the end of what has none. */
const NO_DAY = 2_900_000;

export function requestTable(requests: readonly (readonly [name: string, request: Request])[]): string[] {
  const heads = ["REQUEST", "STATE", "BASIS", "PURPOSE", "METER", "FROM", "UNTIL", "OPENS", "DELIVERED UNTIL", "ENDED"];
  const rows = requests.map(([name, request]) => {
    const { meter, group, state, basis, from, until, days = [], until_s, ended_s } = request;
    const opens = state === "accepted" ? days.map(([first, end]) => periodText(first, end)).join(", ") : "";
    const delivered = state === "accepted" && until_s !== undefined ? secondText(until_s) : "";
    const ended = ended_s === undefined ? "" : secondText(ended_s);
    return [
      name,
      state,
      basis,
      purposeText(request),
      meter ?? `group ${group}`,
      dayOf(from),
      dayOf(until),
      opens,
      delivered,
      ended,
    ];
  });
  return table(heads, rows);
}

/** The meters that a participant is the subject of, and when. */
export function subjectLines(participant: string, subjects: ReadonlyMap<string, Subjects>): string[] {
  const lines = [...subjects].flatMap(([meter, rows]) =>
    rows
      .filter(([subject]) => subject === participant)
      .map(([, first, end]) => `you are the subject of meter ${meter}, ${periodText(first, end)}`),
  );
  return lines.length > 0 ? lines : ["you are the subject of no meter"];
}

export interface Deciding {
  readonly as: string;
  readonly service: string;
  readonly participant: string;
  readonly subjects: ReadonlyMap<string, Subjects>;
  /** what the need says; undefined where it was taken back */
  readonly text: string | undefined;
}

/** Who asks one for what, and the commands that answer: those that the contract would take of this participant. */
export function decisionLines(name: string, request: Request, deciding: Deciding): string[] {
  const { requester, meter, group, from, until } = request;
  const { as, service, participant, text } = deciding;
  const who = requester === participant ? "you ask" : `${requester} asks`;
  const why = text === undefined ? "its need was taken back" : toJson(text);
  const verbs = verbsOf(request, deciding);
  return [
    `${name}: ${who} for ${purposeText(request)}, ${why}, of ${meter === undefined ? `group ${group}` : `meter ${meter}`}, ${periodText(from, until)}`,
    ...verbs.map((verb) => `  to ${verb}: gridseal access ${verb} ${name} --as ${as} --service ${service}`),
  ];
}

function verbsOf({ state, basis, requester, meter, from, until, days = [] }: Request, deciding: Deciding): string[] {
  const { participant, subjects } = deciding;
  if (state !== "sent" && state !== "accepted") return [];
  if (requester === participant) return ["withdraw"];
  const own = (subjects.get(meter ?? "") ?? []).filter(
    ([subject, first, end]) => subject === participant && first < until && end > from,
  );
  if (own.length === 0) return [];
  if (state === "sent") return basis === "consent" ? ["consent", "object"] : ["object"];
  if (basis === "law") return [];
  const isOpen = days.some(([first, end]) => own.some(([, begin, behind]) => begin < end && behind > first));
  return [...(basis === "consent" && !isOpen ? ["consent"] : []), ...(isOpen ? ["withdraw"] : [])];
}

export function concerning(what: string, meter: string, value: Value): string {
  if (what !== "change") return `meter ${meter}  days are erased: ${erasedText(value)}`;
  const { id, participant, first, end } = value as { readonly [name: string]: Value };
  const days = periodText(Number(first), Number(end));
  return `meter ${meter}  ${participant} is to be its subject ${days}, by statement ${id}`;
}

/** Rows of [first day, day behind the last, erasure, seconds of Unix time]. */
function erasedText(value: Value): string {
  const rows = Array.isArray(value) ? (value as readonly (readonly Value[])[]) : [];
  return rows
    .map(([first, end, erasure, time_s]) => {
      return `${periodText(Number(first), Number(end))} by ${erasure}, ${secondText(Number(time_s))}`;
    })
    .join("; ");
}

function purposeText({ purpose }: Request): string {
  return purposes[purpose - 1] ?? String(purpose);
}

function periodText(first: number, end: number): string {
  return end >= NO_DAY ? `from ${dayOf(first)} on` : `${dayOf(first)} until ${dayOf(end)}`;
}

function dayOf(day: number): string {
  return day >= NO_DAY ? "" : dayText(day);
}
