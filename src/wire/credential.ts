// A credential: a CWT (RFC 8392) in COSE_Sign1, issued by the authority or a key that it gave a warrant, that binds the issued ID of
// a device or participant to a key (RFC 8747), to roles and to services.

import { CODE_MAX, SERVICE_MAX, TIME_S_MAX, WORD_MAX } from "./bounds.js";
import { toHex } from "./bytes.js";
import { type CborValue, decodeCbor, encodeCbor } from "./cbor.js";
import { parseSign1, type Sign1, sign1, verifySign1 } from "./cose.js";
import { WireError } from "./error.js";
import { keyFromMap, keyId, keyToMap, type PublicKey, type Signer, type Verify } from "./key.js";
import { asArray, asBytes, asList, asMap, asPlace, asService, asText, asUint } from "./shape.js";
import { issuingName, verifyWarrant } from "./warrant.js";

export const CREDENTIAL_BYTES_MAX = 1_024;
/** The claim of what only Gridseal knows (RFC 8392 section 9.1 leaves keys below -65536 to private use). */
const PRIVATE_CLAIM = -70_001;
/** The warrant of the key that signed; absent where the authority itself did. */
const WARRANT_CLAIM = -70_002;

/** A genesis is one. */
export interface Issuer {
  readonly network: string;
  readonly isTest?: true;
  readonly authority: PublicKey;
}

/** Each by its place, which is its number: devices, participants, then the roles of Regulation (EU) 2023/1162. */
export const roles = [
  "meter",
  "gateway",
  "customer",
  "community-manager",
  "supplier",
  "grid-operator",
  "dispatcher",
  "market-operator",
  "settlement-agent",
  "researcher",
  "regulator",
  "registrar",
  "permission-administrator",
  "metered-data-administrator",
  "eligible-party",
  "final-customer",
] as const;
export type Role = (typeof roles)[number];

/** Where a device's key was made: on it, outside and brought into it, or in a secure element; by number from 1. */
export const keyOrigins = ["device", "injected", "secure-element"] as const;
export type KeyOrigin = (typeof keyOrigins)[number];

/** What is known of how a device was made. */
export interface DeviceOrigin {
  readonly key: KeyOrigin;
  /** the lot that it was made in, where it has one */
  readonly lot?: string;
}

export interface Credential {
  /** claim 1: the authority, as `issuerName` has it */
  readonly issuer: string;
  /** claim 2: the issued ID */
  readonly subject: string;
  /** claims 5 and 4: UTC seconds, valid from and until */
  readonly notBefore_s: number;
  readonly expires_s: number;
  /** claim 7: 8 bytes, never used twice */
  readonly id: Uint8Array;
  /** claim 8: the key that the holder has shown to hold */
  readonly key: PublicKey;
  /** position in the status list that revocation refers to */
  readonly statusIndex: number;
  /** services that the holder may send records for, ascending */
  readonly services: readonly number[];
  /** at least one, in the order of their numbers */
  readonly roles: readonly Role[];
  /** ISO 3166-1 country, or ISO 3166-2 subdivision, whose law the holder is under */
  readonly jurisdiction?: string;
  /** X25519 key (RFC 7748) for what is delivered to the holder alone */
  readonly deliveryKey?: Uint8Array;
  /** of a device */
  readonly origin?: DeviceOrigin;
}

/** What a credential says of its holder beside ID and key; a request for one asks for it. */
export type Stated = Pick<Credential, "services" | "roles" | "jurisdiction" | "deliveryKey" | "origin">;

/** [services, roles, jurisdiction / null, delivery key / null, origin / null] */
export function statedToItems({ services, roles: held, jurisdiction, deliveryKey, origin }: Stated): CborValue[] {
  return [
    [...services],
    held.map((role) => roles.indexOf(role)),
    jurisdiction ?? null,
    deliveryKey ?? null,
    origin === undefined ? null : [keyOrigins.indexOf(origin.key) + 1, origin.lot ?? null],
  ];
}

/** The CWT of a credential, signed by the authority itself, or by a key with the warrant that it gave. */
export function issueCredential(credential: Credential, issuer: Signer, warrant?: Uint8Array): Uint8Array {
  const claims = new Map<number, CborValue>([
    [1, credential.issuer],
    [2, credential.subject],
    [4, credential.expires_s],
    [5, credential.notBefore_s],
    [7, credential.id],
    [8, new Map<number, CborValue>([[1, keyToMap(credential.key)]])],
    [PRIVATE_CLAIM, [credential.statusIndex, ...statedToItems(credential)]],
  ]);
  if (warrant !== undefined) claims.set(WARRANT_CLAIM, warrant);
  const bytes = sign1(encodeCbor(claims), issuer);
  parseCredential(bytes); // what is issued can be read
  return bytes;
}

/** Reads a credential; neither its signature nor its warrant is checked. */
export function parseCredential(bytes: Uint8Array): Credential {
  return credentialOf(claimsOf(parseSign1(bytes, CREDENTIAL_BYTES_MAX)));
}

/** How credentials name their issuer: `<network>/<the authority's key id>`, of a test network `<network>/test/<the authority's key id>`. */
export function issuerName(issuer: Issuer): string {
  return `${issuingName(issuer)}/${toHex(keyId(issuer.authority))}`;
}

/** Whether its holder measures: a participant signs no readings. */
export function isDevice({ roles: held }: { readonly roles: readonly string[] }): boolean {
  return held.includes("meter") || held.includes("gateway");
}

/** Whether its holder has a role beside measuring: a meter signs no operations. */
export function isParticipant({ roles: held }: Pick<Credential, "roles">): boolean {
  return held.some((role) => role !== "meter" && role !== "gateway");
}

/**
 * Reads a credential and checks that this network's authority issued it, or gave who did a warrant for that time. Dates and
 * revocation are the caller's to judge.
 */
export function verifyCredential(bytes: Uint8Array, issuer: Issuer, verify: Verify): Credential {
  const message = parseSign1(bytes, CREDENTIAL_BYTES_MAX);
  const claims = claimsOf(message);
  const credential = credentialOf(claims);
  if (!verifySign1(message, issuingKey(claims, credential, issuer, verify), verify))
    throw new WireError("unproven", "credential is not signed by the authority");
  // One authority may serve several networks; a credential is good in one.
  if (credential.issuer !== issuerName(issuer)) {
    throw new WireError("unproven", `credential is issued by ${credential.issuer}, not ${issuerName(issuer)}`);
  }
  return credential;
}

type Claims = ReadonlyMap<number | string, CborValue>;

/** The key that must have signed. When the credential begins stands in it, so that every node judges the warrant alike. */
function issuingKey(claims: Claims, { notBefore_s }: Credential, issuer: Issuer, verify: Verify): PublicKey {
  const warrant = claims.get(WARRANT_CLAIM);
  if (warrant === undefined) return issuer.authority;
  const given = verifyWarrant(asBytes(warrant, "credential warrant"), issuer, verify);
  if (notBefore_s < given.notBefore_s || notBefore_s >= given.expires_s) {
    throw new WireError("unproven", "credential begins when its warrant was not in force");
  }
  return given.key;
}

function claimsOf(message: Sign1): Claims {
  if (message.unprotected.size !== 0) throw new WireError("shape", "credential has an unprotected header");
  return asMap(decodeCbor(message.payload), "credential", [1, 2, 4, 5, 7, 8, PRIVATE_CLAIM, WARRANT_CLAIM]);
}

function credentialOf(claims: Claims): Credential {
  const confirmation = asMap(claims.get(8), "credential cnf", [1]);
  const [statusIndex, ...stated] = asArray(claims.get(PRIVATE_CLAIM), "credential private claim", 6);
  const credential: Credential = {
    issuer: asText(claims.get(1), "credential iss"),
    subject: asText(claims.get(2), "credential sub"),
    notBefore_s: asUint(claims.get(5), "credential nbf", TIME_S_MAX),
    expires_s: asUint(claims.get(4), "credential exp", TIME_S_MAX),
    id: asBytes(claims.get(7), "credential cti", 8),
    key: keyFromMap(confirmation.get(1)),
    statusIndex: asUint(statusIndex, "credential status index", WORD_MAX),
    ...statedFromItems(stated),
  };
  if (credential.expires_s <= credential.notBefore_s)
    throw new WireError("shape", "credential's exp is not after its nbf");
  return credential;
}

/** Reads the five items that `statedToItems` writes. */
export function statedFromItems(items: readonly CborValue[]): Stated {
  const [services, held, jurisdiction, deliveryKey, origin] = items;
  const stated: Stated = {
    services: asList(services, "credential services", SERVICE_MAX).map((service) =>
      asService(service, "credential service"),
    ),
    roles: rolesFrom(held),
    ...(jurisdiction !== null && { jurisdiction: asPlace(jurisdiction, "credential jurisdiction") }),
    ...(deliveryKey !== null && { deliveryKey: asBytes(deliveryKey, "credential delivery key", 32) }),
    ...(origin !== null && { origin: originFrom(origin) }),
  };
  if (stated.services.some((service, index) => index > 0 && service <= stated.services[index - 1]!)) {
    throw new WireError("shape", "credential services are not in ascending order");
  }
  return stated;
}

function rolesFrom(value: CborValue | undefined): Role[] {
  const numbers = asList(value, "credential roles", roles.length).map((role) =>
    asUint(role, "credential role", roles.length - 1),
  );
  if (numbers.length === 0 || numbers.some((role, index) => index > 0 && role <= numbers[index - 1]!)) {
    throw new WireError("shape", "credential roles are none, or not in ascending order");
  }
  return numbers.map((role) => roles[role]!);
}

function originFrom(value: CborValue | undefined): DeviceOrigin {
  const [number, lot] = asArray(value, "credential origin", 2);
  const key = keyOrigins[asUint(number, "credential key origin", CODE_MAX) - 1];
  if (key === undefined) throw new WireError("unsupported", `credential key origin ${String(number)} is not known`);
  return { key, ...(lot !== null && { lot: asText(lot, "credential lot", 32) }) };
}
