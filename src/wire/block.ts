// The block in its six parts (Wang et al. 2019, figure 3) and what its header commits to: leaf 0 of the Merkle tree is the
// metadata, then a leaf per record, then those of outcomes, effects and closed slots. The certificate and the lock time stand beside what is hashed.

import { type Acknowledgement, acknowledgementsFromArray, acknowledgementsToArray } from "./batch.js";
import {
  BATCH_NUMBER_MAX,
  BATCH_RECORDS_MAX,
  BATCH_RULINGS_MAX,
  BLOCK_BATCHES_MAX,
  BLOCK_RECORDS_MAX,
  CHAINS_MAX,
  CODE_MAX,
  COUNTER_MAX,
  HEIGHT_MAX,
  TIME_MS_MAX,
} from "./bounds.js";
import { equalBytes } from "./bytes.js";
import { type CborValue, decodeCbor, decodeCborViews, encodeCbor } from "./cbor.js";
import { byteStringHeadLength, encodeItems, writeByteStringHead } from "./cbor-pieces.js";
import { type Certificate, certificateFromArray, certificateToArray } from "./certificate.js";
import { WireError } from "./error.js";
import { sha256 } from "./hash.js";
import { HEADER_BYTES } from "./header.js";
import { leafHash, type MerkleLevels, merkleLevels } from "./merkle.js";
import { type Notice, noticesFromArray, noticesToArray } from "./notice.js";
import { effectCount, effectItems, outcomesIn, resultsParts } from "./outcome.js";
import { asArray, asBytes, asHeight, asList, asService, asText, asUint } from "./shape.js";
import { type SealedSlot, slotItem, slotsFromArray } from "./slot.js";

export const BLOCK_BYTES_MAX = 16_777_216;
const MAGIC = Uint8Array.of(0x47, 0x53, 0x42, 0x31); // "GSB1"
const FORMAT_VERSION = 1;
/** Head of an array of seven: format, size, header, counter, data record, lock time, certificate. */
const ARRAY_OF_PARTS = 0x87;
const SIZE_BYTES = 4;
const blockLimits = { size: BLOCK_BYTES_MAX, items: 4_096 };
const metadataLimits = { size: 8_192, items: 512 };
const dataLimits = { size: BLOCK_BYTES_MAX, items: 262_144 };

/** A sealed temporary block: its records and notices less those that were on the chain before. */
export interface SealedBatch {
  readonly origin: Uint8Array;
  readonly number: number;
  readonly id: Uint8Array;
  /** of a quorum, in the order of the members */
  readonly acknowledgements: readonly Acknowledgement[];
  /** credentials of meters that are new to the chain; orders, messages and what is due, as far as they take effect */
  readonly notices: readonly Notice[];
  readonly records: readonly Uint8Array[];
}

/** The newest sealed header of another chain that the proposer knew. */
export interface Anchor {
  readonly chain: number;
  readonly height: number;
  readonly headerHash: Uint8Array;
}

/** What the header commits to. */
export interface BlockContent {
  readonly network: string;
  readonly chain: number;
  readonly height: number;
  /** violations on this chain up to and including this block */
  readonly counter: number;
  readonly batches: readonly SealedBatch[];
  /** the contract script that ran */
  readonly script: Uint8Array;
  /** what it found, deterministic CBOR */
  readonly results: Uint8Array;
  /** ascending by chain */
  readonly anchors: readonly Anchor[];
  /** height of the contracts chain that the block was judged at */
  readonly judgedAt: number;
  /** UTC milliseconds */
  readonly time_ms: number;
  readonly memberSet: Uint8Array;
  readonly nextMemberSet: Uint8Array;
  /** root of what the chain's contracts remember, after the block */
  readonly stateRoot: Uint8Array;
}

export interface Block extends BlockContent {
  readonly header: Uint8Array;
  /** UTC milliseconds at which this node sealed the block; local */
  readonly lock_ms: number;
  readonly certificate: Certificate;
}

/** The entry of leaf 0: everything of a block that is not a record, the larger parts by their SHA-256. */
export function metadataEntry(content: BlockContent): Uint8Array {
  const summary = content.batches.map((batch) => [
    batch.origin,
    batch.number,
    batch.id,
    acknowledgementsToArray(batch.acknowledgements),
    noticesToArray(batch.notices),
    batch.records.length,
  ]);
  return encodeCbor([
    MAGIC,
    FORMAT_VERSION,
    content.network,
    content.chain,
    content.height,
    content.counter,
    sha256(encodeCbor(summary)),
    sha256(content.script),
    sha256(content.results),
    content.memberSet,
    content.nextMemberSet,
    content.judgedAt,
    content.time_ms,
    anchorsToArray(content.anchors),
    content.stateRoot,
    effectsIn(content.results),
  ]);
}

/** What a metadata entry says of its block's place and of the members at its height and the next. */
export interface BoundMembers {
  readonly network: string;
  readonly chain: number;
  readonly height: number;
  readonly memberSet: Uint8Array;
  readonly nextMemberSet: Uint8Array;
}

/** Reads those fields of the entry of leaf 0; throws a WireError where it is none. */
export function boundMembers(metadata: Uint8Array): BoundMembers {
  const fields = asArray(decodeCbor(metadata, metadataLimits), "metadata", 16);
  if (!equalBytes(asBytes(fields[0], "metadata magic", 4), MAGIC)) {
    throw new WireError("shape", "metadata magic is not GSB1");
  }
  if (asUint(fields[1], "metadata version", CODE_MAX) !== FORMAT_VERSION) {
    throw new WireError("unsupported", `metadata format version ${String(fields[1])} is not supported`);
  }
  return {
    network: asText(fields[2], "metadata network", 32),
    chain: asService(fields[3], "metadata chain"),
    height: asHeight(fields[4], "metadata height"),
    memberSet: asBytes(fields[9], "metadata member set", 32),
    nextMemberSet: asBytes(fields[10], "metadata next member set", 32),
  };
}

/**
 * The block's Merkle tree over the metadata, the records, and what its results say of operations. `leaves`: those of the records in the
 * order of the batches, where known. Throws a WireError where the results are malformed.
 */
export function blockTree(
  content: BlockContent,
  leaves: readonly Uint8Array[] = content.batches.flatMap((batch) => batch.records.map(recordLeaf)),
): MerkleLevels {
  return merkleLevels([leafHash(metadataEntry(content)), ...leaves, ...effectHashes(content).map(leafHash)]);
}

/** Leaves behind the records. */
function effectsIn(results: Uint8Array): number {
  return effectCount(outcomesIn(results)) + slotsIn(results).length;
}

/** Hashes of outcomes, effects and closed slots, in the order of their leaves, behind those of the records. */
export function effectHashes(content: BlockContent): Uint8Array[] {
  return effectLeaves(content).map(sha256);
}

/** What the leaves behind the records stand for: outcomes with their effects, then closed slots. */
export function effectLeaves(content: BlockContent): Uint8Array[] {
  const slots = slotsIn(content.results).map((slot) => slotItem(content, slot));
  return [...effectItems(content, outcomesIn(content.results)), ...slots];
}

/** The closed slots in a block's results. */
export function slotsIn(results: Uint8Array): SealedSlot[] {
  return slotsFromArray(resultsParts(results)[2]);
}

function recordLeaf(record: Uint8Array): Uint8Array {
  return leafHash(sha256(record));
}

export function encodeBlock(block: Block): Uint8Array {
  const lock = new Uint8Array(8);
  new DataView(lock.buffer).setBigUint64(0, BigInt(block.lock_ms));
  const format = encodeCbor([MAGIC, FORMAT_VERSION, block.network, block.chain, block.height]);
  const middle = encodeItems([block.header, block.counter]);
  const data = encodeCbor(dataRecord(block));
  const end = encodeItems([lock, certificateToArray(block.certificate)]);
  // Put together by hand, so that the data record, which is nearly all of it, is copied once.
  const sizeAt = 1 + format.length + 1;
  const middleAt = sizeAt + SIZE_BYTES;
  const dataAt = middleAt + middle.length + byteStringHeadLength(data.length);
  const bytes = new Uint8Array(dataAt + data.length + end.length);
  bytes[0] = ARRAY_OF_PARTS;
  bytes.set(format, 1);
  writeByteStringHead(bytes, sizeAt - 1, SIZE_BYTES);
  viewOf(bytes).setUint32(sizeAt, bytes.length);
  bytes.set(middle, middleAt);
  writeByteStringHead(bytes, middleAt + middle.length, data.length);
  bytes.set(data, dataAt);
  bytes.set(end, dataAt + data.length);
  return bytes;
}

/** Reads a block; whether header, tree and certificate agree is `chain`'s to check. */
export function decodeBlock(bytes: Uint8Array): Block {
  return readBlock(bytes, decodeCbor);
}

/** As `decodeBlock`, but byte strings are views of `bytes`, which must stay as they are for as long as those are used. */
export function decodeBlockViews(bytes: Uint8Array): Block {
  return readBlock(bytes, decodeCborViews);
}

function readBlock(bytes: Uint8Array, decode: typeof decodeCbor): Block {
  const parts = asArray(decode(bytes, blockLimits), "block", 7);
  const [magic, version, network, chain, height] = asArray(parts[0], "block format", 5);
  if (!equalBytes(asBytes(magic, "block magic", 4), MAGIC)) throw new WireError("shape", "block magic is not GSB1");
  if (asUint(version, "block format version", CODE_MAX) !== FORMAT_VERSION) {
    throw new WireError("unsupported", `block format version ${String(version)} is not supported`);
  }
  const size = viewOf(asBytes(parts[1], "block size", 4)).getUint32(0);
  if (size !== bytes.length) throw new WireError("shape", `block states ${size} bytes and has ${bytes.length}`);
  const lock = viewOf(asBytes(parts[5], "block lock time", 8)).getBigUint64(0);
  if (lock > BigInt(TIME_MS_MAX)) throw new WireError("shape", `block lock time must be at most ${TIME_MS_MAX} ms`);
  const record = readDataRecord(asBytes(parts[4], "block data record"), decode);
  const chainNumber = asService(chain, "block chain");
  if (record.service !== chainNumber) throw new WireError("shape", "block data record is of another service");
  return {
    network: asText(network, "block network", 32),
    chain: chainNumber,
    height: asHeight(height, "block height"),
    header: asBytes(parts[2], "block header", HEADER_BYTES),
    counter: asUint(parts[3], "block action counter", COUNTER_MAX),
    ...record.content,
    lock_ms: Number(lock),
    certificate: certificateFromArray(parts[6]),
  };
}

/** The header of an encoded block, nothing else of it read. */
export function headerOfBlock(bytes: Uint8Array): Uint8Array {
  const parts = asArray(decodeCborViews(bytes, blockLimits), "block", 7);
  return Uint8Array.from(asBytes(parts[2], "block header", HEADER_BYTES));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function dataRecord(content: BlockContent): CborValue {
  return [
    content.chain,
    content.batches.map((batch) => [
      batch.origin,
      batch.number,
      batch.id,
      acknowledgementsToArray(batch.acknowledgements),
      noticesToArray(batch.notices),
      batch.records,
    ]),
    content.script,
    content.results,
    anchorsToArray(content.anchors),
    content.judgedAt,
    content.time_ms,
    content.memberSet,
    content.nextMemberSet,
    content.stateRoot,
  ];
}

function readDataRecord(bytes: Uint8Array, decode: typeof decodeCbor) {
  const parts = asArray(decode(bytes, dataLimits), "block data record", 10);
  return {
    service: asService(parts[0], "block service"),
    content: {
      batches: readSealedBatches(parts[1]),
      script: asBytes(parts[2], "block script"),
      results: asBytes(parts[3], "block results"),
      anchors: readAnchors(parts[4], "block anchors"),
      judgedAt: asUint(parts[5], "block contracts height", HEIGHT_MAX),
      time_ms: asUint(parts[6], "block time", TIME_MS_MAX),
      memberSet: asBytes(parts[7], "block member set", 32),
      nextMemberSet: asBytes(parts[8], "block next member set", 32),
      stateRoot: asBytes(parts[9], "block state root", 32),
    },
  };
}

function readSealedBatches(value: CborValue | undefined): SealedBatch[] {
  const items = asList(value, "block batches", BLOCK_BATCHES_MAX);
  if (items.length === 0) throw new WireError("shape", "block holds no batch");
  const batches = items.map(readSealedBatch);
  let records = 0;
  for (const batch of batches) records += batch.records.length;
  if (records > BLOCK_RECORDS_MAX) {
    throw new WireError("limit", `block must hold at most ${BLOCK_RECORDS_MAX} records, not ${records}`);
  }
  return batches;
}

function readSealedBatch(value: CborValue): SealedBatch {
  const [origin, number, id, acknowledgements, notices, records] = asArray(value, "block batch", 6);
  return {
    origin: asBytes(origin, "block batch origin", 8),
    number: asUint(number, "block batch number", BATCH_NUMBER_MAX),
    id: asBytes(id, "block batch id", 32),
    acknowledgements: acknowledgementsFromArray(acknowledgements, "block batch"),
    notices: readSealedNotices(notices),
    records: asList(records, "block batch records", BATCH_RECORDS_MAX).map(asRecord),
  };
}

/** What stays of a temporary block's notices: credentials, as their records may have fallen out, orders, messages, what is due. */
function readSealedNotices(value: CborValue | undefined): Notice[] {
  const notices = noticesFromArray(value, "block batch");
  const credentials = notices.filter(({ kind }) => kind === "credential").length;
  const others = notices.length - credentials;
  if (credentials > BATCH_RECORDS_MAX || others > BATCH_RULINGS_MAX) {
    throw new WireError("limit", `block batch has ${credentials} credentials and ${others} other notices`);
  }
  return notices;
}

function asRecord(value: CborValue): Uint8Array {
  return asBytes(value, "block record");
}

export function anchorsToArray(anchors: readonly Anchor[]): CborValue {
  return anchors.map((anchor) => [anchor.chain, anchor.height, anchor.headerHash]);
}

function readAnchors(value: CborValue | undefined, name: string): Anchor[] {
  return asList(value, name, CHAINS_MAX).map(readAnchor);
}

export function readAnchor(value: CborValue): Anchor {
  const [chain, height, hash] = asArray(value, "anchor", 3);
  return {
    chain: asService(chain, "anchor chain"),
    height: asHeight(height, "anchor height"),
    headerHash: asBytes(hash, "anchor header hash", 32),
  };
}
