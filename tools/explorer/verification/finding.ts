// What a check of this page has found: something that it has proved here, something that a quorum has sealed and that is not computed
// again here, something that it was merely told, something that is wrong, or something that it could not ask for.

import { WireError } from "../../../src/wire/error.js";
import { reasonOf } from "../../errors.js";

export type FindingState = "verified" | "sealed" | "told" | "wrong" | "open";

/** Numbers and names that the sentence of a check has. */
export type Facts = Readonly<Record<string, string | number>>;

export interface Finding<Name extends string = string> {
  readonly name: Name;
  readonly state: FindingState;
  readonly facts: Facts;
  /** what is wrong, or why it is open */
  readonly reason?: string;
}

/** A check: what it proves with its facts; throws a WireError where what it looks at is wrong. */
export type Check<Question> = (question: Question) => Promise<Facts> | Facts;

/** A list of checks, in the order in which they are shown; each rests on those before it. */
export type Checks<Question, Name extends string> = readonly (readonly [name: Name, check: Check<Question>])[];

/** Makes the checks one after the other; behind one that is wrong nothing more is proved. */
export async function* findingsOf<Question, Name extends string>(
  checks: Checks<Question, Name>,
  question: Question,
): AsyncGenerator<Finding<Name>> {
  for (const [name, check] of checks) {
    const finding = await findingOf(name, check, question);
    yield finding;
    if (finding.state === "wrong") return;
  }
}

async function findingOf<Question, Name extends string>(
  name: Name,
  check: Check<Question>,
  question: Question,
): Promise<Finding<Name>> {
  try {
    return { name, state: "verified", facts: await check(question) };
  } catch (error) {
    const state = error instanceof WireError ? "wrong" : "open";
    return { name, state, facts: {}, reason: reasonOf(error) };
  }
}

/** What findings come to together: wrong where one is, verified where all are. */
export function stateOf(findings: readonly Finding[]): FindingState {
  const states = new Set(findings.map(({ state }) => state));
  return (["wrong", "open", "told", "sealed"] as const).find((state) => states.has(state)) ?? "verified";
}
