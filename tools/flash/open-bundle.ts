// A bundle with its files, verified before anybody writes a byte of it; where they are read from is who calls it to say.

import { equalBytes } from "../../src/wire/bytes.js";
import { WireError } from "../../src/wire/error.js";
import { IMAGE_BYTES_MAX } from "../../src/wire/firmware.js";
import { BUNDLE_BYTES_MAX, type FirmwareBundle, verifyBundle } from "../../src/wire/firmware-bundle.js";
import { sha256 } from "../../src/wire/hash.js";
import type { PublicKey, Verify } from "../../src/wire/key.js";
import { GridsealError } from "../errors.js";
import type { FlashPart } from "./plan.js";

/** The signed manifest's file in a bundle's folder. */
export const BUNDLE_MANIFEST = "bundle.cose";

export interface OpenBundle {
  readonly bundle: FirmwareBundle;
  readonly parts: readonly FlashPart[];
}

/** Where a bundle's files are: a folder, or those that somebody chose in a browser. */
export interface BundleFiles {
  /** of the folder, for errors */
  readonly name: string;
  /** Rejects where the file is not there or has more than `most` bytes. */
  read(file: string, most: number): Promise<Uint8Array>;
}

/** Rejects with FIRMWARE_INVALID where `signer` has not signed the bundle, or a file is not the one that it names. */
export async function openBundleFiles(files: BundleFiles, signer: PublicKey, verify: Verify): Promise<OpenBundle> {
  const manifest = await files.read(BUNDLE_MANIFEST, BUNDLE_BYTES_MAX);
  const named = `${files.name}/${BUNDLE_MANIFEST}`;
  const bundle = verified(named, manifest, signer, verify);
  const parts: FlashPart[] = [];
  for (const { file, offset, size, hash } of bundle.parts) {
    const bytes = await files.read(file, IMAGE_BYTES_MAX);
    if (bytes.length !== size || !equalBytes(sha256(bytes), hash))
      throw new GridsealError("FIRMWARE_INVALID", `${files.name}/${file} is not the file that ${named} names`);
    parts.push({ file, offset, bytes });
  }
  return { bundle, parts };
}

function verified(named: string, manifest: Uint8Array, signer: PublicKey, verify: Verify): FirmwareBundle {
  try {
    return verifyBundle(manifest, signer, verify);
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new GridsealError("FIRMWARE_INVALID", `${named}: ${cause.message}`, { cause });
  }
}
