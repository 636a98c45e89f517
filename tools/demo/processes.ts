// The demo's node processes: started, started again when they end by themselves, stopped in order.
// Their logs go to files.

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { GridsealError } from "../errors.js";

const RESTART_MS = 500;
/** A node that cannot start at all: so many ends without a start in between. */
const FAILURES_MAX = 5;
/** A node that has run so long has started. */
const STARTED_MS = 5_000;
const STOP_MS_MAX = 15_000;

export interface NodeProcess {
  readonly name: string;
  readonly pid: number | undefined;
  readonly restarts: number;
  /** Ends it by SIGTERM, and by SIGKILL where that takes too long. */
  stop(): Promise<void>;
}

/** How the command is run. */
export interface Launch {
  /** the command's file */
  readonly program: string;
  /** beside this process's own */
  readonly environment?: Readonly<Record<string, string>>;
  /** whether a node that does not come up is started for ever */
  readonly forEver?: true;
}

/**
 * Runs `gridseal node run` on the folder's node.json. `onGone` is told when it does not come up.
 */
export function runNode(
  name: string,
  folder: string,
  launch: Launch,
  onGone: (error: GridsealError) => void,
): NodeProcess {
  const log = join(folder, "node.log");
  let child: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopping = false;
  let restarts = 0;
  let failures = 0;
  let ended: () => void = () => {};

  const start = () => {
    const output = openSync(log, "a");
    const command = [...process.execArgv, launch.program, "node", "run", join(folder, "node.json")];
    const started_ms = performance.now();
    const env = { ...process.env, ...launch.environment };
    // In a group of its own, so that Ctrl-C reaches the demo alone, which stops its nodes when the
    // meters are done. By the channel a node learns that the demo is gone.
    child = spawn(process.execPath, command, { stdio: ["ignore", output, output, "ipc"], env, detached: true });
    closeSync(output);
    child.on("exit", (_status, signal) => {
      child = undefined;
      ended();
      if (stopping) return;
      // Whoever kills it wants to see it come back: that is no failure of its own.
      const wasKilled = signal === "SIGKILL" || signal === "SIGTERM";
      failures = wasKilled || performance.now() - started_ms > STARTED_MS ? 1 : failures + 1;
      if (failures >= FAILURES_MAX && !launch.forEver) {
        onGone(new GridsealError("NODE_UNREACHABLE", `${name} ended ${failures} times while starting; see ${log}`));
        return;
      }
      restarts += 1;
      timer = setTimeout(start, RESTART_MS);
    });
  };
  start();

  return {
    name,
    get pid() {
      return child?.pid;
    },
    get restarts() {
      return restarts;
    },
    async stop() {
      stopping = true;
      clearTimeout(timer);
      if (child === undefined) return;
      const gone = new Promise<void>((resolve) => {
        ended = resolve;
      });
      child.kill("SIGTERM");
      const force = setTimeout(() => child?.kill("SIGKILL"), STOP_MS_MAX);
      await gone;
      clearTimeout(force);
    },
  };
}
