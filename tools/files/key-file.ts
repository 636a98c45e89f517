// A signing key on disk: one JSON document with the Ed25519 seed (RFC 8032 section 5.1.5) in hex,
// readable by its owner alone.

import { fromHex, toHex } from "../../src/wire/bytes.js";
import { keyId, type Signer } from "../../src/wire/key.js";
import { generateSeed, signerFromSeed } from "../crypto/signatures.js";
import { GridsealError } from "../errors.js";
import { createFile, readWhole } from "./made-once.js";
import { refuseExposed, SECRET } from "./private-files.js";

const KEY_FILE_BYTES_MAX = 4_096;
const SEED_BYTES = 32;

/** Makes a key and its file. Throws FILE_EXISTS or FILE_UNWRITABLE. */
export async function createKeyFile(path: string): Promise<Signer> {
  const seed = generateSeed();
  const signer = signerFromSeed(seed);
  const document = { version: 1, algorithm: "Ed25519", id: toHex(keyId(signer.key)), seed: toHex(seed) };
  await createFile(path, `${JSON.stringify(document, null, 2)}\n`, SECRET);
  return signer;
}

/**
 * The signer of a key file. Throws FILE_UNREADABLE, FILE_EXPOSED where others may read it, or
 * KEY_INVALID where the seed is not the one of the id beside it.
 */
export async function readKeyFile(path: string): Promise<Signer> {
  await refuseExposed(path);
  const text = new TextDecoder().decode(await readWhole(path, KEY_FILE_BYTES_MAX));
  const document = parseDocument(text);
  // A reason never quotes the file: it holds a secret.
  if (document === undefined) throw new GridsealError("KEY_INVALID", `${path} is no key file`);
  if (document.version !== 1 || document.algorithm !== "Ed25519") {
    throw new GridsealError("KEY_INVALID", `${path} is not of version 1 with an Ed25519 key`);
  }
  const seed = typeof document.seed === "string" ? fromHex(document.seed) : undefined;
  if (seed?.length !== SEED_BYTES) {
    throw new GridsealError("KEY_INVALID", `${path} has no seed of ${SEED_BYTES} bytes in hex`);
  }
  const signer = signerFromSeed(seed);
  if (document.id !== toHex(keyId(signer.key))) {
    throw new GridsealError("KEY_INVALID", `${path} is damaged: its seed is not that of its id`);
  }
  return signer;
}

function parseDocument(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const document: unknown = JSON.parse(text);
    return typeof document === "object" && document !== null ? (document as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
