// Grants of the access contract as this node has sealed them, and what it delivers on one. It asks nobody: what stands in the state after
// the newest block counts.

import { SEQ_MAX } from "../../../src/wire/bounds.js";
import { equalBytes, fromHex, toHex } from "../../../src/wire/bytes.js";
import { encodeCbor } from "../../../src/wire/cbor.js";
import { DAY_S, deliveryInfo, parseEnvelope, type SignedEnvelope } from "../../../src/wire/envelope.js";
import { isLowOrder } from "../../../src/wire/low-order.js";
import { parseRecord } from "../../../src/wire/record.js";
import { encodeSealed, type SealedDisclosures } from "../../../src/wire/sealed-disclosure.js";
import { decodeValue, type Value } from "../../../src/wire/value.js";
import type { FoundRecord } from "../../routes/record-rows.js";
import { sealedRecordsOf } from "../chain/sealed-records.js";
import { contractState } from "../chain/tables/contract-state.js";
import { sealedDisclosures } from "../chain/tables/sealed-disclosures.js";
import type { Receipts } from "../ingest/receipts.js";
import { hashRange, type KeyRange, keyBehind, stateKey } from "../store/keys.js";
import type { PartReader } from "../store/store.js";
import { ACCESS_CONTRACT } from "./chain-policy.js";
import type { DisclosuresPorts } from "./ports.js";
import { divisionsOf, ownShare } from "./shares.js";
import { envelopes, type KeptEnvelope } from "./tables/envelopes.js";

export interface Grant {
  readonly id: string;
  readonly chain: number;
  /** ids as hex */
  readonly requester: string;
  readonly meter: string;
  readonly purpose: number;
  /** UTC days since 1970: the first, and the one behind the last */
  readonly from: number;
  readonly until: number;
  /** those of them that it opens: [first, the one behind the last] */
  readonly days: readonly (readonly [number, number])[];
  /** X25519 key as hex */
  readonly key: string;
  readonly until_s: number;
}

/**
 * The grant, where it is in force at this time, and the contract by which it stands there is in force on the chain. Throws
 * STORE_CORRUPT.
 */
export function grantInForce(
  { store, hasContract, now_ms }: Pick<DisclosuresPorts, "store" | "hasContract" | "now_ms">,
  chain: number,
  id: string,
): Grant | undefined {
  if (!hasContract(chain, ACCESS_CONTRACT)) return undefined;
  const bytes = store.get(contractState, stateKey(chain, `${ACCESS_CONTRACT}/grant/${id}`));
  if (bytes === undefined) return undefined;
  const grant = grantIn(decodeValue(bytes));
  if (grant === undefined || now_ms() > 1_000 * grant.until_s) return undefined;
  return { ...grant, id, chain };
}

/** A contract of that name may have put anything there. */
function grantIn(value: Value): Omit<Grant, "id" | "chain"> | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { requester, meter, purpose, from, until, days, key, until_s } = value as { readonly [name: string]: Value };
  const isText = typeof requester === "string" && typeof meter === "string" && typeof key === "string";
  if (!isText || fromHex(meter)?.length !== 8) return undefined;
  const keyBytes = fromHex(key);
  if (keyBytes?.length !== 32 || isLowOrder(keyBytes)) return undefined;
  const numbers = [purpose, from, until, until_s];
  const runs = daysIn(days);
  if (!numbers.every(isCount) || runs === undefined) return undefined;
  const [stated, first, end, last_s] = numbers;
  return { requester, meter, key, purpose: stated!, from: first!, until: end!, until_s: last_s!, days: runs };
}

/** [first, the one behind the last, whose] of each run. */
function daysIn(value: Value | undefined): Grant["days"] | undefined {
  if (!Array.isArray(value)) return undefined;
  const runs = (value as readonly Value[]).map((run) => (Array.isArray(run) ? (run as readonly Value[]) : []));
  const days = runs.map((run) => run.slice(0, 2)).filter((run) => run.length === 2 && run.every(isCount));
  return days.length === runs.length ? days.map(([first, end]) => [Number(first), Number(end)] as const) : undefined;
}

function isCount(value: Value | undefined): value is number {
  return typeof value === "number" && value >= 0;
}

export function holdsDay({ from, until, days }: Grant, day: number): boolean {
  return from <= day && day < until && days.some(([first, end]) => first <= day && day < end);
}

/** To whom shares of which meter are delivered. */
export type Delivery = Pick<Grant, "id" | "chain" | "meter" | "key">;

/** [envelope, division / null, enc, ciphertext] of each envelope of the day: this node's share, or its part of another custodian's. */
export function* sharesOf(ports: DisclosuresPorts, grant: Delivery, day: number): Generator<Uint8Array, void> {
  for (const { envelope, kept } of envelopesOf(ports, grant, day)) {
    const share = delivered(ports, grant, envelope, kept);
    if (share !== undefined) yield encodeCbor([envelope.bytes, null, ...share]);
    for (const each of divisionsOf(ports, envelope)) {
      const part = delivered(ports, grant, each.division, each.kept);
      if (part !== undefined) yield encodeCbor([envelope.bytes, each.division.bytes, ...part]);
    }
  }
}

/** [enc, ciphertext] of what this node has of it; undefined where it has nothing. */
function delivered(
  ports: DisclosuresPorts,
  grant: Delivery,
  signed: Pick<SignedEnvelope, "id" | "custodians">,
  kept: KeptEnvelope,
): readonly [Uint8Array, Uint8Array] | undefined {
  const share = ownShare(ports, signed, kept);
  if (share === undefined) return undefined;
  const info = deliveryInfo(signed.id, ports.self, grant.id);
  const { enc, ciphertext } = ports.ciphers.sealTo(fromHex(grant.key)!, info, share);
  share.fill(0);
  return [enc, ciphertext];
}

/** Rows that are looked at between two items of an answer, which may be empty: the loop comes to other things in between. */
const ROWS_AT_ONCE = 32;
const nothing = new Uint8Array(0);

/**
 * [record, receipt, sealed disclosures] for each sealed record of the meter whose time lies within one of these days, and that is in an
 * envelope of that day. Items may be empty. The meter's history is gone over once, however many days are asked for.
 */
export function* recordsOf(
  ports: DisclosuresPorts,
  receipts: Receipts,
  grant: Delivery,
  days: readonly number[],
): Generator<Uint8Array, void> {
  const { store } = ports;
  const kid = fromHex(grant.meter)!;
  /** days by the ids of their envelopes */
  const dayOf = new Map(
    days.flatMap((day) => envelopesOf(ports, grant, day).map(({ envelope }) => [toHex(envelope.id), day] as const)),
  );
  if (dayOf.size === 0) return;
  const recordAt = recordsBehind(store, grant.chain, kid);
  for (let range: KeyRange = hashRange(grant.chain, kid, { from: 0, to: SEQ_MAX }); ; ) {
    const rows = store.range(sealedDisclosures, { ...range, limit: ROWS_AT_ONCE });
    for (const { row } of rows) {
      const day = dayOf.get(toHex(row.envelope));
      const record = day === undefined ? undefined : recordAt(row);
      // Its origin has chosen the envelope: the meter's signature says which day it is of.
      if (record === undefined || Math.floor(parseRecord(record).claims.time_s / DAY_S) !== day) continue;
      const receipt = receipts.find(grant.chain, kid, row.seq);
      if (receipt !== undefined) yield encodeCbor([record, receipt, encodeSealed(row)]);
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS_AT_ONCE) return;
    range = { ...range, start: keyBehind(last.key) };
    yield nothing;
  }
}

/** The record that a row is of, undefined where another one is sealed, or the node has let go of it. Records that follow are read on. */
function recordsBehind(
  store: PartReader,
  chain: number,
  kid: Uint8Array,
): (row: SealedDisclosures) => Uint8Array | undefined {
  let found: FoundRecord | undefined;
  let following: Generator<FoundRecord, void> | undefined;
  return ({ seq, recordHash }) => {
    if (found?.seq !== seq) {
      if (found?.seq !== seq - 1 || following === undefined) following = sealedRecordsOf(store, chain, kid, seq);
      found = following.next().value ?? undefined;
    }
    const isIt = found !== undefined && found.seq === seq && equalBytes(found.hash, recordHash);
    return isIt ? found!.bytes : undefined;
  };
}

interface FoundEnvelope {
  readonly envelope: SignedEnvelope;
  readonly kept: KeptEnvelope;
}

function envelopesOf(
  { genesis, store }: DisclosuresPorts,
  { chain, meter }: Pick<Delivery, "chain" | "meter">,
  day: number,
): FoundEnvelope[] {
  const rows = store.range(envelopes, hashRange(chain, fromHex(meter)!, { from: day, to: day }));
  return rows.map(({ row }) => ({ envelope: parseEnvelope(genesis.hash, row.bytes), kept: row }));
}
