// What an audit has to say against a chain: it is wrong, or something is missing without which it cannot be judged.

import { WireError } from "../../src/wire/error.js";

/**
 * What is missing: `contracts` the orders that the chain obeys · `end` the rest of a file that is cut off · `start` the blocks before
 * the first · `pruned` blocks that the node has let go of
 */
export type Lack = "contracts" | "end" | "start" | "pruned";

/** The first thing that does not follow, and the height of the block that it is in. */
export interface Problem {
  readonly height: number;
  readonly what: string;
  /** absent where it is wrong, whatever else there is */
  readonly lacks?: Lack;
}

export type Verdict = "good" | "bad" | "incomplete";

export function verdictOn(problem: Problem | undefined): Verdict {
  if (problem === undefined) return "good";
  return problem.lacks === undefined ? "bad" : "incomplete";
}

/** Thrown where the chain cannot be judged any further. */
export class Incomplete extends WireError {
  readonly lacks: Lack;

  constructor(lacks: Lack, message: string) {
    super("unproven", message);
    this.lacks = lacks;
  }
}
