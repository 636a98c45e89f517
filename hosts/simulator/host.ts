// The host of meters that run in the SDK's simulator: a folder for what a chip has in flash, serial ports and TCP for meters, lines
// of JSON on stdout for what a chip shows by LED and console, and lines on stdin for what a test does to it.

import TCP from "embedded:io/socket/tcp";
import Net from "net";
import type { Flash, Host, KeyValue, TimeQuality } from "../../src/host.js";
import { connectMqtt, type Network } from "../shared/mqtt.js";
import { createTimers, createUptime } from "../shared/timers.js";
import * as machine from "./machine.js";
import { openPort } from "./port.js";

const FLASH_BYTES = 1 << 20;
const SECTOR_BYTES = 4096;
const KEY_CHARACTERS_MAX = 15;
/** Status of a process that ended by an exception, as a watchdog's reset ends a chip's run. */
const FAULT = 70;

/** What a test sets: how far the clock is off, and what it says of itself. */
const clock: { offset_ms: number; quality: TimeQuality } = { offset_ms: 0, quality: 2 };

machine.paintStack();
machine.enter();
machine.flashOpen("outbox.flash", FLASH_BYTES);

const timers = createTimers();
const uptime_ms = createUptime();

const outboxFlash: Flash = {
  size: FLASH_BYTES,
  sectorSize: SECTOR_BYTES,
  read: (offset, length) => new Uint8Array(machine.flashRead(offset, length)),
  write: machine.flashWrite,
  erase: (offset) => machine.flashErase(offset, SECTOR_BYTES),
};

const keyValue: KeyValue = {
  get(key) {
    const value = machine.readFile(pathOf(key));
    return value === undefined ? undefined : new Uint8Array(value);
  },
  set: (key, value) => machine.replaceFile(pathOf(key), value),
  delete: (key) => machine.removeFile(pathOf(key)),
};

const network: Network = {
  resolve: (host, done) => Net.resolve(host, (_host, address) => done(address)),
  socket: () => ({ io: TCP }),
  down: () => undefined,
};

const host: Host = {
  platform: "simulator",
  configuration() {
    const document = machine.readFile("configuration.json");
    return document === undefined ? "" : String.fromArrayBuffer(document);
  },
  now: () => ({ time_ms: Date.now() + clock.offset_ms, quality: clock.quality }),
  uptime_ms,
  random: (length) => new Uint8Array(machine.random(length)),
  keyValue,
  outboxFlash,
  openMeter: (port, onBytes) => openPort(port, guarded(onBytes), (reason) => log("error", reason)),
  connectMqtt: (options, events) =>
    connectMqtt(
      options,
      {
        onConnected: guarded(() => events.onConnected()),
        onPublished: guarded((packetId) => events.onPublished(packetId)),
        onMessage: guarded((topic, payload) => events.onMessage(topic, payload)),
        onClosed: guarded((reason) => events.onClosed(reason)),
      },
      network,
    ),
  setTimer: (name, delay_ms, callback) => timers.set(name, delay_ms, guarded(callback)),
  clearTimer: (name) => timers.clear(name),
  log,
  showState: (state, counters) => machine.print(JSON.stringify({ state, counters })),
};

listen();

export default host;

function pathOf(key: string): string {
  if (key.length === 0 || key.length > KEY_CHARACTERS_MAX || !/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(key))
    throw new RangeError(`key must be 1 to ${KEY_CHARACTERS_MAX} letters, digits, "_", "." or "-", got ${key}`);
  return `keyvalue/${key}`;
}

function log(level: string, message: string): void {
  machine.print(JSON.stringify({ level, message }));
}

/** An exception of the agent ends this run, as it ends one on a chip: some of the SDK's callbacks would swallow it. */
function guarded<Arguments extends readonly unknown[]>(
  callback: (...values: Arguments) => void,
): (...values: Arguments) => void {
  return (...values) => {
    try {
      callback(...values);
    } catch (thrown) {
      log("error", thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
      machine.exit(FAULT);
    }
  };
}

/** Commands, a line each: `clock OFFSET_MS QUALITY`, `cut BYTES`, `use`. */
function listen(): void {
  const { screen } = globalThis as unknown as { screen: { context?: object } };
  screen.context = {
    onMessage: guarded((line: string) => {
      const [command, first, second] = line.split(" ");
      switch (command) {
        case "clock":
          clock.offset_ms = Number(first);
          clock.quality = Number(second) as TimeQuality;
          return;
        case "cut":
          machine.cutAfter(Number(first));
          return;
        case "use":
          machine.print(`{"use":${machine.use()}}`);
      }
    }),
  };
}
