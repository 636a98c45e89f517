// The envelope: an original node's signed statement of who keeps which share of the key that hides one meter's disclosures of one
// service and UTC day. Its shares are sealed to custodians; what it says of them is a hash of each.

import { NODES_MAX, TIME_S_MAX } from "./bounds.js";
import { compareBytes, equalBytes } from "./bytes.js";
import { type CborValue, decodeCbor, encodeCbor } from "./cbor.js";
import { WireError } from "./error.js";
import { sha256 } from "./hash.js";
import type { PublicKey, Signer, Verify } from "./key.js";
import { isLowOrder } from "./low-order.js";
import { asArray, asBytes, asList, asService, asUint } from "./shape.js";

export const DAY_S = 86_400;
/** Days since 1970 that a time can have. */
export const DAY_MAX = Math.floor(TIME_S_MAX / DAY_S);
/** A share of a 32-byte key: as many bytes and where it was taken. */
const SHARE_BYTES_MAX = 33;
/** A part of a share: as many bytes as that and where it was taken. */
const PART_BYTES_MAX = 34;
const SALT_BYTES = 16;
export const ENVELOPE_BYTES_MAX = 8_192;
export const envelopeLimits = { size: ENVELOPE_BYTES_MAX, items: 4 * NODES_MAX + 16 };

/** A member that keeps a share of the day key. */
export interface Custodian {
  /** id of the node */
  readonly node: Uint8Array;
  /** `shareCommitment` of its share */
  readonly commitment: Uint8Array;
}

export interface Envelope {
  readonly chain: number;
  /** id of the node that has made the key and forgets it */
  readonly origin: Uint8Array;
  readonly meter: Uint8Array;
  /** UTC days since 1970, of the times that the records state */
  readonly day: number;
  /** 16 random bytes: an origin may make several for one meter and day */
  readonly salt: Uint8Array;
  /** how many shares open it */
  readonly threshold: number;
  /** ascending by node */
  readonly custodians: readonly Custodian[];
}

export interface SignedEnvelope extends Envelope {
  /** SHA-256 of what the origin signs */
  readonly id: Uint8Array;
  readonly signature: Uint8Array;
  readonly bytes: Uint8Array;
}

/** How many shares open an envelope of n custodians: f + 1, and two at least where there are two. */
export function openingThreshold(custodians: number, faults: number): number {
  return Math.min(custodians, Math.max(2, faults + 1));
}

/** What an envelope says of a share, which has the key's entropy. */
export function shareCommitment(share: Uint8Array): Uint8Array {
  return sha256(encodeCbor(["gs1/share", share]));
}

function itemsOf(envelope: Envelope): CborValue[] {
  const { chain, origin, meter, day, salt, threshold, custodians } = envelope;
  return [chain, origin, meter, day, salt, threshold, custodians.map(({ node, commitment }) => [node, commitment])];
}

/** What the origin signs. */
export function envelopeBytes(genesisHash: Uint8Array, envelope: Envelope): Uint8Array {
  return encodeCbor(["gs1/envelope", genesisHash, ...itemsOf(envelope)]);
}

export function signEnvelope(genesisHash: Uint8Array, envelope: Envelope, signer: Signer): SignedEnvelope {
  const signed = envelopeBytes(genesisHash, envelope);
  const signature = signer.sign(signed);
  return { ...envelope, id: sha256(signed), signature, bytes: encodeCbor([...itemsOf(envelope), signature]) };
}

/** Reads an envelope; its signature is not checked. Throws a WireError. */
export function parseEnvelope(genesisHash: Uint8Array, bytes: Uint8Array): SignedEnvelope {
  const items = asArray(decodeCbor(bytes, envelopeLimits), "envelope", 8);
  const [chain, origin, meter, day, salt, threshold, custodians, signature] = items;
  const envelope: Envelope = {
    chain: asService(chain, "envelope chain"),
    origin: asBytes(origin, "envelope origin", 8),
    meter: asBytes(meter, "envelope meter", 8),
    day: asUint(day, "envelope day", DAY_MAX),
    salt: asBytes(salt, "envelope salt", SALT_BYTES),
    threshold: asUint(threshold, "envelope threshold", NODES_MAX),
    custodians: custodiansFrom(custodians),
  };
  if (envelope.threshold < 1 || envelope.threshold > envelope.custodians.length) {
    throw new WireError("shape", `envelope opens with ${envelope.threshold} of ${envelope.custodians.length} shares`);
  }
  const id = sha256(envelopeBytes(genesisHash, envelope));
  return { ...envelope, id, signature: asBytes(signature, "envelope signature", 64), bytes };
}

/** Ascending by node. Throws a WireError. */
export function custodiansFrom(value: CborValue | undefined): Custodian[] {
  const custodians = asList(value, "envelope custodians", NODES_MAX).map((item) => {
    const [node, commitment] = asArray(item, "envelope custodian", 2);
    return { node: asBytes(node, "custodian id", 8), commitment: asBytes(commitment, "share commitment", 32) };
  });
  for (let index = 1; index < custodians.length; index += 1) {
    if (compareBytes(custodians[index - 1]!.node, custodians[index]!.node) < 0) continue;
    throw new WireError("shape", "envelope custodians are not in ascending order");
  }
  return custodians;
}

/** Whether the origin's key has signed it. */
export function isSignedBy(
  genesisHash: Uint8Array,
  envelope: SignedEnvelope,
  { key, verify }: { readonly key: PublicKey; readonly verify: Verify },
): boolean {
  return verify(key, envelopeBytes(genesisHash, envelope), envelope.signature);
}

/** Whose shares or parts are stated: of an envelope's key, or of the share that a dealer has divided. */
export interface Shared {
  readonly custodians: readonly Custodian[];
  /** absent of an envelope */
  readonly dealer?: Uint8Array;
}

/** Whether the bytes are the node's share of an envelope's key, or its part of a divided share. */
export function isShareOf({ custodians, dealer }: Shared, node: Uint8Array, share: Uint8Array): boolean {
  const custodian = custodians.find((each) => equalBytes(each.node, node));
  if (custodian === undefined || share.length > (dealer === undefined ? SHARE_BYTES_MAX : PART_BYTES_MAX)) return false;
  return equalBytes(custodian.commitment, shareCommitment(share));
}

/** HPKE's info where a share is sealed to its custodian. */
export function custodyInfo(envelopeId: Uint8Array, node: Uint8Array): Uint8Array {
  return encodeCbor(["gs1/custody", envelopeId, node]);
}

/** HPKE's info where a custodian seals its share to who holds a grant. */
export function deliveryInfo(envelopeId: Uint8Array, node: Uint8Array, grant: string): Uint8Array {
  return encodeCbor(["gs1/delivery", envelopeId, node, grant]);
}

/** What HPKE has sealed to a key: the sender's key of this one time, the ciphertext. */
export interface SealedShare {
  readonly enc: Uint8Array;
  readonly ciphertext: Uint8Array;
}

export function sealedShareToItems({ enc, ciphertext }: SealedShare): CborValue {
  return [enc, ciphertext];
}

export function sealedShareFrom(value: CborValue | undefined, name: string): SealedShare {
  const [enc, ciphertext] = asArray(value, name, 2);
  return { enc: asBytes(enc, `${name} enc`, 32), ciphertext: asBytes(ciphertext, `${name} ciphertext`) };
}

/** A node's own statement of the X25519 key that shares are sealed to for it. */
export interface CustodyKey {
  readonly node: Uint8Array;
  readonly key: Uint8Array;
}

function custodyKeyBytes(genesisHash: Uint8Array, { node, key }: CustodyKey): Uint8Array {
  return encodeCbor(["gs1/custody-key", genesisHash, node, key]);
}

export function signCustodyKey(genesisHash: Uint8Array, stated: CustodyKey, signer: Signer): Uint8Array {
  return encodeCbor([stated.node, stated.key, signer.sign(custodyKeyBytes(genesisHash, stated))]);
}

/** The statement, where the node's key has signed it and something can be sealed to what it states. Throws a WireError. */
export function verifyCustodyKey(
  genesisHash: Uint8Array,
  bytes: Uint8Array,
  keyOf: (node: Uint8Array) => PublicKey | undefined,
  verify: Verify,
): CustodyKey {
  const [node, key, signature] = asArray(decodeCbor(bytes, { size: 160, items: 8 }), "custody key", 3);
  const stated = { node: asBytes(node, "custody key node", 8), key: asBytes(key, "custody key", 32) };
  const signer = keyOf(stated.node);
  if (signer === undefined) throw new WireError("untimely", "custody key is of no node that is known here");
  if (!verify(signer, custodyKeyBytes(genesisHash, stated), asBytes(signature, "custody key signature", 64))) {
    throw new WireError("unproven", "custody key is not signed by its node");
  }
  if (isLowOrder(stated.key)) throw new WireError("shape", "custody key is none that anything can be sealed to");
  return stated;
}
