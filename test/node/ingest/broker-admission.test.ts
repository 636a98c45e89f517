// A node's own broker that asks for session tokens: what strangers and other meters try.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createEmbeddedBroker, defaultBrokerLimits } from "../../../tools/node/ingest/broker.js";
import { createHolder, createJudge } from "../admission/holders.js";
import { until } from "../network/cluster.js";
import {
  acknowledged,
  connectPacket,
  granted,
  noteEverything,
  openClient,
  publishPacket,
  type RawClient,
  subscribePacket,
} from "./client.js";

async function withBroker(
  body: (broker: {
    readonly url: string;
    readonly noted: ReturnType<typeof noteEverything>;
    readonly state: ReturnType<typeof createJudge>["state"];
    send(topic: string, text: string): boolean;
  }) => Promise<void>,
): Promise<void> {
  const noted = noteEverything({ onRefused: (...told) => void noted.refused.push(told.join(": ")) });
  const { judge, state } = createJudge();
  const broker = createEmbeddedBroker({
    network: "test",
    listen: { host: "127.0.0.1", port: 0 },
    limits: defaultBrokerLimits,
    handlers: noted.handlers,
    admission: { judge: (token) => judge.judge(token, []), objection: judge.objection },
  });
  try {
    const { url } = await broker.start();
    await body({ url, noted, state, send: (topic, text) => broker.publish(topic, Buffer.from(text)) });
  } finally {
    await broker.close();
  }
}

const returnCode = (client: RawClient) => client.packets.find(({ first }) => first === 0x20)?.body[1];
const messages = (client: RawClient) => client.packets.filter(({ first }) => first >> 4 === 3);
const record = (meter: string) => `gs1/test/1/record/${meter}`;
const topicsOf = (meter: string) => [
  `gs1/test/+/receipt/${meter}`,
  `gs1/test/+/members/${meter}`,
  `gs1/test/-/ack/${meter}`,
  `gs1/test/-/command/${meter}`,
];

test("a meter with its token has its own topics from the first moment, and no others", async () => {
  await withBroker(async ({ url, noted, send }) => {
    const [meter, other] = [createHolder(), createHolder()];
    const client = openClient(
      url,
      connectPacket("meter", { username: meter.id, password: meter.token() }),
      subscribePacket(1, ...topicsOf(meter.id)),
      subscribePacket(2, `gs1/test/1/receipt/${other.id}`, `gs1/test/-/time/${other.id}`),
      publishPacket(3, record(meter.id), Buffer.from("mine")),
      publishPacket(4, record(other.id), Buffer.from("another's")),
      publishPacket(5, `gs1/test/-/birth/${other.id}`, Buffer.from("another's")),
    );
    await until(() => acknowledged(client).length === 3);
    await until(() => granted(client).length === 6);
    assert.deepEqual(granted(client).sort(), [1, 1, 1, 1, 0x80, 0x80]);
    assert.deepEqual(
      noted.records.map(({ topic }) => topic),
      [record(meter.id)],
    );
    assert.deepEqual(noted.notices, []);
    // Without having brought a record: its token is the proof.
    assert.ok(send(`gs1/test/1/receipt/${meter.id}`, "receipt"));
    await until(() => messages(client).length === 1);
    client.socket.destroy();
  });
});

test("a stranger is told the time and may show a credential; it subscribes to nothing else and nothing that it publishes is taken", async () => {
  await withBroker(async ({ url, noted, send }) => {
    const meter = createHolder();
    const stranger = openClient(
      url,
      connectPacket(meter.id),
      subscribePacket(1, ...topicsOf(meter.id), record(meter.id), "#", `gs1/test/-/time/${meter.id}`),
      publishPacket(2, record(meter.id), Buffer.from("forged")),
      publishPacket(3, `gs1/test/-/command/${meter.id}`, Buffer.from("forged")),
      publishPacket(4, `gs1/test/-/ack/${meter.id}`, Buffer.from("forged")),
      publishPacket(5, `gs1/test/-/diag/${meter.id}`, Buffer.from("forged")),
      publishPacket(6, `gs1/test/-/birth/${meter.id}`, Buffer.from("credential")),
    );
    await until(() => acknowledged(stranger).length === 5);
    assert.deepEqual(granted(stranger), [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1]);
    assert.deepEqual([noted.records, noted.notices], [[], ["birth"]]);
    assert.equal(send(`gs1/test/1/receipt/${meter.id}`, "receipt"), false);
    stranger.socket.destroy();
  });
});

test("a session is not taken over without the meter's key: its own goes on beside every attempt", async () => {
  await withBroker(async ({ url, noted, send }) => {
    const [meter, other] = [createHolder(), createHolder()];
    const own = openClient(
      url,
      connectPacket(meter.id, { username: meter.id, password: meter.token() }),
      subscribePacket(1, ...topicsOf(meter.id)),
    );
    await until(() => granted(own).length === 4);
    const attempts = [
      { username: meter.id, password: other.token() },
      { username: meter.id, password: `${meter.token().split(".")[0]}.${other.token().split(".")[1]}` },
      { username: meter.id, password: "guess" },
      { username: meter.id },
      { username: other.id, password: meter.token() },
    ].map((shown) => openClient(url, connectPacket(meter.id, shown), subscribePacket(1, ...topicsOf(meter.id))));
    await until(() => attempts.every(({ closed }) => closed));
    assert.deepEqual(attempts.map(returnCode), [4, 4, 4, 4, 4]);
    assert.deepEqual(attempts.flatMap(granted), []);
    const reasons = ["token-malformed", "token-missing", "token-unproven", "token-unproven", "token-unproven"];
    assert.deepEqual(noted.refused.map((line) => line.split(":")[0]).sort(), reasons);
    assert.ok(send(`gs1/test/1/receipt/${meter.id}`, "receipt"));
    await until(() => messages(own).length === 1);
    own.socket.destroy();
  });
});

test("who is revoked is not let in, and a session that stands ends within a sweep", { timeout: 30_000 }, async () => {
  await withBroker(async ({ url, state, noted }) => {
    const meter = createHolder();
    const shown = { username: meter.id, password: meter.token() };
    const own = openClient(url, connectPacket("own", shown), subscribePacket(1, ...topicsOf(meter.id)));
    await until(() => granted(own).length === 4);
    state.governance = { ...state.governance, revoked: new Map([[meter.id, 1]]) };
    const late = openClient(url, connectPacket("late", shown));
    await until(() => late.closed);
    assert.equal(returnCode(late), 5);
    await until(() => own.closed);
    assert.ok(noted.refused.some((line) => line.includes("holder-revoked")));
  });
});

test("no token stands in what is told of a refusal", async () => {
  await withBroker(async ({ url, noted }) => {
    const meter = createHolder();
    const token = meter.token();
    const client = openClient(url, connectPacket("x", { username: token, password: token }));
    await until(() => client.closed);
    const told = noted.refused.join("\n");
    for (const part of token.split(".")) assert.ok(!told.includes(part.slice(0, 24)), told);
  });
});

test("holders that leave while their tokens are judged leave no session, and the limits hold behind them", async () => {
  const noted = noteEverything();
  const { judge } = createJudge();
  const meter = createHolder();
  const waiting: (() => void)[] = [];
  let isSlow = true;
  const broker = createEmbeddedBroker({
    network: "test",
    listen: { host: "127.0.0.1", port: 0 },
    limits: { ...defaultBrokerLimits, loopback_connections_max: 4, connections_max: 4 },
    handlers: noted.handlers,
    admission: {
      async judge(token) {
        if (isSlow) await new Promise<void>((resolve) => waiting.push(resolve));
        return judge.judge(token, []);
      },
      objection: judge.objection,
    },
  });
  try {
    const { url } = await broker.start();
    for (let left = 1; left <= 12; left += 1) {
      const client = openClient(url, connectPacket("m", { username: meter.id, password: meter.token() }));
      await until(() => waiting.length === left);
      client.socket.destroy();
      await until(() => broker.counters().connections === 0);
    }
    isSlow = false;
    for (const judged of waiting) judged();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const clients: RawClient[] = [];
    for (let connected = 0; connected < 8; connected += 1) {
      const birth = publishPacket(1, `gs1/test/-/birth/${meter.id}`, Buffer.from("x"));
      const client = openClient(url, connectPacket(`s${connected}`), birth);
      await until(() => acknowledged(client).length === 1);
      clients.push(client);
      assert.ok(broker.counters().connections <= 4, "no more sessions than the limit");
    }
    for (const { socket } of clients) socket.destroy();
  } finally {
    await broker.close();
  }
});
