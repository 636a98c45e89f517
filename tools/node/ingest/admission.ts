// What the original node checks of a record before it answers for it, in this order, each refusal with its reason: size and form,
// topic, credential, signature, service permission, sequence and clock. Signatures are checked off the event loop. Between reading
// a record and proving it is the place for what spares the signature: that the record is known.

import { compareBytes, toHex } from "../../../src/wire/bytes.js";
import { type Credential, verifyCredential } from "../../../src/wire/credential.js";
import { WireError } from "../../../src/wire/error.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import { equalKeys, keyId, type PublicKey, type Verify } from "../../../src/wire/key.js";
import { hasOperation, OPERATION_BYTES_MAX } from "../../../src/wire/operation.js";
import { RECORD_BYTES_MAX } from "../../../src/wire/record.js";
import type { RefusalReason } from "../../../src/wire/refusal.js";
import { reasonOf } from "../../errors.js";
import { isRepeat } from "../../ledger/compose.js";
import { SEQUENCE_WINDOW } from "../../ledger/execution.js";
import type { Standing } from "../../ledger/governance.js";
import { meterOf, type ReadRecord, readRecord, roleComplaint } from "../../ledger/record-scan.js";
import { type MeterState, recordsFork } from "../../ledger/state.js";
import { hasEnded, prolongs } from "../../ledger/term.js";
import type { PublishedTopic } from "./ingest.js";

/** A record's time may be ahead of the node's clock by so much; how far it may be behind is the backlog's business. */
export const CLOCK_AHEAD_MAX_S = 3_600;
/** A record may be so far ahead of what is sealed that a meter's whole backlog is under way; further is a broken counter. */
export const SEQUENCE_AHEAD_MAX = 1_000_000;

export class Refused extends Error {
  readonly reason: RefusalReason;
  readonly record: ReadRecord | undefined;

  constructor(reason: RefusalReason, sentence: string, record?: ReadRecord) {
    super(sentence);
    this.name = "Refused";
    this.reason = reason;
    this.record = record;
  }
}

/** The publish stays without PUBACK, and the meter offers it again later or elsewhere: too much waits here, or others seal it. */
export class Busy extends Error {}

export interface AdmissionPorts {
  readonly genesis: Genesis;
  readonly now_ms: () => number;
  /** how the meter, by its id as hex, stands for a number of a service by the orders sealed so far */
  readonly standingOf: (meter: string, service: number, seq: number) => Standing;
  /** whether a sealed order has revoked the meter, by its id as hex */
  readonly isRevoked: (meter: string) => boolean;
  /** the credential that the node knows of this meter, also given as hex; its signature verified */
  readonly credential: (kid: Uint8Array, meter: string) => Credential | undefined;
  readonly meterState: (service: number, kid: Uint8Array) => MeterState | undefined;
  /** the meter's credential on the chain, which its state says to end then */
  readonly chainCredential: (service: number, kid: Uint8Array, until_s: number) => Credential | undefined;
  readonly servesChain: (service: number) => boolean;
  /** whether the record, without its disclosures, is signed by the key */
  readonly verifyRecord: (key: PublicKey, record: Uint8Array) => Promise<boolean>;
}

export type RecordTopic = Extract<PublishedTopic, { readonly kind: "record" }>;

/** A record in order, on its topic, of a known meter; nothing says yet that the meter made it. */
export interface PublishedRecord {
  readonly record: ReadRecord;
  /** its id as hex */
  readonly meter: string;
  readonly credential: Credential;
}

/** Reads the record that was published on the topic. Throws Refused. */
export function readPublished(ports: AdmissionPorts, topic: RecordTopic, payload: Uint8Array): PublishedRecord {
  const record = parse(payload);
  const meter = meterOf(record.kid);
  checkTopic(ports, topic, record, meter);
  const credential = ports.credential(record.kid, meter);
  if (credential === undefined) {
    // No birth would help: its own would be refused, and the meter would take this node for one that has not heard of it yet.
    if (ports.isRevoked(meter)) throw revoked(meter, record);
    throw new Refused("unknown-meter", `no credential of meter ${meter} is known: publish it as birth first`, record);
  }
  return { record, meter, credential };
}

/** Reads a record that came without a topic. Throws Refused. */
export function readSubmitted(payload: Uint8Array): Pick<PublishedRecord, "record" | "meter"> {
  const record = parse(payload);
  return { record, meter: meterOf(record.kid) };
}

/** Checks that the meter made the record and may. Rejects with Refused. */
export async function proveRecord(ports: AdmissionPorts, published: PublishedRecord): Promise<void> {
  const { record, credential } = published;
  checkCredential(ports, published);
  if (!(await ports.verifyRecord(credential.key, record.stripped))) {
    throw new Refused("bad-signature", "record's signature does not verify with the meter's key", record);
  }
  const unfit = roleComplaint(credential, record.claims.type);
  if (unfit !== undefined) throw new Refused("role-not-permitted", unfit, record);
  if (!credential.services.includes(record.claims.service)) {
    throw new Refused("service-not-permitted", `credential does not permit service ${record.claims.service}`, record);
  }
  const state = ports.meterState(record.claims.service, record.kid);
  if (state !== undefined) checkOnChain(ports, published, state);
  checkSequence(record, state);
  checkClock(ports, record);
}

/** The chain goes by the credential that it has sealed, and by a later one of the same services and roles once that has ended. */
function checkOnChain(ports: AdmissionPorts, { record, meter, credential }: PublishedRecord, state: MeterState): void {
  const { service, type } = record.claims;
  const sealed = ports.chainCredential(service, record.kid, state.until_s);
  if (sealed === undefined) return;
  const unfit = roleComplaint(sealed, type);
  if (unfit !== undefined) {
    throw new Refused("role-not-permitted", `on chain ${service}, ${unfit}: sign with a key of its own`, record);
  }
  if (!hasEnded(state, ports.now_ms()) || prolongs(sealed, credential)) return;
  throw new Refused(
    "credential-invalid",
    `the credential of meter ${meter} on chain ${service} has ended, and one of other services or roles does not take its place: it needs one of the same, or a new key`,
    record,
  );
}

/** The credential that a birth message of the meter carries, checked against the authority. Rejects with Refused. */
export async function admitCredential(
  genesis: Genesis,
  meter: string,
  payload: Uint8Array,
  verify: (...signed: Parameters<Verify>) => Promise<boolean>,
): Promise<Credential> {
  const signed: Parameters<Verify>[] = [];
  let credential: Credential;
  try {
    // All but the signatures, its own and its warrant's, whose turn comes when the rest is good.
    credential = verifyCredential(payload, genesis, (...given) => {
      signed.push(given);
      return true;
    });
  } catch (error) {
    const unproven = error instanceof WireError && error.code === "unproven";
    throw new Refused(unproven ? "credential-invalid" : "malformed", `birth: ${reasonOf(error)}`);
  }
  const own = toHex(keyId(credential.key));
  if (own !== meter) throw new Refused("wrong-topic", `birth on the topic of meter ${meter} is of meter ${own}`);
  for (const each of signed) {
    if (await verify(...each)) continue;
    throw new Refused("credential-invalid", "birth: credential or its warrant is not signed by the authority");
  }
  return credential;
}

/** Why no session token of the meter would be taken now. */
export function barOf(standing: Standing, { notBefore_s, expires_s }: Credential, now_s: number) {
  if (standing !== "good") return standing;
  return now_s < notBefore_s || now_s >= expires_s ? "credential-invalid" : undefined;
}

/** The refusal of a meter whose credential the authority has revoked. */
export function revoked(meter: string, record?: ReadRecord): Refused {
  return new Refused("revoked", `credential of meter ${meter} is revoked: the authority issues new ones`, record);
}

/** Whether a new credential takes the place of the known one: the same key, and issued to last longer. */
export function replaces(known: Credential | undefined, offered: Credential): boolean {
  if (known === undefined) return true;
  return (
    equalKeys(known.key, offered.key) &&
    (offered.expires_s > known.expires_s ||
      (offered.expires_s === known.expires_s && compareBytes(offered.id, known.id) > 0))
  );
}

function parse(payload: Uint8Array): ReadRecord {
  checkSize(payload);
  try {
    return readRecord(payload);
  } catch (error) {
    if (error instanceof WireError) throw new Refused("malformed", `record: ${error.message}`);
    throw error;
  }
}

/** A reading that is no larger than one may be is not looked at: nearly all are. */
function checkSize(payload: Uint8Array): void {
  const { length } = payload;
  if (length <= RECORD_BYTES_MAX) return;
  const most = length <= OPERATION_BYTES_MAX && hasOperation(payload) ? OPERATION_BYTES_MAX : RECORD_BYTES_MAX;
  if (length > most) throw new Refused("oversized", `record of ${length} bytes is larger than ${most}`);
}

function checkTopic(ports: AdmissionPorts, topic: RecordTopic, record: ReadRecord, meter: string): void {
  if (topic.service !== record.claims.service || topic.meter !== meter) {
    const came = `came on that of meter ${topic.meter} and service ${topic.service}`;
    throw new Refused("wrong-topic", `record of meter ${meter} and service ${record.claims.service} ${came}`, record);
  }
  if (!ports.servesChain(record.claims.service)) {
    throw new Refused(
      "service-not-permitted",
      `this node serves no chain for service ${record.claims.service}`,
      record,
    );
  }
}

function checkStanding(ports: AdmissionPorts, record: ReadRecord, meter: string): void {
  const { service, seq } = record.claims;
  const standing = ports.standingOf(meter, service, seq);
  if (standing === "revoked") throw revoked(meter, record);
  if (standing === "suspended") {
    throw new Refused(standing, `meter ${meter} is suspended until the authority resumes it`, record);
  }
  if (standing === "ended") {
    throw new Refused(
      standing,
      `meter ${meter} has been replaced or ended: number ${seq} is not taken any more`,
      record,
    );
  }
}

function checkCredential(ports: AdmissionPorts, { record, meter, credential }: PublishedRecord): void {
  checkStanding(ports, record, meter);
  if (credential.key.algorithm !== record.algorithm) {
    throw new Refused("bad-signature", "record's algorithm is not that of the meter's key", record);
  }
  const now_s = ports.now_ms() / 1000;
  if (now_s < credential.notBefore_s || now_s >= credential.expires_s) {
    throw new Refused(
      "credential-invalid",
      `credential is valid from ${credential.notBefore_s} until ${credential.expires_s}`,
      record,
    );
  }
}

function checkSequence(record: ReadRecord, state: MeterState | undefined): void {
  const { seq } = record.claims;
  const high = state?.high ?? -1;
  if (seq > high + SEQUENCE_AHEAD_MAX) {
    throw new Refused("out-of-sequence", `record ${seq} is too far ahead of ${high}`, record);
  }
  // One that is sealed has had its receipt before this is asked.
  if (isRepeat(state, seq) && !recordsFork(state!, seq)) {
    const what = state!.forks.includes(seq)
      ? `two records with number ${seq} were signed`
      : "this meter has forked often";
    throw new Refused("fork", `${what}: the violation is recorded`, record);
  }
}

function checkClock(ports: AdmissionPorts, record: ReadRecord): void {
  const now_s = ports.now_ms() / 1000;
  if (record.claims.time_s > now_s + CLOCK_AHEAD_MAX_S) {
    const ahead = Math.round(record.claims.time_s - now_s);
    throw new Refused(
      "clock-far-off",
      `record's time is ${ahead} s ahead of the node's clock: synchronise the meter's`,
      record,
    );
  }
}

/** Whether the number lies behind the window and is not sealed: a gap that was closed as a violation. */
export function isTooLate(state: MeterState | undefined, seq: number): boolean {
  if (state === undefined || seq > state.high - SEQUENCE_WINDOW) return false;
  return !state.gaps.some(([from, to]) => seq >= from && seq <= to);
}
