// A meter's credential: a CWT (RFC 8392) in COSE_Sign1, issued by the authority, that binds the issued ID to a key (RFC 8747).

import { SERVICE_MAX, TIME_S_MAX, WORD_MAX } from "./bounds.js";
import { toHex } from "./bytes.js";
import { type CborValue, decodeCbor, encodeCbor } from "./cbor.js";
import { parseSign1, type Sign1, sign1, verifySign1 } from "./cose.js";
import { WireError } from "./error.js";
import { keyFromMap, keyId, keyToMap, type PublicKey, type Signer, type Verify } from "./key.js";
import { asArray, asBytes, asList, asMap, asService, asText, asUint } from "./shape.js";

export const CREDENTIAL_BYTES_MAX = 512;
/** The private claim [status index, services, role] (RFC 8392 section 9.1 leaves keys below -65536 to private use). */
const PRIVATE_CLAIM = -70_001;

/** A genesis is one. */
export interface Issuer {
  readonly network: string;
  readonly authority: PublicKey;
}

export type Role = "meter" | "gateway";
const roles: readonly Role[] = ["meter", "gateway"];

export interface Credential {
  /** claim 1: the authority, as `<network>/<its kid>` */
  readonly issuer: string;
  /** claim 2: the issued ID */
  readonly subject: string;
  /** claims 5 and 4: UTC seconds, valid from and until */
  readonly notBefore_s: number;
  readonly expires_s: number;
  /** claim 7: 8 bytes, never used twice */
  readonly id: Uint8Array;
  /** claim 8: the key that the meter has shown to hold */
  readonly key: PublicKey;
  /** position in the status list that revocation refers to */
  readonly statusIndex: number;
  /** services that the meter may send records for, ascending */
  readonly services: readonly number[];
  readonly role: Role;
}

/** The CWT of a credential, signed by the authority. */
export function issueCredential(credential: Credential, authority: Signer): Uint8Array {
  const claims = new Map<number, CborValue>([
    [1, credential.issuer],
    [2, credential.subject],
    [4, credential.expires_s],
    [5, credential.notBefore_s],
    [7, credential.id],
    [8, new Map<number, CborValue>([[1, keyToMap(credential.key)]])],
    [PRIVATE_CLAIM, [credential.statusIndex, [...credential.services], roles.indexOf(credential.role)]],
  ]);
  const bytes = sign1(encodeCbor(claims), authority);
  parseCredential(bytes); // what is issued can be read
  return bytes;
}

/** Reads a credential; its signature is not checked. */
export function parseCredential(bytes: Uint8Array): Credential {
  return claimsOf(parseSign1(bytes, CREDENTIAL_BYTES_MAX));
}

/** How credentials name their issuer: `<network>/<the authority's key id>`. */
export function issuerName({ network, authority }: Issuer): string {
  return `${network}/${toHex(keyId(authority))}`;
}

/** Reads a credential and checks that this network's authority issued it; dates and revocation are the caller's to judge. */
export function verifyCredential(bytes: Uint8Array, issuer: Issuer, verify: Verify): Credential {
  const message = parseSign1(bytes, CREDENTIAL_BYTES_MAX);
  const credential = claimsOf(message);
  if (!verifySign1(message, issuer.authority, verify))
    throw new WireError("unproven", "credential is not signed by the authority");
  // One authority may serve several networks; a credential is good in one.
  if (credential.issuer !== issuerName(issuer)) {
    throw new WireError("unproven", `credential is issued by ${credential.issuer}, not ${issuerName(issuer)}`);
  }
  return credential;
}

function claimsOf(message: Sign1): Credential {
  if (message.unprotected.size !== 0) throw new WireError("shape", "credential has an unprotected header");
  const claims = asMap(decodeCbor(message.payload), "credential", [1, 2, 4, 5, 7, 8, PRIVATE_CLAIM]);
  const confirmation = asMap(claims.get(8), "credential cnf", [1]);
  const [statusIndex, services, role] = asArray(claims.get(PRIVATE_CLAIM), "credential private claim", 3);
  const credential: Credential = {
    issuer: asText(claims.get(1), "credential iss"),
    subject: asText(claims.get(2), "credential sub"),
    notBefore_s: asUint(claims.get(5), "credential nbf", TIME_S_MAX),
    expires_s: asUint(claims.get(4), "credential exp", TIME_S_MAX),
    id: asBytes(claims.get(7), "credential cti", 8),
    key: keyFromMap(confirmation.get(1)),
    statusIndex: asUint(statusIndex, "credential status index", WORD_MAX),
    services: asList(services, "credential services", SERVICE_MAX).map((service) =>
      asService(service, "credential service"),
    ),
    role: roles[asUint(role, "credential role", roles.length - 1)]!,
  };
  if (credential.expires_s <= credential.notBefore_s)
    throw new WireError("shape", "credential's exp is not after its nbf");
  if (credential.services.some((service, index) => index > 0 && service <= credential.services[index - 1]!)) {
    throw new WireError("shape", "credential services are not in ascending order");
  }
  return credential;
}
