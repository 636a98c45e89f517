// A violation with the place where it is sealed, and what is told of it without its proof: the same in lists, events and audits.

import { toHex } from "../../src/wire/bytes.js";
import { entryText } from "../../src/wire/entry.js";
import { numberOf, ruleOf, subjectOf, type Violation } from "./violations.js";

export interface ViolationPlace {
  readonly service: number;
  readonly height: number;
  /** among the violations of the block's results, from 0 */
  readonly index: number;
}

export interface FoundViolation extends ViolationPlace {
  readonly time_ms: number;
  readonly violation: Violation;
}

/** As it is named in questions and answers: service:height:index. */
export function violationName({ service, height, index }: ViolationPlace): string {
  return `${service}:${height}:${index}`;
}

export type ViolationView = ReturnType<typeof violationView>;

/** What is told of one without its proof. */
export function violationView({ violation, time_ms, ...place }: FoundViolation) {
  return {
    id: violationName(place),
    service: place.service,
    height: place.height,
    index: place.index,
    time_ms,
    ...violationFacts(violation),
  };
}

/** The same without its place. */
export function violationFacts(violation: Violation) {
  return {
    kind: violation.kind,
    subject: toHex(subjectOf(violation)),
    number: numberOf(violation),
    rule: ruleOf(violation) ?? null,
    entry: violation.kind === "contract" ? entryText(violation.entry) : null,
  };
}
