// One custodian's work for the sums over a group: meter by meter it opens what the records of the slots hide, takes the one register, and
// forgets keys and values. Which records count follows from the chain alone: so that all who are right come to the same, and later
// sums of a slot are those of before.

import type { SlotSum } from "../../../../src/wire/aggregate.js";
import { SEQ_MAX } from "../../../../src/wire/bounds.js";
import { equalBytes, fromHex, toHex } from "../../../../src/wire/bytes.js";
import { DAY_MAX } from "../../../../src/wire/envelope.js";
import { WireError } from "../../../../src/wire/error.js";
import { sha256 } from "../../../../src/wire/hash.js";
import { type Claims, decodeDisclosure } from "../../../../src/wire/record.js";
import { decodeDisclosures, type SealedDisclosures } from "../../../../src/wire/sealed-disclosure.js";
import { openDisclosures } from "../../../crypto/day-key.js";
import { sealedDisclosures } from "../../chain/tables/sealed-disclosures.js";
import { type HashKey, hashRange, type KeyRange, keyBehind, numberIn } from "../../store/keys.js";
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

/** A sealed record as the chain has it. */
export interface SealedReading {
  readonly claims: Claims;
  /** UTC seconds of its block */
  readonly sealed_s: number;
}

export interface ComputingPorts extends DisclosuresPorts {
  /** The record that is sealed under that number with that hash; undefined where it is not, or this node has let go of it. */
  sealedReading(chain: number, meter: Uint8Array, seq: number, hash: Uint8Array): SealedReading | undefined;
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
  for (const id of grant.meters) {
    const of = { grant, meter: fromHex(id)!, day };
    if (lacksDisclosures(ports, of)) return incomplete("sealed disclosures of a meter of the group");
    const found = await recordsOf(ports, of, range);
    if (ports.isStopped()) return incomplete("as it stops, time");
    if (found === undefined) return incomplete("an envelope of a meter of the group");
    if (found.length === 0) continue;
    const needed = new Set(found.map(({ row }) => toHex(row.envelope)));
    const keys = await exchange.keysFor(of, needed);
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
  readonly row: SealedDisclosures;
}

/**
 * The records of the slots that count: of the envelopes of their day, and sealed in time. Undefined where this node knows the envelope
 * of one of them not.
 */
async function recordsOf(ports: ComputingPorts, of: MeterDay, range: SlotRange): Promise<FoundRecord[] | undefined> {
  const { store, sealedReading, afterOthers } = ports;
  const { grant, meter, day } = of;
  const known = store.range(envelopes, hashRange(grant.chain, meter, { from: 0, to: DAY_MAX }));
  const dayOfEnvelope = new Map(known.map(({ key }) => [hashIn(key), numberIn(key)]));
  const found: FoundRecord[] = [];
  for (let keys: KeyRange = hashRange(grant.chain, meter, { from: 0, to: SEQ_MAX }); !ports.isStopped(); ) {
    const rows = store.range(sealedDisclosures, { ...keys, limit: ROWS_AT_ONCE });
    for (const { row } of rows) {
      const envelopeDay = dayOfEnvelope.get(toHex(row.envelope.subarray(0, HASH_KEY_BYTES)));
      // Its origin has put it into an envelope of another day: so it is for all who work.
      if (envelopeDay !== undefined && envelopeDay !== day) continue;
      const sealed = sealedReading(grant.chain, meter, row.seq, row.recordHash);
      if (sealed === undefined || !counts(sealed, grant, range)) continue;
      if (envelopeDay === undefined) return undefined;
      found.push({ row, ...sealed });
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS_AT_ONCE) break;
    keys = { ...keys, start: keyBehind(last.key) };
    await afterOthers();
  }
  return found;
}

/** The beginning of the envelope's id, as hex. */
function hashIn(key: HashKey): string {
  return toHex(key.subarray(-HASH_KEY_BYTES));
}

/** Whether its time lies in the slots, and its block's is not too far behind its slot. */
function counts({ claims, sealed_s }: SealedReading, { lateness_s }: GroupGrant, range: SlotRange): boolean {
  const { from_s, until_s, slot_s } = range;
  if (claims.time_s < from_s || claims.time_s >= until_s) return false;
  const end_s = (Math.floor(claims.time_s / slot_s) + 1) * slot_s;
  return sealed_s < end_s + lateness_s;
}

/** What the record hides of the register; nothing where its origin has encrypted something else than the meter has signed. */
function readingIn(
  { row, claims }: FoundRecord,
  keys: ReadonlyMap<string, Uint8Array>,
  { register: wanted, unit }: GroupGrant,
): GroupReading[] {
  const plaintext = openDisclosures(keys.get(toHex(row.envelope))!, row);
  if (plaintext === undefined) return [];
  try {
    const obis = fromHex(wanted)!;
    for (const bytes of decodeDisclosures(plaintext)) {
      const hash = sha256(bytes);
      if (!claims.digests?.some((digest) => equalBytes(digest, hash))) continue;
      for (const register of decodeDisclosure(bytes).registers) {
        if (!equalBytes(register.obis, obis) || register.unit !== unit) continue;
        const value = thousandths(register);
        return value === undefined ? [] : [{ time_s: claims.time_s, value }];
      }
    }
    return [];
  } catch (error) {
    if (error instanceof WireError) return [];
    throw error;
  } finally {
    plaintext.fill(0);
  }
}
