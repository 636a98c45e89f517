// The host of meters on an ESP32: NVS, a raw flash partition, the UART, Wi-Fi, SNTP, and two slots for images. What the field engineer
// asks for on the console finds its answers here. The SDK's own loop subscribes to the watchdog and feeds it in each turn.

import Digital from "embedded:io/digital";
import TCP from "embedded:io/socket/tcp";
import flashStorage from "embedded:storage/flash";
import keyValueStorage, { type Storage } from "embedded:storage/key-value";
import config from "mc/config";
// biome-ignore lint/style/useNodejsImportProtocol: the SDK's module of that name
import Net from "net";
import Timer from "timer";
import { openIdentity } from "../../src/agent/identity.js";
import type { Flash, Host, KeyValue } from "../../src/host.js";
import { aesCbcDecrypt } from "../shared/cbc.js";
import { liveText } from "../shared/commands.js";
import type { Field } from "../shared/field.js";
import { aesGcmDecrypt } from "../shared/gcm.js";
import { connectMqtt, type Network } from "../shared/mqtt.js";
import { createUptime, NamedTimers } from "../shared/timers.js";
import { secureSocket } from "../shared/tls.js";
import { Updater } from "../shared/updater.js";
import * as chip from "./chip.js";
import { FieldConsole } from "./console.js";
import { ImprovConsole } from "./improv.js";
import { describeStart, keepsTime } from "./last-run.js";
import { openLed } from "./led.js";
import { type NetworkOptions, startNetwork } from "./network.js";
import { openPort } from "./port.js";
import { openSlots } from "./slots.js";

const SNTP_HOST = "pool.ntp.org";
const RESTART_MS = 200;

leaveReasons();
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
const start = describeStart(lastReset, chip.leftReason(), chip.resets());
const wifi: NetworkOptions = {
  ssid: setting("ssid") ?? "",
  password: setting("password"),
  sntp: setting("sntp") ?? SNTP_HOST,
  keptTime: keepsTime(lastReset),
  uptime_ms,
  random: () => random(1)[0]! / 256,
  log: (message) => log("info", message),
};
const found: Field = {
  shown,
  describe: () => [...network.describe(), updater.describe(), start, `meter port full ${chip.serialOverruns()} times`],
  get: setting,
  set: (key, value) => put(settings, key, value),
  remove: (key) => settings.delete(key),
  mac: () => Net.get("MAC"),
  uptime_ms,
  signer: () => openIdentity(keyValue, random).signer,
  credential: () => keyValue.get("credential"),
  storeCredential: (credential) => keyValue.set("credential", credential),
  ca() {
    const certificate = settings.read("brokerCa");
    return certificate === undefined ? undefined : new Uint8Array(certificate);
  },
  storeCa: (certificate) => settings.write("brokerCa", certificate.slice().buffer as ArrayBuffer),
  live(duration_ms) {
    live.until_ms = uptime_ms() + duration_ms;
  },
  update: () => updater.ask(),
  restart() {
    chip.leaveReason("asked to restart");
    Timer.set(() => chip.restart(), RESTART_MS);
  },
};
// A manifest may leave Improv out: nothing of it is there then.
const field =
  ImprovConsole === undefined ? new FieldConsole(found) : new ImprovConsole(found, wifi, () => network.down());
const network = startNetwork(wifi);
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
    const show = (bytes: Uint8Array): void => {
      if (live.until_ms > 0 && uptime_ms() < live.until_ms) field.print(liveText(bytes));
      return onBytes(bytes);
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
    shown.counters = { ...counters, portOverruns: chip.serialOverruns() };
    showLed(state);
  },
};

log("info", start);
if (device.request !== undefined) new Digital({ pin: device.request.pin, mode: Digital.Output }).write(1);

export default host;

/** An exception restarts the chip, whatever throws from here on; the next run says why. */
function leaveReasons(): void {
  const engine = globalThis as { abort?: (what: string, thrown: unknown) => void };
  engine.abort = (what, thrown) => {
    chip.leaveReason(what);
    // Where memory ran out nothing was thrown, and there is none for words.
    if (thrown !== undefined)
      chip.leaveReason(`${what}: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`);
    chip.restart();
  };
}

function log(level: string, message: string): void {
  field.print(`${level} ${message}`);
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
