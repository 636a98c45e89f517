// A meter's small durable store, a file a key. A value is replaced by renaming a synced file over it: old or new, never torn.

import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import type { KeyValue } from "../../src/host.js";
import { PRIVATE_FOLDER, SECRET } from "../files/private-files.js";

/** NVS on the ESP32 takes names of at most 15 characters; these are the ones that are also safe as file names. */
const KEY = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/;
/** A value of NVS that fits one of its pages. */
const VALUE_BYTES_MAX = 4_000;

/** The store in `folder`, which is made where it does not exist. Its calls throw where a key, a value or the disk is at fault. */
export function openKeyValue(folder: string): KeyValue {
  mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
  return {
    get(key) {
      try {
        return new Uint8Array(readFileSync(pathOf(folder, key)));
      } catch (thrown) {
        if (isAbsent(thrown)) return undefined;
        throw thrown;
      }
    },
    set(key, value) {
      const path = pathOf(folder, key);
      if (value.length > VALUE_BYTES_MAX)
        throw new RangeError(`value of ${key} has ${value.length} bytes, at most ${VALUE_BYTES_MAX} fit`);
      replaceFile(path, value);
    },
    delete(key) {
      rmSync(pathOf(folder, key), { force: true });
      syncFolder(folder);
    },
  };
}

/** Writes a file whole, over what was there: old or new after a cut. */
export function replaceFile(path: string, value: Uint8Array): void {
  const folder = dirname(path);
  // Begins with what no key begins with; left over by a cut, it is written over by the next value.
  const unfinished = join(folder, "~new");
  const file = openSync(unfinished, "w", SECRET);
  try {
    for (let written = 0; written < value.length; ) written += writeSync(file, value, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(unfinished, path);
  syncFolder(folder);
}

function pathOf(folder: string, key: string): string {
  if (!KEY.test(key))
    throw new RangeError(`key must be 1 to 15 letters, digits, "_", "." or "-", got ${JSON.stringify(key)}`);
  return join(folder, key);
}

function syncFolder(folder: string): void {
  const file = openSync(folder, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function isAbsent(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown as NodeJS.ErrnoException).code === "ENOENT";
}
