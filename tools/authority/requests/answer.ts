// Answers a file of 1 to 50,000 requests: for each its credential, or why there is none. The register takes a few hundred at a time,
// so that a registrar who is stopped meanwhile is heard no more; asked again with the same file it answers the same.

import { toHex } from "../../../src/wire/bytes.js";
import { encodeCbor } from "../../../src/wire/cbor.js";
import { WireError } from "../../../src/wire/error.js";
import { keyId } from "../../../src/wire/key.js";
import { ENDORSEMENT_BYTES_MAX } from "../../../src/wire/request.js";
import { GridsealError } from "../../errors.js";
import { itemsOf } from "../../files/sequence.js";
import { type Authority, changesFor, issueOne } from "../issue.js";
import type { Draft } from "../register/draft.js";
import type { Register } from "../register/register.js";
import { type JudgingTerms, judgeRequest } from "./judge.js";

export const REQUESTS_MAX = 50_000;
/** Bytes of a file of requests. */
export const REQUESTS_BYTES_MAX = REQUESTS_MAX * ENDORSEMENT_BYTES_MAX;
/** Requests of one transaction. */
const CHUNK = 500;

/** What became of a request; `line` is its place in the file, from 1. */
export type Answer = {
  readonly line: number;
  /** absent where the request cannot be read */
  readonly id?: string;
  readonly kid?: string;
} & (
  | { readonly type: "issued" | "renewed" | "known"; readonly credential: Uint8Array }
  | { readonly type: "refused"; readonly reason: string }
);

export interface Answering {
  readonly authority: Authority;
  readonly register: Register;
  readonly terms: Omit<JudgingTerms, "genesisHash">;
  now_s(): number;
  /** Nothing is issued; the answers say what would be. */
  readonly isDry: boolean;
}

/** The requests of a file. Throws FILE_INVALID where it holds none, too many, or what is no sequence. */
export function splitRequests(bytes: Uint8Array, name: string): readonly Uint8Array[] {
  const items: Uint8Array[] = [];
  try {
    for (const item of itemsOf(bytes, { size: ENDORSEMENT_BYTES_MAX, items: 64 })) {
      items.push(item);
      if (items.length > REQUESTS_MAX) throw new WireError("limit", `it has more than ${REQUESTS_MAX} requests`);
    }
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new GridsealError("FILE_INVALID", `${name} is no file of requests: ${cause.message}`, { cause });
  }
  if (items.length === 0) throw new GridsealError("FILE_INVALID", `${name} has no request`);
  return items;
}

/** Answers the requests in their order, a chunk a transaction: what was answered is in the register before the next chunk begins. */
export function* answerRequests(answering: Answering, items: readonly Uint8Array[]): Generator<readonly Answer[]> {
  for (let start = 0; start < items.length; start += CHUNK) {
    yield answerChunk(answering, items.slice(start, start + CHUNK), start + 1);
  }
}

/** What a dry run throws, so that the transaction leaves nothing. */
class Dry extends Error {}

function answerChunk(answering: Answering, items: readonly Uint8Array[], first: number): readonly Answer[] {
  const { register, isDry } = answering;
  let answers: readonly Answer[] = [];
  try {
    const now_s = answering.now_s();
    register.update(now_s, (draft) => {
      answers = items.map((item, place) => answerOne(answering, draft, { item, line: first + place, now_s }));
      if (isDry) throw new Dry();
      return [];
    });
  } catch (thrown) {
    if (!(thrown instanceof Dry)) throw thrown;
  }
  return answers;
}

interface Line {
  readonly item: Uint8Array;
  readonly line: number;
  readonly now_s: number;
}

function answerOne({ authority, terms }: Answering, draft: Draft, { item, line, now_s }: Line): Answer {
  const judgement = judgeRequest(draft, item, { ...terms, genesisHash: authority.genesis.hash });
  const { request } = judgement;
  const named = { line, ...(request !== undefined && { id: request.id, kid: toHex(keyId(request.key)) }) };
  if (judgement.type === "refused") return { ...named, type: "refused", reason: judgement.reason };
  if (judgement.type === "known") {
    return { ...named, type: "known", credential: Uint8Array.from(Buffer.from(judgement.row.bytes, "base64url")) };
  }
  const { kind, registrar } = judgement;
  try {
    const { key } = judgement.request;
    const asked = { terms: judgement.terms, key, ...(registrar !== undefined && { registrar }) };
    const { row, credential } = issueOne(authority, asked, draft.issued, now_s);
    const reason = draft.attempt(changesFor(draft, judgement.terms, row, kind));
    if (reason !== undefined) return { ...named, type: "refused", reason };
    return { ...named, type: kind === "renewal" ? "renewed" : "issued", credential };
  } catch (error) {
    if (!(error instanceof GridsealError)) throw error;
    return { ...named, type: "refused", reason: error.message };
  }
}

/** An item of the file of answers: [key id / null, ID / null, credential or the reason as text]. */
export function encodeAnswer(answer: Answer): Uint8Array {
  const kid = answer.kid === undefined ? null : Uint8Array.from(Buffer.from(answer.kid, "hex"));
  return encodeCbor([kid, answer.id ?? null, answer.type === "refused" ? answer.reason : answer.credential]);
}
