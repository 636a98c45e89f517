// What a grant delivers, opened: sealed disclosures to values, each proved by a digest that a meter has signed and
// a quorum has sealed. Nothing that a node says is believed; what it says wrongly is told with its name.

import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { DAY_S } from "../../../src/wire/envelope.js";
import { sha256 } from "../../../src/wire/hash.js";
import { decodeReceipt, verifyInclusionOf } from "../../../src/wire/receipt.js";
import { type Disclosure, decodeDisclosure, parseRecord, type Register } from "../../../src/wire/record.js";
import { decodeDisclosures, decodeSealed } from "../../../src/wire/sealed-disclosure.js";
import { openDisclosures } from "../../crypto/day-key.js";
import type { DeliveredShares } from "../../crypto/delivered-shares.js";
import { reasonOf } from "../../errors.js";
import type { DeliveredRecord } from "../../sources/grants.js";
import type { VerifySeal } from "./seals.js";

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

export interface Opening extends DeliveredShares {
  readonly verifySeal: VerifySeal;
}

export type OpenedRecord =
  | {
      readonly type: "opened";
      /** by digest as hex: the registers of each disclosure that the meter has signed the digest of */
      readonly proved: ReadonlyMap<string, readonly OpenedValue[]>;
      /** how many digests the meter has signed */
      readonly hidden: number;
      /** what was opened beside them, and whose it was */
      readonly complaints: readonly string[];
    }
  /** too few custodians have given their share of its envelope */
  | { readonly type: "closed" }
  | { readonly type: "refuted"; readonly reason: string };

/**
 * Opens one record's disclosures. Those count that the sealed record has a digest of: who has encrypted others beside them hides nothing
 * by it, and is named.
 */
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
    verifyInclusionOf(receipt, opening.genesis);
    opening.verifySeal(receipt);
    const key = keys.get(toHex(sealed.envelope));
    if (key === undefined) return { type: "closed" };
    const plaintext = openDisclosures(key, { ...sealed, kid, seq: claims.seq, recordHash: hash });
    const envelope = opening.envelopes.get(toHex(sealed.envelope))?.envelope;
    const origin = envelope === undefined ? "no node" : `node ${toHex(envelope.origin)}`;
    if (plaintext === undefined) throw new Error(`its disclosures do not open with the day key of ${origin}`);
    if (envelope?.day !== Math.floor(claims.time_s / DAY_S)) throw new Error("it is of another day than its envelope");
    const place = { meter: opening.meter, seq: claims.seq, time_s: claims.time_s, height: receipt.height };
    const signed = new Set(claims.digests?.map(toHex));
    const opened = new Map(decodeDisclosures(plaintext).map((bytes) => [toHex(sha256(bytes)), bytes]));
    const proved = new Map<string, readonly OpenedValue[]>();
    const complaints: string[] = [];
    const which = `record ${claims.seq} of meter ${opening.meter}`;
    for (const [digest, disclosure] of opened) {
      if (!signed.has(digest)) {
        complaints.push(`${origin} has encrypted what ${which} has no digest of`);
        continue;
      }
      const proof = { disclosure, record: delivered.record, receipt: delivered.receipt };
      const read = readDisclosure(disclosure);
      if (typeof read === "string") complaints.push(`${which} has the digest of what is no disclosure: ${read}`);
      const { label, registers } = typeof read === "string" ? { label: "", registers: [] } : read;
      const values = registers.map((register) => ({ ...place, ...proof, recordHash: toHex(hash), label, register }));
      proved.set(digest, values);
    }
    return { type: "opened", proved, hidden: signed.size, complaints: [...new Set(complaints)] };
  } catch (error) {
    return { type: "refuted", reason: reasonOf(error) };
  }
}

/** The disclosure; in words, why it is none. */
function readDisclosure(bytes: Uint8Array): Disclosure | string {
  try {
    return decodeDisclosure(bytes);
  } catch (error) {
    return reasonOf(error);
  }
}
