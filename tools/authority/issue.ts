// Issues credentials to meters: the key is made here and put into the meter's folder (key injection), or it was made on the device
// and only its public half comes. Keys that verifiers judge differently are refused (isSafeKey).

import { randomBytes } from "node:crypto";
import { fromHex, toHex } from "../../src/wire/bytes.js";
import { issueCredential, issuerName } from "../../src/wire/credential.js";
import type { Genesis } from "../../src/wire/genesis.js";
import { decodeKey, ED25519, encodeKey, keyId, type PublicKey, type Signer } from "../../src/wire/key.js";
import { isSafeKey } from "../crypto/safe-key.js";
import { generateSeed, signerFromSeed } from "../crypto/signatures.js";
import { GridsealError, reasonOf } from "../errors.js";
import type { IssuedRow, Ledger } from "./issued.js";

export interface Authority {
  readonly signer: Signer;
  readonly genesis: Genesis;
  readonly genesisBytes: Uint8Array;
}

export interface CredentialTerms {
  /** the ID to issue: 1 to 64 letters, digits, dots, hyphens and underscores */
  readonly id: string;
  readonly services: readonly number[];
  readonly days: number;
}

export interface Issued {
  readonly row: IssuedRow;
  readonly credential: Uint8Array;
}

export const DAYS_DEFAULT = 3_650;
/** Credentials are valid from a day before they are issued, for meters whose clock is behind. */
const GRACE_S = 86_400;

/** Issues a credential for each key and writes their rows into the ledger. Throws USAGE before anything is written. */
export async function issueCredentials(
  authority: Authority,
  ledger: Ledger,
  requests: readonly { readonly terms: CredentialTerms; readonly key: PublicKey }[],
  now_s: number,
): Promise<readonly Issued[]> {
  const issued = requests.map(({ terms, key }, index) =>
    issueOne(authority, terms, key, ledger.rows.length + index, now_s),
  );
  await ledger.append(issued.map(({ row }) => row));
  return issued;
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

function issueOne(
  authority: Authority,
  terms: CredentialTerms,
  key: PublicKey,
  statusIndex: number,
  now_s: number,
): Issued {
  checkIssuedId(terms.id);
  if (!isSafeKey(key)) {
    const what = `the public key for ${terms.id} is not one that all verifiers judge alike`;
    throw new GridsealError("USAGE", `${what}: let the device make another`);
  }
  const services = [...new Set(terms.services)].sort((left, right) => left - right);
  const claims = {
    issuer: issuerName(authority.genesis),
    subject: terms.id,
    notBefore_s: now_s - GRACE_S,
    expires_s: now_s + terms.days * 86_400,
    id: Uint8Array.from(randomBytes(8)),
    key,
    statusIndex,
    services,
    roles: ["meter"],
  } as const;
  const row: IssuedRow = {
    time: new Date(now_s * 1000).toISOString(),
    id: terms.id,
    meter: toHex(keyId(key)),
    key: toHex(encodeKey(key)),
    credential: toHex(claims.id),
    statusIndex,
    services,
    notBefore_s: claims.notBefore_s,
    expires_s: claims.expires_s,
  };
  return { row, credential: issueCredential(claims, authority.signer) };
}
