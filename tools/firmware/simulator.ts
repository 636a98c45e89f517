// A simulated meter as a process: the firmware's program, the meter's folder, and what it prints.

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { SimulatorBuild } from "./builds.js";

/** What a meter prints, a line of JSON each. */
export type SimulatorMessage =
  | { readonly level: "debug" | "info" | "warn" | "error"; readonly message: string }
  | { readonly state: string; readonly counters: Readonly<Record<string, number>> }
  | { readonly use: MemoryUse }
  /** the answer to `console LINE` */
  | { readonly console: string }
  /** bytes of the meter's port, where the console asked for them */
  | { readonly live: string }
  | { readonly result: unknown };

/** What the engine has reserved since its start: chunks in bytes, slots and the deepest stack in slots. */
export interface MemoryUse {
  readonly chunkBytes: number;
  readonly slots: number;
  readonly stackSlotsUsed: number;
  readonly stackSlots: number;
  readonly keys: number;
  /** sectors erased, writes to flash, and values replaced in the key-value store */
  readonly erases: number;
  readonly writes: number;
  readonly values: number;
  /** in use after a collection */
  readonly liveChunkBytes: number;
  readonly liveSlots: number;
}

export interface Simulator {
  readonly pid: number | undefined;
  /** The last state that was shown. */
  readonly state: string | undefined;
  readonly counters: Readonly<Record<string, number>>;
  /** A command of hosts/simulator/host.ts. */
  send(line: string): void;
  /** exit status; null where a signal ended it */
  readonly ended: Promise<number | null>;
  /** Ends it as a power cut does. */
  kill(): Promise<number | null>;
}

/** Status of a process whose power was cut where it was told (hosts/simulator/native.c). */
export const POWER_CUT = 86;

export interface SimulatorSettings {
  /** how much faster than the world's its clock runs; 1 where it is left out */
  readonly speed?: number;
  /** how many times as long as here each step takes, by the CPU's time; as fast as it goes where it is left out */
  readonly slowness?: number;
  /** memory of the whole machine at 16 bytes a slot; what the manifest states where it is left out */
  readonly poolBytes?: number;
  /** of the pool, for the stack; what the manifest states where it is left out */
  readonly stackSlots?: number;
  /** how far its clock is off at the start, and what it says of itself; synchronised where it is left out */
  readonly clock?: { readonly offset_ms: number; readonly quality: number };
  /** when the power goes; it stays where it is left out */
  readonly cut?: PowerCut;
}

/** What a meter writes to its flash: of the outbox, of the key-value store (`value`), of the other slot's image. */
export type WriteKind = "entry" | "committed" | "done" | "retired" | "header" | "erased" | "value" | "image";

/** In the so-manieth write of a kind from the start on, counted from 1, after so many bytes of it or behind its end. */
export interface PowerCut {
  readonly write: WriteKind;
  readonly nth: number;
  readonly bytes: number;
}

/** Starts the meter whose folder this is. */
export function startSimulator(
  { program, bootloader }: SimulatorBuild,
  folder: string,
  onMessage: (message: SimulatorMessage) => void,
  { speed = 1, poolBytes = 0, stackSlots = 0, slowness, clock, cut }: SimulatorSettings = {},
): Simulator {
  // No time zone: the chip knows none.
  const settings = [speed, poolBytes, stackSlots].map(String);
  const child: ChildProcess = spawn(bootloader, [program, folder, ...settings], {
    stdio: ["pipe", "pipe", "pipe"],
    env: {
      TZ: "UTC",
      ...(slowness !== undefined && { GRIDSEAL_SLOWNESS: String(slowness) }),
      ...(clock !== undefined && { GRIDSEAL_CLOCK: `${clock.offset_ms} ${clock.quality}` }),
      ...(cut !== undefined && { GRIDSEAL_CUT: `${cut.write} ${cut.nth} ${cut.bytes}` }),
    },
  });
  let state: string | undefined;
  let counters: Readonly<Record<string, number>> = {};
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  child.stdin!.on("error", () => {});
  createInterface({ input: child.stdout! }).on("line", (line) => {
    const message = parse(line);
    if ("state" in message) ({ state, counters } = message);
    onMessage(message);
  });
  createInterface({ input: child.stderr! }).on("line", (message) => onMessage({ level: "error", message }));
  return {
    pid: child.pid,
    get state() {
      return state;
    },
    get counters() {
      return counters;
    },
    send: (line) => void child.stdin!.write(`${line}\n`),
    ended,
    kill() {
      child.kill("SIGKILL");
      return ended;
    },
  };
}

/** The SDK's own modules print lines of text. */
function parse(line: string): SimulatorMessage {
  try {
    return JSON.parse(line) as SimulatorMessage;
  } catch {
    return { level: "debug", message: line };
  }
}
