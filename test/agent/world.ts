// One meter, a broker and a cluster in virtual time, with whatever goes wrong between them: connections that drop, publications and
// receipts that are lost, full buffers, busy nodes, rubbish on the port and on every topic, and power cuts. One seed, one story.

import { runAgent } from "../../src/agent/shell.js";
import type { Host, MqttConnection, MqttEvents, MqttOptions, TimeQuality } from "../../src/host.js";
import { toHex } from "../../src/wire/bytes.js";
import { verifyCredential } from "../../src/wire/credential.js";
import { parseRecord, type Record } from "../../src/wire/record.js";
import { encodeRefusal, type RefusalReason } from "../../src/wire/refusal.js";
import { proofOfSession, readSessionToken } from "../../src/wire/session-proof.js";
import { encodeTime } from "../../src/wire/time.js";
import { meterTopic, parseTopic, serviceTopic } from "../../src/wire/topics.js";
import { nodeVerify, signerFromSeed } from "../../tools/crypto/signatures.js";
import { createHousehold } from "../../tools/emulators/household.js";
import { p1Telegram } from "../../tools/emulators/p1-telegram.js";
import { createSealer } from "../../tools/firmware/sealer.js";
import { type EraseCut, PowerCut, simulatedStores } from "./norFlash.js";

/** How often each fault happens, as a fraction of its occasions; all 0 in a good world. */
export interface Faults {
  readonly connect: number;
  readonly drop: number;
  readonly lostReceipt: number;
  readonly blocked: number;
  readonly busy: number;
  readonly rubbish: number;
  /** power cuts a minute */
  readonly cuts: number;
}

export const noFaults: Faults = { connect: 0, drop: 0, lostReceipt: 0, blocked: 0, busy: 0, rubbish: 0, cuts: 0 };

export interface WorldOptions {
  readonly seed: number;
  readonly schedule: readonly object[];
  readonly faults: Faults;
  readonly sectors?: number;
  /** what the meter's own clock shows; right and synchronised where absent */
  readonly clock?: { readonly ahead_ms: number; readonly quality: TimeQuality };
}

interface Session {
  readonly events: MqttEvents;
  readonly meter: string;
  open: boolean;
  subscribed: boolean;
  /** whether it has shown a token; without one a session is told the time alone */
  readonly isAdmitted: boolean;
}

const network = "world";
const start_ms = 1_790_000_000_000;
const eraseCuts: readonly EraseCut[] = ["first", "last", "rubbish"];

export type World = ReturnType<typeof createWorld>;

export function createWorld({ seed, schedule, sectors = 6, clock, ...options }: WorldOptions) {
  const random = randomFrom(seed);
  const sealer = createSealer(network);
  const stores = simulatedStores(sectors * 4096, 4096);
  const meterSeed = Uint8Array.from({ length: 32 }, () => Math.floor(random() * 256));
  const signer = signerFromSeed(meterSeed);
  stores.keyValue.set("seed", meterSeed);
  stores.keyValue.set("credential", sealer.credential(signer.key, [1, 2, 3]));
  const household = createHousehold({ seed: 5, start_s: start_ms / 1000 });

  let faults = options.faults;
  let now_ms = 0;
  let life = 0;
  let bootedAt_ms = 0;
  let metering = true;
  const agenda: { at_ms: number; order: number; life: number | "any"; act: () => void }[] = [];
  let order = 0;
  const timers = new Map<string, number>();
  let session: Session | undefined;
  let onMeterBytes: ((bytes: Uint8Array) => void) | undefined;

  /** what the cluster knows */
  let meterKnown = false;
  let nodesUp = true;
  const gathered = new Map<string, Record>();
  const sealed = new Map<string, { readonly record: Record; readonly receipt: Uint8Array }>();
  const conflicts: string[] = [];
  const publications: { readonly at_ms: number; readonly key: string; readonly duplicate: boolean }[] = [];
  const topics = new Map<string, number>();
  let diagnosis: Uint8Array | undefined;
  const log: string[] = [];
  const states: string[] = [];
  let counters: Readonly<globalThis.Record<string, number>> = {};
  let cuts = 0;
  const tokens = new Set<string>();
  let tokensRefused = 0;
  let refuseWith: RefusalReason | undefined;
  let barredAs: RefusalReason | undefined;
  let brokerUp = true;
  let dead: string | undefined;
  let welcomesStrangers = true;

  const after = (delay_ms: number, act: () => void, ofLife: number | "any" = life): void => {
    order += 1;
    agenda.push({ at_ms: now_ms + delay_ms, order, life: ofLife, act });
  };
  const chance = (fraction: number): boolean => fraction > 0 && random() < fraction;
  const rubbish = (): Uint8Array =>
    Uint8Array.from({ length: Math.floor(random() * 60) }, () => Math.floor(random() * 256));

  function host(): Host {
    const ofLife = life;
    const alive = (act: () => void) => () => {
      if (life === ofLife) act();
    };
    return {
      platform: "world",
      configuration: () =>
        JSON.stringify({
          version: 1,
          network,
          genesis: toHex(sealer.genesisBytes),
          brokers: ["mqtt://a:1883", "mqtt://b:1883"],
          meter: { protocol: "p1", port: null },
          schedule,
        }),
      now: () => ({ time_ms: start_ms + now_ms + (clock?.ahead_ms ?? 0), quality: clock?.quality ?? 2 }),
      uptime_ms: () => now_ms - bootedAt_ms,
      random: (length) => Uint8Array.from({ length }, () => Math.floor(random() * 256)),
      keyValue: stores.keyValue,
      outboxFlash: stores.flash,
      openMeter(_port, _line, onBytes) {
        onMeterBytes = onBytes;
        return { write() {}, setLine() {} };
      },
      aesGcmDecrypt: () => undefined,
      aesCbcDecrypt: () => new Uint8Array(0),
      connectMqtt: (mqtt, events) => connect(mqtt, events),
      setTimer(name, delay_ms, callback) {
        const setting = ++order;
        timers.set(name, setting);
        after(
          delay_ms,
          alive(() => timers.get(name) === setting && callback()),
        );
      },
      clearTimer: (name) => void timers.delete(name),
      log: (level, message) => log.push(`${level} ${message}`),
      showState(state, shown) {
        if (states[states.length - 1] !== state) states.push(state);
        counters = shown;
      },
    };
  }

  function connect(mqtt: MqttOptions, events: MqttEvents): MqttConnection {
    const isAdmitted = mqtt.password !== undefined;
    const mine: Session = { events, meter: mqtt.clientId, open: true, subscribed: false, isAdmitted };
    if (mqtt.url === dead) return silent;
    if (isAdmitted && (!isTaken(mqtt) || barredAs !== undefined)) {
      tokensRefused += 1;
      after(40, () => close(mine, "bad user name or password"));
      return silent;
    }
    if (!isAdmitted && !welcomesStrangers) {
      after(40, () => close(mine, "not authorized"));
      return silent;
    }
    if (!brokerUp || chance(faults.connect)) {
      // Half of the failures say nothing at all: the agent's own watchdog must notice.
      if (!brokerUp || chance(0.5)) after(40, () => close(mine, "connection refused"));
      return silent;
    }
    session = mine;
    after(30, () => mine.open && mine.events.onConnected());
    return {
      publish(packetId, topic, payload, duplicate) {
        if (!mine.open) return true;
        if (chance(faults.blocked)) return false;
        if (chance(faults.drop)) {
          after(1, () => close(mine, "connection reset"));
          if (chance(0.5)) return true; // lost with the connection
        }
        after(5, () => arrive(mine, packetId, topic, payload, duplicate));
        return true;
      },
      subscribe() {
        mine.subscribed = true;
      },
      close: () => after(1, () => close(mine, "closed by the meter")),
    };
  }

  /** As a node judges it; what is wrong with it but for its time is a conflict. */
  function isTaken({ url, username, password }: MqttOptions): boolean {
    const now_s = Math.floor((start_ms + now_ms) / 1000);
    const session = readSessionToken(Buffer.from(password!).toString());
    const { kid, signed } = proofOfSession(session, { ...sealer.genesis, nodeKey: () => undefined });
    if (!signed.every((each) => nodeVerify(...each))) conflicts.push("a token that is not signed");
    const proved = { ...session.claims, kid };
    if (toHex(proved.kid) !== username) conflicts.push(`a token of ${toHex(proved.kid)} for ${username}`);
    if (`mqtt://${proved.audience}` !== url) conflicts.push(`a token for ${proved.audience} at ${url}`);
    if (tokens.has(toHex(proved.random))) conflicts.push("a token twice");
    tokens.add(toHex(proved.random));
    return now_s >= proved.issued_s - 120 && now_s < proved.expires_s + 120;
  }

  function close(mine: Session, reason: string): void {
    if (!mine.open) return;
    mine.open = false;
    mine.events.onClosed(reason);
  }

  function arrive(mine: Session, packetId: number, topic: string, payload: Uint8Array, duplicate: boolean): void {
    const parsed = parseTopic(topic)!;
    if (!mine.isAdmitted && parsed.kind !== "birth") conflicts.push(`${topic} of a stranger`);
    topics.set(parsed.kind, (topics.get(parsed.kind) ?? 0) + 1);
    after(5, () => mine.open && mine.events.onPublished(packetId));
    if (!nodesUp) return;
    if (parsed.kind === "diag") diagnosis = payload;
    if (parsed.kind === "birth") {
      verifyCredential(payload, sealer.genesis, nodeVerify);
      meterKnown = true;
      if (!mine.isAdmitted)
        send(
          mine,
          meterTopic(network, "time", mine.meter),
          encodeTime({ time_s: Math.floor((start_ms + now_ms) / 1000), refusedAs: barredAs }),
        );
    }
    if (parsed.kind === "record") ingest(mine, parsed.service, payload, duplicate);
  }

  function ingest(mine: Session, service: number, bytes: Uint8Array, duplicate: boolean): void {
    const record = parseRecord(bytes);
    if (!nodeVerify(signer.key, record.signedBytes, record.signature)) conflicts.push("bad signature");
    if (record.claims.service !== service) conflicts.push("topic of another service");
    const key = `${service}/${record.claims.seq}`;
    publications.push({ at_ms: now_ms, key, duplicate });
    const reason = refuseWith ?? (meterKnown ? (chance(faults.busy) ? "busy" : undefined) : "unknown-meter");
    if (reason !== undefined) {
      const about = { service, seq: record.claims.seq, recordHash: record.hash };
      return send(
        mine,
        meterTopic(network, "ack", mine.meter),
        encodeRefusal({ ...about, reason, sentence: "refused" }),
      );
    }
    const known = sealed.get(key);
    const before = known?.record ?? gathered.get(key);
    if (before !== undefined && toHex(before.hash) !== toHex(record.hash)) conflicts.push(`two records ${key}`);
    if (known !== undefined) return send(mine, serviceTopic(network, service, "receipt", mine.meter), known.receipt);
    gathered.set(key, record);
  }

  function send(mine: Session, topic: string, payload: Uint8Array): void {
    if (!mine.subscribed || (!mine.isAdmitted && !topic.includes("/time/")) || chance(faults.lostReceipt)) return;
    if (chance(faults.rubbish)) {
      after(
        4,
        () =>
          mine.open && mine.events.onMessage(chance(0.5) ? topic : "gs1/other/1/receipt/0000000000000000", rubbish()),
      );
    }
    after(5, () => mine.open && mine.events.onMessage(topic, payload));
  }

  function sealWhatIsGathered(): void {
    for (const service of [1, 2, 3]) {
      const records = [...gathered.values()].filter((record) => record.claims.service === service);
      if (records.length === 0 || !nodesUp) continue;
      const receipts = sealer.seal(
        service,
        records.map(({ stripped }) => stripped),
      );
      for (const [index, record] of records.entries()) {
        const key = `${service}/${record.claims.seq}`;
        gathered.delete(key);
        sealed.set(key, { record, receipt: receipts[index]! });
        if (session !== undefined)
          send(session, serviceTopic(network, service, "receipt", session.meter), receipts[index]!);
      }
    }
    after(1500, sealWhatIsGathered, "any");
  }

  function telegram(): void {
    const state = household.step(Math.floor((start_ms + now_ms) / 1000));
    after(1000, telegram, "any");
    if (!metering || onMeterBytes === undefined) return;
    const bytes = p1Telegram(state, "5.0");
    if (chance(faults.rubbish)) bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
    const half = Math.floor(random() * bytes.length);
    guarded(() => onMeterBytes?.(bytes.subarray(0, half)));
    guarded(() => onMeterBytes?.(bytes.subarray(half)));
    if (chance(faults.cuts / 60)) stores.cutAfter(Math.floor(random() * 700), eraseCuts[cuts % 3]!);
  }

  function boot(): void {
    life += 1;
    bootedAt_ms = now_ms;
    stores.restore();
    guarded(() => runAgent(host()));
  }

  /** Runs what may meet the power cut; then nothing of this life goes on, and the next begins after a while. */
  function guarded(act: () => void): void {
    try {
      act();
    } catch (thrown) {
      if (!(thrown instanceof PowerCut)) throw thrown;
      powerOff();
    }
  }

  function powerOff(): void {
    cuts += 1;
    life += 1;
    onMeterBytes = undefined;
    if (session !== undefined) session.open = false;
    session = undefined;
    after(500 + Math.floor(random() * 3000), boot, "any");
  }

  /** Lets so many seconds go by. */
  function run(seconds: number): void {
    const end_ms = now_ms + seconds * 1000;
    for (let events = 0; ; events += 1) {
      // The agent sleeps between what it has to do: a timer that comes back at once would drain a battery, and the test.
      if (events > 100 * seconds + 5000) throw new Error(`${events} events in ${seconds} s`);
      agenda.sort((left, right) => left.at_ms - right.at_ms || left.order - right.order);
      const next = agenda[0];
      if (next === undefined || next.at_ms > end_ms) break;
      agenda.shift();
      now_ms = next.at_ms;
      if (next.life === "any" || next.life === life) guarded(next.act);
    }
    now_ms = end_ms;
  }

  boot();
  after(700, telegram, "any");
  after(1500, sealWhatIsGathered, "any");

  return {
    run,
    stores,
    sealer,
    sealed,
    conflicts,
    publications,
    topics,
    log,
    states,
    get counters() {
      return counters;
    },
    get cuts() {
      return cuts;
    },
    get tokensRefused() {
      return tokensRefused;
    },
    /** tokens that were shown */
    get tokens() {
      return tokens.size;
    },
    /** what the meter told of itself last */
    get diagnosis() {
      return diagnosis;
    },
    get subscribedMeter() {
      return session?.meter;
    },
    /** Sends a message of the broker's own to the meter. */
    message: (topic: string, payload: Uint8Array) => session?.events.onMessage(topic, payload),
    heal() {
      faults = noFaults;
    },
    setMetering(on: boolean) {
      metering = on;
    },
    setNodes(up: boolean) {
      nodesUp = up;
      if (!up) meterKnown = false;
    },
    setBroker(up: boolean) {
      brokerUp = up;
      if (!up && session !== undefined) close(session, "connection reset");
    },
    /** At this broker nobody answers. */
    setDead(url: string | undefined) {
      dead = url;
      if (session !== undefined) close(session, "connection reset");
    },
    /** Whether a broker takes who shows no token. */
    setStrangers(areWelcome: boolean) {
      welcomesStrangers = areWelcome;
    },
    setRefusal(reason: RefusalReason | undefined) {
      refuseWith = reason;
    },
    /** As nodes do from when an order about the meter is sealed: its session ends, and no token of it is taken. */
    setBar(reason: RefusalReason | undefined) {
      barredAs = reason;
      if (reason !== undefined && session !== undefined) close(session, "closed by the broker");
    },
    powerOff,
  };
}

const silent: MqttConnection = { publish: () => true, subscribe: () => {}, close: () => {} };

/** mulberry32: a small generator, the same story for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
