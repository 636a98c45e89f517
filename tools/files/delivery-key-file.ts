// An X25519 key pair on disk, for what is sealed to its holder alone: one JSON document, readable by its owner alone.

import { equalBytes, fromHex, toHex } from "../../src/wire/bytes.js";
import { type DeliveryKeys, deliveryKeysOf, generateDeliveryKeys } from "../crypto/hpke.js";
import { GridsealError } from "../errors.js";
import { createFile, readWhole } from "./made-once.js";
import { refuseExposed, SECRET } from "./private-files.js";

const FILE_BYTES_MAX = 1_024;
const ALGORITHM = "X25519";
const KEY_BYTES = 32;

/** Makes a pair and its file. Throws FILE_EXISTS or FILE_UNWRITABLE. */
export async function createDeliveryKeyFile(path: string): Promise<DeliveryKeys> {
  const keys = generateDeliveryKeys();
  const document = { version: 1, algorithm: ALGORITHM, key: toHex(keys.key), secret: toHex(keys.secret) };
  await createFile(path, `${JSON.stringify(document, null, 2)}\n`, SECRET);
  return keys;
}

/** The pair of a file. Throws FILE_UNREADABLE, FILE_EXPOSED where others may read it, KEY_INVALID. */
export async function readDeliveryKeyFile(path: string): Promise<DeliveryKeys> {
  await refuseExposed(path);
  const keys = keysIn(new TextDecoder().decode(await readWhole(path, FILE_BYTES_MAX)));
  // A reason never quotes the file: it holds a secret.
  if (keys === undefined) throw new GridsealError("KEY_INVALID", `${path} is no file of an ${ALGORITHM} key`);
  return keys;
}

function keysIn(text: string): DeliveryKeys | undefined {
  try {
    const document = JSON.parse(text) as Readonly<Record<string, unknown>>;
    if (document.version !== 1 || document.algorithm !== ALGORITHM) return undefined;
    const [secret, key] = [fromHex(String(document.secret)), fromHex(String(document.key))];
    if (secret?.length !== KEY_BYTES || key === undefined) return undefined;
    const keys = deliveryKeysOf(secret);
    return equalBytes(keys.key, key) ? keys : undefined;
  } catch {
    return undefined;
  }
}
