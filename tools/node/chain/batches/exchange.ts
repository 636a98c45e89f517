// Temporary blocks between the nodes of a chain: validated, stored and acknowledged by each, accepted by a quorum, asked for where
// they are missing. What a node acknowledges it has verified record by record and has on disk.

import { equalBytes, toHex } from "../../../../src/wire/bytes.js";
import { WireError } from "../../../../src/wire/error.js";
import { BoundedMap } from "../../../bounded-map.js";
import { GridsealError } from "../../../errors.js";
import {
  type Acknowledgement,
  acknowledgementOf,
  isSealable,
  type ReadBatch,
  readBatch,
  readSignedBatch,
} from "../../../ledger/compose.js";
import type { Writer } from "../../store/writer.js";
import { UNSENT_BYTES_MAX } from "../blocks/catch-up.js";
import { type BatchName, decodeBatchNote, encodeBatchNote, encodeFrame } from "../frame.js";
import type { ChainPorts } from "../ports.js";
import { viewOf } from "../stored-state.js";
import type { Pool } from "./pool.js";
import { createVerification } from "./verification.js";

export interface Exchange {
  /** A new temporary block of this node that is on disk: sends it round and acknowledges it. */
  publish(read: ReadBatch): void;
  /** Frames of peers; a rejection is a WireError that says what was wrong with the frame. */
  onBatch(from: string, payload: Uint8Array): Promise<void>;
  onAcknowledge(from: string, payload: Uint8Array): void;
  onAccepted(from: string, payload: Uint8Array): void;
  onNeedBatch(from: string, payload: Uint8Array): void;
  /** Asks for a batch that is named and not here, with a quorum's acknowledgements where they are verified. */
  need(name: BatchName, acceptance?: readonly Acknowledgement[]): void;
  /** Whether the acknowledgements are a quorum's for the batch; verifies what is not known yet. */
  isAccepted(name: BatchName, acknowledgements: readonly Acknowledgement[]): boolean;
  /** Says again what has not had its answer; to a member that has come, at once what it has not acknowledged. */
  resend(come?: string): void;
  /** The pool has other members: what they have not acknowledged is said to them, what fell out is forgotten. */
  onMembers(dropped: readonly ReadBatch[]): void;
  /** Whether the own batch can have no quorum any more, as peers hold another of its number. */
  isGivenUp(id: Uint8Array): boolean;
  /** Deletes what can no longer be sealed. */
  discard(reads: readonly ReadBatch[]): void;
  /** Takes back what was on disk when the node stopped. */
  restore(): void;
}

/** A missing batch is not asked for more often: each answer makes this node look again for what it lacks. */
const NEED_PERIOD_MS = 500;
const NEEDS_KEPT = 256;
/** Batches that are recognised by their signature before they are read. */
const MARKS_KEPT = 4_096;
/** An own batch is sent again after so long, and then after twice as long each time: the others may merely be slow. */
const RESEND_MS_MIN = 2_000;
const RESEND_MS_MAX = 16_000;
/** An accepted batch of another origin waits so long for a block before its acceptance is said again here. */
const PASSED_ON_MS = 4_000;

/** Where a temporary block's rows are. */
type BatchPlace = Pick<BatchName, "origin" | "number">;

/** The origin's part in what an earlier self of this node cut, whose disk is lost, and peers still hold. */
export interface Returned {
  /** Whether no temporary block of this number is being written. */
  mayTake(number: number): boolean;
  /** Writes what taking it back leaves without a number. */
  onTaking(writer: Writer, displaced: ReadBatch): void;
  onTaken(read: ReadBatch, displaced: ReadBatch | undefined): void;
  /** Takes back what is in one of the store whose number is sealed with another, or closed. */
  onGone(read: ReadBatch): void;
}

/** `onWork` is called when a batch is to be said again, has become ready to be proposed, or was asked for and has come. */
export function createExchange(ports: ChainPorts, pool: Pool, onWork: () => void, returned: Returned): Exchange {
  const { genesis, store } = ports;
  const service = ports.chain.service;
  const selfId = toHex(ports.self.id);
  const view = viewOf(store, service);
  const verifyRecords = createVerification(ports);
  /** batches under verification, so that one that comes twice is verified once */
  const verifying = new Set<string>();
  /** ids of batches that came whole, by the signature that their encoding ends with, so that a repeat is not read again */
  const marks = new BoundedMap<string, Uint8Array>(MARKS_KEPT);
  /** own batches by id as hex: when to send them again */
  const resends = new Map<string, { readonly after_ms: number; readonly at_ms: number }>();
  /** own batches that came back from peers, by id as hex: they are not given up for others of their number */
  const kept = new Set<string>();
  /** those of them whose records went on under another number */
  const givenUp = new Set<string>();
  /** others' accepted batches by id as hex: since when they have waited, or were last passed on */
  const acceptedAt = new Map<string, number>();
  /** when a batch was last asked for, by id as hex */
  const neededAt = new BoundedMap<string, number>(NEEDS_KEPT);

  const broadcast = (frame: Uint8Array) => {
    for (const peer of pool.members.ids) if (peer !== selfId) ports.send(peer, frame);
  };

  const memberKey = (node: Uint8Array) => pool.members.keyOf(toHex(node));

  const acknowledge = (read: ReadBatch) => {
    const signature = ports.signer.sign(acknowledgementOf(genesis.hash, read));
    const acknowledgement = { node: ports.self.id, signature };
    const name = nameOf(read);
    const origin = toHex(name.origin);
    const acceptance = pool.acceptance(name.id);
    // Of two batches with one number a quorum accepts one: who holds it for that may have acknowledged the other, and says no more.
    if (origin !== selfId && acceptance !== undefined) {
      ports.send(origin, encodeFrame("accepted", service, encodeBatchNote(name, acceptance)));
    } else if (origin === selfId) noteAcknowledgement(name, acknowledgement);
    else ports.send(origin, encodeFrame("acknowledge", service, encodeBatchNote(name, [acknowledgement])));
  };

  /** At the origin: completes the quorum and tells everybody. */
  const noteAcknowledgement = (name: BatchName, acknowledgement: Acknowledgement) => {
    if (!pool.acknowledge(name, acknowledgement)) return;
    const note = encodeBatchNote(name, pool.acceptance(name.id)!);
    keepAcceptance(name, note);
    broadcast(encodeFrame("accepted", service, note));
    onWork();
  };

  /** Written without waiting: it spares the quorum the question after a restart. */
  const keepAcceptance = (name: BatchName, note: Uint8Array) => {
    store.write((writer) => writer.putAcceptance(service, name.origin, name.number, note)).catch(ports.onFatal);
  };

  const isAccepted = (name: BatchName, acknowledgements: readonly Acknowledgement[]) => {
    const nodes = new Set(acknowledgements.map(({ node }) => toHex(node)));
    if (nodes.size !== acknowledgements.length || nodes.size < pool.members.quorum) return false;
    const message = acknowledgementOf(genesis.hash, { batch: { ...emptyBatch, ...name, chain: service }, id: name.id });
    return acknowledgements.every((acknowledgement) => {
      if (pool.isKnown(name.id, acknowledgement)) return true;
      const key = memberKey(acknowledgement.node);
      return key !== undefined && ports.verify(key, message, acknowledgement.signature);
    });
  };

  /** Undefined where the batch is known or sealed. What their signatures are verified by ends here. */
  const beginVerifying = (from: string, mark: string, payload: Uint8Array) => {
    const { read, signed } = readSignedBatch(genesis.hash, ownBytes(payload));
    const { batch } = read;
    const key = memberKey(batch.origin);
    const id = toHex(read.id);
    if (batch.chain !== service) throw new WireError("unproven", "batch is not of this chain");
    if (key === undefined) throw new WireError("untimely", "batch is of no member of this height");
    if (!isSealable(view, batch) || verifying.has(id)) {
      ports.charge(from, "unwanted", payload.length);
      return undefined;
    }
    ports.charge(from, "verification", 1);
    if (pool.find(read.id) !== undefined) {
      acknowledge(read);
      return undefined;
    }
    if (!ports.verify(key, read.signedBytes, read.signature)) {
      throw new WireError("unproven", "batch is not signed by its origin");
    }
    verifying.add(id);
    marks.set(mark, read.id);
    return { read, verified: verifyRecords(batch, signed) };
  };

  const noteAccepted = (name: BatchName, acknowledgements: readonly Acknowledgement[]): boolean => {
    let completed = false;
    for (const acknowledgement of acknowledgements) completed = pool.acknowledge(name, acknowledgement) || completed;
    return completed;
  };

  return {
    isAccepted,
    publish(read) {
      if (pool.add(read, ports.monotonic_ms()) === "full")
        throw new Error("a node cut more temporary blocks than it may hold");
      broadcast(encodeFrame("batch", service, read.bytes));
      acknowledge(read);
      onWork(); // until a quorum has acknowledged it, it is said again
    },
    async onBatch(from, payload) {
      if (!pool.members.has(selfId)) return; // not this node's to acknowledge any more
      const mark = toHex(payload.subarray(-64));
      const marked = marks.get(mark);
      if (marked !== undefined) {
        if (verifying.has(toHex(marked))) return; // not on disk yet, though the pool has it
        const held = pool.find(marked);
        if (held !== undefined) {
          ports.charge(from, "verification", 1); // of its answer's signature
          return acknowledge(held);
        }
        marks.delete(mark);
      }
      const taken = beginVerifying(from, mark, payload);
      if (taken === undefined) return;
      const { read, verified } = taken;
      try {
        await verified;
        if (!isSealable(view, read.batch)) return; // a block has sealed its number meanwhile
        await keepBatch(from, read);
      } finally {
        verifying.delete(toHex(read.id));
      }
    },
    onAcknowledge(from, payload) {
      const { acknowledgements, ...name } = decodeBatchNote(payload);
      const acknowledgement = acknowledgements[0];
      const read = pool.find(name.id);
      // Only for what this node has cut itself, so that nobody fills the pool with names of nothing.
      if (acknowledgement === undefined || toHex(acknowledgement.node) !== from || read === undefined) return;
      if (!equalBytes(read.batch.origin, ports.self.id) || pool.isKnown(name.id, acknowledgement)) return;
      const key = memberKey(acknowledgement.node);
      ports.charge(from, "verification", 1);
      if (key === undefined || !ports.verify(key, acknowledgementOf(genesis.hash, read), acknowledgement.signature)) {
        throw new WireError("unproven", "acknowledgement's signature does not verify");
      }
      noteAcknowledgement(nameOf(read), acknowledgement);
    },
    onAccepted(from, payload) {
      const { acknowledgements, ...name } = decodeBatchNote(payload);
      if (!isSealable(view, name) || pool.acceptance(name.id) !== undefined) return;
      ports.charge(from, "verification", acknowledgements.length);
      if (!isAccepted(name, acknowledgements)) {
        // Of another height it may be a quorum's: who is at which is not known here.
        const known = acknowledgements.filter(({ node }) => memberKey(node) !== undefined).length;
        const isOfOthers = known < acknowledgements.length || known < pool.members.quorum;
        throw new WireError(isOfOthers ? "untimely" : "unproven", "acceptance is not a quorum's");
      }
      if (!noteAccepted(name, acknowledgements)) return;
      if (pool.find(name.id) === undefined) return this.need(name);
      keepAcceptance(name, Uint8Array.from(payload));
      onWork();
    },
    onNeedBatch(from, payload) {
      const read = pool.find(decodeBatchNote(payload).id);
      if (read === undefined || verifying.has(toHex(read.id))) return; // not on disk yet: it is asked for again
      if (ports.unsent_bytes(from) > UNSENT_BYTES_MAX) return ports.charge(from, "unserved", 1);
      ports.charge(from, "served", read.bytes.length);
      ports.send(from, encodeFrame("batch", service, read.bytes));
    },
    need(name, acceptance) {
      if (acceptance !== undefined) noteAccepted(name, acceptance);
      const id = toHex(name.id);
      if (verifying.has(id)) return; // it has come
      const last_ms = neededAt.get(id);
      if (last_ms !== undefined && ports.monotonic_ms() - last_ms < NEED_PERIOD_MS) return;
      neededAt.set(id, ports.monotonic_ms());
      broadcast(encodeFrame("needBatch", service, encodeBatchNote(name, [])));
    },
    resend(come) {
      if (!pool.members.has(selfId)) return; // members answer each other alone
      const now_ms = ports.monotonic_ms();
      const waiting = pool.unacknowledged(ports.self.id);
      const ids = new Set(waiting.map(({ read }) => toHex(read.id)));
      for (const id of resends.keys()) if (!ids.has(id)) resends.delete(id);
      for (const { read, waitingFor } of waiting) {
        const id = toHex(read.id);
        const last = resends.get(id);
        if (givenUp.has(id) || verifying.has(id)) continue; // or an own one that came back from a peer, not on disk yet
        if (last !== undefined && now_ms < last.at_ms) {
          const isNews = come !== undefined && waitingFor.includes(come);
          if (isNews) ports.send(come, encodeFrame("batch", service, read.bytes));
          continue;
        }
        const after_ms = last === undefined ? RESEND_MS_MIN : Math.min(2 * last.after_ms, RESEND_MS_MAX);
        resends.set(id, { after_ms, at_ms: now_ms + after_ms });
        const frame = encodeFrame("batch", service, read.bytes);
        for (const node of waitingFor) if (node !== selfId) ports.send(node, frame);
        if (waitingFor.includes(selfId)) acknowledge(read);
      }
      for (const name of pool.acceptedOf(ports.self.id)) {
        broadcast(encodeFrame("accepted", service, encodeBatchNote(name, pool.acceptance(name.id)!)));
      }
      passOn(now_ms);
      for (const name of pool.missing()) this.need(name);
    },
    onMembers(dropped) {
      const others = dropped.filter(({ batch }) => !equalBytes(batch.origin, ports.self.id));
      discard(others);
      resends.clear();
      this.resend();
    },
    isGivenUp: (id) => givenUp.has(toHex(id)),
    discard,
    restore() {
      const gone: BatchPlace[] = [];
      for (const stored of store.batches(service)) {
        const read = readStored(stored.bytes);
        if (read === undefined || !isSealable(view, stored)) {
          if (read !== undefined && equalBytes(stored.origin, ports.self.id)) returned.onGone(read);
          gone.push(stored);
          continue;
        }
        if (!pool.members.has(toHex(stored.origin))) continue;
        if (pool.add(read, ports.monotonic_ms()) !== "added" || stored.acceptance === undefined) continue;
        const { acknowledgements, ...name } = decodeBatchNote(stored.acceptance);
        if (isAccepted(name, acknowledgements)) noteAccepted(name, acknowledgements);
      }
      deleteRows(gone);
    },
  };

  /** Acceptances of others' batches that no block comes for: their origins may have lost them, and who else knows is not known. */
  function passOn(now_ms: number): void {
    const names = pool.members.members.flatMap(({ id }) => (equalBytes(id, ports.self.id) ? [] : pool.acceptedOf(id)));
    const ids = new Set(names.map(({ id }) => toHex(id)));
    for (const id of acceptedAt.keys()) if (!ids.has(id)) acceptedAt.delete(id);
    for (const name of names) {
      const id = toHex(name.id);
      const since_ms = acceptedAt.get(id) ?? now_ms;
      acceptedAt.set(id, since_ms);
      if (now_ms - since_ms < PASSED_ON_MS) continue;
      acceptedAt.delete(id);
      broadcast(encodeFrame("accepted", service, encodeBatchNote(name, pool.acceptance(name.id)!)));
    }
  }

  /** Rows that the block which sealed or closed their numbers left, or that were written behind it. */
  function discard(reads: readonly ReadBatch[]): void {
    for (const { id } of reads) givenUp.delete(toHex(id));
    deleteRows(reads.map(({ batch }) => batch));
  }

  function deleteRows(places: readonly BatchPlace[]): void {
    if (places.length === 0) return;
    const written = store.write((writer) => {
      for (const { origin, number } of places) writer.deleteBatch(service, origin, number);
    });
    written.catch(ports.onFatal);
  }

  /** Undefined where it is none by what is taken today: no quorum acknowledges it again. */
  function readStored(bytes: Uint8Array): ReadBatch | undefined {
    try {
      return readBatch(genesis.hash, bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      ports.log.warn({ reason: error.message }, "a stored temporary block is let go of");
      return undefined;
    }
  }

  /** Peers are split over two batches of one own number, so neither may ever be accepted: its records go on under another. */
  async function giveUp(read: ReadBatch): Promise<void> {
    const id = toHex(read.id);
    if (givenUp.has(id)) return;
    givenUp.add(id);
    try {
      await store.write((writer) => returned.onTaking(writer, read));
      returned.onTaken(read, read);
    } catch (error) {
      ports.onFatal(error);
    }
  }

  async function keepBatch(from: string, read: ReadBatch): Promise<void> {
    const { origin, number } = read.batch;
    const other = pool.readsOf(origin).find((held) => held.batch.number === number && !equalBytes(held.id, read.id));
    const isOwn = equalBytes(origin, ports.self.id);
    if (isOwn && !returned.mayTake(number)) return;
    if (isOwn && other !== undefined && pool.acceptance(other.id) === undefined && !kept.has(toHex(other.id))) {
      pool.remove([other.id]); // peers hold this one, so the other one could not be accepted
    }
    const added = pool.add(read, ports.monotonic_ms());
    if (added === "full") return; // not acknowledged: its origin says it again when there is room
    if (added === "conflict") {
      // An origin that has lost its disk does not know what it had signed: it is told.
      if (from === toHex(origin) && other !== undefined) ports.send(from, encodeFrame("batch", service, other.bytes));
      if (isOwn && other !== undefined) await giveUp(other);
      // An origin whose disk is lost does so in good faith, and a peer that passes it on does not know.
      throw new WireError("untimely", `origin ${toHex(origin)} signed two batches ${number}`);
    }
    if (isOwn) kept.add(toHex(read.id));
    const acceptance = pool.acceptance(read.id);
    try {
      await store.write((writer) => {
        writer.putBatch(service, { origin, number, bytes: read.bytes });
        if (isOwn && other !== undefined) returned.onTaking(writer, other);
        if (acceptance === undefined) return;
        writer.putAcceptance(service, origin, number, encodeBatchNote(nameOf(read), acceptance));
      });
    } catch (error) {
      if (!(error instanceof GridsealError)) {
        pool.remove([read.id]);
        throw error; // it cannot be written as it is: no disk is to blame
      }
      ports.onFatal(error); // the pool holds what is not on disk: nothing may be acknowledged from here on
      return;
    }
    if (isOwn) returned.onTaken(read, other);
    if (pool.find(read.id) === undefined) return discard([read]); // a block has sealed its number meanwhile
    acknowledge(read);
    if (pool.acceptance(read.id) !== undefined) onWork();
  }
}

/** The payload of a frame to keep: where that is a small part of the link's buffer, a copy. */
function ownBytes(payload: Uint8Array): Uint8Array {
  return payload.buffer.byteLength < 2 * payload.length ? payload : Uint8Array.from(payload);
}

const emptyBatch = { notices: [], records: [] };

export function nameOf(read: ReadBatch): BatchName {
  return { origin: read.batch.origin, number: read.batch.number, id: read.id };
}
