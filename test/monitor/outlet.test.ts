// Ways by which alarms leave the monitor: one that fails or hangs holds up no other, and says so once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type AlarmLine, createOutlet } from "../../tools/monitor/outlet.js";

const line = { what: "it tells another value" } as AlarmLine;

test("an outlet that takes nothing says so once, and once that it takes alarms again", async () => {
  const said: string[] = [];
  let reason: string | undefined = "it answers 500";
  const send = createOutlet({ name: "the webhook", deliver: async () => reason, say: (text) => said.push(text) });
  for (let count = 0; count < 3; count += 1) await send(line);
  assert.deepEqual(said, ["the webhook does not take alarms: it answers 500. Standard output has them all"]);
  reason = undefined;
  for (let count = 0; count < 3; count += 1) await send(line);
  assert.deepEqual(said.slice(1), ["the webhook takes alarms again, 3 were not taken"]);
  reason = "it answers 404";
  await send(line);
  assert.match(said[2]!, /does not take alarms: it answers 404/);
});

test("what an outlet throws is its own failure, told as one", async () => {
  const said: string[] = [];
  const deliver = () => Promise.reject(new Error("no route"));
  await createOutlet({ name: "the broker", deliver, say: (text) => said.push(text) })(line);
  assert.match(said.join(), /^the broker does not take alarms: no route/);
});

test("an outlet that never answers holds a bounded number of alarms, and no other outlet", async () => {
  const said: string[] = [];
  const say = (text: string) => said.push(text);
  const hung = createOutlet({ name: "the broker", deliver: () => new Promise(() => {}), say });
  let posted = 0;
  const post = async () => {
    posted += 1;
    return undefined;
  };
  const webhook = createOutlet({ name: "the webhook", deliver: post, say });
  for (let count = 0; count < 1_003; count += 1) {
    void hung(line);
    await webhook(line);
  }
  assert.equal(posted, 1_003);
  assert.deepEqual(said, ["the broker does not take alarms: 1000 wait for it already. Standard output has them all"]);
});

test("an outlet that takes its time is named once while the alarm waits, and when it takes it", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const said: string[] = [];
  const taken: (() => void)[] = [];
  const deliver = () => new Promise<undefined>((resolve) => taken.push(() => resolve(undefined)));
  const send = createOutlet({ name: "the broker", deliver, say: (text) => said.push(text) });
  const sent = [send(line), send(line)];
  t.mock.timers.tick(9_999);
  assert.deepEqual(said, []);
  t.mock.timers.tick(1);
  assert.deepEqual(said, ["the broker has not taken an alarm for 10 s. Standard output has them all"]);
  for (const take of taken) take();
  await Promise.all(sent);
  assert.deepEqual(said.slice(1), ["the broker takes alarms again, 0 were not taken"]);
});
