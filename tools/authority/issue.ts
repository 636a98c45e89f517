// Issues credentials: a meter's key is made here and put into its folder (key injection), or it was made by its holder and only its
// public half comes. Keys that verifiers judge differently are refused (isSafeKey).

import { randomBytes } from "node:crypto";
import { fromHex, toHex } from "../../src/wire/bytes.js";
import { type Credential, isDevice, issueCredential, issuerName, type Role } from "../../src/wire/credential.js";
import { WireError } from "../../src/wire/error.js";
import type { Genesis } from "../../src/wire/genesis.js";
import { decodeKey, ED25519, encodeKey, keyId, type PublicKey } from "../../src/wire/key.js";
import { isSafeKey } from "../crypto/safe-key.js";
import { generateSeed, signerFromSeed } from "../crypto/signatures.js";
import { GridsealError, reasonOf } from "../errors.js";
import type { Issuing } from "./folder.js";
import type { Change } from "./register/changes.js";
import type { Register } from "./register/register.js";
import { credentialsOf, type NewCredential, type RegisterView } from "./register/rows.js";

export interface Authority {
  readonly issuing: Issuing;
  readonly genesis: Genesis;
  readonly genesisBytes: Uint8Array;
}

export interface CredentialTerms extends Pick<Credential, "jurisdiction" | "deliveryKey" | "origin"> {
  /** the ID to issue: 1 to 64 letters, digits, dots, hyphens and underscores */
  readonly id: string;
  readonly services: readonly number[];
  readonly roles: readonly Role[];
  readonly days: number;
}

export interface CredentialRequest {
  readonly terms: CredentialTerms;
  readonly key: PublicKey;
  /** ID of the registrar by whose word it is */
  readonly registrar?: string;
}

/**
 * Whether a credential is the first, one beside others although there are some, or in the place of the one before; a number is that
 * of the order which ends the key before.
 */
export type Kind = "first" | "forced" | "renewal" | { readonly replacedBy: number };

export interface Issued {
  readonly row: NewCredential;
  readonly credential: Uint8Array;
}

export const DAYS_DEFAULT = 3_650;
/** Credentials are valid from a day before they are issued, for meters whose clock is behind. */
const GRACE_S = 86_400;

/**
 * Issues a credential for each key, all or none. They are in the register before they leave; a device is registered with its first.
 * Throws USAGE for keys and terms that no credential can have, REGISTER_REFUSED where the register does not allow one, or chains would not
 * take a forced one.
 */
export function issueCredentials(
  authority: Authority,
  register: Register,
  requests: readonly CredentialRequest[],
  now_s: number,
  kind: Kind = "first",
): readonly Issued[] {
  const issued: Issued[] = [];
  register.update(now_s, (view) =>
    requests.flatMap((request, index) => {
      const one = issueOne(authority, request, view.issued + index, now_s);
      issued.push(one);
      return changesFor(view, request.terms, one.row, kind);
    }),
  );
  return issued;
}

/** What the register is to be told of a credential: of a device that it does not know, the device first. */
export function changesFor(
  view: RegisterView,
  terms: CredentialTerms,
  credential: NewCredential,
  kind: Kind,
): readonly Change[] {
  if (kind === "renewal") return [{ type: "renew", credential }];
  if (typeof kind === "object") return [{ type: "replace", credential, order: kind.replacedBy }];
  if (kind === "forced") checkChainsTake(view, credential);
  const issue: Change = { type: "issue", credential, forced: kind === "forced" };
  if (!isDevice(terms) || view.get("devices", terms.id) !== undefined) return [issue];
  const lot = terms.origin?.lot;
  return [{ type: "device", device: { id: terms.id, ...(lot !== undefined && { lot }) } }, issue];
}

/**
 * A chain goes by the first credential of a key that it has sealed, and by a later one that says the same services and roles (PROTOCOL.md,
 * section 5). Throws REGISTER_REFUSED for another one: it would not count where the key is known.
 */
function checkChainsTake(view: RegisterView, { subject, meter, services, roles }: NewCredential): void {
  const known = credentialsOf(view, "keys", meter).at(-1);
  if (known === undefined || (isSame(known.services, services) && isSame(known.roles, roles))) return;
  const [one, other] = [known, { services, roles }].map((said) => `${said.roles.join(", ")} for ${servicesText(said)}`);
  throw new GridsealError(
    "REGISTER_REFUSED",
    `key ${meter} is certified as ${one}, which chains go by, and not as ${other}: \`authority renew --id ${known.subject}\` prolongs what it has; for anything else ${subject} needs a key of its own`,
  );
}

function isSame(left: readonly unknown[], right: readonly unknown[]): boolean {
  return left.join() === right.join();
}

function servicesText({ services }: Pick<NewCredential, "services">): string {
  return services.length === 0 ? "no service" : `services ${services.join(", ")}`;
}

/** A new meter's seed and the public key that it gives. */
export function generateMeterKey(): { readonly seed: Uint8Array; readonly key: PublicKey } {
  const seed = generateSeed();
  return { seed, key: signerFromSeed(seed).key };
}

/** A device's public key: its COSE_Key or the 32 bytes of an Ed25519 key, in hex. Throws USAGE. */
export function publicKeyFromHex(text: string): PublicKey {
  try {
    const bytes = fromHex(text);
    if (bytes === undefined) throw new RangeError("it is not hex");
    return bytes.length === 32 ? { algorithm: ED25519, x: bytes } : decodeKey(bytes);
  } catch (cause) {
    throw new GridsealError("USAGE", `the public key cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

/** Throws USAGE where an ID could not stand in a credential or as a folder's name. */
export function checkIssuedId(id: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(id)) {
    throw new GridsealError(
      "USAGE",
      `ID ${JSON.stringify(id)} must be 1 to 64 of A-Z, a-z, 0-9, . _ -, beginning with a letter or digit`,
    );
  }
}

/** Signs a credential and makes its row; nothing knows of it yet. Throws USAGE for keys and terms that no credential can have. */
export function issueOne(
  authority: Authority,
  { terms, key, registrar }: CredentialRequest,
  statusIndex: number,
  now_s: number,
): Issued {
  checkIssuedId(terms.id);
  if (!isSafeKey(key)) {
    const what = `the public key for ${terms.id} is not one that all verifiers judge alike`;
    throw new GridsealError("USAGE", `${what}: let the device make another`);
  }
  const { id, days, ...stated } = terms;
  const claims: Credential = {
    ...stated,
    issuer: issuerName(authority.genesis),
    subject: id,
    notBefore_s: now_s - GRACE_S,
    expires_s: now_s + days * 86_400,
    id: Uint8Array.from(randomBytes(8)),
    key,
    statusIndex,
    services: [...new Set(terms.services)].sort((left, right) => left - right),
  };
  const credential = signCredential(claims, authority.issuing);
  const { services, roles, notBefore_s, expires_s } = claims;
  const row: NewCredential = {
    ...{ meter: toHex(keyId(key)), subject: id, key: toHex(encodeKey(key)), credential: toHex(claims.id) },
    ...{ statusIndex, services, roles, notBefore_s, expires_s },
    ...(registrar !== undefined && { registrar }),
    bytes: Buffer.from(credential).toString("base64url"),
  };
  return { row, credential };
}

function signCredential(claims: Credential, { signer, warrant }: Issuing): Uint8Array {
  try {
    return issueCredential(claims, signer, warrant);
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new GridsealError("USAGE", `no credential can say this of ${claims.subject}: ${cause.message}`, { cause });
  }
}
