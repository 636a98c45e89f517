// What erasing does to the rows of one meter: goes over all of them or over those of new records, and says what it has destroyed.

import { SEQ_MAX } from "../../../src/wire/bounds.js";
import { toHex } from "../../../src/wire/bytes.js";
import { DAY_S, parseEnvelope } from "../../../src/wire/envelope.js";
import { signErased } from "../../../src/wire/erased.js";
import { sha256 } from "../../../src/wire/hash.js";
import { parseRecord } from "../../../src/wire/record.js";
import { sealedRecordsOf } from "../chain/sealed-records.js";
import { sealedDisclosures, sealedOf } from "../chain/tables/sealed-disclosures.js";
import { type HashKey, hashKey, hashRange, type KeyRange, keyBehind, numberIn, numberKey } from "../store/keys.js";
import type { DayKeys } from "./day-keys.js";
import type { ErasedDays, Run } from "./erased-days.js";
import type { DisclosuresPorts } from "./ports.js";
import { destroyed } from "./tables/destroyed.js";
import { divisions } from "./tables/divisions.js";
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

/** What hides something of a day that is erased. */
interface Hiding {
  readonly key: HashKey;
  readonly day: number;
}

/** Goes over everything that is kept of the meter, and notes how much it destroys. Returns whether anything was. */
export async function eraseAll(ports: ErasingPorts, of: MeterRuns, isStopped: () => boolean): Promise<boolean> {
  const { chain, meter, runs } = of;
  for (const run of runs) ports.forgetDays({ chain, meter, ...run });
  const kept = await keptEnvelopes(ports, of);
  let hasDestroyed = false;
  // Ciphertexts first: which of them are of these days, the envelopes say as well.
  for (let range: KeyRange = hashRange(chain, meter, { from: 0, to: SEQ_MAX }); !isStopped(); ) {
    const rows = ports.store.range(sealedDisclosures, { ...range, limit: ROWS_AT_ONCE });
    const found = rows.flatMap(({ key, row }) => hidingOf(ports, of, kept, { key, ...row }));
    await destroy(ports, of, { disclosures: found });
    hasDestroyed ||= found.length > 0;
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS_AT_ONCE) break;
    range = { ...range, start: keyBehind(last.key) };
    await ports.afterOthers();
  }
  if (isStopped()) return hasDestroyed;
  await destroyDivisions(ports, of);
  await destroyEnvelopes(ports, of, kept);
  return hasDestroyed || kept.size > 0;
}

/** Looks at what these records hide, and at envelopes of such days that have come since: it takes no longer for a long history. */
export async function eraseOf(ports: ErasingPorts, of: MeterRuns, records: readonly SealedNumber[]): Promise<boolean> {
  const { chain, meter } = of;
  const kept = await keptEnvelopes(ports, of);
  for (const day of new Set([...kept.values()].map((each) => each.day))) {
    ports.forgetDays({ chain, meter, from: day, until: day + 1 });
  }
  let hasDestroyed = false;
  for (let at = 0; at < records.length; at += ROWS_AT_ONCE) {
    const found = records
      .slice(at, at + ROWS_AT_ONCE)
      .flatMap(({ seq, hash }) => sealedOf(ports.store, hashKey(chain, meter, seq, hash)))
      .flatMap(({ key, row }) => hidingOf(ports, of, kept, { key, ...row }));
    await destroy(ports, of, { disclosures: found });
    hasDestroyed ||= found.length > 0;
    await ports.afterOthers();
  }
  await destroyDivisions(ports, of);
  await destroyEnvelopes(ports, of, kept);
  return hasDestroyed || kept.size > 0;
}

/** Signs what was destroyed for each of these erasures of which this node has said nothing yet. They are all of a meter's. */
export async function sayErased(
  { genesis, store, self, signer, now_ms }: ErasingPorts,
  days: readonly ErasedDays[],
): Promise<void> {
  const unsaid = days.filter((each) => store.get(erasures, erasureKey(each)) === undefined);
  const time_s = Math.floor(now_ms() / 1_000);
  const counted = new Set<string>();
  for (let at = 0; at < unsaid.length; at += ROWS_AT_ONCE) {
    const statements = unsaid.slice(at, at + ROWS_AT_ONCE).map((each) => {
      const { chain, meter, from, until, name } = each;
      const of = { node: self, chain, meter, from, until, erasure: name, time_s };
      // None is counted for two erasures.
      const noted = store.range(destroyed, daysRange(each)).filter(({ key }) => !counted.has(toHex(key)));
      for (const { key: day } of noted) counted.add(toHex(day));
      const counts = {
        envelopes: noted.reduce((sum, { row }) => sum + row.envelopes, 0),
        disclosures: noted.reduce((sum, { row }) => sum + row.disclosures, 0),
      };
      const statement = signErased(genesis.hash, { ...of, ...counts }, signer);
      return { key: erasureKey(each), statement, noted: noted.map(({ key }) => key) };
    });
    await store.write((writer) => {
      for (const { key, statement, noted } of statements) {
        writer.put(erasures, key, statement);
        for (const day of noted) writer.delete(destroyed, day);
      }
    });
  }
  await forgetNoted(store, days);
}

/** What was destroyed of days that were spoken of before, as a backup has brought it back, counts for no later erasure. */
async function forgetNoted(store: ErasingPorts["store"], days: readonly ErasedDays[]): Promise<void> {
  const left = days.flatMap((each) => store.range(destroyed, daysRange(each)).map(({ key }) => key));
  if (left.length === 0) return;
  await store.write((writer) => {
    for (const key of left) writer.delete(destroyed, key);
  });
}

function daysRange({ chain, meter, from, until }: Pick<ErasedDays, "chain" | "meter" | "from" | "until">): KeyRange {
  return { start: numberKey(chain, meter, from), end: numberKey(chain, meter, until) };
}

/** Where this node's word on an erasure is. */
export function erasureKey({ chain, meter, from, name }: ErasedDays): HashKey {
  return hashKey(chain, meter, from, sha256(new TextEncoder().encode(name)));
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

async function destroyEnvelopes(ports: ErasingPorts, of: MeterRuns, kept: ReadonlyMap<string, Hiding>): Promise<void> {
  const all = [...kept.values()];
  for (let at = 0; at < all.length; at += ROWS_AT_ONCE) {
    await destroy(ports, of, { envelopes: all.slice(at, at + ROWS_AT_ONCE) });
  }
}

/** Parts of shares of these days go with what they are parts of. */
async function destroyDivisions({ store }: ErasingPorts, { chain, meter, runs }: MeterRuns): Promise<void> {
  const keys = runs.flatMap(({ from, until }) =>
    store.range(divisions, hashRange(chain, meter, { from, to: until - 1 })).map(({ key }) => key),
  );
  for (let at = 0; at < keys.length; at += ROWS_AT_ONCE) {
    await store.write((writer) => {
      for (const key of keys.slice(at, at + ROWS_AT_ONCE)) writer.erase(divisions, key);
    });
  }
}

interface Found {
  readonly envelopes?: readonly Hiding[];
  readonly disclosures?: readonly Hiding[];
}

/** Erases these rows, and notes with them how many there were of each day. */
async function destroy({ store }: ErasingPorts, { chain, meter }: MeterRuns, found: Found): Promise<void> {
  const { envelopes: shares = [], disclosures = [] } = found;
  if (shares.length + disclosures.length === 0) return;
  await store.write((writer) => {
    for (const { key } of shares) writer.erase(envelopes, key);
    for (const { key } of disclosures) writer.erase(sealedDisclosures, key);
    for (const day of new Set([...shares, ...disclosures].map((each) => each.day))) {
      const key = numberKey(chain, meter, day);
      const before = store.get(destroyed, key) ?? { envelopes: 0, disclosures: 0 };
      const ofDay = (rows: readonly Hiding[]) => rows.filter((each) => each.day === day).length;
      writer.put(destroyed, key, {
        envelopes: before.envelopes + ofDay(shares),
        disclosures: before.disclosures + ofDay(disclosures),
      });
    }
  });
}
