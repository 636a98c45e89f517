// A pseudo-terminal that nobody reads: its process stands still, and what it holds back is full.

import { closeSync, constants, existsSync, openSync, readFileSync, writeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { servePty } from "../../tools/emulators/serve.js";

/** Why there are none here; false where there are. */
export const stillPtys =
  !existsSync(`/proc/self/task/${process.pid}/children`) && "the process of a terminal is not found here";

const FILLED_MS = 10;

export interface StillPty {
  readonly path: string;
  /** It is read again; resolves to what waits for a text in what was written. */
  goOn(): Promise<(text: string) => Promise<string>>;
  /** It is gone, as a cable that is pulled. */
  kill(): void;
}

export async function stillPty(t: { after(end: () => unknown): void }): Promise<StillPty> {
  const before = new Set(children());
  let written = "";
  const pty = await servePty(() => ({
    close() {},
    write(bytes) {
      written += Buffer.from(bytes).toString("latin1");
    },
  }));
  const helper = children().find((pid) => !before.has(pid))!;
  process.kill(helper, "SIGSTOP");
  const file = openSync(pty.path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  // Whoever opens the port throws away what the system held back: it is full again at once.
  const filling = setInterval(fill, FILLED_MS, file);
  t.after(async () => {
    clearInterval(filling);
    closeSync(file);
    kill("SIGCONT");
    await pty.close();
  });

  function kill(signal: "SIGCONT" | "SIGKILL"): void {
    try {
      process.kill(helper, signal);
    } catch {
      // it is gone already
    }
  }

  return {
    path: pty.path,
    async goOn() {
      clearInterval(filling);
      kill("SIGCONT");
      return async (text) => {
        for (let look = 0; !written.includes(text) && look < 500; look += 1) await delay(10);
        return written;
      };
    },
    kill() {
      clearInterval(filling);
      kill("SIGKILL");
    },
  };
}

function children(): number[] {
  const text = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim();
  return text === "" ? [] : text.split(" ").map(Number);
}

/** Writes until the terminal takes no more. */
function fill(file: number): void {
  for (const bytes of [Buffer.alloc(1_024, 0x2e), Buffer.alloc(1, 0x2e)]) {
    try {
      for (;;) writeSync(file, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
}
