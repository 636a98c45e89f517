// Goes over what a chain is missing, some rows at a time and again from the beginning, and knows how many there are and since when. Where
// a whole pass has found nothing, the next one waits.

import { keyBehind } from "../../store/keys.js";
import type { FoundRow, StoreReader } from "../../store/store.js";
import type { Table } from "../../store/table.js";

/** Between two passes of which the first has found nothing. */
const PAUSE_MS = 30_000;

export interface Missing {
  readonly count: number;
  /** UTC seconds; undefined where nothing is missing */
  readonly since_s: number | undefined;
}

export interface MissingRow {
  readonly since_s: number;
}

export class Pass<Key extends Buffer, Row extends MissingRow> {
  readonly #store: StoreReader;
  readonly #table: Table<Key, Row, never>;
  readonly #end: Buffer;
  readonly #begin: Buffer;
  #next: Buffer;
  #pausedUntil_ms = Number.NEGATIVE_INFINITY;
  /** of the pass under way: rows that it came to and that are missing still, since when the oldest of them, rows that were found */
  #left = 0;
  #oldest_s: number | undefined;
  #found = 0;
  #fruitless = 0;
  #missing: Missing = { count: 0, since_s: undefined };

  constructor(
    store: StoreReader,
    table: Table<Key, Row, never>,
    { start, end }: { readonly start: Buffer; readonly end: Buffer },
  ) {
    this.#store = store;
    this.#table = table;
    this.#begin = start;
    this.#next = start;
    this.#end = end;
  }

  get missing(): Missing {
    return this.#missing;
  }

  /** Whole passes, one after the other with the same members in reach, in which nothing was found. */
  get fruitless(): number {
    return this.#fruitless;
  }

  /** The next rows; none where the pass is over, or waits. */
  next(limit: number, now_ms: number): FoundRow<Key, Row>[] {
    if (limit === 0 || now_ms < this.#pausedUntil_ms) return [];
    const rows = this.#store.range(this.#table, { start: this.#next, end: this.#end, limit });
    const last = rows.at(-1);
    if (last === undefined) {
      this.#finish(now_ms);
      return [];
    }
    this.#next = keyBehind(last.key);
    this.#left += rows.length;
    for (const { row } of rows) this.#oldest_s = Math.min(this.#oldest_s ?? row.since_s, row.since_s);
    return rows;
  }

  /** So many are missing more, from this time on. */
  noted(count: number, since_s: number): void {
    this.#missing = { count: this.#missing.count + count, since_s: this.#missing.since_s ?? since_s };
    this.#pausedUntil_ms = Number.NEGATIVE_INFINITY;
  }

  /** So many are missing no more. */
  found(count: number): void {
    if (count === 0) return;
    this.#found += count;
    this.#left = Math.max(0, this.#left - count);
    const left = Math.max(0, this.#missing.count - count);
    this.#missing = { count: left, since_s: left === 0 ? undefined : this.#missing.since_s };
  }

  /** So many rows of the pass under way lack nothing but certainty: they stay, and are not counted. */
  excused(count: number): void {
    this.#left = Math.max(0, this.#left - count);
  }

  /** So many rows go, as nobody has them. */
  lost(count: number): void {
    this.excused(count);
    const left = Math.max(0, this.#missing.count - count);
    this.#missing = { count: left, since_s: left === 0 ? undefined : this.#missing.since_s };
  }

  /** Somebody has come who may have it: nothing waits. */
  hurry(): void {
    this.#fruitless = 0;
    this.#pausedUntil_ms = Number.NEGATIVE_INFINITY;
  }

  #finish(now_ms: number): void {
    this.#missing = { count: this.#left, since_s: this.#left === 0 ? undefined : this.#oldest_s };
    this.#fruitless = this.#found === 0 ? this.#fruitless + 1 : 0;
    if (this.#found === 0) this.#pausedUntil_ms = now_ms + PAUSE_MS;
    this.#next = this.#begin;
    this.#left = 0;
    this.#found = 0;
    this.#oldest_s = undefined;
  }
}
