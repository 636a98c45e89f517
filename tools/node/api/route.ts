// A route of a node: its shape, and what answers it. A handler is handed what was asked, read by the shape, and returns its answer as
// a value; the server sends it, within the limits that every route has.

import type { Role } from "../../../src/wire/credential.js";
import type { RefusalCode } from "../../routes/refusals.js";
import type { ParametersOf, QueryOf, RouteShape, ValueOf } from "../../routes/shape.js";
import type { Holder } from "../admission/token-judge.js";
import type { Items } from "./answers.js";
import type { EventStream } from "./event-stream.js";

/** A chain that who asks does not read, and the roles that do, beside the network's nodes. */
export interface HiddenChain {
  readonly service: number;
  readonly readers: readonly Role[];
}

export interface Asked<Parameters = unknown, Query = unknown> {
  readonly parameters: Parameters;
  readonly query: Query;
  /** what was sent, where the shape has a body */
  readonly body: Uint8Array;
  /** who has shown a session token */
  readonly shown: Holder | undefined;
  /** chains that the answer is to leave out, of a route of level chains */
  readonly hidden: readonly HiddenChain[];
  /** Why it is answered no longer; of what has no end it is asked again. */
  objection(): Objection | undefined;
  /** whose limits count for the request */
  readonly group: string;
  /** names of encodings that the reader takes (RFC 9110, section 12.5.3) */
  readonly encodings: readonly string[];
  /** the Last-Event-ID header, of a stream that is taken up again */
  readonly lastEventId: string | undefined;
}

export interface Refused {
  readonly type: "refused";
  readonly code: RefusalCode;
  /** what happened, and to what; what to do stands with the code */
  readonly message: string;
  /** where it is not the code's own */
  readonly status?: number;
}

/** A refusal of who asks, whatever it asks for. */
export type Objection = Refused & { readonly code: "unauthorized" | "forbidden" };

export type Outcome<Value = unknown> =
  /** as JSON */
  | { readonly type: "value"; readonly value: Value; readonly status?: number }
  /** at once, as the shape's content type or the one that is named */
  | {
      readonly type: "sent";
      readonly bytes: Uint8Array;
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** read in turns and sent in pieces: whatever may be long */
  | { readonly type: "long"; readonly items: Items; readonly length?: number }
  | { readonly type: "stream"; readonly begin: (stream: EventStream) => void }
  | Refused;

export interface Route {
  readonly shape: RouteShape;
  answer(asked: Asked): Outcome | Promise<Outcome>;
}

/** What a shape's handler is: its parameters, query and value are typed by the shape. */
export type Handler<Shape extends RouteShape> = (
  asked: Asked<ParametersOf<Shape>, QueryOf<Shape>>,
) => Outcome<ValueOf<Shape>> | Promise<Outcome<ValueOf<Shape>>>;

/** The server hands a handler nothing that its shape has not read. */
export function route<Shape extends RouteShape>(shape: Shape, answer: Handler<Shape>): Route {
  return { shape, answer: (asked) => answer(asked as Asked<ParametersOf<Shape>, QueryOf<Shape>>) };
}

export function refused(code: RefusalCode, message: string): Refused {
  return { type: "refused", code, message };
}
