// A node's configuration, node.json: one JSON document whose paths are relative to it. Anything that is not as the table below says
// is refused with its path and the reason, so that a typing error never becomes a node that silently does less than it was told.

import { readFile, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { BATCH_RECORDS_MAX, CHAINS_MAX, NODES_MAX, SERVICE_MAX } from "../../src/wire/bounds.js";
import { idFromText } from "../../src/wire/key.js";
import { GridsealError, reasonOf } from "../errors.js";
import { type RecordRate, rateDefaults } from "./ingest/allowances.js";
import { addressGroup, LOOPBACK } from "./limits/addresses.js";

/** A TCP endpoint; port 0 lets the system choose where the node listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

export type LogLevel = "silent" | "error" | "warn" | "info" | "debug";

/** `tokens`: who connects or asks for what is not public shows a session token; `open`: anybody may */
export type AdmissionTerms = "tokens" | "open";
const admissions: readonly AdmissionTerms[] = ["tokens", "open"];

/** A node's own broker, and how many connections it takes, in all and of one address; loopback may have them all where that is left out. */
export interface OwnBroker {
  readonly listen: Address;
  /** what is stated, or else `open` where loopback alone reaches it */
  readonly admission?: AdmissionTerms;
  /** names that meters reach it by; tokens for others are refused where there are any */
  readonly hosts?: readonly string[];
  /** where it is given the broker speaks TLS alone */
  readonly tls?: { readonly key: string; readonly certificate: string };
  readonly connections_max?: number;
  readonly address_connections_max?: number;
}

/** A node's configuration with its paths made absolute and its defaults filled in. */
export interface NodeConfiguration {
  readonly version: 1;
  /** for logs; the genesis knows the node by the id of its key */
  readonly name: string;
  readonly genesis: string;
  readonly key: string;
  readonly tls: { readonly key: string; readonly certificate: string; readonly ca: string };
  /** folder of the store */
  readonly data: string;
  /** folder of orders that the node brings to the contracts chain until they are sealed; none where absent */
  readonly orders?: string;
  readonly peers: {
    readonly listen: Address;
    /** other nodes by their id, 16 lower-case hex digits */
    readonly addresses: Readonly<Record<string, Address>>;
  };
  /** the node's own broker, or the URL (mqtt:// or mqtts://) of one that it shares */
  readonly mqtt: OwnBroker | { readonly url: string; readonly hosts?: readonly string[] };
  readonly api: Address & {
    /** names that the API is reached by, beside its address */
    readonly hosts: readonly string[];
    /** what is stated, or else `open` where loopback alone reaches it */
    readonly admission?: AdmissionTerms;
    /** connections that one address may have; four times as many from the machine itself */
    readonly addressConnections_max: number;
    /** small requests that one address may make in a second, and four times as many the machine itself */
    readonly addressRequests_s: number;
  };
  /** services whose chains this node follows where it is no member; to be a member, a node follows first */
  readonly follow: readonly number[];
  /** when the records gathered become a temporary block */
  readonly batch: { readonly interval_ms: number; readonly records_max: number };
  /** how fast one meter's records of one service are taken */
  readonly rate: RecordRate;
  readonly log: LogLevel;
}

export const batchDefaults = { interval_ms: 200, records_max: BATCH_RECORDS_MAX } as const;
export const apiDefaults = { hosts: [], addressConnections_max: 64, addressRequests_s: 100 } as const;
const HOSTS_MAX = 16;
const DOCUMENT_BYTES_MAX = 1_048_576;
const levels: readonly LogLevel[] = ["silent", "error", "warn", "info", "debug"];

/** Reads and checks a node's configuration, or that in a node's folder. Throws FILE_UNREADABLE or CONFIGURATION_INVALID with the file, the field and the reason. */
export async function readNodeConfiguration(given: string): Promise<NodeConfiguration> {
  const isFolder = await stat(given).then(
    (status) => status.isDirectory(),
    () => false,
  );
  const path = isFolder ? join(given, "node.json") : given;
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new GridsealError("FILE_UNREADABLE", `${path} cannot be read: ${reasonOf(cause)}`, { cause });
  }
  try {
    return parseNodeConfiguration(text, dirname(resolve(path)));
  } catch (cause) {
    throw new GridsealError("CONFIGURATION_INVALID", `${path}: ${reasonOf(cause)}`, { cause });
  }
}

/** Checks a document and resolves its paths against `folder`. Throws an Error that names the field and the reason. */
export function parseNodeConfiguration(text: string, folder: string): NodeConfiguration {
  if (text.length > DOCUMENT_BYTES_MAX) throw new Error(`$ has more than ${DOCUMENT_BYTES_MAX} characters`);
  const document = fieldsOf(parseJson(text), "$", [
    ["version", "name", "genesis", "key", "tls", "data", "peers", "mqtt", "api"],
    ["orders", "batch", "follow", "rate", "log"],
  ]);
  if (document.version !== 1) throw new Error("$.version must be 1");
  const tls = fieldsOf(document.tls, "$.tls", [["key", "certificate", "ca"]]);
  const path = (value: unknown, at: string) => resolve(folder, textOf(value, at, 4_096));
  return {
    version: 1,
    name: textOf(document.name, "$.name", 32),
    genesis: path(document.genesis, "$.genesis"),
    key: path(document.key, "$.key"),
    tls: {
      key: path(tls.key, "$.tls.key"),
      certificate: path(tls.certificate, "$.tls.certificate"),
      ca: path(tls.ca, "$.tls.ca"),
    },
    data: path(document.data, "$.data"),
    ...(document.orders !== undefined && { orders: path(document.orders, "$.orders") }),
    peers: peersOf(document.peers),
    mqtt: mqttOf(document.mqtt, path),
    api: apiOf(document.api),
    batch: batchOf(document.batch ?? {}),
    follow: followOf(document.follow ?? []),
    rate: rateOf(document.rate ?? {}),
    log: document.log === undefined ? "info" : oneOf(document.log, "$.log", levels),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`$ is no JSON: ${reasonOf(cause)}`);
  }
}

/** The members of an object that has all of the first names, perhaps some of the second, and no others. */
function fieldsOf(
  value: unknown,
  at: string,
  [required, optional = []]: readonly [readonly string[], (readonly string[])?],
): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error(`${at} must be an object`);
  for (const name of Object.keys(value)) {
    if (!required.includes(name) && !optional.includes(name)) throw new Error(`${at}.${name} is no field of this file`);
  }
  for (const name of required) if (!Object.hasOwn(value, name)) throw new Error(`${at}.${name} is missing`);
  return value as Fields;
}

function peersOf(value: unknown): NodeConfiguration["peers"] {
  const { listen, addresses } = fieldsOf(value, "$.peers", [["listen", "addresses"]]);
  if (typeof addresses !== "object" || addresses === null || Array.isArray(addresses)) {
    throw new Error("$.peers.addresses must be an object");
  }
  const entries = Object.entries(addresses);
  if (entries.length > NODES_MAX)
    throw new Error(`$.peers.addresses names ${entries.length} nodes, at most ${NODES_MAX}`);
  return {
    listen: addressOf(listen, "$.peers.listen", 0),
    addresses: Object.fromEntries(
      entries.map(([id, address]) => {
        if (idFromText(id) === undefined) {
          throw new Error(`$.peers.addresses.${id} is no node id: it must be 16 lower-case hex digits`);
        }
        return [id, addressOf(address, `$.peers.addresses.${id}`)];
      }),
    ),
  };
}

const ofOwnBroker = ["connections_max", "address_connections_max", "admission", "tls"] as const;

function mqttOf(value: unknown, path: (value: unknown, at: string) => string): NodeConfiguration["mqtt"] {
  const fields = fieldsOf(value, "$.mqtt", [[], ["listen", "url", "hosts", ...ofOwnBroker]]);
  if ((fields.listen === undefined) === (fields.url === undefined))
    throw new Error("$.mqtt must have either listen or url");
  const hosts = fields.hosts !== undefined && { hosts: hostsOf(fields.hosts, "$.mqtt.hosts") };
  if (fields.listen !== undefined) {
    const count = (name: string) =>
      fields[name] === undefined ? {} : { [name]: wholeOf(fields[name], `$.mqtt.${name}`, 1, 1_000_000) };
    return {
      listen: addressOf(fields.listen, "$.mqtt.listen", 0),
      ...admissionOf(fields.admission, "$.mqtt.admission"),
      ...hosts,
      ...(fields.tls !== undefined && { tls: brokerTlsOf(fields.tls, path) }),
      ...count("connections_max"),
      ...count("address_connections_max"),
    };
  }
  for (const name of ofOwnBroker) {
    if (fields[name] !== undefined)
      throw new Error(`$.mqtt.${name} is of the node's own broker: a shared one has its own settings`);
  }
  const url = textOf(fields.url, "$.mqtt.url", 256);
  const protocol = URL.canParse(url) ? new URL(url).protocol : "";
  if (protocol !== "mqtt:" && protocol !== "mqtts:") {
    throw new Error("$.mqtt.url must be mqtt://host:port or mqtts://host:port");
  }
  return { url, ...hosts };
}

function brokerTlsOf(value: unknown, path: (value: unknown, at: string) => string) {
  const { key, certificate } = fieldsOf(value, "$.mqtt.tls", [["key", "certificate"]]);
  return { key: path(key, "$.mqtt.tls.key"), certificate: path(certificate, "$.mqtt.tls.certificate") };
}

function admissionOf(value: unknown, at: string): { readonly admission?: AdmissionTerms } {
  return value === undefined ? {} : { admission: oneOf(value, at, admissions) };
}

/** What is stated; or else where others than this machine can reach the address, tokens are asked for. */
export function admissionAt({ host }: Address, stated: AdmissionTerms | undefined): AdmissionTerms {
  return stated ?? (host === "localhost" || addressGroup(host) === LOOPBACK ? "open" : "tokens");
}

/** Names that a session token may be for: those stated and the address itself, or any where none is stated. */
export function namesOf({ host }: Address, stated: readonly string[] = []): readonly string[] {
  return stated.length === 0 ? [] : [...stated, host];
}

function followOf(value: unknown): readonly number[] {
  if (!Array.isArray(value) || value.length > CHAINS_MAX) {
    throw new Error(`$.follow must be a list of at most ${CHAINS_MAX} services`);
  }
  return value.map((service, index) => wholeOf(service, `$.follow[${index}]`, 1, SERVICE_MAX));
}

function batchOf(value: unknown): NodeConfiguration["batch"] {
  const fields = fieldsOf(value, "$.batch", [[], ["interval_ms", "records_max"]]);
  return {
    interval_ms: wholeOf(fields.interval_ms ?? batchDefaults.interval_ms, "$.batch.interval_ms", 1, 60_000),
    records_max: wholeOf(fields.records_max ?? batchDefaults.records_max, "$.batch.records_max", 1, BATCH_RECORDS_MAX),
  };
}

function apiOf(value: unknown): NodeConfiguration["api"] {
  const limits = ["addressConnections_max", "addressRequests_s"] as const;
  const { host, port, ...fields } = fieldsOf(value, "$.api", [
    ["host", "port"],
    ["hosts", "admission", ...limits],
  ]);
  const [connections, requests] = limits.map((name) => fields[name] ?? apiDefaults[name]);
  return {
    ...addressOf({ host, port }, "$.api", 0),
    hosts: hostsOf(fields.hosts ?? apiDefaults.hosts, "$.api.hosts"),
    ...admissionOf(fields.admission, "$.api.admission"),
    addressConnections_max: wholeOf(connections, "$.api.addressConnections_max", 1, 512),
    addressRequests_s: wholeOf(requests, "$.api.addressRequests_s", 1, 10_000),
  };
}

function hostsOf(value: unknown, at: string): readonly string[] {
  if (!Array.isArray(value) || value.length > HOSTS_MAX) {
    throw new Error(`${at} must be a list of at most ${HOSTS_MAX} names`);
  }
  return value.map((host, index) => textOf(host, `${at}[${index}]`, 253).toLowerCase());
}

function rateOf(value: unknown): RecordRate {
  const fields = fieldsOf(value, "$.rate", [[], ["records_per_s", "burst"]]);
  const { records_per_s, burst } = { ...rateDefaults, ...fields };
  return {
    records_per_s: wholeOf(records_per_s, "$.rate.records_per_s", 1, 1_000_000),
    burst: wholeOf(burst, "$.rate.burst", 1, 1_000_000_000),
  };
}

function addressOf(value: unknown, at: string, portLeast = 1): Address {
  const { host, port } = fieldsOf(value, at, [["host", "port"]]);
  return { host: textOf(host, `${at}.host`, 253), port: wholeOf(port, `${at}.port`, portLeast, 65_535) };
}

function textOf(value: unknown, at: string, most: number): string {
  if (typeof value === "string" && value.length > 0 && value.length <= most) return value;
  throw new Error(`${at} must be a text of 1 to ${most} characters`);
}

function wholeOf(value: unknown, at: string, least: number, most: number): number {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
  throw new Error(`${at} must be a whole number from ${least} to ${most}`);
}

function oneOf<Choice extends string>(value: unknown, at: string, choices: readonly Choice[]): Choice {
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined) throw new Error(`${at} must be one of: ${choices.join(", ")}`);
  return choice;
}

/** Names of fields that differ and that a node takes at its start alone: all but the peers' addresses and the chains to follow. */
export function fieldsForRestart(running: NodeConfiguration, changed: NodeConfiguration): readonly string[] {
  const fieldsOf = ({ peers, follow: _, ...others }: NodeConfiguration) =>
    new Map<string, unknown>([...Object.entries(others), ["peers.listen", peers.listen]]);
  const [before, after] = [fieldsOf(running), fieldsOf(changed)];
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => !isDeepStrictEqual(before.get(name), after.get(name)));
}
