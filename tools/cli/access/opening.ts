// What a grant delivers, opened: shares to day keys, sealed disclosures to values, each proved by a digest that a meter has signed and
// a quorum has sealed. Nothing that a node says is believed; what it says wrongly is told with its name.

import { equalBytes, fromHex, toHex } from "../../../src/wire/bytes.js";
import { parseDivision, type SignedDivision } from "../../../src/wire/division.js";
import {
  DAY_S,
  deliveryInfo,
  isShareOf,
  parseEnvelope,
  type SealedShare,
  type SignedEnvelope,
} from "../../../src/wire/envelope.js";
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
  /** by id */
  readonly envelopes: Map<string, OpeningEnvelope>;
}

/** An envelope with what was delivered of its key. */
interface OpeningEnvelope {
  readonly envelope: SignedEnvelope;
  /** shares by custodian */
  readonly shares: Map<string, Uint8Array>;
  /** by id: how custodians have divided theirs, with the parts by who has delivered them */
  readonly divisions: Map<string, { readonly division: SignedDivision; readonly parts: Map<string, Uint8Array> }>;
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
  const id = toHex(envelope.id);
  const known: OpeningEnvelope = opening.envelopes.get(id) ?? { envelope, shares: new Map(), divisions: new Map() };
  const complaint =
    delivered.division === undefined
      ? takeWhole(opening, known, custodian, delivered.sealed)
      : takePart(opening, known, custodian, { bytes: delivered.division, sealed: delivered.sealed });
  if (complaint === undefined) opening.envelopes.set(id, known);
  return complaint;
}

function takeWhole(
  opening: Opening,
  { envelope, shares }: OpeningEnvelope,
  custodian: string,
  sealed: SealedShare,
): string | undefined {
  const node = fromHex(custodian)!;
  const share = openWith(opening.keys, deliveryInfo(envelope.id, node, opening.grant), sealed);
  if (share === undefined) return `node ${custodian} delivers a share that is not sealed to this key`;
  if (!isShareOf(envelope, node, share)) return `node ${custodian} delivers a share that its envelope does not state`;
  shares.set(custodian, share);
  return undefined;
}

function takePart(
  { genesis, keys, grant }: Opening,
  { envelope, divisions }: OpeningEnvelope,
  custodian: string,
  { bytes, sealed }: { readonly bytes: Uint8Array; readonly sealed: SealedShare },
): string | undefined {
  let division: SignedDivision;
  try {
    division = parseDivision(genesis.hash, bytes);
  } catch (error) {
    return `node ${custodian} delivers no division: ${reasonOf(error)}`;
  }
  if (!equalBytes(division.envelope, envelope.id)) return `node ${custodian} delivers a part of another share`;
  const node = fromHex(custodian)!;
  const part = openWith(keys, deliveryInfo(division.id, node, grant), sealed);
  if (part === undefined) return `node ${custodian} delivers a part that is not sealed to this key`;
  if (!isShareOf(division, node, part)) return `node ${custodian} delivers a part that its division does not state`;
  const id = toHex(division.id);
  const known = divisions.get(id) ?? { division, parts: new Map<string, Uint8Array>() };
  known.parts.set(custodian, part);
  divisions.set(id, known);
  return undefined;
}

/** Puts divided shares together, where enough parts were delivered. What is not the dealer's share names the dealer. */
async function joinParts({ envelope, shares, divisions }: OpeningEnvelope, complaints: string[]): Promise<void> {
  for (const { division, parts } of divisions.values()) {
    const dealer = toHex(division.dealer);
    if (shares.has(dealer) || parts.size < division.threshold) continue;
    const share = await combineShares([...parts.values()].slice(0, division.threshold)).catch(() => undefined);
    if (share !== undefined && isShareOf(envelope, division.dealer, share)) shares.set(dealer, share);
    else complaints.push(`node ${dealer} has divided its share of a day key into parts of another`);
  }
}

/**
 * The day keys of those envelopes that enough custodians have given their share of, by id as hex. A complaint names each origin whose
 * shares, as it has stated them itself, are none of one key.
 */
export async function dayKeys({ envelopes }: Opening, complaints: string[] = []): Promise<Map<string, Uint8Array>> {
  const keys = new Map<string, Uint8Array>();
  for (const [id, opened] of envelopes) {
    const { envelope, shares } = opened;
    if (shares.size < envelope.threshold) await joinParts(opened, complaints);
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
