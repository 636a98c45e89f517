// What an order is signed with: the authority's key alone makes a COSE_Sign1; where the genesis asks for several signatures, so many of
// the keys that it names make a COSE_Sign, in their order.

import { equalBytes } from "./bytes.js";
import {
  type CoseSignature,
  coseSignature,
  encodeSign,
  isSign,
  parseSign,
  parseSign1,
  sign1,
  verifyCoseSignature,
  verifySign1,
} from "./cose.js";
import { WireError } from "./error.js";
import type { Genesis, Ordering } from "./genesis.js";
import { equalKeys, keyId, type Signer, type Verify } from "./key.js";

/** An order that says this, with the signature of one key. Throws a WireError where the key is none that orders. */
export function signOrder(payload: Uint8Array, ordering: Ordering | undefined, signer: Signer): Uint8Array {
  if (ordering === undefined) return sign1(payload, signer);
  placeOf(ordering, signer);
  return encodeSign(payload, [coseSignature(payload, signer, keyId(signer.key))]);
}

/** The same order with one signature more. Throws a WireError where the key has signed, is none that orders, or no more are needed. */
export function addOrderSignature(
  bytes: Uint8Array,
  { ordering, size }: { readonly ordering: Ordering; readonly size: number },
  signer: Signer,
): Uint8Array {
  const { payload, signatures } = parseSign(bytes, size);
  if (signatures.length >= ordering.signatures) throw new WireError("shape", "order has its signatures already");
  const own = placeOf(ordering, signer);
  const places = signatures.map((signature) => placeIn(ordering, signature));
  if (places.includes(own)) throw new WireError("shape", "order is signed by this key already");
  const behind = places.findIndex((place) => place > own);
  const added = coseSignature(payload, signer, keyId(signer.key));
  const at = behind < 0 ? signatures.length : behind;
  return encodeSign(payload, [...signatures.slice(0, at), added, ...signatures.slice(at)]);
}

/** What an order says, encoded. */
export function orderPayload(bytes: Uint8Array, size: number): Uint8Array {
  if (isSign(bytes)) return parseSign(bytes, size).payload;
  const message = parseSign1(bytes, size);
  if (message.unprotected.size !== 0) throw new WireError("shape", "order has an unprotected header");
  return message.payload;
}

/** How many keys have signed, each of which is verified, and how many must. Throws a WireError where a signature is not good. */
export function orderSignatures(
  bytes: Uint8Array,
  { authority, ordering }: Pick<Genesis, "authority" | "ordering">,
  verify: Verify,
): { readonly signed: number; readonly needed: number } {
  if (ordering === undefined) {
    if (!verifySign1(parseSign1(bytes, bytes.length), authority, verify)) {
      throw new WireError("unproven", "order is not signed by the authority");
    }
    return { signed: 1, needed: 1 };
  }
  const { payload, signatures } = parseSign(bytes, bytes.length);
  let before = -1;
  for (const signature of signatures) {
    const place = placeIn(ordering, signature);
    if (place <= before) throw new WireError("unproven", "order is not signed by keys of the authority in their order");
    const key = ordering.keys[place]!;
    if (!verifyCoseSignature(payload, signature, { key, kid: keyId(key) }, verify)) {
      throw new WireError("unproven", "order has a signature that is not good");
    }
    before = place;
  }
  return { signed: signatures.length, needed: ordering.signatures };
}

/** Place of the key that the signature's header names; -1 where it names none of them. */
function placeIn({ keys }: Ordering, { protected: header }: CoseSignature): number {
  // The key's id is the last of the header: { 1: algorithm, 4: kid }.
  const kid = header.subarray(header.length - 8);
  return keys.findIndex((key) => equalBytes(keyId(key), kid));
}

function placeOf({ keys }: Ordering, { key }: Signer): number {
  const place = keys.findIndex((known) => equalKeys(known, key));
  if (place < 0) throw new WireError("unproven", "the key is none that orders in this network");
  return place;
}
