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
import { decodeDisclosures } from "../../../../src/wire/sealed-disclosure.js";
import { openDisclosures } from "../../../crypto/day-key.js";
import { sealedOf } from "../../chain/tables/sealed-disclosures.js";
import { type HashKey, hashKey, hashRange, idIn, makerIn, numberIn } from "../../store/keys.js";
import type { DisclosuresPorts } from "../ports.js";
import { envelopes } from "../tables/envelopes.js";
import { missingDisclosures } from "../tables/missing-disclosures.js";
import type { DayKeys, Exchange, MeterDay } from "./exchange.js";
import { dayOf, type GroupGrant } from "./group-grant.js";
import type { HidingReading, SealedSpan } from "./sealed-readings.js";
import { type GroupReading, type SlotRange, SlotSums, thousandths } from "./slot-sums.js";

/** Rows that are looked at before the loop comes to other things. */
const ROWS_AT_ONCE = 32;
/** Readings of one meter and slot that count: the first ones. A meter that floods the chain stops nobody's work. */
const READINGS_OF_SLOT_MAX = 256;
/** Readings of one range: some hundred megabytes. */
const READINGS_MAX = 500_000;

/** Of a hash in a key. */
const HASH_KEY_BYTES = 8;
/** Behind chain, id and number. */
const HASH_AT = 17;

export interface ComputingPorts extends DisclosuresPorts {
  /** Block by block, as `sealedBetween` has them. */
  sealedBetween(span: SealedSpan): Iterable<readonly HidingReading[]>;
  /** What a sealed record says; undefined where it is not sealed, or this node has let go of it. */
  sealedClaims(chain: number, meter: Uint8Array, reading: Pick<HidingReading, "seq" | "hash">): Claims | undefined;
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
  const inTime = await readingsInTime(ports, grant, range);
  if (inTime === undefined) return incomplete("room for so many readings");
  for (const id of grant.meters) {
    const of = { grant, meter: fromHex(id)!, day };
    if (lacksDisclosures(ports, of)) return incomplete("sealed disclosures of a meter of the group");
    const found = await recordsOf(ports, of, inTime.get(id) ?? []);
    if (ports.isStopped()) return incomplete("as it stops, time");
    if (typeof found === "string") return incomplete(`an envelope of a meter of the group, which ${found} named`);
    if (found.length === 0) continue;
    const keys = await exchange.keysFor(of, settlingOf(ports, found, grant));
    if (keys === undefined) return incomplete("shares of other custodians");
    try {
      const readings: GroupReading[] = [];
      for await (const record of inTurns(ports, found)) readings.push(...readingIn(ports, record, keys, grant));
      if (ports.isStopped()) return incomplete("as it stops, time");
      sums.add(readings);
    } finally {
      for (const key of keys.values()) key.fill(0);
    }
  }
  return { type: "computed", slots: sums.sums() };
}

/** One behind the other, other work between them; no more once the node stops. */
async function* inTurns<Item>({ afterOthers, isStopped }: ComputingPorts, items: readonly Item[]) {
  for (const [place, item] of items.entries()) {
    if (place % ROWS_AT_ONCE === 0) await afterOthers();
    if (isStopped()) return;
    yield item;
  }
}

/** By meter: readings of the slots that were sealed in time, of a slot the first ones. Undefined where there is no room for them. */
async function readingsInTime(
  ports: ComputingPorts,
  grant: GroupGrant,
  range: SlotRange,
): Promise<ReadonlyMap<string, readonly HidingReading[]> | undefined> {
  const { chain, lateness_s } = grant;
  const { from_s, until_s, slot_s } = range;
  const found = new Map<string, HidingReading[]>();
  const ofSlots = new Map<string, number>();
  let all = 0;
  const span = { chain, meters: new Set(grant.meters), from_s: from_s - DAY_S, until_s: until_s + lateness_s };
  for (const readings of ports.sealedBetween(span)) {
    for (const reading of readings) {
      if (!counts(reading, grant, range)) continue;
      const slot = `${reading.meter}/${Math.floor(reading.time_s / slot_s)}`;
      const before = ofSlots.get(slot) ?? 0;
      if (before === READINGS_OF_SLOT_MAX) continue;
      ofSlots.set(slot, before + 1);
      all += 1;
      if (all > READINGS_MAX) return undefined;
      const same = found.get(reading.meter);
      if (same === undefined) found.set(reading.meter, [reading]);
      else same.push(reading);
    }
    await ports.afterOthers();
    if (ports.isStopped()) break;
  }
  return found;
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

/** A reading whose origins have put it into envelopes of the day. */
interface FoundRecord {
  readonly key: HashKey;
  readonly reading: HidingReading;
  /** their ids, as hex */
  readonly envelopes: readonly string[];
}

/**
 * Those readings of a meter that are of the envelopes of their day. Where this node knows the envelope of one of them not, who has named
 * it, in words.
 */
async function recordsOf(
  ports: ComputingPorts,
  { grant, meter, day }: MeterDay,
  readings: readonly HidingReading[],
): Promise<FoundRecord[] | string> {
  if (readings.length === 0) return [];
  const { store } = ports;
  const known = store.range(envelopes, hashRange(grant.chain, meter, { from: 0, to: DAY_MAX }));
  const dayOfEnvelope = new Map(known.map(({ key }) => [hashIn(key), numberIn(key)]));
  const found: FoundRecord[] = [];
  for await (const reading of inTurns(ports, readings)) {
    const key = hashKey(grant.chain, meter, reading.seq, reading.hash);
    const rows = sealedOf(store, key).map(({ key, row }) => ({
      ...{ maker: toHex(makerIn(key)), envelope: toHex(row.envelope) },
      day: dayOfEnvelope.get(toHex(row.envelope.subarray(0, HASH_KEY_BYTES))),
    }));
    // Each node that has sent the record may have added a row: what one invents says nothing beside one whose envelope is known.
    const [first] = rows;
    if (first !== undefined && rows.every((row) => row.day === undefined)) return `node ${first.maker}`;
    // An origin may have put it into an envelope of another day: so it is for all who work.
    const ofDay = rows.filter((row) => row.day === day).map(({ envelope }) => envelope);
    if (ofDay.length > 0) found.push({ key, reading, envelopes: ofDay });
  }
  return found;
}

/** The beginning of the envelope's id, as hex. */
function hashIn(key: HashKey): string {
  return toHex(key.subarray(HASH_AT, HASH_AT + HASH_KEY_BYTES));
}

/** Whether its time lies in the slots, and its block's neither a day before it nor too far behind its slot. */
function counts({ time_s, sealed_s }: HidingReading, { lateness_s }: GroupGrant, range: SlotRange): boolean {
  const { from_s, until_s, slot_s } = range;
  if (time_s < from_s || time_s >= until_s) return false;
  const end_s = (Math.floor(time_s / slot_s) + 1) * slot_s;
  return sealed_s >= time_s - DAY_S && sealed_s < end_s + lateness_s;
}

/** By digest as hex: what all rows that have a key prove to be what the meter has signed. One origin may have encrypted a part alone. */
function provedIn(
  { store }: ComputingPorts,
  { key: record }: FoundRecord,
  claims: Claims,
  keys: DayKeys,
): Map<string, Uint8Array> {
  const all = new Map<string, Uint8Array>();
  for (const { row } of sealedOf(store, record)) {
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
  ports: ComputingPorts,
  record: FoundRecord,
  keys: DayKeys,
  { chain, register: wanted, unit }: GroupGrant,
): FoundRegister {
  const obis = fromHex(wanted)!;
  const claims = ports.sealedClaims(chain, idIn(record.key), record.reading);
  // The node has let go of it meanwhile: it comes to no sums.
  if (claims === undefined) return { register: undefined, isCertain: false };
  const proved = provedIn(ports, record, claims, keys);
  let isCertain = true;
  try {
    for (const digest of claims.digests ?? []) {
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

/** Whether more keys would tell no more of any: else custodians that have others of them would come to another sum. What is settled stays. */
function settlingOf(ports: ComputingPorts, found: readonly FoundRecord[], grant: GroupGrant) {
  let settled = 0;
  return async (keys: DayKeys): Promise<boolean> => {
    for await (const record of inTurns(ports, found.slice(settled))) {
      const isOpen = record.envelopes.some((envelope) => !keys.has(envelope));
      if (isOpen && !registerIn(ports, record, keys, grant).isCertain) return false;
      settled += 1;
    }
    return settled === found.length;
  };
}

/** What the record hides of the register; nothing where its origins have encrypted something else than the meter has signed. */
function readingIn(ports: ComputingPorts, record: FoundRecord, keys: DayKeys, grant: GroupGrant): GroupReading[] {
  const { register } = registerIn(ports, record, keys, grant);
  const value = register === undefined ? undefined : thousandths(register);
  return value === undefined ? [] : [{ time_s: record.reading.time_s, value }];
}
