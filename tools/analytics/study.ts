// A study of an export: its group held against the rules, its figures computed, all of it as one text whose hash stands for it.

import type { Value } from "../../src/wire/value.js";
import { canonicalText } from "../dispatch/contract/canonical.js";
import { GridsealError } from "../errors.js";
import { cohortDigest } from "../market/mining/cohorts.js";
import type { StudyKind } from "../market/mining/kinds.js";
import { digestOf, type ExportedChain } from "./manifest.js";
import { type Export, rowsOf } from "./read.js";
import { readingPeriod, type Series, seriesOf } from "./series.js";
import { anomalies } from "./studies/anomalies.js";
import { dayShapes } from "./studies/day-shapes.js";
import { feederLoss } from "./studies/feeder-loss.js";
import { forecast } from "./studies/forecast.js";
import { loadCurve } from "./studies/load-curve.js";
import { quality } from "./studies/quality.js";
import type { Study } from "./studies/study-input.js";
import { sumOf } from "./studies/whole.js";
import { queryHash, type StudyTerms } from "./terms.js";

/** Changes with each change of what studies come to. */
export const ENGINE = "gridseal-study/1";

const studies: Readonly<Record<Exclude<StudyKind, "sql">, Study>> = {
  "load-curve": loadCurve,
  "day-shapes": dayShapes,
  "feeder-loss": feederLoss,
  anomalies,
  forecast,
  quality,
};

/** What was computed, of what, by what. */
export interface StudyResult {
  readonly engine: string;
  readonly kind: StudyKind;
  readonly query: string;
  readonly cohort: string;
  readonly digest: string;
  readonly class: string;
  readonly service: number;
  readonly from_s: number;
  readonly to_s: number;
  /** up to which block the chain was read, and its header hash */
  readonly to: number;
  readonly header: string;
  /** members with data, and the largest one's part of their energy */
  readonly group: number;
  readonly largest_permille: number;
  readonly figures: { readonly [name: string]: Value };
}

/** A study's group as it is in the export. */
export interface StudyGroup {
  readonly series: Series;
  /** ids of those with data, ascending */
  readonly members: readonly string[];
  readonly result: Omit<StudyResult, "engine" | "figures">;
}

/** Reads the group's energies. Rejects with USAGE or FILE_INVALID, and with GROUP_TOO_SMALL where its figures may not be shown. */
export async function groupOf(
  of: Export,
  terms: StudyTerms,
  onFile?: (done: number, total: number) => void,
): Promise<StudyGroup> {
  const chain = chainIn(of, String(terms.service));
  if (chain.from !== 1) {
    throw new GridsealError(
      "USAGE",
      `${of.folder} begins at block ${chain.from}: a study needs an export from block 1 on`,
    );
  }
  const wanted = terms.members === undefined ? undefined : new Set(terms.members);
  const { feeder } = terms;
  const isWanted = (meter: string) => wanted === undefined || wanted.has(meter) || meter === feeder;
  const series = await seriesOf(rowsOf(of, terms.service, readingPeriod(terms), onFile), terms, isWanted);
  const known = [...series.meters.keys()];
  const members = known.filter((meter) => meter !== feeder && (wanted === undefined || wanted.has(meter)));
  const { kind, cohort, service, from_s, to_s } = terms;
  const result = {
    ...{ kind, query: queryHash(terms), cohort, digest: cohortDigest(terms.members ?? members), class: terms.class },
    ...{ service, from_s, to_s, to: chain.to, header: chain.header },
    ...{ group: members.length, largest_permille: largestPermille(series, members) },
  };
  if (terms.audience === "aggregate") checkGroup(terms, result);
  return { series, members, result };
}

/** Computes a study that is no query. Rejects as `groupOf` does. */
export async function runStudy(
  of: Export,
  terms: StudyTerms,
  onFile?: (done: number, total: number) => void,
): Promise<StudyResult> {
  const { kind, feeder, audience, least, clusters } = terms;
  if (kind === "sql")
    throw new GridsealError("USAGE", "a query of SQL is run by `gridseal study run` with DuckDB at hand");
  const { series, members, result } = await groupOf(of, terms, onFile);
  const silent = (terms.members?.filter((meter) => meter !== feeder).length ?? members.length) - members.length;
  const input = { series, members, silent, audience, least, clusters };
  const above = feeder === null ? undefined : series.meters.get(feeder);
  return { engine: ENGINE, ...result, figures: studies[kind]({ ...input, feeder: above }) };
}

/** The text whose SHA-256 stands for the study; it is JSON. */
export function resultText(result: StudyResult): string {
  return canonicalText(result as unknown as { readonly [name: string]: Value });
}

export function resultHash(result: StudyResult): string {
  return digestOf(resultText(result));
}

/** The chain that a person names by its name or number. Throws NOT_FOUND. */
export function chainIn({ folder, manifest }: Export, text: string): ExportedChain {
  const chain = manifest.chains.find(({ service, name }) => name === text || String(service) === text);
  if (chain !== undefined) return chain;
  const known = manifest.chains.map(({ service, name }) => `${name} (${service})`).join(", ");
  throw new GridsealError("NOT_FOUND", `${folder} has no chain ${text}: it has ${known || "none"}`);
}

/** The largest member's part of what the group takes and gives, rounded up. */
function largestPermille({ meters }: Series, members: readonly string[]): number {
  const energies = members.map((meter) => sumOf(meters.get(meter)!.taken) + sumOf(meters.get(meter)!.given));
  const all = sumOf(energies);
  let largest = 0n;
  for (const energy of energies) if (energy > largest) largest = energy;
  return all === 0n ? 0 : Number((1_000n * largest + all - 1n) / all);
}

function checkGroup(
  { least, share_percent }: StudyTerms,
  { group, largest_permille }: Pick<StudyResult, "group" | "largest_permille">,
): void {
  if (group < least) {
    throw new GridsealError(
      "GROUP_TOO_SMALL",
      `${group} members have data, and figures are of groups of at least ${least}`,
    );
  }
  if (largest_permille > 10 * share_percent) {
    throw new GridsealError(
      "GROUP_TOO_SMALL",
      `one member has ${largest_permille} per mille of the group's energy, and at most ${10 * share_percent} are allowed`,
    );
  }
}
