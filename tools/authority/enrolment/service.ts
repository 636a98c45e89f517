// The authority's enrolment service: HTTPS alone, two routes, and little for strangers. It asks an applicant to sign over a nonce that it
// gave, so that nobody sends another's enrolment later. It knows nobody before; codes, addresses and bodies are limited.

import type { RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import rateLimit from "@fastify/rate-limit";
import fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import { toHex } from "../../../src/wire/bytes.js";
import { GridsealError } from "../../errors.js";
import { enrolmentNonce, submitEnrolment } from "../../routes/enrolments.js";
import { type RefusalCode, refusalAnswer, refusals } from "../../routes/refusals.js";
import { createNonces, NONCE_S } from "./nonces.js";
import { type Enrolling, type EnrolmentOutcome, takeEnrolment } from "./take.js";

/** Connections at one time. */
const CONNECTIONS_MAX = 256;
const PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 1_000;
const HEADERS_BYTES_MAX = 8_192;
/** Of an address (of IPv6 its /64), a minute: all requests, and enrolments among them. */
const REQUESTS_MAX = 60;
const ENROLMENTS_MAX = 10;
/** Addresses that are remembered; who is the longest away is forgotten. */
const ADDRESSES_MAX = 10_000;
const MINUTE_MS = 60_000;
const WRONG_TYPE = 415;

export interface ServiceTerms {
  readonly host: string;
  readonly port: number;
  /** PEM */
  readonly cert: string;
  readonly key: string;
}

export interface ServicePorts {
  readonly enrolling: Omit<Enrolling, "isFresh">;
  /** of an enrolment that was judged */
  onOutcome(outcome: EnrolmentOutcome): void;
  /** of what should not have been thrown */
  onDefect(error: Error): void;
}

export interface EnrolmentService {
  /** Resolves with the port. Throws PORT_UNAVAILABLE. */
  listen(): Promise<number>;
  close(): Promise<void>;
}

/** Throws CERTIFICATE_INVALID where certificate and key are none, or not of each other. */
export async function createEnrolmentService(terms: ServiceTerms, ports: ServicePorts): Promise<EnrolmentService> {
  const server = createServer(terms);
  addErrors(server, ports);
  await server.register(rateLimit, {
    ...{ max: REQUESTS_MAX, timeWindow: MINUTE_MS, cache: ADDRESSES_MAX },
    // Thrown, it comes to the handler of errors.
    errorResponseBuilder: (_request, { ttl }) => Object.assign(new Error(), { statusCode: 429, ttl }),
  });
  await server.register(async (limited) => addRoutes(limited, ports));
  return {
    async listen() {
      try {
        await server.listen({ host: terms.host, port: terms.port });
      } catch (cause) {
        throw new GridsealError("PORT_UNAVAILABLE", `port ${terms.port} of ${terms.host} cannot be listened on`, {
          cause,
        });
      }
      const address = server.server.address();
      return typeof address === "object" && address !== null ? address.port : terms.port;
    },
    close: () => server.close(),
  };
}

function createServer({ cert, key }: ServiceTerms): FastifyInstance {
  const options = {
    ...{ cert, key, minVersion: "TLSv1.2" as const, handshakeTimeout: PATIENCE_MS, maxHeaderSize: HEADERS_BYTES_MAX },
    ...{ headersTimeout: PATIENCE_MS, requestTimeout: PATIENCE_MS, keepAliveTimeout: PATIENCE_MS },
    connectionsCheckingInterval: LOOK_EVERY_MS,
  };
  const serverFactory = (handler: RequestListener) => {
    const server = createHttpsServer(options, handler);
    server.maxConnections = CONNECTIONS_MAX;
    return server;
  };
  const bodyLimit = submitEnrolment.body.bytes_max;
  try {
    return fastify({ logger: false, bodyLimit, forceCloseConnections: true, serverFactory });
  } catch {
    // The library's reason may quote the key.
    throw new GridsealError("CERTIFICATE_INVALID", "the service's certificate and key cannot be used together");
  }
}

function addRoutes(server: FastifyInstance, { enrolling, onOutcome }: ServicePorts): void {
  const nonces = createNonces();
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(submitEnrolment.body.type, { parseAs: "buffer" }, (_request, body, done) =>
    done(null, body),
  );
  server.get(enrolmentNonce.path, async (_request, reply) =>
    reply.header("cache-control", "no-store").send({ nonce: toHex(nonces.fresh(enrolling.now_s())), seconds: NONCE_S }),
  );
  server.post(
    submitEnrolment.path,
    { config: { rateLimit: { max: ENROLMENTS_MAX, timeWindow: MINUTE_MS } } },
    async ({ body }, reply) => {
      if (!(body instanceof Uint8Array))
        return refuse(reply, "malformed", `Send ${submitEnrolment.body.what}.`, WRONG_TYPE);
      const isFresh = (nonce: Uint8Array) => nonces.isFresh(nonce, enrolling.now_s());
      const outcome = takeEnrolment({ ...enrolling, isFresh }, Uint8Array.from(body));
      onOutcome(outcome);
      return answer(reply.header("cache-control", "no-store"), outcome);
    },
  );
}

function answer(reply: FastifyReply, outcome: EnrolmentOutcome): FastifyReply {
  switch (outcome.type) {
    case "refused":
      return refuse(reply, "not-enrolled", `Not enrolled: ${outcome.reason}.`);
    case "waiting": {
      const { key, approvals, missing } = outcome;
      return reply.code(202).send({ state: "waiting", key, approvals, missing });
    }
    case "granted": {
      const { key, id, credential } = outcome;
      return reply.send({ state: "granted", key, id, credential: Buffer.from(credential).toString("base64url") });
    }
  }
}

function addErrors(server: FastifyInstance, { onDefect }: ServicePorts): void {
  server.setNotFoundHandler((request, reply) =>
    refuse(reply, "unknown-path", `This service has no path ${request.url.slice(0, 200)}.`),
  );
  server.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status === 429) return refuse(reply, "rate-limited", "Too many requests come from this address.");
    if (status < 500) return refuse(reply, "malformed", error.message, status);
    onDefect(error);
    return refuse(reply, "failed", "The service failed at this request: a defect. Its log says more.");
  });
}

function refuse(reply: FastifyReply, code: RefusalCode, message: string, status?: number): FastifyReply {
  return reply.code(status ?? refusals[code].status).send(refusalAnswer(code, message));
}
