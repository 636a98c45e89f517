// Asks a node's API by the shapes of its routes: paths and queries are made of them, and answers in JSON are checked by them. What a
// node answers is taken for what it says, not for true: audits and receipts are checked by whoever reads them.

import { setTimeout as pause } from "node:timers/promises";
import { Type } from "@sinclair/typebox";
import { Check } from "@sinclair/typebox/value";
import { concatBytes } from "../../src/wire/bytes.js";
import { GridsealError, reasonOf } from "../errors.js";
import { RefusalAnswer, type RefusalCode } from "../routes/refusals.js";
import { type Asking, type ParametersOf, pathOf, type RouteShape, type ValueOf } from "../routes/shape.js";

/** A node that says nothing for so long is not reached. */
const PATIENCE_MS = 30_000;
/** What comes slower is given up, as a node gives up who takes less. */
const LEAST_BYTES_MS = 16;
const JSON_BYTES_MAX = 1_048_576;
/** Above any range that a node answers at once: blocks end behind 4 MB. */
export const RANGE_BYTES_MAX = 67_108_864;
const TOLD_CHARACTERS_MAX = 200;

/** What is asked of a route; a field that the shape has not is a mistake that does not compile. */
export interface Question<Shape extends RouteShape> {
  readonly parameters: ParametersOf<Shape>;
  readonly query?: Asking<Shape>;
  readonly body?: Uint8Array;
  /** a session token, where the node asks for one */
  readonly token?: string | undefined;
  /** how long a silent node is waited for, and a value in JSON in all */
  readonly patience_ms?: number;
  /** gives it up, and what has come of its answer */
  readonly signal?: AbortSignal | undefined;
}

/** An answer that may not be here in full. */
export interface Answer {
  readonly response: Response;
  /** gives the rest of it up */
  readonly aborting: AbortController;
  readonly patience_ms: number;
}

export type Asked =
  | { readonly type: "answered"; readonly answer: Answer }
  | { readonly type: "refused"; readonly code: RefusalCode; readonly message: string };

/** The URL of a node's API, as options name it. Throws USAGE. */
export function baseOf(url: string): string {
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return url.replace(/\/+$/, "");
  throw new GridsealError("USAGE", `--api must be http://host:port, not ${url}`);
}

/**
 * Asks; again where the node says when. A refusal is one of the shape's own, by its code. Throws NOT_ADMITTED, or
 * NODE_UNREACHABLE where the node does not answer as it should.
 */
export async function ask<Shape extends RouteShape>(
  base: string,
  shape: Shape,
  { parameters, query = {}, body, token, patience_ms = PATIENCE_MS, signal }: Question<Shape>,
): Promise<Asked> {
  const url = base + pathOf(shape, parameters, query);
  const headers = {
    ...(body !== undefined && { "content-type": shape.body!.type }),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  const sent = body === undefined ? {} : { body: Buffer.from(body) };
  const answer = await request(url, { method: shape.method, headers, ...sent, signal: signal ?? null }, patience_ms);
  const { status } = answer.response;
  if (shape.statuses.includes(status)) return { type: "answered", answer };
  const text = new TextDecoder().decode(await bytesWithin(answer, { bytes_max: JSON_BYTES_MAX, earned_ms: 0 }));
  const told = refusalIn(text);
  const code = shape.refusals.find((known) => known === told?.code);
  if (told !== undefined && code !== undefined) {
    return { type: "refused", code, message: told.message.slice(0, TOLD_CHARACTERS_MAX) };
  }
  if (status === 401 || status === 403) {
    throw new GridsealError("NOT_ADMITTED", `${url}: ${(told?.message ?? text).slice(0, TOLD_CHARACTERS_MAX)}`);
  }
  const said = (told?.message ?? text).slice(0, TOLD_CHARACTERS_MAX);
  throw new GridsealError("NODE_UNREACHABLE", `${url} answers ${status}: ${said}`);
}

/** What is asked where no refusal makes sense to whoever asks. Throws BLOCK_PRUNED or NODE_UNREACHABLE. */
export async function askAnswer<Shape extends RouteShape>(
  base: string,
  shape: Shape,
  question: Question<Shape>,
): Promise<Answer> {
  return answerIn(base, await ask(base, shape, question));
}

/** The same of what was asked already. */
export function answerIn(base: string, asked: Asked): Answer {
  if (asked.type === "answered") return asked.answer;
  throw new GridsealError(asked.code === "pruned" ? "BLOCK_PRUNED" : "NODE_UNREACHABLE", `${base}: ${asked.message}`);
}

/** The value of an answer in JSON. Throws NODE_UNREACHABLE where it is none that a node gives. */
export async function askValue<Shape extends RouteShape>(
  base: string,
  shape: Shape,
  question: Question<Shape>,
): Promise<ValueOf<Shape>> {
  return valueIn(base, shape, await askAnswer(base, shape, question));
}

/** The value of such an answer. Throws NODE_UNREACHABLE where it is none that a node gives. */
export async function valueIn<Shape extends RouteShape>(
  base: string,
  shape: Shape,
  answer: Answer,
): Promise<ValueOf<Shape>> {
  const bytes = await bytesWithin(answer, { bytes_max: JSON_BYTES_MAX, earned_ms: 0 });
  const schema = "schema" in shape.answer ? shape.answer.schema : Type.Never();
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    value = undefined;
  }
  if (Check(schema, value)) return value as ValueOf<Shape>;
  throw new GridsealError("NODE_UNREACHABLE", `${base}${shape.path} is not the answer of a node`);
}

/** All of an answer, which a node says more of than is wanted where it is longer. Throws NODE_UNREACHABLE. */
export function bytesOf(answer: Answer, bytes_max: number): Promise<Uint8Array> {
  return bytesWithin(answer, { bytes_max, earned_ms: 1 / LEAST_BYTES_MS });
}

/** What an answer may take. */
interface AnswerTerms {
  readonly bytes_max: number;
  /** what each byte that has come adds to the time that is left */
  readonly earned_ms: number;
}

async function bytesWithin(answer: Answer, terms: AnswerTerms): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readChunks(answer, terms)) chunks.push(chunk);
  return concatBytes(...chunks);
}

/**
 * An answer as it comes, however long it is worked on in between. Throws NODE_UNREACHABLE where it breaks off, nothing comes, too little
 * comes for the time that it is waited for, or more than a range may have.
 */
export function chunksOf(answer: Answer): AsyncGenerator<Uint8Array> {
  return readChunks(answer, { bytes_max: RANGE_BYTES_MAX, earned_ms: 1 / LEAST_BYTES_MS });
}

/** Only the time counts for which a chunk is waited for. */
async function* readChunks(
  { response, aborting, patience_ms }: Answer,
  { bytes_max, earned_ms }: AnswerTerms,
): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  let length = 0;
  let left_ms = patience_ms;
  let waited_ms = 0;
  try {
    for (;;) {
      const asked_ms = performance.now();
      const late = () => (length === 0 ? "nothing came for" : `no more than ${length} bytes came in`);
      const { done, value } = await within(reader.read(), aborting, { left_ms, waited_ms, late });
      if (done) return;
      const took_ms = performance.now() - asked_ms;
      waited_ms += took_ms;
      length += value.length;
      if (length > bytes_max) throw new Error(`it is longer than ${bytes_max} bytes`);
      left_ms = Math.min(patience_ms, left_ms - took_ms + earned_ms * value.length);
      yield value;
    }
  } catch (cause) {
    throw new GridsealError("NODE_UNREACHABLE", `${response.url} broke off its answer: ${reasonOf(cause)}`, { cause });
  } finally {
    aborting.abort(); // of what is wanted no more, nothing else comes
  }
}

/** How long is waited, after how long, and what is said where that is not enough. */
interface Waiting {
  readonly left_ms: number;
  readonly waited_ms: number;
  late(): string;
}

/** What is waited for, which is given up where it takes too long. */
async function within<Result>(
  awaited: Promise<Result>,
  aborting: AbortController,
  { left_ms, waited_ms, late }: Waiting,
): Promise<Result> {
  const said = () => `${late()} ${Number(((waited_ms + left_ms) / 1_000).toFixed(1))} s`;
  const timer = setTimeout(() => aborting.abort(new Error(said())), Math.max(0, left_ms));
  try {
    return await awaited;
  } finally {
    clearTimeout(timer);
  }
}

function refusalIn(text: string): RefusalAnswer | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Check(RefusalAnswer, value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Asks again where a node says when, for as long as a silent one would be waited for. */
async function request(url: string, init: RequestInit, patience_ms: number): Promise<Answer> {
  const until_ms = performance.now() + patience_ms;
  for (;;) {
    const answer = await requestOnce(url, init, patience_ms);
    const wait_ms = againAfter_ms(answer.response);
    if (wait_ms === undefined || performance.now() + wait_ms > until_ms) return answer;
    await answer.response.body?.cancel();
    await pause(wait_ms, undefined, init.signal ? { signal: init.signal } : {});
  }
}

/** A node that is busy, or is asked too much, says in how many seconds it wants to be asked again (RFC 9110, section 10.2.3). */
function againAfter_ms({ status, headers }: Response): number | undefined {
  const after = headers.get("retry-after");
  const isWait = (status === 429 || status === 503) && after !== null && /^[0-9]{1,3}$/.test(after);
  return isWait ? Math.max(100, 1_000 * Number(after)) : undefined;
}

async function requestOnce(url: string, init: RequestInit, patience_ms: number): Promise<Answer> {
  const aborting = new AbortController();
  try {
    const signal = init.signal ? AbortSignal.any([init.signal, aborting.signal]) : aborting.signal;
    const asked = fetch(url, { ...init, signal, redirect: "error" });
    const waiting = { left_ms: patience_ms, waited_ms: 0, late: () => "nothing came for" };
    return { response: await within(asked, aborting, waiting), aborting, patience_ms };
  } catch (thrown) {
    const cause = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown;
    throw new GridsealError("NODE_UNREACHABLE", `${url} cannot be reached: ${reasonOf(cause)}`, { cause: thrown });
  }
}
