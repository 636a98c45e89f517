// Many lives of an access contract, each of one seed: people ask, consent, withdraw, erase, hand meters over, at random. What custodians
// would deliver is held, after each operation, to a memory of who has said what, which knows nothing of how the contract works.

import { encodeValue } from "../../../src/wire/value.js";
import type { Context, Operation, Value } from "../../../tools/contracts/author.js";
import { due, operation } from "../../../tools/market/access/access.js";
import { DAY_S, TYPES } from "../../../tools/market/access/types.js";
import { contractState } from "../../../tools/node/chain/tables/contract-state.js";
import { grantInForce, holdsDay } from "../../../tools/node/disclosures/grants.js";
import { stateKeyIn } from "../../../tools/node/store/keys.js";

const TODAY = 20_700;
const METER = "11".repeat(8);
const KEY = "0b".repeat(32);
const CHAIN = 3;
const STEPS = 24;
const DAYS = 6;
const GRANT_DAYS = 2;
export const parameters: Readonly<Record<string, Value>> = {
  "rule-9-7": "consent 3 AT",
  "rule-9-3": "decision 3 *",
  "rule-10-9": "law 4 *",
  "rule-9-8": "law 4 *",
  "prohibit-8": "CH",
  erasure: "subject",
  grant_days: GRANT_DAYS,
  answer_days: 2,
};

interface Person {
  readonly id: string;
  readonly role: number;
  readonly jurisdiction: string | null;
}

const person = (number: number, role: number, jurisdiction: string | null = "AT"): Person => {
  return { id: `aa${String(number).padStart(14, "0")}`, role, jurisdiction };
};
const people = {
  keeper: person(1, 13),
  permitter: person(2, 12),
  anna: person(3, 2),
  bert: person(4, 2),
  study: person(5, 9),
  abroad: person(6, 9, "CH"),
  office: person(7, 10),
  stray: person(8, 4),
} as const;
const everybody = Object.values(people);

/** What is asked of the contract, and by whom. */
interface Said {
  readonly by: Person;
  readonly type: number;
  readonly body: Value;
}

/** A change of the contract, or of what it is told: each breaks one rule. */
export type Mutant = (said: Said) => Said | undefined;

/** Numbers from 0 on below a bound, from a seed (xorshift). */
function randomOf(seed: number): (below: number) => number {
  let state = (seed * 2_654_435_761 + 1) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

interface Asking {
  readonly name: string;
  readonly by: Person;
  readonly purpose: number;
  readonly from: number;
  readonly until: number;
  /** UTC seconds at which it was last granted */
  granted_s: number;
  /** refused, or taken back by who has asked */
  isOver: boolean;
  decided: boolean;
  /** subjects whose consent holds, and those who have withdrawn */
  readonly consents: Set<string>;
  readonly withdrawn: Set<string>;
}

/** Runs one life; what was delivered against the rules, undefined where nothing was. `mutant` changes what the contract is told. */
export function live(seed: number, mutant: Mutant = (said) => said, set = parameters): string | undefined {
  const life = new Life(seed, mutant, set);
  for (let step = 0; step < STEPS; step += 1) {
    const complaint = life.step();
    if (complaint !== undefined) return `seed ${seed}, step ${step}: ${complaint}`;
  }
  return undefined;
}

class Life {
  readonly #random: (below: number) => number;
  readonly #mutant: Mutant;
  readonly #set: typeof parameters;
  readonly #state = new Map<string, Value>();
  readonly #askings: Asking[] = [];
  readonly #subjects = new Map<number, string>();
  readonly #erased = new Set<number>();
  readonly #steps: readonly (() => void)[];
  #time_s = TODAY * DAY_S + 60;
  #height = 1;
  #isDenied = false;

  constructor(seed: number, mutant: Mutant, set: typeof parameters) {
    this.#random = randomOf(seed);
    this.#mutant = mutant;
    this.#set = set;
    this.#steps = [
      ...[() => this.#states(), () => this.#handsOver(), () => this.#asks(), () => this.#consents()],
      ...[() => this.#objects(), () => this.#withdraws(), () => this.#decides(), () => this.#erases()],
      () => this.#waits(),
    ];
  }

  /** Somebody does something; what would be delivered then that nobody may have. */
  step(): string | undefined {
    this.#pick(this.#steps)();
    const truth = { state: this.#state, time_s: this.#time_s, subjects: this.#subjects, erased: this.#erased };
    for (const asking of this.#askings) {
      const complaint = wrongIn(asking, truth);
      if (complaint !== undefined) return complaint;
    }
    return undefined;
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#random(items.length)]!;
  }

  get #today(): number {
    return Math.floor(this.#time_s / DAY_S);
  }

  #context(): Context {
    const state = this.#state;
    return {
      ...{ height: this.#height, time_s: this.#time_s, parameters: this.#set },
      get: (key) => state.get(key),
      keys: (prefix) => [...state.keys()].filter((key) => key.startsWith(prefix)).sort(),
      put: (key, value) => void state.set(key, value),
      remove: (key) => void state.delete(key),
      effect() {},
      violation() {},
      deny: () => {
        this.#isDenied = true;
      },
      message() {},
    };
  }

  /** What it is called, and whether the contract has not denied it. */
  #say(said: Said): { readonly name: string; readonly isDone: boolean } {
    this.#height += 1;
    this.#isDenied = false;
    const told = this.#mutant(said);
    if (told !== undefined) {
      const { by, type, body } = told;
      const who = { participant: by.id, issued_id: by.id, roles: [by.role], jurisdiction: by.jurisdiction };
      const asked = { ...who, seq: this.#height, time_s: this.#time_s, type, body };
      operation(this.#context(), asked satisfies Operation);
    }
    return { name: `${said.by.id}-${this.#height}`, isDone: !this.#isDenied };
  }

  /** By an administrator alone, where nobody loses anything. */
  #states(): void {
    const whose = this.#pick([people.anna, people.bert]);
    if (this.#subjects.size > 0) return;
    const from = this.#today;
    if (!this.#say({ by: people.keeper, type: TYPES.subject, body: [METER, whose.id, from, null] }).isDone) return;
    for (let day = from; day < TODAY + 60; day += 1) this.#subjects.set(day, whose.id);
  }

  #handsOver(): void {
    const from = this.#today + this.#random(2);
    const all = new Set(this.#subjects.values());
    const [loser] = all;
    const taker = loser === people.anna.id ? people.bert : people.anna;
    if (loser === undefined || all.size > 1) return;
    const stated = this.#say({ by: people.keeper, type: TYPES.subject, body: [METER, taker.id, from, null] });
    if (!stated.isDone) return;
    const by = this.#pick([people.anna, people.bert]);
    const { isDone } = this.#say({ by, type: TYPES.confirmation, body: [METER, stated.name, true] });
    if (!isDone || by.id !== loser) return;
    for (const day of this.#subjects.keys()) if (day >= from) this.#subjects.set(day, taker.id);
  }

  #asks(): void {
    const by = this.#pick([people.study, people.abroad, people.office, people.stray]);
    const purpose = this.#pick([3, 7, 8, 9]);
    const need = this.#say({ by, type: TYPES.need, body: [purpose, 1 + this.#random(5), "x"] });
    if (!need.isDone) return;
    const from = TODAY - 1 + this.#random(3);
    const until = from + 1 + this.#random(DAYS);
    const made = this.#say({ by, type: TYPES.request, body: [need.name, METER, from, until, KEY] });
    const said = { consents: new Set<string>(), withdrawn: new Set<string>(), isOver: false, decided: false };
    this.#askings.push({ name: made.name, by, purpose, from, until, granted_s: this.#time_s, ...said });
  }

  #consents(): void {
    const asking = this.#pick([...this.#askings, undefined]);
    const by = this.#pick(everybody);
    if (asking === undefined) return;
    if (this.#say({ by, type: TYPES.consent, body: [asking.name] }).isDone) asking.granted_s = this.#time_s;
    asking.consents.add(by.id);
    asking.withdrawn.delete(by.id);
  }

  #objects(): void {
    const asking = this.#pick([...this.#askings, undefined]);
    if (asking === undefined) return;
    const by = this.#pick([people.anna, people.bert]);
    const isWithin = (day: number) => asking.from <= day && day < asking.until;
    const isSubject = [...this.#subjects].some(([day, whose]) => whose === by.id && isWithin(day));
    const isGranted = this.#state.has(`grant/${asking.name}`);
    this.#say({ by, type: TYPES.objection, body: [asking.name] });
    if (isSubject && !isGranted) asking.isOver = true;
  }

  #withdraws(): void {
    const asking = this.#pick([...this.#askings, undefined]);
    const by = this.#pick([people.anna, people.bert, people.study, people.office]);
    if (asking === undefined) return;
    const wasGranted = this.#state.has(`grant/${asking.name}`);
    this.#say({ by, type: TYPES.withdrawal, body: [asking.name] });
    if (by === asking.by) asking.isOver = true;
    if (wasGranted) asking.withdrawn.add(by.id);
  }

  #decides(): void {
    const asking = this.#pick([...this.#askings, undefined]);
    const by = this.#pick(everybody);
    if (asking === undefined) return;
    if (this.#say({ by, type: TYPES.decision, body: [asking.name, true] }).isDone) asking.granted_s = this.#time_s;
    if (by === people.permitter) asking.decided = true;
  }

  #erases(): void {
    const from = TODAY + this.#random(3);
    const by = this.#pick([people.anna, people.bert, people.permitter]);
    const isTheirs = by === people.permitter || this.#subjects.get(from) === by.id;
    this.#say({ by, type: TYPES.erasure, body: [METER, from, from + 1, "order 7"] });
    if (isTheirs && from + 1 <= this.#today) this.#erased.add(from);
  }

  #waits(): void {
    this.#time_s += this.#random(2) * DAY_S + 3_600;
    for (const [key, value] of [...this.#state]) {
      if (!key.startsWith("due/")) continue;
      const [at_s, body] = value as readonly [number, Value];
      if (at_s > this.#time_s) continue;
      this.#state.delete(key);
      due(this.#context(), { key: key.slice("due/".length), time_s: at_s, body });
    }
  }
}

interface Truth {
  readonly state: ReadonlyMap<string, Value>;
  readonly time_s: number;
  readonly subjects: ReadonlyMap<number, string>;
  readonly erased: ReadonlySet<number>;
}

/** What a custodian would deliver on the request that nobody may have; undefined where there is nothing. */
function wrongIn(asking: Asking, truth: Truth): string | undefined {
  const { name, by, purpose, from, until } = asking;
  const store = {
    get: (table: unknown, key: Buffer) => {
      const value =
        table === contractState ? truth.state.get(stateKeyIn(key as never).slice("access/".length)) : undefined;
      return value === undefined ? undefined : encodeValue(value);
    },
  };
  const ports = { store, hasContract: () => true, now_ms: () => 1_000 * truth.time_s };
  const grant = grantInForce(ports as never, CHAIN, name);
  if (grant === undefined) return undefined;
  const told = `${name} of ${by.id} for ${purpose}`;
  if (asking.isOver) return `${told} is over`;
  const isAllowed = allowed(by, purpose, until - from);
  if (!isAllowed) return `${told} is within no rule`;
  if (truth.time_s > Math.max(until * DAY_S, asking.granted_s) + GRANT_DAYS * DAY_S) return `${told} has ended`;
  for (let day = TODAY - 3; day < TODAY + 30; day += 1) {
    if (!holdsDay(grant, day)) continue;
    const complaint = wrongOn(asking, day, truth);
    if (complaint !== undefined) return `${told}, day ${day}: ${complaint}`;
  }
  return undefined;
}

/** The rules once more, as a person would say them. */
function allowed({ role, jurisdiction }: Person, purpose: number, days: number): boolean {
  if (purpose === 7) return role === 9 && jurisdiction === "AT" && days <= 3;
  if (purpose === 3) return role === 9 && days <= 3;
  if (purpose === 8) return role === 9 && jurisdiction !== "CH" && days <= 4;
  return purpose === 9 && role === 10 && days <= 4;
}

function wrongOn({ purpose, from, until, consents, withdrawn, decided }: Asking, day: number, truth: Truth) {
  if (day < from || day >= until) return "not asked for";
  if (truth.erased.has(day)) return "erased";
  const subject = truth.subjects.get(day);
  if (purpose === 7 && (subject === undefined || !consents.has(subject))) return "without the subject's consent";
  if (purpose === 3 && !decided) return "without a decision";
  if ((purpose === 7 || purpose === 3) && subject !== undefined && withdrawn.has(subject)) return "withdrawn";
  return undefined;
}
