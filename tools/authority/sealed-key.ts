// The authority's own key on disk: an Ed25519 seed that only a passphrase opens. scrypt (RFC 7914) makes a key of the passphrase,
// AES-256-GCM (SP 800-38D) seals the seed with it, bound to the key's id.

import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";
import { toHex } from "../../src/wire/bytes.js";
import { keyId, type Signer } from "../../src/wire/key.js";
import { generateSeed, signerFromSeed } from "../crypto/signatures.js";
import { GridsealError } from "../errors.js";
import { readKeyFile } from "../files/key-file.js";
import { createFile, readWhole } from "../files/made-once.js";
import { refuseExposed, SECRET } from "../files/private-files.js";

/** Cost of a guess: 128 MiB and most of a second. A file may state others, up to what a machine can bear. */
const COST = { N: 2 ** 17, r: 8, p: 1 } as const;
const N_MIN = 2 ** 14;
const N_MAX = 2 ** 20;
const FILE_BYTES_MAX = 4_096;
const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
const TAG_BYTES = 16;
export const PASSPHRASE_LENGTH_MIN = 12;

interface SealedKey {
  readonly version: 1;
  readonly algorithm: "Ed25519";
  readonly id: string;
  readonly scrypt: { readonly N: number; readonly r: number; readonly p: number; readonly salt: string };
  readonly cipher: typeof CIPHER;
  readonly nonce: string;
  /** ciphertext and tag */
  readonly sealed: string;
  /** of a key that founds test networks alone; absent of any other */
  readonly test?: true;
}

/** An authority's own key, opened. */
export interface OwnKey {
  readonly signer: Signer;
  /** whether it founds test networks alone */
  readonly isTest: boolean;
}

/** Makes a key and its sealed file, for test networks alone or none. Throws USAGE for a short passphrase, FILE_EXISTS or FILE_UNWRITABLE. */
export async function createSealedKey(path: string, passphrase: string, isTest = false): Promise<Signer> {
  if (passphrase.length < PASSPHRASE_LENGTH_MIN) {
    throw new GridsealError("USAGE", `a passphrase of the authority has ${PASSPHRASE_LENGTH_MIN} characters at least`);
  }
  const seed = generateSeed();
  const signer = signerFromSeed(seed);
  const id = toHex(keyId(signer.key));
  const [salt, nonce] = [randomBytes(16), randomBytes(12)];
  const key = await derive(passphrase, salt, COST);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(boundTo({ id, ...(isTest && { test: true }) }));
  const sealed = Buffer.concat([cipher.update(seed), cipher.final(), cipher.getAuthTag()]);
  wipe(seed, key);
  const document: SealedKey = {
    ...{ version: 1, algorithm: "Ed25519", id, scrypt: { ...COST, salt: salt.toString("hex") } },
    ...{ cipher: CIPHER, nonce: nonce.toString("hex"), sealed: sealed.toString("hex") },
    ...(isTest && { test: true }),
  };
  await createFile(path, `${JSON.stringify(document, null, 2)}\n`, SECRET);
  return signer;
}

/** What the seal holds beside the seed: whoever takes the mark of a test network away does not open it. */
function boundTo({ id, test }: Pick<SealedKey, "id" | "test">): Buffer {
  return Buffer.from(test ? `${id}/test` : id);
}

/** The key of a sealed file. Throws FILE_UNREADABLE, FILE_EXPOSED, or KEY_INVALID where the passphrase does not open it. */
export async function openSealedKey(path: string, passphrase: string): Promise<OwnKey> {
  await refuseExposed(path);
  const document = parse(new TextDecoder().decode(await readWhole(path, FILE_BYTES_MAX)));
  if (document === undefined) throw new GridsealError("KEY_INVALID", `${path} is no sealed key of version 1`);
  const sealed = Buffer.from(document.sealed, "hex");
  const key = await derive(passphrase, Buffer.from(document.scrypt.salt, "hex"), document.scrypt);
  let seed: Buffer;
  try {
    const decipher = createDecipheriv(CIPHER, key, Buffer.from(document.nonce, "hex"), { authTagLength: TAG_BYTES })
      .setAAD(boundTo(document))
      .setAuthTag(sealed.subarray(KEY_BYTES));
    seed = Buffer.concat([decipher.update(sealed.subarray(0, KEY_BYTES)), decipher.final()]);
  } catch {
    // Neither the passphrase nor what was tried is quoted.
    throw new GridsealError("KEY_INVALID", `${path}: the passphrase does not open it, or it is damaged`);
  }
  const signer = signerFromSeed(seed);
  wipe(seed, key);
  return { signer, isTest: document.test === true };
}

/** The signer of a key file, whichever it is; `askPassphrase` is called where it is sealed. Throws as reading either does. */
export async function readSealedOrOpenKey(path: string, askPassphrase: () => Promise<string>): Promise<Signer> {
  const text = new TextDecoder().decode(await readWhole(path, FILE_BYTES_MAX));
  return parse(text) === undefined ? readKeyFile(path) : (await openSealedKey(path, await askPassphrase())).signer;
}

function derive(passphrase: string, salt: Buffer, { N, r, p }: SealedKey["scrypt"] | typeof COST): Promise<Buffer> {
  // The same passphrase on every keyboard (RFC 8265 section 4.2).
  const text = passphrase.normalize("NFC");
  return new Promise((resolve, reject) => {
    scrypt(text, salt, KEY_BYTES, { N, r, p, maxmem: 256 * N * r }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}

function parse(text: string): SealedKey | undefined {
  let document: SealedKey;
  try {
    document = JSON.parse(text) as SealedKey;
  } catch {
    return undefined;
  }
  const { version, algorithm, id, scrypt: cost, cipher, nonce, sealed, test } = document ?? {};
  const isHex = (value: unknown, bytes: number) => typeof value === "string" && value.length === 2 * bytes;
  const isCost = Number.isInteger(Math.log2(cost?.N)) && cost.N >= N_MIN && cost.N <= N_MAX;
  const isMarked = test === undefined || test === true;
  const isKnown =
    isMarked && version === 1 && algorithm === "Ed25519" && cipher === CIPHER && cost?.r === 8 && cost.p === 1;
  const isWhole = isHex(id, 8) && isHex(cost?.salt, 16) && isHex(nonce, 12) && isHex(sealed, KEY_BYTES + TAG_BYTES);
  return isKnown && isCost && isWhole ? document : undefined;
}

function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0);
}
