// Restarts: what a node says after one is what it said before, or nothing.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { createConsensus } from "../../tools/consensus/core.js";
import { decodeRecord } from "../../tools/consensus/signed-position.js";
import type { ConsensusRecord } from "../../tools/consensus/state.js";
import { type Effect, wideAreaTimeouts } from "../../tools/consensus/types.js";
import {
  createDriver,
  type Driver,
  decision,
  HEIGHT,
  idOf,
  members,
  precommit,
  prevote,
  proposal,
  RUN,
} from "./driver.js";
import { chain, fakeSign, fakeVerify, genesisHash, nodeId } from "./keys.js";

function committedByPeers(driver: Driver, height: number): string[] {
  driver.receive(0, decision(0, "A", [0, 1, 2], height));
  driver.feed({ type: "obtained", height, id: idOf("A"), body: new Uint8Array(1) });
  return driver.committed("A", { height });
}

/** Node 0 after proposing A and locking on it in round 0, then proposing it again in round 4. */
function busyDriver(): Driver {
  const driver = createDriver({ self: 0 });
  driver.feed({ type: "work", available: true });
  driver.built(0, "A");
  driver.receive(1, prevote(1, 0, "A"));
  driver.receive(2, prevote(2, 0, "A"));
  driver.receive(1, prevote(1, 4, null));
  driver.receive(2, prevote(2, 4, null));
  return driver;
}

function recordBytes(effects: readonly Effect[]): Uint8Array {
  const persist = effects.find((effect) => effect.type === "persist");
  assert.ok(persist?.type === "persist");
  return persist.record;
}

describe("the record", () => {
  test("is written before the first word, so that a missing one is a lost one", () => {
    const driver = createDriver({ self: 3 });
    assert.equal(driver.effects[0]?.type, "setTimer");
    assert.equal(driver.record().step, "idle");
  });

  test("is written by a node that is no member yet, so that one that has joined later is not taken for one that has lost it", () => {
    const joiner = createConsensus({
      genesisHash,
      chain,
      self: nodeId(3),
      members: members(3),
      height: 5,
      timeouts: wideAreaTimeouts,
      abstain: false,
      run: 1,
      sign: () => assert.fail("who is no member signs nothing"),
      verify: () => true,
    });
    const record = decodeRecord(recordBytes(joiner.step({ type: "start" }, 0)), nodeId(3));
    assert.deepEqual([record.height, record.step, record.prevotes, record.proposals], [5, "idle", [], []]);
  });

  test("holds lock, valid value with polka, round certificate, votes and proposals", () => {
    const record = busyDriver().record();
    assert.equal(record.round, 4);
    assert.equal(record.locked?.round, 0);
    assert.equal(record.valid?.polka.votes.length, 3);
    assert.equal(record.roundCertificate.length, 2);
    assert.deepEqual(
      record.proposals.map(({ round, vr }) => [round, vr]),
      [
        [0, -1],
        [4, 0],
      ],
    );
    assert.equal(record.prevotes.length, 2);
    assert.equal(record.precommits.length, 1);
    assert.equal(record.values.length, 1, "a body is held once");
  });

  test("brings the node back to say the same bytes again", () => {
    const before = busyDriver();
    const after = createDriver({ self: 0, restored: before.record() });
    assert.ok(!after.effects.some((effect) => effect.type === "persist"), "nothing is signed anew");
    const words = (driver: Driver) =>
      driver.effects.flatMap((effect) => (effect.type === "send" ? [effect.bytes] : []));
    before.timeout("resend");
    after.timeout("resend");
    assert.deepEqual(words(after), words(before));
  });

  test("keeps a proposer from building anew", () => {
    const driver = createDriver({ self: 0 });
    driver.feed({ type: "work", available: true });
    driver.built(0, "A");
    const after = createDriver({ self: 0, restored: driver.record() });
    assert.deepEqual(after.feed({ type: "work", available: true }), []);
    assert.deepEqual(after.built(0, "B"), []);
  });

  test("keeps the lock", () => {
    const driver = createDriver({ self: 3 });
    driver.receive(0, proposal(0, "A"));
    driver.validated(0, "A");
    driver.receive(0, prevote(0, 0, "A"));
    driver.receive(1, prevote(1, 0, "A"));
    const after = createDriver({ self: 3, restored: driver.record() });
    after.receive(0, prevote(0, 1, null));
    after.receive(2, prevote(2, 1, null));
    after.receive(1, proposal(1, "B"));
    assert.ok(after.validated(1, "B").includes("all <- prevote 1 nil vr -1"));
  });

  test("of a height that is stored already is of no use", () => {
    const record = busyDriver().record();
    const after = createDriver({ self: 0, restored: record, config: { height: 5 } });
    assert.deepEqual(after.core.position(), { height: 5, round: 0, step: "idle", voting: true });
  });

  test("of a later height than the chain's keeps the node from signing until the chain is there again", () => {
    const record = busyDriver().record();
    const driver = createDriver({ self: 0, restored: record, config: { height: 3 } });
    assert.equal(driver.core.position().voting, false);
    const lines = committedByPeers(driver, 3);
    assert.deepEqual(driver.core.position(), { height: 4, round: 4, step: "prevote", voting: true });
    assert.ok(lines.includes("set resend 0"));
  });

  test("of another chain or network is refused", () => {
    const record = busyDriver().record();
    assert.throws(() => createDriver({ self: 0, restored: { ...record, chain: 9 } }), /of its own chain/);
  });

  test("whose bytes are changed or cut is refused or read as another record, and never crashes the core", () => {
    const driver = createDriver({ self: 0 });
    driver.feed({ type: "work", available: true });
    driver.built(0, "A");
    const bytes = recordBytes(driver.effects);
    assert.equal(decodeRecord(bytes, nodeId(0)).height, 4);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (index, flip, cut) => {
        const changed = cut ? bytes.slice(0, index) : bytes.slice();
        if (!cut) changed[index]! ^= flip;
        let record: ConsensusRecord;
        try {
          record = decodeRecord(changed, nodeId(0));
        } catch (error) {
          return error instanceof Error && error.name === "WireError";
        }
        return record.values.every(({ id }) => id.length === 32);
      }),
      { numRuns: 2_000 },
    );
  });

  test("of another node is refused", () => {
    const driver = createDriver({ self: 0 });
    driver.feed({ type: "work", available: true });
    driver.built(0, "A");
    assert.throws(() => decodeRecord(recordBytes(driver.effects), nodeId(1)), /own vote/);
  });

  test("that does not fit itself is refused", () => {
    const driver = createDriver({ self: 3 });
    driver.feed({ type: "work", available: true });
    driver.timeout("propose");
    const bytes = recordBytes(driver.effects);
    const step = bytes.indexOf(2, 34); // behind the genesis hash, chain 3, height 4 and round 0
    assert.ok(step > 0);
    const changed = bytes.slice();
    changed[step] = 1;
    assert.throws(() => decodeRecord(changed, nodeId(3)), /own prevote/);
  });

  test("does not grow with the rounds", () => {
    const driver = createDriver({ self: 0 });
    driver.feed({ type: "work", available: true });
    let largest = 0;
    const measure = () => {
      for (const effect of driver.effects) {
        if (effect.type === "persist") largest = Math.max(largest, effect.record.length);
      }
    };
    for (let round = 0; round < 200; round += 1) {
      if (driver.core.position().step === "propose") driver.timeout("propose");
      measure();
      for (const index of [1, 2, 3]) driver.receive(index, prevote(index, round, null));
      measure();
      for (const index of [1, 2, 3]) driver.receive(index, precommit(index, round, null));
      driver.timeout("precommit");
      if (round % 4 === 3) driver.built(round + 1, "A");
      measure();
    }
    assert.equal(driver.core.position().round, 200);
    assert.ok(largest < 10_000, `${largest} bytes`);
  });
});

describe("a node whose record is lost", () => {
  test("abstains until the chain is two heights past what a quorum reports", () => {
    const driver = createDriver({ self: 3, config: { abstain: true } });
    assert.ok(!driver.effects.some((effect) => effect.type === "persist"));
    driver.receive(0, proposal(0, "A"));
    driver.receive(0, { type: "status", height: 4 });
    driver.receive(1, { type: "status", height: 5 });
    const voting: boolean[] = [];
    for (let height = 4; height < 9; height += 1) {
      if (height === 6) driver.receive(2, { type: "status", height: 4 }, { type: "status", height: 8 });
      committedByPeers(driver, height);
      voting.push(driver.core.position().voting);
    }
    assert.deepEqual(voting, [false, false, true, true, true], "the highest first report was 5");
  });

  test("abstains as long as no quorum reports", () => {
    const driver = createDriver({ self: 3, config: { abstain: true } });
    driver.receive(0, { type: "status", height: 4 });
    driver.receive(1, { type: "status", height: 4 });
    for (let height = 4; height < 20; height += 1) committedByPeers(driver, height);
    assert.equal(driver.core.position().voting, false);
  });
});

describe("a node whose record is lost, on a chain that stands still,", () => {
  const vouch = (height = HEIGHT, run = RUN) => ({ type: "vouch" as const, height, run });

  test("votes again once every other member has vouched for its height, and writes that down", () => {
    const driver = createDriver({ self: 3, config: { abstain: true } });
    assert.deepEqual(driver.receive(0, { type: "status", height: HEIGHT }), [`n0 <- inquiry ${HEIGHT}`]);
    driver.receive(0, vouch());
    driver.receive(1, vouch());
    assert.deepEqual(driver.core.standing().abstention?.unvouched, [nodeId(2)]);
    assert.equal(driver.core.position().voting, false);
    assert.deepEqual(driver.receive(2, vouch()), ["persist"]);
    assert.equal(driver.core.position().voting, true);
    assert.equal(driver.core.standing().abstention, undefined);
    assert.equal(driver.record().since, HEIGHT);
  });

  test("takes no vouch that was given to an earlier run, for another height, by a stranger or by itself", () => {
    const driver = createDriver({ self: 3, config: { abstain: true } });
    driver.receive(0, vouch());
    driver.receive(1, vouch());
    driver.receive(2, vouch(HEIGHT, RUN - 1), vouch(HEIGHT - 1), vouch(HEIGHT + 1));
    driver.receive(3, vouch());
    driver.receive(7, vouch());
    assert.equal(driver.core.position().voting, false);
    driver.receive(2, vouch(HEIGHT - 1));
    assert.equal(driver.core.position().voting, false);
  });

  test("asks again at each height and heartbeat, and uses what was vouched for a height that it had not reached", () => {
    const driver = createDriver({ self: 3, config: { abstain: true } });
    for (const index of [0, 1, 2]) driver.receive(index, vouch(HEIGHT + 1));
    assert.ok(driver.timeout("heartbeat").includes(`all <- inquiry ${HEIGHT}`));
    committedByPeers(driver, HEIGHT);
    assert.equal(driver.core.position().voting, true);
    assert.equal(driver.record().since, HEIGHT + 1);
  });

  test("does not regain its vote in the middle of a block that is decided already", () => {
    const driver = createDriver({ self: 3, config: { abstain: true } });
    driver.receive(0, proposal(0, "A"));
    driver.validated(0, "A");
    for (const index of [0, 1, 2]) driver.receive(index, precommit(index, 0, "A"));
    for (const index of [0, 1, 2]) driver.receive(index, vouch());
    assert.equal(driver.core.position().voting, false);
  });

  test("as its only member never votes again by itself", () => {
    const driver = createDriver({ self: 0, config: { abstain: true, members: members(1) } });
    driver.receive(1, { type: "status", height: HEIGHT }, vouch());
    for (let height = HEIGHT; height < HEIGHT + 4; height += 1) {
      driver.feed({ type: "committed", height, id: idOf("A"), members: members(1), work: false });
      assert.equal(driver.core.position().voting, false);
    }
  });

  test("counts the reports of those alone who were members of the block before", () => {
    const driver = createDriver({ self: 3, config: { abstain: true } });
    for (const index of [0, 1, 2]) driver.receive(index, { type: "status", height: HEIGHT });
    const others = [3, 4, 5, 6].map(nodeId);
    for (let height = HEIGHT; height < HEIGHT + 6; height += 1) {
      driver.feed({ type: "committed", height, id: idOf("A"), members: others, work: false });
    }
    assert.equal(driver.core.position().voting, false, "three that are members no more say nothing of a later height");
  });
});

describe("a member that is asked by one that has lost its record", () => {
  const inquiry = { type: "inquiry" as const, height: HEIGHT, run: 7 };

  test("vouches where it has signed nothing at the height", () => {
    assert.deepEqual(createDriver({ self: 3 }).receive(1, inquiry), ["vouch for 4 to n1"]);
  });

  test("does not where it has signed, also in an earlier run, or has lost its own record", () => {
    const driver = createDriver({ self: 3 });
    driver.feed({ type: "work", available: true });
    driver.timeout("propose");
    assert.deepEqual(driver.receive(1, inquiry), []);
    assert.deepEqual(createDriver({ self: 3, restored: driver.record() }).receive(1, inquiry), []);
    const lost = createDriver({ self: 3, config: { abstain: true } });
    lost.receive(1, inquiry);
    assert.ok(!lost.effects.some(({ type }) => type === "vouch"));
    assert.deepEqual(lost.core.standing().abstention?.lost, [nodeId(1)]);
  });

  test("says where it is where that is another height", () => {
    assert.deepEqual(createDriver({ self: 3 }).receive(1, { ...inquiry, height: HEIGHT + 1 }), ["n1 <- status 4"]);
  });
});

test("a core refuses members that are none, too many or not distinct", () => {
  const config = {
    genesisHash,
    chain,
    self: nodeId(0),
    height: 1,
    timeouts: wideAreaTimeouts,
    abstain: false,
    run: 1,
    sign: (bytes: Uint8Array) => fakeSign(nodeId(0), bytes),
    verify: fakeVerify,
  };
  for (const wrong of [[], members(129), [nodeId(0), nodeId(0)]]) {
    assert.throws(() => createConsensus({ ...config, members: wrong }), /invariant does not hold/);
  }
});
