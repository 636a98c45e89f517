// Routes that are not public, and records that come by HTTP.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Role } from "../../../src/wire/credential.js";
import { OPERATION_BYTES_MAX } from "../../../src/wire/operation.js";
import { createHolder, createJudge, nodeToken } from "../admission/holders.js";
import { createNodeApi, jsonOf } from "./api.js";

const asked = () => {
  const { judge, state } = createJudge();
  return { state, admission: { isAsked: true, judge: (token: string) => judge.judge(token, []) } };
};
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const bytesOf = (holder: { readonly kid: Uint8Array }) => Buffer.from(holder.kid);

test("blocks and events are answered to nodes and regulators alone, and what is public to everybody", async (t) => {
  const { base } = await createNodeApi(t, {}, asked().admission);
  const reading = (path: string, token?: string) => fetch(base + path, token === undefined ? {} : bearer(token));
  for (const path of ["/chains/1/blocks", "/chains/1/blocks/1", "/events"]) {
    const none = await reading(path);
    assert.deepEqual([none.status, none.headers.get("www-authenticate")], [401, "Bearer"], path);
    const told = await jsonOf(none);
    assert.equal(told.code, "unauthorized");
    assert.match(String(told.remedy), /gridseal session token/);
    assert.equal((await reading(path, createHolder().token())).status, 403, path);
    for (const token of [nodeToken(), createHolder({}, ["regulator"]).token()]) {
      const aborting = new AbortController();
      const answer = await fetch(base + path, { ...bearer(token), signal: aborting.signal });
      assert.equal(answer.status, 200, path);
      aborting.abort();
    }
  }
  for (const path of ["/health", "/metrics", "/genesis", "/chains", "/chains/1/lineage", "/orders"]) {
    assert.equal((await reading(path)).status, 200, path);
    assert.equal((await reading(path, "rubbish")).status, 200, path);
  }
});

test("every other role is refused whole chains, and a bad token is told apart from a role that is not enough", async (t) => {
  const { state, admission } = asked();
  const { base } = await createNodeApi(t, {}, admission);
  const status = async (token: string) => (await fetch(`${base}/chains/1/blocks`, bearer(token))).status;
  for (const role of ["meter", "customer", "supplier", "researcher"] satisfies Role[]) {
    assert.equal(await status(createHolder({}, [role]).token()), 403, role);
  }
  const regulator = createHolder({}, ["regulator"]);
  for (const header of ["Bearer ", "Basic eDp5", `Bearer ${regulator.token()} x`, "Bearer a.b"]) {
    const answer = await fetch(`${base}/chains/1/blocks`, { headers: { authorization: header } });
    assert.equal(answer.status, 401, header);
  }
  state.governance = { ...state.governance, revoked: new Map([[regulator.id, 1]]) };
  assert.equal(await status(regulator.token()), 401);
});

test("an API that asks for no tokens answers everybody, and still refuses a bad one", async (t) => {
  const { admission } = asked();
  const { base } = await createNodeApi(t, {}, { ...admission, isAsked: false });
  assert.equal((await fetch(`${base}/chains/1/blocks`)).status, 200);
  assert.equal((await fetch(`${base}/chains/1/blocks`, bearer("a.b"))).status, 401);
});

test("a record is taken of its holder, and the path of its receipt is told", async (t) => {
  const { base, submitted, answers } = await createNodeApi(t, {}, asked().admission);
  const meter = createHolder();
  const post = (headers: Readonly<Record<string, string>>, body = bytesOf(meter)) =>
    fetch(`${base}/records`, { method: "POST", headers: { "content-type": "application/cose", ...headers }, body });
  const shown = () => bearer(meter.token()).headers;
  assert.equal((await post({})).status, 401);
  assert.equal(submitted.length, 0, "nothing of a stranger is looked at");
  answers.next = { type: "taken", service: 1, meter: meter.id, seq: 7 };
  const taken = await post(shown());
  assert.equal(taken.status, 202);
  assert.deepEqual(await jsonOf(taken), {
    ...{ service: 1, meter: meter.id, seq: 7 },
    receipt: `/receipts/1/${meter.id}/7`,
  });
  assert.deepEqual(submitted[0]!.holder?.credentialBytes, meter.credential);
  answers.next = { type: "refused", reason: "fork", message: "two records" };
  const refused = await post(shown());
  assert.equal(refused.status, 422);
  assert.match(String((await jsonOf(refused)).message), /^fork: two records/);
  answers.next = { type: "refused", reason: "rate-limited", message: "too many" };
  assert.equal((await post(shown())).status, 429);
  answers.next = { type: "busy", message: "too many signatures" };
  assert.equal((await post(shown())).status, 503);
  assert.equal((await post(shown(), Buffer.alloc(OPERATION_BYTES_MAX + 1))).status, 413);
});
