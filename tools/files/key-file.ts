// A signing key on disk: one JSON document with its secret in hex, the seed of an Ed25519 key (RFC 8032 section 5.1.5) or the scalar of
// a P-256 key, readable by its owner alone.

import { fromHex, toHex } from "../../src/wire/bytes.js";
import { keyId, type Signer } from "../../src/wire/key.js";
import { generateScalar, generateSeed, signerFromScalar, signerFromSeed } from "../crypto/signatures.js";
import { GridsealError } from "../errors.js";
import { createFile, readWhole } from "./made-once.js";
import { refuseExposed, SECRET } from "./private-files.js";

const KEY_FILE_BYTES_MAX = 4_096;
const SECRET_BYTES = 32;

/** Algorithms of key files, and what the document calls the secret. */
const algorithms = {
  Ed25519: { field: "seed", generate: generateSeed, signerOf: signerFromSeed },
  ESP256: { field: "scalar", generate: generateScalar, signerOf: signerFromScalar },
} as const;
export type KeyAlgorithm = keyof typeof algorithms;
export const keyAlgorithms = Object.keys(algorithms) as readonly KeyAlgorithm[];

/** Makes a key and its file. Throws FILE_EXISTS or FILE_UNWRITABLE. */
export async function createKeyFile(path: string, algorithm: KeyAlgorithm = "Ed25519"): Promise<Signer> {
  const { field, generate, signerOf } = algorithms[algorithm];
  const secret = generate();
  const signer = signerOf(secret);
  const document = { version: 1, algorithm, id: toHex(keyId(signer.key)), [field]: toHex(secret) };
  await createFile(path, `${JSON.stringify(document, null, 2)}\n`, SECRET);
  return signer;
}

/**
 * The signer of a key file. Throws FILE_UNREADABLE, FILE_EXPOSED where others may read it, or
 * KEY_INVALID where the secret is not the one of the id beside it.
 */
export async function readKeyFile(path: string): Promise<Signer> {
  await refuseExposed(path);
  const text = new TextDecoder().decode(await readWhole(path, KEY_FILE_BYTES_MAX));
  const document = parseDocument(text);
  // A reason never quotes the file: it holds a secret.
  if (document === undefined) throw new GridsealError("KEY_INVALID", `${path} is no key file`);
  const algorithm = keyAlgorithms.find((known) => known === document.algorithm);
  if (document.version !== 1 || algorithm === undefined) {
    throw new GridsealError("KEY_INVALID", `${path} is not of version 1 with a key of ${keyAlgorithms.join(" or ")}`);
  }
  const { field, signerOf } = algorithms[algorithm];
  const hex = document[field];
  const secret = typeof hex === "string" ? fromHex(hex) : undefined;
  if (secret?.length !== SECRET_BYTES) {
    throw new GridsealError("KEY_INVALID", `${path} has no ${field} of ${SECRET_BYTES} bytes in hex`);
  }
  const signer = signerFrom(signerOf, secret, path);
  if (document.id !== toHex(keyId(signer.key))) {
    throw new GridsealError("KEY_INVALID", `${path} is damaged: its ${field} is not that of its id`);
  }
  return signer;
}

/** No zero, nor what is beyond the order of a curve, is a key. */
function signerFrom(signerOf: (secret: Uint8Array) => Signer, secret: Uint8Array, path: string): Signer {
  try {
    return signerOf(secret);
  } catch (cause) {
    throw new GridsealError("KEY_INVALID", `${path} is damaged: its secret is none of its algorithm`, { cause });
  }
}

function parseDocument(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const document: unknown = JSON.parse(text);
    return typeof document === "object" && document !== null ? (document as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
