// Who may acknowledge alarms: whoever can read the monitor's own folder. A token lies there for as long as the monitor runs, and is
// another one at each start.

import { randomBytes, timingSafeEqual } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GridsealError, reasonOf } from "../errors.js";
import { closeFolder, SECRET } from "../files/private-files.js";

const FILE = "desk.token";
const TOKEN_BYTES = 32;
const TOKEN = /^[0-9a-f]{64}$/;

/** Writes a new one to the folder, for its owner alone. Rejects with FILE_UNWRITABLE, or FILE_EXPOSED where others may read there. */
export async function writeDeskToken(folder: string): Promise<string> {
  await closeFolder(folder);
  const path = join(folder, FILE);
  const token = randomBytes(TOKEN_BYTES).toString("hex");
  try {
    await writeFile(`${path}.unfinished`, `${token}\n`, { mode: SECRET });
    await rename(`${path}.unfinished`, path);
  } catch (cause) {
    throw new GridsealError("FILE_UNWRITABLE", `${path} cannot be written: ${reasonOf(cause)}`, { cause });
  }
  return token;
}

/** Rejects with FILE_UNREADABLE where the folder has none. */
export async function readDeskToken(folder: string): Promise<string> {
  const path = join(folder, FILE);
  try {
    const token = (await readFile(path, "utf8")).trim();
    if (TOKEN.test(token)) return token;
  } catch (cause) {
    const what = `${path} cannot be read: ${reasonOf(cause)}: name the folder that the monitor was started with`;
    throw new GridsealError("FILE_UNREADABLE", what, { cause });
  }
  throw new GridsealError("FILE_UNREADABLE", `${path} has no token of a monitor`);
}

/** Whether a request shows it (RFC 6750, section 2.1), in a time that says nothing of how much is right. */
export function showsToken(authorization: string | undefined, token: string): boolean {
  const shown = Buffer.from(/^Bearer ([0-9a-f]{64})$/.exec(authorization ?? "")?.[1] ?? "");
  const wanted = Buffer.from(token);
  return shown.length === wanted.length && timingSafeEqual(shown, wanted);
}
