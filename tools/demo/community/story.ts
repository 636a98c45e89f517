// The demo's story, pure: what the sealed chains show and time go in, what participants ask of them comes out. A community is founded and
// joined, slots are traded on a grid that does not carry all of it, a works sells what it does not have, and bills are run.

import type { Value } from "../../../src/wire/value.js";
import { canonicalText, sha256OfText } from "../../dispatch/contract/canonical.js";
import { operationTypes as networks } from "../../dispatch/contract/kinds.js";
import { bidDigest, operationTypes as bids, type Opening } from "../../market/auction/types.js";
import { operationTypes as communities } from "../../market/community/types.js";
import { operationTypes as ratings } from "../../market/credit/kinds.js";
import { chains } from "../../market/messages.js";
import { cohortDigest, monthOf } from "../../market/mining/cohorts.js";
import { operationTypes as studies } from "../../market/mining/kinds.js";
import type { Asked, Seen, Wanted } from "./asked.js";
import { type Actor, type Cast, members, SUPPLY_POINT } from "./cast.js";
import { COMMUNITY, GATE_S, OPENING_S, SLOT_S } from "./contracts.js";
import { gridOf } from "./grid.js";
import { createIncidents, type Incidents, incidentsOf, noteIncident } from "./incidents.js";
import type { StudyResult, WantedStudy } from "./run-study.js";
import { COHORT, queryOf, RESEARCH, studyPeriod } from "./study-plan.js";

/** What is asked and not seen after so long is asked again: it may have come before its contract. */
const AGAIN_S = 6;
/** Bids are asked for at least so long before their gate, and no later openings than so long before the clearing. */
const SIGNED_S = 5;
const OPENED_S = 3;
/** How many seconds are billed at once, and how many such periods are set. */
const PERIOD_S = 60;
const PERIODS = 60;
/** What a cohort begins before, so that its first slots are in its months. */
const HOUR_S = 3_600;

interface Round {
  readonly bids: readonly (readonly [who: Actor, opening: Opening])[];
  readonly sealed: Set<string>;
  isOpened: boolean;
}

export interface Story {
  readonly cast: Cast;
  /** whether the contracts are ordered */
  isReady: boolean;
  /** names of what was seen */
  readonly seen: Set<string>;
  /** when something was asked for the last time, by its name */
  readonly asked: Map<string, number>;
  readonly rounds: Map<number, Round>;
  /** mWh that anna's roof has given in the newest slot */
  given: number;
  /** begins of the community's periods, and begin of the newest slot whose shares are sealed */
  begins: readonly number[];
  shared: number;
  /** begin of the first slot whose shares are sealed */
  firstShared: number;
  /** the study that is asked for and not run yet, and the one whose result nobody has checked */
  wantedStudy: WantedStudy | undefined;
  uncheckedStudy: WantedStudy | undefined;
  readonly incidents: Incidents;
}

export function createStory(cast: Cast): Story {
  const nothing = { seen: new Set<string>(), asked: new Map<string, number>(), rounds: new Map<number, Round>() };
  return {
    ...{ cast, isReady: false, ...nothing, given: 0, begins: [], shared: 0, firstShared: 0 },
    ...{ wantedStudy: undefined, uncheckedStudy: undefined, incidents: createIncidents() },
  };
}

/** Takes note of what a block shows. */
export function note(story: Story, shown: Seen): void {
  const { contract, name, body } = shown;
  const said = body as { readonly [field: string]: Value };
  const key = `${contract}/${name}`;
  story.seen.add(key);
  if (name === "invited" || name === "joined") story.seen.add(`${key}/${String(said.point)}`);
  if (key === "auction/bid") story.rounds.get(Number(said.slot))?.sealed.add(String(said.digest));
  if (key === "dispatch/transmission") story.seen.add(`transmission/${said.number}/${said.slot_s}`);
  if (key === "dispatch/countersigned") story.seen.add(`countersigned/${said.number}`);
  if (key === "community/periods") story.begins = said.begins as readonly number[];
  if (key === "community/bills" && said.kind === "final") story.seen.add(`billed/${(said.period as number[])[0]}`);
  noteIncident(story.incidents, story.cast, shown);
  if (key === "community/left") {
    // Whoever has left may be invited again.
    for (const step of ["invited", "joined"]) story.seen.delete(`community/${step}/${String(said.point)}`);
  }
  if (key === "mining/asked") {
    story.wantedStudy = { study: String(said.study), from_s: Number(said.from_s), to_s: Number(said.to_s) };
  }
  if (key === "mining/study") {
    // Who checks it takes the same blocks: readings may have come late since.
    story.uncheckedStudy = story.wantedStudy && { ...story.wantedStudy, to: Number(said.to) };
    story.wantedStudy = undefined;
  }
  if (key === "mining/confirmed" || key === "mining/disputed") story.uncheckedStudy = undefined;
  if (key === "community/shares") {
    story.shared = Number(said.start);
    story.firstShared ||= story.shared;
    const row = (said.rows as readonly (readonly Value[])[]).find(([point]) => point === story.cast.points.anna);
    story.given = Number(row?.[4] ?? 0);
  }
}

/** What is to be asked now. `salt` draws 32 hex digits. */
export function ask(story: Story, now_s: number, salt: () => string): readonly Asked[] {
  if (!story.isReady) return [];
  const wanted = [
    ...foundingOf(story, now_s),
    ...billsOf(story, now_s),
    ...signaturesOf(story, now_s),
    ...studyOf(story, now_s),
    ...incidentsOf(story.incidents, story, now_s),
  ];
  const due = wanted.filter(([name]) => now_s - (story.asked.get(name) ?? 0) >= AGAIN_S);
  for (const [name] of due) story.asked.set(name, now_s);
  return [...due.map(([, asked]) => asked), ...biddingOf(story, now_s, salt)];
}

/** What the community, the grid and the rating of the works are founded by; each step once those before it are sealed. */
function foundingOf({ cast, seen, begins }: Story, now_s: number): readonly Wanted[] {
  const of = (who: Actor, type: number, body: Value, service: number = chains.trading) => ({
    who,
    service,
    type,
    body,
  });
  const { ids, points } = cast;
  const terms = { model: "proportional", price: 12_000, feed: 10_000 };
  const founding = { community: COMMUNITY, name: "Sun street", ...terms };
  const owned = members.map((name) => [points[name], ids[name]]);
  const grid = gridOf(cast);
  const network = { part: 0, of: 1, hash: sha256OfText(canonicalText(grid)), ...grid };
  const part = (point: string) => ({ community: COMMUNITY, point });
  const steps: readonly (readonly [isSeen: boolean, wanted: readonly Wanted[]])[] = [
    [
      ["community/founded", "community/owners", "auction/points", "dispatch/network", "credit/rating"].every((name) =>
        seen.has(name),
      ),
      [
        ["community/founded", of("manager", communities.found, founding)],
        ["community/owners", of("grid", communities.owners, { points: owned.map((row) => [...row, null]) })],
        ["auction/points", of("grid", bids.points, { points: [...owned, [SUPPLY_POINT, ids.supply]] })],
        ["dispatch/network", of("grid", networks.network, network, chains.dispatch)],
        ["credit/rating", of("office", ratings.kind, { participant: ids.works, kind: "firm" }, chains.credit)],
      ],
    ],
    [
      members.every((name) => seen.has(`community/invited/${points[name]}`)),
      members.map((name) => [
        `community/invited/${points[name]}`,
        of("manager", communities.invite, part(points[name])),
      ]),
    ],
    [
      members.every((name) => seen.has(`community/joined/${points[name]}`)),
      members.map((name) => [`community/joined/${points[name]}`, of(name, communities.join, part(points[name]))]),
    ],
    [(begins.at(-1) ?? 0) > now_s, [["periods", of("manager", communities.periods, periodsFrom(now_s))]]],
  ];
  const next = steps.find(([isSeen]) => !isSeen);
  return (next?.[1] ?? []).filter(([name]) => name === "periods" || !seen.has(name));
}

function periodsFrom(now_s: number): Value {
  const first = SLOT_S * Math.ceil((now_s + PERIOD_S) / SLOT_S);
  return { community: COMMUNITY, begins: Array.from({ length: PERIODS }, (_, index) => first + PERIOD_S * index) };
}

/** Final bills of periods whose slots are all shared. */
function billsOf({ begins, shared, seen }: Story, now_s: number): readonly Wanted[] {
  return begins.slice(0, -1).flatMap((period, index): Wanted[] => {
    const end = begins[index + 1]!;
    const name = `billed/${period}`;
    if (end > now_s || shared + SLOT_S < end || seen.has(name)) return [];
    const body = { community: COMMUNITY, period, kind: "final" };
    return [[name, { who: "manager", service: chains.trading, type: communities.bill, body }]];
  });
}

/** A researcher asks for a study of the members' homes, once so many slots of them are shared. */
function studyOf({ cast, seen, firstShared, shared }: Story, now_s: number): readonly Wanted[] {
  const meters = members.map((name) => cast.points[name]).sort();
  const body = {
    class: "residential",
    digest: cohortDigest(meters),
    size: meters.length,
    from: monthOf(now_s - HOUR_S),
  };
  const of = (who: Actor, type: number, asked: Value): Asked => ({ who, service: chains.mining, type, body: asked });
  if (!seen.has("mining/cohort")) {
    return [["mining/cohort", of("data", studies.cohort, { name: COHORT, ...body })]];
  }
  const period = studyPeriod(firstShared, shared);
  if (period === undefined || seen.has("mining/asked")) return [];
  const { from_s, to_s } = period;
  const wanted = {
    ...RESEARCH,
    cohort: COHORT,
    service: chains.trading,
    from_s,
    to_s,
    least: meters.length,
    query: queryOf(meters),
  };
  return [["mining/asked", of("campus", studies.ask, wanted)]];
}

/** The grid operator signs what its grid carries, before the slot begins. */
function signaturesOf({ seen }: Story, now_s: number): readonly Wanted[] {
  const waiting = [...seen].flatMap((name): number[] => {
    const [what, number, slot_s] = name.split("/");
    const isOpen = what === "transmission" && Number(slot_s) > now_s && !seen.has(`countersigned/${number}`);
    return isOpen ? [Number(number)] : [];
  });
  return waiting.map((number) => [
    `countersigned/${number}`,
    { who: "grid", service: chains.dispatch, type: networks.countersign, body: { numbers: [number] } },
  ]);
}

/** Bids for the next slot that is traded, and their openings once its gate is closed. */
function biddingOf(story: Story, now_s: number, salt: () => string): readonly Asked[] {
  const { seen, rounds, given } = story;
  const of = (who: Actor, type: number, body: Value): Asked => ({ who, service: chains.trading, type, body });
  const asked: Asked[] = [];
  const slot = SLOT_S * Math.ceil((now_s + GATE_S + SIGNED_S) / SLOT_S);
  const isFounded = ["auction/points", "dispatch/network", "credit/rating"].every((name) => seen.has(name));
  if (isFounded && given > 0 && !rounds.has(slot)) {
    const round = roundFor(story, slot, salt);
    rounds.set(slot, round);
    for (const [who, opening] of round.bids) {
      asked.push(of(who, bids.bid, { slot, digest: bidDigest(story.cast.ids[who], opening) }));
    }
  }
  for (const [at, round] of rounds) {
    if (now_s > at) rounds.delete(at);
    if (round.isOpened || now_s <= at - GATE_S || now_s >= at - GATE_S + OPENING_S - OPENED_S) continue;
    round.isOpened = true;
    for (const [who, opening] of round.bids) {
      if (round.sealed.has(bidDigest(story.cast.ids[who], opening))) asked.push(of(who, bids.open, { ...opening }));
    }
  }
  return asked;
}

/** What the works sells beyond what it makes, which is nothing; and what the supplier takes of anybody. */
const OVERSOLD = 300_000;
const TAKEN = 2_000_000;

/** Anna sells what her roof has given; the works sells the first time, then wants to buy what it owes. */
function roundFor({ given, seen }: Story, slot: number, salt: () => string): Round {
  const bid = (side: "buy" | "sell", price: number, volume: number): Opening => ({
    ...{ slot, side, price, volume, salt: salt() },
  });
  const works = seen.has("dispatch/deviation") ? bid("buy", 30_000, 1_000_000) : bid("sell", 8_500, OVERSOLD);
  const list = [
    ["anna", bid("sell", 8_000, given)],
    ["works", works],
    ["supply", bid("buy", 9_000, TAKEN)],
  ] as const;
  return { bids: list, sealed: new Set(), isOpened: false };
}

/** A study that somebody is to run, and whose word its result is. */
export interface StudyJob {
  readonly study: WantedStudy;
  readonly who: Actor;
  readonly type: typeof studies.result | typeof studies.check;
}

/** Who keeps the data runs what is asked for; who has asked runs it once more. */
export function studyJob({ wantedStudy, uncheckedStudy }: Story): StudyJob | undefined {
  if (wantedStudy !== undefined) return { study: wantedStudy, who: "data", type: studies.result };
  return uncheckedStudy && { study: uncheckedStudy, who: "campus", type: studies.check };
}

/** The word on what a run has come to. */
export function wordOf({ who, type }: StudyJob, body: StudyResult): Asked {
  const { study, result } = body;
  return { who, service: chains.mining, type, body: type === studies.result ? body : { study, result } };
}
