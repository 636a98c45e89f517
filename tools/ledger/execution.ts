// The native rules of a chain, pure: accepted temporary blocks in their order and the state before them in, what is sealed and
// the state after it out. Every node runs it on every block, an audit runs it again; both must come to the same bytes.

import { equalBytes, standsAt, toHex } from "../../src/wire/bytes.js";
import { type Credential, parseCredential } from "../../src/wire/credential.js";
import type { CarriedMessage } from "../../src/wire/message.js";
import type { Order } from "../../src/wire/order.js";
import type { ContractStates } from "./contract-states.js";
import { CONTRACTS_SERVICE, everMember, type Governance, govern, standingOf } from "./governance.js";
import { MessageIntake } from "./intake.js";
import { broughtBy, isPermittedBy } from "./permission.js";
import { type ExecutionRecord, kidOf } from "./record-scan.js";
import { nextDue } from "./reserved-keys.js";
import type { Room } from "./room.js";
import type { SettlementView } from "./settlement/settle.js";
import { emptyMeterState, type MeterState, type OriginState, recordsFork, sealNumber } from "./state.js";
import type { StateChanges, StateNodes } from "./state-map.js";
import { isInTerm, prolongs } from "./term.js";
import type { NodeViolation, Violation } from "./violations.js";

/** Records may arrive out of order within so many sequence numbers; a gap that is still open behind it is a violation. */
export const SEQUENCE_WINDOW = 1_024;
/** Heights at which a node equivocated that a chain records. More would prove nothing new, and let one node fill an idle chain. */
export const FAULTS_MAX = 8;
/** Stands among the heights of a node whose word on a temporary block is proved false: one such proof is enough. */
const FALSE_WORD = 0;

/** What the rules need to know of a notice, whose signatures are verified elsewhere. */
export type ExecutionNotice =
  | {
      readonly kind: "credential";
      readonly bytes: Uint8Array;
      readonly credential: Credential;
      /** the id of its key, as hex */
      readonly holder: string;
    }
  | { readonly kind: "order"; readonly bytes: Uint8Array; readonly order: Order }
  | { readonly kind: "message"; readonly bytes: Uint8Array; readonly carried: CarriedMessage }
  | { readonly kind: "due"; readonly bytes: Uint8Array; readonly time_s: number }
  | ExecutionEvidence;

export interface ExecutionEvidence {
  readonly kind: "evidence";
  readonly bytes: Uint8Array;
  /** whom it accuses */
  readonly node: Uint8Array;
  readonly violation: "equivocation" | "falseAcknowledgement";
  /** the height of both statements, or the number of the temporary block */
  readonly number: number;
}

export interface ExecutionBatch {
  readonly origin: Uint8Array;
  readonly number: number;
  readonly notices: readonly ExecutionNotice[];
  readonly records: readonly ExecutionRecord[];
}

/** Where the rules run: the block's place, and what the network's orders say there. */
export interface ExecutionPlace {
  readonly service: number;
  readonly height: number;
  /** with all orders up to `judgedAt` at least; on the contracts chain exactly those before the block */
  readonly governance: Governance;
  readonly judgedAt: number;
  /** of the block */
  readonly time_ms: number;
  readonly view: ChainView;
  /** what the block's contracts leave room for */
  readonly room?: Room | undefined;
}

/** The chain's state before the block. Keys are ids as hex. */
export interface ChainView {
  meter(kid: string): MeterState | undefined;
  origin(node: string): OriginState | undefined;
  /** heights at which the node is recorded to have equivocated, ascending; 0 first where its word on a temporary block was false */
  faults(node: string): readonly number[];
  /** hash of the sealed record with this number; undefined where none is sealed */
  sealedHash(kid: string, seq: number): Uint8Array | undefined;
  /** the credential that somebody has on the chain */
  credential(kid: string): Uint8Array | undefined;
  readonly state: StateView;
  readonly settlement: SettlementView;
}

/** What the chain's contracts remember before the block. */
export interface StateView extends StateNodes, ContractStates {
  readonly root: Uint8Array;
  /** A contract's own keys with their values, ascending. */
  entriesOf(contract: string): Iterable<readonly [key: string, value: Uint8Array]>;
  /** What has been written since the state had this root; undefined where that is not known. */
  changesSince(root: Uint8Array): StateChanges | undefined;
}

export interface Execution {
  /** per batch of the input: what of it is sealed */
  readonly sealed: readonly {
    readonly notices: readonly ExecutionNotice[];
    readonly records: readonly ExecutionRecord[];
  }[];
  readonly violations: readonly Violation[];
  /** states after the block, of those that it changes */
  readonly meters: ReadonlyMap<string, MeterState>;
  readonly origins: ReadonlyMap<string, OriginState>;
  /** heights of recorded equivocations by node */
  readonly faults: ReadonlyMap<string, readonly number[]>;
  /** credentials that the block brings onto the chain, by meter */
  readonly credentials: ReadonlyMap<string, Uint8Array>;
  /** of other chains, by chain and number */
  readonly messages: readonly CarriedMessage[];
  /** with the block's orders */
  readonly governance: Governance;
}

interface Run {
  readonly place: ExecutionPlace;
  readonly view: ChainView;
  readonly meters: Map<string, MeterState>;
  readonly origins: Map<string, OriginState>;
  readonly faults: Map<string, readonly number[]>;
  readonly credentials: Map<string, Uint8Array>;
  governance: Governance;
  readonly intake: MessageIntake;
  /** that are sealed */
  operations: number;
  /** whether a notice has said that something is due */
  isDue: boolean;
  /** evidence of the batches, in their order */
  readonly evidence: ExecutionEvidence[];
  readonly violations: Violation[];
  /** records for numbers that were sealed before them */
  readonly repeats: ExecutionRecord[];
}

/** What a replayed block's results hold, which its temporary blocks do not: records that prove forks, evidence. */
export interface ExecutionProofs {
  readonly forks: readonly ExecutionRecord[];
  readonly evidence: readonly ExecutionEvidence[];
}

const noProofs: ExecutionProofs = { forks: [], evidence: [] };

/**
 * Runs the rules. A batch that is sealed already falls out. Of the others a record falls out that is sealed already, has no credential
 * or one that is not valid at the block's time, or is of a meter that does not stand good for it. So do a credential that is on the
 * chain and does not end later than that, and an order that does not apply.
 */
export function execute(
  place: ExecutionPlace,
  batches: readonly ExecutionBatch[],
  proofs: ExecutionProofs = noProofs,
): Execution {
  const run: Run = {
    place,
    view: place.view,
    meters: new Map(),
    origins: new Map(),
    faults: new Map(),
    credentials: new Map(),
    governance: place.governance,
    intake: new MessageIntake(takingPlace(place)),
    operations: 0,
    isDue: false,
    evidence: [],
    violations: [],
    repeats: [],
  };
  const sealed = batches.map((batch) => executeBatch(run, batch));
  // Behind the batches, so that a replay, which has forks and evidence from the block's results, comes to the same order.
  noteForks(run, [...run.repeats, ...proofs.forks], sealed);
  for (const evidence of [...run.evidence, ...proofs.evidence]) noteEvidence(run, evidence);
  const { meters, origins, faults, credentials, governance, violations, intake } = run;
  return { sealed, violations, meters, origins, faults, credentials, governance, messages: intake.taken };
}

function takingPlace({ service, governance, judgedAt, view, room }: ExecutionPlace) {
  return { service, governance, judgedAt, state: view.state, room: room?.messages };
}

/** Whether a block at this place, the next one, would take the notice or record the evidence. */
export function takesEffect(place: ExecutionPlace, notice: ExecutionNotice): boolean {
  switch (notice.kind) {
    case "credential":
      return false; // it comes with a record
    case "order":
      return (
        place.service === CONTRACTS_SERVICE && govern(place.governance, notice.order, place.height).type === "governed"
      );
    case "message":
      return new MessageIntake(takingPlace(place)).take(notice.carried);
    case "due":
      return isDueAt(place, notice.time_s);
    case "evidence":
      return faultsWith(place, place.view.faults(toHex(notice.node)), notice) !== undefined;
  }
}

/** Those of the notices that a block at this place would take, one behind the other. */
export function noticesTaken(place: ExecutionPlace, notices: readonly ExecutionNotice[]): ExecutionNotice[] {
  const intake = new MessageIntake(takingPlace(place));
  return notices.filter((notice) =>
    notice.kind === "message" ? intake.take(notice.carried) : takesEffect(place, notice),
  );
}

function executeBatch(run: Run, batch: ExecutionBatch) {
  const origin = toHex(batch.origin);
  const after = sealNumber(run.origins.get(origin) ?? run.view.origin(origin), batch.number);
  if (after === undefined) return { notices: [], records: [] };
  run.origins.set(origin, after);
  const notices = batch.notices.filter((notice) => takeNotice(run, notice));
  const brought = broughtBy(batch.notices);
  const records: ExecutionRecord[] = [];
  for (const record of batch.records) {
    if (isPermitted(run, record, brought) && sealRecord(run, record)) records.push(record);
  }
  return { notices, records };
}

function isPermitted(run: Run, record: ExecutionRecord, brought: ReadonlyMap<string, Uint8Array> | undefined): boolean {
  const verifiedBy = brought?.get(record.meter);
  return verifiedBy === undefined || isPermittedBy(credentialOf(run, record.meter), verifiedBy, record);
}

/** Whether the notice stays in the block; evidence is in its results alone, as forks are. */
function takeNotice(run: Run, notice: ExecutionNotice): boolean {
  switch (notice.kind) {
    case "credential":
      return bringCredential(run, notice);
    case "order":
      return takeOrder(run, notice.order);
    case "message":
      return run.intake.take(notice.carried);
    case "due":
      return noteDue(run, notice.time_s);
    case "evidence":
      run.evidence.push(notice);
      return false;
  }
}

/** One is enough to begin a block for what is due. */
function noteDue(run: Run, time_s: number): boolean {
  if (run.isDue || !isDueAt(run.place, time_s)) return false;
  run.isDue = true;
  return true;
}

/** Whether this is the time of the chain's next deadline, and it has passed. */
function isDueAt({ view, time_ms }: ExecutionPlace, time_s: number): boolean {
  return time_s * 1_000 <= time_ms && nextDue(view.state) === time_s;
}

function takeOrder(run: Run, order: Order): boolean {
  if (run.place.service !== CONTRACTS_SERVICE) return false;
  const governed = govern(run.governance, order, run.place.height);
  if (governed.type === "refused") return false;
  run.governance = governed.governance;
  return true;
}

function noteEvidence(run: Run, evidence: ExecutionEvidence): void {
  const node = toHex(evidence.node);
  const faults = faultsWith(run.place, run.faults.get(node) ?? run.view.faults(node), evidence);
  if (faults === undefined) return;
  run.faults.set(node, faults);
  run.violations.push(violationOf(evidence));
}

function violationOf({ violation, node, number, bytes }: ExecutionEvidence): NodeViolation {
  if (violation === "equivocation") return { kind: violation, node, height: number, evidence: bytes };
  return { kind: violation, node, number, evidence: bytes };
}

/** A node's recorded faults with that of the evidence; undefined where it is not recorded. */
function faultsWith(
  { governance, service, judgedAt, height }: ExecutionPlace,
  faults: readonly number[],
  evidence: ExecutionEvidence,
): readonly number[] | undefined {
  if (everMember(governance, service, evidence.node, judgedAt) === undefined) return undefined;
  if (evidence.violation === "falseAcknowledgement") return withFalseWord(faults);
  const { number } = evidence;
  if (number > height || number < 1 || faults.includes(number)) return undefined;
  if (faults.filter((fault) => fault !== FALSE_WORD).length >= FAULTS_MAX) return undefined;
  return [...faults, number].sort((left, right) => left - right);
}

function withFalseWord(faults: readonly number[]): readonly number[] | undefined {
  return faults.includes(FALSE_WORD) ? undefined : [FALSE_WORD, ...faults];
}

/**
 * A meter's first credential makes it known to the chain; a later one that prolongs it takes its place. Neither does where it does not
 * permit the chain's service, or is not valid at the block's time.
 */
function bringCredential(run: Run, { credential, holder, bytes }: ExecutionNotice & { kind: "credential" }): boolean {
  const state = stateOf(run, holder);
  const term = { from_s: credential.notBefore_s, until_s: credential.expires_s };
  if (!credential.services.includes(run.place.service) || !isInTerm(term, run.place.time_ms)) return false;
  if (state !== undefined && !takesPlace(run, credential, { holder, until_s: state.until_s })) return false;
  run.credentials.set(holder, bytes);
  run.meters.set(holder, { ...(state ?? emptyMeterState), ...term });
  return true;
}

function takesPlace(run: Run, offered: Credential, known: { readonly holder: string; readonly until_s: number }) {
  if (offered.expires_s <= known.until_s) return false;
  const bytes = credentialOf(run, known.holder);
  return bytes !== undefined && prolongs(parseCredential(bytes), offered);
}

/** The credential that counts by now. */
function credentialOf(run: Run, holder: string): Uint8Array | undefined {
  return run.credentials.get(holder) ?? run.view.credential(holder);
}

function stateOf(run: Run, kid: string): MeterState | undefined {
  return run.meters.get(kid) ?? run.view.meter(kid);
}

function sealRecord(run: Run, record: ExecutionRecord): boolean {
  const state = stateOf(run, record.meter);
  if (state === undefined) return false;
  const { governance, service, judgedAt, time_ms } = run.place;
  const isGood =
    isInTerm(state, time_ms) && standingOf(governance, record.meter, service, record.seq, judgedAt) === "good";
  if (record.seq > state.high) return isGood && hasRoom(run, record) && extend(run, state, record);
  const gap = state.gaps.findIndex(([from, to]) => record.seq >= from && record.seq <= to);
  if (gap >= 0) return isGood && hasRoom(run, record) && fill(run, state, gap, record);
  run.repeats.push(record);
  return false;
}

/** An operation for which the block's contracts leave no room falls out, and may come again. Counts those that stay. */
function hasRoom(run: Run, { type }: ExecutionRecord): boolean {
  if (type === undefined) return true;
  if (run.operations === run.place.room?.operations) return false;
  run.operations += 1;
  return true;
}

/** A record beyond the highest: numbers between them become a gap, gaps behind the window become violations. */
function extend(run: Run, state: MeterState, record: ExecutionRecord): boolean {
  const gaps: (readonly [number, number])[] = [];
  for (const gap of state.gaps) {
    if (gap[1] >= record.seq - SEQUENCE_WINDOW) gaps.push(gap);
    else run.violations.push({ kind: "gap", meter: kidOf(record), seq: gap[0], detail: gap[1] });
  }
  if (record.seq > state.high + 1) gaps.push([state.high + 1, record.seq - 1]);
  else if (state.high >= 0 && !standsAt(record.bytes, record.previousAt, state.head)) {
    run.violations.push({ kind: "link", meter: kidOf(record), seq: record.seq, detail: record.hash });
  }
  const { forks, from_s, until_s } = state;
  run.meters.set(record.meter, { high: record.seq, head: record.hash, gaps, forks, from_s, until_s });
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
 * counted once, one of a meter in a block, and eight in all, so that a meter gone wrong does not fill the chain.
 */
function noteForks(run: Run, repeats: readonly ExecutionRecord[], sealed: Execution["sealed"]): void {
  if (repeats.length === 0) return;
  const noted = new Set<string>();
  const hashes = new Map<string, Uint8Array>();
  for (const { records } of sealed) for (const { meter, seq, hash } of records) hashes.set(`${meter}/${seq}`, hash);
  for (const record of repeats) {
    const kid = record.meter;
    const state = stateOf(run, kid);
    if (state === undefined || noted.has(kid) || !recordsFork(state, record.seq)) continue;
    const sealedHash = hashes.get(`${kid}/${record.seq}`) ?? run.view.sealedHash(kid, record.seq);
    if (sealedHash === undefined || equalBytes(sealedHash, record.hash)) continue;
    noted.add(kid);
    run.violations.push({ kind: "fork", meter: kidOf(record), seq: record.seq, detail: record.bytes });
    run.meters.set(kid, { ...state, forks: [...state.forks, record.seq] });
  }
}
