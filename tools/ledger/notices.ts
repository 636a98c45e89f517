// Notices of temporary blocks as the rules take them, and whether what they are signed with is good.

import { equalBytes, toHex } from "../../src/wire/bytes.js";
import { parseCredential } from "../../src/wire/credential.js";
import { WireError } from "../../src/wire/error.js";
import type { Genesis, Member } from "../../src/wire/genesis.js";
import { keyId, type PublicKey, type Verify } from "../../src/wire/key.js";
import { type CarriedMessage, decodeCarried, verifyCarried } from "../../src/wire/message.js";
import { decodeDue, type Notice } from "../../src/wire/notice.js";
import { readOrder, verifyOrder } from "../../src/wire/order.js";
import { isEquivocation } from "../consensus/evidence.js";
import { decodeEvidence, encodeEvidence, idBytes, signedBytes } from "../consensus/messages.js";
import type { Evidence } from "../consensus/types.js";
import { decodeDisproof, disproofComplaint, isDisproof } from "./disproof.js";
import type { ExecutionEvidence, ExecutionNotice } from "./execution.js";
import { CONTRACTS_SERVICE, everMember, type Governance, governedChain } from "./governance.js";

/** Reads what a notice says; throws a WireError where it is malformed. Signatures are not checked. */
export function readNotice(genesisHash: Uint8Array, { kind, bytes }: Notice): ExecutionNotice {
  switch (kind) {
    case "credential": {
      const credential = parseCredential(bytes);
      return { kind, bytes, credential, holder: toHex(keyId(credential.key)) };
    }
    case "order":
      return { kind, bytes, order: readOrder(bytes, { hash: genesisHash }) };
    case "message":
      return { kind, bytes, carried: decodeCarried(bytes) };
    case "due":
      return { kind, bytes, time_s: decodeDue(bytes) };
    case "evidence":
      return readEvidence(bytes);
  }
}

/** Reads evidence, of a temporary block or of a block's results. */
export function readEvidence(bytes: Uint8Array): ExecutionEvidence {
  if (isDisproof(bytes)) {
    const { bad, word } = decodeDisproof(bytes);
    const { number } = bad.summary;
    return { kind: "evidence", bytes, node: word.node, violation: "falseAcknowledgement", number };
  }
  const { node, height } = decodeEvidence(bytes).first;
  return { kind: "evidence", bytes, node: idBytes(node), violation: "equivocation", number: height };
}

/** Evidence of an equivocation as a notice. */
export function evidenceNotice(evidence: Evidence): Notice {
  return { kind: "evidence", bytes: encodeEvidence(evidence) };
}

/** Throws a WireError unless the authority has signed the order, each READY in it is its node's, and the chain may seal it. */
export function checkOrder(genesis: Genesis, chain: number, bytes: Uint8Array, verify: Verify): void {
  if (chain !== CONTRACTS_SERVICE) throw new WireError("unproven", `chain ${chain} seals no orders`);
  verifyOrder(bytes, genesis, verify);
}

/** Throws a WireError unless the message's chain has sealed it, by the members whom the order of its contracts height named. */
export function checkMessage(governance: Governance, carried: CarriedMessage, verify: Verify): void {
  const { message, orderedAt } = carried;
  const chain = governedChain(governance, message.service);
  if (chain === undefined)
    throw new WireError("untimely", `message is of chain ${message.service}, which is unknown here`);
  const ordered = [{ ...chain.chain, contractsHeight: chain.contractsHeight, effectiveHeight: 1 }, ...chain.orders];
  const sets = ordered.filter((set) => set.contractsHeight === orderedAt && set.effectiveHeight <= message.height);
  if (sets.length === 0) {
    throw new WireError("untimely", `message names contracts height ${orderedAt}, which gave its chain no members`);
  }
  const refusals = sets.map(({ members }) =>
    refusalOf(() => verifyCarried(carried, governance.genesis, members, verify)),
  );
  if (refusals.every((refusal) => refusal !== undefined)) throw refusals[0]!;
}

function refusalOf(check: () => void): WireError | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
}

/** How evidence is verified: a disproof at once, the statements of an equivocation where there is time. */
export interface EvidenceVerification {
  readonly verify: Verify;
  verifyAsync(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean | Promise<boolean>;
}

/** Rejects with a WireError unless the evidence proves what a node which is or was a member of the chain has done. */
export async function checkEvidence(
  governance: Governance,
  chain: number,
  bytes: Uint8Array,
  { verify, verifyAsync }: EvidenceVerification,
): Promise<void> {
  if (isDisproof(bytes)) {
    const disproof = decodeDisproof(bytes);
    const member = accusedOf(governance, chain, disproof.word.node);
    const complaint = disproofComplaint({ genesis: governance.genesis, chain, member }, disproof, verify);
    if (complaint !== undefined) throw new WireError("unproven", `evidence ${complaint}`);
    return;
  }
  const evidence = decodeEvidence(bytes);
  const { first, second } = evidence;
  const { hash } = governance.genesis;
  if (!isEquivocation(hash, chain, evidence)) throw new WireError("unproven", "evidence shows no equivocation");
  const member = accusedOf(governance, chain, idBytes(first.node));
  for (const statement of [first, second]) {
    if (!(await verifyAsync(member.key, signedBytes(hash, chain, statement), statement.signature))) {
      throw new WireError("unproven", `evidence: a statement is not signed by ${member.name}`);
    }
  }
}

/** Throws where the node is no member that is known here: orders that make it one may be on their way. */
function accusedOf(governance: Governance, chain: number, node: Uint8Array): Member {
  const member = everMember(governance, chain, node, Number.POSITIVE_INFINITY);
  if (member !== undefined) return member;
  throw new WireError("untimely", `evidence is against ${toHex(node)}, no member of the chain`);
}

/** Whether two notices are the same, or evidence against one node for one height, or for its word on a temporary block. */
export function isSameNotice(left: ExecutionNotice, right: ExecutionNotice): boolean {
  if (left.kind === "evidence" && right.kind === "evidence") {
    const isSameFault =
      left.violation === right.violation && (left.violation === "falseAcknowledgement" || left.number === right.number);
    return isSameFault && equalBytes(left.node, right.node);
  }
  return left.kind === right.kind && equalBytes(left.bytes, right.bytes);
}
