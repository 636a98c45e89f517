// Asks the node that has served this page, by the shapes of its routes. What it answers is taken for what it says, not for true.

import { Check } from "@sinclair/typebox/value";
import { WireError } from "../../../src/wire/error.js";
import { type GuardLimits, guardCborPrefix } from "../../../src/wire/guard.js";
import { RefusalAnswer } from "../../routes/refusals.js";
import { type Asking, type ParametersOf, pathOf, type RouteShape, type ValueOf } from "../../routes/shape.js";

/** How often a node that has too much to do is asked again, and how long it is waited for at most. */
const TRIES_MAX = 6;
const WAIT_S_MAX = 10;

export interface Question<Shape extends RouteShape> {
  readonly parameters: ParametersOf<Shape>;
  readonly query?: Asking<Shape>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly body?: Uint8Array;
}

/** What the node refuses, in its own words. */
export class Refusal extends Error {
  readonly code: string;
  readonly remedy: string;

  constructor({ code, message, remedy }: RefusalAnswer) {
    super(message);
    this.code = code;
    this.remedy = remedy;
  }
}

let token: string | undefined;

/** The session token that is shown from now on. It is kept in this page's memory alone, and never stands in an address. */
export function showToken(text: string | undefined): void {
  token = text;
}

/** For a worker of this page, which shows it as well. */
export function shownToken(): string | undefined {
  return token;
}

/** Rejects with a Refusal, or with what fetch throws. */
export async function ask<Shape extends RouteShape>(shape: Shape, question: Question<Shape>): Promise<Response> {
  const { parameters, query = {}, body, signal } = question;
  const path = pathOf(shape, parameters, query);
  const headers = { ...question.headers, ...(body !== undefined && { "content-type": shape.body!.type }) };
  const shown = token === undefined ? headers : { ...headers, authorization: `Bearer ${token}` };
  const sent = body === undefined ? {} : { body: Uint8Array.from(body) };
  for (let tries = 1; ; tries += 1) {
    const response = await fetch(path, {
      ...{ method: shape.method, headers: shown, ...sent },
      ...(signal !== undefined && { signal }),
    });
    if (shape.statuses.includes(response.status)) return response;
    const waits = response.status === 429 || response.status === 503;
    if (!waits || tries === TRIES_MAX) throw await refusalIn(response);
    await pause(Math.min(WAIT_S_MAX, Number(response.headers.get("retry-after") ?? 1)) * 1_000);
  }
}

/** The value of an answer in JSON. Rejects where it is none that a node gives. */
export async function askValue<Shape extends RouteShape>(
  shape: Shape,
  question: Question<Shape>,
): Promise<ValueOf<Shape>> {
  const value: unknown = await (await ask(shape, question)).json();
  const { answer } = shape;
  if ("schema" in answer && Check(answer.schema, value)) return value as ValueOf<Shape>;
  throw new WireError("shape", `${shape.path} is not answered as a node does`);
}

/** All bytes of an answer. */
export async function askBytes<Shape extends RouteShape>(shape: Shape, question: Question<Shape>): Promise<Uint8Array> {
  return new Uint8Array(await (await ask(shape, question)).arrayBuffer());
}

/** The items of an answer that is a sequence of them. Throws a WireError where it is none. */
export function itemsIn(bytes: Uint8Array, limits: GuardLimits): Uint8Array[] {
  const items: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const rest = bytes.subarray(offset);
    const length = guardCborPrefix(rest, limits);
    items.push(rest.subarray(0, length));
    offset += length;
  }
  return items;
}

async function refusalIn(response: Response): Promise<Refusal> {
  const value: unknown = await response.json().catch(() => undefined);
  if (Check(RefusalAnswer, value)) return new Refusal(value);
  return new Refusal({ code: `${response.status}`, message: response.statusText, remedy: "" });
}

export function pause(duration_ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, duration_ms));
}
