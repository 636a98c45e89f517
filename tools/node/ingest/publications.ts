// Every publish of a meter, from the broker to the chain or to a refusal: ties admission, chains, receipts and the answers.

import { fromHex } from "../../../src/wire/bytes.js";
import type { PublicKey } from "../../../src/wire/key.js";
import { encodeRefusal, type RefusalReason } from "../../../src/wire/refusal.js";
import type { SealedDisclosures } from "../../../src/wire/sealed-disclosure.js";
import { meterTopic } from "../../../src/wire/topics.js";
import type { ReadRecord } from "../../ledger/record-scan.js";
import type { Holder } from "../admission/token-judge.js";
import type { SealedBlock } from "../chain/ports.js";
import { meters } from "../chain/tables/states.js";
import { idKey } from "../store/keys.js";
import {
  Busy,
  isTooLate,
  proveRecord,
  type RecordTopic,
  Refused,
  readPublished,
  readSubmitted,
  replaces,
} from "./admission.js";
import { createAllowances, WAITING_OF_METER_MAX } from "./allowances.js";
import { createBirths } from "./births.js";
import type { PublishedTopic } from "./ingest.js";
import { createKnownCredentials } from "./known-credentials.js";
import { createProofs } from "./proofs.js";
import type { AdmissionsPorts } from "./publication-ports.js";
import { createRefusedMeters } from "./refused-meters.js";
import { createRepetitions } from "./repetitions.js";
import { createSendingAway } from "./sending-away.js";
import { createVerifyingLimit } from "./verifying-limit.js";

/** How a client is named that has no session; the names of sessions have no blank before their meter. */
const HTTP = "http";

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
  const allowances = createAllowances(ports.rate, ports.now_ms);
  const proofs = createProofs(fromHex(ports.self)!);
  const credentials = createKnownCredentials(store, () => chains.keys());
  const verifying = createVerifyingLimit(metrics);
  const { takeBirth, settled } = createBirths(ports, { allowances, credentials, verifying });
  const { isRepetition, mayBeKnown } = createRepetitions(ports, allowances);
  const sendAway = createSendingAway(ports, credentials);

  const admissionPorts = {
    genesis,
    now_ms: ports.now_ms,
    isRevoked: ports.isRevoked,
    standingOf: ports.standingOf,
    credential: credentials.of,
    meterState: (service: number, kid: Uint8Array) => store.get(meters, idKey(service, kid)),
    chainCredential: credentials.onChain,
    servesChain: ports.sealsService,
    async verifyRecord(key: PublicKey, record: Uint8Array): Promise<boolean> {
      verifying.enter();
      try {
        return await ports.verifyRecord(key, record);
      } finally {
        verifying.leave();
      }
    },
  };

  const refuse = (topic: PublishedTopic, refused: Refused, client: string) => {
    metrics.refused.inc({ reason: refused.reason });
    const isCertified = credentials.isKept(topic.meter) || ports.isRevoked(topic.meter);
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

  /** What a reading hides goes on encrypted, all of it. What an operation hides its signer keeps. */
  const sealed = async (record: ReadRecord): Promise<SealedDisclosures | undefined> => {
    const { service, seq, type, digests } = record.claims;
    if (type !== undefined || digests === undefined) return undefined;
    if (record.disclosures.length < digests.length) {
      throw new Refused("malformed", `record ${seq} of service ${service} comes without what its digests hide`, record);
    }
    const sealing = await ports.sealDisclosures(record);
    if (sealing.type === "sealed") return sealing.sealed;
    metrics.unacknowledged.inc();
    throw new Busy(sealing.reason);
  };

  const onRecord = async (topic: RecordTopic, payload: Uint8Array, client: string): Promise<void> => {
    await settled(topic.meter); // who published the birth is told
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
    if (known === "none") checkRate(chain.waitingOf(meter) < WAITING_OF_METER_MAX, record);
    // Whatever is new costs as much: what it hides is encrypted for all custodians before the chain is asked whether it has room.
    if (known !== "waiting") checkRate(allowances.takeRecord(service, meter, payload.length), record);
    await credentials.hold(record.kid, meter);
    // Another record of its number may be known: as proof of a fork it is sealed like any other.
    const hidden = known === "waiting" ? undefined : await sealed(record);
    const still = chain.known(record);
    if (still === "sealed") return void (await isRepetition(chain, record, meter, client)); // meanwhile
    if (known === "waiting" && still !== known) throw new Busy(`record ${seq} waits here no more`);
    const admission = await chain.admit(record, hidden);
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
      const { credential, credentialBytes } = holder ?? {};
      const isNew = credential !== undefined && replaces(credentials.of(record.kid, meter), credential);
      if (isNew && credentialBytes !== undefined) await takeBirth({ kind: "birth", meter }, credentialBytes, client);
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
