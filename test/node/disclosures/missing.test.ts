// What a member lacks as it was away, or came later: ciphertexts of any member, but not of a liar; its own share of its origin; parts of
// others' shares where the chain has other members than when the record was sealed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { decodeCbor, encodeCbor } from "../../../src/wire/cbor.js";
import { parseDivision } from "../../../src/wire/division.js";
import { sealedShareFrom } from "../../../src/wire/envelope.js";
import { decodeDisclosures, decodeSealedList, encodeSealedList } from "../../../src/wire/sealed-disclosure.js";
import { asArray, asBytes } from "../../../src/wire/shape.js";
import { encodeValue } from "../../../src/wire/value.js";
import type { Opening } from "../../../tools/cli/access/opening.js";
import { openDisclosures } from "../../../tools/crypto/day-key.js";
import { dayKeys, takeShare } from "../../../tools/crypto/delivered-shares.js";
import { byteOf, frameOf, payloadOf } from "../../../tools/node/chain/frame.js";
import { contractState } from "../../../tools/node/chain/tables/contract-state.js";
import { putSealed } from "../../../tools/node/chain/tables/sealed-disclosures.js";
import { type Grant, sharesOf } from "../../../tools/node/disclosures/grants.js";
import { encodeAsked, encodeAskedRecords } from "../../../tools/node/disclosures/missing/asking.js";
import { DIVISION_FRAME, ENVELOPE_FRAME, FOUND_DISCLOSURES_FRAME } from "../../../tools/node/disclosures/ports.js";
import { ownShare } from "../../../tools/node/disclosures/shares.js";
import { custodyKeys } from "../../../tools/node/disclosures/tables/custody-keys.js";
import { divisions } from "../../../tools/node/disclosures/tables/divisions.js";
import { idKey, stateKey } from "../../../tools/node/store/keys.js";
import { blockOf, comeBack, createAway, DAY, look, type Member, missingAt, PAUSE_MS, sealedAt } from "./away.js";
import { createWorld, genesis, greet, keptBy, kid, openingBy, reading, SERVICE, sealedBy, TIME_S } from "./world.js";

test("a member that was away has the ciphertexts and its share of the key in the end, and says what it lacks meanwhile", async (t) => {
  const seqs = [0, 1, 2];
  const { world, origin, away, sealed } = await createAway(t, seqs);
  assert.deepEqual(keptBy(away), []);
  away.disclosures.missing.sealed(blockOf(1, origin, ...seqs));
  world.passes = () => undefined;
  await look(world, away);
  assert.deepEqual(away.disclosures.missing.of(SERVICE), {
    isKnown: true,
    disclosures: { count: 3, since_s: Math.floor(world.now_ms / 1_000) },
    shares: { count: 0, since_s: undefined, origins: [] },
  });
  world.passes = (_from, _to, frame) => frame;
  for (const waited_ms of [2_500, PAUSE_MS]) {
    world.now_ms += waited_ms;
    await look(world, away);
  }
  assert.deepEqual(sealedAt(away), sealed);
  for (let turn = 0; turn < 3; turn += 1) {
    world.now_ms += PAUSE_MS;
    await look(world, away);
  }
  const [{ row, envelope }] = keptBy(away) as [ReturnType<typeof keptBy>[number]];
  assert.ok(ownShare(away.ports, envelope, row) !== undefined, "the origin gives its share again");
  assert.deepEqual(missingAt(away), [0, 0]);
  const { disclosures, shares } = away.disclosures.missing.of(SERVICE)!;
  assert.deepEqual(
    [disclosures.count, disclosures.since_s, shares.count, shares.since_s],
    [0, undefined, 0, undefined],
  );
  assert.deepEqual(world.refused, []);
});

test("a custodian keeps its share when another one's part of the same key comes at the same time", async (t) => {
  const { world, origin, away } = await createAway(t, [0]);
  const coming = new Map<number, Uint8Array>();
  world.passes = (_from, to, frame) => {
    const isShare = byteOf(frame) === ENVELOPE_FRAME || byteOf(frame) === DIVISION_FRAME;
    if (to !== 3 || !isShare) return frame;
    coming.set(byteOf(frame)!, frame);
    return undefined;
  };
  await comeBack(world, away, origin, [0]);
  const [share, part] = [coming.get(ENVELOPE_FRAME)!, coming.get(DIVISION_FRAME)!];
  const dealer = toHex(
    parseDivision(genesis.hash, asBytes(asArray(decodeCbor(payloadOf(part)), "part", 3)[1]!, "division")).dealer,
  );
  const { disclosures } = away;
  await Promise.all([
    disclosures.onEnvelope(toHex(origin.ports.self), SERVICE, payloadOf(share)),
    disclosures.onDivision(dealer, SERVICE, payloadOf(part)),
  ]);
  const [{ row, envelope }] = keptBy(away) as [ReturnType<typeof keptBy>[number]];
  assert.ok(ownShare(away.ports, envelope, row) !== undefined);
  assert.equal(away.ports.store.range(divisions, {}).length, 1);
});

test("a ciphertext that a liar brings is not taken, and one that f + 1 members have alike is", async (t) => {
  const { world, origin, away, sealed } = await createAway(t, [0]);
  const lie = (frame: Uint8Array) => {
    const changed = decodeSealedList(payloadOf(frame)).map((each) => {
      return { ...each, ciphertext: Uint8Array.from(each.ciphertext).fill(1, 0, 4) };
    });
    return frameOf(FOUND_DISCLOSURES_FRAME, SERVICE, encodeSealedList(changed));
  };
  let lies = 0;
  world.passes = (from, to, frame) => {
    if (from === 0 || to === 0) return undefined; // the origin is down
    if (byteOf(frame) !== FOUND_DISCLOSURES_FRAME || from !== 1) return frame;
    lies += 1;
    return lie(frame);
  };
  away.disclosures.missing.sealed(blockOf(1, origin, 0));
  for (let turn = 0; turn < 6; turn += 1) {
    world.now_ms += PAUSE_MS + 2_500;
    await look(world, away);
  }
  assert.ok(lies > 1, "it was asked");
  assert.deepEqual(sealedAt(away), [], "one liar and one member that says the truth are not two alike");
  assert.deepEqual(missingAt(away), [1, 0]);
  world.passes = (from, to, frame) => (from === 0 || to === 0 ? undefined : frame);
  for (let turn = 0; turn < 6; turn += 1) {
    world.now_ms += PAUSE_MS + 2_500;
    await look(world, away);
  }
  assert.deepEqual(sealedAt(away), sealed);
});

test("what was not asked for is not taken, and who is no member is told nothing", async (t) => {
  const { world, origin, second, away, sealed } = await createAway(t, [0]);
  const from = toHex(second.ports.self);
  await away.disclosures.missing.onFoundDisclosures(from, SERVICE, encodeSealedList(sealed));
  assert.deepEqual(sealedAt(away), []);
  world.without = 3;
  const { record } = reading(0);
  const name = { meter: kid, number: 0, hash: record.hash };
  const question = encodeAskedRecords([{ ...name, origin: origin.ports.self }]);
  const stranger = toHex(away.ports.self);
  assert.throws(() => origin.disclosures.missing.onNeedDisclosures(stranger, SERVICE, question), { code: "untimely" });
  await assert.rejects(origin.disclosures.missing.onNeedShares(stranger, SERVICE, encodeAsked([name])), {
    code: "untimely",
  });
  for (const bad of [encodeCbor([]), encodeCbor([[kid, 1]]), encodeCbor(7), Uint8Array.of(0xff)]) {
    assert.throws(() => origin.disclosures.missing.onNeedDisclosures(from, SERVICE, bad), { name: "WireError" });
  }
});

test("what is erased is looked for no more", async (t) => {
  const { world, origin, away } = await createAway(t, [0]);
  const row = [DAY, DAY + 1, "cc00000000000001-4", TIME_S];
  await away.ports.store.write((writer) =>
    writer.put(contractState, stateKey(SERVICE, `access/erased/${toHex(kid)}`), encodeValue([row])),
  );
  await comeBack(world, away, origin, [0]);
  assert.deepEqual([sealedAt(away), missingAt(away)], [[], [0, 0]]);
});

/** All that these members deliver on a grant of the day. */
function deliver(opening: Opening, members: readonly Member[]): string[] {
  return members.flatMap(({ ports }) => {
    const grant = { id: opening.grant, chain: SERVICE, meter: toHex(kid), key: toHex(opening.keys.key) } as Grant;
    return [...sharesOf(ports, grant, DAY)].flatMap((bytes) => {
      const [envelope, division, enc, ciphertext] = asArray(decodeCbor(bytes), "share", 4);
      const complaint = takeShare(opening, toHex(ports.self), {
        envelope: asBytes(envelope, "envelope"),
        division: division === null ? undefined : asBytes(division, "division"),
        sealed: sealedShareFrom([enc!, ciphertext!], "share"),
      });
      return complaint ?? [];
    });
  });
}

/** Three members seal a reading; then the first goes, and a fourth comes in its place. */
async function createReplaced(t: Parameters<typeof createWorld>[0]) {
  const world = await createWorld(t);
  await greet(world);
  world.without = 3;
  const [gone, second, third, came] = world.nodes as [Member, Member, Member, Member];
  const sealed = await sealedBy(gone);
  await world.settle();
  for (const { ports } of [gone, second, third]) {
    await ports.store.write((writer) => putSealed(writer, { chain: SERVICE, origin: gone.ports.self }, sealed));
  }
  world.without = 0;
  world.passes = (from, to, frame) => (from === 0 || to === 0 ? undefined : frame);
  await came.disclosures.missing.tick();
  return { world, second, third, came, sealed, gone };
}

test("a member that came in another one's place opens with f + 1 of the new members what the old ones kept", async (t) => {
  const { world, second, third, came, sealed, gone } = await createReplaced(t);
  await comeBack(world, came, gone, [0]);
  assert.deepEqual(sealedAt(came), [sealed]);
  assert.deepEqual(missingAt(came), [0, 0]);
  assert.deepEqual(world.refused, []);
  for (const pair of [
    [came, second],
    [third, came],
    [second, third],
  ]) {
    const opening = openingBy();
    assert.deepEqual(deliver(opening, pair), []);
    const key = (await dayKeys(opening)).get(toHex(sealed.envelope));
    assert.deepEqual(decodeDisclosures(openDisclosures(key!, sealed)!), [reading(0).hidden]);
  }
  for (const one of [came, second, third]) {
    const opening = openingBy();
    deliver(opening, [one]);
    assert.equal((await dayKeys(opening)).size, 0, "one of them opens nothing");
  }
});

test("parts come again until they are kept, and one that its division does not state is not", async (t) => {
  const { world, second, third, came, gone } = await createReplaced(t);
  let isChanged = true;
  const passes = world.passes;
  world.passes = (from, to, frame) => {
    if (byteOf(frame) !== DIVISION_FRAME || to !== 3 || !isChanged) return passes(from, to, frame);
    const changed = Uint8Array.from(frame);
    changed[changed.length - 1]! ^= 1; // the end of the sealed part
    return changed;
  };
  await comeBack(world, came, gone, [0]);
  assert.ok(world.refused.includes("part of a share is not the one that its division states"), world.refused.join());
  assert.deepEqual(missingAt(came), [0, 1]);
  isChanged = false;
  for (let turn = 0; turn < 4; turn += 1) {
    world.now_ms += PAUSE_MS + 61_000;
    for (const { disclosures } of [second, third]) disclosures.tick();
    await look(world, came);
  }
  assert.deepEqual(missingAt(came), [0, 0]);
});

test("a dealer whose parts make another share is named, and others open without it", async (t) => {
  const { world, second, third, came, sealed, gone } = await createReplaced(t);
  await comeBack(world, came, gone, [0]);
  const opening = openingBy();
  deliver(opening, [came, second]);
  const [opened] = [...opening.envelopes.values()];
  const lied = [...opened!.divisions.values()].find(({ division }) => equalBytes(division.dealer, third.ports.self))!;
  for (const [node, part] of lied.parts)
    lied.parts.set(
      node,
      Uint8Array.from(part, (byte, at) => (at === 0 ? byte ^ 1 : byte)),
    );
  const complaints: string[] = [];
  assert.equal((await dayKeys(opening, complaints)).size, 0);
  assert.deepEqual(complaints, [
    `node ${toHex(third.ports.self)} has divided its share of a day key into parts of another`,
  ]);
  deliver(opening, [third]);
  assert.ok((await dayKeys(opening)).has(toHex(sealed.envelope)));
});

test("a custodian that has lost its disk is given its share again by the origin alone", async (t) => {
  const { world, origin, away } = await createAway(t, [0]);
  const brought: number[] = [];
  world.passes = (from, _to, frame) => {
    if (byteOf(frame) === ENVELOPE_FRAME) brought.push(from);
    return frame;
  };
  await comeBack(world, away, origin, [0]);
  assert.deepEqual(new Set(brought), new Set([0]));
  const [{ row }] = keptBy(away) as [ReturnType<typeof keptBy>[number]];
  assert.equal(row.shares.length, 1);
});

test("no share is divided before who asks has stated a custody key, nor among members that may keep none", async (t) => {
  const { world, second, third, came, gone } = await createReplaced(t);
  const own = idKey(0, came.ports.self);
  const keys = await Promise.all(
    [second, third].map(async ({ ports }) => {
      const key = ports.store.get(custodyKeys, own)!;
      await ports.store.write((writer) => writer.delete(custodyKeys, own));
      return key;
    }),
  );
  const divided = () => [second, third].map(({ ports }) => ports.store.range(divisions, {}).length);
  await comeBack(world, came, gone, [0]);
  assert.deepEqual(
    [divided(), missingAt(came)],
    [
      [0, 0],
      [0, 1],
    ],
  );
  for (const [at, { ports }] of [second, third].entries()) {
    await ports.store.write((writer) => writer.put(custodyKeys, own, keys[at]!));
  }
  world.now_ms += PAUSE_MS;
  for (let turn = 0; turn < 3; turn += 1) {
    world.now_ms += 2_500;
    await look(world, came);
  }
  assert.deepEqual(
    [divided(), missingAt(came)],
    [
      [2, 2],
      [0, 0],
    ],
    "its own, and the part of the other's",
  );
});

test("a member that may keep no shares looks for none, and nothing is missing there", async (t) => {
  const { world, came, gone, sealed } = await createReplaced(t);
  world.abroad = 3;
  await comeBack(world, came, gone, [0]);
  assert.deepEqual([sealedAt(came), missingAt(came)], [[sealed], [0, 0]]);
});
