// Finds violations of all chains that this node has: the newest first, page by page, by subject, kind, rule, chain and time.

import { HEIGHT_MAX, SERVICE_MAX, TIME_MS_MAX } from "../../../src/wire/bounds.js";
import { equalBytes } from "../../../src/wire/bytes.js";
import type { FoundViolation, ViolationPlace } from "../../ledger/violation-place.js";
import { ruleOf, subjectOf, type Violation, type ViolationKind, violationKinds } from "../../ledger/violations.js";
import { chainIn, chainKey, chainRange, heightIn, type PlaceKey, placeIn, placeKey } from "../store/keys.js";
import type { StoreReader } from "../store/store.js";
import { heads } from "./tables/heads.js";
import { ALL_LISTED, indexed, indexKey, violationIndex, violations, violationsListed } from "./tables/violations.js";

/** Entries of the index that one answer goes over, and bytes of rows that it reads for a rule. */
const SCANNED_MAX = 2_000;
const READ_BYTES_MAX = 4_194_304;
const PIECE = 250;
/** Four bytes of a key. */
const PLACE_MAX = 2 ** 32 - 1;

/** Where a list goes on: behind this one. */
export interface ViolationCursor extends ViolationPlace {
  readonly time_ms: number;
}

export interface ViolationsAsked {
  readonly subject?: Uint8Array | undefined;
  readonly kind?: ViolationKind | undefined;
  /** a contract's name, alone or with a slash and the name of what it says */
  readonly rule?: string | undefined;
  readonly service?: number | undefined;
  /** Whether this one is asked for, by what has become of it. */
  readonly isWanted?: ((found: FoundViolation) => boolean) | undefined;
  /** chains that who asks does not read */
  readonly hidden?: ReadonlySet<number> | undefined;
  /** milliseconds, both included */
  readonly from_ms?: number | undefined;
  readonly to_ms?: number | undefined;
  readonly after?: ViolationCursor | undefined;
  readonly limit: number;
}

export interface ViolationPage {
  readonly found: readonly FoundViolation[];
  /** undefined where there are no more; a page may be short, or empty, and there are */
  readonly next: ViolationCursor | undefined;
}

/** A page, the newest first. Throws STORE_CORRUPT where a row is damaged. */
export function violationsOf(store: StoreReader, asked: ViolationsAsked): ViolationPage {
  const { from_ms = 0, to_ms = TIME_MS_MAX, after, limit } = asked;
  // Where a page ends must not tell against whom a hidden chain says something: then all subjects are gone over.
  const subject = isHiding(asked) ? undefined : asked.subject;
  const end = indexKey(subject, Math.min(from_ms, TIME_MS_MAX), Buffer.alloc(0));
  const behind = Buffer.alloc(11, 0xff);
  let start = indexKey(subject, Math.min(to_ms, TIME_MS_MAX), behind);
  if (after !== undefined) {
    const place = indexKey(subject, after.time_ms, placeKey(after.service, after.height, after.index));
    if (Buffer.compare(place, start) < 0) start = place;
  }
  const found: FoundViolation[] = [];
  let read_bytes = 0;
  let last = after;
  for (let scanned = 0; scanned < SCANNED_MAX; ) {
    const rows = store.range(violationIndex, { start, end, reverse: true, limit: PIECE });
    for (const { key, row: kind } of rows) {
      scanned += 1;
      const at = cursorOf(key);
      // The entry that is begun behind comes first.
      if (last !== undefined && isSame(at, last)) continue;
      last = at;
      if (!isAsked(asked, at, kind)) continue;
      const entry = violationAt(store, at);
      read_bytes += entry === undefined ? 0 : sizeOf(entry.violation);
      if (entry !== undefined && obeys(entry.violation, asked) && asked.isWanted?.(entry) !== false) found.push(entry);
      if (found.length === limit || read_bytes > READ_BYTES_MAX) return { found, next: last };
    }
    if (rows.length < PIECE) return { found, next: undefined };
    start = Buffer.from(rows.at(-1)!.key);
  }
  return { found, next: last };
}

/** One of them; undefined where the block has none there, or is not listed. */
export function violationAt(
  store: StoreReader,
  { service, height, index }: ViolationPlace,
): FoundViolation | undefined {
  const row = store.get(violations, placeKey(service, height, index));
  return row === undefined ? undefined : { service, height, index, ...row };
}

/** Those of the first block from a height on that has any, in the order of its results. */
export function nextViolations(store: StoreReader, service: number, from: number): FoundViolation[] {
  const ofChain = { start: placeKey(service, from, 0), end: chainRange(service).end };
  const first = store.range(violations, { ...ofChain, limit: 1 })[0];
  if (first === undefined) return [];
  const height = heightIn(first.key);
  const range = { start: placeKey(service, height, 0), end: placeKey(service, height + 1, 0) };
  return store.range(violations, range).map(({ key, row }) => ({ service, height, index: placeIn(key), ...row }));
}

/** Whether the violations of all blocks of these chains are listed. */
export function isListed(store: StoreReader, services: readonly number[]): boolean {
  return services.every(
    (service) =>
      store.get(heads, chainKey(service)) === undefined ||
      store.get(violationsListed, chainKey(service)) === ALL_LISTED,
  );
}

function cursorOf(entry: Buffer): ViolationCursor {
  const { time_ms, key } = indexed(entry);
  return { time_ms, ...placeOf(key) };
}

function placeOf(key: PlaceKey): ViolationPlace {
  return { service: chainIn(key), height: heightIn(key), index: placeIn(key) };
}

function isSame(one: ViolationPlace, other: ViolationPlace): boolean {
  return one.service === other.service && one.height === other.height && one.index === other.index;
}

function isHiding({ hidden }: ViolationsAsked): boolean {
  return hidden !== undefined && hidden.size > 0;
}

function isAsked({ kind, service, rule, hidden }: ViolationsAsked, place: ViolationPlace, code: number): boolean {
  if (hidden?.has(place.service)) return false;
  if (service !== undefined && place.service !== service) return false;
  if (rule !== undefined && code !== violationKinds.contract) return false;
  return kind === undefined || violationKinds[kind] === code;
}

function obeys(violation: Violation, { subject, rule }: ViolationsAsked): boolean {
  if (subject !== undefined && !equalBytes(subjectOf(violation), subject)) return false;
  if (rule === undefined) return true;
  return violation.kind === "contract" && (violation.contract === rule || ruleOf(violation) === rule);
}

function sizeOf(violation: Violation): number {
  if (violation.kind === "contract") return violation.body.length;
  if (violation.kind === "equivocation" || violation.kind === "falseAcknowledgement") return violation.evidence.length;
  return violation.detail instanceof Uint8Array ? violation.detail.length : 0;
}

/** As questions and answers have it: time_ms:service:height:index. */
export function cursorText({ time_ms, service, height, index }: ViolationCursor): string {
  return [time_ms, service, height, index].join(":");
}

/** Undefined where the text is no cursor. */
export function cursorFrom(text: string): ViolationCursor | undefined {
  const [time_ms = -1, ...rest] = text.split(":").map(Number);
  const place = placeFrom(rest);
  return place === undefined || time_ms > TIME_MS_MAX ? undefined : { time_ms, ...place };
}

/** Undefined where the numbers are none of a place. */
export function placeFrom([service = 0, height = 0, index = 0]: readonly number[]): ViolationPlace | undefined {
  const isPlace = service <= SERVICE_MAX && height <= HEIGHT_MAX && index <= PLACE_MAX;
  return isPlace ? { service, height, index } : undefined;
}
