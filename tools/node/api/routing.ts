// Ties routes to the HTTP server: reads what is asked by the route's shape, has it answered, and sends the answer within the limits.

import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from "fastify";
import { assertInvariant } from "../../errors.js";
import { type RouteShape, readFields, type Texts, writtenPath } from "../../routes/shape.js";
import type { Holder } from "../admission/token-judge.js";
import { type ApiAdmission, accessOf, objectionTo } from "./access.js";
import type { Answers } from "./answers.js";
import { streamTo } from "./event-stream.js";
import { groupOf, refuse } from "./refusing.js";
import { type Asked, type HiddenChain, type Outcome, type Refused, type Route, refused } from "./route.js";

/** RFC 9110, section 15.5.16. */
const WRONG_TYPE = 415;
const methods: readonly HTTPMethods[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

export interface RoutingPorts {
  readonly answers: Answers;
  readonly admission: ApiAdmission;
}

/** Throws where a route is served that no list has, or listed and served by none or by two. */
export function assertListed(routes: readonly Route[], listed: readonly RouteShape[]): void {
  for (const shape of new Set([...routes.map((one) => one.shape), ...listed])) {
    const served = routes.filter((one) => one.shape === shape).length;
    const isSound = listed.includes(shape) && served === 1;
    assertInvariant(isSound, `${shape.method} ${writtenPath(shape)} is listed, and served by one`);
  }
}

export function addRoutes(server: FastifyInstance, routes: readonly Route[], ports: RoutingPorts): void {
  server.decorateRequest("shown", undefined);
  server.decorateRequest("hidden", undefined);
  server.decorateRequest("fields", undefined);
  // Those that fastify brings would hand a handler no bytes.
  server.removeAllContentTypeParsers();
  for (const type of new Set(routes.flatMap(({ shape }) => shape.body?.type ?? []))) {
    server.addContentTypeParser(type, { parseAs: "buffer" }, (_request, bytes, done) => done(null, bytes));
  }
  for (const one of routes) addRoute(server, one, ports);
  for (const path of new Set(routes.map(({ shape }) => shape.path))) {
    const taken = routes.filter(({ shape }) => shape.path === path).map(({ shape }) => shape.method);
    addOtherMethods(server, path, taken.includes("GET") ? ["HEAD", ...taken] : taken);
  }
  server.setNotFoundHandler((request, reply) =>
    refuse(reply, "unknown-path", `This API has no path ${request.url.slice(0, 200)}.`),
  );
}

function addRoute(server: FastifyInstance, { shape, answer }: Route, { answers, admission }: RoutingPorts): void {
  server.route({
    method: shape.method,
    url: shape.path,
    config: { limits: shape.limits },
    ...(shape.body !== undefined && { bodyLimit: shape.body.bytes_max }),
    // Before its body is read.
    onRequest: async (request, reply) => {
      const fields = readAskedFields(shape, request);
      // Judged by the values that the handler gets: no text is a chain to one and none to the other.
      const asked = { level: shape.access, service: fields.service };
      const access = await accessOf(admission, asked, request.headers.authorization);
      if (access.type === "refused") return refuse(reply, access.code, access.message);
      if (fields.type === "refused") return refuse(reply, fields.code, fields.message);
      request.shown = access.shown;
      request.hidden = access.hidden;
      request.fields = fields;
    },
    handler: async (request, reply) => {
      // Such an answer to HEAD would have no end, and takes no place.
      if (request.method === "HEAD" && shape.limits === "stream") {
        streamTo(reply, shape.answer.type).end();
        return reply;
      }
      const asked = readAsked(shape, request, admission);
      return send(reply, shape, asked.type === "refused" ? asked : await answer(asked.asked), answers);
    },
  });
}

/** The chain that a path, or else its query, names; undefined where they name none, or nothing that fits. */
interface OfChain {
  readonly service: number | undefined;
}

interface AskedFields extends Pick<Asked, "parameters" | "query">, OfChain {
  readonly type: "fields";
}

function readAskedFields(shape: RouteShape, request: FastifyRequest): AskedFields | (Refused & OfChain) {
  const misfit = shape.refusals[0] ?? "malformed";
  const parameters = readFields(shape.parameters, request.params as Texts);
  if (parameters.type === "misfit") {
    return { ...refused(misfit, `${writtenPath(shape)}: ${parameters.message}`), service: undefined };
  }
  const named = wholeIn(parameters.value.service) ?? shape.chainOf?.(parameters.value);
  const query = readFields(shape.query, request.query as Texts);
  if (query.type === "misfit") {
    return { ...refused(misfit, `${writtenPath(shape)}: ${query.message}`), service: named };
  }
  const service = named ?? wholeIn(query.value.service);
  return { type: "fields", parameters: parameters.value, query: query.value, service };
}

function wholeIn(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

type ReadAsked = { readonly type: "asked"; readonly asked: Asked } | Refused;

function readAsked(shape: RouteShape, request: FastifyRequest, admission: ApiAdmission): ReadAsked {
  const { body, fields, shown } = request;
  assertInvariant(fields !== undefined, "a route's fields are read before it is answered");
  const sentType = String(request.headers["content-type"]).split(";")[0]!.trim().toLowerCase();
  if (shape.body !== undefined && (!(body instanceof Uint8Array) || sentType !== shape.body.type)) {
    const message = `Send ${shape.body.what}, as ${shape.body.type}.`;
    return { ...refused("malformed", message), status: WRONG_TYPE };
  }
  const lastEventId = request.headers["last-event-id"];
  const { "accept-encoding": encodings = "" } = request.headers;
  return {
    type: "asked",
    asked: {
      parameters: fields.parameters,
      query: fields.query,
      body: body instanceof Uint8Array ? Uint8Array.from(body) : new Uint8Array(0),
      group: groupOf(request),
      shown,
      hidden: request.hidden ?? [],
      objection: () => objectionTo(admission, { level: shape.access, service: fields.service }, shown),
      encodings: String(encodings)
        .split(",")
        .flatMap((part) => (/;\s*q=0(\.0*)?$/.test(part.trim()) ? [] : [part.split(";")[0]!.trim()])),
      lastEventId: typeof lastEventId === "string" ? lastEventId : undefined,
    },
  };
}

async function send(reply: FastifyReply, shape: RouteShape, outcome: Outcome, answers: Answers): Promise<FastifyReply> {
  switch (outcome.type) {
    case "refused":
      return refuse(reply, outcome.code, outcome.message, outcome.status);
    case "value":
      return reply.code(outcome.status ?? shape.statuses[0]!).send(outcome.value);
    case "sent": {
      // As a header it stays as it is: `type` would add a parameter that not every type has.
      reply.header("content-type", shape.answer.type).headers({ ...outcome.headers });
      const { buffer, byteOffset, length } = outcome.bytes;
      return reply.code(outcome.status ?? shape.statuses[0]!).send(Buffer.from(buffer, byteOffset, length));
    }
    case "long": {
      const head = { type: shape.answer.type, ...(outcome.length !== undefined && { length: outcome.length }) };
      if (await answers.send(reply, groupOf(reply.request), head, outcome.items)) return reply;
      const message = "Too many long answers are on their way.";
      return refuse(reply, "busy", message);
    }
    case "stream":
      outcome.begin(streamTo(reply, shape.answer.type));
      return reply;
  }
}

/** OPTIONS says what a path takes (RFC 9110, section 9.3.7), anything else that it does not take is refused. */
function addOtherMethods(server: FastifyInstance, path: string, taken: readonly string[]): void {
  const allow = [...taken, "OPTIONS"].join(", ");
  const answer = async (request: FastifyRequest, reply: FastifyReply) => {
    reply.header("allow", allow);
    if (request.method === "OPTIONS") return reply.code(204).send();
    return refuse(reply, "wrong-method", `${path} takes ${allow}, and no ${request.method}.`);
  };
  const others = methods.filter((method) => !taken.includes(method));
  // Before its body is looked at.
  server.route({ method: others, url: path, onRequest: answer, handler: answer });
}

declare module "fastify" {
  interface FastifyRequest {
    /** who has shown a session token; set before a handler runs */
    shown: Holder | undefined;
    /** chains that the answer is to leave out; set before a handler runs */
    hidden: readonly HiddenChain[] | undefined;
    /** what its path and query say; set before a handler runs */
    fields: AskedFields | undefined;
  }
}
