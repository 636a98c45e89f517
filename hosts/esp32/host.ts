// The host of meters on an ESP32: NVS, a raw flash partition, the UART, Wi-Fi, SNTP, the watchdog, and an image on trial after an update.

import Digital from "embedded:io/digital";
import TCP from "embedded:io/socket/tcp";
import flashStorage from "embedded:storage/flash";
import keyValueStorage, { type Storage } from "embedded:storage/key-value";
import Timer from "timer";
import type { Flash, Host, KeyValue } from "../../src/host.js";
import { aesGcmDecrypt } from "../shared/gcm.js";
import { connectMqtt } from "../shared/mqtt.js";
import { queued } from "../shared/queue.js";
import { createUptime, NamedTimers } from "../shared/timers.js";
import { secureSocket } from "../shared/tls.js";
import * as chip from "./chip.js";
import { openConsole } from "./console.js";
import { openLed } from "./led.js";
import { startNetwork } from "./network.js";
import { openPort } from "./port.js";

/** The watchdog's time is in sdkconfig.defaults: 30 s. */
const FEED_MS = 5_000;
/** An image that has not reached a broker by then is given up. */
const TRIAL_MS = 600_000;
const SNTP_HOST = "pool.ntp.org";
const LIVE_FRAMES_MS = 60_000;

/** esp_reset_reason_t (ESP-IDF, esp_system.h) */
const resetReasons = [
  "unknown",
  "power on",
  "external pin",
  "software",
  "panic",
  "interrupt watchdog",
  "task watchdog",
  "other watchdog",
  "deep sleep",
  "brownout",
  "SDIO",
];

const settings = keyValueStorage.open({ path: "settings", format: "buffer" });
const timers = new NamedTimers();
const uptime_ms = createUptime();
const setting = (key: string): string | undefined => {
  const value = settings.read(key);
  return value === undefined ? undefined : String.fromArrayBuffer(value);
};

const shown: { state: string; counters: Readonly<Record<string, number>> } = { state: "starts", counters: {} };
const live = { until_ms: 0 };
const showLed = openLed();
const network = startNetwork(
  { ssid: setting("ssid") ?? "", password: setting("password"), sntp: setting("sntp") ?? SNTP_HOST },
  uptime_ms,
  (message) => log("info", message),
);
const field = openConsole({
  state: {
    help: "what is wrong, if anything",
    run: () => `${shown.state}; ${network.describe()}; last reset: ${resetReason()}`,
  },
  counters: { help: "everything that is counted", run: () => JSON.stringify({ ...shown.counters }) },
  live: {
    help: "shows the meter's bytes for a minute",
    run() {
      live.until_ms = uptime_ms() + LIVE_FRAMES_MS;
      return "bytes of the meter follow";
    },
  },
  wifi: {
    help: "wifi SSID PASSWORD: joins this network from the next start on",
    run(rest) {
      const end = rest.indexOf(" ");
      put(settings, "ssid", end < 0 ? rest : rest.slice(0, end));
      if (end < 0) settings.delete("password");
      else put(settings, "password", rest.slice(end + 1));
      return "stored: restart";
    },
  },
  configuration: {
    help: "configuration JSON: stores the agent's document; without one, shows it",
    run(rest) {
      if (rest === "") return setting("configuration") ?? "none";
      JSON.parse(rest);
      put(settings, "configuration", rest);
      return "stored: restart";
    },
  },
  key: {
    help: "shows the meter's public key, for which the authority issues a credential",
    run: () => setting("publicKey") ?? "the meter shows its key in the log of its first start",
  },
  credential: {
    help: "credential HEX: stores what the authority issued for this meter's key",
    run(rest) {
      const bytes = rest.match(/^(?:[0-9a-f]{2})+$/i) === null ? undefined : Uint8Array.fromHex(rest);
      if (bytes === undefined) return "a credential is given in hexadecimal digits";
      keyValue.set("credential", bytes);
      return "stored: restart";
    },
  },
  restart: {
    help: "starts anew",
    run() {
      Timer.set(() => chip.restart(), 100);
      return "restarts";
    },
  },
});

const keyValue = openKeyValue(keyValueStorage.open({ path: "gridseal", format: "buffer" }));

const host: Host = {
  platform: "esp32",
  configuration: () => setting("configuration") ?? "",
  now: () => ({ time_ms: Date.now(), quality: network.quality() }),
  uptime_ms,
  random: (length) => new Uint8Array(chip.random(length)),
  keyValue,
  outboxFlash: openFlash("outbox"),
  aesGcmDecrypt,
  openMeter(port, line, onBytes) {
    const take = queued(onBytes);
    const show = (bytes: Uint8Array): void => {
      if (uptime_ms() < live.until_ms) field.print(bytes.toHex());
      take(bytes);
    };
    return openPort(port, line, show, (reason) => log("error", reason));
  },
  connectMqtt(options, events) {
    const kept = {
      ...events,
      onConnected() {
        keepImage();
        events.onConnected();
      },
    };
    return connectMqtt(options, kept, {
      resolve: network.resolve,
      down: network.down,
      socket: (secure, name) => (secure ? secureSocket(name, settings.read("brokerCa")) : { io: TCP }),
    });
  },
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
  log("info", `starts after ${resetReason()}; ${setting("abort") ?? "the last run did not fail"}`);
  if (device.request !== undefined) new Digital({ pin: device.request.pin, mode: Digital.Output }).write(1);
  chip.watch();
  Timer.repeat(() => chip.feed(), FEED_MS);
  if (chip.isOnTrial()) Timer.set(() => chip.isOnTrial() && chip.dropImage(), TRIAL_MS);
}

/** An image that reached a broker can be updated again: it stays. */
function keepImage(): void {
  if (!chip.isOnTrial()) return;
  chip.keepImage();
  log("info", "the updated image stays");
}

function resetReason(): string {
  return resetReasons[chip.resetReason()] ?? "unknown";
}

function log(level: string, message: string): void {
  field.print(`${level} ${message}`);
}

/** An exception restarts the chip; its reason is kept for the next start. */
function fail(reason: string): void {
  put(settings, "abort", `the last run failed: ${reason}`);
  chip.restart();
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
