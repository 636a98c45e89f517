// A bundle as a folder: its signed manifest, the files that it names, and the manifest that esp-web-tools reads.

import { join } from "node:path";
import { WireError } from "../../../src/wire/error.js";
import { IMAGE_BYTES_MAX } from "../../../src/wire/firmware.js";
import { type FirmwareBundle, issueBundle } from "../../../src/wire/firmware-bundle.js";
import type { PublicKey, Signer } from "../../../src/wire/key.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { GridsealError } from "../../errors.js";
import { createFile, createFolder, readWhole } from "../../files/made-once.js";
import { type BuildFiles, buildFiles, composeBundle, webManifest } from "../../flash/compose-bundle.js";
import { BUNDLE_MANIFEST, type OpenBundle, openBundleFiles } from "../../flash/open-bundle.js";

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
    await createFile(join(unfinished, BUNDLE_MANIFEST), manifest);
  });
  return bundle;
}

/** A bundle with its files. Rejects as `openBundleFiles` does, and with FILE_UNREADABLE where one is missing. */
export function openBundle(folder: string, signer: PublicKey): Promise<OpenBundle> {
  const read = (file: string, most: number) => readWhole(join(folder, file), most);
  return openBundleFiles({ name: folder, read }, signer, nodeVerify);
}

function refusing<Result>(what: string, action: () => Result): Result {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof WireError) throw new GridsealError("FIRMWARE_INVALID", `${what}: ${cause.message}`, { cause });
    throw cause;
  }
}
