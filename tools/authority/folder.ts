// The folder of an authority. Its own key signs the genesis, orders and warrants; sealed by a passphrase, it is opened for those
// alone, and a key with a warrant issues credentials from day to day. The authority of a network for trying has one open key for all.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { WireError } from "../../src/wire/error.js";
import type { Genesis } from "../../src/wire/genesis.js";
import { equalKeys, type Signer } from "../../src/wire/key.js";
import { issueWarrant, verifyWarrant, WARRANT_BYTES_MAX } from "../../src/wire/warrant.js";
import { nodeVerify } from "../crypto/signatures.js";
import { GridsealError } from "../errors.js";
import { createKeyFile, readKeyFile } from "../files/key-file.js";
import { createFile, readWhole, refuseExisting } from "../files/made-once.js";
import { closeFolder, SECRET } from "../files/private-files.js";
import { createRegister } from "./register/register.js";
import { createSealedKey, openSealedKey } from "./sealed-key.js";
import { createNetworkAuthority } from "./tls.js";

/** The authority's own key, open to who reads the file; a network for trying has it. */
const OPEN = "key.json";
const SEALED = "root.json";
const ISSUING = "issuing.json";
const WARRANT = "warrant.cose";

const DAY_S = 86_400;
const WARRANT_DAYS = 3_650;
/** Credentials begin a day before they are issued; so does the first of a warrant. */
const GRACE_S = 2 * DAY_S;

/** Who signs credentials. */
export interface Issuing {
  readonly signer: Signer;
  /** absent where the authority's own key does */
  readonly warrant?: Uint8Array;
}

export function registerOf(folder: string): string {
  return join(folder, "register");
}

/**
 * Makes an authority's folder: with a passphrase its own key is sealed, and another key issues. Returns the own key.
 * Throws FILE_EXISTS where there is an authority, USAGE for a short passphrase.
 */
export async function createAuthority(
  folder: string,
  network: string,
  passphrase: string | undefined,
  now: Date,
): Promise<Signer> {
  for (const name of [OPEN, SEALED]) await refuseExisting(join(folder, name));
  await closeFolder(folder);
  const own =
    passphrase === undefined
      ? await createKeyFile(join(folder, OPEN))
      : await createSealedKey(join(folder, SEALED), passphrase);
  if (passphrase !== undefined) await createIssuingKey(folder, network, own, Math.floor(now.getTime() / 1_000));
  const ca = await createNetworkAuthority(network, now);
  await createFile(join(folder, "ca.key.pem"), ca.key, SECRET);
  await createFile(join(folder, "ca.cert.pem"), ca.cert);
  await (await createRegister(registerOf(folder))).close();
  return own;
}

async function createIssuingKey(folder: string, network: string, own: Signer, now_s: number): Promise<void> {
  const { key } = await createKeyFile(join(folder, ISSUING));
  const term = { notBefore_s: now_s - GRACE_S, expires_s: now_s + WARRANT_DAYS * DAY_S };
  await createFile(join(folder, WARRANT), issueWarrant({ network, ...term, key }, own));
}

/** The authority's own key; `askPassphrase` is called where it is sealed. Throws KEY_INVALID. */
export async function readOwnKey(folder: string, askPassphrase: () => Promise<string>): Promise<Signer> {
  const sealed = join(folder, SEALED);
  return existsSync(sealed) ? openSealedKey(sealed, await askPassphrase()) : readKeyFile(join(folder, OPEN));
}

/** The authority's own key where it is that of the genesis. Throws KEY_INVALID. */
export async function readOwnKeyOf(
  genesis: Genesis,
  folder: string,
  askPassphrase: () => Promise<string>,
): Promise<Signer> {
  const signer = await readOwnKey(folder, askPassphrase);
  if (equalKeys(signer.key, genesis.authority)) return signer;
  throw new GridsealError("KEY_INVALID", `the key in ${folder} is not that of the authority of ${genesis.network}`);
}

/** The key that issues credentials now. Throws KEY_INVALID where no credential of it would be taken. */
export async function readIssuing(genesis: Genesis, folder: string, now_s: number): Promise<Issuing> {
  if (!existsSync(join(folder, SEALED))) {
    return { signer: await readOwnKeyOf(genesis, folder, () => Promise.reject(new Error("an open key asks nothing"))) };
  }
  const signer = await readKeyFile(join(folder, ISSUING));
  const path = join(folder, WARRANT);
  const warrant = await readWhole(path, WARRANT_BYTES_MAX);
  try {
    const { key, expires_s } = verifyWarrant(warrant, genesis, nodeVerify);
    if (!equalKeys(key, signer.key)) throw new WireError("unproven", "it is for another key");
    if (now_s >= expires_s) throw new WireError("unproven", `it ended at ${new Date(expires_s * 1_000).toISOString()}`);
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new GridsealError("KEY_INVALID", `${path} is no warrant for ${genesis.network}: ${cause.message}`, { cause });
  }
  return { signer, warrant };
}
