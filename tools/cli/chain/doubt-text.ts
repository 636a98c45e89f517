// Kinds of doubts as people name them.

import { doubtBits } from "../../../src/agent/doubts.js";

const named = Object.entries(doubtBits);

/** The kinds of a slot's row, which has them as bits; one without a name by its number. */
export function doubtText(doubts: number): string {
  const kinds: string[] = [];
  for (let bit = 0; 2 ** bit <= doubts; bit += 1) {
    if ((doubts & (1 << bit)) === 0) continue;
    kinds.push(named.find(([, number]) => number === bit)?.[0] ?? `kind ${bit}`);
  }
  return kinds.join(" ") || "-";
}
