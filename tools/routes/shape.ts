// The shape of a route: what is asked of a node over HTTP and what it answers, as a value. The node's checks, the client, the fuzzer's
// requests and docs/api.md come from it. Pure, and of Node nothing: a browser asks by the same values.

import type { Static, TInteger, TObject, TOptional, TSchema, TString } from "@sinclair/typebox";
import { Check } from "@sinclair/typebox/value";
import type { RefusalCode } from "./refusals.js";

export type Method = "GET" | "POST";

/**
 * What asking costs and needs. `plain` and `costly`: 1 and 4 of the requests that an address has a second; `order`: 10 · `always`:
 * answered where nothing else is · `stream`: has no end, an address may have fewer of them than connections
 */
export type LimitsClass = "plain" | "costly" | "order" | "always" | "stream";

/** A value in a path or a query: a decimal number within its bounds, or text of a pattern. */
export type Field = TInteger | TString | TOptional<TInteger> | TOptional<TString>;
export type Fields = Readonly<Record<string, Field>>;

/**
 * Who is answered where an API asks for session tokens. `public`: everybody · `chain`: nodes, and holders whose role reads the chain, or all
 * of them · `chains`: who reads one of several, of those · `holder`: whoever holds a credential of the network
 */
export type AccessLevel = "public" | "chain" | "chains" | "holder";

export type AnswerForm =
  | { readonly type: "application/json" | "application/health+json"; readonly schema: TSchema }
  /** whose text is not Gridseal's to describe */
  | { readonly type: "text/plain" | "text/csv" }
  /** of the explorer; a style sheet says so itself */
  | { readonly type: "text/html" | "text/javascript" }
  | { readonly type: "application/cbor"; readonly bytes_max: number }
  /** items one behind the other: the answer may end behind any, and is asked on from there */
  | { readonly type: "application/cbor-seq" }
  /** server-sent events by their names (HTML Living Standard, section 9.2) */
  | { readonly type: "text/event-stream"; readonly events: Readonly<Record<string, TSchema>> };

export interface BodyForm {
  readonly type: string;
  readonly bytes_max: number;
  /** for the sentence of who sends something else */
  readonly what: string;
}

export interface RouteShape {
  readonly method: Method;
  /** its fields as `:name` */
  readonly path: `/${string}`;
  readonly parameters: TObject<Record<string, TInteger | TString>>;
  /** a field with a `default` may be left out */
  readonly query: TObject<Record<string, Field>>;
  readonly body?: BodyForm;
  readonly answer: AnswerForm;
  /** of its answers that are no refusals */
  readonly statuses: readonly number[];
  /** what it refuses beside what any route may; a value that does not fit is refused with the first */
  readonly refusals: readonly RefusalCode[];
  readonly limits: LimitsClass;
  readonly access: AccessLevel;
  /** The chain that its parameters are of, where none of them is a service by itself. */
  chainOf?(parameters: Readonly<Record<string, unknown>>): number;
}

export type ParametersOf<Shape extends RouteShape> = Static<Shape["parameters"]>;
export type QueryOf<Shape extends RouteShape> = Static<Shape["query"]>;
/** What a client says of a query: what has a default may be left out. */
export type Asking<Shape extends RouteShape> = {
  readonly [Name in keyof QueryOf<Shape>]?: QueryOf<Shape>[Name] | undefined;
};
/** What the body of an answer in JSON says. */
export type ValueOf<Shape extends RouteShape> = Shape["answer"] extends {
  readonly schema: infer Schema extends TSchema;
}
  ? Static<Schema>
  : unknown;

/** The texts of a path or a query, as a server has them. */
export type Texts = Readonly<Record<string, unknown>>;

export type Read<Value> =
  | { readonly type: "read"; readonly value: Value }
  | { readonly type: "misfit"; readonly message: string };

/** At most 15 digits: every such number is exact. No leading zeros: a number has one text, and so a thing one path. */
const DECIMAL = /^(0|[1-9][0-9]{0,14})$/;

/** The values of texts by their schemas, defaults filled in; names that the schema has not are left out. */
export function readFields<Schema extends TObject>(schema: Schema, texts: Texts): Read<Static<Schema>> {
  const value: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(schema.properties)) {
    const text = texts[name] ?? defaultOf(field);
    if (text === undefined && !schema.required?.includes(name)) continue;
    const found = typeof text === "string" && isInteger(field) && DECIMAL.test(text) ? Number(text) : text;
    if (!Check(field, found)) return { type: "misfit", message: `${name} ${told(text)}: it is ${wordsOf(field)}.` };
    value[name] = found;
  }
  return { type: "read", value: value as Static<Schema> };
}

/** The path and query of a request. */
export function pathOf<Shape extends RouteShape>(
  shape: Shape,
  parameters: ParametersOf<Shape>,
  query: Asking<Shape>,
): string {
  const values = parameters as Readonly<Record<string, unknown>>;
  const path = shape.path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(values[name])));
  const asked = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(String(value))}`],
  );
  return asked.length === 0 ? path : `${path}?${asked.join("&")}`;
}

/** The path as a document has it: /chains/<service>/blocks. */
export function writtenPath({ path }: RouteShape): string {
  return path.replace(/:(\w+)/g, "<$1>");
}

function isInteger(field: TSchema): boolean {
  return field.type === "integer";
}

function defaultOf(field: TSchema): string | undefined {
  return field.default === undefined ? undefined : String(field.default);
}

function told(text: unknown): string {
  return typeof text === "string"
    ? `is ${JSON.stringify(text.slice(0, 40))}`
    : text === undefined
      ? "is missing"
      : "is there twice";
}

function wordsOf(field: TSchema): string {
  if (isInteger(field)) return `a decimal number from ${field.minimum} to ${field.maximum}`;
  return field.description ?? "text";
}
