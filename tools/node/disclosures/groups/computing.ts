// One custodian's work for the sums over a group: meter by meter it opens what the records of the slots hide, takes the one register, and
// forgets keys and values. Which records count follows from the chain alone: so that all who are right come to the same, and later
// sums of a slot are those of before.

import type { SlotSum } from "../../../../src/wire/aggregate.js";
import { SEQ_MAX } from "../../../../src/wire/bounds.js";
import { equalBytes, fromHex, toHex } from "../../../../src/wire/bytes.js";
import { DAY_MAX, DAY_S } from "../../../../src/wire/envelope.js";
import { WireError } from "../../../../src/wire/error.js";
import { sha256 } from "../../../../src/wire/hash.js";
import { type Claims, decodeDisclosure, type Register } from "../../../../src/wire/record.js";
import { decodeDisclosures, type SealedDisclosures } from "../../../../src/wire/sealed-disclosure.js";
import { openDisclosures } from "../../../crypto/day-key.js";
import { sealedDisclosures } from "../../chain/tables/sealed-disclosures.js";
import { type HashKey, hashRange, type KeyRange, keyBehind, makerIn, numberIn } from "../../store/keys.js";
import type { DisclosuresPorts } from "../ports.js";
import { envelopes } from "../tables/envelopes.js";
import { missingDisclosures } from "../tables/missing-disclosures.js";
import type { Exchange, MeterDay } from "./exchange.js";
import { dayOf, type GroupGrant } from "./group-grant.js";
import { type GroupReading, type SlotRange, SlotSums, thousandths } from "./slot-sums.js";

/** Rows that are looked at before the loop comes to other things. */
const ROWS_AT_ONCE = 32;

/** Of a hash in a key. */
const HASH_KEY_BYTES = 8;
/** Behind chain, id and number. */
const HASH_AT = 17;

/** A sealed record as the chain has it. */
export interface SealedReading {
  readonly claims: Claims;
  /** UTC seconds of its block */
  readonly sealed_s: number;
}

export interface ComputingPorts extends DisclosuresPorts {
  /** The record that is sealed under that number with that hash; undefined where it is not, or this node has let go of it. */
  sealedReading(chain: number, meter: Uint8Array, seq: number, hash: Uint8Array): SealedReading | undefined;
  /** UTC seconds of the newest block whose records this node has let go of; 0 where it has all. */
  letGoUntil_s(chain: number): number;
  /** Whether it has looked at all that the chain has sealed for what it lacks. */
  knowsMissing(chain: number): boolean;
  afterOthers(): Promise<unknown>;
  isStopped(): boolean;
}

export type Computed =
  | { readonly type: "computed"; readonly slots: readonly SlotSum[] }
  /** this node lacks something for it now */
  | { readonly type: "incomplete"; readonly reason: string };

export async function computeSums(
  ports: ComputingPorts,
  exchange: Exchange,
  grant: GroupGrant,
  range: SlotRange,
): Promise<Computed> {
  const sums = new SlotSums(range, grant.rule);
  const day = dayOf(range.from_s);
  if (ports.letGoUntil_s(grant.chain) >= range.from_s - DAY_S) return incomplete("blocks of that time");
  for (const id of grant.meters) {
    const of = { grant, meter: fromHex(id)!, day };
    if (lacksDisclosures(ports, of)) return incomplete("sealed disclosures of a meter of the group");
    const found = await recordsOf(ports, of, range);
    if (ports.isStopped()) return incomplete("as it stops, time");
    if (typeof found === "string") return incomplete(`an envelope of a meter of the group, which ${found} named`);
    if (found.length === 0) continue;
    const keys = await exchange.keysFor(of, (some) => found.every((record) => isSettled(record, some, grant)));
    if (keys === undefined) return incomplete("shares of other custodians");
    try {
      sums.add(found.flatMap((record) => readingIn(record, keys, grant)));
    } finally {
      for (const key of keys.values()) key.fill(0);
    }
  }
  return { type: "computed", slots: sums.sums() };
}

function incomplete(what: string): Computed {
  return { type: "incomplete", reason: `this node lacks ${what}` };
}

/** Whether there may be disclosures of the day that it has not. Others would come to another sum. */
function lacksDisclosures({ store, knowsMissing }: ComputingPorts, { grant, meter, day }: MeterDay): boolean {
  if (!knowsMissing(grant.chain)) return true;
  const rows = store.range(missingDisclosures, hashRange(grant.chain, meter, { from: 0, to: SEQ_MAX }));
  return rows.some(({ row }) => row.day === day);
}

interface FoundRecord extends SealedReading {
  /** what its origins have encrypted of it */
  readonly rows: SealedDisclosures[];
}

/**
 * The records of the slots that count: of the envelopes of their day, and sealed in time. Where this node knows the envelope of one of
 * them not, who has named it, in words.
 */
async function recordsOf(ports: ComputingPorts, of: MeterDay, range: SlotRange): Promise<FoundRecord[] | string> {
  const { store, sealedReading, afterOthers } = ports;
  const { grant, meter, day } = of;
  const known = store.range(envelopes, hashRange(grant.chain, meter, { from: 0, to: DAY_MAX }));
  const dayOfEnvelope = new Map(known.map(({ key }) => [hashIn(key), numberIn(key)]));
  const found = new Map<string, FoundRecord>();
  /** by hash: records of which a row names an envelope that is known here; those of which one names another, and whose row that is */
  const named = new Set<string>();
  const nameless = new Map<string, string>();
  for (let keys: KeyRange = hashRange(grant.chain, meter, { from: 0, to: SEQ_MAX }); !ports.isStopped(); ) {
    const rows = store.range(sealedDisclosures, { ...keys, limit: ROWS_AT_ONCE });
    for (const { key, row } of rows) {
      const sealed = sealedReading(grant.chain, meter, row.seq, row.recordHash);
      if (sealed === undefined || !counts(sealed, grant, range)) continue;
      const name = toHex(row.recordHash);
      const envelopeDay = dayOfEnvelope.get(toHex(row.envelope.subarray(0, HASH_KEY_BYTES)));
      // Each node that has sent the record may have added a row: what one invents says nothing beside one whose envelope is known.
      if (envelopeDay !== undefined) named.add(name);
      else nameless.set(name, toHex(makerIn(key)));
      // Its origin has put it into an envelope of another day: so it is for all who work.
      if (envelopeDay !== day) continue;
      const same = found.get(name);
      if (same !== undefined) same.rows.push(row);
      else found.set(name, { rows: [row], ...sealed });
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS_AT_ONCE) break;
    keys = { ...keys, start: keyBehind(last.key) };
    await afterOthers();
  }
  const [maker] = [...nameless].flatMap(([name, of]) => (named.has(name) ? [] : [of]));
  return maker === undefined ? [...found.values()] : `node ${maker}`;
}

/** The beginning of the envelope's id, as hex. */
function hashIn(key: HashKey): string {
  return toHex(key.subarray(HASH_AT, HASH_AT + HASH_KEY_BYTES));
}

/** Whether its time lies in the slots, and its block's neither a day before it nor too far behind its slot. */
function counts({ claims, sealed_s }: SealedReading, { lateness_s }: GroupGrant, range: SlotRange): boolean {
  const { from_s, until_s, slot_s } = range;
  if (claims.time_s < from_s || claims.time_s >= until_s) return false;
  const end_s = (Math.floor(claims.time_s / slot_s) + 1) * slot_s;
  return sealed_s >= claims.time_s - DAY_S && sealed_s < end_s + lateness_s;
}

/** By digest as hex: what all rows that have a key prove to be what the meter has signed. One origin may have encrypted a part alone. */
function provedIn({ rows, claims }: FoundRecord, keys: ReadonlyMap<string, Uint8Array>): Map<string, Uint8Array> {
  const all = new Map<string, Uint8Array>();
  for (const row of rows) {
    const key = keys.get(toHex(row.envelope));
    const plaintext = key === undefined ? undefined : openDisclosures(key, row);
    if (plaintext === undefined) continue;
    for (const [digest, bytes] of disclosuresIn(plaintext, claims)) {
      if (all.has(digest)) bytes.fill(0);
      else all.set(digest, bytes);
    }
    plaintext.fill(0);
  }
  return all;
}

/** Those that the record has a digest of, each behind its digest as hex. */
function disclosuresIn(plaintext: Uint8Array, { digests = [] }: Claims): (readonly [string, Uint8Array])[] {
  try {
    return decodeDisclosures(plaintext).flatMap((view) => {
      const hash = sha256(view);
      const isProved = digests.some((digest) => equalBytes(digest, hash));
      return isProved ? [[toHex(hash), Uint8Array.from(view)] as const] : [];
    });
  } catch (error) {
    if (error instanceof WireError) return [];
    throw error;
  }
}

interface FoundRegister {
  readonly register: Register | undefined;
  /** whether nothing that is not proved yet could have it before */
  readonly isCertain: boolean;
}

/** The first register of the grant's code and unit, in the order of the digests. */
function registerIn(
  record: FoundRecord,
  keys: ReadonlyMap<string, Uint8Array>,
  { register: wanted, unit }: GroupGrant,
): FoundRegister {
  const obis = fromHex(wanted)!;
  const proved = provedIn(record, keys);
  let isCertain = true;
  try {
    for (const digest of record.claims.digests ?? []) {
      const bytes = proved.get(toHex(digest));
      isCertain &&= bytes !== undefined;
      const registers = bytes === undefined ? [] : registersOf(bytes);
      const register = registers.find((each) => equalBytes(each.obis, obis) && each.unit === unit);
      if (register !== undefined) return { register, isCertain };
    }
    return { register: undefined, isCertain };
  } finally {
    for (const bytes of proved.values()) bytes.fill(0);
  }
}

/** None where the meter has signed the digest of something else than a disclosure. */
function registersOf(disclosure: Uint8Array): readonly Register[] {
  try {
    return decodeDisclosure(disclosure).registers;
  } catch (error) {
    if (error instanceof WireError) return [];
    throw error;
  }
}

/** Whether more keys would tell no more of it: else custodians that have others of them would come to another sum. */
function isSettled(record: FoundRecord, keys: ReadonlyMap<string, Uint8Array>, grant: GroupGrant): boolean {
  return record.rows.every((row) => keys.has(toHex(row.envelope))) || registerIn(record, keys, grant).isCertain;
}

/** What the record hides of the register; nothing where its origins have encrypted something else than the meter has signed. */
function readingIn(record: FoundRecord, keys: ReadonlyMap<string, Uint8Array>, grant: GroupGrant): GroupReading[] {
  const { register } = registerIn(record, keys, grant);
  const value = register === undefined ? undefined : thousandths(register);
  return value === undefined ? [] : [{ time_s: record.claims.time_s, value }];
}
