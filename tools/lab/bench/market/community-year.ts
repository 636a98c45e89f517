// Months of a community in the simulation's time: readings become slots, slots shares, shares bills, bills payments and ratings. Each
// contract runs in the engine that nodes run it in. The bills are held against a reckoning of their own.

import { fileURLToPath } from "node:url";
import { decodeOutput, type Value } from "../../../../src/wire/value.js";
import { assertInvariant } from "../../../errors.js";
import { operationTypes as communities } from "../../../market/community/types.js";
import { operationTypes as ratings } from "../../../market/credit/kinds.js";
import { chains } from "../../../market/messages.js";
import { energiesAt, SLOT_S } from "./homes.js";
import { type Called, MemoryChain, type Said } from "./memory-chain.js";
import { MeteredPoints, pointOf } from "./metered.js";
import { type Billed, type Faults, Reckoning, terms } from "./reckoning.js";

const COMMUNITY = fileURLToPath(new URL("../../../market/community/community.ts", import.meta.url));
const CREDIT = fileURLToPath(new URL("../../../market/credit/credit.ts", import.meta.url));
const DAY_S = 86_400;
const PERIOD_DAYS = 30;
/** Bills are paid so long after they came. */
const PAID_AFTER_DAYS = 10;
/** 2026-01-01T00:00:00Z */
const BEGIN_S = 1_767_225_600;
const SLOTS_A_DAY = DAY_S / SLOT_S;
/** Points of which their operator states owners at once. */
const OWNERS_TOGETHER = 50;
const manager = { participant: "aa".repeat(8), roles: [3] };
const operator = { participant: "bb".repeat(8), roles: [5] };
const agent = { participant: "cc".repeat(8), roles: [8] };

export interface YearPlan {
  readonly points: number;
  readonly days: number;
}

/** What a part of the time has come to, in CPU time; what is kept as it was at its end. */
export interface YearPart {
  readonly slots: number;
  readonly settle_ms: number;
  readonly share_ms: number;
  readonly bill_ms: number;
  readonly rate_ms: number;
  readonly records_bytes: number;
  /** of effects and messages */
  readonly sealed_bytes: number;
  readonly kept_bytes: number;
  readonly memory_bytes: number;
}

export interface YearMeasurement extends YearPlan {
  readonly parts: readonly YearPart[];
  readonly bills: number;
  readonly ratings: number;
  readonly faults: Faults;
}

type Spent = { share_ms: number; bill_ms: number; rate_ms: number };

/** Runs all of it and tells of each day. `parts` of the time are measured apart. */
export async function measureYear(
  { points, days }: YearPlan,
  parts: number,
  onDay: (done: number) => void,
): Promise<YearMeasurement> {
  const year = await Year.begin(points, days);
  const measured: YearPart[] = [];
  for (let part = 0; part < parts; part += 1) {
    const [first, end] = [part, part + 1].map((each) => Math.floor((days * each) / parts)) as [number, number];
    const before = year.totals();
    for (let day = first; day < end; day += 1) {
      await year.day(day);
      onDay(day + 1);
    }
    measured.push(partOf(before, year.totals()));
  }
  return { points, days, parts: measured, ...year.outcome };
}

type Totals = YearPart;

/** What grows is told by the part, what is kept as it stands. */
function partOf(before: Totals, after: Totals): YearPart {
  return {
    slots: after.slots - before.slots,
    settle_ms: after.settle_ms - before.settle_ms,
    share_ms: after.share_ms - before.share_ms,
    bill_ms: after.bill_ms - before.bill_ms,
    rate_ms: after.rate_ms - before.rate_ms,
    records_bytes: after.records_bytes - before.records_bytes,
    sealed_bytes: after.sealed_bytes - before.sealed_bytes,
    ...{ kept_bytes: after.kept_bytes, memory_bytes: after.memory_bytes },
  };
}

class Year {
  readonly #points: number;
  readonly #days: number;
  readonly #trading: MemoryChain;
  readonly #credit: MemoryChain;
  readonly #metered: MeteredPoints;
  readonly #reckoning: Reckoning;
  readonly #spent: Spent = { share_ms: 0, bill_ms: 0, rate_ms: 0 };
  readonly #unpaid: { readonly day: number; readonly rows: readonly Value[] }[] = [];
  #slots = 0;
  #seq = 0;
  #messages = 0;
  #bills = 0;
  #ratings = 0;
  #faults: Faults = { bills: 0, money: 0n };

  private constructor({ points, days }: YearPlan, trading: MemoryChain, credit: MemoryChain) {
    this.#points = points;
    this.#days = days;
    this.#trading = trading;
    this.#credit = credit;
    this.#metered = new MeteredPoints(points, BEGIN_S, cpu_ms);
    this.#reckoning = new Reckoning(points);
  }

  static async begin(points: number, days: number): Promise<Year> {
    const trading = await MemoryChain.install([{ name: "community", file: COMMUNITY }]);
    const credit = await MemoryChain.install([{ name: "credit", file: CREDIT }]);
    const year = new Year({ points, days }, trading, credit);
    await year.#found();
    return year;
  }

  get outcome() {
    return { bills: this.#bills, ratings: this.#ratings, faults: this.#faults };
  }

  totals(): Totals {
    const { settle_ms, records_bytes } = this.#metered;
    return {
      ...{ ...this.#spent, slots: this.#slots, settle_ms, records_bytes },
      sealed_bytes: this.#trading.sealed_bytes + this.#credit.sealed_bytes,
      kept_bytes: this.#trading.kept_bytes + this.#credit.kept_bytes + this.#metered.kept_bytes,
      memory_bytes: process.memoryUsage().rss,
    };
  }

  async day(day: number): Promise<void> {
    const begin_s = BEGIN_S + day * DAY_S;
    for (let slot = 0; slot < SLOTS_A_DAY; slot += 1) await this.#slot(begin_s + slot * SLOT_S);
    const end_s = begin_s + DAY_S;
    const period = this.#begins().indexOf(end_s) - 1;
    if (period >= 0) await this.#bill(this.#begins()[period]!, end_s, day);
    await this.#timed("rate_ms", async () => {
      for (const { rows } of this.#unpaid.filter((each) => each.day + PAID_AFTER_DAYS === day)) {
        await this.#pay(rows, end_s);
      }
      this.#told(await this.#credit.call(end_s, []));
    });
  }

  /** Begins of the periods, and the end of the last one, which has what is left. */
  #begins(): readonly number[] {
    const count = Math.max(1, Math.floor(this.#days / PERIOD_DAYS));
    const begins = Array.from({ length: count }, (_, period) => BEGIN_S + period * PERIOD_DAYS * DAY_S);
    return [...begins, BEGIN_S + this.#days * DAY_S];
  }

  async #found(): Promise<void> {
    const time_s = BEGIN_S - DAY_S;
    const homes = Array.from({ length: this.#points }, (_, home) => home);
    const owner = (home: number) => ({ participant: `d${pointOf(home).slice(1)}`, roles: [2] });
    const ask = (signer: typeof manager, type: number, body: Value) => this.#operation("community", signer, type, body);
    const found = { community: "year", name: "Year", from: BEGIN_S, ...terms };
    await this.#trading.call(time_s, [
      ask(manager, communities.found, found),
      ask(manager, communities.periods, { community: "year", begins: this.#begins().slice(1) }),
    ]);
    for (let first = 0; first < homes.length; first += OWNERS_TOGETHER) {
      const together = homes.slice(first, first + OWNERS_TOGETHER);
      const owned = together.map((home) => [pointOf(home), owner(home).participant, null]);
      await this.#trading.call(time_s, [ask(operator, communities.owners, { points: owned })]);
    }
    for (const home of homes) {
      const part = { community: "year", point: pointOf(home), factor: 10_000, key: 0 };
      await this.#trading.call(time_s, [
        ask(manager, communities.invite, part),
        ask(owner(home), communities.join, part),
      ]);
    }
  }

  async #slot(start_s: number): Promise<void> {
    const energies = energiesAt(this.#points, start_s);
    this.#reckoning.add(energies);
    const rows = this.#metered.slot(start_s, energies);
    const points = rows.map(({ point, imported, exported, quality, doubts }) => {
      return [point, imported, exported, quality, doubts];
    });
    const argument = { start_s, length_s: SLOT_S, count: rows.length, first: 0, points };
    await this.#timed("share_ms", () =>
      this.#trading.call(start_s + SLOT_S, [{ contract: "community", entry: "slot", argument }]),
    );
    this.#slots += 1;
  }

  async #bill(begin_s: number, end_s: number, day: number): Promise<void> {
    const body = { community: "year", period: begin_s, kind: "final" };
    const run = this.#operation("community", manager, communities.bill, body);
    const said = await this.#timed("bill_ms", () => this.#trading.call(end_s, [run]));
    const effects = (name: string) => said.flatMap((each) => (each.name === name ? [decodeOutput(each.body)] : []));
    const bills = (effects("bill") as unknown as readonly { point: string; amount: Value }[]).map(
      ({ point, amount }): Billed => ({ point, amount: BigInt(amount as number | bigint) }),
    );
    const [total] = effects("bills") as unknown as readonly { own: Value }[];
    assertInvariant(total !== undefined, "a period is billed");
    this.#bills += bills.length;
    const faults = this.#reckoning.close(bills, BigInt(total.own as number | bigint), pointOf);
    this.#faults = {
      bills: this.#faults.bills + faults.bills,
      money: this.#faults.money + magnitude(faults.money),
    };
    await this.#timed("rate_ms", () => this.#tell(said, end_s, day));
  }

  /** Brings the community's messages to the credit chain. */
  async #tell(said: readonly Said[], time_s: number, day: number): Promise<void> {
    for (const { name, body, service } of said) {
      if (service !== chains.credit) continue;
      const decoded = decodeOutput(body);
      if (name === "payment") this.#unpaid.push({ day, rows: (decoded as { rows: readonly Value[] }).rows });
      const number = this.#messages;
      this.#messages += 1;
      const place = { service: chains.trading, number, contract: "community", name, time_s };
      const argument = { ...place, height: this.#trading.height, body: decoded };
      this.#told(await this.#credit.call(time_s, [{ contract: "credit", entry: "message", argument }]));
    }
  }

  async #pay(rows: readonly Value[], paid_s: number): Promise<void> {
    const calls = rows.map((row) => {
      const [participant, bill, due_s] = row as readonly [string, string, number];
      return this.#operation("credit", agent, ratings.paid, { participant, bill, due_s, paid_s });
    });
    this.#told(await this.#credit.call(paid_s, calls));
  }

  #told(said: readonly Said[]): void {
    this.#ratings += said.filter(({ name, service }) => name === "rating" && service === undefined).length;
  }

  #operation(contract: string, signer: typeof manager, type: number, body: Value): Called {
    const seq = this.#seq;
    this.#seq += 1;
    return { contract, entry: "operation", argument: { ...signer, type, jurisdiction: null, seq, time_s: 0, body } };
  }

  async #timed<Made>(name: keyof Spent, work: () => Promise<Made>): Promise<Made> {
    const begin_ms = cpu_ms();
    const made = await work();
    this.#spent[name] += cpu_ms() - begin_ms;
    return made;
  }
}

/** Of all threads of the process: other work on the machine is not counted. */
function cpu_ms(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function magnitude(amount: bigint): bigint {
  return amount < 0n ? -amount : amount;
}
