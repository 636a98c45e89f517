// What a host supplies to the field engineer's console.

import type { Signer } from "../../src/wire/key.js";

/** The platform under the console. */
export interface Field {
  /** the agent's state as it was shown last, and its counters */
  readonly shown: { readonly state: string; readonly counters: Readonly<Record<string, number>> };
  /** further lines about the device: network, time, firmware, last reset */
  describe(): readonly string[];
  /** 12 hex digits, colons between or not, that name the device before it has a key; undefined where the radio is not up yet */
  mac(): string | undefined;
  /** since the last start */
  uptime_ms(): number;
  /** settings are text; undefined where one is not set */
  get(setting: Setting): string | undefined;
  set(setting: Setting, value: string): void;
  remove(setting: Setting): void;
  /** the meter's key, made where there is none yet */
  signer(): Signer;
  credential(): Uint8Array | undefined;
  storeCredential(credential: Uint8Array): void;
  /** DER of the certificate that brokers' and servers' are checked against, the network's */
  ca(): Uint8Array | undefined;
  storeCa(certificate: Uint8Array): void;
  /** shows the bytes of the meter's port for so long; 0 ends it */
  live(duration_ms: number): void;
  /** looks for newer firmware now; undefined where the platform has nothing to put it into */
  readonly update: (() => void) | undefined;
  restart(): void;
}

export type Setting = "configuration" | "ssid" | "password" | "sntp";
