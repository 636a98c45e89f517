// Offers an emulated or captured meter to other processes on a pseudo-terminal, as a serial cable does.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GridsealError, reasonOf } from "../errors.js";

/**
 * Starts a meter that hands its bytes on until it is closed, and takes what it is asked; `openPort` with a port of kind emulator or file
 * is one.
 */
export type MeterFeed = (onBytes: (bytes: Uint8Array) => void) => { close(): void; write?(bytes: Uint8Array): void };

export interface ServedPty {
  /** Path of the device to read. */
  readonly path: string;
  close(): Promise<void>;
}

/** Serves the meter on a pseudo-terminal. Its helper is compiled on first use: NATIVE_TOOL_MISSING where that is not possible. */
export async function servePty(feed: MeterFeed): Promise<ServedPty> {
  const helper = spawn(compiledHelper(), { stdio: ["pipe", "pipe", "inherit"] });
  const exited = new Promise<void>((resolve) => helper.once("close", () => resolve()));
  let meter: ReturnType<MeterFeed> | undefined;
  const path = await firstLine(helper, (bytes) => meter?.write?.(bytes));
  // The helper may end before its meter does; the bytes then go nowhere.
  helper.stdin.on("error", () => {});
  meter = feed((bytes) => helper.stdin.write(bytes));
  return {
    path,
    close() {
      meter?.close();
      helper.stdin.end();
      return exited;
    },
  };
}

/** The path that it prints; what comes behind it is what a reader of the terminal writes. */
function firstLine(helper: ChildProcess, onWritten: (bytes: Uint8Array) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    let line = Buffer.alloc(0);
    let isWhole = false;
    const failed = (reason: string): void => {
      reject(new GridsealError("METER_PORT_FAILED", `cannot make a pseudo-terminal: ${reason}`));
    };
    helper.once("error", (error) => failed(error.message));
    helper.once("exit", (status) => failed(`its helper ended with status ${status}`));
    helper.stdout!.on("data", (bytes: Buffer) => {
      if (isWhole) return onWritten(bytes);
      line = Buffer.concat([line, bytes]);
      const end = line.indexOf(0x0a);
      if (end < 0) return;
      isWhole = true;
      resolve(line.toString("utf8", 0, end));
      if (end + 1 < line.length) onWritten(line.subarray(end + 1));
    });
  });
}

/** Path of the compiled pty.c: beside other caches of this user, named after the source's hash. */
function compiledHelper(): string {
  const source = fileURLToPath(new URL("pty.c", import.meta.url));
  const hash = createHash("sha256").update(readFileSync(source)).digest("hex").slice(0, 16);
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "gridseal");
  const binary = join(cache, `pty-${hash}`);
  if (existsSync(binary)) return binary;
  try {
    mkdirSync(cache, { recursive: true, mode: 0o700 });
  } catch (thrown) {
    throw new GridsealError("FILE_UNWRITABLE", `cannot make ${cache}: ${reasonOf(thrown)}`, { cause: thrown });
  }
  // Compiled under another name first: two processes may do so at once, and each must find a whole file.
  const unfinished = `${binary}.${process.pid}`;
  const compiler = spawnSync("cc", ["-O2", "-Wall", "-Wextra", "-o", unfinished, source], { encoding: "utf8" });
  if (compiler.status !== 0) {
    const reason = compiler.error?.message ?? compiler.stderr.trim();
    throw new GridsealError("NATIVE_TOOL_MISSING", `cannot compile ${source} with cc: ${reason}`);
  }
  renameSync(unfinished, binary);
  return binary;
}
