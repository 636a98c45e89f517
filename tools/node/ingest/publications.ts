// Every publish of a meter, from the broker to the chain or to a refusal: ties admission, chains, receipts and the answers.

import { equalBytes, fromHex, toHex } from "../../../src/wire/bytes.js";
import { encodeCbor } from "../../../src/wire/cbor.js";
import { type Credential, parseCredential } from "../../../src/wire/credential.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import type { PublicKey, Verify } from "../../../src/wire/key.js";
import { encodeDisclosure } from "../../../src/wire/record.js";
import { encodeRefusal, type RefusalReason } from "../../../src/wire/refusal.js";
import { encodeTime } from "../../../src/wire/time.js";
import { meterTopic, serviceTopic } from "../../../src/wire/topics.js";
import { BoundedMap } from "../../bounded-map.js";
import type { Standing } from "../../ledger/governance.js";
import type { ReadRecord } from "../../ledger/record-scan.js";
import type { Holder } from "../admission/token-judge.js";
import type { Chain } from "../chain/chain.js";
import type { ChainLog, SealedBlock } from "../chain/ports.js";
import { credentials as credentialTable } from "../chain/tables/credentials.js";
import { meters } from "../chain/tables/states.js";
import { idKey } from "../store/keys.js";
import type { Store } from "../store/store.js";
import type { Metrics } from "../watch/metrics.js";
import {
  admitCredential,
  barOf,
  isTooLate,
  proveRecord,
  type RecordTopic,
  Refused,
  readPublished,
  readSubmitted,
  replaces,
  revoked,
} from "./admission.js";
import { createAllowances, type RecordRate, VERIFYING_MAX, WAITING_OF_METER_MAX } from "./allowances.js";
import type { Introductions } from "./handovers.js";
import type { PublishedTopic } from "./ingest.js";
import { createProofs } from "./proofs.js";
import type { Receipts } from "./receipts.js";
import { createRefusedMeters } from "./refused-meters.js";

/** Credentials kept decoded; the others are read from the store again. */
const CREDENTIALS_KEPT = 65_536;
const SENT_AWAY_MAX = 65_536;
/** How a client is named that has no session; the names of sessions have no blank before their meter. */
const HTTP = "http";

export interface AdmissionsPorts {
  readonly genesis: Genesis;
  /** this node's id */
  readonly self: string;
  readonly store: Store;
  readonly chains: ReadonlyMap<number, Chain>;
  readonly receipts: Receipts;
  readonly introductions: Introductions;
  readonly metrics: Metrics;
  readonly log: ChainLog;
  /** Whether the signature is the key's; with `verifyRecord`, of what anybody may have brought. */
  verifyBirth(...signed: Parameters<Verify>): Promise<boolean>;
  /** Whether the record, without its disclosures, is signed by the key. */
  verifyRecord(key: PublicKey, record: Uint8Array): Promise<boolean>;
  now_ms(): number;
  monotonic_ms(): number;
  /** how fast one meter's records of one service are taken */
  readonly rate: RecordRate;
  /** Whether the network has a chain for the service, on this node or not. */
  sealsService(service: number): boolean;
  /** Whether a sealed order has revoked the meter, by its id as hex. */
  isRevoked(meter: string): boolean;
  /** How the meter stands by the orders sealed so far, as who admits connections has it. */
  holderStanding(meter: string): Standing;
  /** How the meter stands for a number of a service by the orders sealed so far. */
  standingOf(meter: string, service: number, seq: number): Standing;
  /** Sends to the meter of the topic; with `to` to that session alone, where sessions are known. */
  publish(topic: string, payload: Uint8Array, to?: string): void;
  /** Where a session comes from; undefined where sessions are not known. */
  addressOf(client: string): string | undefined;
  /** Whether the session has proved to be the meter's. */
  isProved(client: string, meter: string): boolean;
  /** The session has shown that it speaks for the meter: it brought a record of it that nobody else could have. */
  onProved(client: string, meter: string): void;
}

interface KnownCredential {
  readonly credential: Credential;
  readonly bytes: Uint8Array;
}

/** The publish stays without PUBACK, and the meter offers it again later or elsewhere: too much waits here, or others seal it. */
export class Busy extends Error {}

export interface Admissions {
  /**
   * What a meter published; resolves where it is durable or refused. Rejects with Busy, or where the node itself fails. `client` is the
   * session; empty where the broker is shared and knows none.
   */
  onPublish(topic: PublishedTopic, payload: Uint8Array, client: string): Promise<void>;
  /** A record that came otherwise than by MQTT, with the credential that its holder has shown: the same admission, and its answer. */
  submit(submitted: SubmittedRecord): Promise<Submission>;
  /** A block is stored; called before its receipts go out. */
  onSealed(sealed: SealedBlock): void;
}

export interface SubmittedRecord {
  readonly bytes: Uint8Array;
  /** absent where no token is asked for, and the meter is known from elsewhere */
  readonly holder: Holder | undefined;
}

export type Submission =
  /** durable here, or known already */
  | { readonly type: "taken"; readonly service: number; readonly meter: string; readonly seq: number }
  | { readonly type: "refused"; readonly reason: RefusalReason; readonly message: string }
  | { readonly type: "busy"; readonly message: string };

export function createAdmissions(ports: AdmissionsPorts): Admissions {
  const { genesis, store, chains, metrics, log } = ports;
  const refusedMeters = createRefusedMeters({ counter: metrics.refusedMeters, log, monotonic_ms: ports.monotonic_ms });
  const credentials = new BoundedMap<string, KnownCredential>(CREDENTIALS_KEPT);
  /** meters whose session was ended for a record that this node does not seal, and which have not been told so since */
  const sentAway = new Set<string>();
  const allowances = createAllowances(ports.rate, ports.now_ms);
  const proofs = createProofs(fromHex(ports.self)!);
  /** signatures of clients that are being verified */
  let verifying = 0;

  const keep = (kid: string, known: KnownCredential) => {
    credentials.set(kid, known);
  };

  /** Its signature was verified before it was stored. */
  const knownOf = (kid: Uint8Array, meter: string): KnownCredential | undefined => {
    const kept = credentials.get(meter);
    if (kept !== undefined) return kept;
    const bytes = store.get(credentialTable, idKey(0, kid));
    if (bytes === undefined) return undefined;
    const known = { credential: parseCredential(bytes), bytes };
    keep(meter, known);
    return known;
  };

  const credentialOf = (kid: Uint8Array, meter: string) => knownOf(kid, meter)?.credential;

  const onVerifying = () => {
    if (verifying >= VERIFYING_MAX) {
      metrics.unacknowledged.inc();
      throw new Busy("too many signatures wait to be verified");
    }
    verifying += 1;
  };

  const verifyRecord = async (key: PublicKey, record: Uint8Array): Promise<boolean> => {
    onVerifying();
    try {
      return await ports.verifyRecord(key, record);
    } finally {
      verifying -= 1;
    }
  };

  const verifyBirth = async (...signed: Parameters<Verify>): Promise<boolean> => {
    onVerifying();
    try {
      return await ports.verifyBirth(...signed);
    } finally {
      verifying -= 1;
    }
  };

  const admissionPorts = {
    genesis,
    now_ms: ports.now_ms,
    isRevoked: ports.isRevoked,
    standingOf: ports.standingOf,
    credential: credentialOf,
    meterState: (service: number, kid: Uint8Array) => store.get(meters, idKey(service, kid)),
    servesChain: ports.sealsService,
    verifyRecord,
  };

  const refuse = (topic: PublishedTopic, refused: Refused, client: string) => {
    metrics.refused.inc({ reason: refused.reason });
    const isCertified = credentials.has(topic.meter) || ports.isRevoked(topic.meter);
    if (isCertified) refusedMeters.note(topic.meter, refused.reason, refused.message);
    log.debug({ ...topic, reason: refused.reason, detail: refused.message }, "publish refused");
    const refusal = encodeRefusal({
      service: refused.record?.claims.service,
      seq: refused.record?.claims.seq,
      recordHash: refused.record?.hash,
      reason: refused.reason,
      sentence: refused.message,
    });
    // To whoever published it: anybody can publish rubbish under a meter's name.
    ports.publish(meterTopic(genesis.network, "ack", topic.meter), refusal, client);
  };

  /** What is over its allowance is acknowledged and gets no answer: who asks in good faith asks again. */
  const passOver = (topic: PublishedTopic) => {
    metrics.refused.inc({ reason: "rate-limited" });
    log.debug({ ...topic }, "publish passed over");
  };

  /** What is on a chain has been verified. Of the rest, only what lacks nothing but its signature spends what is there for all. */
  const newCredential = async (kid: Uint8Array, meter: string, payload: Uint8Array, client: string) => {
    const isSealed = [...chains.keys()].some((service) => {
      const sealed = store.get(credentialTable, idKey(service, kid));
      return sealed !== undefined && equalBytes(sealed, payload);
    });
    if (isSealed) return parseCredential(payload);
    let isWithin = true;
    const credential = await admitCredential(genesis, meter, payload, async (...signed) => {
      const address = ports.addressOf(client);
      isWithin = allowances.mayVerifyBirth(meter, address);
      if (!isWithin) return true;
      const isGood = await verifyBirth(...signed);
      if (!isGood && address !== undefined) allowances.onForgedBirth(address);
      return isGood;
    });
    return isWithin ? credential : undefined;
  };

  const onBirth = async (topic: PublishedTopic, payload: Uint8Array, client: string) => {
    const { meter } = topic;
    if (!allowances.mayBeBorn(client || meter)) return passOver(topic);
    const kid = Buffer.from(meter, "hex");
    const known = knownOf(kid, meter);
    const isKnown = known !== undefined && equalBytes(known.bytes, payload);
    const credential = isKnown ? known.credential : await newCredential(kid, meter, payload, client);
    if (credential === undefined) return passOver(topic);
    // Before it is refused: a client without a token hears this alone.
    const time_s = Math.floor(ports.now_ms() / 1_000);
    const time = encodeTime({ time_s, refusedAs: barOf(ports.holderStanding(meter), credential, time_s) });
    ports.publish(meterTopic(genesis.network, "time", meter), time, client === "" ? undefined : client);
    if (ports.isRevoked(meter)) throw revoked(meter);
    if (allowances.mayBeShown(meter)) ports.introductions.onBirth(meter);
    if (isKnown || !replaces(credentialOf(kid, meter), credential)) return;
    await store.write((writer) => writer.put(credentialTable, idKey(0, kid), payload));
    keep(meter, { credential, bytes: payload });
    log.info({ meter, id: credential.subject }, "meter is known");
  };

  /**
   * Leaves a record that other nodes seal without PUBACK, which on this node's own broker ends the session: the meter turns to its
   * next broker at once. (Handing the record on would show its disclosures to one node more.) A meter that comes back with it may have
   * no other broker: it is told, which sets the record aside for a while, so that the services that this node does seal go on.
   */
  const sendAway = (record: ReadRecord): never => {
    const { service } = record.claims;
    const meter = toHex(record.kid);
    const sealsOthers = credentialOf(record.kid, meter)?.services.some((other) =>
      chains.get(other)?.hasMember(ports.self),
    );
    if (!sealsOthers || !sentAway.delete(meter)) {
      sentAway.add(meter);
      if (sentAway.size > SENT_AWAY_MAX) sentAway.delete(sentAway.values().next().value!);
      metrics.unacknowledged.inc();
      throw new Busy(`this node is no member of chain ${service}`);
    }
    throw new Refused(
      "service-not-permitted",
      `this node is no member of chain ${service}: connect to one that is`,
      record,
    );
  };

  /** Whether the record may be one that was published before; what is new is above all that is sealed of its meter. */
  const mayBeKnown = (chain: Chain, { kid, claims: { service, seq } }: ReadRecord): boolean =>
    seq <= (store.get(meters, idKey(service, kid))?.high ?? -1) || chain.isWaiting(kid, seq);

  /** Whether the record was published before and is dealt with, without verifying it again: answered, or left waiting. */
  const isRepetition = async (chain: Chain, record: ReadRecord, meter: string, client: string): Promise<boolean> => {
    const { service, seq } = record.claims;
    if (chain.isWaiting(record.kid, seq)) {
      if (chain.known(record) !== "waiting") return false;
      await chain.admit(record, undefined); // until it is durable
      metrics.repeated.inc({ state: "waiting" });
      return true;
    }
    let isCharged = false;
    const charge = () => {
      isCharged = allowances.mayRepeat(client || meter);
      return isCharged;
    };
    const sealing = ports.receipts.look({ chain: service, kid: record.kid, seq, hash: record.hash }, () => {
      return charge() && allowances.mayReadBlock();
    });
    if (sealing.kind === "none" || sealing.kind === "other") return false;
    if (sealing.kind === "unread" || !(isCharged || charge())) {
      metrics.repeated.inc({ state: "unanswered" });
      return true;
    }
    metrics.repeated.inc({ state: "sealed" });
    // To whoever published it: sealed records are public, and anybody can publish them again.
    const to = client === "" ? undefined : client;
    ports.introductions.beforeReceipt(service, meter, sealing.height, to);
    ports.publish(serviceTopic(genesis.network, service, "receipt", meter), sealing.receipt(), to);
    return true;
  };

  /** Ends the session of who goes on publishing records that the meter has not signed. */
  const onForgery = (client: string) => {
    if (client === "" || allowances.mayForge(client)) return;
    metrics.unacknowledged.inc();
    throw new Busy("too many signatures of this session are none");
  };

  const checkRate = (isWithin: boolean, record: ReadRecord) => {
    if (isWithin) return;
    const { service } = record.claims;
    throw new Refused("rate-limited", `more records of service ${service} than this node takes of a meter`, record);
  };

  /** What a meter publishes right behind its birth does not overtake it. */
  const births = new Map<string, Promise<void>>();
  const takeBirth = (topic: PublishedTopic, payload: Uint8Array, client: string): Promise<void> => {
    const birth = onBirth(topic, payload, client).finally(() => {
      if (births.get(topic.meter) === birth) births.delete(topic.meter);
    });
    births.set(topic.meter, birth);
    return birth;
  };

  const onRecord = async (topic: RecordTopic, payload: Uint8Array, client: string): Promise<void> => {
    await births.get(topic.meter)?.catch(() => {}); // who published the birth is told
    const published = readPublished(admissionPorts, topic, payload);
    const { record, meter } = published;
    const { service, seq } = record.claims;
    const chain = chains.get(service);
    if (chain !== undefined && mayBeKnown(chain, record) && (await isRepetition(chain, record, meter, client))) return;
    checkRate(allowances.hasRecord(service, meter, payload.length), record);
    await proveRecord(admissionPorts, published).catch((error: unknown) => {
      if (error instanceof Refused && error.reason === "bad-signature") onForgery(client);
      throw error;
    });
    if (chain === undefined) return sendAway(record); // which may be public: it proves nothing
    const known = chain.known(record);
    if (known === "sealed") return void (await isRepetition(chain, record, meter, client)); // meanwhile
    if (known === "none" && isTooLate(store.get(meters, idKey(service, record.kid)), seq)) {
      throw new Refused("out-of-sequence", `record ${seq} lies in a gap that is closed as a violation`, record);
    }
    if (!chain.hasMember(ports.self)) return sendAway(record);
    if (known === "none") {
      checkRate(chain.waitingOf(meter) < WAITING_OF_METER_MAX, record);
      checkRate(allowances.takeRecord(service, meter, payload.length), record);
    }
    const admission = await chain.admit(record, disclosuresOf(record));
    if (admission === "busy") {
      metrics.unacknowledged.inc();
      throw new Busy(`chain ${service} has too many waiting records`);
    }
    if (admission === "admitted") {
      metrics.admitted.inc({ service: String(service) });
      if (client !== "" && !ports.isProved(client, meter)) proofs.note(service, meter, seq, client);
    } else metrics.repeated.inc({ state: "waiting" });
  };

  const submit = async ({ bytes, holder }: SubmittedRecord): Promise<Submission> => {
    try {
      const { record, meter } = readSubmitted(bytes);
      if (holder !== undefined && holder.id !== meter) {
        throw new Refused("wrong-topic", `record is of meter ${meter}, the session token of ${holder.id}`, record);
      }
      const client = `${HTTP} ${meter}`;
      const shown = holder?.credentialBytes;
      if (shown !== undefined && credentialOf(record.kid, meter) === undefined) {
        await takeBirth({ kind: "birth", meter }, shown, client);
      }
      const { service, seq } = record.claims;
      await onRecord({ kind: "record", service, meter }, bytes, client);
      return { type: "taken", service, meter, seq };
    } catch (error) {
      if (error instanceof Busy) return { type: "busy", message: error.message };
      if (!(error instanceof Refused)) throw error;
      metrics.refused.inc({ reason: error.reason });
      return { type: "refused", reason: error.reason, message: error.message };
    }
  };

  return {
    submit,
    onSealed(sealed) {
      for (const { client, meter } of proofs.prove(sealed)) ports.onProved(client, meter);
    },
    async onPublish(topic, payload, client) {
      // The broker's buffer holds more than this packet; what is kept is a copy.
      const bytes = new Uint8Array(payload);
      try {
        if (topic.kind === "birth") await takeBirth(topic, bytes, client);
        else if (topic.kind === "record") await onRecord(topic, bytes, client);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        refuse(topic, error, client);
      }
    },
  };
}

/** A record's confidential groups as this node keeps them for authorised access: [+ disclosure]. */
function disclosuresOf(record: ReadRecord): Uint8Array | undefined {
  if (record.disclosures.length === 0) return undefined;
  return encodeCbor(record.disclosures.map(encodeDisclosure));
}
