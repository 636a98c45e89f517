// Every publish of a meter, from the broker to the chain or to a refusal: ties admission, chains, receipts and the answers.

import { toHex } from "../../src/wire/bytes.js";
import { encodeCbor } from "../../src/wire/cbor.js";
import { type Credential, parseCredential, verifyCredential } from "../../src/wire/credential.js";
import type { Genesis } from "../../src/wire/genesis.js";
import type { PublicKey, Verify } from "../../src/wire/key.js";
import { encodeDisclosure } from "../../src/wire/record.js";
import { encodeRefusal } from "../../src/wire/refusal.js";
import { meterTopic, serviceTopic } from "../../src/wire/topics.js";
import type { Chain } from "./chain/chain.js";
import type { ChainLog } from "./chain/ports.js";
import type { ReadRecord } from "./chain/record-scan.js";
import { admit, admitCredential, isTooLate, type RecordTopic, Refused, replaces, revoked } from "./ingest/admission.js";
import type { PublishedTopic } from "./ingest/ingest.js";
import type { Introductions } from "./introductions.js";
import type { Metrics } from "./metrics.js";
import type { Receipts } from "./receipts.js";
import { createRefusedMeters } from "./refused-meters.js";
import type { Store } from "./store/store.js";

/** Credentials kept decoded; the others are read from the store again. */
const CREDENTIALS_KEPT = 65_536;
const SENT_AWAY_MAX = 65_536;

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
  readonly verify: Verify;
  /** Whether the record, without its disclosures, is signed by the key. */
  verifyRecord(key: PublicKey, record: Uint8Array): Promise<boolean>;
  now_ms(): number;
  monotonic_ms(): number;
  /** Whether the network has a chain for the service, on this node or not. */
  sealsService(service: number): boolean;
  /** Whether a sealed order has revoked the meter, by its id as hex. */
  isRevoked(meter: string): boolean;
  /** Sends to the meter of the topic; with `to` to that session alone, where sessions are known. */
  publish(topic: string, payload: Uint8Array, to?: string): void;
}

/** The publish stays without PUBACK, and the meter offers it again later or elsewhere: too much waits here, or others seal it. */
export class Busy extends Error {}

export interface Admissions {
  /** What a meter published; resolves where it is durable or refused. Rejects with Busy, or where the node itself fails. */
  onPublish(topic: PublishedTopic, payload: Uint8Array, client: string): Promise<void>;
}

export function createAdmissions(ports: AdmissionsPorts): Admissions {
  const { genesis, store, chains, metrics, log } = ports;
  const refusedMeters = createRefusedMeters({ counter: metrics.refusedMeters, log, monotonic_ms: ports.monotonic_ms });
  const credentials = new Map<string, Credential>();
  /** meters whose session was ended for a record that this node does not seal, and which have not been told so since */
  const sentAway = new Set<string>();

  const keep = (kid: string, credential: Credential) => {
    credentials.set(kid, credential);
    if (credentials.size > CREDENTIALS_KEPT) credentials.delete(credentials.keys().next().value!);
  };

  const credentialOf = (kid: Uint8Array, meter: string): Credential | undefined => {
    const known = credentials.get(meter);
    if (known !== undefined) return known;
    const bytes = store.credential(0, kid);
    if (bytes === undefined) return undefined;
    const credential = verifyCredential(bytes, genesis, ports.verify);
    keep(meter, credential);
    return credential;
  };

  const admissionPorts = {
    genesis,
    now_ms: ports.now_ms,
    isRevoked: ports.isRevoked,
    credential: credentialOf,
    meterState: (service: number, kid: Uint8Array) => store.meter(service, kid),
    servesChain: ports.sealsService,
    verifyRecord: ports.verifyRecord,
  };

  const refuse = (topic: PublishedTopic, refused: Refused, client: string) => {
    metrics.refused.inc({ reason: refused.reason });
    if (credentials.has(topic.meter)) refusedMeters.note(topic.meter, refused.reason, refused.message);
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

  const onBirth = async (meter: string, payload: Uint8Array) => {
    const credential = admitCredential(genesis, meter, payload, ports.verify);
    const kid = Buffer.from(meter, "hex");
    if (ports.isRevoked(meter)) throw revoked(meter);
    ports.introductions.onBirth(meter);
    if (!replaces(credentialOf(kid, meter), credential)) return;
    await store.write((writer) => writer.putCredential(0, kid, payload));
    keep(meter, credential);
    log.info({ meter, id: parseCredential(payload).subject }, "meter is known");
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

  const onRecord = async (topic: RecordTopic, payload: Uint8Array): Promise<void> => {
    const record = await admit(admissionPorts, topic, payload);
    const { service, seq } = record.claims;
    const chain = chains.get(service);
    if (chain === undefined) return sendAway(record);
    const known = chain.known(record);
    if (known === "sealed") {
      metrics.repeated.inc({ state: "sealed" });
      const receipt = ports.receipts.find(service, record.kid, seq)!;
      const { meter } = topic;
      ports.introductions.beforeReceipt(service, meter, store.location(service, record.kid, seq)!.height);
      ports.publish(serviceTopic(genesis.network, service, "receipt", meter), receipt);
      return;
    }
    if (known === "none" && isTooLate(store.meter(service, record.kid), seq)) {
      throw new Refused("out-of-sequence", `record ${seq} lies in a gap that is closed as a violation`, record);
    }
    if (!chain.hasMember(ports.self)) return sendAway(record);
    const admission = await chain.admit(record, disclosuresOf(record));
    if (admission === "busy") {
      metrics.unacknowledged.inc();
      throw new Busy(`chain ${service} has too many waiting records`);
    }
    if (admission === "admitted") metrics.admitted.inc({ service: String(service) });
    else metrics.repeated.inc({ state: "waiting" });
  };

  return {
    async onPublish(topic, payload, client) {
      // The broker's buffer holds more than this packet; what is kept is a copy.
      const bytes = new Uint8Array(payload);
      try {
        if (topic.kind === "birth") await onBirth(topic.meter, bytes);
        else if (topic.kind === "record") await onRecord(topic, bytes);
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
