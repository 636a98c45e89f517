// The folder of an authority. Its own key signs the genesis, orders and warrants; sealed by a passphrase, it is opened for those
// alone, and a key with a warrant issues credentials from day to day. An authority with one open key for all founds test networks
// alone; so does one that was made for them.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { WireError } from "../../src/wire/error.js";
import type { Genesis } from "../../src/wire/genesis.js";
import { equalKeys, type Signer } from "../../src/wire/key.js";
import { issueWarrant, issuingName, readWarrant, verifyWarrant, WARRANT_BYTES_MAX } from "../../src/wire/warrant.js";
import { nodeVerify } from "../crypto/signatures.js";
import { assertInvariant, GridsealError } from "../errors.js";
import { createKeyFile, readKeyFile } from "../files/key-file.js";
import { createFile, readWhole, refuseExisting } from "../files/made-once.js";
import { closeFolder, SECRET } from "../files/private-files.js";
import { createRegister } from "./register/register.js";
import { createSealedKey, type OwnKey, openSealedKey } from "./sealed-key.js";
import { createNetworkAuthority } from "./tls.js";

/** The authority's own key, open to who reads the file; of test networks alone. */
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

/** For what network an authority is made. */
export interface Founded {
  readonly network: string;
  /** a test network */
  readonly isTest: boolean;
}

/**
 * Makes an authority's folder: with a passphrase its own key is sealed, and another key issues; without one it is of a test network.
 * Returns the own key. Throws FILE_EXISTS where there is an authority, USAGE for a short passphrase.
 */
export async function createAuthority(
  folder: string,
  founded: Founded,
  passphrase: string | undefined,
  now: Date,
): Promise<OwnKey> {
  const { network, isTest } = founded;
  assertInvariant(isTest || passphrase !== undefined, "the key of an authority that is not for trying is sealed");
  for (const name of [OPEN, SEALED]) await refuseExisting(join(folder, name));
  await closeFolder(folder);
  const own =
    passphrase === undefined
      ? await createKeyFile(join(folder, OPEN))
      : await createSealedKey(join(folder, SEALED), passphrase, isTest);
  if (passphrase !== undefined) await createIssuingKey(folder, founded, own, Math.floor(now.getTime() / 1_000));
  const ca = await createNetworkAuthority(network, now);
  await createFile(join(folder, "ca.key.pem"), ca.key, SECRET);
  await createFile(join(folder, "ca.cert.pem"), ca.cert);
  await (await createRegister(registerOf(folder))).close();
  return { signer: own, isTest };
}

async function createIssuingKey(folder: string, { network, isTest }: Founded, own: Signer, now_s: number) {
  const { key } = await createKeyFile(join(folder, ISSUING));
  const term = { notBefore_s: now_s - GRACE_S, expires_s: now_s + WARRANT_DAYS * DAY_S };
  const name = issuingName({ network, ...(isTest && { isTest }) });
  await createFile(join(folder, WARRANT), issueWarrant({ network: name, ...term, key }, own));
}

/** The authority's own key; `askPassphrase` is called where it is sealed. Throws KEY_INVALID. */
export async function readOwnKey(folder: string, askPassphrase: () => Promise<string>): Promise<OwnKey> {
  const sealed = join(folder, SEALED);
  if (existsSync(sealed)) return openSealedKey(sealed, await askPassphrase());
  return { signer: await readKeyFile(join(folder, OPEN)), isTest: true };
}

/** The authority's own key where it is that of the genesis. Throws KEY_INVALID, TEST_AND_REAL. */
export async function readOwnKeyOf(
  genesis: Genesis,
  folder: string,
  askPassphrase: () => Promise<string>,
): Promise<Signer> {
  const { signer, isTest } = await readOwnKey(folder, askPassphrase);
  if (!equalKeys(signer.key, genesis.authority)) {
    throw new GridsealError("KEY_INVALID", `the key in ${folder} is not that of the authority of ${genesis.network}`);
  }
  refuseMixture(folder, isTest, { network: genesis.network, isTest: genesis.isTest ?? false });
  return signer;
}

/** Throws TEST_AND_REAL where the authority in the folder is for trying and the network is not, or the other way round. */
export function refuseMixture(folder: string, isTestKey: boolean, { network, isTest }: Founded): void {
  if (isTestKey === isTest) return;
  const what = isTestKey
    ? `the authority in ${folder} is for test networks alone, and ${network} is none`
    : `${network} is a test network, and the authority in ${folder} is not for trying`;
  throw new GridsealError("TEST_AND_REAL", what);
}

/**
 * The key that issues credentials now. Throws NETWORK_DIFFERS where the authority was made for another network, KEY_INVALID where no
 * credential of it would be taken.
 */
export async function readIssuing(genesis: Genesis, folder: string, now_s: number): Promise<Issuing> {
  if (!existsSync(join(folder, SEALED))) {
    return { signer: await readOwnKeyOf(genesis, folder, () => Promise.reject(new Error("an open key asks nothing"))) };
  }
  const signer = await readKeyFile(join(folder, ISSUING));
  const path = join(folder, WARRANT);
  const warrant = await readWhole(path, WARRANT_BYTES_MAX);
  try {
    const { network } = readWarrant(warrant);
    if (network !== issuingName(genesis)) {
      throw new GridsealError(
        "NETWORK_DIFFERS",
        `the authority in ${folder} is for network ${network}, not ${issuingName(genesis)}`,
      );
    }
    const { key, expires_s } = verifyWarrant(warrant, genesis, nodeVerify);
    if (!equalKeys(key, signer.key)) throw new WireError("unproven", "it is for another key");
    if (now_s >= expires_s) throw new WireError("unproven", `it ended at ${new Date(expires_s * 1_000).toISOString()}`);
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new GridsealError("KEY_INVALID", `${path} is no warrant for ${genesis.network}: ${cause.message}`, { cause });
  }
  return { signer, warrant };
}
