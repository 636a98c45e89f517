// One XS engine in a process of its own: the worker binary of @agoric/xsnap, spoken to in its netstrings over two pipes.
// The package's own JavaScript is not used: it wants the whole process under SES lockdown, which freezes what other libraries patch.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { MESSAGE_BYTES_MAX } from "../../hosts/xsnap/octets.js";
import { GridsealError } from "../errors.js";
import { createNetstringReader, netstring } from "./netstring.js";

export interface WorkerOptions {
  /** Shown in the process list. */
  readonly name: string;
  /** Answers a synchronous call of the XS program; must not throw. */
  onCall(request: Uint8Array): Uint8Array;
  /** A line that the engine or the program printed. */
  onPrint(line: string): void;
  /** The process is gone, for any reason; said once. */
  onExit(reason: string): void;
}

export interface Worker {
  readonly pid: number | undefined;
  /** Runs a script; rejects with the text of what it threw. */
  evaluate(script: string): Promise<void>;
  /** Hands a message to the program's `handleCommand`; rejects with the text of what it threw. */
  deliver(message: Uint8Array): Promise<void>;
  /** Ends the process at once, as a power cut ends a meter. */
  kill(): void;
}

/** A delivery that takes longer is a program that hangs: the process is killed, as a watchdog resets a chip. */
const DELIVERY_MS_MAX = 30_000;
/** An answer carries the engine's statistics (up to some 15 kB of timestamps) before the program's own bytes. */
const ANSWER_BYTES_MAX = MESSAGE_BYTES_MAX + 65_536;
const PRINTED_LINE_MAX = 2_000;

/** The kinds of the worker's messages (xsnap-worker.c). */
const QUERY = 0x3f; // "?"
const ANSWER = 0x2f; // "/"
const EVALUATE = 0x65; // "e"
const DONE = 0x2e; // "."
const THREW = 0x21; // "!"

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

/** Starts an XS engine with nothing in it. */
export function startWorker(options: WorkerOptions): Worker {
  const child = spawnBinary(options.name);
  const toWorker = child.stdio[3] as Writable;
  const fromWorker = child.stdio[4] as Readable;
  let waiting: Waiter | undefined;
  let watchdog: NodeJS.Timeout | undefined;
  let exited = false;
  function end(reason: string): void {
    if (exited) return;
    exited = true;
    clearTimeout(watchdog);
    child.kill("SIGKILL");
    waiting?.reject(new Error(reason));
    waiting = undefined;
    options.onExit(reason);
  }

  function answer(outcome: (waiter: Waiter) => void): void {
    clearTimeout(watchdog);
    const waiter = waiting;
    waiting = undefined;
    if (waiter === undefined) return end("the engine answered what it was not asked");
    outcome(waiter);
  }

  function receive(message: Buffer): void {
    const body = message.subarray(1);
    switch (message[0]) {
      case QUERY:
        toWorker.write(netstring(ANSWER, options.onCall(body)));
        break;
      case DONE:
        answer((waiter) => waiter.resolve());
        break;
      case THREW:
        answer((waiter) => waiter.reject(new Error(body.toString("utf8"))));
        break;
      default:
        end("the engine sent a message of an unknown kind");
    }
  }

  function send(prefix: number, body: Uint8Array): Promise<void> {
    if (exited) return Promise.reject(new Error("the engine has ended"));
    if (waiting !== undefined) return Promise.reject(new Error("the engine is busy with another message"));
    return new Promise((resolve, reject) => {
      waiting = { resolve, reject };
      watchdog = setTimeout(end, DELIVERY_MS_MAX, `the program hung for ${DELIVERY_MS_MAX} ms: watchdog reset`);
      toWorker.write(netstring(prefix, body));
    });
  }

  const read = createNetstringReader(ANSWER_BYTES_MAX, receive);
  fromWorker.on("data", (chunk: Buffer) => {
    const refusal = exited ? undefined : read(chunk);
    if (refusal !== undefined) end(refusal);
  });
  // A pipe breaks before the exit that is the reason is known; where it broke by itself, this brings the exit about.
  for (const pipe of [toWorker, fromWorker]) pipe.on("error", () => child.kill("SIGKILL"));
  for (const output of [child.stdout, child.stderr]) printLines(output as Readable, options.onPrint);
  child.on("error", (error) => end(`the engine did not start: ${error.message}`));
  child.on("exit", (code, signal) => end(exitReason(code, signal)));

  return {
    pid: child.pid,
    evaluate: (script) => send(EVALUATE, Buffer.from(script)),
    deliver: (message) => send(QUERY, message),
    kill: () => end("killed"),
  };
}

function spawnBinary(name: string): ChildProcess {
  return spawn(binary(), [`meter-${name}`], {
    stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
    // A session of its own, so that Ctrl-C reaches the command alone and meters are stopped in order. A worker whose
    // parent is gone reads the end of its pipe and ends.
    detached: true,
    // The chip knows no time zone.
    env: { TZ: "UTC" },
  });
}

function binary(): string {
  const folder = dirname(createRequire(import.meta.url).resolve("@agoric/xsnap/package.json"));
  const platform = process.platform === "darwin" ? "mac" : "lin";
  const path = join(folder, "xsnap-native/xsnap/build/bin", platform, "release/xsnap-worker");
  if (existsSync(path)) return path;
  throw new GridsealError(
    "NATIVE_TOOL_MISSING",
    `the XS engine was not compiled when its package was installed: ${path}`,
  );
}

/** The exit statuses that xsnap-worker.c gives its own names. */
const exitStatuses: Readonly<Record<number, string>> = {
  2: "its pipe broke",
  11: "not enough memory",
  12: "stack overflow",
  15: "unhandled exception",
  16: "too many property names",
};

function exitReason(code: number | null, signal: NodeJS.Signals | null): string {
  if (code === null) return `the engine was ended by ${signal}`;
  return `the engine exited: ${exitStatuses[code] ?? `status ${code}`}`;
}

function printLines(output: Readable, onPrint: (line: string) => void): void {
  let rest = "";
  output.setEncoding("utf8");
  output.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = (lines.pop() ?? "").slice(0, PRINTED_LINE_MAX);
    for (const line of lines) onPrint(line.slice(0, PRINTED_LINE_MAX));
  });
}
