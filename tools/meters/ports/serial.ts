// A serial port, set by stty(1): real ports, USB adapters and pseudo-terminals alike.

import { spawn, spawnSync } from "node:child_process";
import { closeSync, constants, openSync, write } from "node:fs";
import { ReadStream } from "node:tty";
import type { Line } from "../../../src/meter/line.js";
import { reasonOf } from "../../errors.js";

export interface OpenedPort {
  /** Ends the bytes and frees the port. */
  close(): void;
  /** Sends bytes to the meter, in order. */
  write(bytes: Uint8Array): void;
  /** The line's settings once what was written before has left it; ports that are no serial line have none. */
  setLine(line: Line): void;
}

/** What a connection tells: that it stands, or that it ended, the latter once. */
export interface ConnectionEvents {
  onOpened(): void;
  onClosed(reason: string): void;
}

/** What waits for a slow port: requests are some bytes each. */
const pendingMax = 16;

/** Opens the port at `path`; every failure, the first included, ends in one `onClosed`. */
export function openSerial(
  path: string,
  line: Line,
  onBytes: (bytes: Uint8Array) => void,
  events: ConnectionEvents,
): OpenedPort {
  const failed = (reason: string): OpenedPort => {
    setImmediate(() => events.onClosed(`meter port ${path}: ${reason}`));
    return { close() {}, write() {}, setLine() {} };
  };
  const stty = spawnSync("stty", settings(path, line));
  if (stty.status !== 0) return failed(stty.error?.message ?? stty.stderr.toString().trim());
  let stream: ReadStream;
  let sending: number;
  try {
    const flags = constants.O_NOCTTY | constants.O_NONBLOCK;
    stream = new ReadStream(openSync(path, constants.O_RDONLY | flags));
    sending = openSync(path, constants.O_WRONLY | flags);
  } catch (thrown) {
    return failed(reasonOf(thrown));
  }
  let reason = "it hung up";
  events.onOpened();
  stream.on("data", onBytes);
  stream.on("error", (error) => {
    reason = error.message;
  });
  stream.on("end", () => stream.destroy());
  stream.on("close", () => {
    closeSync(sending);
    events.onClosed(`meter port ${path}: ${reason}`);
  });

  let pending = 0;
  let work = Promise.resolve();
  /** One after the other: stty waits until what was written has left. */
  const then = (act: () => Promise<void>): void => {
    if (pending === pendingMax || stream.destroyed) return;
    pending++;
    work = work.then(() => (stream.destroyed ? undefined : act())).finally(() => pending--);
  };
  const fail = (what: string): void => {
    reason = what;
    stream.destroy();
  };
  return {
    close: () => stream.destroy(),
    write: (bytes) =>
      then(
        () =>
          new Promise((resolve) =>
            write(sending, bytes, (error) => {
              if (error) fail(error.message);
              resolve();
            }),
          ),
      ),
    setLine: (next) =>
      then(
        () =>
          new Promise((resolve) => {
            const child = spawn("stty", settings(path, next), { stdio: "ignore" });
            child.once("error", (error) => fail(error.message));
            child.once("close", (status) => {
              if (status !== 0) fail(`it takes no ${next.baud} ${next.dataBits}${next.parity === "even" ? "E" : "N"}1`);
              resolve();
            });
          }),
      ),
  };
}

function settings(path: string, { baud, dataBits, parity }: Line): string[] {
  const fileFlag = process.platform === "darwin" ? "-f" : "-F";
  const framing = [`cs${dataBits}`, ...(parity === "even" ? ["parenb", "-parodd"] : ["-parenb"])];
  return [fileFlag, path, String(baud), "raw", "-echo", "-cstopb", "clocal", ...framing];
}
