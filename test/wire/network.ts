// A small network for the tests of this folder, the same at every run: an authority, nodes, meters, and blocks sealed by a quorum.

import { createHash } from "node:crypto";
import type { Batch } from "../../src/wire/batch.js";
import { acknowledgementBytes, batchBytes, batchId } from "../../src/wire/batch.js";
import { type Anchor, type Block, type BlockContent, blockTree, type SealedBatch } from "../../src/wire/block.js";
import { encodeCbor } from "../../src/wire/cbor.js";
import { type Certificate, precommitBytes } from "../../src/wire/certificate.js";
import { type Credential, issueCredential } from "../../src/wire/credential.js";
import { type Genesis, issueGenesis, type Member, memberSetHash, verifyGenesis } from "../../src/wire/genesis.js";
import { headerHash, mineHeader } from "../../src/wire/header.js";
import { keyId, type Signer } from "../../src/wire/key.js";
import { rootOfLevels } from "../../src/wire/merkle.js";
import type { Notice } from "../../src/wire/notice.js";
import { quorum } from "../../src/wire/quorum.js";
import { type Claims, signRecord, stripRecord } from "../../src/wire/record.js";
import { nodeVerify, signerFromSeed } from "../../tools/crypto/signatures.js";

export function sha256(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash("sha256").update(bytes).digest());
}

/** A signer whose seed is the hash of a name. */
export function signerNamed(name: string): Signer {
  return signerFromSeed(sha256(Buffer.from(name)));
}

export interface TestNode extends Member {
  readonly signer: Signer;
}

export interface TestMeter {
  readonly kid: Uint8Array;
  readonly signer: Signer;
  readonly credential: Uint8Array;
}

export interface TestNetwork {
  readonly authority: Signer;
  readonly nodes: readonly TestNode[];
  readonly genesisBytes: Uint8Array;
  readonly genesis: Genesis;
}

export const script = encodeCbor(["gs1/rules/2", new Uint8Array(0), new Uint8Array(0), []]);
/** The empty results: [] in CBOR. */
export const noResults = encodeCbor([[], [], []]);
export const startTime_s = 1_790_000_000;

export function testNetwork(name = "alpha", size = 4, target = 0): TestNetwork {
  const authority = signerNamed(`${name} authority`);
  const nodes = Array.from({ length: size }, (_, index) => {
    const signer = signerNamed(`${name} node ${index}`);
    return { id: keyId(signer.key), key: signer.key, name: `node-${index}`, signer };
  });
  const members = nodes.map(({ id, key, name: label }) => ({ id, key, name: label }));
  const chains = [
    { service: 1, name: "trading", members, target, verifiers: Math.min(2, size) },
    { service: 3, name: "dispatch", members: [...members].reverse(), target: 0, verifiers: Math.min(2, size) },
  ];
  const genesisBytes = issueGenesis({ network: name, time_s: startTime_s, nodes: members, chains }, authority);
  return { authority, nodes, genesisBytes, genesis: verifyGenesis(genesisBytes, nodeVerify) };
}

/** Who signs a credential, and the warrant by which. */
export interface Issuing {
  readonly signer: Signer;
  readonly warrant?: Uint8Array;
}

export function testMeter(
  network: TestNetwork,
  name: string,
  services: readonly number[] = [1, 3],
  changes: Partial<Credential> = {},
  issuing: Issuing = { signer: network.authority },
): TestMeter {
  const signer = signerNamed(name);
  const authorityId = Buffer.from(keyId(network.authority.key)).toString("hex");
  const credential = issueCredential(
    {
      issuer: `${network.genesis.network}/${authorityId}`,
      subject: name,
      notBefore_s: startTime_s,
      expires_s: startTime_s + 100_000_000,
      id: sha256(Buffer.from(`credential of ${name}`)).slice(0, 8),
      key: signer.key,
      statusIndex: 7,
      services,
      roles: ["meter"],
      ...changes,
    },
    issuing.signer,
    issuing.warrant,
  );
  return { kid: keyId(signer.key), signer, credential };
}

/** `count` stripped records of one meter, each with the hash of the one before it, from `first` on. */
export function testRecords(
  meter: TestMeter,
  count: number,
  service = 1,
  first = 0,
  before?: Uint8Array,
): Uint8Array[] {
  const records: Uint8Array[] = [];
  let previous = before ?? (first === 0 ? new Uint8Array(0) : sha256(Uint8Array.of(first)));
  for (let seq = first; seq < first + count; seq += 1) {
    const claims: Claims = {
      service,
      serviceId: 12,
      seq,
      previous,
      time_s: startTime_s + 60 * seq,
      quality: 2,
      registers: [{ obis: Uint8Array.of(1, 0, 1, 8, 0, 255), value: 2_130_115 + seq, scaler: 0, unit: 30 }],
      source: 1,
      reason: 1,
    };
    const record = stripRecord(signRecord(claims, [], meter.signer, meter.kid));
    records.push(record);
    previous = sha256(record);
  }
  return records;
}

/** A temporary block of the node, with the acknowledgements of all of `members`, as it stands in a block. */
export function testBatch(
  network: TestNetwork,
  chain: number,
  origin: TestNode,
  number: number,
  credentials: readonly Uint8Array[],
  records: readonly Uint8Array[],
  { members = membersOf(network, chain), orders = [] }: BatchTerms = {},
): SealedBatch {
  const notices: Notice[] = credentials.map((bytes) => ({ kind: "credential", bytes }));
  for (const bytes of orders) notices.push({ kind: "order", bytes });
  const batch: Batch = { chain, origin: origin.id, number, notices, records };
  const id = batchId(batchBytes(network.genesis.hash, batch));
  const signed = acknowledgementBytes(network.genesis.hash, chain, { origin: origin.id, number, id }, true);
  const acknowledgements = members.map((node) => ({
    node: node.id,
    signature: node.signer.sign(signed),
    verified: true,
  }));
  return { origin: origin.id, number, id, acknowledgements, notices, records };
}

interface BatchTerms {
  /** those of the genesis by default */
  readonly members?: readonly TestNode[];
  readonly orders?: readonly Uint8Array[];
}

export interface Seal {
  readonly batches: readonly SealedBatch[];
  readonly counter?: number;
  readonly results?: Uint8Array;
  readonly anchors?: readonly Anchor[];
  readonly round?: number;
  /** how many members sign; a quorum by default */
  readonly signers?: number;
  readonly time_ms?: number;
  /** who seals it, and who the next one; those of the genesis by default */
  readonly members?: readonly TestNode[];
  readonly nextMembers?: readonly TestNode[];
  /** who signs in their place */
  readonly signedBy?: readonly TestNode[];
  readonly judgedAt?: number;
  /** the genesis' by default */
  readonly target?: number;
}

/** The block after `previous` (or the chain's first), sealed by its members. */
export function sealBlock(network: TestNetwork, chain: number, previous: Block | undefined, seal: Seal): Block {
  const { genesis } = network;
  const members = seal.members ?? membersOf(network, chain);
  const height = previous === undefined ? 1 : previous.height + 1;
  const content: BlockContent = {
    network: genesis.network,
    chain,
    height,
    counter: seal.counter ?? previous?.counter ?? 0,
    batches: seal.batches,
    script,
    results: seal.results ?? noResults,
    anchors: seal.anchors ?? [],
    judgedAt: seal.judgedAt ?? 0,
    time_ms: seal.time_ms ?? (previous === undefined ? startTime_s * 1_000 + 1_500 : previous.time_ms + 1_500),
    memberSet: memberSetHash(members),
    nextMemberSet: memberSetHash(seal.nextMembers ?? members),
    stateRoot: new Uint8Array(32),
  };
  const header = mineHeader({
    version: 1,
    previous: previous === undefined ? genesis.hash : headerHash(previous.header),
    merkleRoot: rootOfLevels(blockTree(content)),
    time_s: Math.floor(content.time_ms / 1_000),
    target: seal.target ?? genesis.chains.find(({ service }) => service === chain)!.target,
    nonce: 0,
  });
  const certificate = certify(
    network,
    chain,
    height,
    seal.round ?? 0,
    headerHash(header),
    seal.signers,
    seal.signedBy ?? members,
  );
  return { ...content, header, certificate, lock_ms: content.time_ms + 250 };
}

export function certify(
  network: TestNetwork,
  chain: number,
  height: number,
  round: number,
  hash: Uint8Array,
  signers?: number,
  members: readonly TestNode[] = membersOf(network, chain),
): Certificate {
  const signed = precommitBytes(network.genesis.hash, chain, height, round, hash);
  const signatures = members
    .slice(0, signers ?? quorum(members.length))
    .map((node) => ({ node: node.id, signature: node.signer.sign(signed) }));
  return { round, signatures };
}

function membersOf(network: TestNetwork, chain: number): TestNode[] {
  const ids = network.genesis.chains.find(({ service }) => service === chain)!.members;
  return ids.map((member) => network.nodes.find((node) => Buffer.compare(node.id, member.id) === 0)!);
}
