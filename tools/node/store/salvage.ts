// What is taken over from a damaged store into a new one: what peers cannot give back. That is what meters and submitters of orders
// were acknowledged by this node alone, waiting by itself or in a temporary block of its own, and what nobody else may see.

import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { verifyCredential } from "../../../src/wire/credential.js";
import { WireError } from "../../../src/wire/error.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import type { Verify } from "../../../src/wire/key.js";
import type { Notice } from "../../../src/wire/notice.js";
import { parseRecord } from "../../../src/wire/record.js";
import { readBatch } from "../../ledger/compose.js";
import { kidOf } from "../../ledger/record-scan.js";
import { rulingName } from "../chain/batches/waiting-notices.js";
import type { Writer } from "./writer.js";

/** The rows of a damaged store whose checksums are right, by their tables. */
export interface Remains {
  /** those that meters have shown (chain 0) first, then those on chains */
  credentials(): Iterable<{ readonly chain: number; readonly kid: Uint8Array; readonly bytes: Uint8Array }>;
  disclosures(): Iterable<{
    readonly chain: number;
    readonly kid: Uint8Array;
    readonly seq: number;
    readonly bytes: Uint8Array;
  }>;
  admitted(): Iterable<{ readonly chain: number; readonly bytes: Uint8Array }>;
  batches(): Iterable<{ readonly chain: number; readonly origin: Uint8Array; readonly bytes: Uint8Array }>;
  rulings(): Iterable<{ readonly chain: number; readonly notice: Notice }>;
}

/** One row of the new store. */
export interface Salvage {
  readonly kind: "credential" | "disclosures" | "record" | "ruling";
  put(writer: Writer): void;
}

/**
 * The rows for the new store of the node `self`, as they are found. A record of a temporary block waits by itself again; if its block
 * is sealed or comes back from the peers, it is a repetition and falls out. Without its meter's credential a record cannot be put
 * before the other nodes: it is left out, and comes again from its meter.
 */
export function* salvage(
  remains: Remains,
  self: Uint8Array,
  genesis: Genesis,
  verify: Verify,
): Generator<Salvage, void, undefined> {
  const presentable = new Set<string>();
  for (const { kid, bytes } of remains.credentials()) {
    // One that is on a chain stands in for one that the meter has shown and whose row is damaged.
    if (presentable.has(toHex(kid)) || tried(() => verifyCredential(bytes, genesis, verify)) === undefined) continue;
    presentable.add(toHex(kid));
    yield { kind: "credential", put: (writer) => writer.putCredential(0, kid, bytes) };
  }
  const record = (chain: number, kid: Uint8Array, seq: number, bytes: Uint8Array): Salvage[] =>
    presentable.has(toHex(kid))
      ? [{ kind: "record", put: (writer) => writer.putAdmitted(chain, kid, seq, bytes) }]
      : [];
  for (const { chain, bytes } of remains.admitted()) {
    const parsed = tried(() => parseRecord(bytes));
    if (parsed !== undefined) yield* record(chain, parsed.kid, parsed.claims.seq, bytes);
  }
  for (const { chain, origin, bytes } of remains.batches()) {
    if (!equalBytes(origin, self)) continue;
    const read = tried(() => readBatch(genesis.hash, bytes));
    for (const held of read?.records ?? []) yield* record(chain, kidOf(held), held.seq, held.bytes);
    for (const notice of read?.notices ?? []) if (notice.kind !== "credential") yield ruling(chain, notice);
  }
  for (const { chain, notice } of remains.rulings()) yield ruling(chain, notice);
  for (const { chain, kid, seq, bytes } of remains.disclosures()) {
    yield { kind: "disclosures", put: (writer) => writer.putDisclosures(chain, kid, seq, bytes) };
  }
}

function ruling(chain: number, notice: Notice): Salvage {
  return { kind: "ruling", put: (writer) => writer.putRuling(chain, rulingName(notice), notice) };
}

/** Undefined where it is not what it should be. */
function tried<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
