// What is said of alarms: lines of JSON, a webhook's, and text for Prometheus (its exposition format 0.0.4).

import { reasonOf } from "../errors.js";
import { type AlarmKind, alarmKinds, idOf } from "./alarms.js";
import type { Monitor } from "./monitor.js";
import type { Told } from "./watch.js";

/** How often a webhook that does not take an alarm is asked again, and how long each time. */
const WEBHOOK_TRIES = 3;
const WEBHOOK_MS_MAX = 10_000;

/** An alarm as it is logged and posted. */
export function alarmLine({ type, alarm }: Told, at: Date) {
  const { kind, node, service, what, height } = alarm;
  const { severity, remedy } = alarmKinds[kind];
  return {
    ...{ time: at.toISOString(), id: idOf(alarm), alarm: kind, state: type, severity },
    ...(node !== undefined && { node }),
    ...(service !== undefined && { service }),
    ...(height !== undefined && { height }),
    ...{ what, remedy },
  };
}

/** The alarms that stand, as the monitor answers who asks for them. */
export function alarmsAnswer({ watch }: Pick<Monitor, "watch">) {
  return watch.open.map(({ alarm, since_ms, isAcknowledged }) => ({
    ...alarmLine({ type: isAcknowledged ? "acknowledged" : "raised", alarm }, new Date(since_ms)),
  }));
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
      await answer.body?.cancel();
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
    "# HELP gridseal_monitor_alarms Alarms that stand and that nobody has acknowledged.",
    "# TYPE gridseal_monitor_alarms gauge",
    ...countsOf("gridseal_monitor_alarms", watch, false),
    "# HELP gridseal_monitor_acknowledged Alarms that stand and that somebody has acknowledged.",
    "# TYPE gridseal_monitor_acknowledged gauge",
    ...countsOf("gridseal_monitor_acknowledged", watch, true),
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

function countsOf(metric: string, { open }: Monitor["watch"], isAcknowledged: boolean): string[] {
  return (Object.keys(alarmKinds) as AlarmKind[]).map((kind) => {
    const count = open.filter((one) => one.alarm.kind === kind && one.isAcknowledged === isAcknowledged).length;
    return `${metric}{alarm="${kind}",severity="${alarmKinds[kind].severity}"} ${count}`;
  });
}
