// Where what a block has sealed as its results is something else than what its contracts come to, in words: a reader learns which effect,
// bill or verdict is another.

import { equalBytes } from "../../src/wire/bytes.js";
import { entryText } from "../../src/wire/entry.js";
import type { Effect, EntryOutcome } from "../../src/wire/outcome.js";
import { decodeResults, encodeViolation, type Results, ruleOf } from "./violations.js";

/** The first difference; `sealed` as a block has it. Throws a WireError where that reads as no results. */
export function resultsDifference(computed: Results, sealed: Uint8Array): string {
  const told = decodeResults(sealed);
  return (
    outcomesDifference(computed.outcomes, told.outcomes) ??
    violationsDifference(computed.violations, told.violations) ??
    `${told.slots.length} slots are closed where ${computed.slots.length} are to be, or with other rows`
  );
}

function outcomesDifference(computed: readonly EntryOutcome[], told: readonly EntryOutcome[]): string | undefined {
  for (const [index, own] of computed.entries()) {
    const other = told[index];
    const name = entryText(own.entry);
    if (other === undefined || entryText(other.entry) !== name) return `the outcome of ${name} is missing`;
    const said = outcomeDifference(own, other);
    if (said !== undefined) return `${name}: ${said}`;
  }
  const more = told[computed.length];
  return more === undefined ? undefined : `${entryText(more.entry)} has an outcome, and comes to none`;
}

function outcomeDifference(own: EntryOutcome, other: EntryOutcome): string | undefined {
  if (own.type !== other.type) return `it is ${other.type}, and comes to ${own.type}`;
  const by = "contract" in own ? ` of contract ${own.contract}` : "";
  if ("contract" in own && "contract" in other) {
    if (own.contract !== other.contract) return `contract ${other.contract} has run, where ${own.contract} is to`;
    if (own.used !== other.used) return `${other.used} of the budget is used, where it is ${own.used}`;
  }
  const [effects, others] = [own, other].map((one) => ("effects" in one ? one.effects : [])) as [Effects, Effects];
  const place = Array.from({ length: Math.max(effects.length, others.length) }, (_, index) => index).find(
    (index) => !isSameEffect(effects[index], others[index]),
  );
  if (place === undefined) {
    const isSame = JSON.stringify(detailOf(own)) === JSON.stringify(detailOf(other));
    return isSame ? undefined : `why it is ${own.type}${by} is another`;
  }
  const name = `effect ${place}, ${(others[place] ?? effects[place])!.name},${by}`;
  if (effects[place] === undefined) return `${name} is not what it comes to: there is none`;
  return others[place] === undefined ? `${name} is left out` : `${name} is another than it comes to`;
}

type Effects = readonly Effect[];

function isSameEffect(one: Effect | undefined, other: Effect | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  const isSamePlace = JSON.stringify(one.to ?? null) === JSON.stringify(other.to ?? null);
  return one.name === other.name && isSamePlace && equalBytes(one.body, other.body);
}

/** Why it failed, or was denied. */
function detailOf(outcome: EntryOutcome): unknown {
  if (outcome.type === "failed") return outcome.reason;
  return outcome.type === "denied" ? outcome.denials.map(({ rule, body }) => [rule, [...body]]) : null;
}

function violationsDifference(computed: Results["violations"], told: Results["violations"]): string | undefined {
  for (const [index, own] of computed.entries()) {
    const other = told[index];
    if (other !== undefined && equalBytes(encodeViolation(own), encodeViolation(other))) continue;
    const name = `violation ${index}, ${ruleOf(own) ?? own.kind},`;
    return other === undefined ? `${name} is left out` : `${name} is another than is found`;
  }
  const more = told[computed.length];
  return more === undefined
    ? undefined
    : `violation ${computed.length}, ${ruleOf(more) ?? more.kind}, is found by nobody`;
}
