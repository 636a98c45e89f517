// The host of meters on an ESP32: NVS, a raw flash partition, the UART, Wi-Fi, SNTP, the watchdog, and two slots for
// images. What the field engineer asks for on the console finds its answers here.

import Digital from "embedded:io/digital";
import TCP from "embedded:io/socket/tcp";
import flashStorage from "embedded:storage/flash";
import keyValueStorage, { type Storage } from "embedded:storage/key-value";
import config from "mc/config";
import Timer from "timer";
import { openIdentity } from "../../src/agent/identity.js";
import type { Flash, Host, KeyValue } from "../../src/host.js";
import { aesCbcDecrypt } from "../shared/cbc.js";
import { liveText } from "../shared/commands.js";
import { aesGcmDecrypt } from "../shared/gcm.js";
import { connectMqtt, type Network } from "../shared/mqtt.js";
import { queued } from "../shared/queue.js";
import { createUptime, NamedTimers } from "../shared/timers.js";
import { secureSocket } from "../shared/tls.js";
import { Updater } from "../shared/updater.js";
import * as chip from "./chip.js";
import { FieldConsole } from "./console.js";
import { openLed } from "./led.js";
import { startNetwork } from "./network.js";
import { openPort } from "./port.js";
import { openSlots } from "./slots.js";

/** The watchdog's time is in sdkconfig.defaults: 30 s. */
const FEED_MS = 5_000;
const SNTP_HOST = "pool.ntp.org";
const RESTART_MS = 200;

/** esp_reset_reason_t (ESP-IDF, esp_system.h) */
const resetReasons = [
  "an unknown reset",
  "power on",
  "external pin",
  "restart",
  "panic",
  "interrupt watchdog",
  "task watchdog",
  "other watchdog",
  "deep sleep",
  "brownout",
  "SDIO",
];
const POWER_ON = 1;
const BROWNOUT = 9;

const settings = keyValueStorage.open({ path: "settings", format: "buffer" });
const keyValue = openKeyValue(keyValueStorage.open({ path: "gridseal", format: "buffer" }));
const random = (length: number): Uint8Array => new Uint8Array(chip.random(length));
const timers = new NamedTimers();
const uptime_ms = createUptime();
const setting = (key: string): string | undefined => {
  const value = settings.read(key);
  return value === undefined ? undefined : String.fromArrayBuffer(value);
};

const shown: { state: string; counters: Readonly<Record<string, number>> } = { state: "starts", counters: {} };
const live = { until_ms: 0 };
const showLed = openLed();
const lastReset = chip.resetReason();
const lastRun = setting("abort") ?? "the last run did not fail";
const field = new FieldConsole({
  shown,
  describe: () => [...network.describe(), updater.describe(), `last start after ${resetReason()}; ${lastRun}`],
  get: setting,
  set: (key, value) => put(settings, key, value),
  remove: (key) => settings.delete(key),
  key: () => openIdentity(keyValue, random).signer.key,
  storeCredential: (credential) => keyValue.set("credential", credential),
  storeCa: (certificate) => settings.write("brokerCa", certificate.slice().buffer as ArrayBuffer),
  live(duration_ms) {
    live.until_ms = uptime_ms() + duration_ms;
  },
  update: () => updater.ask(),
  restart: () => void Timer.set(() => chip.restart(), RESTART_MS),
});
const network = startNetwork({
  ssid: setting("ssid") ?? "",
  password: setting("password"),
  sntp: setting("sntp") ?? SNTP_HOST,
  keptTime: lastReset !== POWER_ON && lastReset !== BROWNOUT,
  uptime_ms,
  random: () => random(1)[0]! / 256,
  log: (message) => log("info", message),
});
const connections: Network = {
  resolve: network.resolve,
  down: network.down,
  socket: (secure, name) => (secure ? secureSocket(name, settings.read("brokerCa"), knownTime_ms) : { io: TCP }),
};
const updater = new Updater({
  board: config.board,
  version: Number(config.version),
  slots: openSlots(),
  keyValue,
  network: connections,
  timers,
  uptime_ms,
  random,
  log,
});

const host: Host = {
  platform: "esp32",
  configuration: () => setting("configuration") ?? "",
  now: () => ({ time_ms: Date.now(), quality: network.quality() }),
  uptime_ms,
  random,
  keyValue,
  outboxFlash: openFlash("outbox"),
  aesGcmDecrypt,
  aesCbcDecrypt,
  openMeter(port, line, onBytes) {
    const take = queued(onBytes);
    const show = (bytes: Uint8Array): void => {
      if (live.until_ms > 0 && uptime_ms() < live.until_ms) field.print(liveText(bytes));
      take(bytes);
    };
    return openPort(port, line, show, (reason) => log("error", reason));
  },
  connectMqtt(options, events) {
    const heard = {
      ...events,
      onConnected() {
        updater.brokerReached();
        events.onConnected();
      },
    };
    return connectMqtt(options, heard, connections);
  },
  watchUpdates: (url, signer) => updater.watch(url, signer),
  setTimer: (name, delay_ms, callback) => timers.set(name, delay_ms, callback),
  clearTimer: (name) => timers.clear(name),
  log,
  showState(state, counters) {
    if (state !== shown.state) field.print(`state: ${state}`);
    shown.state = state;
    shown.counters = counters;
    showLed(state);
  },
};

start();

export default host;

function start(): void {
  const engine = globalThis as { abort?: (what: string, thrown: unknown) => void };
  engine.abort = (what, thrown) =>
    fail(`${what}: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`);
  log("info", `starts after ${resetReason()}; ${lastRun}`);
  if (setting("abort") !== undefined) settings.delete("abort");
  if (device.request !== undefined) new Digital({ pin: device.request.pin, mode: Digital.Output }).write(1);
  chip.watch();
  Timer.repeat(() => chip.feed(), FEED_MS);
}

function resetReason(): string {
  return resetReasons[lastReset] ?? resetReasons[0]!;
}

function log(level: string, message: string): void {
  field.print(`${level} ${message}`);
}

/** An exception restarts the chip; its reason is kept for the next start. */
function fail(reason: string): void {
  put(settings, "abort", `the last run failed: ${reason}`);
  chip.restart();
}

/** Undefined before the first answer of a time server. */
function knownTime_ms(): number | undefined {
  return network.quality() === 0 ? undefined : Date.now();
}

function put(storage: Storage, key: string, value: string): void {
  storage.write(key, ArrayBuffer.fromString(value));
}

/** NVS: a value is old or new after a power cut (ESP-IDF, Non-Volatile Storage). */
function openKeyValue(storage: Storage): KeyValue {
  return {
    get(key) {
      const value = storage.read(key);
      return value === undefined ? undefined : new Uint8Array(value);
    },
    set: (key, value) => storage.write(key, value.slice().buffer as ArrayBuffer),
    delete: (key) => storage.delete(key),
  };
}

function openFlash(path: string): Flash {
  const partition = flashStorage.open({ path });
  const { size, blockLength: sectorSize } = partition.status();
  return {
    size,
    sectorSize,
    read: (offset, length) => new Uint8Array(partition.read(length, offset)),
    write: (offset, bytes) => partition.write(bytes.slice().buffer as ArrayBuffer, offset),
    erase(offset) {
      const block = offset / sectorSize;
      partition.eraseBlock(block, block + 1);
    },
  };
}
