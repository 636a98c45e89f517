import assert from "node:assert/strict";
import { test } from "node:test";
import { frameByte, frameKinds } from "../../tools/node/chain/frame.js";
import { rateDefaults } from "../../tools/node/ingest/allowances.js";
import { createMailbox } from "../../tools/node/mailbox.js";
import { assertTables, type FrameRow, framesOf, routesOf, type TopicRow, topicsOf } from "../../tools/node/part.js";
import { parts } from "../../tools/node/parts.js";
import type { NodeServices } from "../../tools/node/services.js";
import { tables } from "../../tools/node/store/tables.js";
import { brokerForm, brokerHook } from "../../tools/routes/broker-hooks.js";
import { orders, submitOrder } from "../../tools/routes/orders.js";
import { submitRecord } from "../../tools/routes/records.js";
import { violation, violations, violationsCsv } from "../../tools/routes/violations.js";

const frame = (byte: number): FrameRow => ({
  byte,
  kind: `kind ${byte}`,
  verifications: 0,
  take: async () => undefined,
});
const topic = (kind: TopicRow["kind"]): TopicRow => ({ kind, take: async () => {} });

test("frames of all parts are found by their first byte, and a byte that two parts take is refused", () => {
  const rows = framesOf([{ frames: [frame(1), frame(2)] }, {}, { frames: [frame(200)] }]);
  assert.deepEqual([...rows.keys()], [1, 2, 200]);
  assert.equal(rows.get(200)?.kind, "kind 200");
  assert.throws(() => framesOf([{ frames: [frame(7)] }, { frames: [frame(7)] }]), {
    code: "INVARIANT_VIOLATED",
    message: /begin with 7/,
  });
});

test("topics of all parts are found by their kind, and a kind that two parts take is refused", () => {
  assert.deepEqual(
    [...topicsOf([{ topics: [topic("birth")] }, { topics: [topic("diag")] }]).keys()],
    ["birth", "diag"],
  );
  assert.throws(() => topicsOf([{ topics: [topic("diag"), topic("diag")] }]), { code: "INVARIANT_VIOLATED" });
});

test("the chains and orders of a node take every kind of frame that the protocol has", () => {
  const services = { running: { chains: new Map() }, identity: {} } as unknown as NodeServices;
  const made = parts.filter(({ name }) => ["chains", "orders"].includes(name)).map((part) => part.create(services));
  const kinds = [...framesOf(made)].map(([byte, { kind }]) => [byte, kind]);
  assert.deepEqual(kinds, [...frameKinds.map((kind) => [frameByte(kind), kind]), [10, "order"]]);
});

test("a frame of a chain that does not run here is dropped with its reason, and so is an order for another chain", async () => {
  const services = { running: { chains: new Map() }, identity: {} } as unknown as NodeServices;
  const made = parts.filter(({ name }) => ["chains", "orders"].includes(name)).map((part) => part.create(services));
  const rows = framesOf(made);
  const untimely = { code: "untimely", message: "chain 7 does not run here" };
  await assert.rejects(rows.get(1)!.take("a peer", 7, new Uint8Array(4)), untimely);
  assert.equal(await rows.get(10)?.take("a peer", 7, new Uint8Array(4)), "chain 7 takes no orders");
});

test("orders, publications, the shared broker and violations bring the routes that the API does not serve by itself", () => {
  const services = {
    selfId: "00",
    configuration: { rate: rateDefaults },
    identity: { genesis: {} },
    metrics: {},
  } as unknown as NodeServices;
  const names = ["orders", "publications", "shared broker", "violations"];
  const made = parts.filter(({ name }) => names.includes(name)).map((part) => part.create(services));
  assert.deepEqual(
    routesOf([...made, {}]).map(({ shape }) => shape),
    [submitRecord, orders, submitOrder, brokerHook, brokerForm, violations, violationsCsv, violation],
  );
});

test("the list of tables has those that parts bring", () => {
  const brought = parts.flatMap(({ tables: ofPart = [] }) => ofPart);
  assert.deepEqual(
    brought.map(({ name }) => name),
    [
      "contractState",
      "stateNodes",
      "settlements",
      "counters",
      "slots",
      "envelopes",
      "custodyKeys",
      "erasures",
      "destroyed",
      "divisions",
      "missingDisclosures",
      "missingShares",
      "disclosuresNoted",
      "orders",
      "outgoing",
      "violations",
      "violationIndex",
      "violationsListed",
    ],
  );
  for (const table of brought) assert.ok(tables.includes(table), table.name);
  assertTables(parts, tables);
  const without = tables.filter((table) => !brought.includes(table));
  assert.throws(() => assertTables(parts, without), {
    code: "INVARIANT_VIOLATED",
    message: /table contractState of part contracts/,
  });
});

test("parts have names of their own, and tables stand in the list once", () => {
  for (const names of [parts.map(({ name }) => name), tables.map(({ name }) => name)]) {
    assert.equal(new Set(names).size, names.length);
  }
});

test("a mailbox refuses what comes before it is open, and is opened once", () => {
  const mailbox = createMailbox<() => number>("somebody");
  assert.equal(mailbox.isOpen, false);
  assert.throws(() => mailbox.to, { code: "INVARIANT_VIOLATED", message: /the mailbox of somebody/ });
  mailbox.open(() => 5);
  assert.deepEqual([mailbox.isOpen, mailbox.to()], [true, 5]);
  assert.throws(() => mailbox.open(() => 6), { code: "INVARIANT_VIOLATED" });
});

test("a block proves the sessions whose records it seals before its receipts go out to them", () => {
  const names = parts.map(({ name }) => name);
  assert.ok(names.indexOf("publications") < names.indexOf("announcer"));
});
