// READY of nodes for a contract: that they have run its vectors on their own machines. A file holds those of one machine, the
// authority gathers them into the order that installs the contract.

import { fromHex, toHex } from "../../src/wire/bytes.js";
import { checkTried, type Tried, type TriedReady } from "../../src/wire/contract-order.js";
import { WireError } from "../../src/wire/error.js";
import type { Genesis } from "../../src/wire/genesis.js";
import { decodeKey, encodeKey, keyId } from "../../src/wire/key.js";
import { nodeVerify } from "../crypto/signatures.js";
import { GridsealError, reasonOf } from "../errors.js";
import { createFile, readWhole } from "../files/made-once.js";

const TRIED_BYTES_MAX = 65_536;
/** What a file names, so that a person sees which of it differs from the order. */
function termsOf(tried: Tried): Readonly<Record<string, string | number>> {
  const { service, name, version, budget, pages, output, types, messages, slots, fromHeight } = tried;
  const hashes = { source: tried.source, engine: tried.engine, prelude: tried.prelude, vectors: tried.vectors };
  return {
    ...{ service, name, revision: version, budget, pages, output },
    types: types.join(" "),
    messages: messages.map((kind) => `${kind.service === 0 ? "any" : kind.service}/${kind.name}`).join(" "),
    slots: slots === undefined ? "" : `${slots.slot_s}:${slots.lateness_s}:${slots.gapMax_s}`,
    height: fromHeight,
    ...Object.fromEntries(Object.entries(hashes).map(([term, hash]) => [term, toHex(hash)])),
  };
}

/** Throws FILE_EXISTS or FILE_UNWRITABLE. */
export async function writeTried(path: string, tried: Tried, ready: readonly TriedReady[]): Promise<void> {
  const document = {
    version: 1,
    ...termsOf(tried),
    ready: ready.map(({ key, signature }) => ({ key: toHex(encodeKey(key)), signature: toHex(signature) })),
  };
  await createFile(path, `${JSON.stringify(document, null, 2)}\n`);
}

/**
 * READY of the files for this contract, ascending by the nodes' ids, of a node in several of them once. Throws FILE_UNREADABLE, or
 * KEY_INVALID where a file is none, is of another contract, or is not signed by its nodes for this network.
 */
export async function readTried(
  paths: readonly string[],
  genesis: Pick<Genesis, "hash">,
  action: Tried,
): Promise<TriedReady[]> {
  const found = new Map<string, TriedReady>();
  for (const path of paths) {
    const text = new TextDecoder().decode(await readWhole(path, TRIED_BYTES_MAX));
    try {
      const ready = readyIn(JSON.parse(text) as Readonly<Record<string, unknown>>, action);
      checkTried(genesis.hash, { ...action, ready }, nodeVerify);
      for (const one of ready) found.set(toHex(keyId(one.key)), one);
    } catch (cause) {
      throw new GridsealError("KEY_INVALID", `${path} is no READY for this contract: ${reasonOf(cause)}`, { cause });
    }
  }
  return [...found].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, ready]) => ready);
}

function readyIn(document: Readonly<Record<string, unknown>>, action: Tried): TriedReady[] {
  if (document.version !== 1 || !Array.isArray(document.ready)) {
    throw new WireError("shape", "it is not of version 1 with a list of READY");
  }
  for (const [term, expected] of Object.entries(termsOf(action))) agree(term, document[term], String(expected));
  return document.ready.map((item: Readonly<Record<string, unknown>>) => {
    const [key, signature] = [item.key, item.signature].map((value) => fromHex(String(value)));
    if (key === undefined || signature === undefined) throw new WireError("shape", "a READY has no key or signature");
    return { key: decodeKey(key), signature };
  });
}

function agree(term: string, said: unknown, expected: string): void {
  if (String(said) === expected) return;
  throw new WireError("shape", `its ${term} is ${String(said) || "none"}, and the order's ${expected || "none"}`);
}
