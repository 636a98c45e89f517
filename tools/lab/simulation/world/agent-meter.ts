// A meter with the agent's own outbox, uplink and judge of receipts, over a flash in memory and
// connections that break. It loses its memory now and then, as in a power cut between two steps;
// what flash does within one is the agent's own tests' business.

import { createInbox } from "../../../../src/agent/inbox.js";
import { createMembers, type Members } from "../../../../src/agent/members.js";
import { type Outbox, openOutbox } from "../../../../src/agent/outbox.js";
import { createReceiptJudge, type ReceiptJudge } from "../../../../src/agent/receipts.js";
import { createUplink, type Uplink, type UplinkEffect, type UplinkInput } from "../../../../src/agent/uplink.js";
import type { Flash, KeyValue } from "../../../../src/host.js";
import { toHex } from "../../../../src/wire/bytes.js";
import { sha256 } from "../../../../src/wire/hash.js";
import { keyId } from "../../../../src/wire/key.js";
import { parseRecord, type Record, signRecord, stripOwnRecord } from "../../../../src/wire/record.js";
import { decodeRefusal, type Refusal, type RefusalReason } from "../../../../src/wire/refusal.js";
import { parseTopic, serviceTopic } from "../../../../src/wire/topics.js";
import { simulatedSigner, simulatedVerify } from "./keys.js";
import { credentialOf, type MeterWorld, reading, type SimulatedMeter } from "./meter.js";
import type { SimulatedNode } from "./node-world.js";
import { createReceiptWatch, type ReceiptWatch } from "./receipt-watch.js";

const FLASH_BYTES = 524_288;
const SECTOR_BYTES = 4_096;
const WAKE_MS_MAX = 5_000;
/** mean time between two power cuts, while faults last */
const POWER_CUT_MS = 6_000;

interface Session {
  readonly connection: number;
  readonly node: SimulatedNode;
  /** of the node: a broker that has started again knows nothing of it */
  readonly life: number;
}

/** What is in memory, between two power cuts. */
interface Life {
  readonly outbox: Outbox;
  readonly uplink: Uplink;
  readonly inbox: ReturnType<typeof createInbox>;
  readonly judge: ReceiptJudge;
  readonly members: Members;
  session: Session | undefined;
}

export function createAgentMeter(world: MeterWorld, name: string, service: number): SimulatedMeter {
  const { genesis, timeline, random, blockChecks } = world;
  const signer = simulatedSigner(name);
  const [kid, id] = [keyId(signer.key), toHex(keyId(signer.key))];
  const credential = credentialOf(genesis, world.authority, signer, { service, roles: ["meter"] });
  const device = { id, credential, service, flash: createFlash(), keyValue: createKeyValue() };
  const refused = new Set<string>();
  let life: Life;
  let wakes = 0;
  let made = 0;
  const watch = createReceiptWatch(world, name, service);

  blockChecks.addMeter(id, signer.key);

  const boot = () => {
    watch.forget();
    life = bootLife(world, device);
  };

  const feed = (input: UplinkInput) => {
    const mine = life;
    for (const effect of mine.uplink.step(input, timeline.now_ms())) perform(mine, effect);
    wake();
  };

  /** Once, when the uplink wants it, or after a while to look whether its broker is still there. */
  const wake = () => {
    wakes += 1;
    const mine = wakes;
    const wanted_ms = wakeAt_ms(life, timeline.now_ms()) - timeline.now_ms();
    timeline.after(Math.min(Math.max(1, wanted_ms), WAKE_MS_MAX), () => {
      if (wakes !== mine) return;
      const { session } = life;
      if (session !== undefined && isGone(session)) lose(session, "connection reset");
      else feed(settled(life, watch, timeline.now_ms()) ?? { kind: "wake" });
    });
  };

  const lose = (session: Session, reason: string) => {
    if (life.session !== session) return;
    life.session = undefined;
    feed({ kind: "closed", connection: session.connection, reason });
  };

  const later = (delay_ms: number, event: () => void) => {
    const mine = life;
    timeline.after(delay_ms, () => {
      if (life === mine) event();
    });
  };

  const perform = (mine: Life, effect: UplinkEffect) => {
    switch (effect.kind) {
      case "connect":
        return connect(effect.connection, effect.options.url);
      case "close":
        mine.session = undefined;
        return;
      case "subscribe":
        return; // the node looks whether it is in touch
      case "publish":
        return publish(effect);
    }
  };

  const connect = (connection: number, url: string) => {
    const node = world.nodes.find(({ label }) => url.includes(`//${label.replace("'", "-")}:`))!;
    later(random.between(5, 60), () => {
      if (!node.isUp || random.chance(world.loss())) {
        return feed({ kind: "closed", connection, reason: "connection refused" });
      }
      life.session = { connection, node, life: node.life };
      feed({ kind: "connected", connection });
    });
  };

  const publish = ({ connection, packetId, topic, payload }: Extract<UplinkEffect, { kind: "publish" }>) => {
    const { session } = life;
    if (session?.connection !== connection) return;
    if (random.chance(world.loss())) return later(1, () => lose(session, "connection reset"));
    const acknowledge = () => {
      if (life.session === session) feed({ kind: "published", connection, packetId });
    };
    const record = parseTopic(topic)?.kind === "record" ? parseRecord(payload) : undefined;
    if (record !== undefined) refused.delete(toHex(record.hash));
    const lie = record === undefined ? undefined : world.liarAt(session.node)?.treat(record.claims.seq);
    if (lie?.refusal !== undefined)
      later(1, () => feed({ kind: "refused", refusal: refusalOf(record!, lie.refusal!) }));
    const forged = lie?.forges ? watch.forge(record!.hash) : undefined;
    if (forged !== undefined) later(5, () => see(serviceTopic(genesis.network, service, "receipt", id), forged));
    timeline.after(random.between(1, 30), () => {
      if (isGone(session)) return;
      if (lie?.passes === false) return acknowledge();
      void session.node.onPublish(topic, payload).then((acknowledged) => {
        if (!acknowledged) return;
        if (record !== undefined && !refused.has(toHex(record.hash))) world.onAcknowledged(session.node, record);
        timeline.after(random.between(1, 20), acknowledge);
      });
    });
  };

  const powerCut = () => {
    timeline.after(random.between(0.2, 1.8) * POWER_CUT_MS, () => {
      if (world.loss() === 0) return;
      world.trace(`${name} has a power cut`);
      world.coverage.powerCutsOfMeters += 1;
      boot();
      feed({ kind: "wake" });
      powerCut();
    });
  };

  const see = (topic: string, payload: Uint8Array) => {
    const message = life.inbox(topic, payload, timeline.now_ms());
    if (parseTopic(topic)?.kind === "receipt") watch.judged(payload, message);
    if (message.kind === "unknown members") feed({ kind: "unproven", recordHash: message.recordHash });
    if (message.kind === "wrong members") watch.refusedItem(payload, message.reason, life.members);
    if (message.kind === "sealed" || message.kind === "deferred" || message.kind === "refused") feed(message);
  };

  return {
    name,
    id,
    service,
    // It keeps them too, but its outbox has rules of its own.
    ...{ isAsking: false, isPatient: false },
    next: 0,
    start() {
      boot();
      feed({ kind: "wake" });
      powerCut();
    },
    measure() {
      const { seq, previous } = life.outbox.chain(service);
      const record = parseRecord(signRecord(reading(timeline, random, { service, seq, previous }), [], signer, kid));
      blockChecks.submit(record);
      made += 1;
      const refusal = life.outbox.append(service, seq, record.stripped, record.hash);
      if (refusal !== undefined) world.fail("the outbox takes a record", `${name}: ${refusal}`);
      feed({ kind: "wake" });
    },
    isAt: (node) => life.session?.node === node && !isGone(life.session),
    onRefused(payload) {
      const { recordHash } = decodeRefusal(payload);
      if (recordHash !== undefined) refused.add(toHex(recordHash));
    },
    receive(topic, payload) {
      const { session } = life;
      if (session === undefined) return; // what comes behind a lost message is lost with the connection, too
      if (random.chance(world.loss())) {
        // What proves members is shown once a connection: it is lost with that alone.
        if (parseTopic(topic)?.kind === "members") lose(session, "connection reset");
        return;
      }
      see(topic, payload);
    },
    // Whatever its outbox says: a record that it let go of without a receipt is one that waits for
    // ever.
    get waiting() {
      return made - watch.receipts;
    },
    get receipts() {
      return watch.receipts;
    },
  };
}

function wakeAt_ms({ uplink, judge }: Life, now_ms: number): number {
  return Math.min(uplink.wakeAt_ms(now_ms), judge.wakeAt_ms(uplink.isPressed));
}

/** A certificate that was due, as the uplink is told of it. */
function settled({ uplink, judge }: Life, watch: ReceiptWatch, now_ms: number): UplinkInput | undefined {
  const verdict = judge.settle(now_ms, uplink.isPressed);
  if (verdict?.kind !== "proved" && verdict?.kind !== "unproved") return undefined;
  watch.settled(verdict);
  return verdict;
}

/** What of a meter outlives a power cut, or does not change. */
interface MeterDevice {
  readonly id: string;
  readonly credential: Uint8Array;
  readonly service: number;
  readonly flash: Flash;
  readonly keyValue: KeyValue;
}

/** Whether the node that it was opened at has ended since. */
function isGone({ node, life }: Session): boolean {
  return !node.isUp || node.life !== life;
}

function bootLife(world: MeterWorld, { id, credential, service, flash, keyValue }: MeterDevice): Life {
  const { genesis, random } = world;
  const outbox = openOutbox({ flash, keyValue, recordHash: (record) => sha256(stripOwnRecord(record)) });
  const uplink = createUplink({
    brokers: world.brokers.map((node) => `mqtt://${node.label.replace("'", "-")}:1883`),
    network: genesis.network,
    meter: id,
    credential,
    outbox,
    random: random.fraction,
  });
  const members = createMembers(genesis, [service], simulatedVerify, keyValue);
  const judge = createReceiptJudge(genesis, members, simulatedVerify, (...named) => uplink.expects(...named));
  return {
    outbox,
    uplink,
    judge,
    members,
    inbox: createInbox(genesis.network, id, judge, members),
    session: undefined,
  };
}

function refusalOf({ claims: { service, seq }, hash }: Record, reason: RefusalReason): Refusal {
  return { service, seq, recordHash: hash, reason, sentence: "no" };
}

/** NOR flash: writing clears bits, erasing sets those of a sector. */
function createFlash(): Flash {
  const bytes = new Uint8Array(FLASH_BYTES).fill(0xff);
  return {
    size: FLASH_BYTES,
    sectorSize: SECTOR_BYTES,
    read: (offset, length) => bytes.slice(offset, offset + length),
    write(offset, written) {
      for (let index = 0; index < written.length; index += 1) bytes[offset + index]! &= written[index]!;
    },
    erase: (offset) => void bytes.fill(0xff, offset, offset + SECTOR_BYTES),
  };
}

function createKeyValue(): KeyValue {
  const values = new Map<string, Uint8Array>();
  return {
    get: (key) => values.get(key)?.slice(),
    set: (key, value) => void values.set(key, value.slice()),
    delete: (key) => void values.delete(key),
  };
}
