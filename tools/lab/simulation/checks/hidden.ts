// What readings hide, as it happens: on disk before it is answered for (I39), and seen by nobody (I40). What a member lacks once the
// network heals (I41) is in hidden-holdings.ts, what members can open together (I40) in hidden-opening.ts.

import { decodeBatch } from "../../../../src/wire/batch.js";
import { decodeBlock } from "../../../../src/wire/block.js";
import { fromHex, toHex } from "../../../../src/wire/bytes.js";
import { parseDivision } from "../../../../src/wire/division.js";
import { DAY_S, parseEnvelope } from "../../../../src/wire/envelope.js";
import type { Genesis } from "../../../../src/wire/genesis.js";
import { sha256 } from "../../../../src/wire/hash.js";
import { type AnyRecord, isOperation, parseAnyRecord } from "../../../../src/wire/operation.js";
import { quorum } from "../../../../src/wire/quorum.js";
import type { Record } from "../../../../src/wire/record.js";
import { encodeSealed, type SealedDisclosures } from "../../../../src/wire/sealed-disclosure.js";
import type { ReadRecord } from "../../../ledger/record-scan.js";
import { byteOf, chainOf, decodeBatchNote, frameByte, payloadOf } from "../../../node/chain/frame.js";
import { batches } from "../../../node/chain/tables/batches.js";
import { blocks } from "../../../node/chain/tables/blocks.js";
import { locationOf } from "../../../node/chain/tables/runs.js";
import { type SealedPlace, sealedDisclosures, sealedKey } from "../../../node/chain/tables/sealed-disclosures.js";
import { DIVISION_FRAME, FOUND_DISCLOSURES_FRAME, KEPT_FRAME } from "../../../node/disclosures/ports.js";
import { divisions } from "../../../node/disclosures/tables/divisions.js";
import { envelopes, type KeptEnvelope } from "../../../node/disclosures/tables/envelopes.js";
import { numberKey } from "../../../node/store/keys.js";
import { decodeRow } from "../../../node/store/table.js";
import type { NotedRow } from "../../../node/store/writer.js";
import type { Coverage } from "../coverage.js";
import { HIDDEN_MARK } from "../world/ciphers.js";
import type { SimulatedNode } from "../world/node-world.js";
import type { Membership } from "./membership.js";
import type { Fail } from "./violation.js";

const marked = Buffer.from(HIDDEN_MARK);
const ON_DISK = "I39 what a reading hides is on disk before it is answered for, as its origin has encrypted it";
const SHARED = "I39 shares of a key are on disk before they are answered for, and before anything is encrypted with it";
const UNSEEN = "I40 what is hidden stays hidden";

/** A sealed reading that hides something. */
export interface HiddenReading {
  readonly chain: number;
  /** id of the node whose temporary block holds it */
  readonly origin: Uint8Array;
  readonly record: Record;
  /** UTC days since 1970 */
  readonly day: number;
}

export interface HiddenChecks {
  /** A node has encrypted what a record hides. */
  onEncrypted(node: SimulatedNode, record: ReadRecord, sealed: SealedDisclosures): void;
  /** A frame of a correct node leaves. */
  onSent(node: SimulatedNode, frame: Uint8Array): void;
  /** A correct node has acknowledged a meter's record. */
  onAcknowledged(node: SimulatedNode, record: AnyRecord): void;
  /** A transaction of a correct node. */
  onDurable(node: SimulatedNode, rows: readonly NotedRow[]): void;
  /** All that the node had is gone. */
  onWiped(node: string): void;
  /** Whether a correct origin has encrypted it so; undefined of what a faulty one has, which may be anything. */
  isTrue(origin: Uint8Array, sealed: SealedDisclosures): boolean | undefined;
  /** those that are sealed */
  readonly readings: readonly HiddenReading[];
}

export interface HiddenPorts {
  readonly genesis: Genesis;
  readonly membership: Membership;
  /** ids of the members that are not correct */
  readonly faulty: ReadonlySet<string>;
  readonly coverage: Coverage;
  readonly fail: Fail;
}

export function createHiddenChecks({ genesis, membership, faulty, coverage, fail }: HiddenPorts): HiddenChecks {
  /** what correct origins have made of a record, by its hash and theirs */
  const encrypted = new Map<string, Set<string>>();
  /** ids of the envelopes and divisions of which a node has its share on disk */
  const kept = new Map<string, Set<string>>();
  /** nodes that have said so of an envelope */
  const keepers = new Map<string, Set<string>>();
  const seen = new Set<string>();
  const checked = new WeakSet<Uint8Array>();
  const readings: HiddenReading[] = [];

  const isTrue: HiddenChecks["isTrue"] = (origin, sealed) =>
    faulty.has(toHex(origin))
      ? undefined
      : encrypted.get(nameOf(sealed.recordHash, origin))?.has(digestOf(sealed)) === true;

  /** Why a node that answers for the record may not. */
  const wrongWith = ({ disk }: SimulatedNode, of: SealedPlace, record: Record): string | undefined => {
    const place = { kid: record.kid, seq: record.claims.seq, recordHash: record.hash };
    const sealed = disk.rows.get(sealedDisclosures, sealedKey(of, place));
    if (sealed === undefined) return "is not there";
    return isTrue(of.origin, sealed) === false ? "is not what its origin has encrypted" : undefined;
  };

  const onAcknowledgement = (node: SimulatedNode, chain: number, payload: Uint8Array) => {
    const { origin, number } = decodeBatchNote(payload);
    const stored = node.disk.rows.get(batches, numberKey(chain, origin, number));
    if (stored === undefined) return; // sealed meanwhile
    for (const record of hidingIn(decodeBatch(stored).batch.records)) {
      const wrong = wrongWith(node, { chain, origin }, record);
      if (wrong !== undefined)
        fail(ON_DISK, `${node.label} acknowledges ${labelOf(record)} of ${toHex(origin)}: it ${wrong}`);
    }
  };

  const onKept = (node: SimulatedNode, id: string) => {
    if (kept.get(node.id)?.has(id) !== true) fail(SHARED, `${node.label} has no share of ${id}`);
    keepers.set(id, (keepers.get(id) ?? new Set()).add(node.id));
  };

  const noteKept = (node: SimulatedNode, id: Uint8Array, { shares }: KeptEnvelope) => {
    if (!shares.some((share) => toHex(share.node) === node.id)) return;
    kept.set(node.id, (kept.get(node.id) ?? new Set()).add(toHex(id)));
  };

  const noteBlock = (bytes: Uint8Array) => {
    const block = decodeBlock(bytes);
    const name = `${block.chain}/${block.height}`;
    if (seen.has(name)) return;
    seen.add(name);
    for (const { origin, records } of block.batches) {
      for (const record of hidingIn(records)) {
        readings.push({ chain: block.chain, origin, record, day: Math.floor(record.claims.time_s / DAY_S) });
        coverage.hiddenSealed += 1;
      }
    }
  };

  return {
    isTrue,
    readings,
    onEncrypted(node, { hash, claims }, sealed) {
      if (faulty.has(node.id)) return;
      const origin = idOf(node);
      const name = nameOf(hash, origin);
      encrypted.set(name, (encrypted.get(name) ?? new Set()).add(digestOf(sealed)));
      const id = toHex(sealed.envelope);
      const said = new Set([...(keepers.get(id) ?? []), ...faulty, node.id]);
      const needed = quorum(membership.current(claims.service).length);
      if (kept.get(node.id)?.has(id) !== true || said.size < needed) {
        fail(SHARED, `${node.label} encrypts with ${id}, of which ${said.size} of ${needed} keep shares`);
      }
    },
    onSent(node, frame) {
      if (checked.has(frame)) return;
      checked.add(frame);
      if (isSeen(frame)) fail(UNSEEN, `${node.label} sends it in a frame of kind ${byteOf(frame)}`);
      switch (byteOf(frame)) {
        case frameByte("acknowledge"):
          return onAcknowledgement(node, chainOf(frame), payloadOf(frame));
        case KEPT_FRAME:
          return onKept(node, toHex(payloadOf(frame)));
        case DIVISION_FRAME:
          coverage.sharesDivided += 1;
          return;
        case FOUND_DISCLOSURES_FRAME:
          coverage.disclosuresServed += 1;
          return;
      }
    },
    onAcknowledged(node, record) {
      if (isOperation(record) || record.claims.digests === undefined) return;
      const { service: chain, seq } = record.claims;
      // Meanwhile it may be sealed, as another node has taken it.
      const isSealed = locationOf(node.disk.rows, chain, record.kid, seq) !== undefined;
      const isOwn = !isSealed && encrypted.has(nameOf(record.hash, idOf(node)));
      const wrong = isOwn ? wrongWith(node, { chain, origin: idOf(node) }, record) : undefined;
      if (wrong !== undefined) fail(ON_DISK, `${node.label} acknowledges ${toHex(record.kid)}/${seq}: it ${wrong}`);
    },
    onDurable(node, rows) {
      for (const { table, row } of rows) {
        if (row === undefined) continue;
        if (isSeen(row)) fail(UNSEEN, `${node.label} has it in table ${table.name}`);
        if (table.name === blocks.name) noteBlock(decodeRow(blocks, row));
        if (table.name === envelopes.name) {
          const each = decodeRow(envelopes, row);
          noteKept(node, parseEnvelope(genesis.hash, each.bytes).id, each);
        }
        if (table.name === divisions.name) {
          const each = decodeRow(divisions, row);
          noteKept(node, parseDivision(genesis.hash, each.bytes).id, each);
        }
      }
    },
    onWiped: (node) => void kept.delete(node),
  };
}

/** Readings among the records that hide something. */
function hidingIn(records: readonly Uint8Array[]): Record[] {
  return records
    .map(parseAnyRecord)
    .filter((record): record is Record => !isOperation(record) && record.claims.digests !== undefined);
}

function isSeen(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(marked);
}

function idOf({ id }: SimulatedNode): Uint8Array {
  return fromHex(id)!;
}

function nameOf(hash: Uint8Array, origin: Uint8Array): string {
  return `${toHex(hash)} of ${toHex(origin)}`;
}

function digestOf(sealed: SealedDisclosures): string {
  return toHex(sha256(encodeSealed(sealed)));
}

function labelOf({ kid, claims }: Record): string {
  return `${toHex(kid)}/${claims.seq}`;
}
