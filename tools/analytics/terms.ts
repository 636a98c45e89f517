// What a study is to compute, as a file says it: which chain and period, of which group, which figures. Its hash, and the group's digest,
// stand on the mining chain.

import type { Value } from "../../src/wire/value.js";
import { canonicalText } from "../dispatch/contract/canonical.js";
import { GridsealError } from "../errors.js";
import { groupKinds, groupRule } from "../market/access/groups.js";
import { MEMBERS_MAX } from "../market/mining/cohorts.js";
import { type CohortClass, type StudyKind, studyKinds } from "../market/mining/kinds.js";
import { digestOf } from "./manifest.js";
import { DAY_S } from "./studies/whole.js";

export interface StudyTerms {
  readonly kind: StudyKind;
  /** number of the chain's service */
  readonly service: number;
  /** UTC seconds: begin of the first slot, end of the last */
  readonly from_s: number;
  readonly to_s: number;
  readonly slot_s: number;
  /** longest gap over which a counter is interpolated */
  readonly gapMax_s: number;
  readonly cohort: string;
  readonly class: CohortClass;
  /** ids, ascending, each once; undefined for all meters of the export */
  readonly members: readonly string[] | undefined;
  /** whether figures may tell of single members */
  readonly audience: "aggregate" | "members";
  /** least members of a group that figures are of, and the largest part of one in per cent */
  readonly least: number;
  readonly share_percent: number;
  readonly feeder: string | null;
  readonly clusters: number;
  readonly sql: string | null;
}

const SQL_MAX = 65_536;
const names = [
  ...["kind", "service", "from", "to", "slot_s", "gap_s", "cohort", "class", "members", "audience"],
  ...["least", "share_percent", "feeder", "clusters", "sql"],
] as const;

export type StudyFields = { readonly [name in (typeof names)[number]]?: unknown };

/** Reads the fields of a study's file; `origin` is for messages. Throws FILE_INVALID, which names the field. */
export function termsFrom(value: unknown, origin: string): StudyTerms {
  const refuse = (why: string): never => {
    throw new GridsealError("FILE_INVALID", `${origin}: ${why}; docs/mining.md has the fields of a study`);
  };
  if (typeof value !== "object" || value === null || Array.isArray(value)) return refuse("a study is a JSON object");
  const stranger = Object.keys(value).find((name) => !(names as readonly string[]).includes(name));
  if (stranger !== undefined) return refuse(`it has a field ${JSON.stringify(stranger)}`);
  const fields = value as StudyFields;
  const whole = (name: keyof StudyFields, [least, most]: readonly [number, number], absent?: number): number => {
    const number = fields[name] ?? absent;
    if (Number.isSafeInteger(number) && (number as number) >= least && (number as number) <= most)
      return number as number;
    return refuse(`${name} must be a whole number from ${least} to ${most}`);
  };
  const oneOf = <Word extends string>(name: keyof StudyFields, words: readonly Word[], absent?: Word): Word => {
    const word = (fields[name] ?? absent) as Word;
    return words.includes(word) ? word : refuse(`${name} must be one of ${words.join(", ")}`);
  };
  const moment = (name: "from" | "to"): number => {
    const text = fields[name];
    const time_ms =
      typeof text === "string" && /^\d{4}-\d\d-\d\d(T[\d:]+Z)?$/.test(text) ? Date.parse(text) : Number.NaN;
    return time_ms >= 0
      ? Math.floor(time_ms / 1_000)
      : refuse(`${name} must be a time in UTC, such as 2026-03-29T00:00:00Z`);
  };
  const meter = (name: keyof StudyFields, id: unknown): string => {
    return typeof id === "string" && /^[0-9a-f]{16}$/.test(id)
      ? id
      : refuse(`${name} must have meters' ids of 16 hex digits`);
  };
  const kind = oneOf("kind", studyKinds);
  const of = oneOf("class", groupKinds, "residential");
  const rule = groupRule({ parameters: {} }, of);
  const slot_s = whole("slot_s", [1, DAY_S], 900);
  if (DAY_S % slot_s !== 0) refuse("slot_s must divide a day");
  const { members, cohort = "all", sql = null } = fields;
  if (typeof cohort !== "string" || !/^[a-z0-9-]{1,32}$/.test(cohort))
    refuse("cohort must be 1 to 32 of a-z, 0-9 and -");
  if (members !== undefined && (!Array.isArray(members) || members.length === 0 || members.length > MEMBERS_MAX)) {
    refuse(`members must be a list of 1 to ${MEMBERS_MAX} ids`);
  }
  if ((kind === "sql") !== (typeof sql === "string") || (typeof sql === "string" && sql.length > SQL_MAX)) {
    refuse(`sql must be a query of at most ${SQL_MAX} characters where the kind is sql, and absent elsewhere`);
  }
  if ((kind === "feeder-loss") !== (fields.feeder !== undefined)) {
    refuse("feeder must be a meter's id where the kind is feeder-loss, and absent elsewhere");
  }
  const audience = oneOf("audience", ["aggregate", "members"], "aggregate");
  if (kind === "feeder-loss" && audience === "aggregate") {
    refuse("feeder-loss tells what one meter, the feeder's, has measured: its audience is members");
  }
  return {
    ...{ kind, service: whole("service", [1, 65_535]), from_s: moment("from"), to_s: moment("to"), slot_s },
    gapMax_s: whole("gap_s", [0, 31 * DAY_S], 3_600),
    ...{ cohort: cohort as string, class: of },
    members:
      members === undefined ? undefined : [...new Set((members as unknown[]).map((id) => meter("members", id)))].sort(),
    audience,
    least: whole("least", [1, MEMBERS_MAX], rule.meters_min),
    share_percent: whole("share_percent", [1, 100], rule.share_percent_max),
    feeder: fields.feeder === undefined ? null : meter("feeder", fields.feeder),
    clusters: whole("clusters", [1, 16], 4),
    sql: sql as string | null,
  };
}

/** What is computed, whatever the group and the period are: SHA-256 of its canonical text, hex (PROTOCOL.md, section 4). */
export function queryHash({
  kind,
  slot_s,
  gapMax_s,
  audience,
  least,
  share_percent,
  feeder,
  clusters,
  sql,
}: StudyTerms): string {
  return digestOf(
    canonicalText({
      ...{ kind, slot_s, gap_s: gapMax_s, audience, least, share_percent, feeder },
      ...{ clusters: kind === "day-shapes" ? clusters : null, sql: sql === null ? null : digestOf(sql) },
    } satisfies { readonly [name: string]: Value }),
  );
}
