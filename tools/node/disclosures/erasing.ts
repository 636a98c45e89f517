// Erases what the chain has sealed an erasure of: shares of day keys, day keys, ciphertexts. It is done as the block comes, again at
// each start, as what was restored may have it still, and again when a record of such days is sealed later.

import { SEQ_MAX } from "../../../src/wire/bounds.js";
import { toHex } from "../../../src/wire/bytes.js";
import { DAY_S, parseEnvelope } from "../../../src/wire/envelope.js";
import { signErased } from "../../../src/wire/erased.js";
import { sha256 } from "../../../src/wire/hash.js";
import { parseRecord } from "../../../src/wire/record.js";
import { sealedRecordsOf } from "../chain/sealed-records.js";
import { sealedDisclosures } from "../chain/tables/sealed-disclosures.js";
import { type HashKey, hashKey, hashRange, type KeyRange, keyBehind } from "../store/keys.js";
import type { DayKeys } from "./day-keys.js";
import { type ErasedDays, erasedDaysOf, erasedMeters } from "./erased-days.js";
import type { DisclosuresPorts } from "./ports.js";
import { envelopes } from "./tables/envelopes.js";
import { erasures } from "./tables/erasures.js";

/** Rows that are looked at, or erased in one transaction, before others have their turn. */
const ROWS_AT_ONCE = 64;

export interface ErasingPorts extends DisclosuresPorts {
  readonly forgetDays: DayKeys["forgetDays"];
  /** Resolves when the loop has been to everything else. */
  afterOthers(): Promise<void>;
}

export interface Erasing {
  /** Everything that the chain's state says is erased: as the node starts. Resolves when it is. */
  all(chain: number): Promise<void>;
  /** What is erased of one meter, by its id as hex: the chain has sealed an erasure, or a record of a meter with erased days. */
  meter(chain: number, meter: string): Promise<void>;
  /** Whether days of the meter are erased. */
  concerns(chain: number, meter: string): boolean;
  stop(): void;
}

export function createErasing(ports: ErasingPorts): Erasing {
  /** by chain, a slash and the meter; as told by the state when it was last looked at */
  const concerned = new Set<string>();
  let isStopped = false;
  let last: Promise<void> = Promise.resolve();

  const eraseMeter = async (chain: number, meter: string): Promise<void> => {
    concerned.add(`${chain}/${meter}`);
    let count = 0;
    for (const days of erasedDaysOf(ports.store, chain, meter)) {
      if (isStopped) return;
      count += await eraseDays(ports, days, () => isStopped);
    }
    if (count > 0 && !isStopped) await ports.store.overwriteFree();
  };
  /** One after the other: each goes over rows that the one before may have erased. */
  const next = (work: () => Promise<void>) => {
    last = last.then(work, work);
    return last;
  };

  return {
    all: (chain) =>
      next(async () => {
        for (const meter of erasedMeters(ports.store, chain)) await eraseMeter(chain, meter);
      }),
    meter: (chain, meter) => next(() => eraseMeter(chain, meter)),
    concerns: (chain, meter) => concerned.has(`${chain}/${meter}`),
    stop() {
      isStopped = true;
    },
  };
}

/** How many rows it has erased. */
async function eraseDays(ports: ErasingPorts, days: ErasedDays, isStopped: () => boolean): Promise<number> {
  const { genesis, store, self, signer, now_ms } = ports;
  const { chain, meter, from, until, name } = days;
  ports.forgetDays(days);
  const kept = store.range(envelopes, hashRange(chain, meter, { from, to: until - 1 }));
  const ids = new Set(kept.map(({ row }) => toHex(parseEnvelope(genesis.hash, row.bytes).id)));
  // Ciphertexts first: which of them are of these days, the envelopes say as well.
  let disclosures = 0;
  for await (const keys of sealedOf(ports, days, ids)) {
    if (isStopped()) return disclosures;
    await store.write((writer) => {
      for (const key of keys) writer.erase(sealedDisclosures, key);
    });
    disclosures += keys.length;
  }
  for (let at = 0; at < kept.length; at += ROWS_AT_ONCE) {
    await store.write((writer) => {
      for (const { key } of kept.slice(at, at + ROWS_AT_ONCE)) writer.erase(envelopes, key);
    });
  }
  const key = erasureKey(days);
  if (store.get(erasures, key) === undefined) {
    const time_s = Math.floor(now_ms() / 1_000);
    const erased = {
      node: self,
      chain,
      meter,
      from,
      until,
      erasure: name,
      envelopes: kept.length,
      disclosures,
      time_s,
    };
    const statement = signErased(genesis.hash, erased, signer);
    await store.write((writer) => writer.put(erasures, key, statement));
  }
  return disclosures + kept.length;
}

/** Keys of what the meter's records of these days hide, by the record's time or by its envelope; in turns. */
async function* sealedOf(
  { store, afterOthers }: ErasingPorts,
  { chain, meter, from, until }: ErasedDays,
  ids: ReadonlySet<string>,
): AsyncGenerator<readonly HashKey[], void> {
  for (let range: KeyRange = hashRange(chain, meter, { from: 0, to: SEQ_MAX }); ; ) {
    const rows = store.range(sealedDisclosures, { ...range, limit: ROWS_AT_ONCE });
    const keys = rows.flatMap(({ key, row }) => {
      if (ids.has(toHex(row.envelope))) return [key];
      const found = sealedRecordsOf(store, chain, meter, row.seq).next().value;
      if (found?.seq !== row.seq || found.bytes === undefined) return [];
      const day = Math.floor(parseRecord(found.bytes).claims.time_s / DAY_S);
      return from <= day && day < until ? [key] : [];
    });
    if (keys.length > 0) yield keys;
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS_AT_ONCE) return;
    range = { ...range, start: keyBehind(last.key) };
    await afterOthers();
  }
}

/** Where this node's word on an erasure is. */
export function erasureKey({ chain, meter, from, name }: ErasedDays): HashKey {
  return hashKey(chain, meter, from, sha256(new TextEncoder().encode(name)));
}
