// The division: a custodian's signed statement of how it has divided its own share of an envelope among later members. So a chain with
// other members opens what its earlier ones keep, and nobody has held more of the key than a share.

import { NODES_MAX } from "./bounds.js";
import { type CborValue, decodeCbor, encodeCbor } from "./cbor.js";
import { type Custodian, custodiansFrom, ENVELOPE_BYTES_MAX, envelopeLimits } from "./envelope.js";
import { WireError } from "./error.js";
import { sha256 } from "./hash.js";
import type { PublicKey, Signer, Verify } from "./key.js";
import { asArray, asBytes, asUint } from "./shape.js";

export interface Division {
  /** id of the envelope whose share was divided */
  readonly envelope: Uint8Array;
  /** id of the custodian whose share it was */
  readonly dealer: Uint8Array;
  /** how many parts make the share again */
  readonly threshold: number;
  /** who has which part, ascending by node */
  readonly custodians: readonly Custodian[];
}

export interface SignedDivision extends Division {
  /** SHA-256 of what the dealer signs */
  readonly id: Uint8Array;
  readonly signature: Uint8Array;
  readonly bytes: Uint8Array;
}

function itemsOf({ envelope, dealer, threshold, custodians }: Division): CborValue[] {
  return [envelope, dealer, threshold, custodians.map(({ node, commitment }) => [node, commitment])];
}

/** What the dealer signs. */
function divisionBytes(genesisHash: Uint8Array, division: Division): Uint8Array {
  return encodeCbor(["gs1/division", genesisHash, ...itemsOf(division)]);
}

export function signDivision(genesisHash: Uint8Array, division: Division, signer: Signer): SignedDivision {
  const signed = divisionBytes(genesisHash, division);
  const signature = signer.sign(signed);
  return { ...division, id: sha256(signed), signature, bytes: encodeCbor([...itemsOf(division), signature]) };
}

/** Reads a division; its signature is not checked. Throws a WireError. */
export function parseDivision(genesisHash: Uint8Array, bytes: Uint8Array): SignedDivision {
  if (bytes.length > ENVELOPE_BYTES_MAX) {
    throw new WireError("limit", `division has more than ${ENVELOPE_BYTES_MAX} bytes`);
  }
  const items = asArray(decodeCbor(bytes, envelopeLimits), "division", 5);
  const [envelope, dealer, threshold, custodians, signature] = items;
  const division: Division = {
    envelope: asBytes(envelope, "divided envelope", 32),
    dealer: asBytes(dealer, "dealer", 8),
    threshold: asUint(threshold, "division threshold", NODES_MAX),
    custodians: custodiansFrom(custodians),
  };
  if (division.threshold < 1 || division.threshold > division.custodians.length) {
    throw new WireError("shape", `division opens with ${division.threshold} of ${division.custodians.length} parts`);
  }
  const id = sha256(divisionBytes(genesisHash, division));
  return { ...division, id, signature: asBytes(signature, "division signature", 64), bytes };
}

/** Whether the dealer's key has signed it. */
export function isDivisionSignedBy(
  genesisHash: Uint8Array,
  division: SignedDivision,
  { key, verify }: { readonly key: PublicKey; readonly verify: Verify },
): boolean {
  return verify(key, divisionBytes(genesisHash, division), division.signature);
}
