// Every message of which the core makes nothing has a name.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type MessageDrop, messageDrops } from "../../tools/consensus/drops.js";
import type { Message } from "../../tools/consensus/types.js";
import { createDriver, decision, HEIGHT, polka, precommit, prevote, proposal, RUN } from "./driver.js";

interface Case {
  /** the messages before it, each from node 0 */
  readonly before?: readonly Message[];
  readonly message: Message;
  readonly from?: number;
}

const forged = <Signed extends { readonly signature: Uint8Array }>(statement: Signed): Signed => {
  return { ...statement, signature: new Uint8Array(64) };
};
const unproven = { ...polka(0, "A", [0, 1, 2]), votes: [] };

const cases: readonly (readonly [MessageDrop, string, Case])[] = [
  ["consensus-stranger", "a vote of no member", { message: prevote(9, 0, "A") }],
  ["consensus-stranger", "a proposal of no member", { message: proposal(0, "A", { from: 9 }) }],
  ["consensus-stranger", "a vote of the next height from no member", { message: prevote(0, 0, "A", -1, 5), from: 9 }],
  ["consensus-unproven", "a forged vote", { message: forged(prevote(0, 0, "A")) }],
  ["consensus-unproven", "a forged proposal", { message: forged(proposal(0, "A")) }],
  ["consensus-unproven", "a forged second vote", { before: [prevote(0, 0, "A")], message: forged(prevote(0, 0, "B")) }],
  ["consensus-unproven", "a proposal whose polka is none", { message: proposal(1, "A", { vr: 0, polka: [] }) }],
  ["consensus-unproven", "a polka without its quorum", { message: unproven }],
  ["consensus-unproven", "a decision of too few", { message: decision(0, "A", [0, 1]) }],
  ["consensus-unproven", "a later decision of too few", { message: decision(0, "A", [0, 1], 9) }],
  [
    "consensus-unproven",
    "a forged round",
    { message: { type: "round", height: HEIGHT, votes: [forged(prevote(0, 3, "A"))] } },
  ],
  ["consensus-repeated", "a vote said again", { before: [prevote(0, 0, "A")], message: prevote(0, 0, "A") }],
  ["consensus-repeated", "a proposal said again", { before: [proposal(0, "A")], message: proposal(0, "A") }],
  [
    "consensus-repeated",
    "a polka said again",
    { before: [polka(0, "A", [0, 1, 2])], message: polka(0, "A", [0, 1, 2]) },
  ],
  [
    "consensus-repeated",
    "a decision said again",
    { before: [decision(0, "A", [0, 1, 2])], message: decision(0, "A", [0, 1, 2]) },
  ],
  ["consensus-round-ahead", "a vote far ahead", { message: prevote(0, 99, "A") }],
  ["consensus-round-ahead", "a proposal far ahead", { message: proposal(5, "A") }],
  [
    "consensus-round-past",
    "a prevote of a round that is over",
    { before: [polka(3, "A", [0, 1, 2])], message: prevote(0, 1, "A") },
  ],
  [
    "consensus-round-past",
    "a proposal of a round that is over, whose body nobody needs",
    { before: [polka(3, "A", [0, 1, 2])], message: proposal(1, "B") },
  ],
  [
    "consensus-round-past",
    "a round of votes that say nothing new",
    { message: { type: "round", height: HEIGHT, votes: [] } },
  ],
  ["consensus-height-ahead", "a vote of a height beyond the next", { message: prevote(0, 0, "A", -1, 6) }],
  [
    "consensus-height-ahead",
    "evidence of a later height",
    { message: { type: "evidence", first: prevote(0, 0, "A", -1, 6), second: prevote(0, 0, "B", -1, 6) } },
  ],
  ["consensus-height-sealed", "a decision of a sealed height", { message: decision(0, "A", [0, 1, 2], 3) }],
  [
    "consensus-decided",
    "a vote of a height that is decided",
    { before: [proposal(0, "A"), decision(0, "A", [0, 1, 2])], message: prevote(1, 0, "A") },
  ],
  ["consensus-not-proposer", "a proposal out of turn", { message: proposal(0, "A", { from: 2 }) }],
  [
    "consensus-no-room",
    "a second proposal of a later round from one that was seen to contradict itself",
    { before: [proposal(1, "A"), proposal(1, "B")], message: proposal(1, "C") },
  ],
  [
    "consensus-no-room",
    "a second proposal of the next height",
    { before: [proposal(0, "A", { height: 5 })], message: proposal(0, "B", { height: 5 }) },
  ],
  [
    "consensus-answered",
    "a second vote of a sealed height, answered a moment ago",
    { before: [prevote(0, 0, "A", -1, 3)], message: prevote(0, 1, "A", -1, 3) },
  ],
  [
    "consensus-unasked",
    "a vouch for a node that has its record",
    { message: { type: "vouch", height: HEIGHT, run: RUN } },
  ],
  [
    "consensus-no-equivocation",
    "evidence of one statement twice",
    { message: { type: "evidence", first: prevote(0, 0, "A"), second: prevote(0, 0, "A") } },
  ],
];

for (const [reason, what, { before = [], message, from = 0 }] of cases) {
  test(`drops ${what} as ${reason}`, () => {
    const driver = createDriver({ self: 3 });
    driver.receive(0, ...before);
    driver.receive(from, message);
    const drops = driver.effects.flatMap((effect) => (effect.type === "drop" ? [effect.reason] : []));
    assert.deepEqual(drops, [reason]);
  });
}

test("every reason has a case", () => {
  assert.deepEqual([...new Set(cases.map(([reason]) => reason))].sort(), [...messageDrops].sort());
});

test("what is of use is no drop", () => {
  const driver = createDriver({ self: 3 });
  for (const message of [
    proposal(0, "A"),
    prevote(0, 0, "A"),
    precommit(1, 0, "A"),
    { type: "status", height: 9 } as const,
  ]) {
    driver.receive(0, message);
    assert.ok(driver.effects.every(({ type }) => type !== "drop"));
  }
});
