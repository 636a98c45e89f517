// What one block proves by itself, with the genesis and its chain's lineage: where it stands, what its header commits to, who sealed it,
// who stored it, who signed its records. Whether its results follow from the blocks before is the audit's to say.

import { acknowledgementBytes } from "../../../src/wire/batch.js";
import { type Block, blockTree, decodeBlock } from "../../../src/wire/block.js";
import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { verifyCertificate } from "../../../src/wire/certificate.js";
import { type Credential, verifyCredential } from "../../../src/wire/credential.js";
import { WireError } from "../../../src/wire/error.js";
import { chainOf, type Genesis, type MemberKey, memberSetHash } from "../../../src/wire/genesis.js";
import { decodeHeader, headerHash, meetsTarget } from "../../../src/wire/header.js";
import { keyId, type Verify } from "../../../src/wire/key.js";
import { leafCount, rootOfLevels } from "../../../src/wire/merkle.js";
import { noticesOf } from "../../../src/wire/notice.js";
import { type AnyRecord, isOperation, parseAnyRecord } from "../../../src/wire/operation.js";
import { quorum } from "../../../src/wire/quorum.js";
import { roleComplaint } from "../../ledger/record-scan.js";
import type { Checks, Facts } from "./finding.js";

/** What a block is held against. */
export interface BlockQuestion {
  readonly bytes: Uint8Array;
  readonly genesis: Genesis;
  readonly service: number;
  readonly height: number;
  /** of the chain at the height, as its lineage proves them */
  members(): Promise<readonly MemberKey[]>;
  /** header hash of the block before; the genesis hash before the first */
  previous(): Promise<Uint8Array>;
  /** a credential of who signed a record, as somebody has it */
  credential(kid: string): Promise<Uint8Array | undefined>;
  readonly verify: Verify;
  /** lets others have their turn, where much is to be done */
  rest(): Promise<void>;
}

export type SealCheck = "form" | "place" | "tree" | "seal" | "link";
export type ContentCheck = "stored" | "records";

/** Read once for all checks of a question. */
const decoded = new WeakMap<Uint8Array, Block>();

export function blockIn({ bytes }: Pick<BlockQuestion, "bytes">): Block {
  const known = decoded.get(bytes) ?? decodeBlock(bytes);
  decoded.set(bytes, known);
  return known;
}

/** That a quorum has sealed it, at its place. */
export const sealChecks: Checks<BlockQuestion, SealCheck> = [
  ["form", (question) => ({ bytes: question.bytes.length, header: toHex(headerHash(blockIn(question).header)) })],
  ["place", checkPlace],
  ["tree", checkTree],
  ["seal", checkSeal],
  ["link", checkLink],
];

/** That what it holds was stored by a quorum and signed by who it says. */
export const contentChecks: Checks<BlockQuestion, ContentCheck> = [
  ["stored", checkStored],
  ["records", checkRecords],
];

function checkPlace(question: BlockQuestion): Facts {
  const { genesis, service, height } = question;
  const block = blockIn(question);
  if (block.network !== genesis.network) {
    throw new WireError("unproven", `block is of network ${block.network}, not ${genesis.network}`);
  }
  if (block.chain !== service || block.height !== height) {
    const asked = `block ${height} of chain ${service}`;
    throw new WireError("unproven", `${asked} was asked for, block ${block.height} of chain ${block.chain} came`);
  }
  const { time_s, target } = decodeHeader(block.header);
  if (time_s !== Math.floor(block.time_ms / 1_000)) {
    throw new WireError("unproven", "header's time is not the one that the block states");
  }
  const chain = chainOf(genesis, service);
  if (chain !== undefined && target !== chain.target) {
    throw new WireError("unproven", "header's target is not the one that the genesis gives the chain");
  }
  return { network: genesis.network, chain: service, height };
}

function checkTree(question: BlockQuestion): Facts {
  const block = blockIn(question);
  const tree = blockTree(block);
  if (!equalBytes(rootOfLevels(tree), decodeHeader(block.header).merkleRoot)) {
    throw new WireError("unproven", "what the block holds does not lead to its header's Merkle root");
  }
  return { leaves: leafCount(tree), records: block.batches.reduce((sum, { records }) => sum + records.length, 0) };
}

async function checkSeal(question: BlockQuestion): Promise<Facts> {
  const { genesis, verify } = question;
  const block = blockIn(question);
  const members = await question.members();
  if (!equalBytes(memberSetHash(members), block.memberSet)) {
    throw new WireError("unproven", "block names other members than its chain's lineage leads to");
  }
  const hash = headerHash(block.header);
  const { target } = decodeHeader(block.header);
  if (!meetsTarget(hash, target)) throw new WireError("unproven", "header does not meet its target");
  const named = { genesisHash: genesis.hash, chain: block.chain, height: block.height, headerHash: hash };
  verifyCertificate(block.certificate, named, members, verify);
  const { signatures, round } = block.certificate;
  return { signed: signatures.length, members: members.length, quorum: quorum(members.length), round };
}

async function checkLink(question: BlockQuestion): Promise<Facts> {
  const block = blockIn(question);
  const previous = await question.previous();
  if (!equalBytes(previous, decodeHeader(block.header).previous)) {
    throw new WireError("unproven", "header links to another block than the one before");
  }
  return { previous: toHex(previous) };
}

async function checkStored(question: BlockQuestion): Promise<Facts> {
  const { genesis, verify } = question;
  const block = blockIn(question);
  const members = await question.members();
  let signatures = 0;
  for (const batch of block.batches) {
    const name = `temporary block ${batch.number} of node ${toHex(batch.origin)}`;
    const signers = new Set<string>();
    for (const { node, signature, verified } of batch.acknowledgements) {
      const member = members.find(({ id }) => equalBytes(id, node));
      const message = acknowledgementBytes(genesis.hash, block.chain, batch, verified);
      if (member === undefined || !verify(member.key, message, signature)) {
        throw new WireError("unproven", `${name}: the acknowledgement of ${toHex(node)} does not verify`);
      }
      signers.add(toHex(node));
      await question.rest();
    }
    if (signers.size < quorum(members.length)) {
      throw new WireError("unproven", `${name}: ${signers.size} members acknowledge it, no quorum`);
    }
    signatures += signers.size;
  }
  return { batches: block.batches.length, signatures };
}

async function checkRecords(question: BlockQuestion): Promise<Facts> {
  const block = blockIn(question);
  const records = block.batches.flatMap((batch) => batch.records);
  const holders = credentialsIn(question, block);
  for (const bytes of records) {
    const record = parseAnyRecord(bytes);
    const { kid, claims } = record;
    const name = `record ${claims.seq} of ${toHex(kid)}`;
    if (claims.service !== block.chain) throw new WireError("unproven", `${name}: it is for chain ${claims.service}`);
    const holder = await holders.find(toHex(kid));
    if (holder === undefined) throw new Error(`${name}: nobody shows the credential of who signed it`);
    const complaint = signedComplaint(record, holder, question.verify);
    if (complaint !== undefined) throw new WireError("unproven", `${name}: ${complaint}`);
    await question.rest();
  }
  return { records: records.length, signers: holders.known.size };
}

/** Why the credential's holder has not signed the record, or may not sign it; undefined where all is well. */
export function signedComplaint(record: AnyRecord, holder: Credential, verify: Verify): string | undefined {
  const { claims, algorithm, signedBytes, signature } = record;
  const unfit = roleComplaint(holder, isOperation(record) ? record.claims.type : undefined);
  if (unfit !== undefined) return `its ${unfit}`;
  if (!holder.services.includes(claims.service)) return "its credential does not permit the service";
  const isSigned = holder.key.algorithm === algorithm && verify(holder.key, signedBytes, signature);
  return isSigned ? undefined : "its signature does not verify";
}

interface Holders {
  find(kid: string): Promise<Credential | undefined>;
  /** those that were asked for */
  readonly known: ReadonlyMap<string, Credential | undefined>;
}

/** Credentials by who holds them, those of the block itself first; each is verified once. */
function credentialsIn(question: BlockQuestion, block: Block): Holders {
  const own = new Map<string, Uint8Array>();
  for (const bytes of block.batches.flatMap(({ notices }) => noticesOf(notices, "credential"))) {
    own.set(toHex(keyId(verifyCredential(bytes, question.genesis, question.verify).key)), bytes);
  }
  const known = new Map<string, Credential | undefined>();
  return {
    known,
    async find(kid) {
      if (known.has(kid)) return known.get(kid);
      const bytes = own.get(kid) ?? (await question.credential(kid));
      const holder = bytes === undefined ? undefined : verifyCredential(bytes, question.genesis, question.verify);
      if (holder !== undefined && toHex(keyId(holder.key)) !== kid) {
        throw new WireError("unproven", `the credential that is shown for ${kid} is of another key`);
      }
      known.set(kid, holder);
      return holder;
    },
  };
}
