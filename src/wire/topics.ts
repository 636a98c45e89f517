// MQTT topics: gs1/<network>/<service>/{record,receipt,members}/<meter> and gs1/<network>/-/{birth,death,command,ack,diag,time,violation}/<meter>.
// <service> is the decimal number of claim 2, <meter> the kid as 16 lower-case hex digits. QoS 1, never retained.

import { SERVICE_MAX } from "./bounds.js";

export type ServiceTopic = "record" | "receipt" | "members";
export type MeterTopic = "birth" | "death" | "command" | "ack" | "diag" | "time" | "violation";

export type Topic =
  | { readonly kind: ServiceTopic; readonly network: string; readonly service: number; readonly meter: string }
  | { readonly kind: MeterTopic; readonly network: string; readonly meter: string };

/** Longest topic that this form can have, in bytes. */
export const TOPIC_BYTES_MAX = 80;

export function serviceTopic(network: string, service: number, kind: ServiceTopic, meter: string): string {
  return `gs1/${network}/${service}/${kind}/${meter}`;
}

export function meterTopic(network: string, kind: MeterTopic, meter: string): string {
  return `gs1/${network}/-/${kind}/${meter}`;
}

/** The parts of a topic, or undefined where it is none of ours. */
export function parseTopic(topic: string): Topic | undefined {
  if (topic.length > TOPIC_BYTES_MAX) return undefined;
  const levels = topic.split("/");
  const [version, network, service, kind, meter] = levels;
  if (levels.length !== 5 || version !== "gs1" || !isNetworkName(network!) || !/^[0-9a-f]{16}$/.test(meter!))
    return undefined;
  if (service === "-") {
    const known = "birth death command ack diag time violation".split(" ").includes(kind!);
    return known ? { kind: kind as MeterTopic, network: network!, meter: meter! } : undefined;
  }
  if (!/^[1-9][0-9]{0,4}$/.test(service!) || Number(service) > SERVICE_MAX) return undefined;
  if (kind !== "record" && kind !== "receipt" && kind !== "members") return undefined;
  return { kind, network: network!, service: Number(service), meter: meter! };
}

/** A network's or chain's name: 1 to 32 of a-z, 0-9 and -, beginning with a letter. */
export function isNetworkName(name: string): boolean {
  return /^[a-z][a-z0-9-]{0,31}$/.test(name);
}
