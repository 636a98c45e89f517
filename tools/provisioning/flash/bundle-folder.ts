// A bundle as a folder: its signed manifest, the files that it names, and the manifest that esp-web-tools reads.

import { join } from "node:path";
import { equalBytes } from "../../../src/wire/bytes.js";
import { WireError } from "../../../src/wire/error.js";
import { IMAGE_BYTES_MAX } from "../../../src/wire/firmware.js";
import { BUNDLE_BYTES_MAX, type FirmwareBundle, issueBundle, verifyBundle } from "../../../src/wire/firmware-bundle.js";
import { sha256 } from "../../../src/wire/hash.js";
import type { PublicKey, Signer } from "../../../src/wire/key.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { GridsealError } from "../../errors.js";
import { createFile, createFolder, readWhole } from "../../files/made-once.js";
import { type BuildFiles, buildFiles, composeBundle, webManifest } from "./compose-bundle.js";
import type { FlashPart } from "./plan.js";

const MANIFEST = "bundle.cose";
const WEB_MANIFEST = "manifest.json";

/** What a bundle is made of. */
export interface BundleTerms {
  /** the folder in which the build for the board leaves its files */
  readonly build: string;
  readonly board: string;
  readonly version: number;
}

/**
 * Makes a bundle's folder from a build's. Rejects with FIRMWARE_INVALID where the build's files do not fit each other, FILE_UNREADABLE
 * where one is missing, FILE_EXISTS where the folder is taken.
 */
export async function createBundle(folder: string, terms: BundleTerms, signer: Signer): Promise<FirmwareBundle> {
  const entries = Object.entries(buildFiles).map(async ([name, file]) => {
    return [name, await readWhole(join(terms.build, file), IMAGE_BYTES_MAX)] as const;
  });
  const files = Object.fromEntries(await Promise.all(entries)) as unknown as BuildFiles;
  const { bundle, manifest } = refusing(terms.build, () => {
    const composed = composeBundle(terms.board, terms.version, files);
    return { bundle: composed, manifest: issueBundle(composed, signer) };
  });
  await createFolder(folder, async (unfinished) => {
    for (const [name, file] of Object.entries(buildFiles))
      await createFile(join(unfinished, file), files[name as keyof BuildFiles]);
    await createFile(join(unfinished, WEB_MANIFEST), `${JSON.stringify(webManifest(bundle), null, 2)}\n`);
    await createFile(join(unfinished, MANIFEST), manifest);
  });
  return bundle;
}

/** A bundle with its files. Rejects with FIRMWARE_INVALID where `signer` has not signed it, or a file is not the one it names. */
export async function openBundle(
  folder: string,
  signer: PublicKey,
): Promise<{ readonly bundle: FirmwareBundle; readonly parts: readonly FlashPart[] }> {
  const path = join(folder, MANIFEST);
  const manifest = await readWhole(path, BUNDLE_BYTES_MAX);
  const bundle = refusing(path, () => verifyBundle(manifest, signer, nodeVerify));
  const parts: FlashPart[] = [];
  for (const { file, offset, size, hash } of bundle.parts) {
    const bytes = await readWhole(join(folder, file), IMAGE_BYTES_MAX);
    if (bytes.length !== size || !equalBytes(sha256(bytes), hash))
      throw new GridsealError("FIRMWARE_INVALID", `${join(folder, file)} is not the file that ${path} names`);
    parts.push({ file, offset, bytes });
  }
  return { bundle, parts };
}

function refusing<Result>(what: string, action: () => Result): Result {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof WireError) throw new GridsealError("FIRMWARE_INVALID", `${what}: ${cause.message}`, { cause });
    throw cause;
  }
}
