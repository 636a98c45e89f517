// Notes what this node lacks of sealed readings: their ciphertexts, and shares of the keys that hide them. As blocks are sealed it looks at
// theirs; what was sealed before the node knew of it, it goes over as it starts. How far it is stands on disk with what it has noted.

import { decodeBlockViews } from "../../../../src/wire/block.js";
import { fromHex, toHex } from "../../../../src/wire/bytes.js";
import { DAY_S } from "../../../../src/wire/envelope.js";
import { parseRecord } from "../../../../src/wire/record.js";
import { BoundedMap } from "../../../bounded-map.js";
import { type ExecutionRecord, kidOf, readSignedRecords } from "../../../ledger/record-scan.js";
import type { SealedBlock } from "../../chain/ports.js";
import { blocks } from "../../chain/tables/blocks.js";
import { heads } from "../../chain/tables/heads.js";
import { sealedDisclosures } from "../../chain/tables/sealed-disclosures.js";
import { blockKey, chainKey, type HashKey, hashKey, makerKey, type OriginKey, originKey } from "../../store/keys.js";
import type { Store } from "../../store/store.js";
import { opensHere, placeKeyOf, type SharePorts } from "../shares.js";
import { disclosuresNoted } from "../tables/disclosures-noted.js";
import { type MissingDisclosures, missingDisclosures } from "../tables/missing-disclosures.js";
import { type MissingShare, missingShares } from "../tables/missing-shares.js";
import { type LookedFor, withRoom } from "./looked-for.js";

/** Blocks of one write where a chain is gone over. */
const BLOCKS_AT_ONCE = 16;
/** Envelopes that are known to be here, so that they are not looked up for each record. */
const ENVELOPES_KNOWN_MAX = 50_000;
/** How far it is, is written at least once in so many blocks: a restart looks at no more of them again. */
const BLOCKS_UNWRITTEN_MAX = 256;

export interface NotingPorts extends SharePorts {
  readonly store: Store;
  now_ms(): number;
  /** Resolves when other work has had its turn. */
  afterOthers(): Promise<void>;
}

/** A record as the sealer tells of it. */
type SealedRecord = SealedBlock["records"][number];

type Noted =
  | { readonly type: "disclosures"; readonly key: HashKey; readonly row: MissingDisclosures }
  | { readonly type: "share"; readonly key: OriginKey; readonly row: MissingShare };

export interface Noting {
  /** A block is on disk: what is missing of it is written with the next `flush`. */
  sealed(sealed: Pick<SealedBlock, "block" | "records">): void;
  /** Writes what was found; `onNoted` is told of it. */
  flush(): Promise<void>;
  /** Whether it has looked at all that the chain has sealed. */
  isLevel(chain: number): boolean;
  /** Goes over the blocks that it has not looked at; from then on it looks at each as it is sealed. */
  goOver(chain: number): Promise<void>;
  stop(): void;
}

interface Standing {
  /** up to which height it has looked */
  height: number;
  /** the same, on disk */
  written: number;
  /** what it has found and not written */
  found: Noted[];
  /** it has blocks to go over first */
  isBehind: boolean;
  isGoingOver: boolean;
}

export type OnNoted = (
  chain: number,
  noted: { readonly disclosures: number; readonly shares: readonly LookedFor[] },
) => void;

export function createNoting(ports: NotingPorts, onNoted: OnNoted): Noting {
  const { store } = ports;
  const byChain = new Map<number, Standing>();
  const known = new BoundedMap<string, true>(ENVELOPES_KNOWN_MAX);
  let isStopped = false;

  const standingOf = (chain: number): Standing => {
    const known = byChain.get(chain);
    if (known !== undefined) return known;
    const height = store.get(disclosuresNoted, chainKey(chain)) ?? 0;
    const made: Standing = { height, written: height, found: [], isBehind: true, isGoingOver: false };
    byChain.set(chain, made);
    return made;
  };

  const write = async (chain: number, height: number, found: readonly Noted[]): Promise<void> => {
    const lacking = found.flatMap((noted) => (noted.type === "disclosures" ? noted : []));
    const looked = withRoom(
      store,
      found.flatMap((noted) => (noted.type === "share" ? noted : [])),
    );
    await store.write((writer) => {
      for (const { key, row } of lacking) writer.put(missingDisclosures, key, row);
      for (const { key, row } of looked) writer.put(missingShares, key, row);
      writer.put(disclosuresNoted, chainKey(chain), height);
    });
    standingOf(chain).written = height;
    if (found.length > 0) onNoted(chain, { disclosures: lacking.length, shares: looked });
  };

  return {
    sealed({ block, records }) {
      const standing = standingOf(block.chain);
      if (standing.isBehind || block.height <= standing.height) return;
      if (block.height > standing.height + 1) {
        standing.isBehind = true;
        return;
      }
      standing.height = block.height;
      for (const noted of missingIn(ports, known, block, records)) standing.found.push(noted);
    },
    async flush() {
      for (const [chain, standing] of byChain) {
        const { height, found, written, isBehind } = standing;
        const isDue = found.length > 0 || height - written >= BLOCKS_UNWRITTEN_MAX;
        if (isBehind || isStopped || !isDue) continue;
        standing.found = [];
        await write(chain, height, found);
      }
    },
    isLevel(chain) {
      const { isBehind, found } = standingOf(chain);
      return !isBehind && found.length === 0;
    },
    async goOver(chain) {
      const standing = standingOf(chain);
      if (!standing.isBehind || standing.isGoingOver) return;
      standing.isGoingOver = true;
      const headOf = () => store.get(heads, chainKey(chain))?.height ?? 0;
      while (standing.height < headOf()) {
        await ports.afterOthers();
        if (isStopped) return;
        const height = Math.min(headOf(), standing.height + BLOCKS_AT_ONCE);
        const found = standing.found.splice(0);
        for (let at = standing.height + 1; at <= height; at += 1) {
          const bytes = store.get(blocks, blockKey(chain, at));
          // What this node has let go of, it lacks nothing of.
          if (bytes === undefined) continue;
          const block = decodeBlockViews(bytes);
          const records = block.batches.flatMap((batch) =>
            readSignedRecords(batch.records).map(({ record }) => record),
          );
          found.push(...missingIn(ports, known, block, records));
        }
        standing.height = height;
        await write(chain, height, found);
      }
      standing.isBehind = false;
      standing.isGoingOver = false;
    },
    stop() {
      isStopped = true;
    },
  };
}

/** What this node has not of what a block's records hide. */
function* missingIn(
  ports: NotingPorts,
  known: BoundedMap<string, true>,
  { chain, batches }: Pick<SealedBlock["block"], "chain" | "batches">,
  records: readonly SealedRecord[],
): Generator<Noted, void> {
  let at = 0;
  for (const { origin, records: ofBatch } of batches) {
    for (const record of records.slice(at, at + ofBatch.length)) {
      if (!record.hides) continue;
      const noted = missingOf(ports, known, { chain, origin, record });
      if (noted !== undefined) yield noted;
    }
    at += ofBatch.length;
  }
}

interface Hiding {
  readonly chain: number;
  readonly origin: Uint8Array;
  readonly record: Pick<ExecutionRecord, "bytes" | "hash" | "seq">;
}

function missingOf(
  ports: NotingPorts,
  known: BoundedMap<string, true>,
  { chain, origin, record }: Hiding,
): Noted | undefined {
  const kid = kidOf(record);
  const key = hashKey(chain, kid, record.seq, record.hash);
  const sealed = ports.store.get(sealedDisclosures, makerKey(key, origin));
  const since_s = Math.floor(ports.now_ms() / 1_000);
  if (sealed === undefined) {
    // Views of a block would keep all of it.
    const row = { hash: Uint8Array.from(record.hash), origin: Uint8Array.from(origin), day: dayOf(record), since_s };
    return { type: "disclosures", key, row };
  }
  const name = toHex(sealed.envelope);
  if (known.has(name)) return undefined;
  const place = { chain, meter: kid, day: dayOf(record), id: sealed.envelope };
  known.set(name, true);
  if (opensHere(ports, place)) return undefined;
  const row = { meter: Uint8Array.from(kid), day: place.day, id: fromHex(name)!, since_s };
  return { type: "share", key: originKey(origin, placeKeyOf(place)), row };
}

function dayOf({ bytes }: Pick<ExecutionRecord, "bytes">): number {
  return Math.floor(parseRecord(bytes).claims.time_s / DAY_S);
}
