// What a meter tells of itself at its console (hosts/shared/holding.ts): one line of JSON. It comes over a wire from a device that
// nobody has reason to trust yet: whatever has another shape is no answer.

import { fromHex } from "../../../src/wire/bytes.js";

export interface Holding {
  /** which question it answers */
  readonly look: string;
  /** 12 hex digits */
  readonly mac: string;
  /** key id */
  readonly meter: string;
  /** Ed25519, 64 hex digits */
  readonly key: string;
  readonly uptime_ms: number;
  readonly state: string;
  /** records whose receipts it has verified since its start */
  readonly sealed: number;
  /** hashes in hex, each absent where nothing is stored */
  readonly configuration?: string;
  readonly genesis?: string;
  readonly ca?: string;
  readonly credential?: string;
  readonly brokers: readonly string[];
  readonly services: readonly number[];
  readonly ssid?: string;
  readonly sntp?: string;
}

const BEGINNING = "holds ";
const TEXT_MAX = 256;
const ITEMS_MAX = 64;

/** The holding that a line tells; undefined where it is another line. */
export function holdingIn(line: string): Holding | undefined {
  if (!line.startsWith(BEGINNING)) return undefined;
  let told: Record<string, unknown>;
  try {
    told = Object(JSON.parse(line.slice(BEGINNING.length)));
  } catch {
    return undefined;
  }
  const mac = typeof told.mac === "string" ? told.mac.replaceAll(":", "").toLowerCase() : "";
  const { look, meter, key, uptime_ms, state, sealed } = told;
  if (!isText(look) || !isHex(mac, 6) || !isHex(meter, 8) || !isHex(key, 32)) return undefined;
  if (!isCount(uptime_ms) || !isText(state) || !isCount(sealed)) return undefined;
  const hashes = ["configuration", "genesis", "ca", "credential"].map((name) => [name, told[name]] as const);
  const texts = ["ssid", "sntp"].map((name) => [name, told[name]] as const);
  if (hashes.some(([, hash]) => hash !== undefined && !isHex(hash, 32))) return undefined;
  if (texts.some(([, text]) => text !== undefined && !isText(text))) return undefined;
  const given = Object.fromEntries([...hashes, ...texts].filter(([, value]) => value !== undefined));
  const brokers = listOf(told.brokers, isText);
  const services = listOf(told.services, isCount);
  if (brokers === undefined || services === undefined) return undefined;
  return { look, mac, meter, key, uptime_ms, state, sealed, brokers, services, ...given };
}

function isHex(value: unknown, bytes: number): value is string {
  return typeof value === "string" && value.length === 2 * bytes && fromHex(value) !== undefined;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= TEXT_MAX;
}

/** Nothing told is an empty list. */
function listOf<Item>(value: unknown, is: (item: unknown) => item is Item): readonly Item[] | undefined {
  if (value === undefined) return [];
  return Array.isArray(value) && value.length <= ITEMS_MAX && value.every(is) ? value : undefined;
}
