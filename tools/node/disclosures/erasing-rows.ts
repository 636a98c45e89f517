// What erasing does to the rows of one meter: goes over all of them or over those of new records, and says what it has destroyed.

import { SEQ_MAX } from "../../../src/wire/bounds.js";
import { toHex } from "../../../src/wire/bytes.js";
import { DAY_S, parseEnvelope } from "../../../src/wire/envelope.js";
import { signErased } from "../../../src/wire/erased.js";
import { sha256 } from "../../../src/wire/hash.js";
import { parseRecord } from "../../../src/wire/record.js";
import { sealedRecordsOf } from "../chain/sealed-records.js";
import { sealedDisclosures } from "../chain/tables/sealed-disclosures.js";
import { type HashKey, hashKey, hashRange, type KeyRange, keyBehind, numberIn } from "../store/keys.js";
import type { DayKeys } from "./day-keys.js";
import type { ErasedDays, Run } from "./erased-days.js";
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

/** A record that the chain has sealed. */
export interface SealedNumber {
  readonly seq: number;
  readonly hash: Uint8Array;
}

/** Erased days of a meter on a chain, without overlaps. */
export interface MeterRuns {
  readonly chain: number;
  readonly meter: Uint8Array;
  readonly runs: readonly Run[];
}

/** How many were destroyed, by their day. */
export interface Destroyed {
  readonly envelopes: Map<number, number>;
  readonly disclosures: Map<number, number>;
}

/** What hides something of a day that is erased. */
interface Hiding {
  readonly key: HashKey;
  readonly day: number;
}

/** Goes over everything that is kept of the meter. What is destroyed when it is stopped is in the answer. */
export async function eraseAll(ports: ErasingPorts, of: MeterRuns, isStopped: () => boolean): Promise<Destroyed> {
  const { chain, meter, runs } = of;
  for (const run of runs) ports.forgetDays({ chain, meter, ...run });
  const kept = await keptEnvelopes(ports, of);
  const destroyed: Destroyed = { envelopes: new Map(), disclosures: new Map() };
  // Ciphertexts first: which of them are of these days, the envelopes say as well.
  for (let range: KeyRange = hashRange(chain, meter, { from: 0, to: SEQ_MAX }); !isStopped(); ) {
    const rows = ports.store.range(sealedDisclosures, { ...range, limit: ROWS_AT_ONCE });
    const found = rows.flatMap(({ key, row }) => hidingOf(ports, of, kept, { key, ...row }));
    await destroyDisclosures(ports, found, destroyed);
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS_AT_ONCE) break;
    range = { ...range, start: keyBehind(last.key) };
    await ports.afterOthers();
  }
  if (!isStopped()) await destroyEnvelopes(ports, kept, destroyed);
  return destroyed;
}

/** Looks at what these records hide, and at envelopes of such days that have come since: it takes no longer for a long history. */
export async function eraseOf(
  ports: ErasingPorts,
  of: MeterRuns,
  records: readonly SealedNumber[],
): Promise<Destroyed> {
  const { chain, meter } = of;
  const kept = await keptEnvelopes(ports, of);
  for (const day of new Set([...kept.values()].map((each) => each.day))) {
    ports.forgetDays({ chain, meter, from: day, until: day + 1 });
  }
  const destroyed: Destroyed = { envelopes: new Map(), disclosures: new Map() };
  for (let at = 0; at < records.length; at += ROWS_AT_ONCE) {
    const found = records.slice(at, at + ROWS_AT_ONCE).flatMap(({ seq, hash }) => {
      const key = hashKey(chain, meter, seq, hash);
      const row = ports.store.get(sealedDisclosures, key);
      return row === undefined ? [] : hidingOf(ports, of, kept, { key, ...row });
    });
    await destroyDisclosures(ports, found, destroyed);
    await ports.afterOthers();
  }
  await destroyEnvelopes(ports, kept, destroyed);
  return destroyed;
}

/** Signs what was destroyed for each of these erasures of which this node has said nothing yet. */
export async function sayErased(
  { genesis, store, self, signer, now_ms }: ErasingPorts,
  days: readonly ErasedDays[],
  destroyed: Destroyed,
): Promise<void> {
  const unsaid = days.filter((each) => store.get(erasures, erasureKey(each)) === undefined);
  const time_s = Math.floor(now_ms() / 1_000);
  for (let at = 0; at < unsaid.length; at += ROWS_AT_ONCE) {
    const statements = unsaid.slice(at, at + ROWS_AT_ONCE).map((each) => {
      const { chain, meter, from, until, name } = each;
      const of = { node: self, chain, meter, from, until, erasure: name, time_s };
      const counts = {
        envelopes: takenWithin(destroyed.envelopes, each),
        disclosures: takenWithin(destroyed.disclosures, each),
      };
      return { key: erasureKey(each), statement: signErased(genesis.hash, { ...of, ...counts }, signer) };
    });
    await store.write((writer) => {
      for (const { key, statement } of statements) writer.put(erasures, key, statement);
    });
  }
}

/** Where this node's word on an erasure is. */
export function erasureKey({ chain, meter, from, name }: ErasedDays): HashKey {
  return hashKey(chain, meter, from, sha256(new TextEncoder().encode(name)));
}

/** Counts what is of the run, and takes it out: none is counted for two erasures. */
function takenWithin(counts: Map<number, number>, { from, until }: Run): number {
  let sum = 0;
  for (const [day, count] of counts) {
    if (day < from || day >= until) continue;
    sum += count;
    counts.delete(day);
  }
  return sum;
}

/** Envelopes of these days that are still here, by their ids as hex. */
async function keptEnvelopes(
  { genesis, store, afterOthers }: ErasingPorts,
  { chain, meter, runs }: MeterRuns,
): Promise<ReadonlyMap<string, Hiding>> {
  const kept = new Map<string, Hiding>();
  for (const [index, { from, until }] of runs.entries()) {
    for (const { key, row } of store.range(envelopes, hashRange(chain, meter, { from, to: until - 1 }))) {
      kept.set(toHex(parseEnvelope(genesis.hash, row.bytes).id), { key, day: numberIn(key) });
    }
    if (index % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) await afterOthers();
  }
  return kept;
}

/** The row where it is of these days, by its record's time or by its envelope. */
function hidingOf(
  { store }: ErasingPorts,
  { chain, meter, runs }: MeterRuns,
  kept: ReadonlyMap<string, Hiding>,
  { key, seq, envelope }: { readonly key: HashKey; readonly seq: number; readonly envelope: Uint8Array },
): Hiding[] {
  const known = kept.get(toHex(envelope));
  if (known !== undefined) return [{ key, day: known.day }];
  const found = sealedRecordsOf(store, chain, meter, seq).next().value;
  if (found?.seq !== seq || found.bytes === undefined) return [];
  const day = Math.floor(parseRecord(found.bytes).claims.time_s / DAY_S);
  return runs.some(({ from, until }) => from <= day && day < until) ? [{ key, day }] : [];
}

async function destroyDisclosures({ store }: ErasingPorts, found: readonly Hiding[], { disclosures }: Destroyed) {
  if (found.length === 0) return;
  await store.write((writer) => {
    for (const { key } of found) writer.erase(sealedDisclosures, key);
  });
  countDays(disclosures, found);
}

async function destroyEnvelopes({ store }: ErasingPorts, kept: ReadonlyMap<string, Hiding>, destroyed: Destroyed) {
  const all = [...kept.values()];
  for (let at = 0; at < all.length; at += ROWS_AT_ONCE) {
    const some = all.slice(at, at + ROWS_AT_ONCE);
    await store.write((writer) => {
      for (const { key } of some) writer.erase(envelopes, key);
    });
    countDays(destroyed.envelopes, some);
  }
}

function countDays(counts: Map<number, number>, found: readonly Hiding[]): void {
  for (const { day } of found) counts.set(day, (counts.get(day) ?? 0) + 1);
}
