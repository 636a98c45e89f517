// Updates of the firmware in two slots: a signed manifest is fetched, the image streamed into the slot that does not run, and only an
// image whose signature and hash hold is started, on trial. One that does not reach a broker in its trial goes back to the image
// before it; one that went back ATTEMPTS_MAX times is not tried again. A state machine: hosts/shared/updater.ts performs it.

import type { KeyValue } from "../host.js";
import { CODE_MAX } from "../wire/bounds.js";
import { concatBytes, equalBytes } from "../wire/bytes.js";
import { decodeCbor, encodeCbor } from "../wire/cbor.js";
import { WireError } from "../wire/error.js";
import { FIRMWARE_BYTES_MAX, type Firmware, VERSION_MAX, verifyFirmware } from "../wire/firmware.js";
import type { PublicKey, Verify } from "../wire/key.js";
import { asArray, asBytes, asUint } from "../wire/shape.js";

/** An image on trial that has not reached a broker by then goes back. */
export const TRIAL_MS = 600_000;
/** Trials of one image, in all. A power cut ends a trial too. */
export const ATTEMPTS_MAX = 3;
export const CHECK_FIRST_MS = 60_000;
export const CHECK_INTERVAL_MS = 86_400_000;
export const CHECK_RETRY_MS = 3_600_000;
/** A server that sends nothing for so long, or is not done by then, is given up. */
export const STALL_MS = 30_000;
export const DOWNLOAD_MS_MAX = 1_800_000;
const KEY = "update";

export type UpdateInput =
  /** `trial`: this image is on trial after an update */
  | { readonly kind: "started"; readonly trial: boolean }
  /** where the manifest is, and whose signature it must have */
  | { readonly kind: "planned"; readonly url: string; readonly signer: PublicKey }
  /** somebody wants to know now */
  | { readonly kind: "asked" }
  | { readonly kind: "timer" }
  | { readonly kind: "brokerReached" }
  | { readonly kind: "bytes"; readonly fetch: number; readonly bytes: Uint8Array }
  /** all that the server announced has come */
  | { readonly kind: "ended"; readonly fetch: number }
  | { readonly kind: "failed"; readonly fetch: number; readonly reason: string };

export type UpdateEffect =
  /** HTTP GET of a body of at most `bytesMax` */
  | { readonly kind: "fetch"; readonly fetch: number; readonly url: string; readonly bytesMax: number }
  /** gives up what is being fetched, and what was written of it */
  | { readonly kind: "abandon"; readonly fetch: number }
  /** the other slot is going to be written, from its beginning */
  | { readonly kind: "begin"; readonly size: number }
  | { readonly kind: "write"; readonly bytes: Uint8Array }
  /** the other slot is complete: start it, on trial */
  | { readonly kind: "activate" }
  /** the image on trial stays */
  | { readonly kind: "keep" }
  /** the image on trial goes: start the one before it */
  | { readonly kind: "revert" }
  | { readonly kind: "setTimer"; readonly delay_ms: number }
  | { readonly kind: "log"; readonly level: "info" | "warn"; readonly message: string };

/** SHA-256 of what comes piece by piece. */
export interface StreamHash {
  write(bytes: Uint8Array): void;
  close(): Uint8Array;
}

/** This image, and what answers at once. */
export interface UpdatePorts {
  readonly board: string;
  readonly version: number;
  /** bytes that a slot holds */
  readonly slotBytes: number;
  readonly keyValue: KeyValue;
  readonly verify: Verify;
  readonly hash: () => StreamHash;
  /** a fraction from 0 up to but not including 1 */
  readonly random: () => number;
}

type Phase =
  | { readonly kind: "idle"; readonly until_ms: number }
  | { readonly kind: "manifest"; readonly bytes: Uint8Array }
  | { readonly kind: "image"; readonly firmware: Firmware; readonly hash: StreamHash; readonly length: number }
  /** another image is about to be started: nothing but a failure of that matters any more */
  | { readonly kind: "leaving" };

export interface Updates {
  phase: Phase;
  /** number of the fetch that is under way, or of the last one */
  fetch: number;
  startedAt_ms: number;
  heardAt_ms: number;
  plan: { readonly url: string; readonly signer: PublicKey } | undefined;
  trialEnds_ms: number | undefined;
  /** what came of the last look, for people */
  outcome: string;
}

export function createUpdates(): Updates {
  return {
    phase: { kind: "idle", until_ms: Number.POSITIVE_INFINITY },
    fetch: 0,
    startedAt_ms: 0,
    heardAt_ms: 0,
    plan: undefined,
    trialEnds_ms: undefined,
    outcome: "never looked",
  };
}

/** Takes one input; the effects are performed in their order. Bytes that come never throw. */
export function stepUpdates(updates: Updates, input: UpdateInput, now_ms: number, ports: UpdatePorts): UpdateEffect[] {
  const effects: UpdateEffect[] = [];
  take(updates, input, now_ms, ports, effects);
  const wakeAt_ms = wakeAt(updates);
  if (wakeAt_ms < Number.POSITIVE_INFINITY)
    effects.push({ kind: "setTimer", delay_ms: Math.max(0, wakeAt_ms - now_ms) });
  return effects;
}

function take(updates: Updates, input: UpdateInput, now_ms: number, ports: UpdatePorts, effects: UpdateEffect[]): void {
  if (updates.phase.kind === "leaving" && input.kind !== "failed") return;
  switch (input.kind) {
    case "started":
      return start(updates, input.trial, now_ms, ports, effects);
    case "planned":
      updates.plan = { url: input.url, signer: input.signer };
      updates.phase = { kind: "idle", until_ms: now_ms + CHECK_FIRST_MS * (1 + ports.random()) };
      return;
    case "asked":
      if (updates.phase.kind === "idle") look(updates, now_ms, effects);
      return;
    case "timer":
      return wake(updates, now_ms, ports, effects);
    case "brokerReached":
      return keep(updates, ports, effects);
    case "bytes":
      if (input.fetch !== updates.fetch) return;
      updates.heardAt_ms = now_ms;
      return receive(updates, input.bytes, now_ms, ports, effects);
    case "ended":
      if (input.fetch !== updates.fetch) return;
      if (updates.phase.kind === "manifest") examine(updates, updates.phase.bytes, now_ms, ports, effects);
      else if (updates.phase.kind === "image") finish(updates, updates.phase, now_ms, ports, effects);
      return;
    case "failed":
      if (input.fetch !== updates.fetch || updates.phase.kind === "idle") return;
      // Where there is no image to go back to, this one is better than none.
      updates.trialEnds_ms = undefined;
      return giveUp(updates, input.reason, now_ms, ports, effects);
  }
}

function start(updates: Updates, trial: boolean, now_ms: number, ports: UpdatePorts, effects: UpdateEffect[]): void {
  if (trial) {
    updates.trialEnds_ms = now_ms + TRIAL_MS;
    log(effects, "info", `firmware ${ports.version} is on trial`);
    return;
  }
  const tried = readTried(ports.keyValue);
  // Kept, and the power went before that was written down.
  if (tried?.version === ports.version) ports.keyValue.delete(KEY);
  else if (tried !== undefined)
    log(effects, "warn", `firmware ${tried.version} did not prove itself, ${tried.attempts} of ${ATTEMPTS_MAX} trials`);
}

function keep(updates: Updates, ports: UpdatePorts, effects: UpdateEffect[]): void {
  if (updates.trialEnds_ms === undefined) return;
  updates.trialEnds_ms = undefined;
  effects.push({ kind: "keep" });
  // Not before: an image that goes back after all has its trial counted.
  ports.keyValue.delete(KEY);
  log(effects, "info", `firmware ${ports.version} reached a broker and stays`);
}

function wake(updates: Updates, now_ms: number, ports: UpdatePorts, effects: UpdateEffect[]): void {
  if (updates.trialEnds_ms !== undefined) {
    if (now_ms < updates.trialEnds_ms) return;
    log(effects, "warn", `firmware ${ports.version} reached no broker: the one before it comes back`);
    updates.phase = { kind: "leaving" };
    effects.push({ kind: "revert" });
    return;
  }
  if (updates.phase.kind === "idle") {
    if (now_ms >= updates.phase.until_ms) look(updates, now_ms, effects);
    return;
  }
  if (now_ms >= updates.heardAt_ms + STALL_MS) giveUp(updates, "the server is silent", now_ms, ports, effects);
  else if (now_ms >= updates.startedAt_ms + DOWNLOAD_MS_MAX)
    giveUp(updates, "the server is too slow", now_ms, ports, effects);
}

/** Nothing is fetched by an image that has yet to prove itself: the other slot holds the one to go back to. */
function look(updates: Updates, now_ms: number, effects: UpdateEffect[]): void {
  if (updates.plan === undefined || updates.trialEnds_ms !== undefined) return;
  updates.phase = { kind: "manifest", bytes: new Uint8Array(0) };
  fetch(updates, updates.plan.url, FIRMWARE_BYTES_MAX, now_ms, effects);
}

function fetch(updates: Updates, url: string, bytesMax: number, now_ms: number, effects: UpdateEffect[]): void {
  updates.fetch += 1;
  updates.startedAt_ms = now_ms;
  updates.heardAt_ms = now_ms;
  effects.push({ kind: "fetch", fetch: updates.fetch, url, bytesMax });
}

function receive(
  updates: Updates,
  bytes: Uint8Array,
  now_ms: number,
  ports: UpdatePorts,
  effects: UpdateEffect[],
): void {
  const { phase } = updates;
  if (phase.kind === "manifest") {
    if (phase.bytes.length + bytes.length > FIRMWARE_BYTES_MAX)
      return giveUp(updates, "the manifest is too long", now_ms, ports, effects);
    updates.phase = { kind: "manifest", bytes: concatBytes(phase.bytes, bytes) };
  } else if (phase.kind === "image") {
    const length = phase.length + bytes.length;
    if (length > phase.firmware.size) return giveUp(updates, "the image is too long", now_ms, ports, effects);
    phase.hash.write(bytes);
    updates.phase = { ...phase, length };
    effects.push({ kind: "write", bytes });
  }
}

/** The manifest is here: whether this image is one to take. */
function examine(
  updates: Updates,
  bytes: Uint8Array,
  now_ms: number,
  ports: UpdatePorts,
  effects: UpdateEffect[],
): void {
  const { url, signer } = updates.plan!;
  let firmware: Firmware;
  try {
    firmware = verifyFirmware(bytes, signer, ports.verify);
  } catch (thrown) {
    if (thrown instanceof WireError) return giveUp(updates, thrown.message, now_ms, ports, effects);
    throw thrown;
  }
  if (firmware.version === ports.version)
    return rest(updates, `firmware ${ports.version} is the newest`, now_ms, ports);
  const refusal = refusalOf(firmware, ports);
  if (refusal !== undefined) {
    log(effects, "warn", `no update: ${refusal}`);
    return rest(updates, refusal, now_ms, ports);
  }
  log(effects, "info", `firmware ${firmware.version} is fetched, ${firmware.size} bytes`);
  updates.phase = { kind: "image", firmware, hash: ports.hash(), length: 0 };
  effects.push({ kind: "begin", size: firmware.size });
  fetch(updates, url.slice(0, url.lastIndexOf("/") + 1) + firmware.file, firmware.size, now_ms, effects);
}

function refusalOf(firmware: Firmware, { board, version, slotBytes, keyValue }: UpdatePorts): string | undefined {
  if (firmware.board !== board) return `firmware ${firmware.version} is for ${firmware.board}, this is ${board}`;
  if (firmware.version < version) return `firmware ${firmware.version} is older than this one, ${version}`;
  if (version < firmware.least) return `firmware ${firmware.version} takes version ${firmware.least} first`;
  if (firmware.size > slotBytes) return `firmware ${firmware.version} has ${firmware.size} bytes, a slot ${slotBytes}`;
  const tried = readTried(keyValue);
  if (tried !== undefined && tried.attempts >= ATTEMPTS_MAX && equalBytes(tried.hash, firmware.hash))
    return `firmware ${firmware.version} did not prove itself in ${ATTEMPTS_MAX} trials`;
  return undefined;
}

/** The image is here: it is started if it is the one that was signed. */
function finish(
  updates: Updates,
  { firmware, hash, length }: Phase & { readonly kind: "image" },
  now_ms: number,
  ports: UpdatePorts,
  effects: UpdateEffect[],
): void {
  if (length !== firmware.size)
    return giveUp(updates, `the image ends after ${length} of ${firmware.size} bytes`, now_ms, ports, effects);
  if (!equalBytes(hash.close(), firmware.hash))
    return giveUp(updates, "the image is not the one that was signed", now_ms, ports, effects);
  const tried = readTried(ports.keyValue);
  const attempts = tried !== undefined && equalBytes(tried.hash, firmware.hash) ? tried.attempts + 1 : 1;
  // Before the switch: a trial that nobody counted could be repeated for ever.
  ports.keyValue.set(KEY, encodeCbor([firmware.version, firmware.hash, attempts]));
  log(effects, "info", `firmware ${firmware.version} is complete: it starts on trial`);
  updates.phase = { kind: "leaving" };
  effects.push({ kind: "activate" });
}

function giveUp(updates: Updates, reason: string, now_ms: number, ports: UpdatePorts, effects: UpdateEffect[]): void {
  effects.push({ kind: "abandon", fetch: updates.fetch });
  log(effects, "warn", `no update: ${reason}`);
  updates.fetch += 1; // what still comes of it is not listened to
  updates.outcome = reason;
  updates.phase = { kind: "idle", until_ms: now_ms + CHECK_RETRY_MS * (1 + ports.random()) };
}

/** Until tomorrow; meters that started together do not ask together. */
function rest(updates: Updates, outcome: string, now_ms: number, ports: UpdatePorts): void {
  updates.outcome = outcome;
  updates.phase = { kind: "idle", until_ms: now_ms + CHECK_INTERVAL_MS * (0.5 + ports.random()) };
}

function wakeAt(updates: Updates): number {
  if (updates.phase.kind === "leaving") return Number.POSITIVE_INFINITY;
  if (updates.trialEnds_ms !== undefined) return updates.trialEnds_ms;
  if (updates.phase.kind === "idle") return updates.phase.until_ms;
  return Math.min(updates.heardAt_ms + STALL_MS, updates.startedAt_ms + DOWNLOAD_MS_MAX);
}

interface Tried {
  readonly version: number;
  readonly hash: Uint8Array;
  readonly attempts: number;
}

/** What was started on trial last and has not been kept. What cannot be read counts for nothing: only trials are limited by it. */
function readTried(keyValue: KeyValue): Tried | undefined {
  const bytes = keyValue.get(KEY);
  if (bytes === undefined) return undefined;
  try {
    const [version, hash, attempts] = asArray(decodeCbor(bytes), "tried firmware", 3);
    return {
      version: asUint(version, "tried version", VERSION_MAX),
      hash: asBytes(hash, "tried hash", 32),
      attempts: asUint(attempts, "tried attempts", CODE_MAX),
    };
  } catch (thrown) {
    if (thrown instanceof WireError) return undefined;
    throw thrown;
  }
}

function log(effects: UpdateEffect[], level: "info" | "warn", message: string): void {
  effects.push({ kind: "log", level, message });
}
