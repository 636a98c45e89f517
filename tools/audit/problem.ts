// What an audit has to say against a chain: it is wrong, or something is missing without which it cannot be judged.

import type { Lack } from "../sources/incomplete.js";

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
