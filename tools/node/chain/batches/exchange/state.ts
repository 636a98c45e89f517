// What the exchange of temporary blocks remembers, what happens to it, and what it wants done: the types that its steps share.

import { type Acknowledgement, acknowledgementBytes, type BatchName } from "../../../../../src/wire/batch.js";
import type { SealedBatch } from "../../../../../src/wire/block.js";
import { toHex } from "../../../../../src/wire/bytes.js";
import type { Verify } from "../../../../../src/wire/key.js";
import { BoundedMap } from "../../../../bounded-map.js";
import type { ReadBatch } from "../../../../ledger/compose.js";
import type { BadRecord } from "../../../../ledger/disproof.js";
import type { ChainView } from "../../../../ledger/execution.js";
import type { SignedRecord } from "../../../../ledger/record-scan.js";
import type { PeerWork } from "../../../network/budget.js";
import type { BatchNote } from "../../frame.js";
import type { StoredBatch } from "../../tables/batches.js";
import type { Pool } from "../pool.js";

/** Temporary blocks that were asked for last: of more, the one asked for first may be asked for again. */
const NEEDS_KEPT = 256;
/** Temporary blocks that are recognised by their signature before they are read. */
const MARKS_KEPT = 4_096;
/** Temporary blocks that are known to be verified: of more, the one verified first is verified again where that is asked for. */
const VERIFIED_KEPT = 4_096;
/** Temporary blocks with a record that does not verify: one of a node is enough to name it. */
const REFUTED_KEPT = 64;

/** What does not change, and what may be asked without an effect. */
export interface ExchangeConfig {
  readonly genesisHash: Uint8Array;
  readonly service: number;
  /** id of this node */
  readonly self: Uint8Array;
  /** the chain as sealed so far */
  readonly view: ChainView;
  readonly verify: Verify;
  /** Whether no temporary block of this number is being written by this node. */
  mayTake(number: number): boolean;
  /** Whether there is no link to the member, by its id as hex. */
  isAway(member: string): boolean;
}

export interface ExchangeState {
  readonly config: ExchangeConfig;
  /** id of this node as hex */
  readonly self: string;
  readonly pool: Pool;
  /** ids of those that are verified or written, so that one that comes twice is verified once */
  readonly verifying: Set<string>;
  /** ids of those that came whole, by the signature that their encoding ends with, so that a repeat is not read again */
  readonly marks: Map<string, Uint8Array>;
  /** own ones by id as hex: when to send them again */
  readonly resends: Map<string, { readonly after_ms: number; readonly at_ms: number }>;
  /** own ones that came back from peers, by id as hex: they are not given up for others of their number */
  readonly kept: Set<string>;
  /** own ones, by id as hex, whose records went on under another number */
  readonly givenUp: Set<string>;
  /** numbers of own ones that others have sealed all of: out of the pool, and on disk until no block can seal them */
  readonly letGo: Set<number>;
  /** others' accepted ones by id as hex: since when they have waited, or were last passed on */
  readonly acceptedAt: Map<string, number>;
  /** when one was last asked for, by id as hex */
  readonly neededAt: Map<string, number>;
  /** ids as hex of those of which this node has verified every record */
  readonly verified: Map<string, true>;
  /** ids as hex of those that are held and being verified */
  readonly examining: Map<string, Urgency>;
  /** when to look which of them are to be taken over; monotonic */
  takeOverAt_ms: number;
  /** how long it takes lately from the coming of one that others verify to its acceptance: a mean */
  acceptance_ms: number;
  /** stored without verification, by id as hex, in the order of their coming: verified when there is time */
  readonly late: Map<string, Late>;
  /** one of them is being verified */
  lateRuns: boolean;
  /** by id as hex */
  readonly refuted: Map<string, Refuted>;
}

/** `duty`: an acceptance waits for it. `late`: nobody does. */
export type Urgency = "duty" | "late";

/** One that this node has stored without verifying its records. */
export interface Late {
  readonly read: ReadBatch;
  /** of a quorum, once a block has sealed it */
  acknowledgements: readonly Acknowledgement[];
}

/** One with a record that does not verify. */
export interface Refuted {
  readonly bad: BadRecord;
  /** ids of those who were accused, as hex */
  readonly accused: Set<string>;
}

/** What came of verifying the records of one that is held; `failed`: they could not be verified. */
export type Outcome =
  | { readonly type: "verified" }
  | { readonly type: "refuted"; readonly bad: BadRecord }
  | { readonly type: "failed" };

/** A peer's temporary block that is good and has its place in the pool: on its way to disk. */
export interface Arrival {
  readonly read: ReadBatch;
  /** cut by an earlier self of this node */
  readonly isOwn: boolean;
  /** own one of the same number, which it displaces */
  readonly displaced: ReadBatch | undefined;
  /** the quorum's acknowledgements, where they came before it */
  readonly acceptance: Uint8Array | undefined;
}

export type ExchangeInput =
  /** This node has cut it, and it is on disk. */
  | { readonly type: "cut"; readonly read: ReadBatch }
  | { readonly type: "batch"; readonly from: string; readonly payload: Uint8Array }
  /** Answers `verify`; `records`: whether their signatures were verified too. */
  | { readonly type: "verified"; readonly from: string; readonly read: ReadBatch; readonly records: boolean }
  /** `bad`: the record that does not verify, where it is that. */
  | {
      readonly type: "refuted";
      readonly from: string;
      readonly read: ReadBatch;
      readonly error: unknown;
      readonly bad: BadRecord | undefined;
    }
  /** Answers `examine`, some time later. */
  | { readonly type: "examined"; readonly read: ReadBatch; readonly urgency: Urgency; readonly outcome: Outcome }
  /** The timer that `setTimer` set. */
  | { readonly type: "takeOver" }
  /** A block has sealed these; the pool has them still. */
  | { readonly type: "sealed"; readonly sealed: readonly Pick<SealedBatch, "id" | "acknowledgements">[] }
  /** Answers `keep`. */
  | { readonly type: "kept"; readonly arrival: Arrival }
  | { readonly type: "unkept"; readonly arrival: Arrival; readonly error: unknown }
  /** Answers `giveUp`, whatever came of it. */
  | { readonly type: "givenUp"; readonly rival: ReadBatch }
  /** Answers `sign`. */
  | { readonly type: "signed"; readonly read: ReadBatch; readonly verified: boolean; readonly signature: Uint8Array }
  | { readonly type: "acknowledge"; readonly from: string; readonly note: BatchNote }
  | { readonly type: "accepted"; readonly from: string; readonly note: BatchNote; readonly payload: Uint8Array }
  /** `isServed`: enough of what it asked for before is still on its way to it */
  | { readonly type: "needBatch"; readonly from: string; readonly note: BatchNote; readonly isServed: boolean }
  /** Something names it, and it is not here. */
  | {
      readonly type: "need";
      readonly name: BatchName;
      readonly acceptance: readonly Acknowledgement[] | undefined;
    }
  /** What has had no answer is due again: own ones first, then what is accepted, then what is missing. */
  | {
      readonly type: "repeatOwn";
      /** a member that has come: it is sent at once what it has not acknowledged */
      readonly come: string | undefined;
    }
  | { readonly type: "repeatAccepted" }
  /** The pool has other members, and these fell out of it. */
  | { readonly type: "members"; readonly dropped: readonly ReadBatch[] }
  /** These can no longer be sealed. */
  | { readonly type: "discard"; readonly reads: readonly ReadBatch[] }
  /** The node starts, or is a member again. */
  | { readonly type: "restore"; readonly stored: readonly StoredBatch[] };

export type InputOf<Type extends ExchangeInput["type"]> = Extract<ExchangeInput, { type: Type }>;

/** Where a temporary block's rows are. */
export type BatchPlace = Pick<BatchName, "origin" | "number">;

export type ExchangeEffect =
  | {
      readonly type: "send";
      readonly to: string | "members";
      readonly kind: "acknowledge" | "accepted" | "needBatch";
      readonly payload: Uint8Array;
    }
  /** With what is here of its records' sealed disclosures, which go before it. */
  | { readonly type: "sendBatch"; readonly to: string | "members"; readonly read: ReadBatch }
  /** Notes what a frame of the node has made this one do. */
  | { readonly type: "charge"; readonly node: string; readonly work: PeerWork; readonly amount: number }
  /**
   * Its acknowledgement by this node, once the sealed disclosures of its records are on disk; answered by `signed`. Not answered where
   * some of them are not here: it comes again with them.
   */
  | { readonly type: "sign"; readonly read: ReadBatch; readonly verified: boolean }
  /** All that can be told of it at once and, where they are this node's to verify, its records, in threads; answered by `verified` or `refuted`. */
  | {
      readonly type: "verify";
      readonly from: string;
      readonly read: ReadBatch;
      readonly signed: readonly SignedRecord[];
      readonly records: boolean;
    }
  /** Every record of one that is held, in threads; answered by `examined`, and nothing waits for it. */
  | { readonly type: "examine"; readonly read: ReadBatch; readonly urgency: Urgency }
  /** Puts evidence before the chain. */
  | { readonly type: "accuse"; readonly evidence: Uint8Array }
  /** For `takeOver`. */
  | { readonly type: "setTimer"; readonly delay_ms: number }
  /** Writes it; answered by `kept` or `unkept`. */
  | { readonly type: "keep"; readonly arrival: Arrival }
  /** Written without waiting: it spares the quorum the question after a restart. */
  | { readonly type: "keepAcceptance"; readonly name: BatchName; readonly note: Uint8Array }
  | { readonly type: "delete"; readonly places: readonly BatchPlace[] }
  /** Its records go on under another number of this node, as a peer holds the rival; answered by `givenUp`. */
  | { readonly type: "giveUp"; readonly read: ReadBatch; readonly rival: ReadBatch }
  /** One of an earlier self of this node is on disk again. */
  | { readonly type: "takenBack"; readonly arrival: Arrival }
  /** An own one of the store whose number is sealed with another, or closed. */
  | { readonly type: "gone"; readonly read: ReadBatch }
  /** One is to be said again, has become ready to be proposed, or was asked for and has come. */
  | { readonly type: "work" }
  /** The frame is of no use, and nobody is to blame. */
  | { readonly type: "drop"; readonly reason: BatchDrop }
  /** The frame is not what a correct node sends: the last effect of its input. */
  | { readonly type: "refuse"; readonly error: unknown }
  | { readonly type: "warn"; readonly reason: string; readonly message: string }
  | { readonly type: "fatal"; readonly error: unknown };

/** Why a frame about a temporary block is dropped. docs/metrics.md says what each means. */
export const batchDrops = [
  "batch-not-member",
  "batch-under-way",
  "batch-sealed",
  "batch-number-taken",
  "batch-no-room",
  "batch-unknown",
  "batch-foreign",
  "batch-repeated",
  "batch-unserved",
  "batch-bare",
  "verification-skipped",
] as const;
export type BatchDrop = (typeof batchDrops)[number];

export function createExchangeState(config: ExchangeConfig, pool: Pool): ExchangeState {
  return {
    config,
    self: toHex(config.self),
    pool,
    verifying: new Set(),
    marks: new BoundedMap(MARKS_KEPT),
    resends: new Map(),
    kept: new Set(),
    givenUp: new Set(),
    letGo: new Set(),
    acceptedAt: new Map(),
    neededAt: new BoundedMap(NEEDS_KEPT),
    verified: new BoundedMap(VERIFIED_KEPT),
    examining: new Map(),
    takeOverAt_ms: Number.POSITIVE_INFINITY,
    acceptance_ms: 0,
    late: new Map(),
    lateRuns: false,
    refuted: new BoundedMap(REFUTED_KEPT),
  };
}

export function nameOf(read: ReadBatch): BatchName {
  return { origin: read.batch.origin, number: read.batch.number, id: read.id };
}

/** What a node signs to acknowledge the batch of this name. */
export function acknowledgedBytes({ config }: ExchangeState, name: BatchName, verified: boolean): Uint8Array {
  return acknowledgementBytes(config.genesisHash, config.service, name, verified);
}

/** What this node says of it. */
export function sign({ verified }: ExchangeState, read: ReadBatch): ExchangeEffect {
  return { type: "sign", read, verified: verified.has(toHex(read.id)) };
}

export function drop(reason: BatchDrop): ExchangeEffect[] {
  return [{ type: "drop", reason }];
}
