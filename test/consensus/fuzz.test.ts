// Whatever one faulty member of four says, in whatever order, a core keeps its invariants: it does not throw, does not decide
// without a quorum, never contradicts itself, and its record can always be read again.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toHex } from "../../src/wire/bytes.js";
import { headOf, signedBytes } from "../../tools/consensus/messages.js";
import { decodeRecord } from "../../tools/consensus/signed-position.js";
import type { Effect, Message, Prevote, Statement, TimerName, Vote } from "../../tools/consensus/types.js";
import {
  createDriver,
  type Driver,
  decision,
  polka,
  precommit,
  prevote,
  proposal,
  RUN,
  statementOf,
} from "./driver.js";
import { chain, genesisHash, nodeId } from "./keys.js";

const SELF = 3;
const FAULTY = 0;
const letter = fc.constantFrom("A", "B", "C");
const choice = fc.option(letter);
const round = fc.oneof(
  { weight: 4, arbitrary: fc.nat(3) },
  { weight: 1, arbitrary: fc.constantFrom(5, 17, 40, 0xffffffff) },
);
const height = fc.constantFrom(3, 4, 4, 4, 4, 5, 9);

/** Votes of the faulty member, and of honest ones that vote as a calm network would: nil, each round. */
const votes: fc.Arbitrary<Vote> = fc.oneof(
  fc.tuple(round, choice, height).map(([round, id, height]) => prevote(FAULTY, round, id, -1, height)),
  fc.tuple(round, choice, height).map(([round, id, height]) => precommit(FAULTY, round, id, height)),
  fc.tuple(fc.constantFrom(1, 2), fc.nat(6)).map(([index, round]) => prevote(index, round, null)),
  fc.tuple(fc.constantFrom(1, 2), fc.nat(6)).map(([index, round]) => precommit(index, round, null)),
);
const messages: fc.Arbitrary<Message> = fc.oneof(
  votes,
  fc.tuple(fc.constantFrom(0, 4), letter).map(([round, id]) => proposal(round, id)),
  fc.constantFrom(1, 2, 5, 6).map((round) => proposal(round, "E")),
  fc
    .tuple(fc.constantFrom(4, 8), fc.nat(3), letter)
    .map(([round, vr, id]) => proposal(round, id, { vr, polka: polka(vr, id, [0, 0, 1]).votes as Prevote[] })),
  fc.tuple(round, letter).map(([round, id]) => ({ ...polka(round, id, [0]), votes: forged(round, id) })),
  fc.array(votes, { maxLength: 4 }).map((list) => ({
    type: "round" as const,
    height: 4,
    votes: list.filter((vote) => vote.height === 4),
  })),
  fc.tuple(round, letter, height).map(([round, id, height]) => decision(round, id, [0, 0, 0], height)),
  height.map((height) => ({ type: "status" as const, height })),
  fc.record({
    type: fc.constantFrom("inquiry" as const, "vouch" as const),
    height,
    run: fc.constantFrom(RUN, RUN - 1),
  }),
  fc.tuple(votes, votes).map(([first, second]) => ({
    type: "evidence" as const,
    first: statementOf(first),
    second: statementOf(second),
  })),
);

function forged(round: number, id: string): readonly Prevote[] {
  return [0, 1, 2].map((index) => ({ ...prevote(index, round, id), signature: prevote(0, round, id).signature }));
}

type Action =
  | { readonly type: "receive"; readonly from: number; readonly message: Message }
  | { readonly type: "timeout"; readonly name: TimerName }
  | { readonly type: "answer"; readonly valid: boolean }
  | { readonly type: "work"; readonly available: boolean }
  | { readonly type: "restart" };

const actions: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant("receive" as const), from: fc.nat(4), message: messages }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("timeout" as const),
      name: fc.constantFrom<TimerName>("propose", "prevote", "precommit", "resend", "heartbeat"),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("answer" as const), valid: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("work" as const), available: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("restart" as const) }) },
);

test("one faulty member cannot make a core throw, decide, or contradict itself", () => {
  fc.assert(
    fc.property(fc.array(actions, { maxLength: 60 }), (script) => {
      const said = new Map<string, string>();
      let driver = createDriver({ self: SELF });
      let asked: Effect[] = [];
      for (const action of script) {
        if (action.type === "restart") {
          driver = createDriver({ self: SELF, restored: driver.record() });
          asked = [];
        } else {
          perform(driver, action, asked);
        }
        check(driver, said);
        asked.push(...driver.effects.filter(({ type }) => type === "build" || type === "validate"));
      }
    }),
    { numRuns: 400 },
  );
});

function perform(driver: Driver, action: Exclude<Action, { type: "restart" }>, asked: Effect[]): void {
  if (action.type === "receive") driver.receive(action.from, action.message);
  else if (action.type === "work") driver.feed(action);
  else if (action.type === "timeout") {
    driver.wait(8_000);
    driver.feed(action);
  } else {
    const effect = asked.shift();
    if (effect?.type === "build") driver.built(effect.round, "D");
    else if (effect?.type === "validate") {
      const { height, round, id, fresh } = effect;
      driver.feed({ type: "validated", height, round, id, fresh, valid: action.valid });
    }
  }
}

function check(driver: Driver, said: Map<string, string>): void {
  for (const effect of driver.effects) {
    assert.notEqual(effect.type, "decide");
    if (effect.type === "persist") decodeRecord(effect.record, nodeId(SELF));
    if (effect.type === "evidence") assert.equal(effect.evidence.first.node, nodeId(FAULTY));
    if (effect.type !== "send") continue;
    const statement = ownStatement(effect.message);
    if (statement === undefined) continue;
    const place = `${statement.type} ${statement.height}/${statement.round}`;
    const content = toHex(signedBytes(genesisHash, chain, statement));
    assert.equal(said.get(place) ?? content, content, place);
    said.set(place, content);
  }
}

function ownStatement(message: Message): Statement | undefined {
  if (message.type === "proposal" && message.node === nodeId(SELF)) return headOf(message);
  if ((message.type === "prevote" || message.type === "precommit") && message.node === nodeId(SELF)) return message;
  return undefined;
}
