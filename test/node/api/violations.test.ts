// Violations over a node's API: found by subject, kind, rule, chain and time, page by page; as a table; one by its name; as events.

import assert from "node:assert/strict";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { test } from "node:test";
import { Check } from "@sinclair/typebox/value";
import { toHex } from "../../../src/wire/bytes.js";
import type { Role } from "../../../src/wire/credential.js";
import { encodeValue, type Value } from "../../../src/wire/value.js";
import type { Violation } from "../../../tools/ledger/violations.js";
import { contractState } from "../../../tools/node/chain/tables/contract-state.js";
import { listViolations } from "../../../tools/node/chain/tables/violations.js";
import { stateKey } from "../../../tools/node/store/keys.js";
import type { Store } from "../../../tools/node/store/store.js";
import { events } from "../../../tools/routes/events.js";
import {
  type ViolationItem,
  type ViolationPage,
  violations as violationsShape,
} from "../../../tools/routes/violations.js";
import { openApiSource } from "../../../tools/sources/api.js";
import { createHolder, createJudge } from "../admission/holders.js";
import { SERVICE } from "../chain/cluster.js";
import { createNodeApi, eventually, jsonOf } from "./api.js";
import { createEventReader } from "./events/event-text.js";

const [anna, bert] = [Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1), new Uint8Array(8).fill(0xff)];
const gap = (meter: Uint8Array, seq: number): Violation => ({ kind: "gap", meter, seq, detail: seq + 3 });
const said = (subject: Uint8Array, contract: string, name: string): Violation => {
  return {
    kind: "contract",
    subject,
    entry: { kind: "operation", leaf: 1 },
    contract,
    name,
    body: encodeValue({ late_s: 7 }),
  };
};

/** Blocks of trading and contracts with what they say; the second is listed after the third, as chains are no clocks. */
const plan: readonly (readonly [service: number, height: number, time_ms: number, Violation[]])[] = [
  [SERVICE, 1, 1_000, [gap(anna, 4), said(bert, "metering", "silent")]],
  [5, 1, 3_000, [said(anna, "metering", "silent")]],
  [SERVICE, 2, 2_000, [said(anna, "metering", "late"), gap(bert, 9)]],
  [SERVICE, 4, 3_000, [said(bert, "registry", "late")]],
];

async function fill(store: Store): Promise<void> {
  await store.write((writer) => {
    for (const [chain, height, time_ms, violations] of plan) {
      listViolations(writer, {
        chain,
        height,
        time_ms,
        violations,
      });
    }
  });
}

/** More entries than one answer goes over. */
const SCANNED = 2_100;
const newest = ["5:1:0", "1:4:0", "1:2:1", "1:2:0", "1:1:1", "1:1:0"];

test("finds the newest first, and by subject, kind, rule, chain and time", async (t) => {
  const { cluster, base } = await createNodeApi(t);
  await fill(cluster.nodes[0]!.store);
  for (const [query, expected] of [
    ["", newest],
    [`subject=${toHex(anna)}`, ["5:1:0", "1:2:0", "1:1:0"]],
    [`subject=${toHex(bert)}&kind=gap`, ["1:2:1"]],
    ["kind=contract", ["5:1:0", "1:4:0", "1:2:0", "1:1:1"]],
    ["rule=metering", ["5:1:0", "1:2:0", "1:1:1"]],
    ["rule=metering/silent", ["5:1:0", "1:1:1"]],
    ["service=5", ["5:1:0"]],
    ["from=2000&to=2999", ["1:2:1", "1:2:0"]],
    [`subject=${toHex(anna)}&from=1001&to=2000`, ["1:2:0"]],
    ["from=3001", []],
    ["subject=00000000000000aa", []],
  ] as const) {
    const page = (await jsonOf(await fetch(`${base}/violations?${query}`))) as unknown as ViolationPage;
    assert.deepEqual(
      page.violations.map(({ id }) => id),
      expected,
      query,
    );
    assert.deepEqual([page.next, page.isComplete], [null, true], query);
  }
});

test("tells what has become of each, and finds them by that", async (t) => {
  const { cluster, base } = await createNodeApi(t);
  const { store } = cluster.nodes[0]!;
  await fill(store);
  const steps = { "1:2:0": "contested", "1:1:0": "lifted", "5:1:0": "nothing that is known" };
  await store.write((writer) => {
    for (const [id, state] of Object.entries(steps)) {
      writer.put(contractState, stateKey(5, `cases/case/${id}`), encodeValue({ state }));
    }
  });
  const page = async (query: string) =>
    ((await jsonOf(await fetch(`${base}/violations?${query}`))) as unknown as ViolationPage).violations;
  assert.deepEqual(
    (await page("")).map(({ state }) => state),
    newest.map((id) => (id === "1:2:0" ? "contested" : id === "1:1:0" ? "lifted" : "open")),
  );
  for (const [query, expected] of [
    ["state=contested", ["1:2:0"]],
    ["state=lifted&kind=gap", ["1:1:0"]],
    ["state=upheld", []],
    ["state=open&rule=metering/silent", ["5:1:0", "1:1:1"]],
  ] as const) {
    const ids = (await page(query)).map(({ id }) => id);
    assert.deepEqual(ids, expected, query);
  }
  const listed: string[] = [];
  for await (const { id } of openApiSource(base).violations({ state: "contested" })) listed.push(id);
  assert.deepEqual(listed, ["1:2:0"]);
  assert.equal((await jsonOf(await fetch(`${base}/violations/1:1:0`))).state, "lifted");
  assert.equal((await fetch(`${base}/violations?state=closed`)).status, 400);
});

test("says of what the contract keeps no more that it has lapsed, and not of what it was never told", async (t) => {
  const { cluster, base } = await createNodeApi(t);
  const { store } = cluster.nodes[0]!;
  await fill(store);
  const kept: Readonly<Record<string, Value>> = {
    "kept/told": { "1": 3 },
    [`said/${toHex(anna)}`]: [["1:2:0", 6, null, "metering/late"]],
    "case/1:2:1": { state: "upheld" },
  };
  await store.write((writer) => {
    for (const [key, value] of Object.entries(kept))
      writer.put(contractState, stateKey(5, `cases/${key}`), encodeValue(value));
  });
  const states = async (query: string) => {
    const page = (await jsonOf(await fetch(`${base}/violations?${query}`))) as unknown as ViolationPage;
    return Object.fromEntries(page.violations.map(({ id, state }) => [id, state]));
  };
  const lapsed = { "1:1:1": "lapsed", "1:1:0": "lapsed" };
  assert.deepEqual(await states(""), {
    "5:1:0": "open",
    "1:4:0": "open",
    "1:2:1": "upheld",
    "1:2:0": "open",
    ...lapsed,
  });
  assert.deepEqual(await states("state=lapsed"), lapsed);
});

test("goes on behind a page, whatever comes meanwhile, and as a table", async (t) => {
  const { cluster, base } = await createNodeApi(t);
  const { store } = cluster.nodes[0]!;
  await fill(store);
  const pages: string[][] = [];
  let after = "";
  for (let page = 0; page < 9; page += 1) {
    const answer = await jsonOf(await fetch(`${base}/violations?limit=2${after}`));
    const { violations: found, next } = answer as unknown as ViolationPage;
    pages.push(found.map(({ id }) => id));
    const violations = [gap(bert, 30 + page)];
    await store.write((writer) =>
      listViolations(writer, { chain: SERVICE, height: 30 + page, time_ms: 9_000, violations }),
    );
    if (next === null) break;
    after = `&after=${next}`;
  }
  assert.deepEqual(pages.flat(), newest);

  const table = await fetch(`${base}/violations.csv?to=3000&limit=4`);
  assert.equal(table.headers.get("content-type"), "text/csv");
  const link = /^<(.+)>; rel="next"$/.exec(table.headers.get("link")!)![1]!;
  const rest = await (await fetch(base + link)).text();
  const rows = ((await table.text()) + rest).split("\r\n").filter((row) => row !== "" && !row.startsWith("id,"));
  assert.deepEqual(
    rows.map((row) => row.split(",")[0]),
    newest,
  );
  assert.equal(rows[0], `5:1:0,5,1,1970-01-01T00:00:03.000Z,contract,${toHex(anna)},,metering/silent,operation 1,open`);

  const found: ViolationItem[] = [];
  for await (const one of openApiSource(base).violations({ to_ms: 3_000 })) found.push(one);
  assert.deepEqual(
    found.map(({ id }) => id),
    newest,
  );
});

test("shows one with what proves it, and refuses what it has not", async (t) => {
  const { cluster, base } = await createNodeApi(t);
  await fill(cluster.nodes[0]!.store);
  const shown = await jsonOf(await fetch(`${base}/violations/1:2:0`));
  assert.deepEqual([shown.subject, shown.rule, shown.detail], [toHex(anna), "metering/late", { body: { late_s: 7 } }]);
  assert.deepEqual((await jsonOf(await fetch(`${base}/violations/1:1:0`))).detail, { last: 7 });
  for (const [path, status, code] of [
    ["/violations/1:2:2", 404, "unknown-violation"],
    ["/violations/65536:1:0", 404, "unknown-violation"],
    ["/violations/1:2", 400, "malformed"],
    ["/violations?kind=other", 400, "malformed"],
    ["/violations?after=1:2:3", 400, "malformed"],
    ["/violations?after=999999999999999:1:1:1", 400, "malformed"],
    ["/violations?limit=501", 400, "malformed"],
    ["/violations.csv?subject=x", 400, "malformed"],
  ] as const) {
    const answer = await fetch(base + path);
    assert.deepEqual([answer.status, (await jsonOf(answer)).code], [status, code], path);
  }
});

test("a stream of violations tells those alone, from a position on, and passes over what has none", async (t) => {
  const { cluster, port, seal } = await createNodeApi(t);
  const { store } = cluster.nodes[0]!;
  await fill(store);
  const subscribe = async (query: string) => {
    const request = get({ host: "127.0.0.1", port, path: `/events?topic=violations${query}`, agent: false });
    t.after(() => request.destroy());
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const reader = createEventReader();
    response.setEncoding("utf8").on("data", (text: string) => reader.take(text));
    response.on("error", () => undefined);
    await eventually("the stream has begun", () => reader.lastId !== undefined);
    return reader;
  };
  const idsOf = (reader: ReturnType<typeof createEventReader>) => reader.events.map(({ value }) => value.id);
  const all = await subscribe("&after=");
  await eventually("what was missed is told", () => all.events.length === 5);
  // Chain 5 has no block here: what is listed of it is no event yet.
  assert.deepEqual(idsOf(all), ["1:1:0", "1:1:1", "1:2:0", "1:2:1", "1:4:0"]);
  assert.equal(all.lastId, "1:4,5:0");
  for (const { name, value } of all.events) {
    assert.equal(name, "violation");
    assert.ok(Check(events.answer.events.violation, value), JSON.stringify(value));
  }
  const later = await subscribe("&after=1:2");
  const now = await subscribe("");
  const violations = [gap(bert, 1), gap(bert, 2)];
  await store.write((writer) => listViolations(writer, { chain: SERVICE, height: 7, time_ms: 9_000, violations }));
  await seal();
  await seal();
  for (const reader of [all, later, now]) {
    await eventually("what comes is told", () => idsOf(reader).includes("1:7:1"));
    assert.equal(reader.lastId, "1:7,5:0");
  }
  assert.deepEqual(idsOf(later), ["1:4:0", "1:7:0", "1:7:1"]);
  assert.deepEqual(idsOf(now), ["1:7:0", "1:7:1"]);
});

test("who reads some chains is shown what those say, and of the others how many there are and who may read them", async (t) => {
  const { judge } = createJudge();
  const admission = {
    ...{ isAsked: true, judge: (token: string) => judge.judge(token, []), services: () => [SERVICE, 5] },
    objection: () => undefined,
    readersOf: (service: number): readonly Role[] | undefined => (service === SERVICE ? ["researcher"] : undefined),
  };
  const { cluster, base } = await createNodeApi(t, {}, admission);
  await fill(cluster.nodes[0]!.store);
  const token = createHolder({}, ["researcher"]).token();
  const asking = async (path: string, of = token) =>
    jsonOf(await fetch(base + path, { headers: { authorization: `Bearer ${of}` } }));
  const hidden = [{ service: 5, violations: 0, readers: ["regulator"] }];
  for (const [query, expected] of [
    ["", newest.slice(1)],
    [`?subject=${toHex(anna)}`, ["1:2:0", "1:1:0"]],
    [`?subject=${toHex(anna)}&rule=metering&limit=1`, ["1:2:0"]],
    ["?rule=metering/silent", ["1:1:1"]],
  ] as const) {
    const page = (await asking(`/violations${query}`)) as unknown as ViolationPage;
    assert.ok(Check(violationsShape.answer.schema, page));
    assert.deepEqual([page.violations.map(({ id }) => id), page.hidden], [expected, hidden], query);
  }
  const own = (await asking("/violations?service=1")) as unknown as ViolationPage;
  assert.deepEqual([own.violations.length, own.hidden], [5, []]);
  assert.equal((await asking("/violations/1:2:0")).subject, toHex(anna));
  assert.equal((await asking("/violations/5:1:0")).code, "forbidden", "whether there is one or not");
  assert.equal((await asking("/violations/5:9:0")).code, "forbidden");
  const table = await fetch(`${base}/violations.csv`, { headers: { authorization: `Bearer ${token}` } });
  assert.doesNotMatch(await table.text(), /5:1:0/);
  assert.equal((await asking("/violations", createHolder({}, ["customer"]).token())).code, "forbidden", "none of them");
  const told: unknown[] = [];
  const source = openApiSource(base, () => token);
  for await (const _ of source.violations({ onHidden: (list) => told.push(...list) }));
  assert.deepEqual(told, hidden);
});

test("who asks of one chain alone is not told by where a page ends against whom another one says something", async (t) => {
  const { judge } = createJudge();
  const admission = {
    ...{ isAsked: true, judge: (token: string) => judge.judge(token, []), services: () => [SERVICE, 5] },
    objection: () => undefined,
    readersOf: (service: number): readonly Role[] | undefined => (service === SERVICE ? ["researcher"] : undefined),
  };
  const { cluster, base } = await createNodeApi(t, {}, admission);
  const authorization = `Bearer ${createHolder({}, ["researcher"]).token()}`;
  await cluster.nodes[0]!.store.write((writer) => {
    for (let height = 1; height <= SCANNED; height += 1) {
      listViolations(writer, { chain: 5, height, time_ms: height, violations: [gap(anna, height)] });
    }
  });
  const pageOf = async (subject: Uint8Array) => {
    const path = `/violations?service=${SERVICE}&subject=${toHex(subject)}`;
    return (await jsonOf(await fetch(base + path, { headers: { authorization } }))) as unknown as ViolationPage;
  };
  const [one, other] = [await pageOf(anna), await pageOf(bert)];
  assert.deepEqual([one.violations, other.violations], [[], []]);
  assert.deepEqual([one.next, one.hidden], [other.next, other.hidden], "whoever is asked for");
});
