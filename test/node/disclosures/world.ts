// Nodes that keep what records hide, in one process: each with a store of its own, and frames between them that a test may change or lose.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import { toHex } from "../../../src/wire/bytes.js";
import { deliveryInfo, parseEnvelope } from "../../../src/wire/envelope.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import { keyId } from "../../../src/wire/key.js";
import { type Claims, digestsOf, encodeDisclosure, parseRecord, signRecord } from "../../../src/wire/record.js";
import type { Opening } from "../../../tools/cli/access/opening.js";
import { sealVerifier } from "../../../tools/cli/access/seals.js";
import { nodeCiphers } from "../../../tools/crypto/ciphers.js";
import { generateDeliveryKeys, sealTo } from "../../../tools/crypto/hpke.js";
import { generateSeed, nodeVerify, signerFromSeed } from "../../../tools/crypto/signatures.js";
import { byteOf, chainOf, payloadOf } from "../../../tools/node/chain/frame.js";
import {
  createDisclosures,
  type Disclosures,
  type DisclosuresTerms,
} from "../../../tools/node/disclosures/disclosures.js";
import {
  CUSTODY_KEY_FRAME,
  DIVISION_FRAME,
  ENVELOPE_FRAME,
  FOUND_DISCLOSURES_FRAME,
  GROUP_QUESTION_FRAME,
  GROUP_SHARE_FRAME,
  KEPT_FRAME,
  NEED_DISCLOSURES_FRAME,
  NEED_SHARES_FRAME,
} from "../../../tools/node/disclosures/ports.js";
import { ownShare } from "../../../tools/node/disclosures/shares.js";
import { envelopes } from "../../../tools/node/disclosures/tables/envelopes.js";
import { openStore } from "../../../tools/node/store/open-store.js";
import type { Store } from "../../../tools/node/store/store.js";

export const SERVICE = 3;
export const TIME_S = 1_790_000_000;
export const genesis = { hash: new Uint8Array(32).fill(9) } as Genesis;
export const salt = new Uint8Array(16).fill(0xa5);
const meter = signerFromSeed(generateSeed());
export const kid = keyId(meter.key);

export interface World {
  readonly nodes: readonly {
    readonly ports: DisclosuresTerms;
    readonly disclosures: Disclosures;
    /** of its store */
    readonly path: string;
  }[];
  /** frames that were refused or dropped, by why */
  readonly refused: string[];
  /** Changes a frame on its way; undefined loses it. */
  passes: (from: number, to: number, frame: Uint8Array) => Uint8Array | undefined;
  now_ms: number;
  /** what nodes were charged for, in verifications, by the node that charged and the id of who was charged */
  readonly charged: Map<string, number>;
  /** signatures that were verified, rows that were written */
  verified: number;
  written: number;
  /** the node that is no member */
  without: number | undefined;
  /** a member that may keep no shares */
  abroad: number | undefined;
  /** a node that the others know no key of */
  unknown: number | undefined;
  settle(): Promise<void>;
}

export async function createWorld(t: TestContext): Promise<World> {
  const signers = Array.from({ length: 4 }, () => signerFromSeed(generateSeed()));
  const ids = signers.map(({ key }) => toHex(keyId(key)));
  const underWay: Promise<unknown>[] = [];
  const nodes: World["nodes"][number][] = [];
  const world: World = {
    nodes,
    refused: [],
    passes: (_from, _to, frame) => frame,
    now_ms: 1_000 * TIME_S,
    charged: new Map(),
    ...{ verified: 0, written: 0 },
    without: undefined,
    abroad: undefined,
    unknown: undefined,
    async settle() {
      for (let turn = 0; turn < 20; turn += 1) {
        await Promise.all(underWay.splice(0));
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    },
  };
  const deliver = async (from: number, to: number, frame: Uint8Array): Promise<string | undefined> => {
    const { disclosures } = nodes[to]!;
    const { missing } = disclosures;
    const [sender, chain, payload] = [ids[from]!, chainOf(frame), payloadOf(frame)];
    switch (byteOf(frame)) {
      case CUSTODY_KEY_FRAME:
        return disclosures.onCustodyKey(sender, payload);
      case ENVELOPE_FRAME:
        return disclosures.onEnvelope(sender, chain, payload);
      case KEPT_FRAME:
        return disclosures.onKept(sender, payload);
      case DIVISION_FRAME:
        return disclosures.onDivision(sender, chain, payload);
      case NEED_DISCLOSURES_FRAME:
        return void missing.onNeedDisclosures(sender, chain, payload);
      case FOUND_DISCLOSURES_FRAME:
        return void (await missing.onFoundDisclosures(sender, chain, payload));
      case NEED_SHARES_FRAME:
        return void (await missing.onNeedShares(sender, chain, payload));
      case GROUP_QUESTION_FRAME:
        return disclosures.groups.onQuestion(sender, chain, payload) as undefined;
      case GROUP_SHARE_FRAME:
        return disclosures.groups.onShare(sender, chain, payload) as undefined;
      default:
        return assert.fail("a frame of no other kind");
    }
  };
  for (const [index, signer] of signers.entries()) {
    const path = mkdtempSync(join(tmpdir(), "gridseal-disclosures-"));
    const self = keyId(signer.key);
    const opened = await openStore(path, { node: self, genesisHash: genesis.hash }, false);
    const store: Store = {
      ...opened,
      write(fill) {
        world.written += 1;
        const written = opened.write(fill);
        underWay.push(written.catch(() => undefined)); // who has begun it hears why
        return written;
      },
    };
    t.after(async () => {
      nodes[index]!.disclosures.close();
      await store.close().catch(() => undefined);
      rmSync(path, { recursive: true });
    });
    const ports: DisclosuresTerms = {
      ...{ genesis, signer, self, store, custody: generateDeliveryKeys(), ciphers: nodeCiphers },
      verify(...signed) {
        world.verified += 1;
        return nodeVerify(...signed);
      },
      log: { info() {}, warn() {}, debug() {}, error() {} } as never,
      nodeKey: (node) => (node === ids[world.unknown ?? -1] ? undefined : signers[ids.indexOf(node)]?.key),
      membersOf(chain) {
        if (chain !== SERVICE) return undefined;
        const members = ids.filter((_, at) => at !== world.without);
        return { members, quorum: 3, custodians: members.filter((id) => id !== ids[world.abroad ?? -1]) };
      },
      hasContract: () => true,
      connected: () => ids.filter((id) => id !== ids[index]),
      unsent_bytes: () => 0,
      charge(node, work, amount) {
        const name = `${index} ${node}`;
        if (work === "verification") world.charged.set(name, (world.charged.get(name) ?? 0) + amount);
      },
      chains: () => [SERVICE],
      onFatal: (error) => assert.fail(String(error)),
      send(node, frame) {
        const to = ids.indexOf(node);
        const passed = world.passes(index, to, frame);
        if (passed === undefined) return;
        const taken = Promise.resolve().then(() => deliver(index, to, passed));
        underWay.push(
          taken.then(
            (reason) => void (reason !== undefined && world.refused.push(reason)),
            (error: Error) => void world.refused.push(error.message),
          ),
        );
      },
      now_ms: () => world.now_ms,
      after(delay_ms, callback) {
        const timer = setTimeout(callback, delay_ms);
        timer.unref();
        return () => clearTimeout(timer);
      },
      afterOthers: () => setImmediate(),
    };
    nodes.push({ ports, path, disclosures: createDisclosures(ports) });
  }
  return world;
}

/** All state their keys, and at the next tick have written those of the others. */
export async function greet(world: World): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) {
    for (const { disclosures } of world.nodes) disclosures.tick();
    await world.settle();
  }
}

export function reading(seq: number, time_s = TIME_S) {
  const hidden = encodeDisclosure({
    salt,
    label: "power",
    registers: [{ obis: Uint8Array.of(1, 0, 1, 7, 0, 255), value: 4_321, scaler: 0, unit: 27 }],
  });
  const previous = seq === 0 ? new Uint8Array(0) : new Uint8Array(32);
  const claims: Claims = {
    service: SERVICE,
    serviceId: 0,
    seq,
    previous,
    time_s,
    quality: 2,
    digests: digestsOf([hidden]),
  };
  return { hidden, record: parseRecord(signRecord(claims, [hidden], meter, kid)) };
}

export async function sealedBy({ disclosures }: World["nodes"][number], seq = 0, time_s = TIME_S) {
  const sealing = await disclosures.seal(reading(seq, time_s).record);
  assert.ok(sealing.type === "sealed", sealing.type === "unready" ? sealing.reason : "");
  return sealing.sealed;
}

export function keptBy({ ports }: World["nodes"][number]) {
  return ports.store.range(envelopes, {}).map(({ row }) => ({
    row,
    envelope: parseEnvelope(genesis.hash, row.bytes),
  }));
}

export function openingBy(): Opening {
  const keys = generateDeliveryKeys();
  return {
    ...{ genesis, keys, grant: "00-1", service: SERVICE, meter: toHex(kid), envelopes: new Map() },
    verifySeal: sealVerifier({ genesis, service: SERVICE, lineage: [], verify: nodeVerify }),
  };
}

export function deliveryOf({ ports }: World["nodes"][number], { keys, grant }: Opening, share?: Uint8Array) {
  const { row, envelope } = keptBy({ ports } as never)[0]!;
  const own = share ?? ownShare(ports, envelope, row)!;
  return {
    envelope: row.bytes,
    division: undefined,
    sealed: sealTo(keys.key, deliveryInfo(envelope.id, ports.self, grant), own),
  };
}
