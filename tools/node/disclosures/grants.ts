// Grants of the access contract as this node has sealed them, and what it delivers on one. It asks nobody: what stands in the state after
// the newest block counts.

import { SEQ_MAX } from "../../../src/wire/bounds.js";
import { fromHex, toHex } from "../../../src/wire/bytes.js";
import { encodeCbor } from "../../../src/wire/cbor.js";
import { deliveryInfo, parseEnvelope, type SignedEnvelope } from "../../../src/wire/envelope.js";
import { encodeSealed } from "../../../src/wire/sealed-disclosure.js";
import { decodeValue, type Value } from "../../../src/wire/value.js";
import { sealTo } from "../../crypto/hpke.js";
import { sealedRecordsOf } from "../chain/sealed-records.js";
import { contractState } from "../chain/tables/contract-state.js";
import { sealedDisclosures } from "../chain/tables/sealed-disclosures.js";
import type { Receipts } from "../ingest/receipts.js";
import { hashRange, stateKey } from "../store/keys.js";
import type { StoreReader } from "../store/store.js";
import { ownShare } from "./custodian.js";
import type { DisclosuresPorts } from "./ports.js";
import { envelopes, type KeptEnvelope } from "./tables/envelopes.js";

/** The contract whose grants count, on every chain that has it. */
const CONTRACT = "access";

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
  /** X25519 key as hex */
  readonly key: string;
  readonly until_s: number;
}

/** The grant, where it is in force at this time. Throws STORE_CORRUPT. */
export function grantInForce(store: StoreReader, chain: number, id: string, now_ms: number): Grant | undefined {
  const bytes = store.get(contractState, stateKey(chain, `${CONTRACT}/grant/${id}`));
  if (bytes === undefined) return undefined;
  const grant = grantIn(decodeValue(bytes));
  if (grant === undefined || now_ms > 1_000 * grant.until_s) return undefined;
  return { ...grant, id, chain };
}

/** A contract of that name may have put anything there. */
function grantIn(value: Value): Omit<Grant, "id" | "chain"> | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { requester, meter, purpose, from, until, key, until_s } = value as { readonly [name: string]: Value };
  const isText = typeof requester === "string" && typeof meter === "string" && typeof key === "string";
  const numbers = [purpose, from, until, until_s];
  if (!isText || !numbers.every((each) => typeof each === "number")) return undefined;
  if (fromHex(meter)?.length !== 8 || fromHex(key)?.length !== 32) return undefined;
  const [stated, first, end, last_s] = numbers as number[];
  return { requester, meter, key, purpose: stated!, from: first!, until: end!, until_s: last_s! };
}

export function holdsDay({ from, until }: Grant, day: number): boolean {
  return from <= day && day < until;
}

/** [envelope, enc, ciphertext] for each envelope of the day that this node keeps a share of. */
export function* sharesOf(ports: DisclosuresPorts, grant: Grant, day: number): Generator<Uint8Array, void> {
  const { self } = ports;
  for (const { envelope, kept } of envelopesOf(ports, grant, day)) {
    const share = ownShare(ports, envelope, kept);
    if (share === undefined) continue;
    const { enc, ciphertext } = sealTo(fromHex(grant.key)!, deliveryInfo(envelope.id, self, grant.id), share);
    share.fill(0);
    yield encodeCbor([envelope.bytes, enc, ciphertext]);
  }
}

/** [record, receipt, sealed disclosures] for each sealed record of the meter that is in an envelope of the day. */
export function* recordsOf(
  ports: DisclosuresPorts,
  receipts: Receipts,
  grant: Grant,
  day: number,
): Generator<Uint8Array, void> {
  const { store } = ports;
  const kid = fromHex(grant.meter)!;
  const ids = new Set([...envelopesOf(ports, grant, day)].map(({ envelope }) => toHex(envelope.id)));
  if (ids.size === 0) return;
  for (const { row } of store.range(sealedDisclosures, hashRange(grant.chain, kid, { from: 0, to: SEQ_MAX }))) {
    if (!ids.has(toHex(row.envelope))) continue;
    const found = sealedRecordsOf(store, grant.chain, kid, row.seq).next().value;
    const isIt = found !== undefined && found.seq === row.seq && toHex(found.hash) === toHex(row.recordHash);
    if (!isIt || found.bytes === undefined) continue;
    const receipt = receipts.find(grant.chain, kid, row.seq);
    if (receipt !== undefined) yield encodeCbor([found.bytes, receipt, encodeSealed(row)]);
  }
}

interface FoundEnvelope {
  readonly envelope: SignedEnvelope;
  readonly kept: KeptEnvelope;
}

function envelopesOf({ genesis, store }: DisclosuresPorts, { chain, meter }: Grant, day: number): FoundEnvelope[] {
  const rows = store.range(envelopes, hashRange(chain, fromHex(meter)!, { from: day, to: day }));
  return rows.map(({ row }) => ({ envelope: parseEnvelope(genesis.hash, row.bytes), kept: row }));
}
