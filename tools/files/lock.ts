// One owner for a folder with a key: two agents with one outbox would fork the meter's chain, two
// nodes with one store would contradict each other. The lock is a Unix socket in the folder that
// its holder listens on. The kernel refuses connections to one whose holder has ended, however it
// did, so none is ever stale; and who shares the folder from another container finds it too. Nobody
// else can take it, because the folder is its owner's alone. Each claims first and looks for others
// then: of two that begin at once, one at least sees the other.

import { randomBytes } from "node:crypto";
import { closeSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { GridsealError, reasonOf } from "../errors.js";

const ATTEMPTS_MAX = 4;
const PAUSE_MS_MAX = 100;
const ANSWER_MS_MAX = 1_000;

/**
 * Takes the folder, or throws FOLDER_IN_USE where another `owner` (a meter, a node, a bench, a participant, who makes it) runs in it,
 * FILE_UNWRITABLE where no lock can be made. Returns what gives it back. The folder may be renamed
 * meanwhile.
 */
export async function lockFolder(
  folder: string,
  owner: "meter" | "node" | "bench" | "participant" | "maker",
): Promise<() => Promise<void>> {
  const held = openFolder(folder);
  // A socket's path has at most 107 bytes (sun_path): through the open folder it always fits.
  const inside = process.platform === "linux" ? `/proc/self/fd/${held}` : folder;
  try {
    for (let attempt = 1; ; attempt += 1) {
      const claim = await claimIn(inside, owner);
      if (!(await isClaimedByAnother(inside, owner, claim.name)))
        return () => claim.giveBack().finally(() => closeSync(held));
      await claim.giveBack();
      if (attempt === ATTEMPTS_MAX) break;
      await delay(Math.random() * PAUSE_MS_MAX); // the other one may be about to step back as well
    }
    throw new GridsealError("FOLDER_IN_USE", `another ${owner} runs in ${folder}: two would sign with one key`);
  } catch (thrown) {
    closeSync(held);
    throw thrown instanceof GridsealError ? thrown : noLock(folder, thrown);
  }
}

function openFolder(folder: string): number {
  try {
    return openSync(folder, "r");
  } catch (thrown) {
    throw noLock(folder, thrown);
  }
}

function noLock(folder: string, cause: unknown): GridsealError {
  return new GridsealError("FILE_UNWRITABLE", `no lock can be made in ${folder}: ${reasonOf(cause)}`, { cause });
}

interface Claim {
  readonly name: string;
  giveBack(): Promise<void>;
}

/**
 * A socket that listens under a name of its own. It gets the name when it listens, so that nobody
 * takes it for a dead one.
 */
async function claimIn(folder: string, owner: string): Promise<Claim> {
  const name = `${prefixOf(owner)}${randomBytes(8).toString("hex")}`;
  const path = `${folder}/${name}`;
  const server = createServer((socket) => socket.destroy());
  server.unref();
  await listen(server, `${folder}/.${name}`);
  renameSync(`${folder}/.${name}`, path);
  return {
    name,
    giveBack: () => {
      rmSync(path, { force: true });
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Whether somebody listens on another claim. Those that nobody listens on any more are removed. */
async function isClaimedByAnother(folder: string, owner: string, own: string): Promise<boolean> {
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(prefixOf(owner)) || name === own) continue;
    if (await isAlive(`${folder}/${name}`)) return true;
    rmSync(`${folder}/${name}`, { force: true });
  }
  return false;
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const answer = (alive: boolean) => {
      socket.destroy();
      resolve(alive);
    };
    socket.setTimeout(ANSWER_MS_MAX, () => answer(true)); // its queue is full: somebody is there
    socket.once("connect", () => answer(true));
    socket.once("error", ({ code }: NodeJS.ErrnoException) =>
      answer(code !== "ECONNREFUSED" && code !== "ENOENT" && code !== "ENOTSOCK"),
    );
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => resolve());
  });
}

function prefixOf(owner: string): string {
  return `lock-${owner}-`;
}
