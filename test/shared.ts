// Where real captures and public vectors lie, beside the project. A test that needs one is skipped, by name, where it is absent.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../../shared/", import.meta.url);

/** Path of a file or folder of the shared material, and the `skip` option for a test that needs it. */
export function shared(path: string): { readonly path: string; readonly skip: string | false } {
  const file = fileURLToPath(new URL(path, root));
  return { path: file, skip: existsSync(file) ? false : `shared material ${path} is absent` };
}
