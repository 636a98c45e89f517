// A member that lies as origin: records of its temporary blocks name envelopes that there are not.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { toHex } from "../../../src/wire/bytes.js";
import { DAY_S } from "../../../src/wire/envelope.js";
import { sha256 } from "../../../src/wire/hash.js";
import { byteOf, payloadOf } from "../../../tools/node/chain/frame.js";
import { putSealed } from "../../../tools/node/chain/tables/sealed-disclosures.js";
import { decodeAskedShares } from "../../../tools/node/disclosures/missing/asking.js";
import { NEED_SHARES_FRAME } from "../../../tools/node/disclosures/ports.js";
import { blockOf, look, type Member, missingAt, PAUSE_MS } from "./away.js";
import { createWorld, greet, kid, reading, SERVICE } from "./world.js";

const invented = (seq: number) => sha256(Uint8Array.of(seq >> 8, seq & 0xff));
const upTo = (first: number, count: number) => Array.from({ length: count }, (_, at) => first + at);

/** Records of the origin are sealed, each with another invented envelope. */
async function createLied(t: TestContext, named: readonly (readonly [origin: number, seqs: readonly number[]])[]) {
  const world = await createWorld(t);
  await greet(world);
  const victim = world.nodes[3] as Member;
  await victim.disclosures.missing.tick();
  for (const [at, [origin, seqs]] of named.entries()) {
    await victim.ports.store.write((writer) => {
      for (const seq of seqs) {
        const place = { kid, seq, recordHash: reading(seq).record.hash, envelope: invented(seq) };
        putSealed(
          writer,
          { chain: SERVICE, origin: world.nodes[origin]!.ports.self },
          { ...place, nonce: new Uint8Array(12), ciphertext: new Uint8Array(16) },
        );
      }
    });
    victim.disclosures.missing.sealed(blockOf(at + 1, world.nodes[origin] as Member, ...seqs));
  }
  return { world, victim };
}

test("an origin is believed no more envelopes of a meter and day than custodians keep of it, and health says whose they are", async (t) => {
  const { world, victim } = await createLied(t, [[0, upTo(0, 100)]]);
  await look(world, victim);
  assert.deepEqual(missingAt(victim), [0, 32]);
  const { shares } = victim.disclosures.missing.of(SERVICE)!;
  assert.deepEqual([shares.count, shares.origins], [32, [toHex(world.nodes[0]!.ports.self)]]);
});

test("what an origin invents makes another one's envelopes wait for no turn", async (t) => {
  const { world, victim } = await createLied(t, [
    [0, upTo(0, 32)],
    [1, [200]],
  ]);
  const asked: string[] = [];
  world.passes = (from, to, frame) => {
    if (from === 3 && to === 1 && byteOf(frame) === NEED_SHARES_FRAME)
      asked.push(...decodeAskedShares(payloadOf(frame)).map(({ hash }) => toHex(hash)));
    return frame;
  };
  await look(world, victim);
  assert.ok(asked.length > 1 && asked.length <= 32, `${asked.length} are asked for`);
  assert.ok(asked.includes(toHex(invented(200))), "of both origins at once");
});

test("an envelope that no member has goes after a week of asking all of them, and no sooner", async (t) => {
  const { world, victim } = await createLied(t, [[0, [0]]]);
  const pass = async () => {
    for (const waited_ms of [PAUSE_MS, 2_500]) {
      world.now_ms += waited_ms;
      await look(world, victim);
    }
  };
  for (let turn = 0; turn < 25; turn += 1) await pass();
  assert.deepEqual(missingAt(victim), [0, 1], "often, and not for long");
  world.now_ms += 7 * 1_000 * DAY_S;
  await pass();
  assert.deepEqual(missingAt(victim), [0, 0]);
  assert.equal(victim.disclosures.missing.of(SERVICE)!.shares.count, 0);
});
