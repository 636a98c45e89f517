// What a meter tells whoever provisions it: what it holds, by hash, and a request for a credential that is signed over that
// (PROTOCOL.md, section 25).

import { type Configuration, isComplaint, readConfiguration } from "../../src/agent/configuration.js";
import { fromHex, toHex } from "../../src/wire/bytes.js";
import { sha256 } from "../../src/wire/hash.js";
import { holdingNonce } from "../../src/wire/holding.js";
import { keyId } from "../../src/wire/key.js";
import { signUnread } from "../../src/wire/request.js";
import type { Field } from "./field.js";

const CHALLENGE_BYTES = 16;

/** One line, so that whatever is logged meanwhile stands in lines of its own; `rest` tells the answer to one question from another's. */
export function holds(field: Field, rest: string): string {
  const { key } = field.signer();
  const text = field.get("configuration");
  const { state, counters } = field.shown;
  return `holds ${JSON.stringify({
    look: rest,
    mac: field.mac(),
    meter: toHex(keyId(key)),
    key: toHex(key.x),
    uptime_ms: field.uptime_ms(),
    state,
    sealed: counters.sealed ?? 0,
    configuration: hashOf(text === undefined ? undefined : new TextEncoder().encode(text)),
    ...holdingOf(stored(field)),
    ca: hashOf(field.ca()),
    credential: hashOf(field.credential()),
    ssid: field.get("ssid"),
    sntp: field.get("sntp"),
  })}`;
}

/** Without words: the key, for people. With them: the request, signed. */
export function request(field: Field, rest: string): string {
  const signer = field.signer();
  if (rest === "") {
    const hex = toHex(signer.key.x);
    return [
      `meter ${toHex(keyId(signer.key))}`,
      `public key ${hex}`,
      `gridseal authority issue --network DIR --id NAME --public-key ${hex}`,
    ].join("\n");
  }
  const [id, hex, lot] = rest.split(" ");
  const challenge = fromHex(hex ?? "");
  if (challenge?.length !== CHALLENGE_BYTES) return "request takes an ID and a challenge of 32 hex digits";
  const configuration = stored(field);
  if (configuration === undefined) return "no configuration is stored that says for which network";
  const { genesis, brokers, services } = holdingOf(configuration);
  const ca = field.ca();
  const holding = { genesis: fromHex(genesis!)!, brokers: brokers!, services: services!, ca: ca && sha256(ca) };
  const origin = { key: "device" as const, ...(lot !== undefined && { lot }) };
  const nonce = holdingNonce(challenge, holding);
  const stated = { id: id!, services: services!, roles: ["meter" as const], origin, nonce };
  return `request ${toHex(signUnread(stated, holding.genesis, signer))}`;
}

function stored(field: Field): Configuration | undefined {
  const read = readConfiguration(field.get("configuration") ?? "");
  return isComplaint(read) ? undefined : read;
}

function holdingOf(configuration: Configuration | undefined) {
  if (configuration === undefined) return {};
  const { genesis, brokers, schedule } = configuration;
  const services = [...new Set(schedule.map(({ service }) => service))].sort((left, right) => left - right);
  return { genesis: toHex(sha256(fromHex(genesis)!)), brokers, services };
}

function hashOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes && toHex(sha256(bytes));
}
