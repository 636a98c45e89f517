// Wi-Fi that comes back by itself, and the time by SNTP with how far it can be trusted. Nothing here waits: the agent runs, signs and
// stores without a network and before the time is known.

import WiFi from "embedded:network/interface/wifi";
// biome-ignore lint/style/useNodejsImportProtocol: the SDK's module of that name
import Net from "net";
import SNTP from "sntp";
import Time from "time";
import Timer from "timer";
import type { TimeQuality } from "../../src/host.js";

const CONNECTED = 500;
const RECONNECT_MS_MIN = 1_000;
const RECONNECT_MS_MAX = 60_000;
const SNTP_INTERVAL_MS = 3_600_000;
const SNTP_RETRY_MS = 30_000;
/** Without an answer for so long, the crystal may have drifted by seconds (10 ppm): the time is informative. */
const SYNCHRONISED_MS = 2 * 86_400_000;

export interface Station {
  readonly ssid: string;
  readonly password: string | undefined;
  /** host of the time server */
  readonly sntp: string;
}

export interface ChipNetwork {
  /** Why there is no network, or undefined where there is one. */
  down(): string | undefined;
  quality(): TimeQuality;
  resolve(host: string, done: (address: string | undefined) => void): void;
  describe(): string;
}

/** Starts the station; `uptime_ms` is monotonic. */
export function startNetwork(station: Station, uptime_ms: () => number, log: (message: string) => void): ChipNetwork {
  let address: string | undefined;
  let retry_ms = RECONNECT_MS_MIN;
  let syncedAt_ms: number | undefined;
  let isAsking = false;

  const connect = (): void => {
    const { ssid, password } = station;
    wifi.connect(password === undefined ? { SSID: ssid } : { SSID: ssid, password, secure: true });
  };

  const wifi = new WiFi({
    onChanged() {
      if (this.connection >= CONNECTED) {
        if (address === undefined) log(`Wi-Fi ${station.ssid}: ${this.address}`);
        address = this.address;
        retry_ms = RECONNECT_MS_MIN;
        askTime();
        return;
      }
      if (this.connection >= 400 || address === undefined) return;
      address = undefined;
      log(`Wi-Fi ${station.ssid} is lost`);
    },
  });

  // One loop and not the events: a station that never associates says nothing at all.
  const watch = (): void => {
    if (wifi.connection < CONNECTED) {
      wifi.disconnect();
      connect();
      retry_ms = Math.min(2 * retry_ms, RECONNECT_MS_MAX);
    }
    Timer.set(watch, Math.max(retry_ms, 10_000));
  };

  const askTime = (): void => {
    if (isAsking || address === undefined) return;
    isAsking = true;
    new SNTP({ host: station.sntp }, (message, value) => {
      if (message !== SNTP.time && message !== SNTP.error) return undefined;
      isAsking = false;
      if (message === SNTP.time) {
        Time.set(Number(value));
        syncedAt_ms = uptime_ms();
      }
      Timer.set(askTime, message === SNTP.time ? SNTP_INTERVAL_MS : SNTP_RETRY_MS);
      return undefined;
    });
  };

  connect();
  Timer.set(watch, 10_000);

  return {
    down: () => (address === undefined ? `Wi-Fi ${station.ssid} is not connected` : undefined),
    quality() {
      if (syncedAt_ms === undefined) return 0;
      return uptime_ms() - syncedAt_ms <= SYNCHRONISED_MS ? 2 : 1;
    },
    resolve: (host, done) => Net.resolve(host, (_host, found) => done(found)),
    describe: () =>
      address === undefined ? `${station.ssid}: not connected` : `${station.ssid}: ${address}, ${wifi.RSSI} dBm`,
  };
}
