// Violations in exported chains, without a node: what their blocks hold against somebody, and what the contract `cases` has made of it,
// where the export of the contracts chain is among them.

import { type Block, decodeBlock } from "../../../src/wire/block.js";
import { toHex } from "../../../src/wire/bytes.js";
import { decodeOutput } from "../../../src/wire/value.js";
import { CONTRACTS_SERVICE } from "../../ledger/governance.js";
import { decodeResults } from "../../ledger/violations.js";
import { violationName, violationView } from "../../node/chain/violation-list.js";
import { type CaseState, caseStates, type ListedViolation, type ViolationItem } from "../../routes/violations.js";
import { openFileSource } from "../../sources/file.js";
import type { ViolationQuestion } from "../../sources/source.js";

/**
 * Those of the files that are asked for, the newest first. The files are read, not audited: `chain audit` does that. Rejects with
 * FILE_UNREADABLE or CHAIN_INVALID.
 */
export async function exportedViolations(
  files: readonly string[],
  asked: ViolationQuestion,
): Promise<readonly ListedViolation[]> {
  const found: ViolationItem[] = [];
  const states = new Map<string, CaseState>();
  for (const file of files) {
    for await (const bytes of openFileSource(file).blocks(0, 1)) {
      const block = decodeBlock(bytes);
      found.push(...violationsIn(block));
      for (const [id, state] of stepsIn(block)) states.set(id, state);
    }
  }
  const listed = found.map((one): ListedViolation => ({ ...one, state: states.get(one.id) ?? "open" }));
  const cursor = asked.after?.split(":").map(Number);
  return listed
    .filter((one) => isAsked(one, asked) && (cursor === undefined || isNewer(cursor, placeOf(one))))
    .sort((one, other) => (isNewer(placeOf(one), placeOf(other)) ? -1 : 1));
}

function violationsIn({ chain: service, height, time_ms, results }: Block): ViolationItem[] {
  const { violations } = decodeResults(results);
  return violations.map((violation, index) => violationView({ violation, time_ms, service, height, index }));
}

/** What a block of the contracts chain says of cases: effects `case` of the contract `cases`. */
function stepsIn({ chain, results }: Block): (readonly [string, CaseState])[] {
  if (chain !== CONTRACTS_SERVICE) return [];
  return decodeResults(results).outcomes.flatMap((outcome) => {
    if (!("contract" in outcome) || outcome.contract !== "cases" || !("effects" in outcome)) return [];
    return outcome.effects.flatMap(({ name, body, to }): (readonly [string, CaseState])[] => {
      if (name !== "case" || to !== undefined) return [];
      const said = decodeOutput(body) as { readonly violation: string; readonly state: string };
      const state = caseStates.find((known) => known === said.state);
      return state === undefined ? [] : [[said.violation, state]];
    });
  });
}

function isAsked(one: ListedViolation, asked: ViolationQuestion): boolean {
  const { subject, kind, rule, state, service, from_ms = 0, to_ms = Number.POSITIVE_INFINITY } = asked;
  if (subject !== undefined && toHex(subject) !== one.subject) return false;
  if (rule !== undefined && one.rule !== rule && !one.rule?.startsWith(`${rule}/`)) return false;
  if (kind !== undefined && kind !== one.kind) return false;
  if (state !== undefined && state !== one.state) return false;
  return (service === undefined || service === one.service) && one.time_ms >= from_ms && one.time_ms <= to_ms;
}

type Place = readonly number[];

function placeOf(one: ViolationItem): Place {
  return [one.time_ms, ...violationName(one).split(":").map(Number)];
}

/** By time, chain, height and place, as a node lists them. */
function isNewer(one: Place, other: Place): boolean {
  const at = one.findIndex((part, index) => part !== other[index]);
  return at >= 0 && one[at]! > other[at]!;
}
