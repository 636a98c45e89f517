// What the monitor answers on its own machine: metrics for Prometheus, the alarms that stand, and the way in for who acknowledges one.
// It is for programs of the machine: a page of a browser can ask for nothing here, whatever name it comes by. Who acknowledges shows the
// token of the monitor's folder: other users of the machine cannot silence an alarm.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { showsToken } from "./desk-token.js";
import type { Monitor } from "./monitor.js";
import { alarmsAnswer, metricsText } from "./outputs.js";

const HOST = "127.0.0.1";
const HEADERS_MS = 5_000;
const REQUEST_MS = 10_000;
const ACKNOWLEDGE = /^\/alarms\/([0-9a-f]{8})\/acknowledge$/;
const TEXT = "text/plain; version=0.0.4; charset=utf-8";

export type ShownMonitor = Pick<Monitor, "watch" | "progress" | "acknowledge">;

/** Serves on this machine alone; resolves with the port. Without a token nobody acknowledges. */
export async function openDesk(
  port: number,
  monitor: ShownMonitor,
  token: string | undefined,
): Promise<{ readonly server: Server; readonly port: number }> {
  const options = { headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS };
  const server = createServer(options, (request, response) => answer(monitor, token, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, HOST, resolve);
  });
  const address = server.address();
  return { server, port: typeof address === "object" && address !== null ? address.port : port };
}

function answer(
  monitor: ShownMonitor,
  token: string | undefined,
  ...[request, response]: [IncomingMessage, ServerResponse]
): void {
  request.resume(); // a body says nothing here
  const send = (status: number, type: string, text: string) => {
    response.writeHead(status, { "content-type": type });
    response.end(text);
  };
  const value = (status: number, body: object) => send(status, "application/json", `${JSON.stringify(body)}\n`);
  const { host = "", origin, authorization } = request.headers;
  // A name that is made to point here is another host; a page says where it is from.
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host) || origin !== undefined) {
    return value(403, { message: "This answers programs of its own machine alone." });
  }
  const asked = `${request.method} ${request.url}`;
  if (asked === "GET /metrics") return send(200, TEXT, metricsText(monitor));
  if (asked === "GET /alarms") return value(200, alarmsAnswer(monitor));
  const id = request.method === "POST" ? ACKNOWLEDGE.exec(request.url ?? "")?.[1] : undefined;
  if (id === undefined) return value(404, { message: "Ask for /metrics or /alarms." });
  if (token === undefined) {
    return value(403, { message: "Start the monitor with --state DIR: who can read its folder may acknowledge." });
  }
  if (!showsToken(authorization, token)) {
    return value(401, { message: "Name the monitor's own folder with --state: its token is shown from there." });
  }
  if (!monitor.acknowledge(id)) return value(404, { message: `No alarm ${id} stands.` });
  return value(200, { acknowledged: id });
}
