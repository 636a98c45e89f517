// Files and folders that are made once: whole or not at all, and never over something that exists.
// Shared by the authority, which makes networks and meters, and by the commands that write what
// they fetched.

import { randomBytes } from "node:crypto";
import { link, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { GridsealError, reasonOf } from "../errors.js";
import { lockFolder } from "./lock.js";
import { maskedByUser, PRIVATE_FOLDER } from "./private-files.js";

const LEFT = /^[0-9a-f]{8}[.]unfinished$/;
/** A folder that is being made is locked within this; a file that is being made grows within that. */
const FOLDER_LEFT_MS = 10_000;
const FILE_LEFT_MS = 600_000;

/** Mode of files that anybody on the machine may read, as far as the user's own mask lets them. */
export const PUBLIC = 0o644;

/**
 * Makes a file of the chunks, durable when the promise resolves. Throws FILE_EXISTS where there is
 * one, FILE_UNWRITABLE where it cannot be made; what `chunks` throws goes through, and nothing is
 * left then.
 */
export async function createFile(
  path: string,
  chunks: string | Uint8Array | AsyncIterable<Uint8Array>,
  mode: number = PUBLIC,
): Promise<void> {
  await refuseExisting(path);
  await sweep(path);
  const unfinished = unfinishedName(path);
  const file = await attempt(path, () => open(unfinished, "wx", mode));
  try {
    try {
      // Stated, so that no mask of the process widens or narrows it.
      await attempt(path, () => file.chmod(mode === PUBLIC ? maskedByUser(mode) : mode));
      if (typeof chunks === "string" || chunks instanceof Uint8Array) {
        await attempt(path, () => file.writeFile(chunks));
      } else {
        for await (const chunk of chunks) await attempt(path, () => file.writeFile(chunk));
      }
      await attempt(path, () => file.sync());
    } finally {
      await file.close();
    }
    // A link fails where the name is taken, which a rename would not.
    await attempt(path, () => link(unfinished, path));
  } finally {
    await rm(unfinished, { force: true });
  }
  await syncFolder(dirname(path));
}

/**
 * Makes a folder for its owner alone: `fill` gets an unfinished one beside it, which takes the name
 * when all is written. An empty folder may be there already. Throws FILE_EXISTS where there is
 * something else; what `fill` throws goes through, and nothing is left then.
 */
export async function createFolder(path: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const target = resolve(path);
  const unfinished = unfinishedName(target);
  await attempt(path, () => mkdir(dirname(target), { recursive: true }));
  await sweep(target);
  await attempt(path, () => mkdir(unfinished, { mode: PRIVATE_FOLDER }));
  // By this others see that it is being made. Where no lock can be made, its age alone tells.
  const unlock = await lockFolder(unfinished, "maker").catch(() => async () => {});
  try {
    await fill(unfinished).finally(unlock);
    // rename(2) replaces an empty folder and refuses any other.
    await attempt(path, () => rename(unfinished, target));
  } catch (thrown) {
    await rm(unfinished, { recursive: true, force: true });
    throw thrown;
  }
  await syncFolder(dirname(target));
}

/** Throws FILE_EXISTS where the path is taken by anything. */
export async function refuseExisting(path: string): Promise<void> {
  const taken = await stat(path).then(
    () => true,
    () => false,
  );
  if (taken) throw new GridsealError("FILE_EXISTS", `${path} exists already`);
}

/** A whole file of at most `bytes_max` bytes. Throws FILE_UNREADABLE. */
export async function readWhole(path: string, bytes_max: number): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > bytes_max) throw new Error(`it has ${size} bytes, at most ${bytes_max} are read`);
    return Uint8Array.from(await readFile(path));
  } catch (cause) {
    throw new GridsealError("FILE_UNREADABLE", `${path} cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

async function attempt<Result>(path: string, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST" || code === "ENOTEMPTY" || code === "ENOTDIR") {
      throw new GridsealError("FILE_EXISTS", `${path} exists already`, { cause });
    }
    throw new GridsealError("FILE_UNWRITABLE", `${path} cannot be written: ${reasonOf(cause)}`, { cause });
  }
}

/** What was begun under this name by who was killed, with keys in it perhaps, goes; what somebody still makes stays. */
async function sweep(path: string): Promise<void> {
  const target = resolve(path);
  const names = await readdir(dirname(target)).catch(() => []);
  const prefix = `${basename(target)}.`;
  for (const name of names.filter((each) => each.startsWith(prefix) && LEFT.test(each.slice(prefix.length)))) {
    const left = join(dirname(target), name);
    const found = await stat(left).catch(() => undefined);
    if (found === undefined) continue;
    if (Date.now() - found.mtimeMs < (found.isDirectory() ? FOLDER_LEFT_MS : FILE_LEFT_MS)) continue;
    const unlock = found.isDirectory() ? await lockFolder(left, "maker").catch(() => undefined) : async () => {};
    if (unlock === undefined) continue;
    await unlock();
    await rm(left, { recursive: true, force: true }).catch(() => {});
  }
}

function unfinishedName(path: string): string {
  return `${resolve(path)}.${randomBytes(4).toString("hex")}.unfinished`;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
