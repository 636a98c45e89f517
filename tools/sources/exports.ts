// A folder of exported chains: the files that `chain export` wrote, by the services that they are of.

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { GridsealError, reasonOf } from "../errors.js";
import { serviceOfFile } from "./file.js";

/** The exported chains in a folder, by service; other files are passed over. Rejects with FILE_UNREADABLE or USAGE. */
export async function exportsIn(folder: string): Promise<ReadonlyMap<number, string>> {
  const found = new Map<number, string>();
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new GridsealError("FILE_UNREADABLE", `${folder} cannot be read: ${reasonOf(cause)}`, { cause });
  });
  for (const { name } of entries.filter((entry) => entry.isFile())) {
    const path = join(folder, name);
    const service = await serviceOfFile(path).catch(() => undefined);
    if (service === undefined) continue;
    const other = found.get(service);
    if (other !== undefined) throw new GridsealError("USAGE", `${other} and ${path} are both of chain ${service}`);
    found.set(service, path);
  }
  return found;
}

/** The path of the genesis that lies in the folder. Rejects with USAGE where there is none. */
export async function genesisIn(folder: string): Promise<string> {
  const path = join(folder, "genesis.cbor");
  if ((await stat(path).catch(() => undefined)) !== undefined) return path;
  throw new GridsealError("USAGE", `${path} is not there: name the genesis with --genesis`);
}
