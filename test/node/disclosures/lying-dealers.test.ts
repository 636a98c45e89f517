// Members that lie about shares: a dealer that divides another share than its own, a custodian that asks for what it has.

import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../../src/wire/bytes.js";
import { DAY_S } from "../../../src/wire/envelope.js";
import { byteOf } from "../../../tools/node/chain/frame.js";
import { putSealed } from "../../../tools/node/chain/tables/sealed-disclosures.js";
import { encodeAsked } from "../../../tools/node/disclosures/missing/asking.js";
import { NEED_SHARES_FRAME } from "../../../tools/node/disclosures/ports.js";
import { partsHere } from "../../../tools/node/disclosures/shares.js";
import { divisions } from "../../../tools/node/disclosures/tables/divisions.js";
import { comeBack, createAway, look, type Member, missingAt, PAUSE_MS } from "./away.js";
import { createWorld, greet, keptBy, kid, SERVICE, sealedBy, TIME_S } from "./world.js";

test("where a dealer may lie, a member that came later looks for one more part until the custodian that was away has dealt", async (t) => {
  const world = await createWorld(t);
  world.without = 3;
  await greet(world);
  const [origin, liar, , came] = world.nodes as [Member, Member, Member, Member];
  const sealed = await sealedBy(origin);
  await world.settle();
  world.without = undefined;
  await greet(world);
  await came.ports.store.write((writer) => putSealed(writer, { chain: SERVICE, origin: origin.ports.self }, sealed));
  const asked: number[] = [];
  let isAway = true;
  world.passes = (_from, to, frame) => {
    if (byteOf(frame) !== NEED_SHARES_FRAME) return frame;
    if (to === 0 && isAway) return undefined;
    asked.push(to);
    return frame;
  };
  await came.disclosures.missing.tick();
  await comeBack(world, came, origin, [0]);
  const [{ envelope }] = keptBy(came) as [ReturnType<typeof keptBy>[number]];
  const dealers = () => [...partsHere(came.ports, envelope).dealers].sort();
  const idOf = ({ ports }: Member) => toHex(ports.self);
  assert.equal(dealers().length, 2, "as many as open it, of which one may have lied");
  assert.ok(dealers().includes(idOf(liar)));
  assert.deepEqual(missingAt(came), [0, 1]);
  isAway = false;
  asked.length = 0;
  for (let turn = 0; turn < 3; turn += 1) {
    world.now_ms += PAUSE_MS + 2_500;
    await look(world, came);
  }
  assert.deepEqual(dealers(), world.nodes.slice(0, 3).map(idOf).sort());
  assert.deepEqual(missingAt(came), [0, 0]);
  assert.deepEqual(asked, [0], "who has dealt is not asked again");
  assert.equal(came.disclosures.missing.of(SERVICE)!.shares.count, 0);
});

test("a custodian that asks for what it has is made few divisions, and who is made some pays for their parts", async (t) => {
  const { world, origin, second, away } = await createAway(t, [0]);
  world.passes = (_from, _to, frame) => frame;
  const days = 32;
  for (let day = 1; day <= days; day += 1) await sealedBy(origin, day, TIME_S - day * DAY_S);
  await world.settle();
  const asker = toHex(away.ports.self);
  const asked = keptBy(second)
    .map(({ envelope }) => ({ meter: kid, number: envelope.day, hash: envelope.id }))
    .slice(0, days);
  const divided = () => second.ports.store.range(divisions, {}).length;
  const ask = () => second.disclosures.missing.onNeedShares(asker, SERVICE, encodeAsked(asked));
  await ask();
  assert.equal(divided(), 8);
  const parts = 8 * 4;
  assert.ok(world.charged.get(`1 ${asker}`)! >= 4 * (parts + 8), `${world.charged.get(`1 ${asker}`)} are charged`);
  await ask();
  assert.equal(divided(), 8);
  world.now_ms += 60_000;
  await ask();
  assert.equal(divided(), 9, "where its origin is gone for good, it has all in the end");
  await world.settle();
});
