// This node as original node, as a state machine: when what waits is cut into a temporary block, and under which number.

import type { Block } from "../../../../../src/wire/block.js";
import { BATCH_NUMBER_MAX } from "../../../../../src/wire/bounds.js";
import { equalBytes, toHex } from "../../../../../src/wire/bytes.js";
import { parseCredential } from "../../../../../src/wire/credential.js";
import { sha256 } from "../../../../../src/wire/hash.js";
import { assertInvariant } from "../../../../errors.js";
import { isRepeat, isSealable, type ReadBatch } from "../../../../ledger/compose.js";
import { standingOf } from "../../../../ledger/governance.js";
import { type ExecutionRecord, executionRecord, readRecord, roleComplaint } from "../../../../ledger/record-scan.js";
import { BATCH_WINDOW, sealNumber } from "../../../../ledger/state.js";
import { hasEnded } from "../../../../ledger/term.js";
import type { SealedBlock } from "../../ports.js";
import {
  type Cut,
  chainKnows,
  firstUnsealed,
  isMember,
  isPending,
  numbersOf,
  type OriginEffect,
  type OriginInput,
  type OriginNode,
  OWN_BATCHES_MAX,
} from "./state.js";

/** A credential that prolongs one on the chain comes with records from so long before that ends: clocks are apart. */
const PROLONGED_AHEAD_MS = 3_600_000;

/** Effects are to be performed in their order. */
export function step(node: OriginNode, input: OriginInput, now_ms: number): OriginEffect[] {
  switch (input.type) {
    case "due":
      node.isCutDue = false;
      return cut(node, now_ms);
    case "full":
      return cut(node, now_ms);
    case "sealed":
      return isUnderWay(node) ? scheduled(node) : cutNow(node, now_ms);
    case "made":
      return onMade(node, input.cut, input.read, now_ms);
    case "written":
      return onWritten(node, input.cut, input.read);
    case "takenBack":
      return onTakenBack(node, input.read, input.displaced);
    case "gaveBack":
      gatherAgain(node, input.read, input.records);
      return scheduled(node);
    case "waits":
      return scheduled(node);
  }
}

/** What waits is not put off by what comes after it. */
function scheduled(node: OriginNode): OriginEffect[] {
  if (!isPending(node) || node.isCutDue) return [];
  node.isCutDue = true;
  return [{ type: "setTimer" }];
}

/** Cuts what waits before its time. */
function cutNow(node: OriginNode, now_ms: number): OriginEffect[] {
  const effects = cut(node, now_ms);
  if (effects.length === 0) return scheduled(node);
  if (!node.isCutDue) return effects;
  node.isCutDue = false;
  return [{ type: "clearTimer" }, ...effects];
}

/** Whether a temporary block of this node is to be sealed yet. */
function isUnderWay({ config, pool, cuts }: OriginNode): boolean {
  return cuts.size > 0 || pool.readsOf(config.self).some((read) => isOpen(config, read));
}

function isOpen(config: OriginNode["config"], read: ReadBatch): boolean {
  return !config.isGivenUp(read.id) && config.sealsSomething(read);
}

/** Makes a temporary block of what waits; the rest stays durable as single records until the pool has room. */
function cut(node: OriginNode, now_ms: number): OriginEffect[] {
  const { config, pool, gather, waitingNotices } = node;
  const hasRoom = pool.readsOf(config.self).length < OWN_BATCHES_MAX;
  if (config.isStopped() || !isPending(node) || !hasRoom || !isMember(node)) return [];
  const number = freeNumber(node);
  if (number === undefined) return [];
  const notices = waitingNotices.take(config.place());
  const taken = gather.cut(notices.chosen.reduce((sum, { bytes }) => sum + bytes.length, 0));
  // What another node has brought onto the chain meanwhile falls out here, a fork does not.
  const records: ExecutionRecord[] = [];
  for (const record of taken) {
    const isSealed = chainKnows(config.view, record.meter, record.seq, record.hash) === "sealed";
    if (!isSealed && isPermitted(config, record)) records.push(record);
  }
  const made: Cut = { number, taken, records, ...notices };
  if (records.length + made.chosen.length === 0) {
    node.pendingSince_ms = now_ms;
    return [{ type: "writeAdmitted" }, { type: "write", cut: made, read: undefined }];
  }
  node.nextNumber = number + 1;
  return [{ type: "writeAdmitted" }, { type: "make", cut: made, credentials: newCredentials(node, records) }];
}

/**
 * Whether the record's meter may sign it still. Since it was admitted, another credential of its key may have come onto the chain, or to this
 * node: members would take no temporary block with it. Who offers it again hears why it is refused.
 */
function isPermitted(config: OriginNode["config"], record: ExecutionRecord): boolean {
  const holder = config.rolesOf(record);
  return holder === undefined || roleComplaint(holder, record.type) === undefined;
}

/**
 * Above all that were used, and where one of them is dead, so far above it that it is closed. None, for now, where that would close
 * one of a temporary block that is under way: no proposer can leave such a one behind.
 */
function freeNumber({ config, pool, nextNumber, cuts }: OriginNode): number | undefined {
  const own = pool.readsOf(config.self);
  const dead = own.filter(({ id }) => config.isGivenUp(id)).map(({ batch }) => batch.number + BATCH_WINDOW);
  const taken = own.map(({ batch }) => batch.number + 1); // one that came back from a peer may still be being written
  const number = Math.max(nextNumber, firstUnsealed(config), ...taken, ...dead);
  if (number > BATCH_NUMBER_MAX) return undefined; // used up by an earlier self that lied: meters are turned away
  const closes = number >= numbersOf(config).next + BATCH_WINDOW;
  return closes && (cuts.size > 0 || own.some((read) => isOpen(config, read))) ? undefined : number;
}

/** Of meters that the chain does not know, whose state comes with their credential, and of those whose credential there ends soon. */
function newCredentials({ config }: OriginNode, records: readonly ExecutionRecord[]): Uint8Array[] {
  const credentials = new Map<string, Uint8Array>();
  const seen = new Set<string>();
  const soon_ms = config.place().time_ms + PROLONGED_AHEAD_MS;
  for (const record of records) {
    const { meter } = record;
    if (seen.has(meter)) continue;
    seen.add(meter);
    const state = config.view.meter(meter);
    if (state !== undefined && !hasEnded(state, soon_ms)) continue;
    const shown = config.shownCredential(record);
    if (state !== undefined && (shown === undefined || parseCredential(shown).expires_s <= state.until_s)) continue;
    assertInvariant(shown !== undefined, `meter ${meter} has shown its credential before its record was admitted`);
    credentials.set(meter, shown);
  }
  return [...credentials.values()];
}

function onMade(node: OriginNode, cut: Cut, read: ReadBatch, now_ms: number): OriginEffect[] {
  node.cuts.add(read);
  if (cut.records.length > 0) node.cutSince_ms.set(toHex(read.id), node.pendingSince_ms);
  node.pendingSince_ms = now_ms;
  return [{ type: "write", cut, read }];
}

function onWritten(node: OriginNode, { taken, records }: Cut, read: ReadBatch | undefined): OriginEffect[] {
  const kept = new Set(records);
  for (const record of taken) if (!kept.has(record)) node.gather.forget(record.meter, record.seq);
  return read === undefined ? scheduled(node) : [...onDurable(node, read), ...scheduled(node)];
}

/** A temporary block is on disk; a block may have taken its number meanwhile. */
function onDurable({ config, cuts, cutSince_ms }: OriginNode, read: ReadBatch): OriginEffect[] {
  cuts.delete(read);
  if (config.isStopped()) return []; // it is read from disk at the next start
  if (isSealable(config.view, read.batch)) return [{ type: "publish", read }];
  cutSince_ms.delete(toHex(read.id));
  return [{ type: "giveBack", read }];
}

function onTakenBack(
  node: OriginNode,
  { batch, records }: ReadBatch,
  displaced: ReadBatch | undefined,
): OriginEffect[] {
  node.nextNumber = Math.max(node.nextNumber, batch.number + 1);
  for (const record of records) node.gather.note(record);
  if (displaced !== undefined) gatherAgain(node, displaced, presentable(node, displaced));
  return scheduled(node);
}

function gatherAgain(node: OriginNode, read: ReadBatch, records: readonly ExecutionRecord[]): void {
  for (const record of records) node.gather.add(record);
  node.waitingNotices.add(read.notices);
}

/** Records of an earlier self may be of meters that have not shown their credential to this one: they come again. */
export function presentable({ config }: OriginNode, { records }: ReadBatch): readonly ExecutionRecord[] {
  return records.filter((record) => config.isCertified(record) || config.shownCredential(record) !== undefined);
}

/** Takes back what was on disk when the node stopped; the exchange has restored the pool before. */
export function restore(node: OriginNode, admitted: Iterable<Uint8Array>): void {
  const { gather, pool, config } = node;
  for (const read of pool.readsOf(config.self)) for (const record of read.records) gather.note(record);
  for (const bytes of admitted) gather.add(executionRecord(readRecord(bytes)));
  node.waitingNotices.restore();
}

/** Those of `reads` whose number the block seals with another, as an earlier self, whose disk is lost, had used it, or closes. */
function displacedOf({ config }: OriginNode, block: Block, reads: readonly ReadBatch[]): ReadBatch[] {
  const own = block.batches.filter((batch) => equalBytes(batch.origin, config.self));
  const ids = new Set(own.map(({ id }) => toHex(id)));
  // The same before the block is stored and after it.
  let numbers = config.view.origin(toHex(config.self));
  for (const { number } of own) numbers = sealNumber(numbers, number) ?? numbers;
  return reads.filter((read) => !ids.has(toHex(read.id)) && sealNumber(numbers, read.batch.number) === undefined);
}

/** Own temporary blocks that can be sealed no more once the block is stored, those included that are being written. */
export function displacedBy(node: OriginNode, block: Block): ReadBatch[] {
  return displacedOf(node, block, [...node.pool.readsOf(node.config.self), ...node.cuts]);
}

/**
 * Operations of own temporary blocks that the block, which is to be stored, seals without them, as its contracts leave no room: they
 * are for a later one. What it seals or the chain can seal no more is not among them.
 */
export function leftOutBy({ config, pool }: OriginNode, block: Block): ExecutionRecord[] {
  const { view } = config;
  const place = config.place();
  const own = block.batches.filter(({ origin }) => equalBytes(origin, config.self));
  const asked = own.flatMap(({ id }) => pool.find(id)?.records.filter(({ type }) => type !== undefined) ?? []);
  if (asked.length === 0) return [];
  const sealed = new Set(own.flatMap(({ records }) => records.map((bytes) => toHex(sha256(bytes)))));
  return asked.filter((record) => {
    const { meter, seq, hash } = record;
    const state = view.meter(meter);
    if (sealed.has(toHex(hash)) || isRepeat(state, seq) || hasEnded(state, block.time_ms)) return false;
    return standingOf(place.governance, meter, place.service, seq, place.judgedAt) === "good";
  });
}

/**
 * Lets go of what the block sealed and takes back what it gave back, before all else the operations that it left out. Returns how long the oldest record of each own temporary block in
 * it has waited, of those that were cut since the node started.
 */
export function onSealed(
  node: OriginNode,
  { block, records }: SealedBlock,
  { leftOut, now_ms }: { readonly leftOut: readonly ExecutionRecord[]; readonly now_ms: number },
): number[] {
  const { config, pool, gather, cutSince_ms } = node;
  const waited_ms: number[] = [];
  for (const read of displacedOf(node, block, pool.readsOf(config.self))) {
    cutSince_ms.delete(toHex(read.id));
    if (!config.isGivenUp(read.id)) gatherAgain(node, read, presentable(node, read));
  }
  for (const { id, origin, number } of block.batches) {
    // What falls out of another's may be under way in one of this node.
    if (!equalBytes(origin, config.self)) continue;
    node.nextNumber = Math.max(node.nextNumber, number + 1);
    const since_ms = cutSince_ms.get(toHex(id));
    if (cutSince_ms.delete(toHex(id))) waited_ms.push(now_ms - since_ms!);
    for (const { meter, seq } of pool.find(id)?.records ?? []) gather.forget(meter, seq);
  }
  for (const { meter, seq } of records) gather.forget(meter, seq);
  gather.putBack(leftOut);
  return waited_ms;
}
