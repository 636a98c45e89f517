// Temporary blocks between the nodes of a chain: stored and acknowledged by each, verified by some, accepted by a quorum, asked for
// where they are missing. Performs what exchange/step.ts decides.

import { type Acknowledgement, acknowledgementBytes, type BatchName } from "../../../../src/wire/batch.js";
import type { SealedBatch } from "../../../../src/wire/block.js";
import { toHex } from "../../../../src/wire/bytes.js";
import { WireError } from "../../../../src/wire/error.js";
import { type ReadBatch, readSignedBatch } from "../../../ledger/compose.js";
import { numberKey } from "../../store/keys.js";
import type { Writer } from "../../store/writer.js";
import { UNSENT_BYTES_MAX } from "../blocks/catch-up.js";
import { decodeBatchNote, encodeFrame } from "../frame.js";
import type { ChainPorts } from "../ports.js";
import { viewOf } from "../stored-state.js";
import { acceptances, batches, deleteBatch, storedBatches } from "../tables/batches.js";
import { isAccepted } from "./exchange/acceptances.js";
import {
  type Arrival,
  createExchangeState,
  type ExchangeEffect,
  type ExchangeInput,
  type Outcome,
} from "./exchange/state.js";
import { step } from "./exchange/step.js";
import type { Pool } from "./pool.js";
import { createSealedAhead, type SealedAhead, sealedParts } from "./sealed-ahead.js";
import { createVerification, RecordRefuted } from "./verification.js";

export interface Exchange {
  /** A new temporary block of this node that is on disk: sends it round and acknowledges it. */
  publish(read: ReadBatch): void;
  /** Frames of peers; a rejection is a WireError that says what was wrong with the frame. */
  onBatch(from: string, payload: Uint8Array): Promise<void>;
  onDisclosures(from: string, payload: Uint8Array): void;
  onAcknowledge(from: string, payload: Uint8Array): void;
  onAccepted(from: string, payload: Uint8Array): void;
  onNeedBatch(from: string, payload: Uint8Array): void;
  /** Asks for a batch that is named and not here, with a quorum's acknowledgements where they are verified. */
  need(name: BatchName, acceptance?: readonly Acknowledgement[]): void;
  /** Whether the acknowledgements are an acceptance of the batch; verifies what is not known yet. */
  isAccepted(name: BatchName, acknowledgements: readonly Acknowledgement[]): boolean;
  /** Says again what has not had its answer; to a member that has come, at once what it has not acknowledged. */
  resend(come?: string): void;
  /** The pool has other members: what they have not acknowledged is said to them, what fell out is forgotten. */
  onMembers(dropped: readonly ReadBatch[]): void;
  /** Whether the own batch can have no quorum any more, as peers hold another of its number. */
  isGivenUp(id: Uint8Array): boolean;
  /** Temporary blocks that this node has only stored so far, and verifies when it has time. */
  readonly unverified: number;
  /** Whether a record of the batch is known not to verify. */
  isRefuted(id: Uint8Array): boolean;
  /** A block has sealed these; what this node has only stored of them it may still find wrong. */
  onSealed(sealed: readonly SealedBatch[]): void;
  /** Deletes what can no longer be sealed. */
  discard(reads: readonly ReadBatch[]): void;
  /** Takes back what was on disk when the node stopped. */
  restore(): void;
}

/** The origin's part: evidence, and what an earlier self of this node cut, whose disk is lost, and peers still hold. */
export interface Returned {
  /** Whether no temporary block of this number is being written. */
  mayTake(number: number): boolean;
  /** Writes what taking it back leaves without a number. */
  onTaking(writer: Writer, displaced: ReadBatch): void;
  onTaken(read: ReadBatch, displaced: ReadBatch | undefined): void;
  /** Takes back what is in one of the store whose number is sealed with another, or closed. */
  onGone(read: ReadBatch): void;
  /** Takes evidence that a node's word on a temporary block is false. */
  onEvidence(evidence: Uint8Array): void;
}

/** `onWork` is called when a batch is to be said again, has become ready to be proposed, or was asked for and has come. */
export function createExchange(ports: ChainPorts, pool: Pool, onWork: () => void, returned: Returned): Exchange {
  const { genesis, store } = ports;
  const service = ports.chain.service;
  const config = { genesisHash: genesis.hash, service, self: ports.self.id, view: viewOf(store, service) };
  const { verify } = ports;
  const mayTake = (number: number) => returned.mayTake(number);
  const isAway = (member: string) => !ports.peers().includes(member);
  const state = createExchangeState({ ...config, verify, mayTake, isAway }, pool);
  const verifyBatch = createVerification(ports);
  const sealedAhead = createSealedAhead(store, service, state.self);

  const feed = (input: ExchangeInput) => performAll(step(state, input, ports.monotonic_ms()));

  /** Undefined where all of it is done at once; what threads or the disk have to answer first holds up the rest. */
  const performAll = (effects: readonly ExchangeEffect[], from = 0): Promise<void> | undefined => {
    for (let index = from; index < effects.length; index += 1) {
      const done = perform(effects[index]!);
      if (done === undefined) continue;
      return index + 1 < effects.length ? done.then(() => performAll(effects, index + 1)) : done;
    }
    return undefined;
  };

  const perform = (effect: ExchangeEffect): Promise<void> | undefined => {
    switch (effect.type) {
      case "send":
        return send(effect.to, encodeFrame(effect.kind, service, effect.payload));
      case "charge":
        return void ports.charge(effect.node, effect.work, effect.amount);
      case "sendBatch":
        // What it hides goes first: a member that has it signs at once.
        for (const frame of framesOf(ports, effect)) send(effect.to, frame);
        return undefined;
      case "sign":
        return sign(effect);
      case "verify":
        return verifyAll(effect);
      case "examine":
        return void examine(ports, verifyBatch, effect)
          .then((outcome) => feed({ ...effect, type: "examined", outcome }))
          .catch(ports.onFatal);
      case "accuse":
        return void returned.onEvidence(effect.evidence);
      case "setTimer":
        return void ports.setTimer("takeOver", effect.delay_ms, () => void feed({ type: "takeOver" }));
      case "keep":
        return keep(effect.arrival);
      case "keepAcceptance":
        return write((writer) =>
          writer.put(acceptances, numberKey(service, effect.name.origin, effect.name.number), effect.note),
        );
      case "delete":
        return write((writer) => {
          for (const { origin, number } of effect.places) deleteBatch(writer, service, origin, number);
        });
      case "giveUp":
        return giveUp(effect);
      case "takenBack":
        return void returned.onTaken(effect.arrival.read, effect.arrival.displaced);
      case "gone":
        return void returned.onGone(effect.read);
      case "work":
        return void onWork();
      case "drop":
        return void ports.onDropped(effect.reason);
      case "warn":
        return void ports.log.warn({ reason: effect.reason }, effect.message);
      case "fatal":
        return void ports.onFatal(effect.error);
      case "refuse":
        throw effect.error;
    }
  };

  const send = (to: string, frame: Uint8Array): undefined => {
    if (to !== "members") return void ports.send(to, frame);
    for (const member of pool.members.ids) if (member !== state.self) ports.send(member, frame);
  };

  const sign = ({ read, verified }: Extract<ExchangeEffect, { type: "sign" }>) =>
    onceWhole(ports, sealedAhead, read, () => {
      feed({ type: "signed", read, verified, signature: acknowledged(ports, read, verified) });
    });

  /** Nobody waits for it. */
  const write = (fill: (writer: Writer) => void): undefined => {
    store.write(fill).catch(ports.onFatal);
  };

  const verifyAll = async ({ from, read, signed, records }: Extract<ExchangeEffect, { type: "verify" }>) => {
    try {
      await verifyBatch(read, signed, records ? "duty" : "never");
    } catch (error) {
      const bad = error instanceof RecordRefuted ? error.bad : undefined;
      return feed({ type: "refuted", from, read, error, bad });
    }
    return feed({ type: "verified", from, read, records });
  };

  const keep = async (arrival: Arrival) => {
    const { read, displaced, acceptance } = arrival;
    const { origin, number } = read.batch;
    try {
      await store.write((writer) => {
        writer.put(batches, numberKey(service, origin, number), read.bytes);
        sealedAhead.put(writer, read);
        if (displaced !== undefined) returned.onTaking(writer, displaced);
        if (acceptance !== undefined) writer.put(acceptances, numberKey(service, origin, number), acceptance);
      });
    } catch (error) {
      return feed({ type: "unkept", arrival, error });
    }
    return feed({ type: "kept", arrival });
  };

  const giveUp = async ({ read, rival }: Extract<ExchangeEffect, { type: "giveUp" }>) => {
    try {
      await store.write((writer) => returned.onTaking(writer, read));
      returned.onTaken(read, read);
    } catch (error) {
      ports.onFatal(error);
    }
    return feed({ type: "givenUp", rival });
  };

  const repeat = (come?: string) => {
    feed({ type: "repeatOwn", come });
    feed({ type: "repeatAccepted" });
  };

  return {
    publish: (read) => void feed({ type: "cut", read }),
    onBatch: async (from, payload) => feed({ type: "batch", from, payload }),
    onDisclosures: (from, payload) => ports.charge(from, "record", sealedAhead.hold(from, payload)),
    onAcknowledge: (from, payload) => void feed({ type: "acknowledge", from, note: decodeBatchNote(payload) }),
    onAccepted: (from, payload) => void feed({ type: "accepted", from, note: decodeBatchNote(payload), payload }),
    onNeedBatch(from, payload) {
      const isServed = ports.unsent_bytes(from) > UNSENT_BYTES_MAX;
      feed({ type: "needBatch", from, note: decodeBatchNote(payload), isServed });
    },
    need: (name, acceptance) => void feed({ type: "need", name, acceptance }),
    isAccepted: (name, acknowledgements) => isAccepted(state, name, acknowledgements),
    resend: repeat,
    onMembers(dropped) {
      feed({ type: "members", dropped });
      repeat();
    },
    get unverified() {
      return state.late.size;
    },
    isRefuted: (id) => state.refuted.has(toHex(id)),
    onSealed: (sealed) => void feed({ type: "sealed", sealed }),
    isGivenUp: (id) => state.givenUp.has(toHex(id)),
    discard: (reads) => void feed({ type: "discard", reads }),
    restore: () => void feed({ type: "restore", stored: storedBatches(store, service) }),
  };
}

/** Calls it once what the records hide is on disk, which is at once where it is there; never where some of it has not come. */
function onceWhole(ports: ChainPorts, sealedAhead: SealedAhead, read: ReadBatch, done: () => void) {
  const missing = sealedAhead.missingOf(read);
  if (missing === "none") return void done();
  if (missing === "unknown") return void ports.onDropped("batch-bare");
  return ports.store
    .write((writer) => sealedAhead.put(writer, read))
    .then(done)
    .catch(ports.onFatal);
}

function acknowledged({ genesis, chain, signer }: ChainPorts, read: ReadBatch, verified: boolean): Uint8Array {
  const name = { origin: read.batch.origin, number: read.batch.number, id: read.id };
  return signer.sign(acknowledgementBytes(genesis.hash, chain.service, name, verified));
}

/** Of what an origin has encrypted nobody else's word counts, but with the origin itself where it has lost that. */
function* framesOf(
  { store, chain, self }: ChainPorts,
  { to, read }: Extract<ExchangeEffect, { type: "sendBatch" }>,
): Generator<Uint8Array, void> {
  const origin = toHex(read.batch.origin);
  const isHeeded = origin === toHex(self.id) || origin === to;
  for (const part of isHeeded ? sealedParts(store, chain.service, read) : []) {
    yield encodeFrame("disclosures", chain.service, part);
  }
  yield encodeFrame("batch", chain.service, read.bytes);
}

/** Verifies the records of one that is held. */
async function examine(
  { genesis, log }: ChainPorts,
  verifyBatch: ReturnType<typeof createVerification>,
  { read, urgency }: Extract<ExchangeEffect, { type: "examine" }>,
): Promise<Outcome> {
  try {
    const { signed } = readSignedBatch(genesis.hash, read.bytes);
    await verifyBatch(read, signed, urgency);
    return { type: "verified" };
  } catch (error) {
    if (error instanceof RecordRefuted) return { type: "refuted", bad: error.bad };
    if (!(error instanceof WireError)) throw error;
    log.warn({ reason: error.message }, "a stored temporary block cannot be verified");
    return { type: "failed" };
  }
}
