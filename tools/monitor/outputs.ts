// Where alarms go: lines of JSON, a webhook, and text for Prometheus (its exposition format 0.0.4).

import { createServer, type Server } from "node:http";
import { reasonOf } from "../errors.js";
import { type AlarmKind, alarmKinds } from "./alarms.js";
import type { Monitor } from "./monitor.js";
import type { Told } from "./watch.js";

/** How often a webhook that does not take an alarm is asked again, and how long each time. */
const WEBHOOK_TRIES = 3;
const WEBHOOK_MS_MAX = 10_000;

/** An alarm as it is logged and posted. */
export function alarmLine({ type, alarm: { kind, node, service, what } }: Told, at: Date) {
  const { severity, remedy } = alarmKinds[kind];
  return {
    time: at.toISOString(),
    alarm: kind,
    state: type,
    severity,
    ...(node !== undefined && { node }),
    ...(service !== undefined && { service }),
    what,
    remedy,
  };
}

/** Posts the line; resolves with why that failed, where it did. */
export async function post(url: string, line: object): Promise<string | undefined> {
  let reason = "";
  for (let tries = 1; tries <= WEBHOOK_TRIES; tries += 1) {
    try {
      const answer = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(line),
        signal: AbortSignal.timeout(WEBHOOK_MS_MAX),
      });
      await answer.arrayBuffer();
      if (answer.ok) return undefined;
      reason = `it answers ${answer.status}`;
    } catch (error) {
      reason = reasonOf(error);
    }
  }
  return reason;
}

/** What Prometheus scrapes. */
export function metricsText({ watch, progress }: Pick<Monitor, "watch" | "progress">): string {
  const lines = [
    "# HELP gridseal_monitor_alarms Alarms that are open.",
    "# TYPE gridseal_monitor_alarms gauge",
    ...(Object.keys(alarmKinds) as AlarmKind[]).map((kind) => {
      const count = watch.open.filter((alarm) => alarm.kind === kind).length;
      return `gridseal_monitor_alarms{alarm="${kind}",severity="${alarmKinds[kind].severity}"} ${count}`;
    }),
    "# HELP gridseal_monitor_height Height up to which a node's chain has been audited.",
    "# TYPE gridseal_monitor_height gauge",
    ...progress.map(
      ({ node, service, height }) => `gridseal_monitor_height{node="${node}",service="${service}"} ${height}`,
    ),
    "# HELP gridseal_monitor_records Records of a node's chain that have been audited.",
    "# TYPE gridseal_monitor_records gauge",
    ...progress.map(
      ({ node, service, records }) => `gridseal_monitor_records{node="${node}",service="${service}"} ${records}`,
    ),
  ];
  return `${lines.join("\n")}\n`;
}

/** Serves them on this machine; resolves with the port. */
export async function serveMetrics(
  port: number,
  monitor: Pick<Monitor, "watch" | "progress">,
): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((request, response) => {
    const isAsked = request.method === "GET" && request.url === "/metrics";
    response.writeHead(isAsked ? 200 : 404, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
    response.end(isAsked ? metricsText(monitor) : "ask for /metrics\n");
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  return { server, port: typeof address === "object" && address !== null ? address.port : port };
}
