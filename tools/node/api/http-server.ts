// The HTTP server below the API's routes: who may be connected, how long a request may take to arrive, one answer at a time.

import { createServer, type RequestListener, type Server } from "node:http";
import type { Socket } from "node:net";
import { addressGroup } from "../address-limits.js";
import { oneAtATime } from "./one-at-a-time.js";
import type { Places } from "./places.js";

/** A connection's first request, or the head of a later one, has so long to arrive; with its body, so long. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 15_000;
const KEEP_ALIVE_MS = 15_000;
const LOOK_EVERY_MS = 1_000;
const HEADERS_BYTES_MAX = 8_192;

export type ClosedFor = "full" | "idle" | "pipelined";

export function createHttpServer(
  listener: RequestListener,
  places: Places<Socket>,
  onClosed: (reason: ClosedFor) => void,
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
  const server = createServer(options, oneAtATime(listener, watch));
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
