// A study's way: asked within the rules, for which the requester's budget pays; run by who may read the chain; checked by others.

import type { Context, Operation, Value } from "../../contracts/author.js";
import { breach } from "../access/breach.js";
import { judgeRules } from "../access/policy.js";
import { fieldsOf, granted, grantedTo, hexOf, nameOf, oneOf, plainOf, TIME_S_MAX, wholeOf } from "../asked.js";
import { cohortIn, MEMBERS_MAX } from "./cohorts.js";
import { askedKinds, CHECKS_MAX, runningRoles, STUDIES_KEPT_MAX, type Study, WAITING_MAX } from "./kinds.js";
import { costOf, groupComplaint, ruleOf } from "./rules.js";

const DAY_S = 86_400;
const PURPOSE_MAX = 12;
const SERVICE_MAX = 65_535;
/** 2^40 - 2, as of any block. */
const HEIGHT_MAX = 1_099_511_627_774;

/** `{ purpose, kind, cohort, service, from_s, to_s, least, query }`. Throws Denied; what is against the rules is a breach. */
export function askStudy(context: Context, asked: Operation): void {
  const fields = fieldsOf(asked.body, ["purpose", "kind", "cohort", "service", "from_s", "to_s", "least", "query"]);
  const purpose = wholeOf(fields.purpose, [1, PURPOSE_MAX], "purpose");
  const kind = oneOf(fields.kind, askedKinds, "kind");
  const cohort = nameOf(fields.cohort, "cohort");
  const service = wholeOf(fields.service, [1, SERVICE_MAX], "service");
  const from_s = wholeOf(fields.from_s, [0, TIME_S_MAX], "from_s");
  const to_s = wholeOf(fields.to_s, [from_s + 1, TIME_S_MAX], "to_s");
  const least = wholeOf(fields.least, [1, MEMBERS_MAX], "least");
  const query = hexOf(fields.query, 64, "query");
  const told = { purpose, kind, cohort, service, from_s, to_s, least };
  const days = Math.floor((to_s - 1) / DAY_S) - Math.floor(from_s / DAY_S) + 1;
  const verdict = judgeRules(context, asked, { purpose, days, most: days }, "rule");
  if (verdict.type === "breach") return breach(context, asked, verdict.rule, { ...told, ...verdict.by });
  const { class: of, digest, size } = cohortIn(context, cohort, [from_s, to_s]);
  // Both the group and what of it is shown apart, as a cluster.
  const complaint = groupComplaint(context, { class: of, size: Math.min(size, least) });
  if (complaint !== undefined) return breach(context, asked, "group", { ...told, ...complaint });
  const kept = studiesOf(context, asked.participant);
  const waiting = kept.filter((id) => studyAt(context, id)?.state === "asked");
  granted(waiting.length < WAITING_MAX, "too-many", WAITING_MAX);
  const cost = costOf(context, kind);
  if (!spend(context, asked, { ...told, cost })) return;
  const id = `${asked.participant}-${asked.seq}`;
  const study: Study = {
    ...{ state: "asked", requester: asked.participant, purpose, kind, cohort, class: of, digest, size },
    ...{ service, from_s, to_s, least, query, cost, result: null, checks: [] },
  };
  putStudy(context, id, study);
  keep(context, asked.participant, [...kept, id]);
  context.put(`due/lapse/${id}`, [context.time_s + ruleOf(context, "answer_days") * DAY_S, id]);
  context.effect("asked", { study: id, ...told, requester: asked.participant, class: of, size, query, cost });
}

/** `{ study, to, header, engine, group, largest_permille, result }`. Throws Denied. */
export function takeResult(context: Context, asked: Operation): void {
  const names = ["study", "to", "header", "engine", "group", "largest_permille", "result"];
  const fields = fieldsOf(asked.body, names);
  const { id, study } = named(context, fields.study);
  // The first result stays: whoever else may run it says by a check what it comes to.
  const { by } = cohortIn(context, study.cohort, [study.from_s, study.to_s]);
  granted([study.requester, by].includes(asked.participant), "not-yours", id);
  granted(study.state === "asked", "not-open", study.state);
  const result = {
    ...{ by: asked.participant, height: context.height },
    to: wholeOf(fields.to, [1, HEIGHT_MAX], "to"),
    header: hexOf(fields.header, 64, "header"),
    engine: plainOf(fields.engine, "engine"),
    group: wholeOf(fields.group, [0, study.size], "group"),
    largest_permille: wholeOf(fields.largest_permille, [0, 1_000], "largest_permille"),
    result: hexOf(fields.result, 64, "result"),
  };
  context.remove(`due/lapse/${id}`);
  const { group: size, largest_permille } = result;
  const complaint = groupComplaint(context, { class: study.class, size, largest_permille });
  if (complaint !== undefined) {
    putStudy(context, id, { ...study, state: "withheld" });
    context.effect("withheld", { study: id, ...complaint });
    return;
  }
  putStudy(context, id, { ...study, state: "sealed", result });
  const { requester, purpose, kind, cohort, service, from_s, to_s, least, query, digest, cost } = study;
  const what = { requester, purpose, kind, cohort, digest, service, from_s, to_s, least, query, cost };
  context.effect("study", { study: id, ...what, ...result });
}

/** `{ study, result }`: what somebody else's run has come to. Throws Denied. */
export function takeCheck(context: Context, asked: Operation): void {
  const fields = fieldsOf(asked.body, ["study", "result"]);
  const { id, study } = named(context, fields.study);
  const said = hexOf(fields.result, 64, "result");
  if (study.requester !== asked.participant) grantedTo(asked, runningRoles);
  const { result } = study;
  granted(result !== null, "not-open", study.state);
  granted(result.by !== asked.participant, "own-study", id);
  granted(!study.checks.some(([by]) => by === asked.participant), "checked", id);
  granted(study.checks.length < CHECKS_MAX, "full", CHECKS_MAX);
  const isSame = said === result.result;
  const checks = [...study.checks, [asked.participant, isSame, context.height] as const];
  putStudy(context, id, { ...study, state: isSame ? study.state : "disputed", checks });
  context.effect(isSame ? "confirmed" : "disputed", { study: id, by: asked.participant, said, result: result.result });
}

/** Nobody has run it in time. What was spent on it stays spent. */
export function lapse(context: Context, body: Value): void {
  const study = studyAt(context, String(body));
  if (study?.state !== "asked") return;
  putStudy(context, String(body), { ...study, state: "lapsed" });
  context.effect("lapsed", { study: body, requester: study.requester });
}

interface Spending {
  readonly [name: string]: Value;
  readonly cost: number;
}

/** Whether the requester's budget, of all of its keys, pays for it; beyond it nothing is spent, and it is a breach. */
function spend(context: Context, asked: Operation, told: Spending): boolean {
  const { participant, issued_id } = asked;
  const window_s = Math.max(1, ruleOf(context, "budget_days")) * DAY_S;
  const window = Math.floor(context.time_s / window_s);
  const [known, before] = (context.get(`budget/${issued_id}`) ?? [window, 0]) as unknown as [number, number];
  const most = ruleOf(context, "budget");
  const spent = (known === window ? before : 0) + told.cost;
  const until_s = (window + 1) * window_s;
  if (spent > most) {
    breach(context, asked, "budget", { ...told, budget: most, until_s });
    return false;
  }
  context.put(`budget/${issued_id}`, [window, spent]);
  context.effect("budget", { participant, spent, budget: most, until_s });
  return true;
}

function named(context: Context, value: Value | undefined): { readonly id: string; readonly study: Study } {
  const id = plainOf(value, "study");
  const study = studyAt(context, id);
  granted(study !== undefined, "unknown-study", id);
  return { id, study };
}

function studyAt(context: Context, id: string): Study | undefined {
  return context.get(`study/${id}`) as unknown as Study | undefined;
}

function putStudy(context: Context, id: string, study: Study): void {
  context.put(`study/${id}`, study as unknown as Value);
}

function studiesOf(context: Context, participant: string): readonly string[] {
  return (context.get(`studies/${participant}`) ?? []) as unknown as readonly string[];
}

/** The newest ones; the oldest that has ended goes, as fewer may wait than are kept. */
function keep(context: Context, participant: string, ids: readonly string[]): void {
  const ended = ids.filter((id) => studyAt(context, id)?.state !== "asked");
  const gone = ids.length > STUDIES_KEPT_MAX ? ended.slice(0, 1) : [];
  for (const id of gone) context.remove(`study/${id}`);
  const left = ids.filter((id) => !gone.includes(id));
  context.put(`studies/${participant}`, left);
}
