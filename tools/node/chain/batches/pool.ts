// The temporary blocks of one chain that are not sealed yet, pure: who acknowledged which, which are accepted, which a proposer
// may put into a block. Bounded: a node holds so many per origin and no more.

import { type Acknowledgement, BATCH_BYTES_MAX, type BatchName } from "../../../../src/wire/batch.js";
import {
  BATCH_RECORDS_MAX,
  BLOCK_BATCH_BYTES_MAX,
  BLOCK_BATCHES_MAX,
  BLOCK_RECORDS_MAX,
} from "../../../../src/wire/bounds.js";
import { equalBytes, toHex } from "../../../../src/wire/bytes.js";
import { type AcceptedBatch, operationCount, type ReadBatch } from "../../../ledger/compose.js";
import type { MemberSet } from "../../../ledger/members.js";
import { BLOCK_OPERATIONS_MAX } from "../../../ledger/run-plan.js";

/** Unsealed temporary blocks that a node holds of one origin. */
export const BATCHES_PER_ORIGIN_MAX = 64;
/** Bytes of them: what as many as an origin keeps under way come to at most, so that none of a correct one is turned away. */
export const BATCH_BYTES_PER_ORIGIN_MAX = (BATCHES_PER_ORIGIN_MAX / 2) * BATCH_BYTES_MAX;
/** Records in temporary blocks of one origin that seal nothing: those of one that is full. Further ones have room once they are sealed. */
export const SPENT_RECORDS_PER_ORIGIN_MAX = BATCH_RECORDS_MAX;
/** The same with those that a quorum has accepted beyond: an equivocating origin has others accepted than those it sent here. */
export const ACCEPTED_PER_ORIGIN_MAX = 4 * BATCHES_PER_ORIGIN_MAX;

interface Entry {
  readonly name: BatchName;
  /** when the batch came; monotonic */
  since_ms: number;
  /** absent where the acceptance came before the batch */
  read: ReadBatch | undefined;
  /** verified acknowledgements by node id as hex */
  readonly acknowledgements: Map<string, Acknowledgement>;
  accepted: boolean;
  /** all of it was sealed when it came */
  isSpent: boolean;
  /** it would seal nothing: it waits for a block that seals something */
  barren: boolean;
  /** a record of it does not verify: this node proposes it in no block */
  refuted: boolean;
}

export interface Unacknowledged {
  readonly read: ReadBatch;
  /** ids of the members that have not acknowledged it */
  readonly waitingFor: readonly string[];
  /** ids of those that have only stored it, where more have to verify it */
  readonly unverified: readonly string[];
}

export type Placing = "added" | "known" | "conflict" | "full";

export interface Pool {
  /** The members of the next height: they may cut temporary blocks, and a quorum of them accepts. */
  readonly members: MemberSet;
  /**
   * Another set counts from here on. Acknowledgements of those who stay go on counting; what somebody cut who is no member any more
   * falls out and is returned.
   */
  changeMembers(members: MemberSet): ReadBatch[];
  /**
   * The stored batch, if it may be held: there is room, and no other of its origin and number, unless this one is accepted. `isSpent`: all
   * of it is sealed.
   */
  add(read: ReadBatch, now_ms: number, isSpent?: boolean): Placing;
  /** What `add` would answer. */
  placingOf(read: ReadBatch, isSpent: boolean): Placing;
  /**
   * Notes a genuine acknowledgement; true where it completes the acceptance: a quorum, of which as many as are to verify say that they
   * have. Who has said that says no less later.
   */
  acknowledge(name: BatchName, acknowledgement: Acknowledgement): boolean;
  /** Whether this acknowledgement is noted, so that it need not be verified again. */
  isKnown(id: Uint8Array, acknowledgement: Acknowledgement): boolean;
  find(id: Uint8Array): ReadBatch | undefined;
  /** When what is here came; monotonic. */
  cameAt(id: Uint8Array): number | undefined;
  /** A quorum's acknowledgements in the order of the members, of those who verified before others; undefined where it is not accepted. */
  acceptance(id: Uint8Array): Acknowledgement[] | undefined;
  /**
   * Accepted batches to put into the next block, within the limits of a block: the oldest that is not known to be barren, then the others,
   * oldest first. However many barren ones wait, they leave room for what they are to go with, and no more of their records are looked
   * through for one block than one of them may have.
   */
  candidates(sealable: (read: ReadBatch) => boolean): AcceptedBatch[];
  /** Whether a block would seal something; batches of which `sealsSomething` does not hold wait for one that does. */
  hasWork(sealsSomething?: (read: ReadBatch) => boolean): boolean;
  /** Whether anything is held or known to be acknowledged, accepted or not, that would seal something. */
  holds(sealsSomething: (read: ReadBatch) => boolean): boolean;
  markBarren(ids: readonly Uint8Array[]): void;
  /** Orders have come: a record that would not be sealed may be now, as its meter is resumed. What is spent stays barren. */
  reconsider(): void;
  /** All of it is sealed: it is one of those for which there is little room, whether it fits or not. */
  markSpent(id: Uint8Array): void;
  /** A record of it does not verify. */
  refute(id: Uint8Array): void;
  /** Those that are here and not accepted yet, with when they came; monotonic. */
  unaccepted(): readonly { readonly read: ReadBatch; readonly since_ms: number }[];
  /** Whether a batch that came at `since_ms` or later waits for its quorum. */
  isAcceptanceDue(since_ms: number): boolean;
  /** Accepted ones whose records are not here. */
  missing(): BatchName[];
  /** This node's own ones, not accepted yet. */
  unacknowledged(origin: Uint8Array): Unacknowledged[];
  /** Accepted, unsealed, and more than a repetition of what is sealed, of this origin. */
  acceptedOf(origin: Uint8Array): BatchName[];
  /** All that is here of this origin. */
  readsOf(origin: Uint8Array): ReadBatch[];
  remove(ids: readonly Uint8Array[]): void;
  /** Forgets what can no longer be sealed, and returns what was here of it. */
  retain(sealable: (name: BatchName) => boolean): ReadBatch[];
  readonly size: number;
}

/** Whether it is accepted, and its records are here. */
function isHere(entry: Entry): entry is Entry & { read: ReadBatch } {
  return entry.accepted && entry.read !== undefined;
}

export function createPool(initial: MemberSet): Pool {
  let members = initial;
  /** by id as hex, in the order of arrival */
  const entries = new Map<string, Entry>();

  const heldOf = (origin: Uint8Array) => {
    const held = { count: 0, bytes: 0, spentRecords: 0 };
    for (const { name, read, isSpent } of entries.values()) {
      if (!equalBytes(name.origin, origin)) continue;
      held.count += 1;
      held.bytes += read?.bytes.length ?? 0;
      if (isSpent) held.spentRecords += read?.records.length ?? 0;
    }
    return held;
  };

  /** A quorum may have accepted it, whatever there is room for here. */
  const hasRoom = ({ id, batch, bytes, records }: ReadBatch, isSpent: boolean): boolean => {
    if (entries.has(toHex(id))) return true;
    const held = heldOf(batch.origin);
    if (held.count >= BATCHES_PER_ORIGIN_MAX || held.bytes + bytes.length > BATCH_BYTES_PER_ORIGIN_MAX) return false;
    return !isSpent || held.spentRecords + records.length <= SPENT_RECORDS_PER_ORIGIN_MAX;
  };

  /** What is held of the number of a batch that has come. */
  const rivalOf = ({ id, batch: { origin, number } }: ReadBatch): Entry | undefined => {
    for (const entry of entries.values()) {
      const isSame = entry.read !== undefined && entry.name.number === number && equalBytes(entry.name.origin, origin);
      if (isSame && !equalBytes(entry.name.id, id)) return entry;
    }
    return undefined;
  };

  const placingOf = (read: ReadBatch, isSpent: boolean): Placing => {
    const entry = entries.get(toHex(read.id));
    if (entry?.read !== undefined) return "known";
    // A quorum has chosen between the two. After a change of members another one might still choose the one that was here: then the
    // chain seals whichever comes first, and no second one of the number (compose.ts).
    if (rivalOf(read) !== undefined && entry?.accepted !== true) return "conflict";
    return hasRoom(read, isSpent) ? "added" : "full";
  };

  const entryOf = (name: BatchName, limit: number): Entry | undefined => {
    const key = toHex(name.id);
    const existing = entries.get(key);
    if (existing !== undefined) return existing;
    if (heldOf(name.origin).count >= limit) return undefined;
    const entry: Entry = {
      name,
      read: undefined,
      since_ms: 0,
      acknowledgements: new Map(),
      accepted: false,
      isSpent: false,
      barren: false,
      refuted: false,
    };
    entries.set(key, entry);
    return entry;
  };

  const acknowledgementsOf = (entry: Entry): Acknowledgement[] => {
    const all = members.ids.flatMap((id) => entry.acknowledgements.get(id) ?? []);
    const stored = all.filter(({ verified }) => !verified);
    const verified = all.length - stored.length;
    const extra = new Set(stored.slice(Math.max(0, members.quorum - verified)));
    return all.filter((acknowledgement) => !extra.has(acknowledgement)).slice(0, members.quorum);
  };

  const verifiedBy = (entry: Entry): number => {
    let count = 0;
    for (const { verified } of entry.acknowledgements.values()) if (verified) count += 1;
    return count;
  };

  const isComplete = (entry: Entry): boolean =>
    entry.acknowledgements.size >= members.quorum && verifiedBy(entry) >= members.verifiedNeeded;

  const waitedFor = (entry: Entry) => {
    const lacks = verifiedBy(entry) < members.verifiedNeeded;
    return {
      waitingFor: members.ids.filter((id) => !entry.acknowledgements.has(id)),
      unverified: members.ids.filter((id) => lacks && entry.acknowledgements.get(id)?.verified === false),
    };
  };

  /** Counts an entry's acknowledgements anew. */
  const recount = (entry: Entry) => {
    for (const node of entry.acknowledgements.keys()) if (!members.has(node)) entry.acknowledgements.delete(node);
    entry.accepted = isComplete(entry);
  };

  return {
    get members() {
      return members;
    },
    changeMembers(next) {
      members = next;
      const dropped: ReadBatch[] = [];
      for (const [key, entry] of entries) {
        recount(entry);
        const isOfMember = members.has(toHex(entry.name.origin));
        if (!isOfMember && entry.read !== undefined) dropped.push(entry.read);
        if (!isOfMember || (entry.read === undefined && !entry.accepted)) entries.delete(key);
      }
      return dropped;
    },
    placingOf,
    add(read, now_ms, isSpent = false) {
      const placing = placingOf(read, isSpent);
      if (placing !== "added") return placing;
      const rival = rivalOf(read);
      if (rival !== undefined) entries.delete(toHex(rival.name.id));
      const { origin, number } = read.batch;
      const entry = entryOf({ origin, number, id: read.id }, BATCHES_PER_ORIGIN_MAX)!;
      entry.read = read;
      entry.since_ms = now_ms;
      entry.isSpent = isSpent;
      entry.barren ||= isSpent;
      return placing;
    },
    acknowledge(name, acknowledgement) {
      const node = toHex(acknowledgement.node);
      const entry = members.has(node) ? entryOf(name, ACCEPTED_PER_ORIGIN_MAX) : undefined;
      if (entry === undefined) return false;
      if (entry.acknowledgements.get(node)?.verified && !acknowledgement.verified) return false;
      entry.acknowledgements.set(node, acknowledgement);
      if (entry.accepted || !isComplete(entry)) return false;
      entry.accepted = true;
      return true;
    },
    isKnown(id, acknowledgement) {
      const known = entries.get(toHex(id))?.acknowledgements.get(toHex(acknowledgement.node));
      const isSame = known !== undefined && known.verified === acknowledgement.verified;
      return isSame && equalBytes(known.signature, acknowledgement.signature);
    },
    find: (id) => entries.get(toHex(id))?.read,
    cameAt(id) {
      const entry = entries.get(toHex(id));
      return entry?.read === undefined ? undefined : entry.since_ms;
    },
    acceptance(id) {
      const entry = entries.get(toHex(id));
      return entry?.accepted ? acknowledgementsOf(entry) : undefined;
    },
    candidates(sealable) {
      const chosen: AcceptedBatch[] = [];
      let records = 0;
      let operations = 0;
      let bytes = 0;
      const here = [...entries.values()].filter(isHere).filter(({ refuted }) => !refuted);
      const first = here.find(({ barren }) => !barren);
      const others = here.filter((entry) => entry !== first);
      let barrenRecords = 0;
      for (const entry of first === undefined ? others : [first, ...others]) {
        const { read, barren } = entry;
        if (barren && barrenRecords + read.records.length > BATCH_RECORDS_MAX) continue;
        if (!sealable(read)) continue;
        if (barren) barrenRecords += read.records.length;
        records += read.records.length;
        operations += operationCount(read.records);
        bytes += read.bytes.length;
        const full =
          chosen.length === BLOCK_BATCHES_MAX ||
          records > BLOCK_RECORDS_MAX ||
          operations > BLOCK_OPERATIONS_MAX ||
          bytes > BLOCK_BATCH_BYTES_MAX;
        if (full && chosen.length > 0) break;
        chosen.push({ read, acknowledgements: acknowledgementsOf(entry) });
      }
      return chosen;
    },
    hasWork(sealsSomething = () => true) {
      for (const entry of entries.values()) {
        if (!isHere(entry) || entry.barren || entry.refuted) continue;
        entry.barren = !sealsSomething(entry.read);
        if (!entry.barren) return true;
      }
      return false;
    },
    markBarren(ids) {
      for (const id of ids) {
        const entry = entries.get(toHex(id));
        if (entry !== undefined) entry.barren = true;
      }
    },
    reconsider() {
      for (const entry of entries.values()) entry.barren = entry.isSpent;
    },
    markSpent(id) {
      const entry = entries.get(toHex(id));
      if (entry === undefined) return;
      entry.isSpent = true;
      entry.barren = true;
    },
    refute(id) {
      const entry = entries.get(toHex(id));
      if (entry !== undefined) entry.refuted = true;
    },
    unaccepted: () =>
      [...entries.values()].flatMap(({ read, since_ms, accepted }) =>
        read !== undefined && !accepted ? [{ read, since_ms }] : [],
      ),
    isAcceptanceDue(since_ms) {
      for (const entry of entries.values()) {
        if (entry.read !== undefined && !entry.accepted && entry.since_ms >= since_ms) return true;
      }
      return false;
    },
    missing: () =>
      [...entries.values()].filter((entry) => entry.accepted && entry.read === undefined).map(({ name }) => name),
    unacknowledged: (origin) =>
      [...entries.values()].flatMap((entry) =>
        entry.read !== undefined && !entry.accepted && equalBytes(entry.name.origin, origin)
          ? [{ read: entry.read, ...waitedFor(entry) }]
          : [],
      ),
    acceptedOf: (origin) =>
      [...entries.values()]
        .filter(({ accepted, barren, refuted }) => accepted && !barren && !refuted)
        .filter(({ name }) => equalBytes(name.origin, origin))
        .map(({ name }) => name),
    readsOf: (origin) =>
      [...entries.values()].flatMap(({ name, read }) =>
        read !== undefined && equalBytes(name.origin, origin) ? [read] : [],
      ),
    holds: (sealsSomething) => [...entries.values()].some(({ read }) => read === undefined || sealsSomething(read)),
    remove(ids) {
      for (const id of ids) entries.delete(toHex(id));
    },
    retain(sealable) {
      // What orders and evidence come to depends on the block before; what records do not.
      for (const entry of entries.values()) {
        if (entry.read?.notices.some(({ kind }) => kind !== "credential")) entry.barren = false;
      }
      const closed: ReadBatch[] = [];
      for (const [key, entry] of entries) {
        if (sealable(entry.name)) continue;
        entries.delete(key);
        if (entry.read !== undefined) closed.push(entry.read);
      }
      return closed;
    },
    get size() {
      return entries.size;
    },
  };
}
