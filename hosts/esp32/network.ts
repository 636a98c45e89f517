// Wi-Fi that comes back by itself, and the time by SNTP. Nothing here waits: the agent runs, signs and stores without a network and
// before the time is known.

import WiFi from "embedded:network/interface/wifi";
// biome-ignore lint/style/useNodejsImportProtocol: the SDK's module of that name
import Net from "net";
import SNTP from "sntp";
import Time from "time";
import Timer from "timer";
import type { TimeQuality } from "../../src/host.js";
import { createClock, describeClock, judgeTime, qualityOf } from "./clock.js";
import { createStation, type StationInput, stepStation } from "./station.js";

const CONNECTED = 500;
/** below it the station is not associated; from it on it is, or tries to be */
const CONNECTING = 300;
/** How often the station is looked at: one that never associates may say nothing at all. */
const WATCH_MS = 1_000;
const LATER_MS = 500;

export interface NetworkOptions {
  /** "" where none has been set; what stands here when the station connects counts */
  ssid: string;
  password: string | undefined;
  /** host of the time server */
  readonly sntp: string;
  /** the chip's clock ran on through the last reset */
  readonly keptTime: boolean;
  readonly uptime_ms: () => number;
  /** a fraction below 1 */
  readonly random: () => number;
  readonly log: (message: string) => void;
}

export interface ChipNetwork {
  /** Why there is no network, or undefined where there is one. */
  down(): string | undefined;
  quality(): TimeQuality;
  resolve(host: string, done: (address: string | undefined) => void): void;
  /** lines for people */
  describe(): readonly string[];
}

/** Starts the station and asks for the time whenever there is a network. */
export function startNetwork(options: NetworkOptions): ChipNetwork {
  const { sntp, keptTime, uptime_ms, random, log } = options;
  const station = createStation(uptime_ms());
  const clock = createClock(keptTime, Date.now());
  let isAsking = false;

  const wifi = new WiFi({
    onChanged() {
      const { connection, address } = this;
      if (connection >= CONNECTED && address !== undefined) take({ kind: "up", address });
      else if (connection < CONNECTING) take({ kind: "down" });
    },
  });

  function take(input: StationInput): void {
    for (const effect of stepStation(station, input, uptime_ms(), random)) {
      switch (effect.kind) {
        case "connect":
          connect();
          break;
        case "disconnect":
          wifi.disconnect();
          break;
        case "online":
          log(`Wi-Fi ${options.ssid}: ${effect.address}`);
          Timer.set(askTime, LATER_MS);
          break;
        case "lost":
          log(`Wi-Fi ${options.ssid} is lost`);
      }
    }
  }

  /** The driver throws where it cannot even try. */
  function connect(): void {
    const { ssid, password } = options;
    try {
      wifi.connect(password === undefined ? { SSID: ssid } : { SSID: ssid, password, secure: true });
    } catch (thrown) {
      log(`Wi-Fi ${ssid}: ${String(thrown)}`);
      wifi.disconnect();
      take({ kind: "down" });
    }
  }

  function askTime(): void {
    if (isAsking || station.address === undefined) return;
    isAsking = true;
    try {
      new SNTP({ host: sntp }, (message, value) => {
        if (message === SNTP.time || message === SNTP.error) hear(message === SNTP.time ? Number(value) : undefined);
        return undefined;
      });
    } catch (thrown) {
      // It opens a socket, of which there may be none.
      log(`time server ${sntp}: ${String(thrown)}`);
      hear(undefined);
    }
  }

  function hear(answer_s: number | undefined): void {
    isAsking = false;
    const { set, askIn_ms } = judgeTime(clock, answer_s, Date.now(), uptime_ms());
    if (set) Time.set(answer_s!);
    Timer.set(askTime, askIn_ms);
  }

  /** The driver says nothing of a lease that ends, nor of a new address while it is connected. */
  function watch(): void {
    if (options.ssid === "") return;
    // Where the lease has ended the driver shows the address that the station gave itself, an IPv6 one.
    const address = wifi.address?.includes(":") ? undefined : wifi.address;
    if (station.address !== undefined && address !== station.address)
      take(address === undefined ? { kind: "unaddressed" } : { kind: "up", address });
    take({ kind: "timer" });
  }

  if (options.ssid === "") log("no Wi-Fi is set: wifi SSID PASSWORD on the console");
  Timer.repeat(watch, WATCH_MS);

  return {
    down() {
      const { ssid } = options;
      if (ssid === "") return "no Wi-Fi is set";
      return station.address === undefined ? `Wi-Fi ${ssid} is not connected` : undefined;
    },
    quality: () => qualityOf(clock, uptime_ms()),
    resolve: (host, done) => Net.resolve(host, (_host, found) => done(found)),
    describe() {
      const { address, losses, failures } = station;
      const where = address === undefined ? `not connected, ${failures} attempts` : `${address}, ${wifi.RSSI} dBm`;
      return [`network ${options.ssid || "none"}: ${where}, lost ${losses} times`, describeClock(clock, uptime_ms())];
    },
  };
}
