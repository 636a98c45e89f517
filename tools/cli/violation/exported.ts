// Violations in exported chains, without a node: what their blocks hold against somebody, and what the contract `cases` has made of it,
// where the export of the contracts chain is among them.

import type { Block } from "../../../src/wire/block.js";
import { toHex } from "../../../src/wire/bytes.js";
import { decodeOutput } from "../../../src/wire/value.js";
import { CONTRACTS_SERVICE } from "../../ledger/governance.js";
import { violationName, violationView } from "../../ledger/violation-place.js";
import { decodeResults } from "../../ledger/violations.js";
import { type CaseState, caseStates, type ViolationItem } from "../../routes/violations.js";
import { readBlocks } from "../../sources/file.js";
import type { ViolationQuestion } from "../../sources/source.js";

/** `?`: what has become of it is not in the files */
export type ExportedViolation = ViolationItem & { readonly state: CaseState | "?" };

export interface Exported {
  readonly all: readonly ExportedViolation[];
  /** whether the contracts chain is among the files */
  readonly hasCases: boolean;
}

/**
 * Those of the files that are asked for, the newest first. The files are read, not audited: `chain audit` does that. Rejects with
 * FILE_UNREADABLE or CHAIN_INVALID.
 */
export async function exportedViolations(files: readonly string[], asked: ViolationQuestion): Promise<Exported> {
  const found: ViolationItem[] = [];
  const states = new Map<string, CaseState>();
  const lapsed: Lapse[] = [];
  let hasCases = false;
  for (const file of files) {
    await readBlocks(file, (block) => {
      hasCases ||= block.chain === CONTRACTS_SERVICE;
      found.push(...violationsIn(block));
      for (const effect of casesEffects(block)) note(effect, block, { states, lapsed });
    });
  }
  const listed = found.map((one): ExportedViolation => {
    if (!hasCases) return { ...one, state: "?" };
    const hasLapsed = lapsed.some(({ subjects, time_ms }) => one.time_ms <= time_ms && subjects.includes(one.subject));
    return { ...one, state: states.get(one.id) ?? (hasLapsed ? "lapsed" : "open") };
  });
  const cursor = asked.after?.split(":").map(Number);
  const all = listed
    .filter((one) => isAsked(one, asked) && (cursor === undefined || isNewer(cursor, placeOf(one))))
    .sort((one, other) => (isNewer(placeOf(one), placeOf(other)) ? -1 : 1));
  return { all, hasCases };
}

function violationsIn({ chain: service, height, time_ms, results }: Block): ViolationItem[] {
  const { violations } = decodeResults(results);
  return violations.map((violation, index) => violationView({ violation, time_ms, service, height, index }));
}

/** Of these subjects nothing was kept any more at that time, but cases. */
interface Lapse {
  readonly subjects: readonly string[];
  readonly time_ms: number;
}

interface Known {
  readonly states: Map<string, CaseState>;
  readonly lapsed: Lapse[];
}

interface CasesEffect {
  readonly name: string;
  readonly body: unknown;
}

/** What the contract `cases` says in a block of the contracts chain. */
function casesEffects({ chain, results }: Block): CasesEffect[] {
  if (chain !== CONTRACTS_SERVICE) return [];
  return decodeResults(results).outcomes.flatMap((outcome) => {
    if (!("contract" in outcome) || outcome.contract !== "cases" || !("effects" in outcome)) return [];
    return outcome.effects.flatMap(({ name, body, to }) =>
      to === undefined ? [{ name, body: decodeOutput(body) }] : [],
    );
  });
}

/** A step that is taken, or what is told and kept no more. */
function note({ name, body }: CasesEffect, { time_ms }: Block, { states, lapsed }: Known): void {
  if (name === "case") {
    const said = body as { readonly violation: string; readonly state: string };
    const state = caseStates.find((known) => known === said.state);
    if (state !== undefined) states.set(said.violation, state);
  } else if (name === "lapsed") {
    const { violations = [], subjects } = body as Partial<Record<"violations" | "subjects", readonly string[]>>;
    for (const id of violations) states.set(id, "lapsed");
    if (subjects !== undefined) lapsed.push({ subjects, time_ms });
  }
}

function isAsked(one: ExportedViolation, asked: ViolationQuestion): boolean {
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
