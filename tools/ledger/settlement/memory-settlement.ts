// What a chain remembers of its settlement, in memory: for whoever replays a chain without a store.

import type { PointRow } from "../../../src/wire/slot.js";
import { assertInvariant } from "../../errors.js";
import type { MeterCounters } from "./meter-counters.js";
import type { Settlement, SettlementHead, SettlementView } from "./settle.js";

export class MemorySettlement implements SettlementView {
  readonly #counters = new Map<string, MeterCounters>();
  #head: SettlementHead | undefined;
  /** of the slot that was closed last */
  #rows: { readonly start_s: number; readonly rows: readonly PointRow[] } | undefined;

  get head(): SettlementHead | undefined {
    return this.#head;
  }

  counters(meter: string): MeterCounters | undefined {
    return this.#counters.get(meter);
  }

  all(): Iterable<readonly [string, MeterCounters]> {
    return this.#counters;
  }

  rows(start_s: number): readonly PointRow[] {
    assertInvariant(this.#rows?.start_s === start_s, "the rows of a slot that is being shown are kept");
    return this.#rows.rows;
  }

  /** Takes what a block has made of it. */
  apply({ head, counters, closed }: Settlement): void {
    if (head === undefined) return;
    this.#head = head;
    for (const [meter, row] of counters) this.#counters.set(meter, row);
    const last = closed.at(-1);
    if (last !== undefined) this.#rows = { start_s: last.slot.start_s, rows: last.rows };
  }
}
