// Goes over the envelopes whose shares a chain is missing, each origin's in its turn: those that a liar invents make no others wait.

import { fromHex, toHex } from "../../../../src/wire/bytes.js";
import type { OriginKey } from "../../store/keys.js";
import type { FoundRow, StoreReader } from "../../store/store.js";
import { type MissingShare, missingShares } from "../tables/missing-shares.js";
import { originsIn, rangeOfOrigin } from "./looked-for.js";
import { type Missing, Pass } from "./passes.js";

export interface MissingShares extends Missing {
  /** ids as hex of the nodes whose temporary blocks named them, ascending */
  readonly origins: readonly string[];
}

export class SharePasses {
  readonly #store: StoreReader;
  readonly #chain: number;
  /** by the origin's id as hex; it is dropped where nothing is left of it */
  readonly #passes = new Map<string, Pass<OriginKey, MissingShare>>();
  #turn = 0;

  constructor(store: StoreReader, chain: number) {
    this.#store = store;
    this.#chain = chain;
  }

  get missing(): MissingShares {
    const some = [...this.#passes].filter(([, { missing }]) => missing.count > 0);
    const times = some.flatMap(([, { missing }]) => missing.since_s ?? []);
    return {
      count: some.reduce((sum, [, { missing }]) => sum + missing.count, 0),
      since_s: times.length === 0 ? undefined : Math.min(...times),
      origins: some.map(([origin]) => origin).sort(),
    };
  }

  of(origin: string): Pass<OriginKey, MissingShare> {
    const known = this.#passes.get(origin);
    if (known !== undefined) return known;
    const made = new Pass(this.#store, missingShares, rangeOfOrigin(this.#chain, fromHex(origin)!));
    this.#passes.set(origin, made);
    return made;
  }

  /** The next rows, as many of each origin. */
  next(limit: number, now_ms: number): FoundRow<OriginKey, MissingShare>[] {
    const origins = originsIn(this.#store, this.#chain).map((origin) => toHex(origin));
    for (const origin of this.#passes.keys()) if (!origins.includes(origin)) this.#passes.delete(origin);
    if (origins.length === 0) return [];
    this.#turn = (this.#turn + 1) % origins.length;
    const inTurn = [...origins.slice(this.#turn), ...origins.slice(0, this.#turn)];
    const each = Math.ceil(limit / origins.length);
    const rows: FoundRow<OriginKey, MissingShare>[] = [];
    for (const origin of inTurn) rows.push(...this.of(origin).next(Math.min(each, limit - rows.length), now_ms));
    return rows;
  }

  hurry(): void {
    for (const pass of this.#passes.values()) pass.hurry();
  }
}
