// The agent: frames in, sealed records out. A state machine that ties the parts together; every effect is the shell's to perform
// (shell.ts), but for flash and key-value store, which answer at once. Bad input is counted, never thrown.

import type { Flash, KeyValue } from "../host.js";
import type { MeterCrypto } from "../meter/cipher.js";
import type { Line } from "../meter/line.js";
import type { Outcome, ReadingDemand } from "../meter/reader.js";
import { fromHex } from "../wire/bytes.js";
import { encodeCbor } from "../wire/cbor.js";
import { WireError } from "../wire/error.js";
import { type Genesis, verifyGenesis } from "../wire/genesis.js";
import { sha256 } from "../wire/hash.js";
import { ED25519, type PublicKey } from "../wire/key.js";
import { stripOwnRecord } from "../wire/record.js";
import type { Refusal, RefusalReason } from "../wire/refusal.js";
import type { Complaint } from "./checks.js";
import type { ReadNow } from "./command.js";
import { type Configuration, isComplaint, readConfiguration } from "./configuration.js";
import { verifyEd25519 } from "./ed25519.js";
import { type State, stateOf } from "./health.js";
import { type Identity, openCredential, openIdentity } from "./identity.js";
import { createInbox, type Message } from "./inbox.js";
import { createMembers } from "./members.js";
import type { PortEffect } from "./meter-input.js";
import { openMeterInput } from "./open-meter.js";
import { type Outbox, openOutbox } from "./outbox.js";
import { createReceiptJudge } from "./receipts.js";
import { createRecorder, type Moment } from "./recorder.js";
import { createSchedule } from "./schedule.js";
import { Session } from "./session.js";
import { createUplink, type UplinkEffect, type UplinkInput } from "./uplink.js";

/** Records on demand are not made faster than this. */
export const DEMAND_INTERVAL_MS = 10_000;
/** How often the counters are published, at most shown, and the state looked at without any input. */
export const DIAGNOSIS_INTERVAL_MS = 60_000;
const SHOW_INTERVAL_MS = 1_000;
const LOOK_INTERVAL_MS = 5_000;
const noBytes = new Uint8Array(0);

export type AgentInput =
  | { readonly kind: "started" }
  | { readonly kind: "meterBytes"; readonly bytes: Uint8Array }
  | LinkInput
  | {
      readonly kind: "mqttMessage";
      readonly connection: number;
      readonly topic: string;
      readonly payload: Uint8Array;
    }
  | { readonly kind: "timer" };

type LinkInput =
  | { readonly kind: "mqttConnected"; readonly connection: number }
  | { readonly kind: "mqttPublished"; readonly connection: number; readonly packetId: number }
  /** the transport's buffer had no room for the publication */
  | { readonly kind: "mqttBlocked"; readonly connection: number; readonly packetId: number }
  | { readonly kind: "mqttClosed"; readonly connection: number; readonly reason: string };

export type AgentEffect =
  | UplinkEffect
  /** writeMeter, setLine and log: what is to be done at the meter's port */
  | PortEffect
  | { readonly kind: "openMeter"; readonly port: unknown; readonly line: Line }
  /** newer firmware is to be looked for */
  | { readonly kind: "watchUpdates"; readonly url: string; readonly signer: PublicKey }
  /** replaces the timer that was set before */
  | { readonly kind: "setTimer"; readonly delay_ms: number }
  | { readonly kind: "showState"; readonly state: State; readonly counters: Readonly<Record<string, number>> };

export interface Agent {
  /** kid as topics write it */
  readonly id: string;
  step(input: AgentInput, now: Moment): AgentEffect[];
}

/** What answers at once, handed in by the host. */
export interface AgentPorts {
  readonly keyValue: KeyValue;
  readonly outboxFlash: Flash;
  /** bytes from the hardware's generator */
  readonly random: (length: number) => Uint8Array;
  /** for encrypted ports */
  readonly crypto: MeterCrypto;
  /** how long the certificate of a receipt may wait to be checked; as on a slow chip where absent */
  readonly deferral_ms?: number | undefined;
}

/** The agent of a configuration document, or what is wrong with the document. Throws where flash or the stored seed cannot be used. */
export function createAgent(json: string, ports: AgentPorts): Agent | Complaint {
  const configuration = readConfiguration(json);
  if (isComplaint(configuration)) return configuration;
  const genesis = genesisOf(configuration);
  if ("reason" in genesis) return genesis;
  const identity = openIdentity(ports.keyValue, ports.random);
  if (configuration.id !== undefined && configuration.id !== identity.id) {
    return { path: "$.id", reason: `is of meter ${configuration.id}, this one is ${identity.id}` };
  }
  // Opened here and not below, where the stack is deeper: what it recovers from flash takes much of it.
  const outbox = openOutbox({
    flash: ports.outboxFlash,
    keyValue: ports.keyValue,
    recordHash: (record) => sha256(stripOwnRecord(record)),
  });
  return assemble(configuration, genesis, identity, outbox, ports);
}

function genesisOf(configuration: Configuration): Genesis | Complaint {
  try {
    const genesis = verifyGenesis(fromHex(configuration.genesis)!, verifyEd25519);
    if (genesis.network === configuration.network) return genesis;
    return { path: "$.network", reason: `is ${configuration.network}, the genesis is of ${genesis.network}` };
  } catch (thrown) {
    if (thrown instanceof WireError) return { path: "$.genesis", reason: thrown.message };
    throw thrown;
  }
}

function assemble(
  configuration: Configuration,
  genesis: Genesis,
  identity: Identity,
  outbox: Outbox,
  ports: AgentPorts,
): Agent {
  const { network, brokers, update } = configuration;
  const { keyValue, random } = ports;
  const schedule = createSchedule(configuration.schedule);
  const readings: ReadingDemand = {
    isWanted: (uptime_ms) => schedule.isDue(uptime_ms),
    passed(uptime_ms) {
      lastFrame_ms = uptime_ms;
      badFrames = 0;
    },
  };
  const meter = openMeterInput(configuration.meter, { crypto: ports.crypto, keyValue, demand: readings });
  const { beforeRecord } = meter;
  const recorder = createRecorder({ identity, outbox, schedule, random, beforeRecord });
  const credential = openCredential(keyValue, identity.signer.key);
  const fraction = (): number => {
    const bytes = random(2);
    return (bytes[0]! * 256 + bytes[1]!) / 65_536;
  };
  const uplink =
    typeof credential === "string"
      ? undefined
      : createUplink({ brokers, network, meter: identity.id, credential, outbox, random: fraction });

  const session = typeof credential === "string" ? undefined : new Session(identity, genesis.hash, credential, random);
  const isExpected = (recordHash: Uint8Array, service: number): boolean =>
    uplink?.expects(recordHash, service) ?? false;
  const services = configuration.schedule.map(({ service }) => service);
  const members = createMembers(genesis, services, verifyEd25519, keyValue);
  const receipts = createReceiptJudge(genesis, members, verifyEd25519, isExpected, ports.deferral_ms);
  const inbox = createInbox(network, identity.id, receipts, members);
  const counts: Record<string, number> = {
    wrongReceipts: 0,
    unknownMembers: 0,
    strayReceipts: 0,
    wrongMembers: 0,
    strangeMessages: 0,
    demands: 0,
    demandsTooSoon: 0,
    outboxFull: 0,
    recordsTooLarge: 0,
    numbersUsedUp: 0,
  };
  let lastBytes_ms: number | undefined;
  let lastFrame_ms: number | undefined;
  let badFrames = 0;
  let lastRefusal: string | undefined;
  let barredAs: RefusalReason | undefined;
  let demandedAt_ms = Number.NEGATIVE_INFINITY;
  let diagnosedAt_ms = 0;
  let moment: Moment;
  /** of the connection that was begun last: whether it came about, whether a token was shown, and to which broker */
  let came = true;
  let isStranger = false;
  let triedAt = "";
  let shown: { readonly state: State; readonly at_ms: number } | undefined;

  return { id: identity.id, step };

  function step(input: AgentInput, now: Moment): AgentEffect[] {
    const effects: AgentEffect[] = [];
    moment = now;
    // What goes deepest is called here, where the stack is shallow: the check of a receipt's signatures, and the parsing of a frame.
    if (input.kind === "mqttMessage") heed(inbox(input.topic, input.payload, now.uptime_ms), now.uptime_ms, effects);
    else if (input.kind === "started" || input.kind === "meterBytes" || input.kind === "timer") {
      if (input.kind === "started") start(effects);
      if (input.kind === "timer") {
        const settled = receipts.settle(now.uptime_ms, uplink?.isPressed ?? false);
        if (settled !== undefined) heed(settled, now.uptime_ms, effects);
      }
      if (input.kind === "meterBytes" && input.bytes.length > 0) lastBytes_ms = now.uptime_ms;
      const work: PortEffect[] = [];
      const outcomes = meter.push(input.kind === "meterBytes" ? input.bytes : noBytes, now.uptime_ms, work);
      effects.push(...work);
      record(outcomes, now, effects);
      tell({ kind: "wake" }, now.uptime_ms, effects);
    } else hear(input, now.uptime_ms, effects);
    if (uplink !== undefined && now.uptime_ms - diagnosedAt_ms >= DIAGNOSIS_INTERVAL_MS) {
      diagnosedAt_ms = now.uptime_ms;
      effects.push(...uplink.step({ kind: "diagnosis", payload: diagnosis(now.uptime_ms) }, now.uptime_ms));
    }
    show(now.uptime_ms, effects);
    const uplinkAt_ms = uplink?.wakeAt_ms(now.uptime_ms) ?? Number.POSITIVE_INFINITY;
    const wakeAt_ms = Math.min(uplinkAt_ms, meter.wakeAt_ms(), receipts.wakeAt_ms(uplink?.isPressed ?? false));
    effects.push({ kind: "setTimer", delay_ms: Math.min(Math.max(0, wakeAt_ms - now.uptime_ms), LOOK_INTERVAL_MS) });
    return effects;
  }

  function start(effects: AgentEffect[]): void {
    effects.push({ kind: "log", level: "info", message: `meter ${identity.id} of network ${network} starts` });
    if (typeof credential === "string") effects.push({ kind: "log", level: "warn", message: credential });
    effects.push({ kind: "openMeter", port: configuration.meter.port, line: meter.line });
    if (update === undefined) return;
    const key = update.signer;
    const signer: PublicKey = key === undefined ? genesis.authority : { algorithm: ED25519, x: fromHex(key)! };
    effects.push({ kind: "watchUpdates", url: update.url, signer });
  }

  function record(outcomes: readonly Outcome[], now: Moment, effects: AgentEffect[]): void {
    for (const outcome of outcomes) {
      if (!outcome.ok) {
        badFrames += 1;
        if (badFrames === 1)
          effects.push({ kind: "log", level: "warn", message: `bad frame (${outcome.reason}): ${outcome.detail}` });
        continue;
      }
      lastFrame_ms = now.uptime_ms;
      badFrames = 0;
      for (const refusal of recorder.record(outcome, now)) {
        if (refusal === "seq used up")
          warn("numbersUsedUp", "a service's numbers are used up: provision anew", effects);
        else count(refusal === "full" ? "outboxFull" : "recordsTooLarge");
      }
    }
  }

  function hear(input: LinkInput, uptime_ms: number, effects: AgentEffect[]): void {
    const { connection } = input;
    switch (input.kind) {
      case "mqttConnected":
        came = !isStranger;
        if (came) barredAs = undefined;
        return tell({ kind: "connected", connection, isStranger }, uptime_ms, effects);
      case "mqttPublished":
        return tell({ kind: "published", connection, packetId: input.packetId }, uptime_ms, effects);
      case "mqttBlocked":
        return tell({ kind: "blocked", connection, packetId: input.packetId }, uptime_ms, effects);
      case "mqttClosed":
        effects.push({ kind: "log", level: "warn", message: `connection closed: ${input.reason.slice(0, 200)}` });
        return tell({ kind: "closed", connection, reason: input.reason }, uptime_ms, effects);
    }
  }

  function tell(input: UplinkInput, uptime_ms: number, effects: AgentEffect[]): void {
    if (uplink === undefined) return;
    for (const effect of uplink.step(input, uptime_ms))
      effects.push(effect.kind === "connect" ? begun(effect) : effect);
  }

  /** The connection with what the meter shows; where the one before has come to nothing, the other way. */
  function begun(effect: UplinkEffect & { kind: "connect" }): UplinkEffect {
    if (!came) session!.failed(triedAt);
    const options = session!.shown(effect.options, moment);
    triedAt = options.url;
    came = false;
    isStranger = options.password === undefined;
    return { ...effect, options };
  }

  function heed(message: Message, uptime_ms: number, effects: AgentEffect[]): void {
    switch (message.kind) {
      case "sealed":
      case "deferred":
      case "proved":
        return tell(message, uptime_ms, effects);
      case "unproved":
        warn("wrongReceipts", `receipts of service ${message.service} refused: ${message.reason}`, effects);
        return tell(message, uptime_ms, effects);
      case "refused": {
        const { reason } = message.refusal;
        lastRefusal = sentenceOf(message.refusal, uplink?.broker);
        warn(`refused ${reason}`, lastRefusal, effects);
        return tell(message, uptime_ms, effects);
      }
      case "unknown members": {
        const { recordHash, reason } = message;
        warn("unknownMembers", `receipt set aside, and asked for again with the members: ${reason}`, effects);
        return tell({ kind: "unproven", recordHash }, uptime_ms, effects);
      }
      case "wrong receipt":
        return warn("wrongReceipts", `receipt refused: ${message.reason}`, effects);
      case "wrong members":
        return warn("wrongMembers", `members refused: ${message.reason}`, effects);
      case "members":
        return;
      case "command":
        return demand(message.command, uptime_ms);
      case "time":
        if (!isStranger) return count("strangeMessages");
        session?.told(triedAt, message.time_s, uptime_ms);
        barredAs = message.refusedAs;
        if (barredAs !== undefined) warn(`refused ${barredAs}`, `not admitted: ${barredAs}`, effects);
        came = true;
        return tell({ kind: "timed" }, uptime_ms, effects);
      case "stray receipt":
        return count("strayReceipts");
      case "strange":
        return count("strangeMessages");
    }
  }

  function demand({ service }: ReadNow, uptime_ms: number): void {
    const tooSoon = uptime_ms - demandedAt_ms < DEMAND_INTERVAL_MS;
    count(tooSoon ? "demandsTooSoon" : "demands");
    if (tooSoon) return;
    demandedAt_ms = uptime_ms;
    schedule.demand(service);
  }

  /** Counts and tells, the more seldom the oftener it happens: at the first, second, fourth, eighth time. */
  function warn(name: string, message: string, effects: AgentEffect[]): void {
    count(name);
    const times = counts[name]!;
    if ((times & (times - 1)) === 0) effects.push({ kind: "log", level: "warn", message });
  }

  function count(name: string): void {
    counts[name] = (counts[name] ?? 0) + 1;
  }

  function counters(uptime_ms: number): Record<string, number> {
    const frameAge_s = lastFrame_ms === undefined ? undefined : Math.floor((uptime_ms - lastFrame_ms) / 1000);
    return {
      ...meter.counters,
      ...outbox.counters,
      ...uplink?.counters,
      ...counts,
      ...(frameAge_s !== undefined && { lastFrameAge_s: frameAge_s }),
      uptime_s: Math.floor(uptime_ms / 1000),
    };
  }

  function diagnosis(uptime_ms: number): Uint8Array {
    const entries = new Map<string, string | number>([["state", state(uptime_ms)]]);
    if (lastRefusal !== undefined) entries.set("lastRefusal", lastRefusal);
    for (const [name, count] of Object.entries(counters(uptime_ms))) entries.set(name, count);
    return encodeCbor(entries);
  }

  function state(uptime_ms: number): State {
    return stateOf({
      uptime_ms,
      hasCredential: uplink !== undefined,
      lastBytes_ms,
      lastFrame_ms,
      frameInterval_ms: meter.interval_ms,
      badFrames,
      link: uplink?.link ?? { kind: "waiting", until_ms: 0 },
      closedBecause: uplink?.closedBecause,
      hasLeft: uplink?.hasLeft ?? false,
      oldestWait_ms: uplink?.oldestWait_ms(uptime_ms) ?? 0,
      refusedAs: uplink?.refusedAs,
      barredAs,
    });
  }

  function show(uptime_ms: number, effects: AgentEffect[]): void {
    const current = state(uptime_ms);
    const changed = shown?.state !== current;
    if (!changed && uptime_ms - shown!.at_ms < SHOW_INTERVAL_MS) return;
    if (changed && shown !== undefined) effects.push({ kind: "log", level: "info", message: `state: ${current}` });
    shown = { state: current, at_ms: uptime_ms };
    effects.push({ kind: "showState", state: current, counters: counters(uptime_ms) });
  }
}

/** What is kept of a refusal as evidence: who said it, where the broker shows no more than its own name, and of what. */
function sentenceOf({ reason, service, seq, sentence }: Refusal, broker: string | undefined): string {
  const what = seq === undefined ? "a publication" : `record ${seq} of service ${service}`;
  return `refused (${reason}): ${what}, by way of ${broker}: ${sentence}`;
}
