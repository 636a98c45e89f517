// Whether every record of a temporary block is what it says: of a meter whose credential is in the batch or on the chain, which
// permits the service, with nothing confidential left in it; and, where that is this node's to verify, signed by the meter.

import type { Batch } from "../../../../src/wire/batch.js";
import { equalBytes, toHex } from "../../../../src/wire/bytes.js";
import { type Credential, parseCredential, verifyCredential } from "../../../../src/wire/credential.js";
import { WireError } from "../../../../src/wire/error.js";
import { sha256 } from "../../../../src/wire/hash.js";
import { keyId, type PublicKey } from "../../../../src/wire/key.js";
import { decodeCarried } from "../../../../src/wire/message.js";
import { BoundedMap } from "../../../bounded-map.js";
import type { RecordVerification } from "../../../crypto/verifying-message.js";
import { type BadRecord, badRecordOf } from "../../../ledger/disproof.js";
import { checkEvidence, checkMessage, checkOrder } from "../../../ledger/notices.js";
import type { ExecutionRecord } from "../../../ledger/record-scan.js";
import { kidOf, roleComplaint, type SignedRecord } from "../../../ledger/record-scan.js";
import { idKey } from "../../store/keys.js";
import type { ChainPorts } from "../ports.js";
import { credentials } from "../tables/credentials.js";

/** Verified credentials kept; of more, the oldest are verified again. */
const CREDENTIALS_KEPT = 32_768;
/** Messages that are known to be proved. */
const MESSAGES_KEPT = 1_024;

interface Verified {
  readonly bytes: Uint8Array;
  readonly credential: Credential;
  readonly isOnChain: boolean;
}

/** When the signatures of a temporary block's records are verified: now, when nothing else is to verify, or not at all. */
export type Records = "duty" | "late" | "never";

/** A temporary block as far as this needs it. */
interface Verifiable {
  readonly batch: Batch;
  readonly records: readonly ExecutionRecord[];
}

/** A record's signature does not verify: what proves it. */
export class RecordRefuted extends WireError {
  constructor(readonly bad: BadRecord) {
    super("unproven", "batch holds a record whose signature does not verify");
  }
}

/**
 * Verifies batches of one chain, notices included; rejects with a WireError that says what is wrong, a `RecordRefuted` where it is a
 * record's signature. Signatures of records are verified off the event loop.
 */
export function createVerification(
  ports: ChainPorts,
): (read: Verifiable, signed: readonly SignedRecord[], records: Records) => Promise<void> {
  const { genesis, store, chain } = ports;
  /** by meter as hex: a meter's credential comes with many batches, or is on the chain and then stays */
  const kept = new BoundedMap<string, Verified>(CREDENTIALS_KEPT);
  /** hashes of messages that are proved */
  const told = new BoundedMap<string, true>(MESSAGES_KEPT);

  const verified = (kid: string, bytes: Uint8Array, isOnChain: boolean): Credential => {
    const known = kept.get(kid);
    const isSame = known !== undefined && equalBytes(known.bytes, bytes);
    if (isSame && (known.isOnChain || !isOnChain)) return known.credential;
    const credential = isSame ? known.credential : verifyCredential(bytes, genesis, ports.verify);
    kept.set(kid, { bytes: Uint8Array.from(bytes), credential, isOnChain });
    return credential;
  };

  /** What one that prolongs it says of key, services and roles is the same. */
  const onChain = (record: ExecutionRecord): Credential | undefined => {
    const { meter } = record;
    const known = kept.get(meter);
    if (known?.isOnChain) return known.credential;
    const bytes = store.get(credentials, idKey(chain.service, kidOf(record)));
    return bytes === undefined ? undefined : verified(meter, bytes, true);
  };

  /**
   * The key that must have signed the record. What the batch brings comes first: the origin knew no other one, and the chain, which goes by
   * its own, seals what that permits.
   */
  const keyOf = (signed: SignedRecord, brought: ReadonlyMap<string, Credential>): PublicKey => {
    const { record } = signed;
    const { meter } = record;
    const credential = brought.get(meter) ?? onChain(record);
    if (credential === undefined) throw new WireError("untimely", `batch brings no credential of meter ${meter}`);
    const proper =
      signed.service === chain.service &&
      signed.algorithm === credential.key.algorithm &&
      roleComplaint(credential, record.type) === undefined &&
      credential.services.includes(chain.service);
    if (!proper) throw new WireError("unproven", `batch holds a record of ${meter} that is not for this chain`);
    return credential.key;
  };

  /** A message comes with the temporary blocks of several members, and with those that come again. */
  const checkTold = (bytes: Uint8Array): void => {
    const name = toHex(sha256(bytes));
    if (told.has(name)) return;
    checkMessage(ports.governor.current, decodeCarried(bytes), ports.verify);
    told.set(name, true);
  };

  const begin = (read: Verifiable, records: readonly SignedRecord[], when: Records): Promise<void> => {
    const { batch } = read;
    const brought = new Map<string, Credential>();
    for (const { kind, bytes } of batch.notices) {
      if (kind === "order") checkOrder(genesis, chain.service, bytes, ports.verify);
      if (kind === "message") checkTold(bytes);
      if (kind !== "credential") continue;
      const kid = toHex(keyId(parseCredential(bytes).key));
      if (brought.has(kid)) throw new WireError("unproven", `batch brings two credentials of ${kid}`);
      brought.set(kid, verified(kid, bytes, false));
    }
    const signatures: RecordVerification[] = [];
    for (const signed of records) signatures.push({ key: keyOf(signed, brought), record: signed.record.bytes });
    return conclude(read, verifySignatures(signatures, when));
  };

  const verifySignatures = (signatures: readonly RecordVerification[], when: Records): Promise<boolean> => {
    if (when === "never") return Promise.resolve(true);
    return when === "duty" ? ports.verifyRecords(signatures) : ports.verifyRecordsLater(signatures);
  };

  const conclude = async (read: Verifiable, areGood: Promise<boolean>): Promise<void> => {
    // First: evidence that proves nothing does not hide a false word.
    if (!(await areGood)) throw new RecordRefuted(await findBad(read));
    for (const { kind, bytes } of read.batch.notices) {
      if (kind === "evidence") await checkEvidence(ports.governor.current, chain.service, bytes, ports);
    }
  };

  /** Which record of a temporary block it is: none but a liar's has one. */
  const findBad = async (read: Verifiable): Promise<BadRecord> => {
    for (const [index, record] of read.records.entries()) {
      const bytes = credentialOf(read.batch, record);
      const { key } = parseCredential(bytes);
      if (!(await ports.verifyRecords([{ key, record: record.bytes }]))) return badRecordOf(read, index, bytes);
    }
    throw new WireError("untimely", "batch has a record whose signature did not verify, and does now");
  };

  const credentialOf = ({ notices }: Batch, record: ExecutionRecord): Uint8Array => {
    const { meter } = record;
    const isOfMeter = (bytes: Uint8Array) => toHex(keyId(parseCredential(bytes).key)) === meter;
    const brought = notices.find(({ kind, bytes }) => kind === "credential" && isOfMeter(bytes));
    return brought?.bytes ?? store.get(credentials, idKey(chain.service, kidOf(record)))!;
  };

  // Not an async function, which would hold the parsed records until all of them are verified.
  return (read, signed, records) => new Promise((resolve) => resolve(begin(read, signed, records)));
}
