// A participant's right of reply: an objection to one fact, or a repair after what was wrong is mended; the regulator decides.

import type { Context, Value } from "../../contracts/author.js";
import { granted } from "../asked.js";
import { factsOf, type Known, put, strike, subjectOf } from "./ledger.js";

export interface Case {
  readonly kind: "objection" | "repair";
  /** which fact: month, list and its place there; of a repair null */
  readonly about: readonly [month: number, what: "breaches" | "payments", at: number] | null;
  readonly reason: string;
}

/** Cases of one participant that wait to be decided. */
const OPEN_MAX = 4;

/** It is kept until it is decided; then its effects have it. */
interface Opened extends Case {
  readonly participant: string;
  /** the fact as it stood, which others may move */
  readonly fact: Value;
}

/** Throws Denied where there is no such fact, or nothing to repair. */
export function open(context: Context, participant: string, asked: Case): void {
  const known = { context };
  let fact: Value = null;
  if (asked.about === null) {
    const { listed } = subjectOf(known, participant);
    granted(listed !== null && listed.mended_s === null, "not-listed");
  } else {
    const [month, what, at] = asked.about;
    const found = factsOf(known, participant, month)[what][at];
    granted(found !== undefined, "unknown-fact", at);
    fact = found as unknown as Value;
  }
  const waiting = openOf(context, participant);
  granted(waiting.length < OPEN_MAX, "full", OPEN_MAX);
  const number = Number(context.get("cases") ?? 0);
  context.put("cases", number + 1);
  const opened: Opened = { ...asked, participant, fact };
  context.put(`case/${number}`, opened as unknown as Value);
  context.put(`open/${participant}`, [...waiting, number]);
  context.effect(asked.kind, { number, ...opened } as unknown as Value);
}

function openOf(context: Context, participant: string): readonly number[] {
  return (context.get(`open/${participant}`) ?? []) as readonly number[];
}

interface Decision {
  readonly upheld: boolean;
  readonly reason: string;
}

/** Upheld, an objection takes the fact out, and a repair ends the list. Throws Denied. */
export function decide(known: Known, number: number, { upheld, reason }: Decision): void {
  const { context } = known;
  const opened = context.get(`case/${number}`) as unknown as Opened | undefined;
  granted(opened !== undefined, "unknown-case", number);
  const { participant, about } = opened;
  if (upheld && about !== null) {
    const [month, what] = about;
    const at = placeOf(known, opened);
    granted(at >= 0, "unknown-fact", about[2]);
    strike(known, participant, [month, what, at]);
  }
  const subject = subjectOf(known, participant);
  if (upheld && about === null && subject.listed !== null) {
    put(known, participant, { ...subject, listed: { ...subject.listed, mended_s: context.time_s } });
  }
  const waiting = openOf(context, participant).filter((each) => each !== number);
  context.remove(`case/${number}`);
  if (waiting.length > 0) context.put(`open/${participant}`, waiting);
  else context.remove(`open/${participant}`);
  known.touched.add(participant);
  context.effect("decided", { number, participant, upheld, reason });
}

/** Where the fact stands now: an objection upheld before may have moved it. */
function placeOf(known: Known, { participant, about, fact }: Opened): number {
  const [month, what] = about!;
  const sameAs = textOf(fact);
  return factsOf(known, participant, month)[what].findIndex((each) => textOf(each as unknown as Value) === sameAs);
}

function textOf(value: Value): string {
  return Array.isArray(value) ? (value as readonly Value[]).map(textOf).join("|") : String(value);
}
