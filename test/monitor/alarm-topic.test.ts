// Alarms at a broker of the operator's: each on the topic of its kind, and those that wait for a broker that is away.

import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { Aedes } from "aedes";
import { alarmTopic, openAlarmTopics } from "../../tools/monitor/alarm-topic.js";

async function brokerOn(t: TestContext, port: number) {
  const broker = await Aedes.createBroker();
  const server = createServer(broker.handle);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  t.after(() => {
    broker.close();
    server.close();
  });
  const heard = new Promise<[topic: string, text: string]>((resolve) => {
    broker.on("publish", ({ topic, payload }, client) => {
      if (client !== null) resolve([topic, payload.toString()]);
    });
  });
  return { port: (server.address() as AddressInfo).port, heard };
}

function promised(): readonly [Promise<void>, () => void] {
  let resolve = () => {};
  const promise = new Promise<void>((resolved) => {
    resolve = resolved;
  });
  return [promise, () => resolve()];
}

test("an alarm is published on the topic of its kind, and waits for a broker that is away", async (t) => {
  const free = createServer();
  await new Promise<void>((resolve) => free.listen(0, "127.0.0.1", resolve));
  const { port } = free.address() as AddressInfo;
  await new Promise((resolve) => free.close(resolve));
  const said: string[] = [];
  const [away, isAway] = promised();
  const topics = openAlarmTopics({
    url: `mqtt://127.0.0.1:${port}`,
    ...{ network: "street", password: undefined },
    say(sentence) {
      said.push(sentence);
      isAway();
    },
  });
  t.after(() => topics.close());
  const line = { alarm: "wrong-state", what: "it tells another value" } as const;
  const published = topics.publish(line);
  await away; // or the test does not end: it is said before anything is taken
  const { heard } = await brokerOn(t, port);
  const [topic, text] = await heard;
  assert.equal(topic, "gs1/street/-/alarm/wrong-state");
  assert.equal(topic, alarmTopic("street", line.alarm));
  assert.deepEqual(JSON.parse(text), line);
  assert.equal(await published, undefined);
  assert.match(said.join(), /^the broker is not reached, and alarms wait for it: [^,]+,the broker is reached again$/);
});
