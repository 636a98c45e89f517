// The sealed disclosures of one record: AES-256-GCM under a key of the record's own, which follows from its envelope's day key. They go
// beside a temporary block, never in it.

import { BATCH_RECORDS_MAX, SEQ_MAX } from "./bounds.js";
import { type CborValue, decodeCbor, encodeCbor } from "./cbor.js";
import { WireError } from "./error.js";
import { encodeHidden, type Hidden } from "./operation.js";
import { DISCLOSURES_MAX, type Disclosure, encodeDisclosure, RECORD_BYTES_MAX } from "./record.js";
import { asArray, asBytes, asList, asUint } from "./shape.js";

export const NONCE_BYTES = 12;
/** Of AES-GCM: no ciphertext is shorter. */
const TAG_BYTES = 16;
/** Largest ciphertext: the disclosures of the largest record, their heads and the tag. */
export const CIPHERTEXT_BYTES_MAX = RECORD_BYTES_MAX + 64;
const ROW_BYTES_MAX = CIPHERTEXT_BYTES_MAX + 128;
/** Largest list of them between nodes. */
const SEALED_LIST_BYTES_MAX = 524_288;

export interface SealedDisclosures {
  /** id of who signed the record */
  readonly kid: Uint8Array;
  readonly seq: number;
  /** hash of the record: what is authenticated with the ciphertext */
  readonly recordHash: Uint8Array;
  /** id of the envelope whose key it is sealed with */
  readonly envelope: Uint8Array;
  /** 12 random bytes */
  readonly nonce: Uint8Array;
  /** with the tag of 16 bytes behind */
  readonly ciphertext: Uint8Array;
}

function itemsOf({ kid, seq, recordHash, envelope, nonce, ciphertext }: SealedDisclosures): CborValue {
  return [kid, seq, recordHash, envelope, nonce, ciphertext];
}

function sealedFrom(value: CborValue): SealedDisclosures {
  const [kid, seq, recordHash, envelope, nonce, item] = asArray(value, "sealed disclosures", 6);
  const ciphertext = asBytes(item, "sealed disclosures ciphertext");
  if (ciphertext.length < TAG_BYTES) {
    throw new WireError("shape", `sealed disclosures must have at least ${TAG_BYTES} bytes, not ${ciphertext.length}`);
  }
  // In a list there is room for more, which could be stored and not be read again.
  if (ciphertext.length > CIPHERTEXT_BYTES_MAX) {
    throw new WireError("limit", `sealed disclosures have more than ${CIPHERTEXT_BYTES_MAX} bytes`);
  }
  return {
    kid: asBytes(kid, "sealed disclosures kid", 8),
    seq: asUint(seq, "sealed disclosures seq", SEQ_MAX),
    recordHash: asBytes(recordHash, "sealed disclosures record", 32),
    envelope: asBytes(envelope, "sealed disclosures envelope", 32),
    nonce: asBytes(nonce, "sealed disclosures nonce", NONCE_BYTES),
    ciphertext,
  };
}

export function encodeSealed(sealed: SealedDisclosures): Uint8Array {
  return encodeCbor(itemsOf(sealed));
}

/** Throws a WireError. */
export function decodeSealed(bytes: Uint8Array): SealedDisclosures {
  return sealedFrom(decodeCbor(bytes, { size: ROW_BYTES_MAX, items: 8 }));
}

/** Those of several records, as nodes send them to each other before the temporary block that holds the records. */
export function encodeSealedList(sealed: readonly SealedDisclosures[]): Uint8Array {
  return encodeCbor(sealed.map(itemsOf));
}

/** Throws a WireError. */
export function decodeSealedList(bytes: Uint8Array): SealedDisclosures[] {
  const limits = { size: SEALED_LIST_BYTES_MAX, items: 7 * BATCH_RECORDS_MAX + 8 };
  return asList(decodeCbor(bytes, limits), "sealed disclosures", BATCH_RECORDS_MAX).map(sealedFrom);
}

/** What is encrypted: the record's encoded disclosures, those of header 17. */
export function encodeDisclosures(disclosures: readonly (Disclosure | Hidden)[]): Uint8Array {
  return encodeCbor(disclosures.map((each) => ("value" in each ? encodeHidden(each) : encodeDisclosure(each))));
}

/** The encoded disclosures in what was encrypted. Throws a WireError. */
export function decodeDisclosures(bytes: Uint8Array): Uint8Array[] {
  const limits = { size: CIPHERTEXT_BYTES_MAX, items: DISCLOSURES_MAX + 1 };
  return asList(decodeCbor(bytes, limits), "disclosures", DISCLOSURES_MAX).map((item) => asBytes(item, "disclosure"));
}
