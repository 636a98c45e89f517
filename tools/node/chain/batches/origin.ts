// This node as original node: takes admitted records, durable one by one, and cuts them into temporary blocks.

import type { Block } from "../../../../src/wire/block.js";
import { BATCH_NUMBER_MAX } from "../../../../src/wire/bounds.js";
import { equalBytes, toHex } from "../../../../src/wire/bytes.js";
import type { Notice } from "../../../../src/wire/notice.js";
import { BoundedMap } from "../../../bounded-map.js";
import { assertInvariant } from "../../../errors.js";
import { isSealable, makeBatch, type ReadBatch } from "../../../ledger/compose.js";
import { type ExecutionNotice, type ExecutionPlace, takesEffect } from "../../../ledger/execution.js";
import { isSameNotice } from "../../../ledger/notices.js";
import type { ExecutionRecord } from "../../../ledger/record-scan.js";
import { executionRecord, kidOf, meterOf, type ReadRecord, readRecord } from "../../../ledger/record-scan.js";
import { BATCH_WINDOW } from "../../../ledger/state.js";
import { idKey, numberKey } from "../../store/keys.js";
import type { Writer } from "../../store/writer.js";
import type { ChainPorts, SealedBlock } from "../ports.js";
import { viewOf } from "../stored-state.js";
import { admittedRecords, admitted as admittedTable, disclosures } from "../tables/admitted.js";
import { batches, deleteBatch, storedBatches } from "../tables/batches.js";
import { credentials as credentialTable } from "../tables/credentials.js";
import { origins } from "../tables/states.js";
import { createDisplaced } from "./displaced.js";
import type { Exchange, Returned } from "./exchange.js";
import { createGather } from "./gather.js";
import type { Pool } from "./pool.js";
import { createWaitingNotices } from "./waiting-notices.js";

/** This node's own temporary blocks under way; half of what every node holds of it, so that none is ever turned away. */
const OWN_BATCHES_MAX = 32;

/** What became of an order or evidence; `reason` is for whoever submitted it. */
export type Submission = { readonly type: "taken" } | { readonly type: "refused"; readonly reason: string };

/** `admitted`: taken · `waiting`: taken before · `busy`: not taken, to be offered again. */
export type Admission = "admitted" | "waiting" | "busy";
/** What is known of a record before anything is checked with cost; `other`: another one with its number. */
export type Knowledge = "sealed" | "waiting" | "other" | "none";

export interface Origin {
  readonly pending: number;
  known(record: ReadRecord): Knowledge;
  /** Takes a checked record; resolves when it is durable. */
  admit(record: ReadRecord, disclosures: Uint8Array | undefined): Promise<Admission>;
  isWaiting(kid: Uint8Array, seq: number): boolean;
  /** Records of the meter, by its id as hex, that came here and are not sealed yet. */
  waitingOf(meter: string): number;
  /** Takes an order or evidence, whose signatures are verified, for the next temporary block; resolves when it is durable. */
  submit(notice: ExecutionNotice): Promise<Submission>;
  /** Takes back what was on disk when the node stopped; the exchange has restored the pool before. */
  restore(): void;
  /** This node is a member again: what has waited is cut. */
  resume(): void;
  /** Writes with the block what it gives back: records of temporary blocks that it leaves without a number. */
  onSealing(writer: Writer, block: Block): void;
  /** For the exchange: temporary blocks of an earlier self that peers still hold. */
  readonly returned: Returned;
  /**
   * Lets go of what the block sealed, takes back what it gave back, and cuts again where the pool has room now. Returns how many
   * milliseconds the oldest record of each own temporary block in it has waited, of those that were cut since the node started.
   */
  onSealed(sealed: SealedBlock): number[];
}

interface Unwritten {
  readonly record: ExecutionRecord;
  readonly disclosures: Uint8Array | undefined;
}

/** What the chain makes of the next block. */
export interface NextBlock {
  /** where its rules run */
  place(): ExecutionPlace;
  /** Whether it could hold something of the batch. */
  sealsSomething(read: ReadBatch): boolean;
}

export function createOrigin(
  ports: ChainPorts,
  pool: Pool,
  exchange: Exchange,
  { place, sealsSomething }: NextBlock,
  isStopped: () => boolean,
): Origin {
  const { genesis, store } = ports;
  const service = ports.chain.service;
  const selfId = toHex(ports.self.id);
  const view = viewOf(store, service);
  const gather = createGather(ports.batch.records_max);
  const waitingNotices = createWaitingNotices(ports);
  let nextNumber = firstFreeNumber(ports);
  let isCutDue = false;
  const displaced = createDisplaced(ports, gather, waitingNotices);
  /** own temporary blocks that are being written: the pool does not have them yet */
  const cuts = new Set<ReadBatch>();
  /** Of the newest admission: writes become durable in their order. */
  let soon: Promise<void> = Promise.resolve();

  /** since when the oldest record that is not in a temporary block has waited, and the oldest of each own one, by its id as hex; monotonic */
  let pendingSince_ms = 0;
  const cutSince_ms = new BoundedMap<string, number>(OWN_BATCHES_MAX);

  /** admitted, and not handed to the store yet */
  let unwritten: Unwritten[] = [];
  /** of what was handed to the store last */
  let writing: Promise<void> = Promise.resolve();

  /** Resolves when the record is durable. What comes out of verification together is one write. */
  const writeSoon = (record: ExecutionRecord, disclosures: Uint8Array | undefined): Promise<void> => {
    unwritten.push({ record, disclosures });
    if (unwritten.length === 1) soon = Promise.resolve().then(writeAdmitted);
    return soon;
  };

  const writeAdmitted = (): Promise<void> => {
    if (unwritten.length === 0) return writing;
    const admitted = unwritten;
    unwritten = [];
    writing = store.write((writer) => putAdmitted(writer, admitted));
    return writing;
  };

  const putAdmitted = (writer: Writer, admitted: readonly Unwritten[]) => {
    for (const { record, disclosures: shown } of admitted) {
      const key = numberKey(service, kidOf(record), record.seq);
      writer.put(admittedTable, key, record.bytes);
      if (shown !== undefined) writer.put(disclosures, key, shown);
    }
  };

  const deleteAdmitted = (writer: Writer, records: readonly ExecutionRecord[]) => {
    for (const record of records) writer.delete(admittedTable, numberKey(service, kidOf(record), record.seq));
  };

  /** What waits is not put off by what comes after it. */
  const scheduleCut = () => {
    if (isCutDue) return;
    isCutDue = true;
    ports.setTimer("cut", ports.batch.interval_ms, () => {
      isCutDue = false;
      cut().catch(ports.onFatal);
    });
  };

  const chainKnows = (meter: string, seq: number, hash: Uint8Array): "sealed" | "other" | "none" => {
    const sealed = view.sealedHash(meter, seq);
    if (sealed === undefined) return "none";
    return equalBytes(sealed, hash) ? "sealed" : "other";
  };

  const isUnsealed = ({ meter, seq, hash }: ExecutionRecord) => chainKnows(meter, seq, hash) !== "sealed";

  /** Only a member's temporary blocks are sealed. */
  const isMember = () => pool.members.has(selfId);

  /** Whether this node has no number for another temporary block. */
  const isUsedUp = () => nextNumber > BATCH_NUMBER_MAX;

  const isPending = () => gather.pending + waitingNotices.pending > 0;

  const hasRoom = () => pool.readsOf(ports.self.id).length < OWN_BATCHES_MAX;

  /** Makes a temporary block of what waits; the rest stays durable as single records until the pool has room. */
  const cut = async () => {
    if (isStopped() || !isPending() || !hasRoom() || !isMember()) return;
    const number = freeNumber();
    if (number === undefined) return;
    void writeAdmitted(); // a row is written before it is deleted
    const taken = gather.cut();
    const { chosen, spent } = waitingNotices.take(place());
    // What another node has brought onto the chain meanwhile falls out here, a fork does not.
    const records = taken.filter(isUnsealed);
    const read = records.length + chosen.length === 0 ? undefined : batchOf(number, records, chosen);
    if (read !== undefined) cuts.add(read);
    if (records.length > 0 && read !== undefined) cutSince_ms.set(toHex(read.id), pendingSince_ms);
    pendingSince_ms = ports.monotonic_ms();
    try {
      await store.write((writer) => {
        if (read !== undefined) writer.put(batches, numberKey(service, ports.self.id, read.batch.number), read.bytes);
        deleteAdmitted(writer, taken);
        waitingNotices.remove(writer, [...chosen, ...spent]);
      });
    } catch (error) {
      ports.onFatal(error);
      return;
    }
    const kept = new Set(records);
    for (const record of taken) if (!kept.has(record)) gather.forget(record.meter, record.seq);
    if (read !== undefined) await publish(read);
    if (isPending()) scheduleCut();
  };

  /** One that is on disk; a block may have taken its number meanwhile. */
  const publish = async (read: ReadBatch) => {
    cuts.delete(read);
    if (isStopped()) return; // it is read from disk at the next start
    if (isSealable(view, read.batch)) return exchange.publish(read);
    cutSince_ms.delete(toHex(read.id));
    await displaced.giveBack(read);
  };

  /**
   * Above all that were used, and where one of them is dead, so far above it that it is closed. None, for now, where that would close
   * one of a temporary block that is under way: no proposer can leave such a one behind.
   */
  const freeNumber = (): number | undefined => {
    const own = pool.readsOf(ports.self.id);
    const dead = own.filter(({ id }) => exchange.isGivenUp(id)).map(({ batch }) => batch.number + BATCH_WINDOW);
    const taken = own.map(({ batch }) => batch.number + 1); // one that came back from a peer may still be being written
    const number = Math.max(nextNumber, firstUnsealed(ports), ...taken, ...dead);
    const { next } = store.get(origins, idKey(service, ports.self.id)) ?? { next: 0 };
    if (number > BATCH_NUMBER_MAX) return undefined; // used up by an earlier self that lied: admit turns meters away
    const closes = number >= next + BATCH_WINDOW;
    const isUnderWay = (read: ReadBatch) => !exchange.isGivenUp(read.id) && sealsSomething(read);
    return closes && (cuts.size > 0 || own.some(isUnderWay)) ? undefined : number;
  };

  const batchOf = (number: number, records: readonly ExecutionRecord[], chosen: readonly ExecutionNotice[]) => {
    nextNumber = number + 1;
    const batch = {
      chain: service,
      origin: ports.self.id,
      number,
      notices: [...newCredentials(records), ...chosen.map(({ kind, bytes }) => ({ kind, bytes }))],
    };
    return makeBatch(genesis.hash, batch, records, (bytes) => ports.signer.sign(bytes));
  };

  const newCredentials = (records: readonly ExecutionRecord[]): Notice[] => {
    const credentials = new Map<string, Uint8Array>();
    for (const record of records) {
      const { meter } = record;
      if (credentials.has(meter) || view.meter(meter) !== undefined) continue; // its state comes with its credential
      const shown = store.get(credentialTable, idKey(0, kidOf(record)));
      assertInvariant(shown !== undefined, `meter ${meter} has shown its credential before its record was admitted`);
      credentials.set(meter, shown);
    }
    return [...credentials.values()].map((bytes) => ({ kind: "credential", bytes }));
  };

  return {
    get pending() {
      return gather.pending;
    },
    known({ kid, claims, hash }) {
      const meter = meterOf(kid);
      const waiting = gather.waiting(meter, claims.seq, hash);
      if (waiting !== "none") return waiting === "same" ? "waiting" : "other";
      return chainKnows(meter, claims.seq, hash);
    },
    async admit(record, disclosures) {
      const taken = executionRecord(record);
      const { meter, seq } = taken;
      const waiting = gather.waiting(meter, seq, taken.hash);
      if (waiting === "same") {
        await soon;
        return "waiting";
      }
      // Another record with this number waits: the meter says it again, and when that one is sealed this one proves the fork.
      if (waiting === "other" || !gather.hasRoom || isStopped() || !isMember() || isUsedUp()) return "busy";
      const first = gather.pending === 0;
      if (first) pendingSince_ms = ports.monotonic_ms();
      const full = gather.add(taken);
      await writeSoon(taken, disclosures);
      if (full) cut().catch(ports.onFatal);
      else if (first) scheduleCut();
      return "admitted";
    },
    isWaiting: (kid, seq) => gather.isWaiting(toHex(kid), seq),
    waitingOf: gather.waitingOf,
    async submit(notice) {
      const isUnderWay = ({ notices }: ReadBatch) => notices.some((known) => isSameNotice(known, notice));
      if ((await waitingNotices.has(notice)) || pool.readsOf(ports.self.id).some(isUnderWay)) return { type: "taken" };
      if (isStopped() || !isMember()) return { type: "refused", reason: "this node is no member of the chain" };
      if (!takesEffect(place(), notice)) return { type: "refused", reason: "it changes nothing on the chain" };
      const isFirst = !isPending();
      if ((await waitingNotices.submit(notice)) === "full")
        return { type: "refused", reason: "too much waits here: try again" };
      if (isFirst) scheduleCut();
      return { type: "taken" };
    },
    restore() {
      for (const read of pool.readsOf(ports.self.id)) for (const record of read.records) gather.note(record);
      for (const bytes of admittedRecords(store, service)) gather.add(executionRecord(readRecord(bytes)));
      waitingNotices.restore();
      if (isPending()) scheduleCut();
    },
    resume() {
      if (isPending()) scheduleCut();
    },
    onSealing(writer, block) {
      for (const read of displaced.by(block, [...pool.readsOf(ports.self.id), ...cuts])) {
        deleteBatch(writer, service, read.batch.origin, read.batch.number);
        if (!exchange.isGivenUp(read.id)) displaced.keepWaiting(writer, read);
      }
    },
    returned: {
      mayTake: (number) => ![...cuts].some(({ batch }) => batch.number === number),
      onTaking: displaced.keepWaiting,
      onTaken({ batch, records }, instead) {
        nextNumber = Math.max(nextNumber, batch.number + 1);
        for (const record of records) gather.note(record);
        if (instead !== undefined) displaced.gatherAgain(instead);
        if (isPending()) scheduleCut();
      },
      onGone(read) {
        displaced.giveBack(read).then(() => isPending() && scheduleCut(), ports.onFatal);
      },
    },
    onSealed({ block, records }) {
      const waited_ms: number[] = [];
      for (const read of displaced.by(block, pool.readsOf(ports.self.id))) {
        cutSince_ms.delete(toHex(read.id));
        if (!exchange.isGivenUp(read.id)) displaced.gatherAgain(read);
      }
      for (const { id, origin, number } of block.batches) {
        if (equalBytes(origin, ports.self.id)) nextNumber = Math.max(nextNumber, number + 1);
        const since_ms = cutSince_ms.get(toHex(id));
        if (cutSince_ms.delete(toHex(id))) waited_ms.push(ports.monotonic_ms() - since_ms!);
        for (const { meter, seq } of pool.find(id)?.records ?? []) gather.forget(meter, seq);
      }
      for (const { meter, seq } of records) gather.forget(meter, seq);
      if (isPending()) scheduleCut();
      return waited_ms;
    },
  };
}

/** Above all numbers that this node has used on the chain, sealed or waiting. */
function firstFreeNumber(ports: ChainPorts): number {
  const { store, chain, self } = ports;
  const own = storedBatches(store, chain.service).filter((stored) => toHex(stored.origin) === toHex(self.id));
  return Math.max(firstUnsealed(ports), ...own.map((stored) => stored.number + 1));
}

/** Above all numbers of this node that are sealed. */
function firstUnsealed({ store, chain, self }: ChainPorts): number {
  const { next, beyond } = store.get(origins, idKey(chain.service, self.id)) ?? { next: 0, beyond: [] };
  return Math.max(next, ...beyond.map((number) => number + 1));
}
