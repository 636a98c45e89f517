// The keys of an encrypted meter port, from a file: a command line is visible to everyone on the
// machine.

import { readFile } from "node:fs/promises";
import type { MeterKeys } from "../../../src/meter/cipher.js";
import { GridsealError, reasonOf } from "../../errors.js";

/**
 * Reads a key file: 32 hex digits a line, the encryption key first, then the authentication key
 * where the meter has one. Empty lines and those that begin with # are passed over. Throws
 * FILE_UNREADABLE, and KEY_INVALID without a word of what the line holds.
 */
export async function readMeterKeys(path: string): Promise<MeterKeys> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (thrown) {
    throw new GridsealError("FILE_UNREADABLE", `cannot read key file ${path}: ${reasonOf(thrown)}`, { cause: thrown });
  }
  const keys: Uint8Array[] = [];
  text.split("\n").forEach((line, index) => {
    const stated = line.trim();
    if (stated === "" || stated.startsWith("#")) return;
    if (!/^[0-9A-Fa-f]{32}$/.test(stated)) {
      throw new GridsealError("KEY_INVALID", `key file ${path}, line ${index + 1}: expected 32 hex digits`);
    }
    keys.push(Uint8Array.from(Buffer.from(stated, "hex")));
  });
  const [encryption, authentication] = keys;
  if (encryption === undefined || keys.length > 2) {
    throw new GridsealError("KEY_INVALID", `key file ${path}: expected one or two keys, got ${keys.length}`);
  }
  return authentication === undefined ? { encryption } : { encryption, authentication };
}
