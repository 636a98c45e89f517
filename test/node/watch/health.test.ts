import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  BEHIND_BLOCKS,
  type ChainSeen,
  CLOCK_OFF_MAX_MS,
  CLOCK_SAMPLES_MAX,
  CLOCK_WRONG_MS,
  clockOffset_ms,
  type History,
  judge,
  noHistory,
  remember,
  rememberBlock,
  SEALING_MAX_MS,
  type Seen,
  STANDING_MAX_MS,
  WRITE_MAX_MS,
} from "../../../tools/node/watch/health.js";

const members = ["a", "b", "c", "d"];
const chain: ChainSeen = {
  service: 1,
  name: "trading",
  height: 10,
  block_ms: 0,
  records: 0,
  unverified: 0,
  isMember: true,
  members,
  quorum: 3,
  waits: false,
  abstention: undefined,
  disagreement: undefined,
  endless: [],
  missing: { disclosures: 0, shares: 0, origins: [], since_s: undefined },
  claimed: [10, 10, 10],
};
const well: Seen = {
  self: "a",
  clock_ms: 1_000_000_000,
  connected: ["b", "c", "d"],
  chains: [chain],
  oldestWrite_ms: 0,
  space: { free_bytes: 90, size_bytes: 100 },
  damage: undefined,
  double: [],
  unusableCustodians: [],
  brokerLost: undefined,
  names: new Map([["d", "node-4"]]),
};
const withChain = (change: Partial<ChainSeen>): Seen => ({ ...well, chains: [{ ...chain, ...change }] });
const seenAt = (history: History, seen: Seen, now_ms: number) => remember(history, seen, now_ms);
const found = (seen: Seen, history = noHistory, now_ms = 0) => {
  const { status, problems } = judge(history, seen, now_ms);
  return [status, ...problems.map(({ check }) => check)];
};

test("a node whose chains go on passes", () => {
  assert.deepEqual(found(well), ["pass"]);
});

test("a member that can lose no other one is warned, with the names of those that are missing", () => {
  const { status, problems } = judge(noHistory, { ...well, connected: ["b", "c"] }, 0);
  assert.equal(status, "warn");
  assert.deepEqual(
    problems.map(({ check, output }) => [check, output]),
    [["chain:quorum", "every member that is left is needed: if one more is lost nothing is sealed; missing: node-4"]],
  );
  const three = withChain({ members: ["a", "b", "c"], quorum: 3 });
  assert.deepEqual(found({ ...three, connected: ["b", "c"] }), ["pass"], "three members never can");
});

test("contracts that answer each other without end are named", () => {
  const { status, problems } = judge(noHistory, withChain({ endless: ["credit", "trading"] }), 0);
  assert.deepEqual([status, problems.length, problems[0]?.check], ["warn", 1, "chain:messages"]);
  assert.match(problems[0]!.output, /^credit, trading: messages answer each other without end/);
});

test("what a member lacks of disclosures for a minute is told, with how much and since when, and no sooner", () => {
  const seen = (since_s: number | undefined) =>
    withChain({ missing: { disclosures: 3, shares: 2, origins: ["00aa"], since_s } });
  const { clock_ms } = seen(undefined);
  const told = (since_s: number | undefined) =>
    judge(noHistory, seen(since_s), 0).problems.filter(({ check }) => check === "chain:disclosures");
  assert.deepEqual([told(undefined), told(clock_ms / 1_000 - 59)], [[], []]);
  const [problem] = told(clock_ms / 1_000 - 60);
  assert.equal(problem?.status, "warn");
  const since = new Date(clock_ms - 60_000).toISOString();
  assert.ok(
    problem?.output.startsWith(
      `3 readings without their sealed disclosures and 2 envelopes without a share (named by 00aa), since ${since}`,
    ),
  );
});

test("a node whose shared broker is lost fails, with the broker's reason", () => {
  const { status, problems } = judge(noHistory, { ...well, brokerLost: "connect ECONNREFUSED" }, 0);
  assert.equal(status, "fail");
  assert.deepEqual(
    problems.map(({ check, output }) => [check, output]),
    [["broker:connection", "the shared broker is not connected, and no meter is heard: connect ECONNREFUSED"]],
  );
});

test("a member without a quorum fails, a follower without enough members to believe is warned of", () => {
  assert.deepEqual(found({ ...well, connected: ["b"] }), ["fail", "chain:quorum"]);
  const follower = withChain({ isMember: false });
  assert.deepEqual(found({ ...follower, self: "e", connected: ["b"] }), ["warn", "chain:quorum"]);
  assert.deepEqual(found({ ...follower, self: "e", connected: ["b", "c"] }), ["pass"]);
});

test("records that wait at one height for half a minute fail, and a block or an empty queue begins anew", () => {
  const waiting = withChain({ waits: true });
  let history = seenAt(noHistory, waiting, 1_000);
  assert.deepEqual(found(waiting, history, 1_000 + STANDING_MAX_MS - 1), ["pass"]);
  history = seenAt(history, waiting, 1_000 + STANDING_MAX_MS);
  assert.deepEqual(found(waiting, history, 1_000 + STANDING_MAX_MS), ["fail", "chain:sealing"]);
  const moved = withChain({ waits: true, height: 11 });
  assert.deepEqual(found(moved, seenAt(history, moved, 40_000), 40_001), ["pass"]);
  const idle = seenAt(history, well, 40_000);
  assert.deepEqual(found(waiting, seenAt(idle, waiting, 90_000), 90_001), ["pass"]);
});

test("a node is behind by what f + 1 members claim, and not by what one of them does", () => {
  const ahead = 10 + BEHIND_BLOCKS;
  assert.deepEqual(found(withChain({ claimed: [1e9, 10, 10] })), ["pass"]);
  assert.deepEqual(found(withChain({ claimed: [10, ahead, 1e9] })), ["warn", "chain:height"]);
  assert.deepEqual(found(withChain({ claimed: [ahead - 1, ahead - 1] })), ["pass"]);
});

test("a member that abstains is warned of, a follower does not vote anyway", () => {
  const abstention = { until: 9, unvouched: ["b"], lost: [], spare: 1 };
  assert.deepEqual(found(withChain({ abstention })), ["warn", "chain:voting"]);
  assert.deepEqual(found(withChain({ abstention, isMember: false })), ["pass"]);
  const disagreement = "block 7 is sealed by a quorum and comes to something else here";
  assert.deepEqual(found(withChain({ disagreement, isMember: false })), ["fail", "chain:agreement"]);
});

test("a member that abstains says what ends it, and fails where nothing does", () => {
  const said = (abstention: ChainSeen["abstention"]) =>
    judge(noHistory, withChain({ abstention }), 0).problems.find(({ check }) => check === "chain:voting");
  const waiting = said({ until: 9, unvouched: ["b", "c"], lost: ["b"], spare: 2 });
  assert.equal(waiting?.status, "warn");
  assert.match(waiting.output, /votes from block 9 on, or once b, c say/);
  assert.match(said({ until: undefined, unvouched: [], lost: [], spare: 1 })?.output ?? "", /too few members/);
  const stands = said({ until: 9, unvouched: ["b", "c"], lost: ["b"], spare: 1 });
  assert.equal(stands?.status, "fail");
  assert.match(stands.output, /that of b too: the chain stands and cannot go on; order a new one/);
});

test("a write that does not end fails, a disk that is nearly full is warned of", () => {
  assert.deepEqual(found({ ...well, oldestWrite_ms: WRITE_MAX_MS }), ["fail", "store:writes"]);
  assert.deepEqual(found({ ...well, space: { free_bytes: 4, size_bytes: 100 } }), ["warn", "store:space"]);
  assert.deepEqual(found({ ...well, space: undefined }), ["pass"]);
  assert.deepEqual(found({ ...well, damage: "block 2 is damaged" }), ["warn", "store:rows"]);
});

test("two processes with one key are named, for the operator to stop one", () => {
  assert.deepEqual(found({ ...well, double: ["node-3"] }), ["warn", "peers:identity"]);
  assert.deepEqual(found({ ...well, unusableCustodians: ["node-3"] }), ["warn", "peers:custody"]);
  assert.match(judge(noHistory, { ...well, double: ["node-3"] }, 0).problems[0]!.output, /key of node-3.*stop one/);
});

/** Blocks that came one millisecond after the other, with times so far from the own clock. */
const blocks = (offsets: readonly number[], isLive = true, before = noHistory) =>
  blocksSealedIn(isLive ? 0 : undefined, offsets, before);
/** The same, so long after their proposals were seen. */
const blocksSealedIn = (sealing_ms: number | undefined, offsets: readonly number[], before = noHistory) =>
  offsets.reduce(
    (history, offset_ms, at_ms) => rememberBlock(history, { time_ms: well.clock_ms + offset_ms, sealing_ms }, at_ms),
    before,
  );

test("the clock is held against the middle of the blocks that were sealed before the node's eyes", () => {
  const off_ms = CLOCK_OFF_MAX_MS + 10;
  assert.deepEqual(found(well, blocks([off_ms, off_ms])), ["pass"]);
  assert.deepEqual(found(well, blocks([0, off_ms, off_ms])), ["warn", "clock:offset"]);
  assert.deepEqual(found(well, blocks([-off_ms, -off_ms, 0])), ["warn", "clock:offset"]);
  assert.deepEqual(found(well, blocks([off_ms, 0, 0])), ["pass"]);
});

test("blocks that a node catches up with show that its clock is behind, and never that it is ahead", () => {
  const off_ms = CLOCK_OFF_MAX_MS + 10;
  const fetched = blocks([-off_ms, -off_ms, -off_ms, -off_ms], false);
  assert.deepEqual(found(well, fetched), ["pass"], "whatever its peers claim to have by now");
  assert.deepEqual(found(well, blocks([0, 0, 0], true, fetched)), ["pass"]);
  assert.deepEqual(found(well, blocks([off_ms, off_ms, off_ms], false)), ["warn", "clock:offset"]);
  assert.deepEqual(found(well, blocks([-off_ms, -off_ms, -off_ms], true, fetched)), ["warn", "clock:offset"]);
});

test("blocks that are sealed late say so, and speak against no clock that is right", () => {
  const late_ms = SEALING_MAX_MS + 5_000;
  const late = (delay_ms: number) =>
    blocksSealedIn(
      late_ms,
      [0, 1, 2, 3].map(() => -late_ms - delay_ms),
    );
  assert.deepEqual(found(well, late(0)), ["warn", "chain:lateness"]);
  assert.match(judge(late(0), well, 4).problems[0]!.output, /took about 15 s .*the clock is not to blame/);
  assert.deepEqual(found(well, late(late_ms)), ["warn", "chain:lateness"], "proposals take time to come, too");
  assert.deepEqual(found(well, late(late_ms + CLOCK_OFF_MAX_MS + 10)), ["warn", "chain:lateness", "clock:offset"]);
  const behind_ms = CLOCK_OFF_MAX_MS + 10;
  const clockBehind = blocksSealedIn(
    late_ms,
    [0, 1, 2, 3].map(() => behind_ms - late_ms),
  );
  assert.deepEqual(found(well, clockBehind), ["warn", "chain:lateness", "clock:offset"]);
  assert.deepEqual(found(well, blocksSealedIn(SEALING_MAX_MS, [0, 0, 0])), ["pass"]);
});

test("a clock that is ahead is told of where blocks are sealed soon", () => {
  const ahead_ms = CLOCK_OFF_MAX_MS + 500 + 10;
  assert.deepEqual(found(well, blocksSealedIn(250, [-ahead_ms, -ahead_ms, -ahead_ms])), ["warn", "clock:offset"]);
});

test("a clock on which the other members seal nothing fails, behind and ahead, with what to do about it", () => {
  for (const [off_ms, side] of [
    [7_200_000, "7200 s behind"],
    [-7_200_000, "7200 s ahead of"],
    [CLOCK_WRONG_MS + 10, "30 s behind"],
  ] as const) {
    const { status, problems } = judge(blocks([off_ms, off_ms, off_ms]), well, 3);
    assert.equal(status, "fail");
    assert.match(problems[0]!.output, new RegExp(`${side}.*synchronise it`));
  }
});

test("a clock is judged as it is now: when it is set right, or wrong, between two blocks, and long after the last one", () => {
  const wrong = blocks([7_200_000, 7_200_000, 7_200_000]);
  const hours_ms = 5 * 3_600_000;
  assert.deepEqual(found({ ...well, clock_ms: well.clock_ms + hours_ms }, wrong, hours_ms), ["fail", "clock:offset"]);
  assert.deepEqual(found({ ...well, clock_ms: well.clock_ms + hours_ms + 7_200_000 }, wrong, hours_ms), ["pass"]);
  const right = blocks([0, 0, 0]);
  assert.deepEqual(found({ ...well, clock_ms: well.clock_ms + 1_000 }, right, 1_000), ["pass"]);
  assert.deepEqual(found({ ...well, clock_ms: well.clock_ms - 7_200_000 }, right, 1_000), ["fail", "clock:offset"]);
  assert.deepEqual(found(well, wrong, 2 * 86_400_000), ["pass"], "too long ago to tell");
});

test("the network's time is its blocks', where enough of them say so", () => {
  assert.equal(clockOffset_ms(blocks([50_000, 60_000]), well.clock_ms, 2), 0);
  const offset_ms = clockOffset_ms(blocks([50_000, 60_000, -9_000_000]), well.clock_ms, 2);
  assert.ok(Math.abs(offset_ms - 50_000) < 5, "one proposer alone moves nothing");
});

const someChain = fc.record({
  service: fc.integer({ min: 1, max: 4 }),
  name: fc.constant("chain"),
  height: fc.nat(20),
  isMember: fc.boolean(),
  members: fc.constantFrom(["a"], ["a", "b"], members, [..."abcdefg"]),
  quorum: fc.integer({ min: 1, max: 7 }),
  waits: fc.boolean(),
  block_ms: fc.nat(),
  records: fc.nat(),
  unverified: fc.nat(),
  abstention: fc.option(
    fc.record({
      until: fc.option(fc.nat(20), { nil: undefined }),
      unvouched: fc.subarray(["b", "c"]),
      lost: fc.subarray(["b", "c"]),
      spare: fc.nat(2),
    }),
    { nil: undefined },
  ),
  endless: fc.constantFrom([], ["credit"]),
  missing: fc.record({
    disclosures: fc.nat(),
    shares: fc.nat(),
    origins: fc.constantFrom([], ["00aa"]),
    since_s: fc.option(fc.nat({ max: 2_000_000_000 }), { nil: undefined }),
  }),
  disagreement: fc.constantFrom(undefined, "block 7 is sealed by a quorum and comes to something else here"),
  claimed: fc.array(fc.nat(30), { maxLength: 6 }),
});
const someSeen = fc.record({
  self: fc.constantFrom("a", "z"),
  clock_ms: fc.nat(),
  connected: fc.subarray(members),
  chains: fc.uniqueArray(someChain, { maxLength: 4, selector: ({ service }) => service }),
  oldestWrite_ms: fc.nat(2 * WRITE_MAX_MS),
  space: fc.option(fc.record({ free_bytes: fc.nat(), size_bytes: fc.nat() }), { nil: undefined }),
  damage: fc.constantFrom(undefined, "block 2 is damaged"),
  double: fc.subarray(["node-2", "node-3"]),
  unusableCustodians: fc.subarray(["node-2", "node-3"]),
  brokerLost: fc.constantFrom(undefined, "connection refused"),
  names: fc.constant(new Map([["b", "node-2"]])),
});

test("the status is that of the worst problem, and what is remembered stays bounded", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(someSeen, fc.nat(60_000), fc.integer()), { maxLength: 30 }), (looks) => {
      let history = noHistory;
      let now_ms = 0;
      for (const [seen, later_ms, time_ms] of looks) {
        now_ms += later_ms;
        history = remember(history, seen, now_ms);
        for (const { isMember } of seen.chains) {
          history = rememberBlock(history, { time_ms, sealing_ms: isMember ? later_ms : undefined }, now_ms);
        }
        assert.ok(history.standing.size <= seen.chains.length);
        assert.ok(history.blocks.length <= CLOCK_SAMPLES_MAX);
        const { status, problems } = judge(history, seen, now_ms);
        const worst = problems.some((problem) => problem.status === "fail") ? "fail" : "warn";
        assert.equal(status, problems.length === 0 ? "pass" : worst);
        for (const { output } of problems) assert.match(output, /^[a-z0-9].{9,}$/);
      }
    }),
  );
});

test("a node that reaches nobody fails in every chain of several members, whatever else is seen", () => {
  fc.assert(
    fc.property(someSeen, (seen) => {
      const alone = {
        ...seen,
        self: "a",
        connected: [],
        chains: seen.chains.map((one) => ({ ...one, isMember: true })),
      };
      const { problems } = judge(noHistory, alone, 0);
      const quorumless = problems.filter(({ check, status }) => check === "chain:quorum" && status === "fail").length;
      assert.equal(quorumless, alone.chains.filter(({ quorum }) => quorum > 1).length);
    }),
  );
});
