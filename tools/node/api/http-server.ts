// The HTTP server below the API's routes: who may be connected, how long a request may take to arrive, one answer at a time.

import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { refusalAnswer } from "../../routes/refusals.js";
import { addressGroup } from "../limits/addresses.js";
import { oneAtATime } from "./one-at-a-time.js";
import type { Places } from "./places.js";
import { targetOf } from "./request-target.js";

/** A connection's first request, or the head of a later one, has so long to arrive; with its body, so long. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 15_000;
const KEEP_ALIVE_MS = 15_000;
const LOOK_EVERY_MS = 1_000;
const HEADERS_BYTES_MAX = 8_192;

export type ClosedFor = "full" | "idle" | "pipelined";

export interface HttpTerms {
  /** of any route's body */
  readonly bodyBytes_max: number;
  onClosed(reason: ClosedFor): void;
}

export function createHttpServer(
  listener: RequestListener,
  places: Places<Socket>,
  { bodyBytes_max, onClosed }: HttpTerms,
): Server {
  const options = {
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: LOOK_EVERY_MS,
    maxHeaderSize: HEADERS_BYTES_MAX,
  };
  const watch = {
    onAsked: (socket: Socket) => places.ask(socket),
    onAnswered: (socket: Socket) => places.answered(socket),
    onTooMany: () => onClosed("pipelined"),
  };
  const listen = oneAtATime(checked(listener, bodyBytes_max), watch);
  const server = createServer(options, listen);
  // Node answers these by itself, past everything that bounds answers.
  server.on("checkExpectation", listen);
  server.on("connection", (socket: Socket) => {
    const admission = places.open(socket, addressGroup(socket.remoteAddress));
    if (admission.type === "full") {
      onClosed("full");
      socket.destroy();
      return;
    }
    socket.once("close", () => places.close(socket));
    if (admission.instead === undefined) return;
    onClosed("idle");
    admission.instead.destroy();
  });
  return server;
}

/** Refuses, and reads no further, what comes in any number of pieces, each a turn of this loop: no client of this API sends it. */
function checked(listener: RequestListener, bodyBytes_max: number): RequestListener {
  return (request, response) => {
    const target = targetOf(request);
    if (typeof target === "string") return refuseUnread(response, 400, target);
    const complaint = complaintOf(request, bodyBytes_max);
    if (complaint !== undefined) return refuseUnread(response, ...complaint);
    request.url = target.url;
    if (target.host !== undefined) request.headers.host = target.host;
    listener(request, response);
  };
}

function complaintOf({ headers }: IncomingMessage, bodyBytes_max: number): readonly [number, string] | undefined {
  if (headers.expect !== undefined && headers.expect.toLowerCase() !== "100-continue") {
    return [417, "This API meets no expectation but 100-continue."];
  }
  if (headers["transfer-encoding"] !== undefined) return [411, "Send the body whole, with its Content-Length."];
  if (Number(headers["content-length"] ?? 0) > bodyBytes_max) return [413, "The body is too large."];
  return undefined;
}

function refuseUnread(response: ServerResponse, status: number, message: string): void {
  const body = JSON.stringify(refusalAnswer("malformed", message));
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": body.length,
    connection: "close",
  });
  response.end(body);
}
