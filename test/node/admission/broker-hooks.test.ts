// The dialects in which shared brokers ask, as their documents have them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createBrokerHooks } from "../../../tools/node/admission/broker-hooks.js";
import { createHolder, createJudge, genesis, NOW_S, nodeId, nodeToken } from "./holders.js";

function createHooks() {
  const { judge, state } = createJudge();
  const hooks = createBrokerHooks({
    network: genesis.network,
    governance: () => state.governance,
    judge: (token) => judge.judge(token, []),
  });
  const json = (question: unknown) => hooks.json(Buffer.from(JSON.stringify(question)));
  const form = (text: string) => hooks.form(Buffer.from(text));
  return { state, hooks, json, form };
}

test("EMQX is told in one answer that a meter may connect, until when, and its topics", async () => {
  const { json } = createHooks();
  const meter = createHolder();
  const answer = (await json({ clientid: "x", username: meter.id, password: meter.token() })) as {
    readonly acl: readonly { readonly permission: string; readonly action: string; readonly topic: string }[];
  };
  assert.deepEqual({ ...answer, acl: 0 }, { result: "allow", is_superuser: false, expire_at: NOW_S + 900, acl: 0 });
  assert.ok(answer.acl.some(({ action, topic }) => action === "publish" && topic === `gs1/test/+/record/${meter.id}`));
  assert.deepEqual(answer.acl.at(-1), { permission: "deny", action: "all", topic: "#" });
  const others = answer.acl.slice(0, -1).filter(({ topic }) => !topic.endsWith(meter.id));
  assert.deepEqual(others, []);
  assert.deepEqual(await json({ clientid: "x", username: meter.id, password: createHolder().token() }), {
    result: "deny",
  });
  const stranger = (await json({ clientid: "x", username: "undefined", password: "undefined" })) as typeof answer;
  assert.deepEqual(
    stranger.acl.map(({ permission, topic }) => `${permission} ${topic}`),
    ["allow gs1/test/-/birth/+", "allow gs1/test/-/time/+", "deny #"],
  );
});

test("VerneMQ is answered for each of its three hooks", async () => {
  const { json, state } = createHooks();
  const meter = createHolder();
  const client = { client_id: "x", mountpoint: "", username: meter.id };
  const refused = { result: { error: "not_allowed" } };
  assert.deepEqual(await json({ ...client, password: meter.token(), peer_addr: "192.0.2.1" }), { result: "ok" });
  assert.deepEqual(await json({ ...client, password: "guess" }), refused);
  const publish = (topic: string) => json({ ...client, topic, payload: "", qos: 1, retain: false });
  assert.deepEqual(await publish(`gs1/test/1/record/${meter.id}`), { result: "ok" });
  assert.deepEqual(await publish(`gs1/test/-/command/${meter.id}`), refused);
  const subscribe = (...topics: readonly string[]) =>
    json({ ...client, topics: topics.map((topic) => ({ topic, qos: 1 })) });
  assert.deepEqual(await subscribe(`gs1/test/+/receipt/${meter.id}`, `gs1/test/-/ack/${meter.id}`), { result: "ok" });
  assert.deepEqual(await subscribe(`gs1/test/+/receipt/${meter.id}`, "gs1/test/1/record/+"), refused);
  const node = { ...client, username: nodeId, topics: [{ topic: "$share/gridseal/gs1/test/1/record/+", qos: 1 }] };
  assert.deepEqual(await json(node), { result: "ok" });
  state.governance = { ...state.governance, revoked: new Map([[meter.id, 1]]) };
  assert.deepEqual(await publish(`gs1/test/1/record/${meter.id}`), refused);
});

test("NanoMQ and the mosquitto plugin ask by a form", async () => {
  const { form } = createHooks();
  const meter = createHolder();
  const admitted = await form(`username=${meter.id}&password=${meter.token()}&clientid=x`);
  assert.equal(admitted.type === "allowed" && admitted.holder?.id, meter.id);
  const node = await form(`username=${nodeId}&password=${nodeToken()}`);
  assert.equal(node.type === "allowed" && node.holder?.id, nodeId);
  assert.deepEqual(await form("clientid=x"), { type: "allowed", holder: undefined });
  assert.equal((await form(`username=${meter.id}`)).type, "refused");
  assert.equal((await form(`username=${createHolder().id}&password=${meter.token()}`)).type, "refused");
});

test("whatever is no question is refused, and throws nothing", async () => {
  const { hooks, form } = createHooks();
  for (const text of ["", "null", "[]", "{", '{"username":1}x', "\u0000"]) {
    assert.deepEqual(await hooks.json(Buffer.from(text)), { result: "deny" });
  }
  assert.equal((await form("username=%ff&password=%00")).type, "refused");
});
