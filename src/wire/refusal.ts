// Why a node did not take what a meter published, as said on the meter's ack topic: [service / null, seq / null,
// record hash / null, reason, sentence].

import { CODE_MAX, SEQ_MAX } from "./bounds.js";
import { type CborValue, decodeCbor, encodeCbor } from "./cbor.js";
import { asArray, asBytes, asService, asText, asUint } from "./shape.js";

/** Reason codes; the names are also the labels of the nodes' counters. */
export const refusalReasons = {
  oversized: 1,
  malformed: 2,
  "wrong-topic": 3,
  "unknown-meter": 4,
  revoked: 5,
  "credential-invalid": 6,
  "bad-signature": 7,
  "service-not-permitted": 8,
  "out-of-sequence": 9,
  fork: 10,
  "clock-far-off": 11,
  "rate-limited": 12,
  busy: 13,
  "role-not-permitted": 14,
  suspended: 15,
  ended: 16,
} as const;

const SENTENCE_MAX = 256;

export type RefusalReason = keyof typeof refusalReasons;

export interface Refusal {
  readonly service: number | undefined;
  readonly seq: number | undefined;
  readonly recordHash: Uint8Array | undefined;
  readonly reason: RefusalReason;
  readonly sentence: string;
}

export function encodeRefusal(refusal: Refusal): Uint8Array {
  return encodeCbor([
    refusal.service ?? null,
    refusal.seq ?? null,
    refusal.recordHash ?? null,
    refusalReasons[refusal.reason],
    textOf(refusal.sentence),
  ]);
}

/** At most 256 characters, whatever was quoted in them: a cut or foreign half of a surrogate pair cannot be encoded. */
function textOf(sentence: string): string {
  let text = "";
  for (const character of sentence) {
    if (text.length + character.length > SENTENCE_MAX) break;
    const code = character.codePointAt(0)!;
    text += (code >= 0xd800 && code <= 0xdfff) || code === 0xfeff ? "?" : character;
  }
  return text === "" ? "refused" : text;
}

/** The reason of a code; one that a later version adds is still a refusal. */
export function refusalFrom(value: CborValue | undefined): RefusalReason {
  const code = asUint(value, "refusal reason", CODE_MAX);
  return (Object.keys(refusalReasons) as RefusalReason[]).find((key) => refusalReasons[key] === code) ?? "malformed";
}

export function decodeRefusal(bytes: Uint8Array): Refusal {
  const [service, seq, hash, reason, sentence] = asArray(decodeCbor(bytes, { size: 2_048, items: 16 }), "refusal", 5);
  return {
    service: service === null ? undefined : asService(service, "refusal service"),
    seq: seq === null ? undefined : asUint(seq, "refusal seq", SEQ_MAX),
    recordHash: hash === null ? undefined : asBytes(hash, "refusal record hash", 32),
    reason: refusalFrom(reason),
    sentence: asText(sentence, "refusal sentence", SENTENCE_MAX),
  };
}
