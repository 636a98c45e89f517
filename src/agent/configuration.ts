// The agent's configuration: one JSON document. What it may hold is the table below; anything else is refused with its path, so that
// a typing error never becomes a meter that silently does less than it was told.

import { parseObisPattern } from "../meter/obis.js";
import { SERVICE_MAX } from "../wire/bounds.js";
import { fromHex } from "../wire/bytes.js";
import { GENESIS_BYTES_MAX } from "../wire/genesis.js";
import { idFromText } from "../wire/key.js";
import { isNetworkName } from "../wire/topics.js";
import {
  type Check,
  type Complaint,
  complaint,
  type Fields,
  integer,
  list,
  matching,
  object,
  oneOf,
  text,
} from "./checks.js";
import { checkMeter, type MeterConfiguration } from "./meter-configuration.js";
import { SERVICES_MAX } from "./sector.js";

/** One line of the schedule: which registers, for which service, how often. */
export interface ScheduleEntry {
  /** chain that the records go to: 1 to 65535 */
  readonly service: number;
  /** contract, order or measuring point within the service */
  readonly serviceId: number;
  /** seconds between records: 1 to 86400 */
  readonly every_s: number;
  /** true: at the marks of the clock (every_s 900: at 0, 15, 30 and 45 minutes past); false: every_s after the record before */
  readonly aligned: boolean;
  /** OBIS codes or patterns, `1-0:1.8.0` or `0-n:24.2.1`, of the registers that everybody may see */
  readonly registers: readonly string[];
  /** groups of registers that leave the meter as disclosures for the node's authorised readers alone */
  readonly confidential?: readonly ConfidentialGroup[];
}

export interface ConfidentialGroup {
  /** 1 to 64 characters, once an entry */
  readonly label: string;
  readonly registers: readonly string[];
}

export interface Configuration {
  readonly version: 1;
  /** the network's name, as the genesis has it */
  readonly network: string;
  /** the genesis, in hex */
  readonly genesis: string;
  /** the meter that this document is for, 16 hex digits; without it any */
  readonly id?: string;
  /** mqtt:// or mqtts:// URLs, tried in turn */
  readonly brokers: readonly string[];
  readonly meter: MeterConfiguration;
  readonly schedule: readonly ScheduleEntry[];
  /** where newer firmware is looked for; without it nowhere */
  readonly update?: {
    /** http:// or https:// URL of a manifest (src/wire/firmware.ts); the image is beside it */
    readonly url: string;
    /** the Ed25519 key that signs it, 64 hex digits; the network's authority where absent */
    readonly signer?: string;
  };
}

export const BROKERS_MAX = 8;
export const SCHEDULE_ENTRIES_MAX = 64;
export const PATTERNS_MAX = 64;
const GROUPS_MAX = 16;
const LABEL_CHARACTERS_MAX = 64;
const EVERY_S_MAX = 86_400;
const DOCUMENT_CHARACTERS_MAX = 2 * GENESIS_BYTES_MAX + 65_536;

const pattern: Check = (value, path) => {
  try {
    parseObisPattern(String(value));
    return typeof value === "string" ? undefined : complaint(path, "must be a text");
  } catch (thrown) {
    return complaint(path, thrown instanceof Error ? thrown.message : String(thrown));
  }
};

const groupFields: Fields = {
  label: { check: text(LABEL_CHARACTERS_MAX) },
  registers: { check: list(pattern, 1, PATTERNS_MAX) },
};

const entryFields: Fields = {
  service: { check: integer(1, SERVICE_MAX) },
  serviceId: { check: integer(0, Number.MAX_SAFE_INTEGER) },
  every_s: { check: integer(1, EVERY_S_MAX) },
  aligned: { check: oneOf([true, false]) },
  registers: { check: list(pattern, 0, PATTERNS_MAX) },
  confidential: { check: list(object(groupFields), 1, GROUPS_MAX), optional: true },
};

const updateFields: Fields = {
  url: { check: matching(isUpdateUrl, "must be http://host:port/path or https://host:port/path") },
  signer: {
    check: matching((key) => key.length === 64 && fromHex(key) !== undefined, "must be an Ed25519 key, 64 hex digits"),
    optional: true,
  },
};

const documentFields: Fields = {
  version: { check: oneOf([1]) },
  network: { check: matching((name) => isNetworkName(name), "must be 1 to 32 of a-z, 0-9 and -, a letter first") },
  genesis: { check: matching((hex) => hex !== "" && fromHex(hex) !== undefined, "must be the genesis in hex") },
  id: { check: matching((id) => idFromText(id) !== undefined, "must be 16 lower-case hex digits"), optional: true },
  brokers: { check: list(matching(isBrokerUrl, "must be mqtt://host:port or mqtts://host:port"), 1, BROKERS_MAX) },
  meter: { check: checkMeter },
  schedule: { check: list(object(entryFields), 1, SCHEDULE_ENTRIES_MAX) },
  update: { check: object(updateFields), optional: true },
};

/** Reads a configuration document; a complaint names the first field that is not as it must be. */
export function readConfiguration(json: string): Configuration | Complaint {
  if (json.length > DOCUMENT_CHARACTERS_MAX) {
    return complaint("$", `document has ${json.length} characters, at most ${DOCUMENT_CHARACTERS_MAX} are read`);
  }
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch (thrown) {
    // The engine's message may quote the document, keys included: its place is all that is told.
    const place = /position \d+/.exec(String(thrown))?.[0];
    return complaint("$", `is no JSON${place === undefined ? "" : ` at ${place}`}`);
  }
  const refused = object(documentFields)(document, "$");
  if (refused !== undefined) return refused;
  const configuration = document as Configuration;
  return scheduleComplaint(configuration.schedule) ?? configuration;
}

export function isComplaint(result: Configuration | Complaint): result is Complaint {
  return "reason" in result;
}

/** What no single field shows. */
function scheduleComplaint(schedule: readonly ScheduleEntry[]): Complaint | undefined {
  const services = new Set(schedule.map((entry) => entry.service));
  if (services.size > SERVICES_MAX) {
    return complaint("$.schedule", `names ${services.size} services, a meter keeps ${SERVICES_MAX} chains`);
  }
  for (const [index, entry] of schedule.entries()) {
    const path = `$.schedule[${index}]`;
    const groups = entry.confidential ?? [];
    if (entry.registers.length === 0 && groups.length === 0) return complaint(path, "names no registers");
    if (new Set(groups.map((group) => group.label)).size !== groups.length) {
      return complaint(`${path}.confidential`, "has a label twice");
    }
  }
  return undefined;
}

function isUpdateUrl(url: string): boolean {
  return url.length <= 256 && /^https?:\/\/[^\s/?#@]+\/[^\s?#]*$/.test(url);
}

function isBrokerUrl(url: string): boolean {
  return url.length <= 256 && /^mqtts?:\/\/[^\s/?#@]+(:[0-9]{1,5})?$/.test(url);
}
