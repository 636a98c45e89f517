// What commands take: options that several of them share, and how their values are read.

import { type Command, InvalidArgumentError } from "commander";
import { SERVICE_MAX } from "../../src/wire/bounds.js";
import { fromHex } from "../../src/wire/bytes.js";
import { type Role, roles } from "../../src/wire/credential.js";
import { isTarget } from "../../src/wire/header.js";
import { idFromText } from "../../src/wire/key.js";
import { isNetworkName } from "../../src/wire/topics.js";

/** A reader of whole numbers within limits. */
export function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^[0-9]{1,16}$/.test(text) && number >= least && number <= most) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}

/** The name of a network. */
export function networkName(text: string): string {
  if (isNetworkName(text)) return text;
  throw new InvalidArgumentError("It must be 1 to 32 of a-z, 0-9 and -, a letter first.");
}

/** Numbers of services, separated by commas. */
export function serviceNumbers(text: string): readonly number[] {
  return text.split(",").map(whole(1, SERVICE_MAX));
}

/** A moment in UTC, to the minute or second, as seconds of Unix time. */
export function moment(text: string): number {
  const time_ms = Date.parse(text);
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z$/.test(text) && Number.isFinite(time_ms)) return time_ms / 1_000;
  throw new InvalidArgumentError("It must be a time in UTC such as 2026-03-29T00:00:00Z.");
}

/** A meter's or node's id. */
export function id(text: string): Uint8Array {
  const bytes = idFromText(text);
  if (bytes === undefined) throw new InvalidArgumentError("It must be 16 lower-case hex digits.");
  return bytes;
}

/** Roles of a credential, each once, in the order of their numbers; gathers an option that may be given several times. */
export function rolesFrom(text: string, earlier: readonly Role[] = []): readonly Role[] {
  const role = roles.find((known) => known === text);
  if (role === undefined) throw new InvalidArgumentError(`It must be one of ${roles.join(", ")}.`);
  return roles.filter((known) => known === role || earlier.includes(known));
}

/** An X25519 key in hex. */
export function deliveryKeyFrom(text: string): Uint8Array {
  const key = fromHex(text);
  if (key?.length !== 32) throw new InvalidArgumentError("It must be the 32 bytes of an X25519 key in hex.");
  return key;
}

/** A key's id as text. */
export function keyIdText(text: string): string {
  id(text);
  return text;
}

/** A difficulty in Bitcoin's compact form, 8 hex digits. */
export function compactTarget(text: string): number {
  const target = /^[0-9a-fA-F]{8}$/.test(text) ? Number.parseInt(text, 16) : -1;
  if (target >= 0 && isTarget(target)) return target;
  throw new InvalidArgumentError("It must be a compact difficulty of 8 hex digits, such as 1f00ffff.");
}

/** Gathers an option that may be given several times. */
export function several(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, text];
}

/** Adds the options that name a node to read from. */
export function withNode(command: Command): Command {
  return command
    .option("--api <url>", "read from a running node's API, http://host:port")
    .option("--as <dir>", "folder of who asks, where the API wants to know: key.json, genesis.cbor, credential.cbor")
    .option("--data <dir>", "read from a node's data folder")
    .option("--genesis <file>", "the network's genesis");
}
