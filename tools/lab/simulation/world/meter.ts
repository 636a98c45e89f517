// A meter or a participant of a simulation: signs records, offers them to a node until they are
// acknowledged, or sealed, and goes to another node where one does not answer. Some sign two records
// with one number, offer what nobody signed, or what their role does not sign: a cluster must stand
// that too.

import { OPERATION_TYPE_MAX } from "../../../../src/wire/bounds.js";
import { toHex } from "../../../../src/wire/bytes.js";
import { issueCredential, issuerName, type Role } from "../../../../src/wire/credential.js";
import type { Genesis } from "../../../../src/wire/genesis.js";
import { keyId, type Signer } from "../../../../src/wire/key.js";
import { type AnyRecord, type OperationClaims, parseAnyRecord, signOperation } from "../../../../src/wire/operation.js";
import { decodeSentReceipt, type Receipt, verifyInclusionOf, verifySealOf } from "../../../../src/wire/receipt.js";
import { type Claims, digestsOf, encodeDisclosure, signRecord } from "../../../../src/wire/record.js";
import { decodeRefusal } from "../../../../src/wire/refusal.js";
import { meterTopic, parseTopic, serviceTopic } from "../../../../src/wire/topics.js";
import type { Value } from "../../../../src/wire/value.js";
import { reasonOf } from "../../../errors.js";
import { generateAsked } from "../../rig/contracts/generate.js";
import type { Random } from "../../rig/random.js";
import type { BlockChecks } from "../checks/blocks.js";
import type { Membership } from "../checks/membership.js";
import type { Fail } from "../checks/violation.js";
import type { Coverage } from "../coverage.js";
import type { Liar } from "../faults/liar.js";
import { markedBytes } from "./ciphers.js";
import { createCounters } from "./counters.js";
import { simulatedSigner, simulatedVerify } from "./keys.js";
import type { SimulatedNode } from "./node-world.js";
import type { Timeline } from "./timeline.js";
import { EPOCH_MS } from "./timeline.js";

export interface MeterWorld {
  readonly genesis: Genesis;
  readonly authority: Signer;
  readonly timeline: Timeline;
  readonly random: Random;
  readonly coverage: Coverage;
  readonly nodes: readonly SimulatedNode[];
  readonly blockChecks: BlockChecks;
  readonly membership: Membership;
  readonly fail: Fail;
  /**
   * probability that a publication, its acknowledgement or a receipt is lost with its connection
   */
  loss(): number;
  /** whether the faults are over */
  isCalm(): boolean;
  /** nodes whose brokers an agent knows */
  readonly brokers: readonly SimulatedNode[];
  /** who stands before the node and lies to the agent */
  liarAt(node: SimulatedNode): Liar | undefined;
  /** The node has acknowledged a record that it did not refuse. */
  onAcknowledged(node: SimulatedNode, record: AnyRecord): void;
  trace(line: string): void;
}

export interface MeterOptions {
  readonly name: string;
  readonly service: number;
  /**
   * forgets a record when a correct node has acknowledged it, so that the cluster alone must keep
   * it
   */
  readonly trusting: boolean;
  /** a participant, who signs operations; a meter signs readings */
  readonly asking: boolean;
  /** its operations are such as contracts take */
  readonly addressing: boolean;
  /** of its holder */
  readonly jurisdiction: string | undefined;
  /** place among the meters whose counters go on as those of a household do; of others readings state anything */
  readonly counting: number | undefined;
  /** signs two records for some numbers */
  readonly forking: boolean;
  /** its credential ends at the first of these moments of the run, and at the second it is given a later one, in milliseconds */
  readonly lapse: readonly [ends_ms: number, prolonged_ms: number] | undefined;
  /** its readings have a confidential group, most of them */
  readonly hiding: boolean;
  /** offers records with bad signatures beside its good ones, or of the kind that it may not sign */
  readonly forging: boolean;
}

export interface SimulatedMeter {
  readonly name: string;
  readonly id: string;
  readonly service: number;
  /** It signs operations, and no readings. */
  readonly isAsking: boolean;
  /** It keeps a record until that is sealed. */
  readonly isPatient: boolean;
  /** the number of its next record */
  readonly next: number;
  /** Makes a record and begins to offer it. */
  measure(): void;
  start(): void;
  /** Whether it is in touch with that node. */
  isAt(node: SimulatedNode): boolean;
  /** A node refuses what it published: its acknowledgement, which follows, promises nothing. */
  onRefused(payload: Uint8Array): void;
  /** A publication on one of its topics. */
  receive(topic: string, payload: Uint8Array): void;
  /** records without a receipt that it still waits for */
  readonly waiting: number;
  readonly receipts: number;
}

/**
 * Offers without a receipt after which another node is tried, as an agent does: an acknowledgement
 * alone proves nothing.
 */
const PATIENCE_TICKS = 10;
const OFFERED_AT_ONCE = 8;
/** One of so many records is forged as one of the other kind. */
const MISFIT_EVERY = 3;
/** Of a meter with a confidential group: probability that a reading has none. */
const CLEAR = 0.2;
const SALT_BYTES = 16;

export function createMeter(world: MeterWorld, options: MeterOptions): SimulatedMeter {
  const { genesis, timeline, random, blockChecks } = world;
  const { service, jurisdiction } = options;
  const signer = simulatedSigner(options.name);
  const kid = keyId(signer.key);
  const id = toHex(kid);
  const given = { service, roles: [options.asking ? "customer" : "meter"] as const, jurisdiction };
  const last = credentialOf(genesis, world.authority, signer, given);
  let credential = options.lapse === undefined ? last : ending(world, options.lapse, { signer, given });
  const recordTopic = serviceTopic(genesis.network, service, "record", id);
  const outbox = new Map<string, AnyRecord>();
  const counters = options.counting === undefined ? undefined : createCounters(options.counting);
  let home = random.pick(world.nodes);
  let seq = 0;
  let previous: Uint8Array = new Uint8Array(0);
  let known = false;
  let vain = 0;
  let receipts = 0;
  /** hashes that were refused, so that their acknowledgement promises nothing */
  const refused = new Set<string>();
  const published = new WeakMap<AnyRecord, Uint8Array>();

  blockChecks.addMeter(id, signer.key);
  world.membership.contracts.addParticipant(id, jurisdiction);

  const make = (claims: Partial<Pick<Claims, "seq" | "previous">>): AnyRecord => {
    const place = { service, seq, previous, ...claims };
    if (options.asking) {
      const claims = (options.addressing ? addressed : asked)(timeline, random, place);
      return parseAnyRecord(signOperation(claims, [], signer, kid));
    }
    const plain = reading(timeline, random, place);
    const counted = counters?.read(plain.time_s, Number(plain.registers![0]!.value));
    return signReading({ ...plain, ...counted }, { signer, kid, published }, options.hiding ? random : undefined);
  };

  const offer = (topic: string, payload: Uint8Array, onAcknowledged: (node: SimulatedNode) => void) => {
    const node = home;
    if (random.chance(world.loss())) return;
    timeline.after(random.between(1, 30), () => {
      void node.onPublish(topic, payload).then((acknowledged) => {
        if (!acknowledged) return;
        onAcknowledged(node);
      });
    });
  };

  /** Whether no other record is sealed with its number, and no order has ended the meter before it. */
  const isOwed = (hash: string, { claims: { seq } }: AnyRecord) =>
    (blockChecks.sealedHash(service, id, seq) ?? hash) === hash && !world.membership.standings.isOver(id, service, seq);

  const offerRecord = (record: AnyRecord) => {
    const hash = toHex(record.hash);
    refused.delete(hash);
    offer(recordTopic, published.get(record) ?? record.stripped, (node) => {
      if (refused.has(hash)) return;
      world.onAcknowledged(node, record);
      if (options.trusting && node.adversary === undefined && node.copies === 1 && !random.chance(world.loss())) {
        outbox.delete(hash);
      }
    });
  };

  const forge = ({ stripped, claims }: AnyRecord) => {
    const bytes = Uint8Array.from(stripped);
    bytes[bytes.length - 1 - random.below(64)]! ^= 1;
    offer(recordTopic, claims.seq % MISFIT_EVERY === 0 ? misfit(claims) : bytes, () => {});
  };

  /** Good but for its kind; as nobody submits it, the checks find it where it is sealed. */
  const misfit = ({ seq: number, previous: link, time_s }: AnyRecord["claims"]) => {
    const claims = { service, serviceId: 1, seq: number, previous: link, time_s, quality: 2 };
    if (options.asking) return signRecord(claims, [], signer, kid);
    return signOperation({ ...claims, type: 1, body: null }, [], signer, kid);
  };

  const tick = () => {
    timeline.after(random.between(300, 1_500), tick);
    // A fork that has lost is owed nothing; offered in the silence at the end, it would be recorded
    // then.
    if (world.isCalm()) for (const [hash, record] of outbox) if (!isOwed(hash, record)) outbox.delete(hash);
    if (outbox.size === 0) return;
    vain += 1;
    if (vain > PATIENCE_TICKS || !home.isUp) {
      home = random.pick(world.nodes);
      vain = 0;
      known = false;
    }
    if (!known) offer(meterTopic(genesis.network, "birth", id), credential, () => (known = true));
    for (const record of [...outbox.values()].slice(0, OFFERED_AT_ONCE)) {
      offerRecord(record);
      if (options.forging && random.chance(0.2)) forge(record);
    }
  };

  const onReceipt = (payload: Uint8Array) => {
    const { receipt } = decodeSentReceipt(payload);
    try {
      checkReceipt(world, receipt);
    } catch (error) {
      return world.fail("I13 receipts verify", `${options.name}: ${reasonOf(error)}`);
    }
    const hash = toHex(receipt.recordHash);
    if (!blockChecks.isSubmitted(hash))
      world.fail("I13 no receipt for what was not submitted", `${options.name} ${hash}`);
    blockChecks.onReceipt(receipt.chain, receipt.height, receipt.header);
    if (outbox.delete(hash)) receipts += 1;
    vain = 0;
  };

  return {
    name: options.name,
    id,
    service,
    isAsking: options.asking,
    isPatient: !options.trusting,
    get next() {
      return seq;
    },
    start() {
      timeline.after(random.between(0, 500), tick);
      if (options.lapse === undefined) return;
      timeline.after(options.lapse[1], () => {
        credential = last;
        known = false;
      });
    },
    measure() {
      if (options.forking && seq > 0 && random.chance(0.15)) {
        // The number of the record before, signed again: not to be sealed beside it, so it is
        // offered and not waited for.
        const fork = make({ seq: seq - 1, previous: seq === 1 ? new Uint8Array(0) : random.bytes(32) });
        blockChecks.submit(fork);
        offerRecord(fork);
      }
      const record = make({});
      blockChecks.submit(record);
      outbox.set(toHex(record.hash), record);
      previous = record.hash;
      seq += 1;
    },
    isAt: (node) => home === node && known,
    onRefused(payload) {
      const { recordHash } = decodeRefusal(payload);
      if (recordHash !== undefined) refused.add(toHex(recordHash));
    },
    receive(topic, payload) {
      if (random.chance(world.loss())) return;
      const kind = parseTopic(topic)?.kind;
      if (kind === "receipt") onReceipt(payload);
      if (kind !== "ack") return;
      const refusal = decodeRefusal(payload);
      if (refusal.reason === "unknown-meter") known = false;
      // A number that another record of this meter is sealed with: the fork has won, and this one
      // is not sealed any more.
      if (refusal.reason === "fork" && refusal.recordHash !== undefined) outbox.delete(toHex(refusal.recordHash));
    },
    get waiting() {
      let waiting = 0;
      for (const [hash, record] of outbox) if (isOwed(hash, record)) waiting += 1;
      return waiting;
    },
    get receipts() {
      return receipts;
    },
  };
}

/** A credential that is good until the moment when it lapses. */
function ending(
  { genesis, authority, membership }: MeterWorld,
  [ends_ms]: readonly [number, number],
  { signer, given }: { readonly signer: Signer; readonly given: Parameters<typeof credentialOf>[3] },
): Uint8Array {
  membership.terms.watch(toHex(keyId(signer.key)));
  const expires_s = Math.floor((EPOCH_MS + ends_ms) / 1_000);
  return credentialOf(genesis, authority, signer, { ...given, expires_s });
}

/**
 * Throws a WireError unless a quorum of the members of its height has sealed the receipt's block.
 */
export function checkReceipt(
  { genesis, membership }: Pick<MeterWorld, "genesis" | "membership">,
  receipt: Receipt,
): void {
  verifyInclusionOf(receipt, genesis);
  verifySealOf(receipt, genesis, membership.at(receipt.chain, receipt.height) ?? [], simulatedVerify);
}

interface Signing {
  readonly signer: Signer;
  readonly kid: Uint8Array;
  /** records as they are published, with what they hide */
  readonly published: WeakMap<AnyRecord, Uint8Array>;
}

/** Signs a reading. Of a meter that hides something, most have a confidential group, drawn. */
function signReading(claims: Claims, { signer, kid, published }: Signing, hiding: Random | undefined): AnyRecord {
  const hidden = hiding === undefined || hiding.chance(CLEAR) ? [] : [confided(hiding)];
  const digests = hidden.length > 0 && { digests: digestsOf(hidden) };
  const bytes = signRecord({ ...claims, ...digests }, hidden, signer, kid);
  const record = parseAnyRecord(bytes);
  published.set(record, bytes);
  return record;
}

/** A confidential group, encoded: what stands in it only its meter and the node that takes it may see. */
function confided(random: Random): Uint8Array {
  const power = { obis: Uint8Array.of(1, 0, 1, 7, 0, 255), value: random.below(10_000), scaler: 0, unit: 27 };
  return encodeDisclosure({ salt: markedBytes(random, SALT_BYTES), label: "power", registers: [power] });
}

/** The claims of a reading taken now. */
export function reading(
  timeline: Timeline,
  random: Random,
  given: Pick<Claims, "service" | "seq" | "previous">,
): Claims {
  return {
    serviceId: 1,
    time_s: Math.floor((EPOCH_MS + timeline.now_ms()) / 1000),
    quality: 2,
    registers: [{ obis: Uint8Array.of(1, 0, 1, 8, 0, 255), value: random.below(1_000_000), scaler: 0, unit: 30 }],
    ...given,
  };
}

/** The claims of an operation signed now: of any type, small or large, some with a time until which they ask. */
function asked(
  timeline: Timeline,
  random: Random,
  given: Pick<OperationClaims, "service" | "seq" | "previous">,
): OperationClaims {
  const time_s = Math.floor((EPOCH_MS + timeline.now_ms()) / 1000);
  const drawn = random.below(1_000_000);
  const bodies: readonly Value[] = [null, drawn, { asks: drawn, of: ["a", -drawn] }, "x".repeat(drawn % 20_000)];
  const type = 1 + (drawn % OPERATION_TYPE_MAX);
  const until = drawn % 5 === 0 ? { until_s: time_s + (drawn % 60) } : {};
  return { serviceId: 0, time_s, quality: 2, type, body: bodies[drawn % bodies.length]!, ...until, ...given };
}

/** The claims of an operation signed now of a type that some contract may take; for some it comes too late. */
function addressed(
  timeline: Timeline,
  random: Random,
  given: Pick<OperationClaims, "service" | "seq" | "previous">,
): OperationClaims {
  const time_s = Math.floor((EPOCH_MS + timeline.now_ms()) / 1000);
  const until = random.chance(0.3) ? { until_s: time_s + random.below(12) } : {};
  return { serviceId: 0, time_s, quality: 2, ...generateAsked(random), ...until, ...given };
}

export function credentialOf(
  genesis: Genesis,
  authority: Signer,
  signer: Signer,
  given: {
    readonly service: number;
    readonly roles: readonly Role[];
    readonly jurisdiction?: string | undefined;
    readonly expires_s?: number;
  },
): Uint8Array {
  const { service, roles, jurisdiction, expires_s = 4_000_000_000 } = given;
  const kid = keyId(signer.key);
  return issueCredential(
    {
      issuer: issuerName(genesis),
      subject: `meter-${toHex(kid)}`,
      notBefore_s: 0,
      expires_s,
      id: kid,
      key: signer.key,
      statusIndex: 0,
      services: [service],
      roles,
      ...(jurisdiction !== undefined && { jurisdiction }),
    },
    authority,
  );
}
