// What a grant delivers, opened: sealed disclosures to values, each proved by a digest that a meter has signed and
// a quorum has sealed. Nothing that a node says is believed; what it says wrongly is told with its name.

import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { DAY_S } from "../../../src/wire/envelope.js";
import { sha256 } from "../../../src/wire/hash.js";
import { decodeReceipt, verifyReceipt } from "../../../src/wire/receipt.js";
import { decodeDisclosure, parseRecord, type Register } from "../../../src/wire/record.js";
import { decodeDisclosures, decodeSealed } from "../../../src/wire/sealed-disclosure.js";
import { openDisclosures } from "../../crypto/day-key.js";
import type { DeliveredShares } from "../../crypto/delivered-shares.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { reasonOf } from "../../errors.js";
import type { DeliveredRecord } from "../../sources/grants.js";

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
  /** orders and certificates that lead to the members of receipts */
  readonly lineage: readonly Uint8Array[];
}

export type OpenedRecord =
  /** `hidden`: how many disclosures the meter has signed the digest of */
  | { readonly type: "opened"; readonly values: readonly OpenedValue[]; readonly hidden: number }
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
    return { type: "opened", values, hidden: claims.digests?.length ?? 0 };
  } catch (error) {
    return { type: "refuted", reason: reasonOf(error) };
  }
}
