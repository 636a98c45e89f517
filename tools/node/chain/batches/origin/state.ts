// What this node knows as an original node, what happens to it, and what it wants done: the types that its steps share.

import { BATCH_NUMBER_MAX } from "../../../../../src/wire/bounds.js";
import { equalBytes, toHex } from "../../../../../src/wire/bytes.js";
import type { Credential } from "../../../../../src/wire/credential.js";
import { BoundedMap } from "../../../../bounded-map.js";
import type { ReadBatch } from "../../../../ledger/compose.js";
import type { ChainView, ExecutionNotice, ExecutionPlace } from "../../../../ledger/execution.js";
import type { ExecutionRecord } from "../../../../ledger/record-scan.js";
import { createGather, type Gather } from "../gather.js";
import type { Pool } from "../pool.js";
import type { WaitingNotices } from "../waiting-notices.js";

/** This node's own temporary blocks under way; half of what every node holds of it, so that none is ever turned away. */
export const OWN_BATCHES_MAX = 32;

/** What the chain makes of the next block. */
export interface NextBlock {
  /** where its rules run */
  place(): ExecutionPlace;
  /** Whether it could hold something of the batch. */
  sealsSomething(read: ReadBatch): boolean;
}

/** What does not change, and what may be asked without an effect. */
export interface OriginConfig extends NextBlock {
  readonly service: number;
  /** id of this node */
  readonly self: Uint8Array;
  /** records that fill a temporary block */
  readonly records_max: number;
  /** the chain as sealed so far */
  readonly view: ChainView;
  /** The credential that the record's meter has shown to this node. */
  shownCredential(record: ExecutionRecord): Uint8Array | undefined;
  /** What its credential on the chain permits or, where it has none there, the one that it has shown; undefined where it has none. */
  rolesOf(record: ExecutionRecord): Pick<Credential, "roles"> | undefined;
  /** Whether its credential is on the chain. */
  isCertified(record: ExecutionRecord): boolean;
  /** Whether the own batch can have no quorum any more, as peers hold another of its number. */
  isGivenUp(id: Uint8Array): boolean;
  isStopped(): boolean;
}

export interface OriginNode {
  readonly config: OriginConfig;
  /** id of this node as hex */
  readonly self: string;
  readonly pool: Pool;
  readonly gather: Gather;
  readonly waitingNotices: WaitingNotices;
  /** above all numbers that this node has used, as far as it knows */
  nextNumber: number;
  /** a timer runs until the next cut */
  isCutDue: boolean;
  /** own temporary blocks that are being written: the pool does not have them yet */
  readonly cuts: Set<ReadBatch>;
  /** since when the oldest record that is not in a temporary block has waited; monotonic */
  pendingSince_ms: number;
  /** the same of the oldest record of each own temporary block, by its id as hex */
  readonly cutSince_ms: Map<string, number>;
}

/** What is taken out of what waits, for one temporary block. */
export interface Cut {
  readonly number: number;
  /** all records that were taken out */
  readonly taken: readonly ExecutionRecord[];
  /** those of them that are not sealed, and that their meter may sign still */
  readonly records: readonly ExecutionRecord[];
  readonly chosen: readonly ExecutionNotice[];
  /** orders and evidence that can be sealed no more */
  readonly spent: readonly ExecutionNotice[];
}

export type OriginInput =
  /** The time to wait for company is over. */
  | { readonly type: "due" }
  /** What waits fills a temporary block. */
  | { readonly type: "full" }
  /** Answers `make`. */
  | { readonly type: "made"; readonly cut: Cut; readonly read: ReadBatch }
  /** Answers `write`. */
  | { readonly type: "written"; readonly cut: Cut; readonly read: ReadBatch | undefined }
  /** One of an earlier self is on disk again; the records of the displaced one wait again. */
  | { readonly type: "takenBack"; readonly read: ReadBatch; readonly displaced: ReadBatch | undefined }
  /** Answers `giveBack`: the records and notices of the temporary block wait again. */
  | { readonly type: "gaveBack"; readonly read: ReadBatch; readonly records: readonly ExecutionRecord[] }
  /** A block is sealed: the next one may hold what waits. */
  | { readonly type: "sealed" }
  /** Something waits, or may be cut again. */
  | { readonly type: "waits" };

export type OriginEffect =
  /** What was admitted and is not handed to the store yet: a row is written before it is deleted. */
  | { readonly type: "writeAdmitted" }
  /** Signs a temporary block; answered by `made`, at once. */
  | { readonly type: "make"; readonly cut: Cut; readonly credentials: readonly Uint8Array[] }
  /** The temporary block comes in place of the single records; answered by `written`. */
  | { readonly type: "write"; readonly cut: Cut; readonly read: ReadBatch | undefined }
  | { readonly type: "publish"; readonly read: ReadBatch }
  /** Its number is sealed with another, or closed: writes that what is in it waits, and its row goes; answered by `gaveBack`. */
  | { readonly type: "giveBack"; readonly read: ReadBatch }
  /** `due` comes after the time that records wait for company. */
  | { readonly type: "setTimer" }
  /** Nothing waits for `due`. */
  | { readonly type: "clearTimer" };

/** `used`: numbers of this node's temporary blocks that wait on disk */
export function createOriginNode(
  config: OriginConfig,
  { pool, waitingNotices, used }: Pick<OriginNode, "pool" | "waitingNotices"> & { readonly used: readonly number[] },
): OriginNode {
  return {
    config,
    self: toHex(config.self),
    pool,
    gather: createGather(config.records_max),
    waitingNotices,
    nextNumber: Math.max(firstUnsealed(config), ...used.map((number) => number + 1)),
    isCutDue: false,
    cuts: new Set(),
    pendingSince_ms: 0,
    cutSince_ms: new BoundedMap(OWN_BATCHES_MAX),
  };
}

/** Above all numbers of this node that are sealed. */
export function firstUnsealed(config: Pick<OriginConfig, "self" | "view">): number {
  const { next, beyond } = numbersOf(config);
  return Math.max(next, ...beyond.map((number) => number + 1));
}

/** Which of this node's numbers are sealed. */
export function numbersOf({ self, view }: Pick<OriginConfig, "self" | "view">) {
  return view.origin(toHex(self)) ?? { next: 0, beyond: [] };
}

/** Only a member's temporary blocks are sealed. */
export function isMember({ pool, self }: OriginNode): boolean {
  return pool.members.has(self);
}

/** Whether this node has no number for another temporary block. */
export function isUsedUp({ nextNumber }: OriginNode): boolean {
  return nextNumber > BATCH_NUMBER_MAX;
}

export function isPending({ gather, waitingNotices }: OriginNode): boolean {
  return gather.pending + waitingNotices.pending > 0;
}

export function chainKnows(view: ChainView, meter: string, seq: number, hash: Uint8Array): "sealed" | "other" | "none" {
  const sealed = view.sealedHash(meter, seq);
  if (sealed === undefined) return "none";
  return equalBytes(sealed, hash) ? "sealed" : "other";
}
