// Temporary blocks between the nodes of a chain: validated, stored and acknowledged by each, accepted by a quorum, asked for where
// they are missing. What a node acknowledges it has verified record by record and has on disk.

import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { type Credential, verifyCredential } from "../../../src/wire/credential.js";
import { WireError } from "../../../src/wire/error.js";
import { keyId, type PublicKey } from "../../../src/wire/key.js";
import { quorum } from "../../../src/wire/quorum.js";
import { type BatchName, decodeBatchNote, encodeBatchNote, encodeFrame } from "../frame.js";
import { type Acknowledgement, acknowledgementOf, isSealable, type ReadBatch, readBatch } from "./compose.js";
import type { Pool } from "./pool.js";
import type { ChainPorts } from "./ports.js";
import { sealNumber } from "./state.js";
import { viewOf } from "./view.js";

export interface Exchange {
  /** A new temporary block of this node that is on disk: sends it round and acknowledges it. */
  publish(read: ReadBatch): void;
  /** Frames of peers; a rejection is a WireError that says what was wrong with the frame. */
  onBatch(from: string, payload: Uint8Array): Promise<void>;
  onAcknowledge(from: string, payload: Uint8Array): void;
  onAccepted(from: string, payload: Uint8Array): void;
  onNeedBatch(from: string, payload: Uint8Array): void;
  /** Asks for a batch that is named and not here. */
  need(name: BatchName): void;
  /** Whether the acknowledgements are a quorum's for the batch; verifies what is not known yet. */
  isAccepted(name: BatchName, acknowledgements: readonly Acknowledgement[]): boolean;
  /** Says again what has not had its answer. */
  resend(): void;
  /** Takes back what was on disk when the node stopped. */
  restore(): void;
}

/** `onWork` is called when a batch has become ready to be proposed, or one that was asked for has come. */
export function createExchange(ports: ChainPorts, pool: Pool, onWork: () => void): Exchange {
  const { genesis, chain, store } = ports;
  const service = chain.service;
  const selfId = toHex(ports.self.id);
  const peers = chain.members.map((member) => toHex(member.id)).filter((id) => id !== selfId);
  const view = viewOf(store, service);
  /** batches under verification, so that one that comes twice is verified once */
  const verifying = new Set<string>();

  const broadcast = (frame: Uint8Array) => {
    for (const peer of peers) ports.send(peer, frame);
  };

  const memberKey = (node: Uint8Array): PublicKey | undefined =>
    chain.members.find((member) => equalBytes(member.id, node))?.key;

  const acknowledge = (read: ReadBatch) => {
    const signature = ports.signer.sign(acknowledgementOf(genesis.hash, read));
    const acknowledgement = { node: ports.self.id, signature };
    const name = nameOf(read);
    const origin = toHex(name.origin);
    if (origin === selfId) noteAcknowledgement(name, acknowledgement);
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

  const isOpen = (name: Pick<BatchName, "origin" | "number">) =>
    sealNumber(view.origin(toHex(name.origin)), name.number) !== undefined;

  const isAccepted = (name: BatchName, acknowledgements: readonly Acknowledgement[]) => {
    const nodes = new Set(acknowledgements.map(({ node }) => toHex(node)));
    if (nodes.size !== acknowledgements.length || nodes.size < quorum(chain.members.length)) return false;
    const message = acknowledgementOf(genesis.hash, { batch: { ...emptyBatch, ...name, chain: service }, id: name.id });
    return acknowledgements.every((acknowledgement) => {
      if (pool.isKnown(name.id, acknowledgement)) return true;
      const key = memberKey(acknowledgement.node);
      return key !== undefined && ports.verify(key, message, acknowledgement.signature);
    });
  };

  const noteAccepted = (name: BatchName, acknowledgements: readonly Acknowledgement[]): boolean => {
    let completed = false;
    for (const acknowledgement of acknowledgements) completed = pool.acknowledge(name, acknowledgement) || completed;
    return completed;
  };

  return {
    isAccepted,
    publish(read) {
      if (pool.add(read) === "full") throw new Error("a node cut more temporary blocks than it may hold");
      broadcast(encodeFrame("batch", service, read.bytes));
      acknowledge(read);
    },
    async onBatch(_from, payload) {
      // The frame is a view of the link's buffer; what is kept is a copy.
      const read = readBatch(genesis.hash, Uint8Array.from(payload));
      const { batch } = read;
      const key = memberKey(batch.origin);
      const id = toHex(read.id);
      if (batch.chain !== service || key === undefined) throw new WireError("unproven", "batch is not of this chain");
      if (!isSealable(view, read) || verifying.has(id)) return;
      if (pool.find(read.id) !== undefined) return acknowledge(read);
      if (!ports.verify(key, read.signedBytes, read.signature)) {
        throw new WireError("unproven", "batch is not signed by its origin");
      }
      verifying.add(id);
      try {
        await verifyRecords(ports, read);
        await keepBatch(read);
      } finally {
        verifying.delete(id);
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
      if (key === undefined || !ports.verify(key, acknowledgementOf(genesis.hash, read), acknowledgement.signature)) {
        throw new WireError("unproven", "acknowledgement's signature does not verify");
      }
      noteAcknowledgement(nameOf(read), acknowledgement);
    },
    onAccepted(_from, payload) {
      const { acknowledgements, ...name } = decodeBatchNote(payload);
      if (!isOpen(name) || pool.acceptance(name.id) !== undefined) return;
      if (!isAccepted(name, acknowledgements)) throw new WireError("unproven", "acceptance is not a quorum's");
      if (!noteAccepted(name, acknowledgements)) return;
      if (pool.find(name.id) === undefined) return this.need(name);
      keepAcceptance(name, Uint8Array.from(payload));
      onWork();
    },
    onNeedBatch(from, payload) {
      const read = pool.find(decodeBatchNote(payload).id);
      if (read !== undefined) ports.send(from, encodeFrame("batch", service, read.bytes));
    },
    need(name) {
      broadcast(encodeFrame("needBatch", service, encodeBatchNote(name, [])));
    },
    resend() {
      for (const { read, waitingFor } of pool.unacknowledged(ports.self.id)) {
        const frame = encodeFrame("batch", service, read.bytes);
        for (const node of waitingFor) if (node !== selfId) ports.send(node, frame);
        if (waitingFor.includes(selfId)) acknowledge(read);
      }
      for (const name of pool.acceptedOf(ports.self.id)) {
        broadcast(encodeFrame("accepted", service, encodeBatchNote(name, pool.acceptance(name.id)!)));
      }
      for (const name of pool.missing()) this.need(name);
    },
    restore() {
      for (const stored of store.batches(service)) {
        const read = readBatch(genesis.hash, stored.bytes);
        if (!isSealable(view, read) || pool.add(read) !== "added" || stored.acceptance === undefined) continue;
        const { acknowledgements, ...name } = decodeBatchNote(stored.acceptance);
        if (isAccepted(name, acknowledgements)) noteAccepted(name, acknowledgements);
      }
    },
  };

  async function keepBatch(read: ReadBatch): Promise<void> {
    const added = pool.add(read);
    if (added === "full") return; // not acknowledged: its origin says it again when there is room
    if (added === "conflict") {
      throw new WireError("unproven", `origin ${toHex(read.batch.origin)} signed two batches ${read.batch.number}`);
    }
    const { origin, number } = read.batch;
    await store.write((writer) => writer.putBatch(service, { origin, number, bytes: read.bytes }));
    acknowledge(read);
    if (pool.acceptance(read.id) !== undefined) onWork();
  }
}

const emptyBatch = { credentials: [], records: [] };

export function nameOf(read: ReadBatch): BatchName {
  return { origin: read.batch.origin, number: read.batch.number, id: read.id };
}

/** Every record signed by a meter whose credential is on the chain or in the batch, permits the service, and hides nothing more. */
async function verifyRecords(ports: ChainPorts, read: ReadBatch): Promise<void> {
  const { service } = ports.chain;
  const credentials = new Map<string, Credential>();
  for (const bytes of read.batch.credentials) {
    const credential = verifyCredential(bytes, ports.genesis, ports.verify);
    credentials.set(toHex(keyId(credential.key)), credential);
  }
  const checks = read.records.map((record) => {
    const kid = toHex(record.kid);
    let credential = credentials.get(kid);
    if (credential === undefined) {
      const known = ports.store.credential(service, record.kid);
      if (known === undefined) throw new WireError("unproven", `batch brings no credential of meter ${kid}`);
      credential = verifyCredential(known, ports.genesis, ports.verify);
      credentials.set(kid, credential);
    }
    const proper =
      record.claims.service === service &&
      record.disclosures.length === 0 &&
      record.algorithm === credential.key.algorithm &&
      credential.services.includes(service);
    if (!proper) throw new WireError("unproven", `batch holds a record of meter ${kid} that is not for this chain`);
    return ports.verifyAsync(credential.key, record.signedBytes, record.signature);
  });
  const verified = await Promise.all(checks);
  if (verified.includes(false)) throw new WireError("unproven", "batch holds a record whose signature does not verify");
}
