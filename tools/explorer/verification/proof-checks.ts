// What proofs that somebody holds in a file prove by the genesis alone: a receipt, with its record where that is at hand, the proof of a
// point's slot, the proof of what a contract remembers. Each step is a check of its own, so that a reader sees what rests on what.

import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { verifyCredential } from "../../../src/wire/credential.js";
import { WireError } from "../../../src/wire/error.js";
import type { Genesis, MemberKey } from "../../../src/wire/genesis.js";
import { decodeHeader } from "../../../src/wire/header.js";
import { keyId, type Verify } from "../../../src/wire/key.js";
import { memberSets, membersAt } from "../../../src/wire/lineage.js";
import { type AnyRecord, parseAnyRecord } from "../../../src/wire/operation.js";
import { quorum } from "../../../src/wire/quorum.js";
import { decodeReceiptFile, type ReceiptFile, verifyInclusionOf, verifySealOf } from "../../../src/wire/receipt.js";
import { decodeSlotProofFile, type ProvedRow, verifySlotProof } from "../../../src/wire/slot-proof.js";
import { decodeStateProofFile, type StateProofFile, verifyStateProof } from "../../ledger/state-proof.js";
import { signedComplaint } from "./block-checks.js";
import type { Checks, Facts } from "./finding.js";

export type ReceiptCheck = "receipt" | "network" | "record" | "sameRecord" | "holder" | "path" | "lineage" | "sealed";

export interface ReceiptQuestion {
  /** a receipt, or one with its lineage behind it */
  readonly file: Uint8Array;
  /** what it must be for; undefined where it is not at hand */
  readonly record: Uint8Array | undefined;
  readonly genesis: Genesis;
  /** what leads to the chain's members, where the file has none */
  lineage(service: number): Promise<readonly Uint8Array[]>;
  credential(service: number, kid: string): Promise<Uint8Array | undefined>;
  readonly verify: Verify;
}

/** The eight steps from a record to a quorum's signatures. */
export const receiptChecks: Checks<ReceiptQuestion, ReceiptCheck> = [
  ["receipt", ({ file }) => ({ bytes: file.length, height: decodeReceiptFile(file).receipt.height })],
  ["network", checkNetwork],
  ["record", checkRecord],
  ["sameRecord", checkSameRecord],
  ["holder", checkHolder],
  ["path", checkPath],
  ["lineage", checkLineage],
  ["sealed", checkSealed],
];

function checkNetwork({ file, genesis }: ReceiptQuestion): Facts {
  const { network, chain } = decodeReceiptFile(file).receipt;
  if (network !== genesis.network) {
    throw new WireError("unproven", `receipt is of network ${network}, not ${genesis.network}`);
  }
  return { network, chain, genesis: toHex(genesis.hash).slice(0, 12) };
}

function checkRecord(question: ReceiptQuestion): Facts {
  const { claims, kid, disclosures } = recordIn(question);
  return { seq: claims.seq, kid: toHex(kid), disclosures: disclosures.length };
}

function checkSameRecord(question: ReceiptQuestion): Facts {
  const { hash, claims } = recordIn(question);
  const { recordHash, chain } = decodeReceiptFile(question.file).receipt;
  if (!equalBytes(hash, recordHash)) throw new WireError("unproven", "receipt is for another record than this one");
  if (claims.service !== chain) {
    throw new WireError("unproven", `the record is for chain ${claims.service}, and its receipt is of chain ${chain}`);
  }
  return { hash: toHex(hash).slice(0, 12) };
}

async function checkHolder(question: ReceiptQuestion): Promise<Facts> {
  const { genesis, verify } = question;
  const record = recordIn(question);
  const kid = toHex(record.kid);
  const bytes = await question.credential(record.claims.service, kid);
  if (bytes === undefined) throw new Error("nobody shows the credential of who signed the record");
  const holder = verifyCredential(bytes, genesis, verify);
  if (!equalBytes(keyId(holder.key), record.kid)) throw new WireError("unproven", "the credential is of another key");
  const complaint = signedComplaint(record, holder, verify);
  if (complaint !== undefined) throw new WireError("unproven", `the record of ${kid}: ${complaint}`);
  return { subject: holder.subject, kid };
}

function checkPath({ file, genesis }: ReceiptQuestion): Facts {
  const { receipt } = decodeReceiptFile(file);
  verifyInclusionOf(receipt, genesis);
  return { leaf: receipt.leaf, size: receipt.size, steps: receipt.path.length };
}

async function checkLineage(question: ReceiptQuestion): Promise<Facts> {
  const { members, changes } = await membersOf(question);
  return { members: members.length, changes };
}

async function checkSealed(question: ReceiptQuestion): Promise<Facts> {
  const { genesis, verify, file } = question;
  const { receipt } = decodeReceiptFile(file);
  const { members } = await membersOf(question);
  verifySealOf(receipt, genesis, members, verify);
  const { time_s } = decodeHeader(receipt.header);
  const { signatures } = receipt.certificate;
  const time = new Date(time_s * 1_000).toISOString().slice(0, 19).replace("T", " ");
  return { signed: signatures.length, quorum: quorum(members.length), height: receipt.height, time };
}

function recordIn({ record }: ReceiptQuestion): AnyRecord {
  if (record === undefined) throw new Error("the record is not at hand: drop its file as well");
  return parseAnyRecord(record);
}

interface LedMembers {
  readonly members: readonly MemberKey[];
  readonly changes: number;
}

async function membersOf(question: ReceiptQuestion): Promise<LedMembers> {
  const { receipt, lineage: own }: ReceiptFile = decodeReceiptFile(question.file);
  const lineage = own.length > 0 ? own : await question.lineage(receipt.chain);
  const sets = memberSets(question.genesis, receipt.chain, lineage, question.verify);
  const members = membersAt(sets, receipt.height);
  if (members === undefined) throw new WireError("unproven", "it is of height 0, which no block has");
  return { members, changes: sets.filter(({ from }) => from <= receipt.height).length - 1 };
}

export type FileKind = "receipt" | "record" | "slot" | "state" | "genesis";

/** What a file that somebody drops may be, by how it begins; undefined where it is nothing of Gridseal. */
export function kindOf(bytes: Uint8Array): Exclude<FileKind, "genesis"> | undefined {
  const kinds: Readonly<Record<number, Exclude<FileKind, "genesis">>> = {
    138: "receipt", // an array of 10
    210: "record", // COSE_Sign1, which a genesis is too
    134: "slot", // an array of 6
    141: "state", // an array of 13
  };
  return kinds[bytes[0] ?? 0];
}

export interface ProofQuestion {
  readonly file: Uint8Array;
  readonly genesis: Genesis;
  lineage(service: number): Promise<readonly Uint8Array[]>;
  readonly verify: Verify;
}

export const slotChecks: Checks<ProofQuestion, "slotForm" | "slot"> = [
  ["slotForm", ({ file }) => ({ bytes: file.length, steps: decodeSlotProofFile(file).proof.path.length })],
  ["slot", async (question) => slotFacts(await provedSlot(question))],
];

export const stateChecks: Checks<ProofQuestion, "stateForm" | "state"> = [
  ["stateForm", ({ file }) => ({ bytes: file.length, key: decodeStateProofFile(file).proof.key })],
  ["state", async (question) => stateFacts(await provedState(question))],
];

/** The row that a proof proves; throws a WireError where it proves none. */
export async function provedSlot({ file, genesis, verify, lineage }: ProofQuestion): Promise<ProvedRow> {
  const read = decodeSlotProofFile(file);
  if (read.lineage.length > 0) return verifySlotProof(read, genesis, verify);
  const { receipt } = decodeReceiptFile(read.proof.receipt);
  return verifySlotProof({ ...read, lineage: await lineage(receipt.chain) }, genesis, verify);
}

function slotFacts({ row, slot, receipt }: ProvedRow): Facts {
  const start = new Date(slot.start_s * 1_000).toISOString().slice(0, 16).replace("T", " ");
  const energy = (value: bigint | null) => (value === null ? "–" : String(value));
  return {
    ...{ point: row.point, imported: energy(row.imported), exported: energy(row.exported), start },
    ...{ chain: receipt.chain, height: receipt.height },
  };
}

/** The state that a proof proves; throws a WireError where it proves none. */
async function provedState({ file, genesis, verify, lineage }: ProofQuestion): Promise<StateProofFile> {
  const read = decodeStateProofFile(file);
  const led = read.lineage.length > 0 ? read.lineage : await lineage(read.proof.chain);
  verifyStateProof(read.proof, genesis, verify, led);
  return read;
}

function stateFacts({ proof: { key, chain, height, value } }: StateProofFile): Facts {
  return { key, chain, height, bytes: value?.length ?? 0 };
}
