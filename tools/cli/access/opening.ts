// What a grant delivers, opened: shares to day keys, sealed disclosures to values, each proved by a digest that a meter has signed and
// a quorum has sealed. Nothing that a node says is believed; what it says wrongly is told with its name.

import { equalBytes, fromHex, toHex } from "../../../src/wire/bytes.js";
import { DAY_S, deliveryInfo, isShareOf, parseEnvelope, type SignedEnvelope } from "../../../src/wire/envelope.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import { sha256 } from "../../../src/wire/hash.js";
import { decodeReceipt, verifyReceipt } from "../../../src/wire/receipt.js";
import { decodeDisclosure, parseRecord, type Register } from "../../../src/wire/record.js";
import { decodeDisclosures, decodeSealed } from "../../../src/wire/sealed-disclosure.js";
import { combineShares, openDisclosures } from "../../crypto/day-key.js";
import { type DeliveryKeys, openWith } from "../../crypto/hpke.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { reasonOf } from "../../errors.js";
import type { DeliveredRecord, DeliveredShare } from "../../sources/grants.js";

/** One register that a meter has confided, and where it is proved. */
export interface OpenedValue {
  readonly meter: string;
  readonly seq: number;
  readonly time_s: number;
  /** of the block that seals the record */
  readonly height: number;
  readonly recordHash: string;
  readonly label: string;
  readonly register: Register;
  /** the disclosure that the record has a digest of, encoded: who has it and the receipt can prove the value */
  readonly disclosure: Uint8Array;
  /** the record and its receipt, encoded: with the disclosure they are the proof */
  readonly record: Uint8Array;
  readonly receipt: Uint8Array;
}

export interface Opening {
  readonly genesis: Genesis;
  readonly keys: DeliveryKeys;
  /** the request's name */
  readonly grant: string;
  readonly service: number;
  /** id of the meter as hex */
  readonly meter: string;
  /** orders and certificates that lead to the members of receipts */
  readonly lineage: readonly Uint8Array[];
  /** envelopes by id, with the shares that were opened, by custodian */
  readonly envelopes: Map<string, { readonly envelope: SignedEnvelope; readonly shares: Map<string, Uint8Array> }>;
}

/** Takes a custodian's share; returns what is wrong with it, undefined where it is good. */
export function takeShare(opening: Opening, custodian: string, delivered: DeliveredShare): string | undefined {
  let envelope: SignedEnvelope;
  try {
    envelope = parseEnvelope(opening.genesis.hash, delivered.envelope);
  } catch (error) {
    return `node ${custodian} delivers no envelope: ${reasonOf(error)}`;
  }
  const isAsked = toHex(envelope.meter) === opening.meter && envelope.chain === opening.service;
  if (!isAsked) return `node ${custodian} delivers a share of another meter`;
  const node = fromHex(custodian)!;
  const share = openWith(opening.keys, deliveryInfo(envelope.id, node, opening.grant), delivered.sealed);
  if (share === undefined) return `node ${custodian} delivers a share that is not sealed to this key`;
  if (!isShareOf(envelope, node, share)) return `node ${custodian} delivers a share that its envelope does not state`;
  const id = toHex(envelope.id);
  const known = opening.envelopes.get(id) ?? { envelope, shares: new Map<string, Uint8Array>() };
  known.shares.set(custodian, share);
  opening.envelopes.set(id, known);
  return undefined;
}

/**
 * The day keys of those envelopes that enough custodians have given their share of, by id as hex. A complaint names each origin whose
 * shares, as it has stated them itself, are none of one key.
 */
export async function dayKeys({ envelopes }: Opening, complaints: string[] = []): Promise<Map<string, Uint8Array>> {
  const keys = new Map<string, Uint8Array>();
  for (const [id, { envelope, shares }] of envelopes) {
    if (shares.size < envelope.threshold) continue;
    try {
      keys.set(id, await combineShares([...shares.values()].slice(0, envelope.threshold)));
    } catch (error) {
      complaints.push(`node ${toHex(envelope.origin)} has divided a day key into shares of none: ${reasonOf(error)}`);
    }
  }
  return keys;
}

export type OpenedRecord =
  | { readonly type: "opened"; readonly values: readonly OpenedValue[] }
  /** too few custodians have given their share of its envelope */
  | { readonly type: "closed" }
  | { readonly type: "refuted"; readonly reason: string };

/** Opens one record's disclosures. Each must be one that the sealed record has a digest of. */
export function openRecord(
  opening: Opening,
  keys: ReadonlyMap<string, Uint8Array>,
  delivered: DeliveredRecord,
): OpenedRecord {
  try {
    const { kid, hash, claims } = parseRecord(delivered.record);
    const sealed = decodeSealed(delivered.sealed);
    const receipt = decodeReceipt(delivered.receipt);
    if (toHex(kid) !== opening.meter || claims.service !== opening.service) throw new Error("it is of another meter");
    if (!equalBytes(receipt.recordHash, hash)) throw new Error("its receipt is for another record");
    verifyReceipt(receipt, opening.genesis, nodeVerify, opening.lineage);
    const key = keys.get(toHex(sealed.envelope));
    if (key === undefined) return { type: "closed" };
    const plaintext = openDisclosures(key, { ...sealed, kid, seq: claims.seq, recordHash: hash });
    if (plaintext === undefined) throw new Error("its disclosures do not open with the day key");
    const day = opening.envelopes.get(toHex(sealed.envelope))?.envelope.day;
    if (day !== Math.floor(claims.time_s / DAY_S)) throw new Error("it is of another day than its envelope");
    const place = { meter: opening.meter, seq: claims.seq, time_s: claims.time_s, height: receipt.height };
    const values = decodeDisclosures(plaintext).flatMap((bytes) => {
      const isProved = claims.digests?.some((digest) => equalBytes(digest, sha256(bytes))) ?? false;
      if (!isProved) throw new Error("it has no digest of what was opened");
      const { label, registers } = decodeDisclosure(bytes);
      const proof = { disclosure: bytes, record: delivered.record, receipt: delivered.receipt };
      return registers.map((register) => ({ ...place, ...proof, recordHash: toHex(hash), label, register }));
    });
    return { type: "opened", values };
  } catch (error) {
    return { type: "refuted", reason: reasonOf(error) };
  }
}
