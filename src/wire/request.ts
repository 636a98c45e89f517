// A request for a credential, signed by the key that it names, and the endorsement by which another answers for it: the key before,
// where a credential is renewed with a new key, or a registrar. COSE_Sign1 both; a file of them is a CBOR sequence (RFC 8742).

import { encodeCbor } from "./cbor.js";
import { parseSign1, sign1, verifySign1 } from "./cose.js";
import { type Stated, statedFromItems, statedToItems } from "./credential.js";
import { WireError } from "./error.js";
import { keyFromMap, keyId, keyToMap, type PublicKey, type Signer, type Verify } from "./key.js";
import { namedItems } from "./named.js";
import { asBytes, asText } from "./shape.js";

export const REQUEST_BYTES_MAX = 768;
export const ENDORSEMENT_BYTES_MAX = 1_024;
const REQUEST = "gs1/request";
const ENDORSEMENT = "gs1/endorsement";
const NONCE_BYTES_MAX = 32;

export interface CredentialRequest extends Stated {
  /** the ID that is asked for */
  readonly id: string;
  /** signs the request, and is to stand in the credential */
  readonly key: PublicKey;
  /** what who collects the request gave for it; empty where nobody did */
  readonly nonce: Uint8Array;
}

export interface Endorsement {
  /** key id of who endorses */
  readonly kid: Uint8Array;
  /** as it was signed */
  readonly request: Uint8Array;
}

/** Signs a request for this network with the key that is to be certified. Throws a WireError where it could not be read again. */
export function signRequest(
  request: Omit<CredentialRequest, "key">,
  genesisHash: Uint8Array,
  signer: Signer,
): Uint8Array {
  const bytes = signUnread(request, genesisHash, signer);
  readRequest(bytes, genesisHash);
  return bytes;
}

/** The same without reading it again: a meter leaves that to who asked for it, and its ROM has no reader of requests. */
export function signUnread(
  request: Omit<CredentialRequest, "key">,
  genesisHash: Uint8Array,
  signer: Signer,
): Uint8Array {
  const items = [REQUEST, genesisHash, request.id, keyToMap(signer.key), ...statedToItems(request), request.nonce];
  return sign1(encodeCbor(items), signer);
}

/** Reads a request for this network; its signature is not checked. */
export function readRequest(bytes: Uint8Array, genesisHash: Uint8Array): CredentialRequest {
  const message = parseSign1(bytes, REQUEST_BYTES_MAX);
  const [, , id, key, services, roles, jurisdiction, deliveryKey, origin, nonce] = namedItems(message, REQUEST, {
    genesisHash,
    length: 10,
  });
  const given = asBytes(nonce, "request nonce");
  if (given.length > NONCE_BYTES_MAX) throw new WireError("limit", `request nonce has ${given.length} bytes`);
  return {
    id: asText(id, "request id"),
    key: keyFromMap(key),
    ...statedFromItems([services!, roles!, jurisdiction!, deliveryKey!, origin!]),
    nonce: given,
  };
}

/** Reads a request and checks that the key which it names has signed it. */
export function verifyRequest(bytes: Uint8Array, genesisHash: Uint8Array, verify: Verify): CredentialRequest {
  const request = readRequest(bytes, genesisHash);
  if (!verifySign1(parseSign1(bytes, REQUEST_BYTES_MAX), request.key, verify)) {
    throw new WireError("unproven", "request is not signed by the key that it names");
  }
  return request;
}

/** Signs that one answers for a request; the key's id goes along. */
export function signEndorsement(request: Uint8Array, genesisHash: Uint8Array, signer: Signer): Uint8Array {
  const bytes = sign1(encodeCbor([ENDORSEMENT, genesisHash, request]), signer, keyId(signer.key));
  readEndorsement(bytes, genesisHash);
  return bytes;
}

/** Reads an endorsement; neither its signature nor the request in it are checked. */
export function readEndorsement(bytes: Uint8Array, genesisHash: Uint8Array): Endorsement {
  const message = parseSign1(bytes, ENDORSEMENT_BYTES_MAX);
  const [, , request] = namedItems(message, ENDORSEMENT, { genesisHash, length: 3 });
  return { kid: asBytes(message.kid, "endorsement kid", 8), request: asBytes(request, "endorsed request") };
}

/** Throws a WireError unless the key has signed the endorsement. */
export function verifyEndorsement(bytes: Uint8Array, key: PublicKey, verify: Verify): void {
  if (!verifySign1(parseSign1(bytes, ENDORSEMENT_BYTES_MAX), key, verify)) {
    throw new WireError("unproven", "endorsement is not signed by the key that it names");
  }
}

/** Whether an item of a file of requests is an endorsed one: it alone has a kid. */
export function isEndorsement(bytes: Uint8Array): boolean {
  return parseSign1(bytes, ENDORSEMENT_BYTES_MAX).kid !== undefined;
}
