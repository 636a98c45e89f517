// The host of meters that run in the SDK's simulator: a folder for what a chip has in flash, serial ports and TCP for meters, lines
// of JSON on stdout for what a chip shows by LED and console, and lines on stdin for what a test or the field engineer does to it.

import TCP from "embedded:io/socket/tcp";
import config from "mc/config";
import Timer from "timer";
import { openIdentity } from "../../src/agent/identity.js";
import type { Flash, Host, KeyValue, TimeQuality } from "../../src/host.js";
import type { PublicKey } from "../../src/wire/key.js";
import { aesCbcDecrypt } from "../shared/cbc.js";
import { answer, liveText } from "../shared/commands.js";
import type { Field, Setting } from "../shared/field.js";
import { aesGcmDecrypt } from "../shared/gcm.js";
import { connectMqtt, type Network } from "../shared/mqtt.js";
import { createUptime, NamedTimers } from "../shared/timers.js";
import { secureSocket } from "../shared/tls.js";
import { Updater } from "../shared/updater.js";
import * as machine from "./machine.js";
import { openPort } from "./port.js";
import { openSlots } from "./slots.js";

const FLASH_BYTES = 1 << 20;
const SECTOR_BYTES = 4096;
const KEY_CHARACTERS_MAX = 15;
/** Status of a process that ended by an exception, as a watchdog's reset ends a chip's run. */
const FAULT = 70;

const RESTART_MS = 50;

/** What a test sets: how far the clock is off, and what it says of itself. */
const clock: { offset_ms: number; quality: TimeQuality } = { offset_ms: 0, quality: 2 };
setClock(machine.variable("GRIDSEAL_CLOCK")?.split(" ") ?? ["0", "2"]);

machine.paintStack();
machine.enter();
const flashBytes = machine.flashOpen("outbox.flash", FLASH_BYTES);

leaveReason();
const timers = new NamedTimers();
const uptime_ms = createUptime();
const random = (length: number): Uint8Array => new Uint8Array(machine.random(length));
const shown: { state: string; counters: Readonly<Record<string, number>> } = { state: "starts", counters: {} };
const live = { until_ms: 0 };

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
  socket: (secure, name) =>
    secure ? secureSocket(name, machine.readFile("broker-ca.der"), knownTime_ms) : { io: TCP },
  down: () => undefined,
};

const updater = openUpdater();

const host: Host = {
  platform: "simulator",
  configuration: () => readText("configuration.json") ?? "",
  now: () => ({ time_ms: Date.now() + clock.offset_ms, quality: clock.quality }),
  uptime_ms,
  random,
  keyValue,
  outboxFlash,
  openMeter(port, line, onBytes) {
    const show = (bytes: Uint8Array): void => {
      if (live.until_ms > 0 && uptime_ms() < live.until_ms) print({ live: liveText(bytes) });
      return onBytes(bytes);
    };
    return openPort(port, line, show, (reason) => log("error", reason));
  },
  aesGcmDecrypt,
  aesCbcDecrypt,
  connectMqtt(options, events) {
    const heard = {
      ...events,
      onConnected() {
        updater?.brokerReached();
        events.onConnected();
      },
    };
    return connectMqtt(options, heard, network);
  },
  ...(updater !== undefined && { watchUpdates: (url: string, signer: PublicKey) => updater.watch(url, signer) }),
  setTimer: (name, delay_ms, callback) => timers.set(name, delay_ms, callback),
  clearTimer: (name) => timers.clear(name),
  log,
  showState(state, counters) {
    shown.state = state;
    shown.counters = { ...counters, portOverruns: machine.serialOverruns() };
    print(shown);
  },
};

listen();

export default host;

function pathOf(key: string): string {
  if (key.length === 0 || key.length > KEY_CHARACTERS_MAX || !/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(key))
    throw new RangeError(`key must be 1 to ${KEY_CHARACTERS_MAX} letters, digits, "_", "." or "-", got ${key}`);
  return `keyvalue/${key}`;
}

function print(message: object): void {
  machine.print(JSON.stringify(message));
}

/** An offset in milliseconds, a quality. */
function setClock([offset_ms, quality]: readonly (string | undefined)[]): void {
  clock.offset_ms = Number(offset_ms);
  clock.quality = Number(quality) as TimeQuality;
}

function knownTime_ms(): number | undefined {
  return clock.quality === 0 ? undefined : Date.now() + clock.offset_ms;
}

function log(level: string, message: string): void {
  print({ level, message });
}

function readText(path: string): string | undefined {
  const bytes = machine.readFile(path);
  return bytes === undefined ? undefined : String.fromArrayBuffer(bytes);
}

/** Where the bootloader has set up slots, images are updated as on a chip. */
function openUpdater(): Updater | undefined {
  const slots = openSlots();
  if (slots === undefined) return undefined;
  const version = Number(config.version);
  return new Updater({ board: config.board, version, slots, keyValue, network, timers, uptime_ms, random, log });
}

/** What the console's commands find here. */
function openField(): Field {
  const path = (setting: Setting): string =>
    setting === "configuration" ? "configuration.json" : `keyvalue/${setting}`;
  return {
    shown,
    describe: () => [
      updater?.describe() ?? "no slots for firmware",
      `meter port full ${machine.serialOverruns()} times`,
    ],
    get: (setting) => readText(path(setting)),
    set: (setting, value) => machine.replaceFile(path(setting), new Uint8Array(ArrayBuffer.fromString(value))),
    remove: (setting) => machine.removeFile(path(setting)),
    // There is no radio: a locally administered address of the key stands for it.
    mac: () => `02${openIdentity(keyValue, random).id.slice(0, 10)}`,
    uptime_ms,
    signer: () => openIdentity(keyValue, random).signer,
    credential: () => keyValue.get("credential"),
    storeCredential: (credential) => keyValue.set("credential", credential),
    ca() {
      const certificate = machine.readFile("broker-ca.der");
      return certificate === undefined ? undefined : new Uint8Array(certificate);
    },
    storeCa: (certificate) => machine.replaceFile("broker-ca.der", certificate),
    live(duration_ms) {
      live.until_ms = uptime_ms() + duration_ms;
    },
    update: updater === undefined ? undefined : () => updater.ask(),
    restart: () => void Timer.set(() => machine.restart(), RESTART_MS),
  };
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

/** A line each: `clock OFFSET_MS QUALITY`, `fail`, `use`, and `console LINE` of the field engineer. */
function listen(): void {
  const engine = globalThis as { command?: (line: string) => void };
  const field = openField();
  engine.command = (line) => {
    const [command, first, second] = line.split(" ");
    switch (command) {
      case "clock":
        setClock([first, second]);
        return;
      case "fail":
        Timer.set(() => {
          throw new Error("told to fail");
        });
        return;
      case "console":
        print({ console: answer(field, line.slice(command.length + 1)) });
        return;
      case "use":
        machine.print(`{"use":${machine.use()}}`);
    }
  };
}
