// Updates performed: the state machine of src/agent/update.ts over a platform's two slots and the network.

import { Digest } from "crypt";
import { verifyEd25519 } from "../../src/agent/ed25519.js";
import {
  createUpdates,
  type StreamHash,
  stepUpdates,
  type UpdateEffect,
  type UpdateInput,
  type UpdatePorts,
} from "../../src/agent/update.js";
import type { KeyValue } from "../../src/host.js";
import type { PublicKey } from "../../src/wire/key.js";
import { Fetch } from "./fetch.js";
import type { Network } from "./mqtt.js";
import type { NamedTimers } from "./timers.js";

/** Uptime may have gone on faster than a timer: it is looked at so often. */
const LOOK_MS = 10_000;

/** Where images are: one runs, the other slot is free. What fails throws. */
export interface Slots {
  /** bytes that a slot holds */
  readonly size: number;
  /** Whether the image that runs is on trial. */
  isOnTrial(): boolean;
  /** The free slot is written from its beginning. */
  begin(size: number): void;
  write(bytes: Uint8Array): void;
  /** Gives up what was written. */
  abandon(): void;
  /** The free slot's image is started, on trial. Does not return. */
  activate(): void;
  /** The image that runs is on trial no more. */
  keep(): void;
  /** The other slot's image comes back. Does not return. */
  revert(): void;
}

export interface UpdaterOptions {
  readonly board: string;
  readonly version: number;
  readonly slots: Slots;
  readonly keyValue: KeyValue;
  readonly network: Network;
  readonly timers: NamedTimers;
  readonly uptime_ms: () => number;
  /** bytes of the generator */
  readonly random: (length: number) => Uint8Array;
  readonly log: (level: "info" | "warn", message: string) => void;
}

/** Watches over the image that runs; newer ones are looked for from `watch` on. A class where closures would do, which XS keeps in RAM. */
export class Updater {
  private readonly options: UpdaterOptions;
  private readonly ports: UpdatePorts;
  private readonly updates = createUpdates();
  private fetch: Fetch | undefined;

  constructor(options: UpdaterOptions) {
    const { board, version, slots, keyValue, random } = options;
    this.options = options;
    this.ports = {
      board,
      version,
      slotBytes: slots.size,
      keyValue,
      verify: verifyEd25519,
      hash: streamHash,
      random: () => (random(1)[0] ?? 0) / 256,
    };
    this.take({ kind: "started", trial: slots.isOnTrial() });
  }

  watch(url: string, signer: PublicKey): void {
    this.take({ kind: "planned", url, signer });
  }

  brokerReached(): void {
    this.take({ kind: "brokerReached" });
  }

  /** Looks now. */
  ask(): void {
    this.take({ kind: "asked" });
  }

  /** What came of the last look. */
  describe(): string {
    const { version, board } = this.options;
    return `firmware ${version} for ${board}, ${this.updates.outcome}`;
  }

  private take(input: UpdateInput): void {
    for (const effect of stepUpdates(this.updates, input, this.options.uptime_ms(), this.ports)) {
      try {
        this.perform(effect);
      } catch (thrown) {
        // A slot that cannot be written or started.
        return this.take({ kind: "failed", fetch: this.updates.fetch, reason: String(thrown) });
      }
    }
  }

  private perform(effect: UpdateEffect): void {
    const { slots, timers, log } = this.options;
    switch (effect.kind) {
      case "log":
        return log(effect.level, effect.message);
      case "setTimer":
        return timers.set("update", Math.min(effect.delay_ms, LOOK_MS), () => this.take({ kind: "timer" }));
      case "fetch":
        return this.begin(effect.fetch, effect.url, effect.bytesMax);
      case "abandon":
        this.fetch?.close();
        this.fetch = undefined;
        return slots.abandon();
      case "begin":
        return slots.begin(effect.size);
      case "write":
        return slots.write(effect.bytes);
      case "activate":
        return slots.activate();
      case "keep":
        return slots.keep();
      case "revert":
        return slots.revert();
    }
  }

  private begin(fetch: number, url: string, bytesMax: number): void {
    this.fetch?.close();
    this.fetch = new Fetch(url, bytesMax, this.options.network, {
      onBytes: (bytes) => this.take({ kind: "bytes", fetch, bytes }),
      onEnded: () => this.take({ kind: "ended", fetch }),
      onFailed: (reason) => this.take({ kind: "failed", fetch, reason }),
    });
  }
}

function streamHash(): StreamHash {
  const digest = new Digest("SHA256");
  return { write: (bytes) => digest.write(bytes), close: () => new Uint8Array(digest.close()) };
}
