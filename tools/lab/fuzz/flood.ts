// What a lying member with its own key sends to wear a node out, within the limits of the links: each frame costs the node more than
// a good one, or claims more than there is.

import { toHex } from "../../../src/wire/bytes.js";
import { encodeCbor } from "../../../src/wire/cbor.js";
import { signCustodyKey } from "../../../src/wire/envelope.js";
import type { Genesis, Member } from "../../../src/wire/genesis.js";
import type { Signer } from "../../../src/wire/key.js";
import { encodeSealedList } from "../../../src/wire/sealed-disclosure.js";
import { encodeMessage, signedBytes } from "../../consensus/messages.js";
import type { Vote } from "../../consensus/types.js";
import { makeBatch } from "../../ledger/compose.js";
import { type ExecutionRecord, executionRecord, readRecord } from "../../ledger/record-scan.js";
import { encodeBatchNote, encodeFrame, encodeNeedBlocks, frameOf } from "../../node/chain/frame.js";
import { CUSTODY_KEY_FRAME } from "../../node/disclosures/ports.js";
import { ORDER_FRAME } from "../../node/parts/orders/orders.js";
import type { Random } from "../rig/random.js";
import type { HeardRecords } from "./heard-records.js";

export const floods = [
  "bad signatures",
  "other votes",
  "equivocations",
  "block requests",
  "body requests",
  "junk",
  "orders",
  "extremes",
  "sealed records",
  "other sealed records",
  "one new record",
  "unsigned records",
  "hidden parts",
  "custody keys",
] as const;
export type Flood = (typeof floods)[number];

/** Who states custody keys. */
export type CustodySource = Pick<FloodSource, "genesis" | "self" | "signer" | "random">;

export interface FloodSource extends Omit<HeardRecords, "onFrame"> {
  readonly genesis: Genesis;
  readonly self: Member;
  readonly signer: Signer;
  readonly random: Random;
  /** of the chain, as far as this member has heard */
  heightOf(chain: number): number;
  /** A record of a meter that is with this member: not sealed, and heard by nobody else. */
  readonly newRecord?: (() => ExecutionRecord) | undefined;
}

const JUNK_BYTES = 65_536;
/** As many as a frame may hold, each as small as it can be. */
const HIDDEN_PARTS = 1_000;
const EXTREMES = [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40, 2 ** 48, Number.MAX_SAFE_INTEGER] as const;

/** The next frame of a flood. */
export function floodFrame(kind: Flood, source: FloodSource): Uint8Array {
  const { genesis, random, self, signer, heightOf } = source;
  const chain = random.pick(genesis.chains).service;
  // The last height that it heard votes of, or the next: the block in between may be sealed.
  const height = heightOf(chain) + random.below(2);
  const vote = (more: Partial<Vote>): Vote => {
    const base = { type: "prevote", height, round: random.below(8), id: random.bytes(32), vr: -1 } as const;
    const unsigned = { ...base, node: toHex(self.id), signature: new Uint8Array(64), ...more } as Vote;
    return { ...unsigned, signature: more.signature ?? signer.sign(signedBytes(genesis.hash, chain, unsigned)) };
  };
  const consensus = (message: Parameters<typeof encodeMessage>[0]) =>
    encodeFrame("consensus", chain, encodeMessage(message));
  const name = { origin: random.pick(genesis.nodes).id, number: random.below(64), id: random.bytes(32) };

  switch (kind) {
    case "bad signatures":
      return consensus(vote({ node: toHex(random.pick(genesis.nodes).id), signature: random.bytes(64) }));
    case "other votes":
      return consensus(vote({}));
    case "equivocations": {
      const round = random.below(2 ** 31);
      return consensus({ type: "evidence", first: vote({ round }), second: vote({ round }) });
    }
    case "block requests":
      return encodeFrame("needBlocks", chain, encodeNeedBlocks(1));
    case "body requests":
      return random.chance(0.5)
        ? encodeFrame("needBody", chain, encodeCbor([height, random.bytes(32)]))
        : encodeFrame("needBatch", chain, encodeBatchNote(name, []));
    case "junk":
      return encodeFrame(
        random.pick(["batch", "block", "body", "consensus"] as const),
        chain,
        random.bytes(JUNK_BYTES),
      );
    case "orders":
      return frameOf(ORDER_FRAME, chain, random.bytes(1_024));
    case "extremes":
      return extreme(chain, random, name.id);
    case "sealed records":
      return batchFrame(source, source.records);
    case "other sealed records":
      return batchFrame(source, source.otherRecords);
    case "one new record":
      return batchFrame(source, (heard) => withNew(source, source.otherRecords(heard)));
    case "unsigned records":
      return batchFrame(source, (heard) => source.records(heard).map(spoilt));
    case "hidden parts":
      return encodeFrame("disclosures", chain, hiddenParts(random));
    case "custody keys":
      return frameOf(CUSTODY_KEY_FRAME, 0, custodyKey(source));
  }
}

/** A temporary block of records of a chain that this member has heard of, genuine but for them; junk where there is none yet. */
function batchFrame(source: FloodSource, recordsOf: (chain: number) => readonly ExecutionRecord[]): Uint8Array {
  const { genesis, self, signer, random } = source;
  const heard = source.chains();
  if (heard.length === 0) return encodeFrame("batch", genesis.chains[0]!.service, random.bytes(64));
  const chain = random.pick(heard);
  const content = { chain, origin: self.id, number: source.batchNumber(), notices: [] };
  const batch = makeBatch(genesis.hash, content, recordsOf(chain), (bytes) => signer.sign(bytes));
  return encodeFrame("batch", chain, batch.bytes);
}

/** What records hide that there are not. */
function hiddenParts(random: Random): Uint8Array {
  return encodeSealedList(
    Array.from({ length: HIDDEN_PARTS }, (_, seq) => ({
      ...{ kid: random.bytes(8), seq, recordHash: random.bytes(32), envelope: random.bytes(32) },
      ...{ nonce: random.bytes(12), ciphertext: random.bytes(16) },
    })),
  );
}

/** Another key of this member's each time, as it states them. */
export function custodyKey({ genesis, self, signer, random }: CustodySource): Uint8Array {
  return signCustodyKey(genesis.hash, { node: self.id, key: random.bytes(32) }, signer);
}

/** The last one is new, where this member has a meter. */
function withNew({ newRecord }: FloodSource, records: readonly ExecutionRecord[]): readonly ExecutionRecord[] {
  return newRecord === undefined ? records : [...records.slice(1), newRecord()];
}

/** The record, which its meter has not signed. */
function spoilt({ bytes }: ExecutionRecord): ExecutionRecord {
  const changed = Uint8Array.from(bytes);
  changed[changed.length - 1]! ^= 1;
  return executionRecord(readRecord(changed));
}

function extreme(chain: number, random: Random, id: Uint8Array): Uint8Array {
  const number = random.pick(EXTREMES);
  const other = random.pick(EXTREMES);
  const [kind, items] = random.pick([
    ["needBlocks", [number]],
    ["needBody", [number, id]],
    ["needBatch", [id.subarray(0, 8), number, id, []]],
    ["accepted", [id.subarray(0, 8), number, id, []]],
    ["consensus", [7, number]],
    ["consensus", [2, number, other, id, -1, id.subarray(0, 8), new Uint8Array(64)]],
    ["consensus", [6, number, id, [other, []]]],
    ["consensus", [5, number, []]],
  ] as const);
  return encodeFrame(kind, chain, encodeCbor(items as Parameters<typeof encodeCbor>[0]));
}
