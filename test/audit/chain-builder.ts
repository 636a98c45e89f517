// Chains for the tests of the audit, sealed by a quorum that signs whatever it is told: each edit changes one thing of a block that
// is good otherwise, its Merkle root, header and certificate made anew, so that nothing but the check in question can notice it.

import { acknowledgementBytes, batchBytes, batchId } from "../../src/wire/batch.js";
import { type Block, type BlockContent, blockTree, encodeBlock, type SealedBatch } from "../../src/wire/block.js";
import { precommitBytes } from "../../src/wire/certificate.js";
import { issueCredential, issuerName, type Role } from "../../src/wire/credential.js";
import { type Genesis, issueGenesis, memberSetHash, verifyGenesis } from "../../src/wire/genesis.js";
import { type Header, headerHash, mineHeader } from "../../src/wire/header.js";
import { keyId, type Signer } from "../../src/wire/key.js";
import { rootOfLevels } from "../../src/wire/merkle.js";
import type { Notice } from "../../src/wire/notice.js";
import { type OperationClaims, parseAnyRecord, signOperation } from "../../src/wire/operation.js";
import { quorum } from "../../src/wire/quorum.js";
import { type Claims, parseRecord, signRecord } from "../../src/wire/record.js";
import { nodeVerify, signerFromSeed } from "../../tools/crypto/signatures.js";
import { makeBatch } from "../../tools/ledger/compose.js";
import { rulingAt } from "../../tools/ledger/contract-centre.js";
import { badRecordOf, encodeDisproof } from "../../tools/ledger/disproof.js";
import { finishEntries, planEntries } from "../../tools/ledger/entries.js";
import type { ChainView, ExecutionEvidence } from "../../tools/ledger/execution.js";
import { initialGovernance } from "../../tools/ledger/governance.js";
import { MemoryState } from "../../tools/ledger/memory-state.js";
import { readEvidence, readNotice } from "../../tools/ledger/notices.js";
import { executionRecord } from "../../tools/ledger/record-scan.js";
import { newestRules } from "../../tools/ledger/scripts.js";
import { MemorySettlement } from "../../tools/ledger/settlement/memory-settlement.js";
import { restingSettlement } from "../../tools/ledger/settlement/settle.js";
import type { MeterState, OriginState } from "../../tools/ledger/state.js";
import { encodeResults } from "../../tools/ledger/violations.js";

export const authority = signerFromSeed(new Uint8Array(32).fill(1));
export const nodeSigners: readonly Signer[] = [11, 12, 13, 14].map((seed) =>
  signerFromSeed(new Uint8Array(32).fill(seed)),
);
export const stranger = signerFromSeed(new Uint8Array(32).fill(99));

const time_ms = 1_700_000_000_000;

export function makeGenesis(target = 0): { readonly genesis: Genesis; readonly bytes: Uint8Array } {
  const nodes = nodeSigners.map(({ key }, index) => ({ id: keyId(key), key, name: `node-${index + 1}` }));
  const bytes = issueGenesis(
    {
      network: "audited",
      time_s: time_ms / 1000,
      nodes,
      chains: [
        { service: 1, name: "trading", members: nodes, target, verifiers: 2 },
        { service: 3, name: "dispatch", members: nodes, target, verifiers: 2 },
      ],
    },
    authority,
  );
  return { genesis: verifyGenesis(bytes, nodeVerify), bytes };
}

/** The temporary block as acknowledged by the first nodes: `words` says of each whether it has verified it. */
export function acknowledged(
  { genesis, service }: { readonly genesis: Genesis; readonly service: number },
  batch: Omit<SealedBatch, "acknowledgements">,
  words: readonly boolean[],
): SealedBatch {
  const acknowledgements = words.map((verified, index) => {
    const signature = nodeSigners[index]!.sign(acknowledgementBytes(genesis.hash, service, batch, verified));
    return { node: genesis.nodes[index]!.id, signature, verified };
  });
  return { ...batch, acknowledgements };
}

/** That a node has said verified of a temporary block of the first one, the record of which is `record`. */
export function disproofAgainst(signer: Signer, record: Uint8Array, { credential }: TestMeter): ExecutionEvidence {
  const { genesis } = makeGenesis();
  const content = { chain: 1, origin: genesis.nodes[0]!.id, number: 40, notices: [] };
  const read = makeBatch(genesis.hash, content, [executionRecord(parseRecord(record))], nodeSigners[0]!.sign);
  const name = { origin: content.origin, number: content.number, id: read.id };
  const word = { node: keyId(signer.key), signature: signer.sign(acknowledgementBytes(genesis.hash, 1, name, true)) };
  return readEvidence(encodeDisproof({ bad: badRecordOf(read, 0, credential), word }));
}

export interface TestMeter {
  readonly signer: Signer;
  readonly kid: Uint8Array;
  readonly credential: Uint8Array;
  /** The next record, or the one that `claims` make of it. */
  record(claims?: Partial<Claims>, signer?: Signer, disclosures?: readonly Uint8Array[]): Uint8Array;
}

export function makeMeter(
  number: number,
  services: readonly number[] = [1, 3],
  issuer: Signer = authority,
  roles: readonly Role[] = ["meter"],
  expires_s = 2_000_000_000,
): TestMeter {
  const signer = signerFromSeed(new Uint8Array(32).fill(100 + number));
  const kid = keyId(signer.key);
  const credential = issueCredential(
    {
      issuer: issuerName({ network: "audited", authority: authority.key }),
      subject: `meter-${number}`,
      notBefore_s: 1_600_000_000,
      expires_s,
      id: new Uint8Array(8).fill(number),
      key: signer.key,
      statusIndex: number,
      services,
      roles,
    },
    issuer,
  );
  let seq = 0;
  let previous: Uint8Array = new Uint8Array(0);
  return {
    signer,
    kid,
    credential,
    record(claims = {}, by = signer, disclosures = []) {
      const bytes = signRecord(
        {
          service: 1,
          serviceId: number,
          seq,
          previous,
          time_s: 1_700_000_000 + seq,
          quality: 2,
          registers: [{ obis: Uint8Array.of(1, 0, 1, 8, 1, 255), value: 1000 + seq, scaler: 0, unit: 30 }],
          ...claims,
        },
        disclosures,
        by,
        kid,
      );
      if (claims.seq === undefined) {
        seq += 1;
        previous = parseRecord(bytes).hash;
      }
      return bytes;
    },
  };
}

/** An operation of the participant, whose number is stated: what a meter's `record` is of readings. */
export function operationOf({ signer, kid }: TestMeter, claims: Partial<OperationClaims> = {}): Uint8Array {
  const numbered = { service: 1, serviceId: 0, seq: 0, previous: new Uint8Array(0), time_s: 1_700_000_000, quality: 2 };
  return signOperation({ ...numbered, type: 40_000, body: { asks: "something" }, ...claims }, [], signer, kid);
}

/** What a block is made of; `forks` are second records for sealed numbers. */
export interface BlockParts {
  readonly records: readonly Uint8Array[];
  readonly credentials?: readonly Uint8Array[];
  readonly forks?: readonly Uint8Array[];
  readonly evidence?: readonly ExecutionEvidence[];
  /** messages and what is due */
  readonly notices?: readonly Notice[];
}

/** Changes to a block that would otherwise be good. */
export interface Edits {
  readonly batch?: (batch: SealedBatch) => SealedBatch;
  readonly content?: (content: BlockContent) => BlockContent;
  readonly header?: (header: Header) => Header;
  /** after the header: what the certificate does not see */
  readonly block?: (block: Block) => Block;
  /** who signs, by position among the nodes */
  readonly signers?: readonly Signer[];
}

export interface ChainBuilder {
  readonly genesis: Genesis;
  readonly blocks: readonly Uint8Array[];
  seal(parts: BlockParts, edits?: Edits): Uint8Array;
}

export function buildChain(target = 0, service = 1): ChainBuilder {
  const { genesis } = makeGenesis(target);
  const { members } = genesis.chains.find((chain) => chain.service === service)!;
  const blocks: Uint8Array[] = [];
  const meters = new Map<string, MeterState>();
  const origins = new Map<string, OriginState>();
  const hashes = new Map<string, Uint8Array>();
  const credentials = new Map<string, Uint8Array>();
  let previous = genesis.hash;
  let counter = 0;
  const remembered = new MemoryState();
  const view: ChainView = {
    meter: (kid) => meters.get(kid),
    origin: (node) => origins.get(node),
    faults: () => [],
    sealedHash: (kid, seq) => hashes.get(`${kid}/${seq}`),
    credential: (kid) => credentials.get(kid),
    state: remembered,
    settlement: new MemorySettlement(),
  };

  function batchOf({ records, credentials = [], notices: others = [] }: BlockParts, number: number): SealedBatch {
    const notices = [...credentials.map((bytes) => ({ kind: "credential" as const, bytes })), ...others];
    const batch = { chain: service, origin: members[0]!.id, number, notices, records };
    const id = batchId(batchBytes(genesis.hash, batch));
    const words = Array.from({ length: quorum(members.length) }, (_, index) => index < 2);
    return acknowledged({ genesis, service }, { origin: batch.origin, number, id, notices, records }, words);
  }

  function contentOf(parts: BlockParts, batch: SealedBatch): BlockContent {
    const records = batch.records.map((bytes) => executionRecord(parseAnyRecord(bytes)));
    const toExecute = { ...batch, notices: batch.notices.map((notice) => readNotice(genesis.hash, notice)), records };
    const governance = initialGovernance(genesis);
    const now_ms = time_ms + 1000 * blocks.length;
    const place = { service, height: blocks.length + 1, governance, judgedAt: 0, time_ms: now_ms, view };
    const forks = (parts.forks ?? []).map((bytes) => executionRecord(parseAnyRecord(bytes)));
    const execution = newestRules.execute(place, [toExecute], { forks, evidence: parts.evidence ?? [] });
    for (const [kid, state] of execution.meters) meters.set(kid, state);
    for (const [kid, bytes] of execution.credentials) credentials.set(kid, bytes);
    for (const [node, state] of execution.origins) origins.set(node, state);
    for (const { meter, seq, hash } of toExecute.records) hashes.set(`${meter}/${seq}`, hash);
    counter += execution.violations.length;
    const { script, contracts } = rulingAt(newestRules.name, governance, place);
    const settlement = restingSettlement;
    const planned = planEntries(
      { height: place.height, time_ms: now_ms, contracts, sourceOf: () => "", view, settlement },
      execution,
    );
    const finished = finishEntries(view, planned, []);
    const { outcomes, state } = finished;
    remembered.apply(finished);
    return {
      network: genesis.network,
      chain: service,
      height: blocks.length + 1,
      counter,
      batches: [batch],
      script,
      results: encodeResults({ violations: execution.violations, outcomes, slots: [] }),
      anchors: [],
      judgedAt: 0,
      time_ms: now_ms,
      memberSet: memberSetHash(members),
      nextMemberSet: memberSetHash(members),
      stateRoot: state.root,
    };
  }

  function sealed(content: BlockContent, edits: Edits): Block {
    const header = (edits.header ?? ((same) => same))({
      version: 1,
      previous,
      merkleRoot: rootOfLevels(blockTree(content)),
      time_s: Math.floor(content.time_ms / 1000),
      target,
      nonce: 0,
    });
    const bytes = mineHeader(header);
    const message = precommitBytes(genesis.hash, content.chain, content.height, 0, headerHash(bytes));
    const signers = edits.signers ?? nodeSigners.slice(0, quorum(members.length));
    const signatures = signers.map((signer) => ({ node: keyId(signer.key), signature: signer.sign(message) }));
    return { ...content, header: bytes, lock_ms: content.time_ms + 5, certificate: { round: 0, signatures } };
  }

  return {
    genesis,
    blocks,
    seal(parts, edits = {}) {
      const batch = (edits.batch ?? ((same) => same))(batchOf(parts, blocks.length));
      const content = (edits.content ?? ((same) => same))(contentOf(parts, batch));
      const block = (edits.block ?? ((same) => same))(sealed(content, edits));
      previous = headerHash(block.header);
      const bytes = encodeBlock(block);
      blocks.push(bytes);
      return bytes;
    },
  };
}
