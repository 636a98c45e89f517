// Signed records of provisioned meters, as an agent that reads five registers a telegram would make
// them: about 250 bytes each, every one naming the one before it. And operations of participants.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "../../../src/wire/hash.js";
import { keyId, type Signer } from "../../../src/wire/key.js";
import { encodeHidden, type OperationClaims, parseOperation, signOperation } from "../../../src/wire/operation.js";
import {
  type Claims,
  digestsOf,
  encodeDisclosure,
  parseRecord,
  type Register,
  reasons,
  signRecord,
  sources,
} from "../../../src/wire/record.js";
import { signerFromSeed } from "../../crypto/signatures.js";
import { readKeyFile } from "../../files/key-file.js";

export interface LoadMeter {
  readonly kid: Uint8Array;
  readonly credential: Uint8Array;
  readonly signer: Signer;
  /** in each of its records */
  readonly registers: number;
  /** the last register of each record is a confidential group of its own */
  readonly hides?: boolean;
}

/** Registers that a household's meter sends for a service, five or so. */
export const REGISTERS_DEFAULT = 5;

/**
 * Active energy in and out in two tariffs in Wh (30), active power in W (27): OBIS groups C, D and
 * E.
 */
const quantities: readonly (readonly [number, number, number, number])[] = [
  [1, 8, 1, 30],
  [1, 8, 2, 30],
  [2, 8, 1, 30],
  [2, 8, 2, 30],
  [1, 7, 0, 27],
];

/** The meter of a folder that the authority has filled. */
export function readLoadMeter(folder: string, registers: number = REGISTERS_DEFAULT, hides = false): LoadMeter {
  const signer = signerFromSeed(Uint8Array.from(readFileSync(join(folder, "keyvalue/seed"))));
  const credential = Uint8Array.from(readFileSync(join(folder, "keyvalue/credential")));
  return { kid: keyId(signer.key), credential, signer, registers, hides };
}

/** The participant of a folder that the authority has filled; it has no registers. */
export async function readLoadParticipant(folder: string): Promise<LoadMeter> {
  const signer = await readKeyFile(join(folder, "key.json"));
  const credential = Uint8Array.from(readFileSync(join(folder, "credential.cbor")));
  return { kid: keyId(signer.key), credential, signer, registers: 0, hides: false };
}

/** Of the operations that `signedAsks` signs. */
export const ASKED_TYPE = 1;

/** The participant's operations of a service from number 0 on: of several types, small and large, some with a hidden part. */
export function signedOperations(participant: LoadMeter, service: number, count: number, time_s: number) {
  return signedChain(participant, count, (seq) => {
    const hidden = encodeHidden({ salt: new Uint8Array(16).fill(seq), label: "price", value: seq });
    const hides = seq % 3 === 1;
    const claims = {
      ...{ service, serviceId: 0, time_s, quality: 2, type: 1 + seq * 1_009 },
      body: seq % 32 === 19 ? "x".repeat(60_000) : { asks: "something", of: [seq, null, true], until: -seq },
      ...(hides && { digests: digestsOf([hidden]) }),
      ...(seq % 4 === 2 && { until_s: time_s + seq }),
    };
    return { claims, hidden: hides ? [hidden] : [] };
  });
}

/** The participant's operations of a service from number 0 on, of one type that a contract takes. */
export function signedAsks(participant: LoadMeter, service: number, count: number, time_s: number) {
  return signedChain(participant, count, (seq) => ({
    claims: { service, serviceId: 0, time_s, quality: 2, type: ASKED_TYPE, body: { asks: seq } },
    hidden: [],
  }));
}

interface Asked {
  readonly claims: Omit<OperationClaims, "seq" | "previous">;
  readonly hidden: readonly Uint8Array[];
}

function* signedChain(
  { signer, kid }: LoadMeter,
  count: number,
  askedAt: (seq: number) => Asked,
): Generator<Uint8Array, void> {
  let previous: Uint8Array = new Uint8Array(0);
  for (let seq = 0; seq < count; seq += 1) {
    const { claims, hidden } = askedAt(seq);
    const operation = signOperation({ ...claims, seq, previous }, hidden, signer, kid);
    previous = parseOperation(operation).hash;
    yield operation;
  }
}

/** The meter's records of a service from sequence number 0 on, one by one. */
export function* signedRecords(
  meter: LoadMeter,
  service: number,
  count: number,
  time_s: number,
): Generator<Uint8Array, void> {
  let previous: Uint8Array = new Uint8Array(0);
  for (let seq = 0; seq < count; seq += 1) {
    const record = nextRecord(meter, service, seq, previous, time_s);
    previous = sealedHash(meter, record);
    yield record;
  }
}

/** The hash by which the meter's record is sealed: what it hides does not count. */
export function sealedHash({ hides }: Pick<LoadMeter, "hides">, record: Uint8Array): Uint8Array {
  return hides ? parseRecord(record).hash : sha256(record);
}

/** The meter's record with this sequence number, behind the one whose hash is `previous`. */
export function nextRecord(
  meter: LoadMeter,
  service: number,
  seq: number,
  previous: Uint8Array,
  time_s: number,
): Uint8Array {
  const registers = registersAt(seq, meter.registers);
  const hidden = meter.hides ? [hiddenAt(seq, registers.splice(-1))] : [];
  const claims: Claims = {
    service,
    serviceId: 1,
    seq,
    previous,
    time_s,
    quality: 2,
    registers,
    ...(meter.hides && { digests: digestsOf(hidden) }),
    source: sources.emulated,
    frameHash: sha256(Uint8Array.of(seq >> 16, seq >> 8, seq)),
    reason: reasons.periodic,
  };
  return signRecord(claims, hidden, meter.signer, meter.kid);
}

/** A confidential group. Its salt is none that a meter would take, but as long. */
function hiddenAt(seq: number, registers: readonly Register[]): Uint8Array {
  const salt = sha256(Uint8Array.of(seq >> 24, seq >> 16, seq >> 8, seq)).subarray(0, 16);
  return encodeDisclosure({ salt, label: "power", registers });
}

/** The quantities of one channel after another (OBIS group B). */
function registersAt(seq: number, count: number): Register[] {
  return Array.from({ length: count }, (_, index) => {
    const [c, d, e, unit] = quantities[index % quantities.length]!;
    const channel = Math.floor(index / quantities.length);
    return { obis: Uint8Array.of(1, channel, c, d, e, 255), value: 1_000_000 * c + 7 * seq, scaler: 0, unit };
  });
}
