// What commands take: options that several of them share, and how their values are read.

import { type Command, InvalidArgumentError } from "commander";
import { SERVICE_MAX, TIME_MS_MAX } from "../../src/wire/bounds.js";
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

/** Numbers or names of services, separated by commas; which service has a name is the genesis' to say. */
export function serviceTexts(text: string): readonly string[] {
  const number = whole(1, SERVICE_MAX);
  return text.split(",").map((each) => (/^[a-z][a-z0-9-]{0,31}$/.test(each) ? each : String(number(each))));
}

const TIME = /^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,3})?)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/**
 * A day of UTC, or a time of ISO 8601 with its zone, with or without seconds and milliseconds, as milliseconds of Unix time. The one
 * reader of times that people type.
 */
export function moment_ms(text: string): number {
  const date = text.slice(0, 10);
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text);
  const time_ms = isDay || TIME.test(text) ? Date.parse(text) : Number.NaN;
  // A day that no month has becomes one of the next month.
  const day_ms = Date.parse(date);
  const isThere = Number.isFinite(day_ms) && new Date(day_ms).toISOString().startsWith(date);
  if (isThere && time_ms >= 0 && time_ms <= TIME_MS_MAX) return time_ms;
  throw new InvalidArgumentError(
    "It must be a day in UTC or a time with its zone, such as 2026-03-29 or 2026-03-29T00:00:00Z.",
  );
}

/** The same as seconds of Unix time, a part of a second left out. */
export function moment(text: string): number {
  return Math.floor(moment_ms(text) / 1_000);
}

const DAY_MS = 86_400_000;

/** A whole day of UTC, by its date or by the time at which it begins, as days since 1970. */
export function utcDay(text: string): number {
  const time_ms = moment_ms(text);
  if (time_ms % DAY_MS === 0) return time_ms / DAY_MS;
  throw new InvalidArgumentError("It must be a day in UTC, such as 2026-03-29.");
}

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

/** A length of time, as 400d, 52w, 12h, 30m or 45s, in seconds. */
export function duration(text: string): number {
  const [, count, unit] = /^([1-9][0-9]{0,6})([smhdw])$/.exec(text) ?? [];
  if (count !== undefined && unit !== undefined) return Number(count) * secondsOf[unit]!;
  throw new InvalidArgumentError("It must be a number with s, m, h, d or w, such as 400d.");
}

/** A key id, of a meter, a participant or a node. */
export function id(text: string): Uint8Array {
  const bytes = idFromText(text);
  if (bytes === undefined) throw new InvalidArgumentError("It must be 16 lower-case hex digits.");
  return bytes;
}

/** A participant as chains know it, where nobody can be asked whose ID it is. */
export function participantText(text: string): string {
  if (idFromText(text) !== undefined) return text;
  throw new InvalidArgumentError(
    "It must be the participant's key id, 16 lower-case hex digits, not its ID: `authority list` and `enrolment accept` have both.",
  );
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

/**
 * A host by its name or the address that others reach it by: what is written like an IPv4 address must be one, and not of all zeros, which
 * stands for all addresses of a machine.
 */
export function reachedHost(text: string): string {
  const isName = /^(?=.{1,253}$)[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/.test(text) && !/^[0-9.]+$/.test(text);
  const isAddress =
    /^((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(\.(?!$)|$)){4}$/.test(text) || /^[0-9a-fA-F]*:[0-9a-fA-F:.]+$/.test(text);
  if (!isName && !isAddress) throw new InvalidArgumentError("It must be an IP address or a host's name.");
  if (!/^[0:.]+$/.test(text)) return text;
  throw new InvalidArgumentError(
    "It stands for all addresses of a machine, and nobody can connect to it: name the address or name by which the others reach this machine.",
  );
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
