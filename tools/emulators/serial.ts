// A serial port for reading, set by stty(1): real ports, USB adapters and pseudo-terminals alike.

import { spawnSync } from "node:child_process";
import { constants, openSync } from "node:fs";
import { ReadStream } from "node:tty";
import { reasonOf } from "../errors.js";

export interface OpenedPort {
  /** Ends the bytes and frees the port. */
  close(): void;
}

/** What a connection tells: that it stands, or that it ended, the latter once. */
export interface ConnectionEvents {
  onOpened(): void;
  onClosed(reason: string): void;
}

/** Opens the port at `path`; every failure, the first included, ends in one `onClosed`. */
export function openSerial(
  path: string,
  baud: number,
  parity: "none" | "even",
  onBytes: (bytes: Uint8Array) => void,
  events: ConnectionEvents,
): OpenedPort {
  const failed = (reason: string): OpenedPort => {
    setImmediate(() => events.onClosed(`meter port ${path}: ${reason}`));
    return { close: () => {} };
  };
  const fileFlag = process.platform === "darwin" ? "-f" : "-F";
  // Even parity comes with seven data bits: DSMR 2.2 and 3.0, IEC 62056-21.
  const framing = parity === "even" ? ["cs7", "parenb", "-parodd"] : ["cs8", "-parenb"];
  const stty = spawnSync("stty", [fileFlag, path, String(baud), "raw", "-echo", "-cstopb", "clocal", ...framing]);
  if (stty.status !== 0) return failed(stty.error?.message ?? stty.stderr.toString().trim());
  let stream: ReadStream;
  try {
    stream = new ReadStream(openSync(path, constants.O_RDONLY | constants.O_NOCTTY | constants.O_NONBLOCK));
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
  stream.on("close", () => events.onClosed(`meter port ${path}: ${reason}`));
  return { close: () => stream.destroy() };
}
