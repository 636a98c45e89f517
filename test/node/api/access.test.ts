// Routes that are not public, and records that come by HTTP.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { toHex } from "../../../src/wire/bytes.js";
import type { Role } from "../../../src/wire/credential.js";
import { decodeErased, signErased } from "../../../src/wire/erased.js";
import { keyId } from "../../../src/wire/key.js";
import { OPERATION_BYTES_MAX } from "../../../src/wire/operation.js";
import { encodeValue } from "../../../src/wire/value.js";
import { contractState } from "../../../tools/node/chain/tables/contract-state.js";
import { erasureKey } from "../../../tools/node/disclosures/erasing-rows.js";
import { erasures } from "../../../tools/node/disclosures/tables/erasures.js";
import { stateKey } from "../../../tools/node/store/keys.js";
import { splitSequence } from "../../../tools/sources/sequence.js";
import { createHolder, createJudge, nodeToken } from "../admission/holders.js";
import { SERVICE } from "../chain/cluster.js";
import { createNodeApi, eventually, jsonOf } from "./api.js";
import { createEventReader } from "./events/event-text.js";

const asked = () => {
  const { judge, state } = createJudge();
  const judged = (token: string) => judge.judge(token, []);
  return {
    state,
    admission: {
      ...{ isAsked: true, judge: judged, objection: judge.objection, services: () => [0, 1] },
      readersOf: () => undefined as readonly Role[] | undefined,
    },
  };
};

interface Changing {
  readonly state: ReturnType<typeof createJudge>["state"];
  readonly policy: Map<number, readonly Role[]>;
}

/** A reader of the events of a node, from now on. */
async function follow(t: TestContext, base: string, token: string) {
  const aborting = new AbortController();
  t.after(() => aborting.abort());
  const { status, body } = await fetch(`${base}/events`, { ...bearer(token), signal: aborting.signal });
  assert.equal(status, 200);
  const reader = createEventReader();
  const reading = async () => {
    for await (const bytes of body!) reader.take(Buffer.from(bytes).toString());
  };
  reading().catch(() => undefined);
  await eventually("the stream has begun", () => reader.lastId !== undefined);
  return reader;
}

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

test("a stream of events ends where a chain's policy, or an order, lets its reader read no longer", async (t) => {
  for (const [what, change, code] of [
    ["a policy", ({ policy }: Changing) => void policy.set(1, ["researcher"]), "forbidden"],
    [
      "a revocation",
      ({ state }: Changing, id: string) => {
        state.governance = { ...state.governance, revoked: new Map([[id, 1]]) };
      },
      "unauthorized",
    ],
    [
      "the credential's end",
      ({ state }: Changing) => {
        state.now_s += 1_000;
      },
      "unauthorized",
    ],
  ] as const) {
    const { state, admission } = asked();
    const policy = new Map<number, readonly Role[]>();
    const { base, seal } = await createNodeApi(t, {}, { ...admission, readersOf: (service) => policy.get(service) });
    const regulator = createHolder({}, ["regulator"]);
    const stays = await follow(t, base, nodeToken());
    const goes = await follow(t, base, regulator.token());
    await seal();
    await eventually("both are told", () => [stays, goes].every(({ events }) => events.length === 1));
    change({ state, policy }, regulator.id);
    await seal();
    await eventually("the stream has ended", () => goes.events.at(-1)?.name === "ended");
    await eventually("the other one goes on", () => stays.events.length === 2);
    assert.deepEqual(
      goes.events.map(({ name, value }) => [name, value.height ?? value.code]),
      [
        ["block", 6],
        ["ended", code],
      ],
      what,
    );
    assert.equal(stays.events[1]!.value.height, 7, what);
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

test("a chain's policy names the roles that read it, instead of regulators, and of other chains says nothing", async (t) => {
  const { admission } = asked();
  const readersOf = (service: number): readonly Role[] | undefined => (service === 1 ? ["researcher"] : undefined);
  const { base } = await createNodeApi(t, {}, { ...admission, readersOf });
  const [study, regulator] = (["researcher", "regulator"] as const).map((role) => createHolder({}, [role]).token());
  const status = async (path: string, token: string) => {
    const aborting = new AbortController();
    const answer = await fetch(base + path, { ...bearer(token), signal: aborting.signal });
    aborting.abort();
    return answer.status;
  };
  assert.deepEqual(
    [await status("/chains/1/blocks", study!), await status("/chains/1/blocks", regulator!)],
    [200, 403],
  );
  for (const path of ["/events", "/violations/1:1:0", "/violations?service=1", "/violations.csv?service=1"]) {
    assert.equal(await status(path, regulator!), 403, path);
  }
  for (const path of ["/events", "/violations/2:1:0", "/violations?service=2"]) {
    assert.equal(await status(path, study!), 403, path);
  }
  assert.equal(await status("/violations/1:1:9", study!), 404, "of the chain that it reads");
  const refusal = await jsonOf(await fetch(`${base}/violations/1:1:0`, bearer(regulator!)));
  assert.match(String(refusal.message), /has no role that reads chain 1 \(node, researcher\)\.$/);
  assert.equal(await status("/violations?service=1", study!), 200);
  assert.equal(await status("/violations?service=2", regulator!), 200);
  for (const path of ["/chains/01/blocks", "/chains/000001/blocks", `/records/000001/${"00".repeat(8)}`]) {
    assert.equal(await status(path, regulator!), 403, path);
    assert.ok([400, 404].includes(await status(path, nodeToken())), path);
  }
  assert.equal(await status("/chains/1/blocks", nodeToken()), 200);
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

test("what was erased of a meter is told to its subjects, who signed it, nodes and regulators, and to no other holder", async (t) => {
  const { base, cluster, meter } = await createNodeApi(t, {}, asked().admission);
  const { store, signer } = cluster.nodes[0]!;
  const [first, second, orderer, stranger] = [1, 2, 3, 4].map(() => createHolder({}, ["customer"]));
  const id = toHex(meter.kid);
  const state = [
    [first!.id, 100, 104],
    [second!.id, 104, 200],
  ];
  const said = [
    [100, 101, `${first!.id}-3`],
    [103, 106, `${orderer!.id}-1`],
    [110, 111, `${orderer!.id}-2`],
  ] as const;
  await store.write((writer) => {
    writer.put(contractState, stateKey(SERVICE, `access/subject/${id}`), encodeValue(state));
    for (const [from, until, name] of said) {
      const days = { chain: SERVICE, meter: meter.kid, from, until, name };
      const counts = { envelopes: 1, disclosures: 2, time_s: 1_790_000_000 };
      const content = {
        node: keyId(signer.key),
        chain: SERVICE,
        meter: meter.kid,
        from,
        until,
        erasure: name,
        ...counts,
      };
      writer.put(erasures, erasureKey(days), signErased(cluster.genesis.hash, content, signer));
    }
  });
  const told = async (token: string, of = id) => {
    const answer = await fetch(`${base}/chains/${SERVICE}/erasures/${of}`, bearer(token));
    if (answer.status !== 200) return String((await jsonOf(answer)).code);
    const statements: number[] = [];
    for await (const bytes of splitSequence(answer.body!)) statements.push(decodeErased(bytes).from);
    return statements;
  };
  assert.deepEqual(await told(first!.token()), [100, 103], "of days whose subject he is");
  assert.deepEqual(await told(second!.token()), [103, 110]);
  assert.deepEqual(await told(orderer!.token()), [103, 110], "by his order");
  assert.equal(await told(stranger!.token()), "forbidden");
  assert.equal(await told(first!.token(), "00".repeat(8)), "forbidden", "nor of another meter");
  for (const token of [nodeToken(), createHolder({}, ["regulator"]).token()]) {
    assert.deepEqual(await told(token), [100, 103, 110]);
  }
});
