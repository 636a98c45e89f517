// The host of meters that run in the SDK's simulator: a folder for what a chip has in flash, serial ports and TCP for meters, lines
// of JSON on stdout for what a chip shows by LED and console, and lines on stdin for what a test does to it.

import TCP from "embedded:io/socket/tcp";
import type { Flash, Host, KeyValue, TimeQuality } from "../../src/host.js";
import { aesGcmDecrypt } from "../shared/gcm.js";
import { connectMqtt, type Network } from "../shared/mqtt.js";
import { queued } from "../shared/queue.js";
import { createUptime, NamedTimers } from "../shared/timers.js";
import { secureSocket } from "../shared/tls.js";
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
const flashBytes = machine.flashOpen("outbox.flash", FLASH_BYTES);

leaveReason();
const timers = new NamedTimers();
const uptime_ms = createUptime();

const outboxFlash: Flash = {
  size: flashBytes,
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
  resolve: (host, done) => done(machine.resolve(host)),
  socket: (secure, name) => (secure ? secureSocket(name, machine.readFile("broker-ca.der")) : { io: TCP }),
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
  openMeter: (port, line, onBytes) => openPort(port, line, queued(onBytes), (reason) => log("error", reason)),
  aesGcmDecrypt,
  connectMqtt: (options, events) => connectMqtt(options, events, network),
  setTimer: (name, delay_ms, callback) => timers.set(name, delay_ms, callback),
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

/** Ends this run and leaves the reason for the next one. */
function fail(reason: string): void {
  log("error", `${reason} ${machine.use()}`);
  machine.replaceFile("abort.txt", new Uint8Array(ArrayBuffer.fromString(reason)));
  machine.exit(FAULT);
}

/** Tells why the run before ended, if it failed, and sees to it that this one does so too. */
function leaveReason(): void {
  const reason = machine.readFile("abort.txt");
  if (reason !== undefined) {
    log("warn", `the run before failed: ${String.fromArrayBuffer(reason)}`);
    machine.removeFile("abort.txt");
  }
  const engine = globalThis as { abort?: (what: string, thrown: unknown) => void };
  engine.abort = (what, thrown) =>
    fail(`${what}: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`);
}

/** Commands, a line each: `clock OFFSET_MS QUALITY`, `use`. */
function listen(): void {
  const engine = globalThis as { command?: (line: string) => void };
  engine.command = (line) => {
    const [command, first, second] = line.split(" ");
    switch (command) {
      case "clock":
        clock.offset_ms = Number(first);
        clock.quality = Number(second) as TimeQuality;
        return;
      case "use":
        machine.print(`{"use":${machine.use()}}`);
    }
  };
}
