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

test("an alarm is published on the topic of its kind, and waits for a broker that is away", async (t) => {
  const free = createServer();
  await new Promise<void>((resolve) => free.listen(0, "127.0.0.1", resolve));
  const { port } = free.address() as AddressInfo;
  await new Promise((resolve) => free.close(resolve));
  const topics = openAlarmTopics(`mqtt://127.0.0.1:${port}`, "street", undefined);
  t.after(() => topics.close());
  const line = { alarm: "wrong-state", what: "it tells another value" } as const;
  const published = topics.publish(line);
  const { heard } = await brokerOn(t, port);
  const [topic, text] = await heard;
  assert.equal(topic, "gs1/street/-/alarm/wrong-state");
  assert.equal(topic, alarmTopic("street", line.alarm));
  assert.deepEqual(JSON.parse(text), line);
  assert.equal(await published, undefined);
});
