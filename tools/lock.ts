// One owner for a folder with a key: two agents with one outbox would fork the meter's chain, two nodes with one store would
// contradict each other.
// The lock is an abstract Unix socket named after the folder: the kernel frees it however its holder ends, so none is ever stale.

import { realpathSync } from "node:fs";
import { createServer } from "node:net";
import { GridsealError } from "./errors.js";

/** Takes the folder, or throws FOLDER_IN_USE where another `owner` (a meter, a node) runs in it. Returns what gives it back; where sockets have no abstract names (macOS) nothing is held. */
export async function lockFolder(folder: string, owner: "meter" | "node"): Promise<() => Promise<void>> {
  if (process.platform !== "linux") return async () => {};
  const server = createServer((socket) => socket.destroy());
  server.unref();
  await new Promise<void>((resolve, reject) => {
    server.once("error", () =>
      reject(new GridsealError("FOLDER_IN_USE", `another ${owner} runs in ${folder}: two would sign with one key`)),
    );
    server.listen(`\0gridseal-${owner}:${realpathSync(folder)}`, resolve);
  });
  return () => new Promise((resolve) => server.close(() => resolve()));
}
