// An enrolment: somebody without a credential asks to become a participant, for a person or a firm. It is signed by the key that is to be
// certified; and the approval by which somebody of the authority grants or refuses it. COSE_Sign1 both. A browser can make them too.

import { encodeCbor } from "./cbor.js";
import { parseSign1, sign1, verifySign1 } from "./cose.js";
import { isDevice, type Stated, statedFromItems, statedToItems } from "./credential.js";
import { isCodeName } from "./enrolment-code.js";
import { WireError } from "./error.js";
import { keyFromMap, keyId, keyToMap, type PublicKey, type Signer, type Verify } from "./key.js";
import { namedItems } from "./named.js";
import { asBytes, asText } from "./shape.js";

export const ENROLMENT_BYTES_MAX = 2_048;
export const APPROVAL_BYTES_MAX = 1_024;
/** What a service of the authority gives, so that an enrolment is seen to be made now. */
export const NONCE_BYTES_MAX = 32;
const NAME_CHARACTERS_MAX = 128;
const CONTACT_CHARACTERS_MAX = 256;
const REASON_CHARACTERS_MAX = 200;
const ENROLMENT = "gs1/enrolment";
const APPROVAL = "gs1/approval";

/** Who asks. It stays in the authority's register. */
export interface Applicant {
  /** of the person or the firm */
  readonly name: string;
  /** Energy Identification Code, and Global Location Number, of a firm */
  readonly eic?: string;
  readonly gln?: string;
  /** where the authority reaches somebody */
  readonly contact: string;
}

export interface Enrolment extends Omit<Stated, "origin"> {
  /** signs the enrolment, and is to stand in the credential */
  readonly key: PublicKey;
  readonly applicant: Applicant;
  /** name of the one-time code */
  readonly code: string;
  /** that who signs has the code */
  readonly proof: Uint8Array;
  /** empty in a file */
  readonly nonce: Uint8Array;
}

export interface Approval {
  /** SHA-256 of the enrolment as it was sent */
  readonly enrolment: Uint8Array;
  /** why it is refused; absent where it is granted */
  readonly reason?: string;
}

/** Signs an enrolment for this network. Throws a WireError where it could not be read again. */
export function signEnrolment(enrolment: Omit<Enrolment, "key">, genesisHash: Uint8Array, signer: Signer): Uint8Array {
  const { applicant, code, proof, nonce } = enrolment;
  const { name, eic, gln, contact } = applicant;
  const stated = statedToItems(enrolment).slice(0, -1);
  const items = [ENROLMENT, genesisHash, keyToMap(signer.key), ...stated];
  const bytes = sign1(encodeCbor([...items, name, eic ?? null, gln ?? null, contact, code, proof, nonce]), signer);
  readEnrolment(bytes, genesisHash);
  return bytes;
}

/** Reads an enrolment for this network; its signature is not checked. */
export function readEnrolment(bytes: Uint8Array, genesisHash: Uint8Array): Enrolment {
  const message = parseSign1(bytes, ENROLMENT_BYTES_MAX);
  if (message.kid !== undefined) throw new WireError("shape", "enrolment has a kid");
  const items = namedItems(message, ENROLMENT, { genesisHash, length: 14 });
  const [name, eic, gln, contact, code, proof, nonce] = items.slice(7);
  const { origin: _none, ...stated } = statedFromItems([...items.slice(3, 7), null]);
  if (isDevice(stated)) throw new WireError("shape", "enrolment is of a device: those ask by requests");
  const given = asBytes(nonce, "enrolment nonce");
  if (given.length > NONCE_BYTES_MAX) throw new WireError("limit", `enrolment nonce has ${given.length} bytes`);
  const codeName = asText(code, "enrolment code");
  if (!isCodeName(codeName)) throw new WireError("shape", "enrolment names no code");
  return {
    ...stated,
    key: keyFromMap(items[2]),
    applicant: {
      name: asText(name, "enrolment name", NAME_CHARACTERS_MAX),
      ...(eic !== null && { eic: asText(eic, "enrolment EIC", 16) }),
      ...(gln !== null && { gln: asText(gln, "enrolment GLN", 13) }),
      contact: asText(contact, "enrolment contact", CONTACT_CHARACTERS_MAX),
    },
    code: codeName,
    proof: asBytes(proof, "enrolment proof", 32),
    nonce: given,
  };
}

/** Reads an enrolment and checks that the key which it names has signed it. */
export function verifyEnrolment(bytes: Uint8Array, genesisHash: Uint8Array, verify: Verify): Enrolment {
  const enrolment = readEnrolment(bytes, genesisHash);
  if (!verifySign1(parseSign1(bytes, ENROLMENT_BYTES_MAX), enrolment.key, verify)) {
    throw new WireError("unproven", "enrolment is not signed by the key that it names");
  }
  return enrolment;
}

/** Signs that an enrolment is granted, or with a reason that it is refused; the key's id goes along. */
export function signApproval({ enrolment, reason }: Approval, genesisHash: Uint8Array, signer: Signer): Uint8Array {
  const bytes = sign1(encodeCbor([APPROVAL, genesisHash, enrolment, reason ?? null]), signer, keyId(signer.key));
  readApproval(bytes, genesisHash);
  return bytes;
}

/** Reads an approval of this network, with the id of the key that is said to have signed it. */
export function readApproval(bytes: Uint8Array, genesisHash: Uint8Array): Approval & { readonly kid: Uint8Array } {
  const message = parseSign1(bytes, APPROVAL_BYTES_MAX);
  const [, , enrolment, reason] = namedItems(message, APPROVAL, { genesisHash, length: 4 });
  return {
    kid: asBytes(message.kid, "approval kid", 8),
    enrolment: asBytes(enrolment, "approved enrolment", 32),
    ...(reason !== null && { reason: asText(reason, "approval reason", REASON_CHARACTERS_MAX) }),
  };
}

/** Reads an approval and checks that this key has signed it. */
export function verifyApproval(
  bytes: Uint8Array,
  { genesisHash, key }: { readonly genesisHash: Uint8Array; readonly key: PublicKey },
  verify: Verify,
): Approval {
  const { kid: _kid, ...approval } = readApproval(bytes, genesisHash);
  if (!verifySign1(parseSign1(bytes, APPROVAL_BYTES_MAX), key, verify)) {
    throw new WireError("unproven", "approval is not signed by the key that it names");
  }
  return approval;
}
