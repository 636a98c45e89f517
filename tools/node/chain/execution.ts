// The built-in rules of a chain, pure: accepted temporary blocks in their order and the state before them in, what is sealed and
// the state after it out. Every node runs it on every block, an audit runs it again; both must come to the same bytes.

import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { type CborValue, decodeCbor, encodeCbor } from "../../../src/wire/cbor.js";
import { parseCredential } from "../../../src/wire/credential.js";
import { WireError } from "../../../src/wire/error.js";
import { keyId } from "../../../src/wire/key.js";
import type { Notice } from "../../../src/wire/notice.js";
import { asArray, asBytes, asUint } from "../../../src/wire/shape.js";
import { emptyMeterState, type MeterState, type OriginState, sealNumber } from "./state.js";

/** Records may arrive out of order within so many sequence numbers; a gap that is still open behind it is a violation. */
export const SEQUENCE_WINDOW = 1_024;
/** Sequence numbers with a recorded fork that a meter's state keeps, so that each is counted once. */
const FORKS_KEPT = 8;

/** Names the rules in a block as its contract script. */
export const builtInScript = new TextEncoder().encode("gs1/rules/1");

/**
 * 1: records are missing, up to the number `detail` · 2: the record `detail` was signed for a number that another one is sealed
 * with · 3: the sealed record of hash `detail` names another predecessor than the sealed one.
 */
export const violationKinds = { gap: 1, fork: 2, link: 3 } as const;
export type ViolationKind = keyof typeof violationKinds;

export interface Violation {
  readonly kind: ViolationKind;
  readonly meter: Uint8Array;
  readonly seq: number;
  /** gap: the last missing number; fork: the second record, which proves it; link: the record's hash */
  readonly detail: number | Uint8Array;
}

/** What the rules need to know of a record. */
export interface ExecutionRecord {
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
  /** the hash as a leaf of the block's Merkle tree */
  readonly leaf: Uint8Array;
  readonly kid: Uint8Array;
  /** `kid` as hex */
  readonly meter: string;
  readonly seq: number;
  readonly previous: Uint8Array;
}

export interface ExecutionBatch {
  readonly origin: Uint8Array;
  readonly number: number;
  readonly notices: readonly Notice[];
  readonly records: readonly ExecutionRecord[];
}

/** The chain's state before the block. Keys are ids as hex. */
export interface ChainView {
  meter(kid: string): MeterState | undefined;
  origin(node: string): OriginState | undefined;
  /** hash of the sealed record with this number; undefined where none is sealed */
  sealedHash(kid: string, seq: number): Uint8Array | undefined;
}

export interface Execution {
  /** per batch of the input: what of it is sealed */
  readonly sealed: readonly {
    readonly notices: readonly Notice[];
    readonly records: readonly ExecutionRecord[];
  }[];
  readonly violations: readonly Violation[];
  /** states after the block, of those that it changes */
  readonly meters: ReadonlyMap<string, MeterState>;
  readonly origins: ReadonlyMap<string, OriginState>;
  /** credentials that the block brings onto the chain, by meter */
  readonly credentials: ReadonlyMap<string, Uint8Array>;
}

interface Run {
  readonly view: ChainView;
  readonly meters: Map<string, MeterState>;
  readonly origins: Map<string, OriginState>;
  readonly credentials: Map<string, Uint8Array>;
  readonly violations: Violation[];
  /** records for numbers that were sealed before them */
  readonly repeats: ExecutionRecord[];
}

/** Runs the rules. `repeats` are further records for sealed numbers: a block's own forks, when it is replayed. A batch that is sealed already, and a record that is sealed already or has no credential, falls out. */
export function execute(
  view: ChainView,
  batches: readonly ExecutionBatch[],
  repeats: readonly ExecutionRecord[] = [],
): Execution {
  const run: Run = {
    view,
    meters: new Map(),
    origins: new Map(),
    credentials: new Map(),
    violations: [],
    repeats: [],
  };
  const sealed = batches.map((batch) => executeBatch(run, batch));
  // Behind the batches, so that a replay, which has the forks from the block's results, comes to the same order.
  noteForks(run, [...run.repeats, ...repeats], sealed);
  const { meters, origins, credentials, violations } = run;
  return { sealed, violations, meters, origins, credentials };
}

/** What a block's results say; throws a WireError where they are malformed. */
export function decodeResults(bytes: Uint8Array): Violation[] {
  return asArray(decodeCbor(bytes, { size: bytes.length, items: 65_536 }), "results").map((row) => {
    const [code, meter, seq, detail] = asArray(row, "violation", 4);
    const kind = (Object.keys(violationKinds) as ViolationKind[]).find((name) => violationKinds[name] === code);
    if (kind === undefined) throw new WireError("unsupported", `violation kind ${String(code)} is not supported`);
    return {
      kind,
      meter: asBytes(meter, "violation meter", 8),
      seq: asUint(seq, "violation seq"),
      detail: kind === "gap" ? asUint(detail, "gap end") : asBytes(detail, "violation detail"),
    };
  });
}

/** Deterministic CBOR of what a block's rules found: [* [kind, meter, seq, detail]]. */
export function encodeResults(violations: readonly Violation[]): Uint8Array {
  const rows: CborValue[] = violations.map(({ kind, meter, seq, detail }) => [
    violationKinds[kind],
    meter,
    seq,
    detail,
  ]);
  return encodeCbor(rows);
}

function executeBatch(run: Run, batch: ExecutionBatch) {
  const origin = toHex(batch.origin);
  const after = sealNumber(run.origins.get(origin) ?? run.view.origin(origin), batch.number);
  if (after === undefined) return { notices: [], records: [] };
  run.origins.set(origin, after);
  const notices = batch.notices.filter(({ kind, bytes }) => kind === "credential" && bringCredential(run, bytes));
  const records = batch.records.filter((record) => sealRecord(run, record));
  return { notices, records };
}

/** The first credential of a meter stays on the chain; it makes the meter known to it. */
function bringCredential(run: Run, bytes: Uint8Array): boolean {
  const kid = toHex(keyId(parseCredential(bytes).key));
  if (stateOf(run, kid) !== undefined) return false;
  run.credentials.set(kid, bytes);
  run.meters.set(kid, emptyMeterState);
  return true;
}

function stateOf(run: Run, kid: string): MeterState | undefined {
  return run.meters.get(kid) ?? run.view.meter(kid);
}

function sealRecord(run: Run, record: ExecutionRecord): boolean {
  const state = stateOf(run, record.meter);
  if (state === undefined) return false;
  if (record.seq > state.high) return extend(run, state, record);
  const gap = state.gaps.findIndex(([from, to]) => record.seq >= from && record.seq <= to);
  if (gap >= 0) return fill(run, state, gap, record);
  run.repeats.push(record);
  return false;
}

/** A record beyond the highest: numbers between them become a gap, gaps behind the window become violations. */
function extend(run: Run, state: MeterState, record: ExecutionRecord): boolean {
  const gaps: (readonly [number, number])[] = [];
  for (const gap of state.gaps) {
    if (gap[1] >= record.seq - SEQUENCE_WINDOW) gaps.push(gap);
    else run.violations.push({ kind: "gap", meter: record.kid, seq: gap[0], detail: gap[1] });
  }
  if (record.seq > state.high + 1) gaps.push([state.high + 1, record.seq - 1]);
  else if (state.high >= 0 && !equalBytes(record.previous, state.head)) {
    run.violations.push({ kind: "link", meter: record.kid, seq: record.seq, detail: record.hash });
  }
  run.meters.set(record.meter, { high: record.seq, head: record.hash, gaps, forks: state.forks });
  return true;
}

function fill(run: Run, state: MeterState, position: number, record: ExecutionRecord): boolean {
  const [from, to] = state.gaps[position]!;
  const parts: (readonly [number, number])[] = [];
  if (from < record.seq) parts.push([from, record.seq - 1]);
  if (record.seq < to) parts.push([record.seq + 1, to]);
  const gaps = [...state.gaps.slice(0, position), ...parts, ...state.gaps.slice(position + 1)];
  run.meters.set(record.meter, { ...state, gaps });
  return true;
}

/**
 * Numbers that are sealed: the same record again is a duplicate, another one a fork of the meter's own chain. Each number is
 * counted once, and one number of a meter in a block, so that a meter gone wrong does not fill the chain.
 */
function noteForks(run: Run, repeats: readonly ExecutionRecord[], sealed: Execution["sealed"]): void {
  if (repeats.length === 0) return;
  const noted = new Set<string>();
  const hashes = new Map<string, Uint8Array>();
  for (const { records } of sealed) for (const { meter, seq, hash } of records) hashes.set(`${meter}/${seq}`, hash);
  for (const record of repeats) {
    const kid = record.meter;
    const state = stateOf(run, kid);
    if (state === undefined || noted.has(kid) || state.forks.includes(record.seq)) continue;
    const sealedHash = hashes.get(`${kid}/${record.seq}`) ?? run.view.sealedHash(kid, record.seq);
    if (sealedHash === undefined || equalBytes(sealedHash, record.hash)) continue;
    noted.add(kid);
    run.violations.push({ kind: "fork", meter: record.kid, seq: record.seq, detail: record.bytes });
    run.meters.set(kid, { ...state, forks: [...state.forks, record.seq].slice(-FORKS_KEPT) });
  }
}
