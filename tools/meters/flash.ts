// A NOR flash partition over a file: what a real one does and no more. Writing can only clear bits, erasing sets a whole sector.

import { closeSync, existsSync, fstatSync, openSync, readSync, renameSync, writeFileSync, writeSync } from "node:fs";
import type { Flash } from "../../src/host.js";
import { GridsealError, reasonOf } from "../errors.js";
import { SECRET } from "../files/private-files.js";

export interface FlashFile extends Flash {
  close(): void;
}

export interface FlashGeometry {
  /** bytes, a multiple of sectorSize */
  readonly size: number;
  readonly sectorSize: number;
}

/** The partition that holds some 10,000 records on an ESP32 with 4 MB, in its sectors. */
export const defaultGeometry: FlashGeometry = { size: 1 << 20, sectorSize: 4096 };

/**
 * Opens the partition in the file `path`, or makes an erased one where there is none.
 * Throws a GridsealError where the file has another size; then nothing is changed.
 * A write is in the operating system's cache when it returns: killing any process loses nothing of it. What a cut of the whole
 * machine's power takes away is a suffix, which the outbox takes for the torn write that flash shows as well.
 */
export function openFlash(path: string, { size, sectorSize }: FlashGeometry): FlashFile {
  const file = openSized(path, size);

  function check(offset: number, length: number): void {
    if (!Number.isInteger(offset) || offset < 0 || !Number.isInteger(length) || length < 0 || offset + length > size)
      throw new RangeError(`flash has ${size} bytes: ${length} at ${offset} are outside`);
  }

  function read(offset: number, length: number): Uint8Array<ArrayBuffer> {
    check(offset, length);
    const bytes = new Uint8Array(length);
    if (readSync(file, bytes, 0, length, offset) !== length) throw new Error(`${path} is shorter than ${size} bytes`);
    return bytes;
  }

  return {
    size,
    sectorSize,
    read,
    write(offset, bytes) {
      const cells = read(offset, bytes.length);
      for (let index = 0; index < cells.length; index++) cells[index]! &= bytes[index]!;
      writeWhole(file, cells, offset);
    },
    erase(offset) {
      check(offset, sectorSize);
      if (offset % sectorSize !== 0)
        throw new RangeError(`flash erases sectors of ${sectorSize} bytes: ${offset} is not the start of one`);
      writeWhole(file, new Uint8Array(sectorSize).fill(0xff), offset);
    },
    close: () => closeSync(file),
  };
}

function openSized(path: string, size: number): number {
  try {
    if (!existsSync(path)) {
      // Whole or absent, so that a file of another size is never one of ours that was cut while it was made.
      writeFileSync(`${path}.new`, new Uint8Array(size).fill(0xff), { mode: SECRET });
      renameSync(`${path}.new`, path);
    }
    const file = openSync(path, "r+");
    const found = fstatSync(file).size;
    if (found === size) return file;
    closeSync(file);
    throw new GridsealError("STORE_CORRUPT", `the outbox ${path} has ${found} bytes, its partition ${size}`);
  } catch (thrown) {
    if (thrown instanceof GridsealError) throw thrown;
    throw new GridsealError("FILE_UNWRITABLE", `the outbox ${path} cannot be opened: ${reasonOf(thrown)}`, {
      cause: thrown,
    });
  }
}

function writeWhole(file: number, bytes: Uint8Array, offset: number): void {
  for (let written = 0; written < bytes.length; )
    written += writeSync(file, bytes, written, bytes.length - written, offset + written);
}
