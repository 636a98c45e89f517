// What replaces gossip: certificates, rebroadcast, and answers to peers at other heights. And evidence.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Message } from "../../tools/consensus/types.js";
import {
  createDriver,
  type Driver,
  decision,
  idOf,
  members,
  polka,
  precommit,
  prevote,
  proposal,
  statementOf,
} from "./driver.js";

/** Node 3, locked on A in round 0. */
function lockedOnA(): Driver {
  const driver = createDriver({ self: 3 });
  driver.receive(0, proposal(0, "A"));
  driver.validated(0, "A");
  driver.receive(0, prevote(0, 0, "A"));
  driver.receive(1, prevote(1, 0, "A"));
  return driver;
}

describe("POLKA", () => {
  test("counts as a whole where an equivocator told this node something else", () => {
    const driver = createDriver({ self: 3 });
    driver.receive(0, proposal(0, "A"));
    driver.validated(0, "A");
    driver.receive(0, prevote(0, 0, null));
    const lines = driver.receive(1, polka(0, "A", [0, 1, 2]));
    assert.ok(lines.includes("all <- precommit 0 A"));
    assert.ok(lines.includes("evidence against n0"));
  });

  test("of a later round lets the node in", () => {
    const driver = lockedOnA();
    driver.receive(1, polka(40, "B", [0, 1, 2]));
    assert.equal(driver.core.position().round, 40);
  });

  test("of an earlier round that came late becomes the valid value, and the lock stays", () => {
    const driver = createDriver({ self: 3 });
    driver.receive(0, proposal(0, "A"));
    driver.validated(0, "A");
    driver.receive(0, prevote(0, 2, null));
    driver.receive(1, prevote(1, 2, null));
    driver.receive(2, prevote(2, 3, null));
    driver.receive(1, prevote(1, 3, null));
    assert.equal(driver.core.position().round, 3, "this node proposes in round 3");
    assert.ok(driver.receive(0, polka(0, "A", [0, 1, 2])).includes("all <- proposal 3 A vr 0"));
    assert.equal(driver.record().locked, undefined);
  });

  test("with a forged vote, too few or the same signer twice is dropped", () => {
    const driver = lockedOnA();
    const good = polka(2, "B", [0, 1, 2]);
    const forged = {
      ...good,
      votes: [...good.votes.slice(0, 2), { ...good.votes[2]!, signature: new Uint8Array(64) }],
    };
    driver.receive(1, forged, polka(2, "B", [0, 1]), polka(2, "B", [0, 0, 1]), polka(2, "B", [0, 1, 9]));
    assert.equal(driver.core.position().round, 0);
  });
});

describe("a vote that is kept already", () => {
  test("does not vouch for another signature in a POLKA", () => {
    const driver = createDriver({ self: 3 });
    driver.receive(0, proposal(0, "A"));
    driver.validated(0, "A");
    driver.receive(0, prevote(0, 0, "A"));
    const good = polka(0, "A", [0, 1, 2]);
    const forged = { ...good, votes: [{ ...good.votes[0]!, signature: new Uint8Array(64) }, ...good.votes.slice(1)] };
    assert.ok(!driver.receive(1, forged).includes("all <- precommit 0 A"));
    assert.equal(driver.record().locked, undefined);
    assert.ok(driver.receive(1, good).includes("all <- precommit 0 A"));
  });

  test("does not vouch for another signature in a DECISION", () => {
    const driver = lockedOnA();
    driver.receive(0, precommit(0, 0, "A"));
    const good = decision(0, "A", [0, 1, 2]);
    const [first, ...rest] = good.certificate.signatures;
    const signatures = [{ ...first!, signature: new Uint8Array(64) }, ...rest];
    const forged = { ...good, certificate: { round: 0, signatures } };
    assert.ok(!driver.receive(1, forged).some((line) => line.startsWith("decide")));
    assert.ok(driver.receive(1, good).some((line) => line.startsWith("decide")));
  });
});

describe("ROUND", () => {
  const certificate = (votes: readonly ReturnType<typeof prevote | typeof precommit>[], height = 4): Message => {
    return { type: "round", height, votes };
  };

  test("votes of f+1 members let the node into a round however far", () => {
    const driver = lockedOnA();
    driver.receive(1, certificate([prevote(1, 900, null), precommit(2, 1_000, null)]));
    assert.equal(driver.core.position().round, 900);
  });

  test("a quorum's precommits of the round before lead through its wait", () => {
    const driver = lockedOnA();
    const lines = driver.receive(1, certificate([0, 1, 2].map((index) => precommit(index, 6, null))));
    assert.equal(driver.core.position().round, 6);
    assert.ok(lines.includes("set precommit 2000"));
    driver.timeout("propose");
    driver.timeout("precommit");
    assert.equal(driver.core.position().round, 7);
  });

  test("with a vote that is forged, or of one member, is dropped", () => {
    const driver = lockedOnA();
    driver.receive(1, certificate([prevote(1, 9, null), { ...prevote(2, 9, null), signature: new Uint8Array(64) }]));
    driver.receive(1, certificate([prevote(1, 9, null), precommit(1, 9, null)]));
    assert.equal(driver.core.position().round, 0);
  });
});

describe("resend", () => {
  test("says again what peers may have missed, as it was signed", () => {
    const driver = lockedOnA();
    driver.receive(0, precommit(0, 0, null));
    driver.receive(1, precommit(1, 0, null));
    driver.timeout("precommit");
    driver.timeout("propose");
    assert.deepEqual(driver.timeout("resend"), [
      "set resend 2000",
      "all <- prevote 1 nil vr -1",
      "all <- precommit 0 A",
      "all <- polka 0 A",
      "all <- round by precommit 0, precommit 0, precommit 0",
      "all <- status 4",
    ]);
  });

  test("the proposer's bytes are the same every time", () => {
    const driver = createDriver({ self: 0 });
    driver.feed({ type: "work", available: true });
    driver.built(0, "A");
    const sent = () =>
      driver.effects.flatMap((effect) =>
        effect.type === "send" && effect.message.type === "proposal" ? [effect.bytes] : [],
      );
    const first = sent();
    driver.timeout("resend");
    assert.equal(first.length, 1);
    assert.deepEqual(sent(), first);
    assert.ok(!driver.effects.some((effect) => effect.type === "persist"), "nothing new was signed");
  });
});

describe("DECISION", () => {
  test("decides a value that is here", () => {
    const driver = lockedOnA();
    assert.ok(driver.receive(0, decision(5, "A", [0, 1, 2])).includes("decide A in 5 by 3"));
  });

  test("asks its sender first for a body that is missing, and another sender next", () => {
    const driver = createDriver({ self: 3 });
    assert.deepEqual(driver.receive(2, decision(0, "A", [0, 1, 2])), ["need A from n2 n0 n1", "set resend 2000"]);
    assert.deepEqual(driver.receive(2, decision(0, "A", [0, 1, 2])), []);
    assert.deepEqual(driver.receive(1, decision(0, "A", [0, 1, 2])), ["need A from n1 n0 n2"]);
    assert.deepEqual(driver.timeout("resend"), [
      "set resend 2000",
      "need A from n1 n0 n2",
      "all <- decision 4",
      "all <- status 4",
    ]);
  });

  test("asks again for what the shell cannot judge, as long as it is not decided", () => {
    const driver = createDriver({ self: 3 });
    driver.receive(0, proposal(0, "A"));
    assert.ok(driver.effects.some((effect) => effect.type === "validate"));
    assert.deepEqual(driver.receive(2, decision(0, "A", [0, 1, 2])), ["set resend 2000"]);
    assert.deepEqual(driver.timeout("resend"), [
      "set resend 2000",
      "need A from n2 n0 n1",
      "all <- decision 4",
      "all <- status 4",
    ]);
  });

  test("is refused with too few, forged or unordered signatures", () => {
    const driver = lockedOnA();
    const good = decision(0, "A", [0, 1, 2]);
    const [first, second, third] = good.certificate.signatures;
    const signatures = [first!, second!, { ...third!, signature: new Uint8Array(64) }];
    assert.deepEqual(driver.receive(0, { ...good, certificate: { round: 0, signatures } }), []);
    assert.deepEqual(driver.receive(0, decision(0, "A", [0, 1])), []);
    assert.deepEqual(driver.receive(0, decision(0, "A", [1, 0, 2])), []);
    assert.deepEqual(driver.receive(0, decision(0, "A", [0, 1, 1])), []);
    assert.deepEqual(driver.receive(0, { ...good, certificate: { ...good.certificate, round: 1 } }), []);
  });

  test("of a later height shows how far its sender is", () => {
    const driver = lockedOnA();
    assert.deepEqual(driver.receive(0, decision(0, "C", [0, 1, 2], 9)), ["behind 9 n0", "n0 <- status 4"]);
    assert.deepEqual(driver.receive(1, decision(0, "C", [0, 1], 9)), ["n1 <- status 4"]);
  });
});

describe("peers at other heights", () => {
  test("a message from below is answered with its decision, not twice in a moment", () => {
    const driver = createDriver({ self: 3 });
    assert.deepEqual(driver.receive(1, { type: "status", height: 3 }), ["serve 3 to n1"]);
    assert.deepEqual(driver.receive(1, prevote(1, 0, null, -1, 3), polka(0, "A", [0, 1, 2], 3)), []);
    assert.deepEqual(driver.receive(2, proposal(0, "A", { height: 3 })), ["serve 3 to n2"]);
    driver.wait(500);
    assert.deepEqual(driver.receive(1, { type: "status", height: 2 }), ["serve 2 to n1", "n1 <- status 4"]);
  });

  test("a decision from below is not answered", () => {
    const driver = createDriver({ self: 3 });
    assert.deepEqual(driver.receive(1, decision(0, "A", [0, 1, 2], 2)), []);
  });

  test("a late precommit for the block just stored is not answered", () => {
    const driver = lockedOnA();
    driver.receive(1, precommit(1, 0, "A"));
    driver.receive(0, precommit(0, 0, "A"));
    driver.committed("A");
    assert.deepEqual(driver.receive(2, precommit(2, 0, "A")), []);
    assert.deepEqual(driver.receive(2, precommit(2, 0, null)), ["n2 <- decision 4"]);
  });

  test("who is one block behind gets the certificate of the block, and the block where it was taken from a peer", () => {
    const driver = lockedOnA();
    driver.receive(0, decision(0, "A", [0, 1, 2]));
    driver.committed("A");
    assert.deepEqual(driver.receive(1, { type: "status", height: 4 }), ["n1 <- decision 4"]);
    assert.deepEqual(driver.receive(1, prevote(1, 0, "A", -1, 4)), []);
    driver.committed("B", { height: 5 });
    assert.deepEqual(driver.receive(2, { type: "status", height: 5 }), ["serve 5 to n2"]);
    driver.wait(500);
    assert.deepEqual(driver.receive(1, { type: "status", height: 4 }), ["serve 4 to n1", "n1 <- status 6"]);
  });

  test("a message from above is answered with the own status, not twice in a moment", () => {
    const driver = createDriver({ self: 3 });
    assert.deepEqual(driver.receive(1, { type: "status", height: 1_000_000 }), ["n1 <- status 4"]);
    assert.deepEqual(driver.receive(1, prevote(1, 0, null, -1, 6)), []);
    assert.equal(driver.core.position().height, 4, "a claimed height moves nothing");
  });

  test("a message from above is answered again at once when the own height is another", () => {
    const driver = lockedOnA();
    assert.deepEqual(driver.receive(1, { type: "status", height: 5 }), ["n1 <- status 4"]);
    driver.receive(0, decision(0, "A", [0, 1, 2]));
    driver.committed("A");
    assert.deepEqual(driver.receive(1, { type: "status", height: 6 }), ["n1 <- status 5"]);
    assert.deepEqual(driver.receive(1, { type: "status", height: 7 }), []);
  });

  test("after each block a node that is behind tells those who are ahead", () => {
    const driver = lockedOnA();
    driver.receive(1, { type: "status", height: 6 });
    driver.receive(2, { type: "status", height: 5 });
    driver.receive(0, decision(0, "A", [0, 1, 2]));
    assert.deepEqual(driver.committed("A"), ["n1 <- status 5"]);
  });

  test("what waits for the next height is bounded for each member", () => {
    const driver = createDriver({ self: 3 });
    for (let round = 0; round < 40; round += 1) driver.receive(0, prevote(0, round % 16, "B", -1, 5));
    driver.receive(1, proposal(0, "B", { height: 5 }), proposal(0, "C", { height: 5 }));
    driver.receive(0, decision(0, "A", [0, 1, 2]));
    driver.feed({ type: "obtained", height: 4, id: idOf("A"), body: new Uint8Array(1) });
    const lines = driver.committed("A");
    assert.deepEqual(lines, ["validate 0 B fresh"]);
  });
});

describe("followers", () => {
  test("decide, fetch bodies and keep up with the rounds, and never sign", () => {
    const driver = createDriver({ self: undefined });
    driver.feed({ type: "work", available: true });
    driver.receive(0, proposal(0, "A"));
    for (const index of [0, 1]) driver.receive(index, prevote(index, 20, null));
    driver.receive(1, { type: "round", height: 4, votes: [prevote(0, 20, null), prevote(1, 20, null)] });
    assert.equal(driver.core.position().round, 20);
    for (const index of [0, 1]) assert.deepEqual(driver.receive(index, precommit(index, 21, "A")), []);
    assert.deepEqual(driver.receive(2, precommit(2, 21, "A")), ["need A from n0 n1 n2", "set resend 2000"]);
    const lines = driver.feed({ type: "obtained", height: 4, id: idOf("A"), body: new Uint8Array(1) });
    assert.deepEqual(lines, ["clear resend", "decide A in 21 by 3"]);
  });

  test("become members at the height whose members they are", () => {
    const driver = createDriver({ self: 3, config: { members: members(3) } });
    assert.equal(driver.core.position().voting, false);
    driver.receive(0, decision(0, "A", [0, 1, 2]));
    driver.feed({ type: "obtained", height: 4, id: idOf("A"), body: new Uint8Array(1) });
    driver.committed("A");
    assert.equal(driver.core.position().voting, true);
  });
});

describe("evidence", () => {
  const pair = (first: Parameters<typeof statementOf>[0], second: Parameters<typeof statementOf>[0]): Message => {
    return { type: "evidence", first: statementOf(first), second: statementOf(second) };
  };

  test("from a peer is checked and reported once, and not passed on", () => {
    const driver = createDriver({ self: 3 });
    const evidence = pair(precommit(1, 0, "A"), precommit(1, 0, "B"));
    assert.deepEqual(driver.receive(0, evidence, evidence), ["evidence against n1"]);
    assert.deepEqual(driver.receive(0, pair(proposal(0, "A"), proposal(0, "B"))), ["evidence against n0"]);
    assert.deepEqual(driver.receive(0, pair(prevote(2, 1, "A"), prevote(2, 1, "A", 0))), ["evidence against n2"]);
  });

  test("that proves nothing is dropped", () => {
    const driver = createDriver({ self: 3 });
    const forged = { ...precommit(1, 0, "B"), signature: new Uint8Array(64) };
    for (const nothing of [
      pair(precommit(1, 0, "A"), precommit(1, 0, "A")),
      pair(precommit(1, 0, "A"), forged),
      pair(precommit(1, 0, "A"), precommit(2, 0, "B")),
      pair(precommit(1, 0, "A"), precommit(1, 1, "B")),
      pair(precommit(1, 0, "A"), prevote(1, 0, "B")),
      pair(precommit(1, 0, "A"), precommit(1, 0, "B", 5)),
      pair(precommit(1, 0, "A", 9), precommit(1, 0, "B", 9)),
      pair(precommit(9, 0, "A"), precommit(9, 0, "B")),
    ]) {
      assert.deepEqual(driver.receive(0, nothing), []);
    }
  });
});

test("nothing that a peer may send throws", () => {
  const driver = lockedOnA();
  const odd: Message[] = [
    { type: "round", height: 4, votes: [] },
    { type: "polka", height: 4, round: 0, id: idOf("A"), votes: [] },
    { type: "decision", height: 4, id: idOf("A"), certificate: { round: 0, signatures: [] } },
    { type: "status", height: 0 },
    { type: "status", height: Number.MAX_SAFE_INTEGER },
    prevote(1, 0xffffffff, null),
    precommit(1, 0xffffffff, "A"),
    proposal(0, "A", { height: 0 }),
    { type: "round", height: 4, votes: [prevote(0, 0xffffffff, null), prevote(1, 0xffffffff, null)] },
  ];
  for (const message of odd) driver.receive(1, message);
  assert.equal(driver.core.position().height, 4);
});
