// A meter or participant as a person names it: by the id of its key, or by the ID that the authority issued, as its credential on a
// chain has it. Where an ID has several keys, as after a replacement, all are named.

import { toHex } from "../../src/wire/bytes.js";
import { parseCredential } from "../../src/wire/credential.js";
import { idFromText } from "../../src/wire/key.js";
import { GridsealError, reasonOf } from "../errors.js";
import type { HolderRow } from "../routes/holders.js";
import { exportedHolders } from "./exported-holders.js";
import type { ChainSource, ReceiptSource } from "./source.js";

/** Who signs on one chain: 0 is that of an exported file. */
export interface HolderPlace {
  readonly source: ChainSource;
  readonly file: string | undefined;
  readonly service: number;
}

/** The key id, 8 bytes, of who signs on a chain. Rejects with NOT_FOUND where no credential there has the ID, or several keys do. */
export async function holderNamed({ source, file, service }: HolderPlace, text: string): Promise<Uint8Array> {
  const kid = idFromText(text);
  if (kid !== undefined) return kid;
  const rows = file === undefined && isReceiptSource(source) ? source.holders(service) : await holdersIn(file!);
  return only(await keysOf(rows, text, source.origin), text, source.origin);
}

/** The same on whichever of a node's chains; `others` are key ids of whoever else has that name, such as a node. */
export async function holderOnAny(
  source: ReceiptSource,
  text: string,
  others: readonly string[] = [],
): Promise<Uint8Array> {
  const kid = idFromText(text);
  if (kid !== undefined) return kid;
  const keys = new Set(others);
  for (const { service } of await source.chains()) {
    for (const key of await keysOf(source.holders(service), text, source.origin)) keys.add(key);
  }
  return only(keys, text, source.origin);
}

/** The same of exported chains, of whichever of them. */
export async function holderInFiles(files: readonly string[], text: string): Promise<Uint8Array> {
  const kid = idFromText(text);
  if (kid !== undefined) return kid;
  const found = await Promise.all(files.map(async (file) => keysOf(await holdersIn(file), text, file)));
  return only(new Set(found.flatMap((keys) => [...keys])), text, files.join(", "));
}

function isReceiptSource(source: ChainSource): source is ReceiptSource {
  return "holders" in source;
}

async function holdersIn(file: string): Promise<readonly HolderRow[]> {
  return (await exportedHolders(file)).holders;
}

/** Throws CHAIN_INVALID where a credential cannot be read. */
async function keysOf(
  rows: AsyncIterable<HolderRow> | Iterable<HolderRow>,
  text: string,
  origin: string,
): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  for await (const { kid, credential } of rows) {
    if (subjectOf(credential, toHex(kid), origin) === text) keys.add(toHex(kid));
  }
  return keys;
}

function subjectOf(credential: Uint8Array, kid: string, origin: string): string {
  try {
    return parseCredential(credential).subject;
  } catch (cause) {
    const message = `${origin}: the credential of ${kid} cannot be read: ${reasonOf(cause)}`;
    throw new GridsealError("CHAIN_INVALID", message, { cause });
  }
}

function only(keys: ReadonlySet<string>, text: string, origin: string): Uint8Array {
  const [key, ...others] = [...keys].sort();
  if (key !== undefined && others.length === 0) return idFromText(key)!;
  throw new GridsealError(
    "NOT_FOUND",
    key === undefined
      ? `${text} is no key id of 16 lower-case hex digits, and nobody with the ID ${text} has signed on ${origin}`
      : `${text} is the ID of ${others.length + 1} keys on ${origin}, say which: ${[key, ...others].join(", ")}`,
  );
}
