// The links between nodes, from within: a member with its own key and certificate that sends what it hears changed, statements and
// temporary blocks that it signs, messages between chains that it makes up, and rubbish. It hears the nodes' own traffic, with all of
// its frames.

import { toHex } from "../../../src/wire/bytes.js";
import { HASH_BYTES } from "../../../src/wire/hash.js";
import { headerHash } from "../../../src/wire/header.js";
import { parseAnyRecord } from "../../../src/wire/operation.js";
import { decodeMessage, encodeMessage, headOf, signedBytes } from "../../consensus/messages.js";
import { makeBatch } from "../../ledger/compose.js";
import { decodeProposalBody, encodeProposalBody } from "../../ledger/proposal.js";
import { executionRecord } from "../../ledger/record-scan.js";
import {
  byteOf,
  decodeFrame,
  encodeBatchNote,
  encodeFrame,
  encodeNeedBlocks,
  frameByte,
  frameOf,
} from "../../node/chain/frame.js";
import { CUSTODY_KEY_FRAME } from "../../node/disclosures/ports.js";
import { MESSAGE_FRAME } from "../../node/parts/messages/carrier.js";
import { fabricateCarried } from "../rig/fabricated-message.js";
import type { Random } from "../rig/random.js";
import type { LoadMeter } from "../rig/records.js";
import { custodyKey, floodFrame, floods } from "./flood.js";
import { createHeardRecords } from "./heard-records.js";
import { type MemberIdentity, startMemberLinks } from "./member-links.js";
import { mutateBytes, mutateCbor } from "./mutate.js";
import { createReservoir, type Surface } from "./surface.js";

export interface PeerTarget extends MemberIdentity {
  /** records of which temporary blocks are made */
  readonly records: readonly { readonly meter: LoadMeter; readonly record: Uint8Array }[];
}

/** Frames before the event loop gets its turn. */
const BURST = 32;
const KEPT_PER_KIND = 64;
const NUMBERS = 100_000;
/** Rounds after which every member has proposed. */
const NODES_MAX = 4;
/** Where a header has its Merkle root. */
const MERKLE_ROOT_AT = 36;
/** Changed frames that a node takes in a second without keeping this member out: more would only show that it does. */
const CHANGED_PER_S = 60;
/** One node gets floods instead, a kind at a time. */
const FLOOD_FRAMES = 2_000;
/** What waits for a node that does not read; then it gets its time. */
const QUEUE_BYTES_MAX = 20 * 1024 * 1024;
const PAUSE_MS = 20;

export async function createPeerSurface(target: PeerTarget, random: Random): Promise<Surface> {
  const { genesis, self, signer } = target;
  const selfId = toHex(self.id);
  /** by their first byte */
  const heard = new Map<number, ReturnType<typeof createReservoir>>();
  let sent = 0;
  let ended = 0;
  const records = createHeardRecords(genesis.hash);
  const { network, heightOf } = await startMemberLinks(target, {
    queue_bytes_max: QUEUE_BYTES_MAX,
    onFrame: records.onFrame,
    onMessage(message) {
      const byte = byteOf(message) ?? 0;
      const reservoir = heard.get(byte) ?? createReservoir(KEPT_PER_KIND);
      heard.set(byte, reservoir);
      reservoir.keep(Uint8Array.from(message), random);
    },
    onEnd() {
      ended += 1;
    },
  });

  function overheard(): Uint8Array | undefined {
    return heard.size === 0 ? undefined : random.pick([...heard.values()]).pick(random);
  }

  /** A frame that was heard, its payload changed. */
  function changed(): Uint8Array | undefined {
    const frame = overheard();
    if (frame === undefined) return undefined;
    const kind = random.fraction();
    if (kind < 0.15) return frame;
    if (kind < 0.3) return mutateBytes(frame, overheard()!, random);
    const payload = mutateCbor(frame.subarray(3), random) ?? mutateBytes(frame.subarray(3), frame, random);
    return Uint8Array.from([...frame.subarray(0, 3), ...payload]);
  }

  /** A statement signed by this member, about a height near the one it last spoke of. */
  function statement(): Uint8Array {
    const chain = random.pick(genesis.chains).service;
    const near = heightOf(chain);
    const height = Math.max(1, near + random.pick([-1, 0, 0, 0, 1, 2, 1_000]));
    const round = random.pick([0, 0, 1, 2, 15, 16, 17, 4_294_967_295]);
    const id = random.chance(0.3) ? null : random.bytes(32);
    const node = selfId;
    if (random.chance(0.5)) {
      const vote = { type: "precommit" as const, height, round, id };
      const signature = signer.sign(signedBytes(genesis.hash, chain, vote));
      return encodeFrame("consensus", chain, encodeMessage({ ...vote, node, signature }));
    }
    const vote = { type: "prevote" as const, height, round, id, vr: random.chance(0.7) ? -1 : Math.max(-1, round - 1) };
    const signature = signer.sign(signedBytes(genesis.hash, chain, vote));
    return encodeFrame("consensus", chain, encodeMessage({ ...vote, node, signature }));
  }

  /** A proposal that was heard as this member's own, with another Merkle root: what its contracts came to, or anything else, differs. */
  function proposal(): Uint8Array | undefined {
    const heardOf = heard.get(frameByte("consensus"))?.pick(random);
    const frame = heardOf === undefined ? undefined : decodeFrame(heardOf);
    if (frame === undefined) return undefined;
    const said = decodeMessage(frame.payload);
    if (said.type !== "proposal") return undefined;
    const body = decodeProposalBody(said.body);
    const header = Uint8Array.from(body.header);
    header[MERKLE_ROOT_AT + random.below(HASH_BYTES)]! ^= 1 << random.below(8);
    const round = said.round + random.below(NODES_MAX);
    const own = { ...said, round, vr: -1, polka: [], node: selfId, id: headerHash(header) };
    const changed = { ...own, body: encodeProposalBody({ ...body, header }) };
    const signature = signer.sign(signedBytes(genesis.hash, frame.chain, headOf(changed)));
    return encodeFrame("consensus", frame.chain, encodeMessage({ ...changed, signature }));
  }

  /** A temporary block of this member: of good records, and of records whose payload or signature was changed. */
  function temporaryBlock(): Uint8Array {
    const chain = random.pick(genesis.chains).service;
    const chosen = Array.from({ length: 1 + random.below(3) }, () => random.pick(target.records));
    const records = chosen.map(({ record }) => executionRecord(parseAnyRecord(record)));
    const number = random.chance(0.5) ? random.below(3) : random.below(NUMBERS);
    const notices = chosen.map(({ meter }) => ({ kind: "credential" as const, bytes: meter.credential }));
    const batch = { chain, origin: self.id, number, notices };
    const made = makeBatch(genesis.hash, batch, records, (message) => signer.sign(message));
    if (random.chance(0.3)) return encodeFrame("batch", chain, made.bytes);
    return encodeFrame("batch", chain, mutateCbor(made.bytes, random) ?? made.bytes);
  }

  function question(): Uint8Array {
    const chain = random.pick([...genesis.chains.map(({ service }) => service), 0, 65_535]);
    if (random.chance(0.5)) return encodeFrame("needBlocks", chain, encodeNeedBlocks(random.below(1_000)));
    const name = { origin: random.pick(genesis.nodes).id, number: random.below(100), id: random.bytes(32) };
    const signature = random.bytes(64);
    return encodeFrame(
      random.pick(["acknowledge", "accepted", "needBatch"] as const),
      chain,
      encodeBatchNote(name, [{ node: self.id, signature, verified: random.chance(0.5) }]),
    );
  }

  const flooded = target.peers.at(-1)?.id;
  let flood = random.pick(floods);
  let floodLeft = FLOOD_FRAMES;
  /** A frame of the flood that is under way for the one node. */
  function floodNext(): Uint8Array {
    floodLeft -= 1;
    if (floodLeft === 0) {
      flood = random.pick(floods);
      floodLeft = FLOOD_FRAMES;
    }
    return floodFrame(flood, { genesis, self, signer, random, heightOf, ...records });
  }

  const allowances = new Map<string, { at_ms: number; left: number }>();
  /** Whether another frame to this node is within what it takes. */
  function mayChange(id: string): boolean {
    const now_ms = performance.now();
    const { at_ms, left } = allowances.get(id) ?? { at_ms: now_ms, left: CHANGED_PER_S };
    const more = Math.min(CHANGED_PER_S, left + ((now_ms - at_ms) * CHANGED_PER_S) / 1_000);
    allowances.set(id, { at_ms: now_ms, left: more < 1 ? more : more - 1 });
    return more >= 1;
  }

  function message(): Uint8Array {
    const kind = random.fraction();
    if (kind < 0.6) return changed() ?? statement();
    if (kind < 0.75) return statement();
    if (kind < 0.8) return proposal() ?? statement();
    if (kind < 0.85) return temporaryBlock();
    if (kind < 0.88) return carriedFrame(target, random);
    if (kind < 0.96) return question();
    // Who has stated a key is a custodian, and hears envelopes.
    if (kind < 0.97) return frameOf(CUSTODY_KEY_FRAME, 0, custodyKey({ genesis, self, signer, random }));
    return random.bytes(random.below(64));
  }

  return {
    name: "peers",
    get sent() {
      return sent;
    },
    get ended() {
      return ended;
    },
    async sendSome() {
      const connected = network.connected();
      let taken = false;
      for (let count = 0; count < BURST && connected.length > 0; count += 1) {
        const id = random.pick(connected);
        if (id !== flooded && !mayChange(id)) continue;
        if (!network.send(id, id === flooded ? floodNext() : message())) continue;
        taken = true;
        sent += 1;
      }
      await new Promise((resolve) => (taken ? setImmediate(resolve) : setTimeout(resolve, PAUSE_MS)));
    },
    close: () => network.close(),
  };
}

/** A message between chains that the member has made up and signed alone, as a carrier hands it over; most are changed besides. */
function carriedFrame({ genesis, self, signer }: PeerTarget, random: Random): Uint8Array {
  const services = genesis.chains.map(({ service }) => service);
  const [to, service] = [random.pick(services), random.pick(services)];
  const place = { service, to, height: 1 + random.below(20), number: random.below(4), index: 0, orderedAt: 0 };
  const sign = (bytes: Uint8Array) => signer.sign(bytes);
  const fabricator = { genesis, node: self.id, random, sign };
  const made = fabricateCarried(fabricator, { ...place, signatures: genesis.nodes.length });
  return frameOf(MESSAGE_FRAME, to, random.chance(0.4) ? made : (mutateCbor(made, random) ?? made));
}
