// What every route has in common, over all of their shapes: answers that fit, refusals in one form, methods.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Check } from "@sinclair/typebox/value";
import { toHex } from "../../../src/wire/bytes.js";
import { encodeValue } from "../../../src/wire/value.js";
import { builtExplorer } from "../../../tools/node/api/explorer-files.js";
import { type Route, refused } from "../../../tools/node/api/route.js";
import { assertListed } from "../../../tools/node/api/routing.js";
import { contractState } from "../../../tools/node/chain/tables/contract-state.js";
import { slots } from "../../../tools/node/chain/tables/settlement.js";
import { listViolations } from "../../../tools/node/chain/tables/violations.js";
import { slotKey, stateKey } from "../../../tools/node/store/keys.js";
import { brokerHook } from "../../../tools/routes/broker-hooks.js";
import { groupGrant, groupSums } from "../../../tools/routes/group-grants.js";
import { RefusalAnswer, type RefusalCode, refusals } from "../../../tools/routes/refusals.js";
import { shapes } from "../../../tools/routes/routes.js";
import { pathOf, type RouteShape, writtenPath } from "../../../tools/routes/shape.js";
import { SERVICE } from "../chain/cluster.js";
import { createNodeApi } from "./api.js";

/** Of the explorer, whose names have a hash. */
const script = [...(await builtExplorer()).keys()].find((name) => /^main-[A-Z0-9]{8}\.js$/.test(name))!;

/** What several custodians work out between them: test/node/disclosures/groups.test.ts asks for it. */
const workedOut = [groupSums.path];
const gets = shapes.filter(({ method, path }) => method === "GET" && !workedOut.some((each) => each === path));

const GRANT = "0011223344556677-1";
/** of sums over a group */
const GROUP_GRANT = "0011223344556677-2";

/** A request for what is there. */
function askedOf(shape: RouteShape, meter: string): string {
  const query = "key" in shape.query.properties ? { key: "asked" } : {};
  const place = {
    service: SERVICE,
    height: 2,
    meter,
    seq: 3,
    contract: "limits",
    name: "1:2:0",
    start: 900,
    file: script,
    grant: shape.path === groupGrant.path ? GROUP_GRANT : GRANT,
    day: 20_000,
  };
  return pathOf(shape, place, query);
}

/** An API of a node that has something of every kind. */
async function createFullApi(t: TestContext, terms: Parameters<typeof createNodeApi>[1] = {}) {
  const made = await createNodeApi(t, terms);
  const gap = { kind: "gap", meter: made.meter.kid, seq: 1, detail: 2 } as const;
  const violations = [gap];
  await made.cluster.nodes[0]!.store.write((writer) => {
    listViolations(writer, { chain: SERVICE, height: 2, time_ms: 1, violations });
    writer.put(slots, slotKey(SERVICE, 900), { height: 2, rows: [] });
    const requester = "0011223344556677";
    const period = { from: 20_000, until: 20_001, until_s: 2 ** 40 };
    const granted = {
      requester,
      meter: toHex(made.meter.kid),
      purpose: 7,
      key: "09".repeat(32),
      ...period,
      days: [[20_000, 20_001]],
    };
    writer.put(contractState, stateKey(SERVICE, `access/grant/${GRANT}`), encodeValue(granted));
    const { meter, days: _, ...alike } = granted;
    const rule = { unit: 27, slot_s: 900, lateness_s: 86_400, meters_min: 1, share_percent_max: 100 };
    const sums = { ...alike, ...rule, group: "street", register: "0100010700ff" };
    writer.put(contractState, stateKey(SERVICE, `access/grant/${GROUP_GRANT}`), encodeValue(sums));
    writer.put(contractState, stateKey(SERVICE, "access/group/street"), encodeValue([0, [meter], requester]));
  });
  return made;
}

test("every route answers what its shape says, at the path that its shape has", async (t) => {
  const { base, meter } = await createFullApi(t);
  for (const shape of gets) {
    const aborting = new AbortController();
    const answer = await fetch(`${base}${askedOf(shape, toHex(meter.kid))}`, { signal: aborting.signal });
    const name = writtenPath(shape);
    assert.ok(shape.statuses.includes(answer.status), `${name}: ${answer.status}`);
    assert.equal(answer.headers.get("content-type")!.split(";")[0], shape.answer.type, name);
    if ("schema" in shape.answer) {
      const value = await answer.json();
      assert.ok(Check(shape.answer.schema, value), `${name}: ${JSON.stringify(value)}`);
    }
    if ("bytes_max" in shape.answer) {
      assert.ok((await answer.arrayBuffer()).byteLength <= shape.answer.bytes_max, name);
    }
    aborting.abort();
  }
});

const edges = [2 ** 16, 2 ** 31, 2 ** 32, 2 ** 40, 2 ** 42, 2 ** 48, 10 ** 15 - 1, 2 ** 53 - 1];
const numbers = [0, ...edges.flatMap((edge) => [edge - 1, edge])];
/** Texts that hold numbers, one place after the other. */
const placesOf: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  name: [
    ["", ":2:0"],
    ["1:", ":0"],
    ["1:2:", ""],
  ],
  after: [
    ["", ":1:2:0"],
    ["1:", ":2:0"],
    ["1:1:", ":0"],
    ["1:1:2:", ""],
  ],
  grant: [["0011223344556677-", ""]],
};

test("every number of every route, however large, is answered with what is there or a refusal of the route", async (t) => {
  const { base, meter } = await createFullApi(t, { addressRequests_s: 10_000 });
  const tried = new Set<string>();
  for (const shape of gets) {
    const statuses: readonly number[] = [...shape.statuses, ...shape.refusals.map((code) => refusals[code].status)];
    const asked = new URL(askedOf(shape, toHex(meter.kid)), base);
    const fields = { ...shape.parameters.properties, ...shape.query.properties };
    for (const [name, field] of Object.entries(fields)) {
      const places = field.type === "integer" ? ([["", ""]] as const) : (placesOf[name] ?? []);
      for (const text of places.flatMap(([before, behind]) => numbers.map((each) => `${before}${each}${behind}`))) {
        const url = new URL(asked);
        if (name in shape.query.properties) url.searchParams.set(name, text);
        else url.pathname = pathWith(shape.path, asked.pathname, name, text);
        const aborting = new AbortController();
        const { status } = await fetch(url, { signal: aborting.signal });
        aborting.abort();
        assert.ok(status < 500 && statuses.includes(status), `${url.pathname}${url.search}: ${status}`);
        tried.add(`${writtenPath(shape)} ${name}`);
      }
    }
  }
  assert.ok(tried.size >= 30, [...tried].join());
});

/** The path with another value in the place of one of its fields. */
function pathWith(shape: string, path: string, name: string, text: string): string {
  const parts = path.split("/");
  return shape
    .split("/")
    .map((part, at) => (part === `:${name}` ? text : parts[at]))
    .join("/");
}

test("a field that does not fit is refused by every route with a code of its shape, what happened and what to do", async (t) => {
  const { base } = await createNodeApi(t);
  const withFields = gets.filter(
    ({ parameters, query }) => Object.keys({ ...parameters.properties, ...query.properties }).length > 0,
  );
  assert.ok(withFields.length >= 6);
  for (const shape of withFields) {
    const path = shape.path.replace(/:\w+/g, "none");
    const query = Object.keys(shape.query.properties).map((name) => `${name}=none`);
    const answer = await fetch(`${base}${path}?${query.join("&")}`);
    const refusal = await answer.json();
    assert.ok(Check(RefusalAnswer, refusal), path);
    const { code, message, remedy } = refusal;
    assert.equal(code, shape.refusals[0], path);
    assert.equal(answer.status, refusals[code as RefusalCode].status);
    assert.equal(remedy, refusals[code as RefusalCode].remedy);
    assert.match(message, /"none"/);
  }
});

test("refusals of every kind of request have code, message and remedy", async (t) => {
  const { base } = await createNodeApi(t);
  const post = (type: string, body: string) => ({ method: "POST", headers: { "content-type": type }, body });
  for (const [path, init, status, code] of [
    ["/nothing", {}, 404, "unknown-path"],
    ["/%", {}, 400, "malformed"],
    [`/${"a".repeat(7_000)}`, {}, 404, "unknown-path"],
    ["/chains", { method: "DELETE" }, 405, "wrong-method"],
    ["/chains", post("text/plain", "x"), 405, "wrong-method"],
    ["/orders", post("text/plain", "x"), 415, "malformed"],
    ["/orders", post("application/json", "{}"), 415, "malformed"],
    ["/orders", post("application/json", "{"), 415, "malformed"],
    ["/orders", post("application/cose", "x".repeat(200_000)), 413, "malformed"],
  ] as const) {
    const answer = await fetch(`${base}${path}`, init);
    const refusal = await answer.json();
    assert.ok(Check(RefusalAnswer, refusal), path);
    assert.deepEqual([answer.status, refusal.code], [status, code], path);
  }
});

test("a body of any type that a route states comes to its handler as bytes", async (t) => {
  const { base } = await createNodeApi(t);
  const question = JSON.stringify({ clientid: "of nobody" });
  const body = { method: "POST", headers: { "content-type": "application/json" }, body: question };
  const answer = await fetch(`${base}${pathOf(brokerHook, {}, {})}`, body);
  assert.equal(answer.status, 200, await answer.text());
});

test("OPTIONS says what each path takes, and what it does not take is refused with that", async (t) => {
  const { base } = await createNodeApi(t);
  for (const path of new Set(shapes.map(({ path }) => path))) {
    const url = `${base}${path.replace(/:\w+/g, "1")}`;
    const taken = shapes.filter((shape) => shape.path === path).map(({ method }) => method);
    const expected = [...(taken.includes("GET") ? ["HEAD"] : []), ...taken, "OPTIONS"].join(", ");
    const options = await fetch(url, { method: "OPTIONS" });
    assert.deepEqual([options.status, options.headers.get("allow")], [204, expected], path);
    const put = await fetch(url, { method: "PUT", body: "x" });
    assert.deepEqual([put.status, put.headers.get("allow")], [405, expected], path);
  }
});

test("HEAD has the status and type of GET and no body, of a stream too", async (t) => {
  const { base, meter } = await createFullApi(t);
  for (const shape of gets) {
    const answer = await fetch(`${base}${askedOf(shape, toHex(meter.kid))}`, { method: "HEAD" });
    assert.equal(answer.status, 200, writtenPath(shape));
    assert.equal(answer.headers.get("content-type")!.split(";")[0], shape.answer.type);
    assert.equal((await answer.arrayBuffer()).byteLength, 0);
  }
});

test("who is to ask again is told when", async (t) => {
  const { base } = await createNodeApi(t);
  const waiting = await fetch(`${base}/receipts/1/0000000000000000/99`);
  assert.deepEqual([waiting.status, waiting.headers.get("retry-after")], [202, "1"]);
  const unknown = await fetch(`${base}/receipts/1/0000000000000000/98`);
  assert.deepEqual([unknown.status, unknown.headers.get("retry-after")], [404, null]);
});

test("a node serves the routes of the list, each once", () => {
  const [first, second] = shapes as [RouteShape, RouteShape];
  const routeOf = (shape: RouteShape): Route => ({ shape, answer: () => refused("busy", "nothing is answered") });
  assertListed([routeOf(first), routeOf(second)], [first, second]);
  const wrong: readonly (readonly RouteShape[])[] = [[first], [first, second, second], [first, second, { ...first }]];
  for (const served of wrong) {
    assert.throws(() => assertListed(served.map(routeOf), [first, second]), { code: "INVARIANT_VIOLATED" });
  }
});
