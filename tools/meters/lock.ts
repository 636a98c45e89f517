// One owner for a meter's folder: two agents with one key and one outbox would fork the meter's chain.
// The lock is an abstract Unix socket named after the folder: the kernel frees it however its holder ends, so none is ever stale.

import { realpathSync } from "node:fs";
import { createServer } from "node:net";
import { GridsealError } from "../errors.js";

/** Takes the folder, or throws where another meter runs in it. Returns what gives it back; where sockets have no abstract names (macOS) nothing is held. */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  if (process.platform !== "linux") return async () => {};
  const server = createServer((socket) => socket.destroy());
  server.unref();
  await new Promise<void>((resolve, reject) => {
    server.once("error", () =>
      reject(new GridsealError("STORE_FOREIGN", `another meter runs in ${folder}: two would sign with one key`)),
    );
    server.listen(`\0gridseal-meter:${realpathSync(folder)}`, resolve);
  });
  return () => new Promise((resolve) => server.close(() => resolve()));
}
