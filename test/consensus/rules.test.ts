// Each rule of the paper as a script: what a node receives and what it does. L = line of arXiv 1807.04938, algorithm 1.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createDriver, type Driver, idOf, polka, precommit, prevote, proposal } from "./driver.js";
import { fakeVerify } from "./keys.js";

/** Node 3 in round 0, having prevoted A for n0's proposal. */
function prevotedA(): Driver {
  const driver = createDriver({ self: 3 });
  driver.receive(0, proposal(0, "A"));
  assert.deepEqual(driver.validated(0, "A"), [
    "set propose 1000",
    "set resend 2000",
    "clear propose",
    "persist",
    "all <- prevote 0 A vr -1",
  ]);
  return driver;
}

/** The same, locked on A by the prevotes of n0 and n1. */
function lockedOnA(): Driver {
  const driver = prevotedA();
  driver.receive(0, prevote(0, 0, "A"));
  assert.deepEqual(driver.receive(1, prevote(1, 0, "A")), ["persist", "all <- precommit 0 A"]);
  return driver;
}

/** Moves on to the next round by a quorum's precommits for nil and the wait behind them. */
function failRound(driver: Driver, round: number): string[] {
  for (const index of [0, 1, 2]) driver.receive(index, precommit(index, round, null));
  return driver.timeout("precommit");
}

describe("idle", () => {
  test("a node without work sets no timer but the heartbeat", () => {
    const driver = createDriver({ self: 3 });
    assert.deepEqual(driver.feed({ type: "work", available: false }), []);
    assert.deepEqual(driver.timeout("heartbeat"), ["set heartbeat 30000", "all <- status 4"]);
    assert.equal(driver.core.position().step, "idle");
  });

  test("work starts round 0", () => {
    const driver = createDriver({ self: 3 });
    assert.deepEqual(driver.feed({ type: "work", available: true }), ["set propose 1000", "set resend 2000"]);
  });

  test("a valid proposal starts round 0, an invalid one does not", () => {
    const driver = createDriver({ self: 3 });
    assert.deepEqual(driver.receive(0, proposal(0, "A")), ["validate 0 A fresh"]);
    assert.deepEqual(driver.validated(0, "A", false), []);
    assert.equal(driver.core.position().step, "idle");
    prevotedA();
  });

  test("f+1 voting members start round 0, one does not", () => {
    const driver = createDriver({ self: 3 });
    assert.deepEqual(driver.receive(1, prevote(1, 0, "A")), []);
    assert.deepEqual(driver.receive(2, prevote(2, 0, null)), ["set propose 1000", "set resend 2000"]);
  });

  test("f+1 members in later rounds take an idle node there", () => {
    const driver = createDriver({ self: 3 });
    driver.receive(1, prevote(1, 5, null));
    driver.receive(2, precommit(2, 7, null));
    assert.equal(driver.core.position().round, 5);
  });
});

describe("rest", () => {
  /** Node 3, in round 1 by the precommits for nil of all others, with nothing that calls it. */
  function atRest(): Driver {
    const driver = createDriver({ self: 3 });
    failRound(driver, 0);
    return driver;
  }

  test("nothing to propose, whatever the round was begun for: no timer runs in the next one", () => {
    const driver = createDriver({ self: 3 });
    driver.feed({ type: "work", available: true });
    driver.feed({ type: "work", available: false });
    driver.timeout("propose");
    for (const index of [0, 1]) driver.receive(index, prevote(index, 0, null));
    assert.deepEqual(failRound(driver, 0), []);
    assert.deepEqual(driver.core.position(), { height: 4, round: 1, step: "idle", voting: true });
    assert.deepEqual(driver.timeout("resend"), []);
    assert.deepEqual(driver.timeout("heartbeat"), ["set heartbeat 30000", "all <- status 4"]);
  });

  test("a node that has voted where nobody follows says it no more, but its heartbeat", () => {
    const driver = createDriver({ self: 3 });
    driver.feed({ type: "work", available: true });
    driver.timeout("propose");
    driver.feed({ type: "work", available: false });
    assert.deepEqual(driver.timeout("resend"), []);
    assert.deepEqual(driver.timeout("heartbeat"), ["set heartbeat 30000", "all <- status 4"]);
    assert.deepEqual(driver.feed({ type: "work", available: true }), ["set resend 2000"]);
    assert.deepEqual(driver.timeout("resend"), ["set resend 2000", "all <- prevote 0 nil vr -1", "all <- status 4"]);
  });

  test("work, f+1 votes, a valid proposal and a polka each end it in the round it is in", () => {
    const begins = ["set propose 1500"];
    assert.deepEqual(atRest().feed({ type: "work", available: true }), begins);
    const voted = atRest();
    assert.deepEqual(voted.receive(1, prevote(1, 1, null)), []);
    assert.deepEqual(voted.receive(2, prevote(2, 1, null)), begins);
    const proposed = atRest();
    assert.deepEqual(proposed.receive(1, proposal(1, "A")), ["validate 1 A fresh"]);
    assert.deepEqual(proposed.validated(1, "A").slice(0, 1), begins);
    const late = atRest();
    assert.deepEqual(late.receive(0, polka(0, "A", [0, 1, 2])).slice(0, 1), begins);
  });

  test("a member that goes on in an earlier round hears how this node left it, not twice at once", () => {
    const driver = atRest();
    const answer = ["n1 <- round by precommit 0, precommit 0, precommit 0"];
    assert.deepEqual(driver.receive(1, prevote(1, 0, null)), answer);
    assert.deepEqual(driver.receive(1, precommit(1, 0, null)), []);
    driver.wait(500);
    assert.deepEqual(driver.receive(1, precommit(1, 0, null)), answer);
    driver.feed({ type: "work", available: true });
    driver.wait(500);
    assert.deepEqual(driver.receive(1, precommit(1, 0, null)), [], "its resends say so now");
  });

  test("a node in a later round vouches for nothing: what it has signed it may have forgotten", () => {
    const inquiry = { type: "inquiry" as const, height: 4, run: 1 };
    assert.deepEqual(createDriver({ self: 3 }).receive(1, inquiry), ["vouch for 4 to n1"]);
    assert.deepEqual(atRest().receive(1, inquiry), []);
  });
});

describe("L14-19 proposing", () => {
  test("the proposer asks for a value, signs it, has it on disk, sends it and prevotes it", () => {
    const driver = createDriver({ self: 0 });
    assert.deepEqual(driver.feed({ type: "work", available: true }), [
      "set propose 1000",
      "set resend 2000",
      "build 0",
    ]);
    assert.deepEqual(driver.built(0, "A"), [
      "clear propose",
      "persist",
      "all <- proposal 0 A vr -1",
      "all <- prevote 0 A vr -1",
    ]);
    assert.deepEqual(driver.built(0, "B"), [], "a round has one proposal");
  });

  test("a proposer with nothing to propose says nothing, and prevotes nil in time", () => {
    const driver = createDriver({ self: 0 });
    driver.receive(1, prevote(1, 0, null));
    assert.deepEqual(driver.receive(2, prevote(2, 0, null)), ["set propose 1000", "set resend 2000"]);
    assert.deepEqual(driver.timeout("propose"), ["persist", "all <- prevote 0 nil vr -1", "all <- precommit 0 nil"]);
  });

  test("work that comes while the proposer waits is proposed", () => {
    const driver = createDriver({ self: 0 });
    driver.receive(1, prevote(1, 0, null));
    driver.receive(2, prevote(2, 0, null));
    assert.deepEqual(driver.feed({ type: "work", available: true }), ["build 0"]);
    driver.feed({ type: "work", available: false });
    assert.deepEqual(
      driver.feed({ type: "work", available: true }),
      ["build 0"],
      "asked again: the first had no answer",
    );
  });

  test("a value that is built too late is not proposed", () => {
    const driver = createDriver({ self: 0 });
    driver.feed({ type: "work", available: true });
    driver.timeout("propose");
    assert.deepEqual(driver.built(0, "A"), []);
  });

  test("the valid value is proposed again with its round and polka", () => {
    const driver = createDriver({ self: 1 });
    driver.receive(0, proposal(0, "A"));
    driver.validated(0, "A");
    driver.receive(0, prevote(0, 0, "A"));
    driver.receive(2, prevote(2, 0, "A"));
    for (const index of [0, 2, 3]) driver.receive(index, precommit(index, 0, null));
    const lines = driver.timeout("precommit");
    assert.ok(lines.includes("all <- proposal 1 A vr 0"));
    assert.ok(lines.includes("all <- prevote 1 A vr 0"));
  });
});

describe("L22 a fresh proposal", () => {
  test("is prevoted where it is valid", () => {
    prevotedA();
  });

  test("gets nil where it is not", () => {
    const driver = createDriver({ self: 3 });
    driver.feed({ type: "work", available: true });
    driver.receive(0, proposal(0, "A"));
    assert.deepEqual(driver.validated(0, "A", false), ["clear propose", "persist", "all <- prevote 0 nil vr -1"]);
  });

  test("gets nil from a node that is locked on another value, and a vote from one locked on it", () => {
    for (const [letter, vote] of [
      ["B", "all <- prevote 1 nil vr -1"],
      ["A", "all <- prevote 1 A vr -1"],
    ] as const) {
      const driver = lockedOnA();
      failRound(driver, 0);
      const lines = driver.receive(1, proposal(1, letter));
      if (letter === "B") assert.ok(driver.validated(1, "B").includes(vote));
      else assert.ok(lines.includes(vote));
    }
  });

  test("is ignored where it is not the proposer's or its signature is another's", () => {
    const driver = createDriver({ self: 3 });
    assert.deepEqual(driver.receive(1, proposal(0, "A", { from: 1 })), []);
    assert.deepEqual(driver.receive(0, { ...proposal(0, "A"), signature: proposal(0, "B").signature }), []);
    assert.deepEqual(driver.receive(0, { ...proposal(0, "A"), body: new Uint8Array(3) }), [], "the body is signed");
  });

  test("is kept until its round comes, one a round", () => {
    const driver = createDriver({ self: 3 });
    driver.receive(1, proposal(1, "B"));
    driver.receive(0, prevote(0, 1, null));
    assert.ok(driver.receive(2, prevote(2, 1, null)).includes("validate 1 B fresh"));
  });

  test("the first of an equivocating proposer is the one that counts", () => {
    const driver = createDriver({ self: 3 });
    driver.receive(0, proposal(0, "A"));
    assert.deepEqual(driver.receive(0, proposal(0, "B")), ["evidence against n0", "all <- evidence"]);
    assert.ok(driver.validated(0, "A").includes("all <- prevote 0 A vr -1"));
  });
});

describe("L28 a proposal with a polka", () => {
  const polkaOfB = polka(1, "B", [0, 1, 2]).votes;

  /** Locked on A in round 0, now in round 2, whose proposer is n2. */
  function lockedInRound2(): Driver {
    const driver = lockedOnA();
    failRound(driver, 0);
    driver.timeout("propose");
    failRound(driver, 1);
    assert.equal(driver.core.position().round, 2);
    return driver;
  }

  test("is prevoted against the lock where its polka is not older", () => {
    const driver = lockedInRound2();
    assert.deepEqual(driver.receive(2, proposal(2, "B", { vr: 1, polka: polkaOfB })), ["validate 2 B"]);
    assert.ok(driver.validated(2, "B", true, false).includes("all <- prevote 2 B vr 1"));
  });

  test("gets nil where the polka is older than the lock", () => {
    const driver = createDriver({ self: 3 });
    driver.receive(1, proposal(1, "A"));
    driver.receive(0, prevote(0, 1, "A"));
    driver.receive(1, prevote(1, 1, "A"));
    assert.ok(driver.validated(1, "A").includes("all <- precommit 1 A"), "locked on A in round 1");
    failRound(driver, 1);
    driver.receive(2, proposal(2, "B", { vr: 0, polka: polka(0, "B", [0, 1, 2]).votes }));
    assert.ok(driver.validated(2, "B", true, false).includes("all <- prevote 2 nil vr -1"));
  });

  test("is ignored where the polka lacks a quorum, a signature, or distinct members", () => {
    const driver = lockedInRound2();
    const forged = [...polkaOfB.slice(0, 2), { ...prevote(3, 1, "B"), signature: polkaOfB[0]!.signature }];
    for (const votes of [polkaOfB.slice(0, 2), forged, [polkaOfB[0]!, polkaOfB[0]!, polkaOfB[1]!]]) {
      assert.deepEqual(driver.receive(2, proposal(2, "B", { vr: 1, polka: votes })), []);
    }
  });
});

describe("L34, L36, L44 prevotes", () => {
  test("a polka locks and precommits in the prevote step", () => {
    const driver = lockedOnA();
    assert.deepEqual(driver.record().locked?.value.id, idOf("A"));
    assert.equal(driver.record().valid?.round, 0);
  });

  test("a polka after the precommit makes the valid value, and no second precommit", () => {
    const driver = prevotedA();
    driver.receive(0, prevote(0, 0, null));
    assert.deepEqual(driver.receive(1, prevote(1, 0, "A")), ["set prevote 500"]);
    assert.deepEqual(driver.timeout("prevote"), ["persist", "all <- precommit 0 nil"]);
    assert.deepEqual(driver.receive(2, prevote(2, 0, "A")), []);
    const lines = driver.timeout("resend");
    assert.ok(lines.includes("all <- polka 0 A"));
  });

  test("a polka counts though the node itself prevoted nil", () => {
    const driver = createDriver({ self: 3 });
    driver.feed({ type: "work", available: true });
    driver.timeout("propose");
    driver.receive(0, proposal(0, "A"));
    for (const index of [0, 1]) driver.receive(index, prevote(index, 0, "A"));
    assert.deepEqual(driver.receive(2, prevote(2, 0, "A")), ["validate 0 A"]);
    assert.ok(driver.validated(0, "A", true, false).includes("all <- precommit 0 A"));
  });

  test("a value that failed the clock is judged again without it once a quorum wants it", () => {
    const driver = createDriver({ self: 3 });
    driver.feed({ type: "work", available: true });
    driver.receive(0, proposal(0, "A"));
    driver.validated(0, "A", false);
    for (const index of [0, 1]) driver.receive(index, prevote(index, 0, "A"));
    assert.ok(driver.receive(2, prevote(2, 0, "A")).includes("validate 0 A"));
    assert.ok(driver.validated(0, "A", true, false).includes("all <- precommit 0 A"));
  });

  test("a quorum of nil precommits nil at once", () => {
    const driver = prevotedA();
    driver.receive(0, prevote(0, 0, null));
    driver.receive(1, prevote(1, 0, null));
    assert.deepEqual(driver.receive(2, prevote(2, 0, null)), ["clear prevote", "persist", "all <- precommit 0 nil"]);
  });

  test("a quorum of any kind starts one wait", () => {
    const driver = prevotedA();
    driver.receive(0, prevote(0, 0, null));
    assert.deepEqual(driver.receive(1, prevote(1, 0, "B")), ["set prevote 500"]);
    assert.deepEqual(driver.receive(2, prevote(2, 0, null)), []);
  });

  test("a polka whose body is missing is asked for, again with every resend, and used once it is here", () => {
    const driver = createDriver({ self: 3 });
    driver.feed({ type: "work", available: true });
    driver.timeout("propose");
    for (const index of [0, 1]) driver.receive(index, prevote(index, 0, "A"));
    assert.deepEqual(driver.receive(2, prevote(2, 0, "A")), ["need A from n0 n1 n2"]);
    assert.ok(driver.timeout("resend").includes("need A from n0 n1 n2"));
    const lines = driver.feed({ type: "obtained", height: 4, id: idOf("A"), body: new Uint8Array(1) });
    assert.ok(lines.includes("all <- precommit 0 A"));
  });

  test("a second, different vote of a signer is evidence, once, and does not count", () => {
    const driver = prevotedA();
    driver.receive(0, prevote(0, 0, null));
    assert.deepEqual(driver.receive(1, prevote(0, 0, "A")), ["evidence against n0", "all <- evidence"]);
    assert.deepEqual(driver.receive(1, prevote(0, 0, "B")), []);
    assert.deepEqual(driver.receive(1, prevote(1, 0, "A")), ["set prevote 500"], "n0 counts as nil");
  });

  test("what else an equivocator says of one vote or proposes in one round costs no verification", () => {
    let verified = 0;
    const verify: typeof fakeVerify = (...signed) => {
      verified += 1;
      return fakeVerify(...signed);
    };
    const driver = createDriver({ self: 3, config: { verify } });
    driver.receive(0, proposal(0, "A"), proposal(0, "B"), proposal(0, "C"), proposal(0, "D"));
    driver.receive(0, prevote(0, 0, "A"), prevote(0, 0, "B"));
    const before = verified;
    for (const letter of "EFGHIJ") driver.receive(0, proposal(0, letter), prevote(0, 0, letter));
    assert.equal(verified, before);
  });

  test("votes of strangers, with wrong signatures, or too far ahead are dropped", () => {
    const driver = prevotedA();
    assert.deepEqual(driver.receive(0, prevote(9, 0, "A")), []);
    assert.deepEqual(driver.receive(0, { ...prevote(0, 0, "A"), signature: new Uint8Array(64) }), []);
    for (const index of [0, 1, 2]) assert.deepEqual(driver.receive(index, prevote(index, 17, "A")), []);
  });
});

describe("L47, L49 precommits", () => {
  test("a quorum decides, with exactly a quorum's signatures in the members' order", () => {
    const driver = lockedOnA();
    driver.receive(2, precommit(2, 0, "A"));
    assert.deepEqual(driver.receive(1, precommit(1, 0, "A")), ["clear resend", "decide A in 0 by 3"]);
    const decide = driver.effects.find((effect) => effect.type === "decide");
    const order = decide?.type === "decide" ? decide.certificate.signatures.map(({ node }) => node[7]) : [];
    assert.deepEqual(order, [1, 2, 3]);
  });

  test("a quorum of an earlier round decides at any step", () => {
    const driver = lockedOnA();
    failRoundBy(driver, [0, 1]);
    assert.equal(driver.core.position().round, 1);
    driver.receive(2, precommit(2, 0, "A"));
    assert.equal(driver.core.position().step, "propose");
    const again = createDriver({ self: 3 });
    again.receive(0, proposal(0, "A"));
    again.validated(0, "A");
    again.receive(0, prevote(0, 3, null));
    again.receive(1, prevote(1, 3, null));
    assert.equal(again.core.position().round, 3);
    again.receive(0, precommit(0, 0, "A"));
    again.receive(1, precommit(1, 0, "A"));
    assert.ok(again.receive(2, precommit(2, 0, "A")).includes("decide A in 0 by 3"));
  });

  test("precommits of a round far behind still decide", () => {
    const driver = prevotedA();
    driver.receive(0, precommit(0, 0, "A"));
    for (let round = 16; round <= 48; round += 16) {
      driver.receive(0, prevote(0, round, null));
      driver.receive(1, prevote(1, round, null));
    }
    assert.equal(driver.core.position().round, 48);
    driver.receive(1, precommit(1, 0, "A"));
    const lines = driver.receive(2, precommit(2, 0, "A"));
    assert.ok(
      lines.some((line) => line.startsWith("need A") || line.startsWith("decide A")),
      lines.join(),
    );
  });

  test("a quorum of any kind starts one wait, after which the next round begins", () => {
    const driver = lockedOnA();
    driver.receive(0, precommit(0, 0, null));
    assert.deepEqual(driver.receive(1, precommit(1, 0, null)), ["set precommit 500"]);
    assert.deepEqual(driver.timeout("precommit"), ["set propose 1500"]);
    assert.equal(driver.core.position().round, 1);
  });

  test("waits grow with the round and end at the cap", () => {
    const driver = createDriver({ self: 3 });
    driver.receive(0, prevote(0, 3, null));
    assert.ok(driver.receive(1, prevote(1, 3, null)).includes("set propose 2500"));
    for (const round of [16, 32]) {
      driver.receive(0, prevote(0, round, null));
      driver.receive(1, prevote(1, round, null));
    }
    assert.ok(driver.receive(2, prevote(2, 33, null), prevote(1, 33, null)).includes("set propose 8000"));
  });

  test("a decision whose body is missing waits for it", () => {
    const driver = createDriver({ self: 3 });
    driver.receive(0, precommit(0, 0, "A"));
    driver.receive(1, precommit(1, 0, "A"));
    assert.ok(driver.receive(2, precommit(2, 0, "A")).includes("need A from n0 n1 n2"));
    const lines = driver.feed({ type: "obtained", height: 4, id: idOf("A"), body: new Uint8Array(1) });
    assert.ok(lines.includes("decide A in 0 by 3"));
  });

  test("the next height begins when the block is stored, and not before", () => {
    const driver = lockedOnA();
    driver.receive(1, precommit(1, 0, "A"));
    driver.receive(2, precommit(2, 0, "A"));
    assert.deepEqual(driver.receive(2, precommit(2, 0, "A")), []);
    assert.equal(driver.core.position().height, 4);
    assert.deepEqual(driver.committed("A"), []);
    assert.deepEqual(driver.core.position(), { height: 5, round: 0, step: "idle", voting: true });
    assert.throws(() => driver.committed("A"), /a height is committed once/);
  });

  test("messages of the next height wait until the block is stored", () => {
    const driver = lockedOnA();
    driver.receive(1, precommit(1, 0, "A"));
    driver.receive(2, precommit(2, 0, "A"));
    assert.deepEqual(driver.receive(1, proposal(0, "B", { height: 5 })), []);
    assert.deepEqual(driver.committed("A"), ["validate 0 B fresh"]);
  });
});

/** Two nil precommits beside the own one for A, and the wait behind them. */
function failRoundBy(driver: Driver, indexes: readonly number[]): void {
  for (const index of indexes) driver.receive(index, precommit(index, 0, null));
  driver.timeout("precommit");
}

describe("L55 later rounds", () => {
  test("f+1 members take a node to the lower of their rounds, one does not", () => {
    const driver = prevotedA();
    assert.deepEqual(driver.receive(1, prevote(1, 9, null)), []);
    assert.deepEqual(driver.receive(1, precommit(1, 9, null)), [], "the same member counts once");
    assert.deepEqual(driver.receive(2, precommit(2, 6, null)), ["set propose 4000"]);
    assert.equal(driver.core.position().round, 6);
  });
});

describe("L57, L61, L65 timeouts", () => {
  test("without a proposal the node prevotes nil, without a polka it precommits nil", () => {
    const driver = createDriver({ self: 3 });
    driver.feed({ type: "work", available: true });
    assert.deepEqual(driver.timeout("propose"), ["persist", "all <- prevote 0 nil vr -1"]);
    driver.receive(0, prevote(0, 0, "A"));
    driver.receive(1, prevote(1, 0, null));
    assert.deepEqual(driver.timeout("prevote"), ["persist", "all <- precommit 0 nil"]);
  });

  test("a timer of an earlier step or setting does nothing", () => {
    const driver = prevotedA();
    assert.deepEqual(driver.feed({ type: "timeout", name: "propose" }), []);
    assert.deepEqual(driver.feed({ type: "timeout", name: "resend" }), ["set resend 2000"], "fired too early");
    driver.wait(1_999);
    assert.deepEqual(driver.feed({ type: "timeout", name: "resend" }), ["set resend 1"]);
  });
});

describe("effects", () => {
  test("the record comes before everything that carries a signature of it", () => {
    const driver = createDriver({ self: 0 });
    driver.feed({ type: "work", available: true });
    driver.built(0, "A");
    const types = driver.effects.map((effect) => effect.type);
    assert.ok(types.indexOf("persist") < types.indexOf("send"));
    assert.equal(types.filter((type) => type === "persist").length, 1);
    const record = driver.record();
    assert.equal(record.proposals.length, 1);
    assert.equal(record.prevotes.length, 1);
  });

  test("a single member decides by itself, after its record", () => {
    const driver = createDriver({ self: 0, config: { members: ["00000000a0000000"] } });
    driver.feed({ type: "work", available: true });
    const lines = driver.built(0, "A");
    assert.deepEqual(
      lines.filter((line) => !line.startsWith("clear") && !line.startsWith("set")),
      [
        "persist",
        "all <- proposal 0 A vr -1",
        "all <- prevote 0 A vr -1",
        "all <- precommit 0 A",
        "decide A in 0 by 1",
      ],
    );
  });
});
