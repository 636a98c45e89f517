// What records hide between four nodes in one process: keys are split before anything is encrypted, f + 1 shares open, false shares are
// refused by custodians and named by who opens, keys are forgotten with their day.

import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { encodeCbor } from "../../../src/wire/cbor.js";
import {
  custodyInfo,
  DAY_S,
  sealedShareToItems,
  shareCommitment,
  signCustodyKey,
  signEnvelope,
} from "../../../src/wire/envelope.js";
import { verifyErased } from "../../../src/wire/erased.js";
import { decodeDisclosures } from "../../../src/wire/sealed-disclosure.js";
import { encodeValue } from "../../../src/wire/value.js";
import { openDisclosures } from "../../../tools/crypto/day-key.js";
import { dayKeys, takeShare } from "../../../tools/crypto/delivered-shares.js";
import { generateDeliveryKeys, sealTo } from "../../../tools/crypto/hpke.js";
import { nodeVerify } from "../../../tools/crypto/signatures.js";
import { byteOf, frameOf } from "../../../tools/node/chain/frame.js";
import { contractState } from "../../../tools/node/chain/tables/contract-state.js";
import { putSealed, sealedDisclosures } from "../../../tools/node/chain/tables/sealed-disclosures.js";
import { createEnvelopeLimits, ENVELOPES_OF_DAY_MAX } from "../../../tools/node/disclosures/envelope-limits.js";
import { CUSTODY_KEY_FRAME, ENVELOPE_FRAME } from "../../../tools/node/disclosures/ports.js";
import { ownShare, placeKeyOf } from "../../../tools/node/disclosures/shares.js";
import { custodyKeys } from "../../../tools/node/disclosures/tables/custody-keys.js";
import { envelopes } from "../../../tools/node/disclosures/tables/envelopes.js";
import { erasures } from "../../../tools/node/disclosures/tables/erasures.js";
import { backupStore } from "../../../tools/node/store/backup.js";
import { idKey, stateKey } from "../../../tools/node/store/keys.js";
import { PAGES_FILE } from "../../../tools/node/store/lmdb.js";
import { rewriteErased } from "../../../tools/node/store/rewriting.js";
import {
  createWorld,
  deliveryOf,
  genesis,
  greet,
  keptBy,
  kid,
  openingBy,
  reading,
  SERVICE,
  salt,
  sealedBy,
  TIME_S,
  type World,
} from "./world.js";

/** Keys that a node makes for one meter before it makes it wait. */
const DAYS_AT_ONCE = 400;

test("nothing is encrypted before a quorum has stated its custody keys", async (t) => {
  const world = await createWorld(t);
  const sealing = await world.nodes[0]!.disclosures.seal(reading(0).record);
  assert.deepEqual(sealing, { type: "unready", reason: "only 1 of 4 members have stated a custody key yet" });
});

test("a member that states a key of low order is left out, named, and holds nothing up", async (t) => {
  const world = await createWorld(t);
  const liar = world.nodes[3]!.ports;
  const lie = signCustodyKey(genesis.hash, { node: liar.self, key: new Uint8Array(32) }, liar.signer);
  world.passes = (from, _to, frame) =>
    from === 3 && byteOf(frame) === CUSTODY_KEY_FRAME ? frameOf(CUSTODY_KEY_FRAME, 0, lie) : frame;
  await greet(world);
  const sealed = await sealedBy(world.nodes[0]!);
  assert.ok(sealed.ciphertext.length > 0, "readings go on being encrypted");
  await world.settle();
  const [{ envelope }] = keptBy(world.nodes[0]!) as [ReturnType<typeof keptBy>[number]];
  assert.equal(envelope.custodians.length, 3, "without it");
  assert.deepEqual(world.nodes[0]!.disclosures.unusable(), [toHex(liar.self)]);
  assert.deepEqual(
    world.refused,
    Array.from({ length: 3 }, () => "custody key is none that anything can be sealed to"),
  );
  world.passes = (_from, _to, frame) => frame;
  const [good] = [signCustodyKey(genesis.hash, { node: liar.self, key: liar.custody.key }, liar.signer)];
  await world.nodes[0]!.disclosures.onCustodyKey(toHex(liar.self), good);
  assert.deepEqual(world.nodes[0]!.disclosures.unusable(), [], "it is believed again once its key is one");
});

test("a custody key that is stated again is neither verified nor written again", async (t) => {
  const world = await createWorld(t);
  await greet(world);
  const [liar, victim] = world.nodes as [World["nodes"][number], World["nodes"][number]];
  const { self, signer, custody } = liar.ports;
  const statement = signCustodyKey(genesis.hash, { node: self, key: custody.key }, signer);
  await greet(world);
  const before = { verified: world.verified, written: world.written };
  for (let count = 0; count < 100; count += 1) {
    assert.equal(await victim.disclosures.onCustodyKey(toHex(self), statement), undefined);
  }
  victim.disclosures.tick();
  await world.settle();
  assert.deepEqual({ verified: world.verified, written: world.written }, before);
});

test("a member that states another custody key each time costs one write a tick, and the last one counts", async (t) => {
  const world = await createWorld(t);
  await greet(world);
  await greet(world);
  const [liar, victim] = world.nodes as [World["nodes"][number], World["nodes"][number]];
  const { self, signer } = liar.ports;
  const before = { verified: world.verified, written: world.written };
  let last = new Uint8Array(0);
  for (let count = 0; count < 100; count += 1) {
    last = Uint8Array.from(signCustodyKey(genesis.hash, { node: self, key: generateDeliveryKeys().key }, signer));
    assert.equal(await victim.disclosures.onCustodyKey(toHex(self), last), undefined);
  }
  assert.deepEqual([world.verified, world.written], [before.verified + 100, before.written], "nothing is written yet");
  victim.disclosures.tick();
  await world.settle();
  assert.equal(world.written, before.written + 1);
  assert.deepEqual(victim.ports.store.get(custodyKeys, idKey(0, self)), Buffer.from(last));
});

test("a key of low order that the store was told of before is none", async (t) => {
  const world = await createWorld(t);
  const [first, second] = world.nodes as [World["nodes"][number], World["nodes"][number]];
  await greet(world);
  const lie = signCustodyKey(genesis.hash, { node: second.ports.self, key: new Uint8Array(32) }, second.ports.signer);
  await first.ports.store.write((writer) => writer.put(custodyKeys, idKey(0, second.ports.self), lie));
  await sealedBy(first);
});

test("each custodian keeps its own share, two open what a record hides, and one does not", async (t) => {
  const world = await createWorld(t);
  await greet(world);
  const sealed = await sealedBy(world.nodes[0]!);
  await world.settle();
  assert.deepEqual(world.refused, []);
  for (const [index, node] of world.nodes.entries()) {
    const [{ row, envelope }] = keptBy(node) as [ReturnType<typeof keptBy>[number]];
    assert.equal(row.shares.length, index === 0 ? 4 : 1, "the origin can give lost shares again, sealed");
    assert.equal(envelope.threshold, 2);
    assert.ok(ownShare(node.ports, envelope, row) !== undefined, "its own share opens");
    assert.ok(!Buffer.from(row.bytes).includes(Buffer.from(salt)), "no salt in an envelope");
  }
  assert.ok(!Buffer.from(sealed.ciphertext).includes(Buffer.from(salt)), "no salt in a ciphertext");
  for (const [one, other] of [[1, 2] as const, [0, 3] as const]) {
    const opening = openingBy();
    for (const index of [one, other]) {
      const node = world.nodes[index]!;
      assert.equal(takeShare(opening, toHex(node.ports.self), deliveryOf(node, opening)), undefined);
      const found = await dayKeys(opening);
      const key = found.get(toHex(sealed.envelope));
      if (index === one) assert.equal(key, undefined, "one share opens nothing");
      else assert.deepEqual(decodeDisclosures(openDisclosures(key!, sealed)!), [reading(0).hidden]);
    }
  }
});

test("a custodian that delivers a false share is named, and the others open without it", async (t) => {
  const world = await createWorld(t);
  await greet(world);
  const sealed = await sealedBy(world.nodes[0]!);
  await world.settle();
  const opening = openingBy();
  const liar = world.nodes[1]!;
  const said = takeShare(opening, toHex(liar.ports.self), deliveryOf(liar, opening, new Uint8Array(33).fill(7)));
  assert.equal(said, `node ${toHex(liar.ports.self)} delivers a share that its envelope does not state`);
  const stolen = deliveryOf(world.nodes[2]!, opening);
  assert.match(takeShare(opening, toHex(liar.ports.self), stolen)!, /not sealed to this key/, "another's share");
  for (const node of world.nodes.slice(2)) takeShare(opening, toHex(node.ports.self), deliveryOf(node, opening));
  const key = (await dayKeys(opening)).get(toHex(sealed.envelope))!;
  assert.deepEqual(decodeDisclosures(openDisclosures(key, sealed)!), [reading(0).hidden]);
});

test("a share that its envelope does not state is not kept, nor an envelope of somebody else", async (t) => {
  const world = await createWorld(t);
  await greet(world);
  world.passes = (_from, to, frame) => {
    if (byteOf(frame) !== ENVELOPE_FRAME || to !== 3) return frame;
    const changed = Uint8Array.from(frame);
    changed[changed.length - 1]! ^= 1; // the end of the sealed share
    return changed;
  };
  await sealedBy(world.nodes[0]!);
  await world.settle();
  assert.deepEqual(world.refused, ["share is not the one that its envelope states"]);
  assert.deepEqual(keptBy(world.nodes[3]!), []);
  const [{ row, envelope }] = keptBy(world.nodes[0]!) as [ReturnType<typeof keptBy>[number]];
  const [origin, liar, , last] = world.nodes.map(({ ports }) => toHex(ports.self)) as [string, string, string, string];
  const forged = signEnvelope(genesis.hash, envelope, world.nodes[1]!.ports.signer);
  const { sealed } = row.shares.find(({ node }) => toHex(node) === last)!;
  const bring = (from: string, { bytes }: { readonly bytes: Uint8Array }) =>
    world.nodes[3]!.disclosures.onEnvelope(from, SERVICE, encodeCbor([bytes, sealedShareToItems(sealed)]));
  assert.equal(await bring(liar, envelope), "envelope-foreign", "by another node than its origin");
  await assert.rejects(bring(origin, forged), /not signed by its origin/);
  assert.deepEqual(keptBy(world.nodes[3]!), []);
  assert.equal(await bring(origin, envelope), undefined, "as it was made");
  assert.equal(keptBy(world.nodes[3]!).length, 1);
});

test("a quorum is waited for, and one lost node holds nothing up", async (t) => {
  const world = await createWorld(t);
  await greet(world);
  world.passes = (_from, to, frame) => (to === 3 ? undefined : frame);
  await sealedBy(world.nodes[0]!);
  await world.settle();
  assert.deepEqual(keptBy(world.nodes[3]!), []);
  world.passes = (_from, _to, frame) => frame;
  world.now_ms += 3_000;
  await greet(world);
  assert.equal(keptBy(world.nodes[3]!).length, 1, "it is sent again");
});

test("records of one day have one envelope; a key is forgotten with its day, and another one is made", async (t) => {
  const world = await createWorld(t);
  await greet(world);
  const [node] = world.nodes as [World["nodes"][number]];
  const [first, second] = [await sealedBy(node), await sealedBy(node, 1)];
  assert.deepEqual(first.envelope, second.envelope);
  const next = await sealedBy(node, 2, TIME_S + DAY_S);
  assert.notDeepEqual(next.envelope, first.envelope, "the next day");
  world.now_ms += 2_000 * DAY_S;
  node.disclosures.tick();
  const late = await sealedBy(node, 3);
  assert.notDeepEqual(late.envelope, first.envelope, "the first day again, after it was over");
  assert.equal(keptBy(node).length, 3);
});

test("a meter that speaks of one day after the other is given keys for so many, and more as time passes", async (t) => {
  const world = await createWorld(t);
  await greet(world);
  const [node] = world.nodes as [World["nodes"][number]];
  const sealingOf = (day: number) => node.disclosures.seal(reading(day, TIME_S - day * DAY_S).record);
  const kinds = new Set<string>();
  for (let day = 0; day < DAYS_AT_ONCE; day += 1) kinds.add((await sealingOf(day)).type);
  assert.deepEqual([...kinds], ["sealed"], "an outbox of a year");
  const unready = { type: "unready", reason: "more days of this meter come at once than this node makes keys for" };
  assert.deepEqual(await sealingOf(DAYS_AT_ONCE), unready);
  assert.equal((await sealingOf(0)).type, "sealed", "what has its key goes on");
  world.now_ms += 60_000;
  assert.equal((await sealingOf(DAYS_AT_ONCE)).type, "sealed");
});

test("a key is forgotten on the timer once the chain has other members", async (t) => {
  const world = await createWorld(t);
  await greet(world);
  const [node] = world.nodes as [World["nodes"][number]];
  const first = await sealedBy(node);
  const [{ envelope }] = keptBy(node) as [ReturnType<typeof keptBy>[number]];
  world.without = 3;
  node.disclosures.tick();
  const other = toHex(world.nodes[1]!.ports.self);
  assert.equal(node.disclosures.onKept(other, envelope.id), undefined, "its key may be of a life before");
  world.without = undefined;
  assert.notDeepEqual((await sealedBy(node, 1)).envelope, first.envelope);
});

test("a custodian takes no envelope of a day that has not begun, of another division, and no flood of them", async (t) => {
  const world = await createWorld(t);
  await greet(world);
  await sealedBy(world.nodes[0]!);
  await world.settle();
  const [origin, custodian] = world.nodes as [World["nodes"][number], World["nodes"][number]];
  const [{ envelope }] = keptBy(origin) as [ReturnType<typeof keptBy>[number]];
  const { self, custody } = custodian.ports;
  const bring = (changed: Partial<typeof envelope>, number: number) => {
    const share = new Uint8Array(33).fill(1);
    const custodians = (changed.custodians ?? envelope.custodians).map((each) =>
      equalBytes(each.node, self) ? { ...each, commitment: shareCommitment(share) } : each,
    );
    const own = { ...envelope, ...changed, custodians, salt: new Uint8Array(16).fill(number) };
    const signed = signEnvelope(genesis.hash, own, origin.ports.signer);
    const sealed = sealTo(custody.key, custodyInfo(signed.id, self), share);
    const payload = encodeCbor([signed.bytes, sealedShareToItems(sealed)]);
    return custodian.disclosures.onEnvelope(toHex(origin.ports.self), SERVICE, payload);
  };
  assert.equal(await bring({ day: envelope.day + 2 }, 1), "envelope-limit");
  assert.equal(await bring({ day: envelope.day + 1 }, 1), undefined, "a clock may be ahead");
  await assert.rejects(bring({ threshold: 1 }, 2), /opens with 1 shares, where 2 are asked for/);
  const few = envelope.custodians.filter(({ node }) => equalBytes(node, self));
  await assert.rejects(bring({ custodians: few, threshold: 1 }, 2), /no quorum of the members/);
  for (let number = 0; number < ENVELOPES_OF_DAY_MAX - 1; number += 1) {
    assert.equal(await bring({}, number), undefined, `envelope ${number} of the day`);
  }
  assert.equal(await bring({}, ENVELOPES_OF_DAY_MAX), "envelope-limit", "one more of the day");
});

test("an origin brings so many envelopes of meters that nobody knows, and others later", () => {
  let now_ms = 0;
  const limits = createEnvelopeLimits(() => now_ms);
  const taken = (isKnown: boolean) => {
    let count = 0;
    while (limits.take("a", isKnown)) count += 1;
    return count;
  };
  assert.equal(taken(false), 1_000);
  assert.equal(taken(true), 49_000, "those of known meters count apart");
  assert.ok(limits.take("b", false), "another origin has its own");
  now_ms += 10_000;
  assert.equal(taken(false), 1);
});

/** The state of a chain that has sealed an erasure of days of the meter. */
async function sealErasure({ ports }: World["nodes"][number], from: number, until: number): Promise<void> {
  const row = [from, until, "cc00000000000001-4", TIME_S];
  await ports.store.write((writer) =>
    writer.put(contractState, stateKey(SERVICE, `access/erased/${toHex(kid)}`), encodeValue([row])),
  );
}

test("what is erased is gone from every member's store, file and backup, and each says so", async (t) => {
  const world = await createWorld(t);
  await greet(world);
  const [origin] = world.nodes as [World["nodes"][number]];
  const day = Math.floor(TIME_S / DAY_S);
  const erased = [await sealedBy(origin, 0), await sealedBy(origin, 1)];
  const stays = await sealedBy(origin, 2, TIME_S + DAY_S);
  await world.settle();
  for (const { ports } of world.nodes) {
    await ports.store.write((writer) => {
      for (const each of [...erased, stays]) putSealed(writer, { chain: SERVICE, origin: origin.ports.self }, each);
    });
  }
  const secretsOf = (node: World["nodes"][number]) => {
    const shares = keptBy(node).filter(({ envelope }) => envelope.day === day);
    return [
      ...erased.map(({ ciphertext }) => ciphertext),
      ...shares.flatMap(({ row }) => row.shares.map(({ sealed }) => sealed.ciphertext)),
    ];
  };
  const foundIn = (folder: string, secrets: readonly Uint8Array[]) => {
    const file = readFileSync(join(folder, PAGES_FILE));
    return secrets.filter((secret) => file.includes(Buffer.from(secret))).length;
  };
  for (const [index, node] of world.nodes.entries()) {
    const { ports, disclosures, path } = node;
    const secrets = secretsOf(node);
    assert.equal(secrets.length, index === 0 ? 6 : 3, "ciphertexts, and the shares that it keeps");
    assert.equal(foundIn(path, secrets), secrets.length, "all of it is in the file before");
    const before = `${path}-before`;
    await backupStore(path, before);
    t.after(() => rmSync(before, { recursive: true }));
    await sealErasure(node, day, day + 1);
    assert.ok(!disclosures.erasing.concerns(SERVICE, toHex(kid)), "not looked at yet");
    await disclosures.erasing.all(SERVICE);
    assert.ok(disclosures.erasing.concerns(SERVICE, toHex(kid)), "what comes later is erased as well");
    const left = ports.store.range(sealedDisclosures, {}).map(({ row }) => row.seq);
    assert.deepEqual(left, [2], "the other day's stays");
    assert.deepEqual(new Set(keptBy(node).map(({ envelope }) => envelope.day)), new Set([day + 1]));
    const statement = ports.store.range(erasures, {})[0]!.row;
    const said = verifyErased(genesis.hash, statement, (node) => ports.nodeKey(toHex(node)), nodeVerify);
    assert.deepEqual([said.from, said.until, said.envelopes, said.disclosures], [day, day + 1, 1, 2]);

    const backup = `${path}-backup`;
    await backupStore(path, backup);
    t.after(() => rmSync(backup, { recursive: true }));
    assert.equal(foundIn(backup, secrets), 0, "a backup has nothing of it");
    await ports.store.close();
    await rewriteErased(path);
    assert.equal(foundIn(path, secrets), 0, "nor has the file, once it is written anew");
  }
});

test("a day key that is open is forgotten with its days, and what a backup brings back is erased at the next start", async (t) => {
  const world = await createWorld(t);
  await greet(world);
  const [origin] = world.nodes as [World["nodes"][number]];
  const day = Math.floor(TIME_S / DAY_S);
  const first = await sealedBy(origin, 0);
  await world.settle();
  await origin.ports.store.write((writer) => putSealed(writer, { chain: SERVICE, origin: origin.ports.self }, first));
  await sealErasure(origin, day, day + 1);
  await origin.disclosures.erasing.all(SERVICE);
  const later = await sealedBy(origin, 1);
  assert.notDeepEqual(later.envelope, first.envelope, "another key");
  // As after a backup from before: the row is there, and the statement too.
  await origin.ports.store.write((writer) => putSealed(writer, { chain: SERVICE, origin: origin.ports.self }, later));
  const statement = origin.ports.store.range(erasures, {})[0]!.row;
  await origin.disclosures.erasing.all(SERVICE);
  assert.deepEqual(origin.ports.store.range(sealedDisclosures, {}), [], "gone again");
  assert.deepEqual(keptBy(origin), []);
  assert.deepEqual(origin.ports.store.range(erasures, {})[0]?.row, statement, "what it has said stays");
});

test("a member that stands where it may keep no shares gets none, and takes none of a liar", async (t) => {
  const world = await createWorld(t);
  await greet(world);
  const [origin, , , abroad] = world.nodes as [World["nodes"][number], ...World["nodes"][number][]];
  const before = await sealedBy(origin);
  await world.settle();
  world.abroad = 3;
  world.now_ms += 2_000 * DAY_S;
  origin.disclosures.tick();
  const after = await sealedBy(origin, 1, TIME_S + 2 * DAY_S);
  await world.settle();
  const [first, second] = [before, after].map(({ envelope }) =>
    keptBy(origin).find(({ envelope: each }) => equalBytes(each.id, envelope)),
  );
  assert.deepEqual([first?.envelope.custodians.length, second?.envelope.custodians.length], [4, 3]);
  assert.equal(keptBy(abroad!).length, 1, "it keeps what it had, and no more");
  const { bytes, shares } = first!.row;
  const { sealed } = shares.find(({ node }) => equalBytes(node, world.nodes[1]!.ports.self))!;
  await world.nodes[1]!.ports.store.write((writer) => writer.delete(envelopes, placeKeyOf(first!.envelope)));
  const bring = world.nodes[1]!.disclosures.onEnvelope(
    toHex(origin.ports.self),
    SERVICE,
    encodeCbor([bytes, sealedShareToItems(sealed)]),
  );
  await assert.rejects(bring, /no quorum of the members that may keep shares/);
});

test("a node that an order admits after it came states its custody key again, and keeps shares from then on", async (t) => {
  const world = await createWorld(t);
  const [origin] = world.nodes as [World["nodes"][number]];
  world.unknown = 3;
  await greet(world);
  await sealedBy(origin);
  const custodiansOf = (at: number) => keptBy(origin)[at]?.envelope.custodians.length;
  assert.equal(custodiansOf(0), 3);
  world.unknown = undefined;
  world.now_ms += 20_000;
  await greet(world);
  await sealedBy(origin, 1, TIME_S + DAY_S);
  assert.equal(custodiansOf(1), 4);
});
