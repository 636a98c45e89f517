// What the newest blocks have written to a chain's state: whoever holds a copy of it brings that up to date instead of reading all anew.

import { equalBytes } from "../../src/wire/bytes.js";
import type { StateChanges } from "./state-map.js";

/** Blocks that are kept. A copy is used for each block that writes, so it is seldom further behind. */
const BLOCKS_KEPT = 4;

interface Step {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  readonly changes: StateChanges;
}

export class StateHistory {
  #steps: readonly Step[] = [];

  /** A block has made the one root of the other. */
  note(from: Uint8Array, to: Uint8Array, changes: StateChanges): void {
    if (equalBytes(from, to)) return;
    const last = this.#steps.at(-1);
    const known = last === undefined || equalBytes(last.to, from) ? this.#steps : [];
    this.#steps = [...known, { from, to, changes }].slice(-BLOCKS_KEPT);
  }

  /** All that made the one root of the other; undefined where that is not known. */
  changesSince(from: Uint8Array, to: Uint8Array): StateChanges | undefined {
    if (equalBytes(from, to)) return new Map();
    const last = this.#steps.at(-1);
    const first = this.#steps.findIndex((step) => equalBytes(step.from, from));
    if (first < 0 || last === undefined || !equalBytes(last.to, to)) return undefined;
    return new Map(this.#steps.slice(first).flatMap(({ changes }) => [...changes]));
  }
}
