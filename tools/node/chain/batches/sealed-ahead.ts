// Sealed disclosures on their way between members. They come before the temporary block that holds their records, and are held in
// memory until it comes: what belongs to no record of a temporary block is never written. Its origin's word counts alone, and for its
// own temporary blocks: another member could bring any ciphertext first.

import { toHex } from "../../../../src/wire/bytes.js";
import { decodeSealedList, encodeSealedList, type SealedDisclosures } from "../../../../src/wire/sealed-disclosure.js";
import type { ReadBatch } from "../../../ledger/compose.js";
import { type ExecutionRecord, kidOf } from "../../../ledger/record-scan.js";
import { hashKey, makerKey } from "../../store/keys.js";
import type { StoreReader } from "../../store/store.js";
import type { Writer } from "../../store/writer.js";
import { putSealed, sealedDisclosures } from "../tables/sealed-disclosures.js";

/** Held of one member: its largest temporary block, and something more. Of more, what came first is forgotten. */
const HELD_BYTES_MAX = 20_000_000;
/** Held of one member on all chains of a node; of more, what came first on the chain that holds most of it is forgotten. */
const HELD_OF_MEMBER_BYTES_MAX = 60_000_000;
/** What one takes in memory beside its ciphertext, and is counted with it: a member chooses how small that is. */
const ENTRY_BYTES = 1_024;
/** Bytes of ciphertext in one frame. */
const PART_BYTES = 262_144;

export interface SealedAhead {
  /** Takes those of a frame, and returns how many they are. Throws a WireError. */
  hold(from: string, payload: Uint8Array): number;
  /** `held`: what is not on disk of the records' sealed disclosures is held here, as the origin has sent it. */
  missingOf(read: ReadBatch): "none" | "held" | "unknown";
  /** Writes what the origin has sent of the records'. */
  put(writer: Writer, read: ReadBatch): void;
}

interface HeldOf {
  readonly byHash: Map<string, SealedDisclosures>;
  bytes: number;
}

/** What a node holds of each member, by id as hex, a row a chain. A node has one store for all its chains. */
const heldByStore = new WeakMap<StoreReader, Map<string, Set<HeldOf>>>();

/** Holds nothing yet of the member on one more chain. */
function addHeld(store: StoreReader, member: string): HeldOf {
  const made: HeldOf = { byHash: new Map(), bytes: 0 };
  const byMember = heldByStore.get(store) ?? new Map<string, Set<HeldOf>>();
  heldByStore.set(store, byMember);
  byMember.set(member, (byMember.get(member) ?? new Set()).add(made));
  return made;
}

/** Forgets what came first. */
function shrink(of: HeldOf, bytes_max: number): void {
  for (const [name, sealed] of of.byHash) {
    if (of.bytes <= bytes_max) return;
    of.byHash.delete(name);
    of.bytes -= sizeOf(sealed);
  }
}

/** The same over all chains, where a chain that holds less keeps it. */
function shrinkAll(ofMember: ReadonlySet<HeldOf>): void {
  for (;;) {
    const byBytes = [...ofMember].sort((one, other) => other.bytes - one.bytes);
    const excess = byBytes.reduce((bytes, of) => bytes + of.bytes, 0) - HELD_OF_MEMBER_BYTES_MAX;
    if (excess <= 0) return;
    const [most, second] = byBytes;
    // Down to what the next one holds, or an entry less: then it is another one's turn.
    shrink(most!, Math.max(most!.bytes - excess, Math.min(second?.bytes ?? 0, most!.bytes - 1)));
  }
}

/** `self` is this node's id as hex. */
export function createSealedAhead(store: StoreReader, chain: number, self: string): SealedAhead {
  const held = new Map<string, HeldOf>();

  const find = ({ batch }: ReadBatch, { hash }: ExecutionRecord): SealedDisclosures | undefined => {
    const name = toHex(hash);
    const origin = toHex(batch.origin);
    // What an earlier self of this node has encrypted, and lost with its disk, it can have from others alone.
    if (origin !== self) return held.get(origin)?.byHash.get(name);
    return [...held.values()].map(({ byHash }) => byHash.get(name)).find((found) => found !== undefined);
  };

  const isOnDisk = (read: ReadBatch, record: ExecutionRecord): boolean =>
    store.get(sealedDisclosures, keyOf(chain, read, record)) !== undefined;

  const forget = ({ batch }: ReadBatch, { hash }: ExecutionRecord) => {
    const name = toHex(hash);
    const origin = toHex(batch.origin);
    for (const [from, of] of held) {
      const known = from === origin || origin === self ? of.byHash.get(name) : undefined;
      if (known === undefined) continue;
      of.byHash.delete(name);
      of.bytes -= sizeOf(known);
    }
  };

  return {
    hold(from, payload) {
      const of = held.get(from) ?? addHeld(store, from);
      held.set(from, of);
      const list = decodeSealedList(payload);
      for (const sealed of list) {
        const name = toHex(sealed.recordHash);
        const known = of.byHash.get(name);
        of.bytes += sizeOf(sealed) - (known === undefined ? 0 : sizeOf(known));
        of.byHash.delete(name);
        of.byHash.set(name, sealed);
      }
      shrink(of, HELD_BYTES_MAX);
      shrinkAll(heldByStore.get(store)!.get(from)!);
      return list.length;
    },
    missingOf(read) {
      const missing = hidingOf(read).filter((record) => !isOnDisk(read, record));
      if (missing.length === 0) return "none";
      return missing.every((record) => find(read, record) !== undefined) ? "held" : "unknown";
    },
    put(writer, read) {
      for (const record of hidingOf(read)) {
        const sealed = find(read, record);
        if (sealed === undefined) continue;
        // Its name is the record's, whatever else it says of itself.
        if (!isOnDisk(read, record)) {
          const { origin } = read.batch;
          putSealed(writer, { chain, origin }, { ...sealed, kid: kidOf(record), seq: record.seq });
        }
        forget(read, record);
      }
    },
  };
}

function sizeOf({ ciphertext }: SealedDisclosures): number {
  return ciphertext.length + ENTRY_BYTES;
}

/** What is here of what a temporary block's records hide, as its origin has encrypted it, as the payloads of frames. */
export function* sealedParts(store: StoreReader, chain: number, read: ReadBatch): Generator<Uint8Array, void> {
  let part: SealedDisclosures[] = [];
  let bytes = 0;
  for (const record of hidingOf(read)) {
    const sealed = store.get(sealedDisclosures, keyOf(chain, read, record));
    if (sealed === undefined) continue;
    part.push(sealed);
    bytes += sealed.ciphertext.length;
    if (bytes < PART_BYTES) continue;
    yield encodeSealedList(part);
    part = [];
    bytes = 0;
  }
  if (part.length > 0) yield encodeSealedList(part);
}

function hidingOf({ records }: ReadBatch): ExecutionRecord[] {
  return records.filter(({ hides }) => hides);
}

/** Of the record as the temporary block's origin has encrypted it. */
function keyOf(chain: number, { batch }: ReadBatch, record: ExecutionRecord) {
  return makerKey(hashKey(chain, kidOf(record), record.seq, record.hash), batch.origin);
}
