// What the field engineer can ask a meter on its console. A line is a command and what follows it; an answer is text. Each host says
// what a command finds and does (`Field`); nothing here keeps anything, and no line throws.

import { isComplaint, readConfiguration } from "../../src/agent/configuration.js";
import { verifyEd25519 } from "../../src/agent/ed25519.js";
import { fromHex, toHex } from "../../src/wire/bytes.js";
import { parseCredential, verifyCredential } from "../../src/wire/credential.js";
import { verifyGenesis } from "../../src/wire/genesis.js";
import { equalKeys } from "../../src/wire/key.js";
import type { Field } from "./field.js";
import { holds, request } from "./holding.js";
import { isHost } from "./http.js";

interface Command {
  /** what follows the command, and what it does */
  readonly help: string;
  run(field: Field, rest: string): string;
}

const LIVE_S = 60;
const LIVE_S_MAX = 3_600;
export const STORED = "stored: restart to use it";
/** Hex of a genesis is long and says nothing to people. */
const HEX_SHOWN = 16;

const commands: Readonly<Record<string, Command>> = {
  help: { help: "this list", run: () => help() },
  state: {
    help: "what is wrong, if anything; network, time, firmware, why the last start",
    run: ({ shown, describe }) => [`state ${shown.state}`, ...describe()].join("\n"),
  },
  counters: {
    help: "everything that is counted",
    run: ({ shown }) =>
      Object.entries(shown.counters)
        .map(([name, count]) => `${name} ${count}`)
        .join("\n") || "nothing is counted yet",
  },
  live: { help: `[SECONDS]  the meter's bytes as they come, for ${LIVE_S} s; 0 ends it`, run: live },
  show: { help: "the configuration, without its keys", run: show },
  set: { help: "FIELD JSON  changes one field of the configuration", run: set },
  configuration: { help: "JSON  stores a whole configuration", run: store },
  holds: { help: "[MARK]  what is stored, by hash, in JSON: for who provisions", run: holds },
  request: { help: "[ID CHALLENGE [LOT]]  the meter's key, or its signed request for a credential", run: request },
  credential: { help: "HEX  stores the credential that the authority issued", run: credential },
  ca: { help: "HEX  stores the certificate (DER) of the authority of mqtts:// and https:// servers", run: ca },
  wifi: {
    help: 'SSID [PASSWORD]  names the network; "..." around what has spaces',
    run: (field, rest) => wifi(field, wordsOf(rest)),
  },
  sntp: { help: "HOST  names the time server", run: sntp },
  update: { help: "looks for newer firmware now", run: update },
  restart: {
    help: "starts anew",
    run(field) {
      field.restart();
      return "restarts";
    },
  },
};

/** The answer to a line, lines of it separated by \n. Never throws. */
export function answer(field: Field, line: string): string {
  const text = line.trim();
  const end = text.indexOf(" ");
  const name = end < 0 ? text : text.slice(0, end);
  if (!Object.hasOwn(commands, name)) return `no command ${name.slice(0, 20)}: help lists them`;
  try {
    return commands[name]!.run(field, end < 0 ? "" : text.slice(end + 1).trim());
  } catch (thrown) {
    return `${name} failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  }
}

/** Bytes of a meter's port as a line for people: text where it is text, else hex. */
export function liveText(bytes: Uint8Array): string {
  const isText = bytes.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d);
  if (!isText) return toHex(bytes);
  let text = "";
  for (const byte of bytes) if (byte !== 0x0d) text += String.fromCharCode(byte);
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}

function help(): string {
  return Object.entries(commands)
    .map(([name, command]) => `${name.padEnd(14)} ${command.help}`)
    .join("\n");
}

function live(field: Field, rest: string): string {
  const seconds = rest === "" ? LIVE_S : Number(rest);
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > LIVE_S_MAX) return `live takes 0 to ${LIVE_S_MAX} seconds`;
  field.live(seconds * 1000);
  return seconds === 0 ? "ended" : `the meter's bytes follow for ${seconds} s`;
}

function show(field: Field): string {
  const text = field.get("configuration");
  if (text === undefined || text === "") return "no configuration is stored";
  const document: unknown = JSON.parse(text);
  return JSON.stringify(document, hide, 1);
}

/** Keys never leave the meter, wherever in a document they are, and long hex is cut. */
function hide(name: string, value: unknown): unknown {
  if (/key|password|secret|seed/i.test(name)) return "hidden";
  // Not by a regular expression: on XS its greedy loop takes memory for each character.
  const bytes = typeof value === "string" && value.length > 4 * HEX_SHOWN ? fromHex(value) : undefined;
  return bytes === undefined ? value : `${String(value).slice(0, HEX_SHOWN)}... ${bytes.length} bytes`;
}

function set(field: Field, rest: string): string {
  const end = rest.indexOf(" ");
  if (end < 0) return 'set takes a field and its value in JSON, as in: set brokers ["mqtt://10.0.0.5:9201"]';
  const document: unknown = JSON.parse(field.get("configuration") ?? "{}");
  if (typeof document !== "object" || document === null)
    return "the stored configuration is no object: store a whole one";
  const value: unknown = JSON.parse(rest.slice(end + 1));
  return store(field, JSON.stringify({ ...document, [rest.slice(0, end)]: value }));
}

/** Stores a document that the agent would take. */
function store(field: Field, rest: string): string {
  const read = readConfiguration(rest);
  if (isComplaint(read)) return `not stored: ${read.path} ${read.reason}`;
  field.set("configuration", rest);
  return STORED;
}

function credential(field: Field, rest: string): string {
  const bytes = fromHex(rest);
  if (bytes === undefined || bytes.length === 0) return "a credential is given in hex digits";
  const { subject, key, issuer } = parseCredential(bytes);
  if (!equalKeys(key, field.signer().key)) return "not stored: it is for another meter's key";
  const text = field.get("configuration");
  const configuration = text === undefined ? undefined : readConfiguration(text);
  // Without a configuration nobody knows yet whose signature it must have; the nodes do.
  if (configuration !== undefined && !isComplaint(configuration))
    verifyCredential(bytes, verifyGenesis(fromHex(configuration.genesis)!, verifyEd25519), verifyEd25519);
  field.storeCredential(bytes);
  // A network's name has no slash.
  const where = issuer.indexOf("/test/") < 0 ? "" : ", for a test network,";
  return `credential of ${subject}${where} ${STORED}`;
}

function ca(field: Field, rest: string): string {
  const bytes = fromHex(rest);
  // A certificate is a SEQUENCE of two length bytes (X.690, section 8.1), as long as it says.
  const isWhole = bytes?.[0] === 0x30 && bytes[1] === 0x82 && bytes.length === 4 + bytes[2]! * 256 + bytes[3]!;
  if (bytes === undefined || !isWhole) return "a certificate is given as DER in hex digits";
  field.storeCa(bytes);
  return STORED;
}

/** Stores the Wi-Fi of these words, SSID and where it has one the password; what came of it. */
export function wifi(field: Pick<Field, "set" | "remove">, words: readonly string[] | undefined): string {
  if (words === undefined || words.length === 0 || words.length > 2) return "wifi takes an SSID and a password";
  const [ssid, password] = words;
  if (bytesOf(ssid!) > 32) return "an SSID has at most 32 bytes";
  if (password !== undefined && (bytesOf(password) < 8 || bytesOf(password) > 64))
    return "a password has 8 to 64 bytes";
  if (words.some(hasControls)) return "an SSID and a password have no control characters";
  field.set("ssid", ssid!);
  if (password === undefined) field.remove("password");
  else field.set("password", password);
  return STORED;
}

function sntp(field: Field, rest: string): string {
  if (!isHost(rest)) return "sntp takes a host";
  field.set("sntp", rest);
  return STORED;
}

function update(field: Field): string {
  if (field.update === undefined) return "this platform takes no updates";
  field.update();
  return "looks for newer firmware; state says what came of it";
}

function hasControls(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** Words between spaces, or between double quotes; undefined where a quote is not closed. */
function wordsOf(text: string): string[] | undefined {
  const words: string[] = [];
  for (let at = 0; at < text.length; ) {
    if (text[at] === " ") {
      at += 1;
      continue;
    }
    const quoted = text[at] === '"';
    const from = quoted ? at + 1 : at;
    let end = text.indexOf(quoted ? '"' : " ", from);
    if (end < 0 && quoted) return undefined;
    if (end < 0) end = text.length;
    words.push(text.slice(from, end));
    at = end + 1;
  }
  return words;
}
