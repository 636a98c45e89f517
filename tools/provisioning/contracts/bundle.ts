// A contract's source as it goes to the chain: TypeScript bundled into one ES module, named by the
// hash of its bytes.

import { basename, dirname, join, resolve } from "node:path";
import { build } from "esbuild";
import { sha256 } from "../../../src/wire/hash.js";
import { SOURCE_BYTES_MAX } from "../../contracts/limits.js";
import { GridsealError, reasonOf } from "../../errors.js";

export interface Bundle {
  readonly source: string;
  readonly bytes: number;
  readonly hash: Uint8Array;
  /** paths of the files that it is made of */
  readonly files: readonly string[];
}

/** Rejects with CONTRACT_INVALID where it does not compile, imports what is not there, or is too large. */
export async function bundleContract(file: string): Promise<Bundle> {
  const { source, files } = await compile(file);
  const bytes = new TextEncoder().encode(source);
  if (bytes.length > SOURCE_BYTES_MAX) {
    throw new GridsealError(
      "CONTRACT_INVALID",
      `${file} has ${bytes.length} bytes as one module, more than ${SOURCE_BYTES_MAX}`,
    );
  }
  return { source, bytes: bytes.length, hash: sha256(bytes), files };
}

async function compile(file: string): Promise<Pick<Bundle, "source" | "files">> {
  const folder = dirname(resolve(file));
  try {
    const { outputFiles, metafile } = await build({
      entryPoints: [basename(file)],
      // Paths stand in comments of the module: they are the contract's own, wherever it lies.
      absWorkingDir: folder,
      bundle: true,
      write: false,
      metafile: true,
      format: "esm",
      platform: "neutral",
      target: "es2022",
      charset: "utf8",
      legalComments: "none",
      logLevel: "silent",
      tsconfigRaw: {},
    });
    return { source: outputFiles[0]!.text, files: Object.keys(metafile.inputs).map((path) => join(folder, path)) };
  } catch (cause) {
    throw new GridsealError("CONTRACT_INVALID", `${file} cannot be made one module: ${reasonOf(cause)}`, { cause });
  }
}
