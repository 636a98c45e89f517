import assert from "node:assert/strict";
import { test } from "node:test";
import { Type } from "@sinclair/typebox";
import fc from "fast-check";
import { HEIGHT_MAX, SERVICE_MAX } from "../../src/wire/bounds.js";
import { blocks } from "../../tools/routes/blocks.js";
import { receipt } from "../../tools/routes/receipts.js";
import { shapes } from "../../tools/routes/routes.js";
import { pathOf, readFields, writtenPath } from "../../tools/routes/shape.js";

const services = fc.integer({ min: 0, max: SERVICE_MAX });
const heights = fc.integer({ min: 1, max: HEIGHT_MAX });

test("property: what a client asks is what a node reads", () => {
  fc.assert(
    fc.property(services, heights, fc.option(fc.nat(), { nil: undefined }), (service, from, limit) => {
      const { pathname, searchParams } = new URL(`http://node${pathOf(blocks, { service }, { from, limit })}`);
      assert.equal(pathname, `/chains/${service}/blocks`);
      const read = readFields(blocks.query, Object.fromEntries(searchParams));
      assert.deepEqual(read, { type: "read", value: { from, limit: limit ?? 100 } });
      assert.deepEqual(readFields(blocks.parameters, { service: String(service) }), {
        type: "read",
        value: { service },
      });
    }),
  );
});

test("reads decimal numbers within their bounds, and nothing else that a number could be made of", () => {
  for (const from of [
    "0",
    "-1",
    "+1",
    "1e3",
    "0x10",
    " 7",
    "7 ",
    "1.0",
    "",
    "１",
    "07",
    "000000000000007",
    "9".repeat(16),
    String(2 ** 40 - 1),
  ]) {
    const read = readFields(blocks.query, { from });
    assert.equal(read.type, "misfit", from);
  }
  const read = readFields(blocks.query, { from: "7" });
  assert.deepEqual(read, { type: "read", value: { from: 7, limit: 100 } });
});

test("says which field does not fit, what it was, and what it should have been", () => {
  const told = (texts: Record<string, unknown>) => {
    const read = readFields(receipt.parameters, { service: "1", meter: "0".repeat(16), seq: "1", ...texts });
    return read.type === "misfit" ? read.message : read.value;
  };
  assert.equal(told({ meter: "XYZ" }), 'meter is "XYZ": it is 16 lower-case hex digits.');
  assert.equal(told({ seq: undefined }), "seq is missing: it is a decimal number from 0 to 4294967294.");
  assert.equal(told({ seq: ["1", "2"] }), "seq is there twice: it is a decimal number from 0 to 4294967294.");
  assert.equal(String(told({ seq: "x".repeat(5_000) })).length < 100, true);
});

test("property: whatever texts come, they are read or refused with a sentence", () => {
  const texts = fc.dictionary(fc.constantFrom("service", "from", "limit", "other", "__proto__"), fc.anything());
  fc.assert(
    fc.property(texts, (given) => {
      const read = readFields(blocks.query, given);
      if (read.type === "misfit") assert.match(read.message, /^(from|limit) /);
      else assert.deepEqual(Object.keys(read.value).sort(), ["from", "limit"]);
    }),
  );
});

test("leaves out a field that need not be there", () => {
  const schema = Type.Object({ after: Type.Optional(Type.String({ pattern: "^a*$" })) });
  assert.deepEqual(readFields(schema, {}), { type: "read", value: {} });
  assert.deepEqual(readFields(schema, { after: "" }), { type: "read", value: { after: "" } });
  assert.equal(readFields(schema, { after: "b" }).type, "misfit");
});

test("every field of a path is one of its shape's parameters, and no route is there twice", () => {
  for (const shape of shapes) {
    const names = [...shape.path.matchAll(/:(\w+)/g)].map(([, name]) => name);
    assert.deepEqual(names, Object.keys(shape.parameters.properties), shape.path);
  }
  const listed = shapes.map((shape) => `${shape.method} ${writtenPath(shape)}`);
  assert.deepEqual([...new Set(listed)], listed);
});
