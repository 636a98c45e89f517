// Runs exercise-program.ts in a real meter and lets a test command it.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { buildMeterBundle } from "../../tools/build.mjs";
import { type Meter, type MeterOptions, startMeter } from "../../tools/meters/meter.js";

/** Bytes are hexadecimal. */
export type Command =
  | { readonly do: "describe" }
  | { readonly do: "throw" }
  | { readonly do: "globals"; readonly names: readonly string[] }
  | { readonly do: "random"; readonly length: number }
  | { readonly do: "get" | "delete"; readonly key: string }
  | { readonly do: "set"; readonly key: string; readonly value: string }
  | { readonly do: "read"; readonly offset: number; readonly length: number }
  | { readonly do: "write"; readonly offset: number; readonly bytes: string }
  | { readonly do: "erase"; readonly offset: number }
  | { readonly do: "timer"; readonly name: string; readonly delay_ms: number; readonly label: string }
  | { readonly do: "clear"; readonly name: string }
  | { readonly do: "show"; readonly state: string; readonly counters: Readonly<Record<string, number>> }
  | { readonly do: "sign"; readonly message: string; readonly seed: string }
  | { readonly do: "verify"; readonly signature: string; readonly message: string; readonly publicKey: string }
  | { readonly do: "connect"; readonly options: ConnectOptions }
  | {
      readonly do: "publish";
      readonly connection: number;
      readonly packetId: number;
      readonly topic: string;
      readonly payload: string;
      readonly duplicate: boolean;
    }
  | { readonly do: "subscribe"; readonly connection: number; readonly topics: readonly string[] }
  | { readonly do: "close"; readonly connection: number };

export interface ConnectOptions {
  readonly url: string;
  readonly clientId: string;
  readonly keepAlive_s: number;
  readonly username?: string;
  readonly password?: string;
  readonly will?: { readonly topic: string; readonly payload: string };
}

export interface Exercise {
  readonly meter: Meter;
  /** What the program answered; `{ error }` where the host threw. */
  run(command: Command): Promise<unknown>;
  /** Sends a command that is not answered. */
  send(command: Command): void;
  /** The next thing the program reported of this kind, in the order it did. */
  next(event: string): Promise<Record<string, unknown>>;
  /** What was logged at the level `error`. */
  readonly errors: readonly string[];
  readonly states: readonly unknown[];
  /** Bytes at the meter's port. */
  feed(bytes: Uint8Array): void;
}

let program: Promise<string> | undefined;

/** A folder for a meter, removed after the test. */
export async function meterFolder(test: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "gridseal-meter-"));
  test.after(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, "configuration.json"), '{"purpose":"exercise"}');
  return directory;
}

/** Starts the exercise in `directory`; it is switched off after the test. */
export async function startExercise(
  test: TestContext,
  directory: string,
  options: Partial<MeterOptions> = {},
): Promise<Exercise> {
  program ??= buildMeterBundle(fileURLToPath(new URL("exercise-program.ts", import.meta.url)));
  const errors: string[] = [];
  const states: unknown[] = [];
  const reported: Record<string, unknown>[] = [];
  const waiting: {
    readonly isMine: (message: Record<string, unknown>) => boolean;
    readonly take: (message: Record<string, unknown>) => void;
  }[] = [];
  let receive: (bytes: Uint8Array) => void = () => {};
  let lastId = 0;

  function report(message: Record<string, unknown>): void {
    const waiter = waiting.findIndex(({ isMine }) => isMine(message));
    if (waiter < 0) reported.push(message);
    else waiting.splice(waiter, 1)[0]!.take(message);
  }

  function wait(isMine: (message: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    const found = reported.findIndex(isMine);
    if (found >= 0) return Promise.resolve(reported.splice(found, 1)[0]!);
    return new Promise((take) => waiting.push({ isMine, take }));
  }

  function send(command: Command): number {
    lastId += 1;
    receive(Buffer.from(`${JSON.stringify({ id: lastId, command })}\n`));
    return lastId;
  }

  const meter = await startMeter({
    name: "exercise",
    directory,
    program: await program,
    openPort(_configuration, onBytes) {
      receive = onBytes;
      return {
        close() {
          receive = () => {};
        },
      };
    },
    onState: (state, counters) => states.push({ state, counters }),
    onLog(level, message) {
      if (level === "info") report(JSON.parse(message));
      else if (level === "error") errors.push(message);
    },
    ...options,
  });
  test.after(() => meter.kill());
  return {
    meter,
    errors,
    states,
    async run(command) {
      const id = send(command);
      return (await wait((message) => message.id === id)).result;
    },
    send,
    next: (event) => wait((message) => message.event === event),
    feed: (bytes) => receive(bytes),
  };
}
