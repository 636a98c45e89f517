// Files and folders for their owner alone: stores, outboxes, keys, and configurations with keys in
// them hold what nobody else on the machine may read. Folders are closed where they are open; a key
// that others could have read is refused, as ssh does.

import { writeFileSync } from "node:fs";
import { chmod, mkdir, stat } from "node:fs/promises";
import { GridsealError, reasonOf } from "../errors.js";

/** Mode of files that hold a secret. */
export const SECRET = 0o600;
/** Mode of folders whose content is their owner's alone. */
export const PRIVATE_FOLDER = 0o700;

const OTHERS = 0o007;
const GROUP_AND_OTHERS = 0o077;
/** Windows has no modes: who may read a file is not to be seen in them. */
const hasModes = process.platform !== "win32";
const userMask = process.umask();

/**
 * From here on what this process makes is its owner's alone, unless a mode is stated
 * (`createFile`). Node applies the mask to whatever a library makes, LMDB's files included.
 * A core file of it has no memory: keys are there (core(5); what it starts inherits that).
 */
export function makePrivately(): void {
  process.umask(GROUP_AND_OTHERS);
  try {
    writeFileSync("/proc/self/coredump_filter", "0");
  } catch {
    // Not on Linux, or /proc is closed: there the operator limits core files.
  }
}

/**
 * What `mode` comes to where the user's own mask applies, which `makePrivately` does not change.
 */
export function maskedByUser(mode: number): number {
  return mode & ~userMask;
}

/**
 * Makes the folder where it is missing, and closes it to everybody else. Throws FILE_UNWRITABLE, or
 * FILE_EXPOSED where it cannot be closed.
 */
export async function closeFolder(path: string): Promise<void> {
  try {
    await makeFolder(path);
  } catch (cause) {
    throw new GridsealError("FILE_UNWRITABLE", `folder ${path} cannot be made: ${reasonOf(cause)}`, { cause });
  }
  const mode = (await stat(path)).mode & 0o7777;
  if (!hasModes || (mode & GROUP_AND_OTHERS) === 0) return;
  try {
    await chmod(path, mode & ~GROUP_AND_OTHERS);
  } catch (cause) {
    const what = `folder ${path} has the mode ${octal(mode)}, so that others may read what only its owner should`;
    throw new GridsealError("FILE_EXPOSED", `${what}: chmod ${octal(PRIVATE_FOLDER)} ${path}`, { cause });
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: PRIVATE_FOLDER });
  } catch {
    // On a disk that is read-only Node says of it that a folder above is missing: one step alone has the reason.
    await mkdir(path, { mode: PRIVATE_FOLDER });
  }
}

/**
 * Throws FILE_EXPOSED where others may read the file, which holds a secret: everybody, or the group
 * of a file that is this user's own. A file of another owner may be the group's, as container
 * platforms hand secrets in. Without a file it does nothing.
 */
export async function refuseExposed(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !hasModes) return;
  const tooOpen = found.uid === process.getuid?.() ? GROUP_AND_OTHERS : OTHERS;
  if ((found.mode & tooOpen) === 0) return;
  const what = `${path} holds a secret and others may read it (mode ${octal(found.mode & 0o777)})`;
  throw new GridsealError("FILE_EXPOSED", `${what}: chmod ${octal(SECRET)} ${path}`);
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}
