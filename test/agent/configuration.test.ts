import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isComplaint, readConfiguration } from "../../src/agent/configuration.js";

const entry = { service: 1, serviceId: 7, every_s: 900, aligned: true, registers: ["1-0:1.8.n"] };
const valid = {
  version: 1,
  network: "test",
  genesis: "d284",
  brokers: ["mqtt://127.0.0.1:1883", "mqtts://broker.example"],
  meter: { protocol: "p1", port: { kind: "serial", path: "/dev/ttyUSB0" } },
  schedule: [entry],
};

/** The complaint about the valid document with these changes, as `path: reason`. */
function complaintAbout(changes: object): string {
  const read = readConfiguration(JSON.stringify({ ...valid, ...changes }));
  assert.ok(isComplaint(read), "the document is refused");
  return `${read.path}: ${read.reason}`;
}

const withEntry = (changes: object): string => complaintAbout({ schedule: [entry, { ...entry, ...changes }] });

describe("configuration", () => {
  test("takes a valid document as it is", () => {
    assert.deepEqual(readConfiguration(JSON.stringify(valid)), valid);
    const confidential = [{ label: "phases", registers: ["1-0:31.7.0"] }];
    const update = { url: "https://updates.example:8443/devkit/newest.cose", signer: "ab".repeat(32) };
    const more = { ...valid, id: "0123456789abcdef", update, schedule: [{ ...entry, registers: [], confidential }] };
    assert.deepEqual(readConfiguration(JSON.stringify(more)), more);
  });

  test("names the path and the reason of what it refuses", () => {
    assert.match(complaintAbout({ version: 2 }), /^\$\.version: must be one of: 1/);
    assert.match(complaintAbout({ network: "Test" }), /^\$\.network: must be/);
    assert.match(complaintAbout({ genesis: "d2 84" }), /^\$\.genesis: must be the genesis in hex/);
    assert.match(complaintAbout({ id: "0123" }), /^\$\.id: must be 16/);
    assert.match(complaintAbout({ brokers: [] }), /^\$\.brokers: must be a list of 1 to 8/);
    assert.match(complaintAbout({ brokers: ["mqtt://a", "http://b"] }), /^\$\.brokers\[1\]: must be mqtt/);
    assert.match(complaintAbout({ brokers: ["mqtt://user@a"] }), /^\$\.brokers\[0\]/);
    assert.match(complaintAbout({ meter: [] }), /^\$\.meter: must be an object/);
    assert.match(complaintAbout({ meter: { protocol: "p1" } }), /^\$\.meter\.port: is missing/);
    assert.match(complaintAbout({ meter: { protocol: "p2", port: null } }), /^\$\.meter\.protocol: must be one of: p1/);
    assert.match(complaintAbout({ update: { url: "ftp://a/b" } }), /^\$\.update\.url: must be http/);
    assert.match(complaintAbout({ update: { url: "https://a" } }), /^\$\.update\.url: must be http/);
    assert.match(
      complaintAbout({ update: { url: "https://a/b", signer: "00" } }),
      /^\$\.update\.signer: must be an Ed25519/,
    );
    assert.match(complaintAbout({ schedule: undefined }), /^\$\.schedule: is missing/);
  });

  test("names the path within the schedule", () => {
    assert.match(withEntry({ every_s: 0 }), /^\$\.schedule\[1\]\.every_s: must be an integer from 1/);
    assert.match(withEntry({ service: 70_000 }), /^\$\.schedule\[1\]\.service/);
    assert.match(withEntry({ registers: ["1-0:1.8.0", "1.8"] }), /^\$\.schedule\[1\]\.registers\[1\]: OBIS pattern/);
    assert.match(withEntry({ registers: [5] }), /^\$\.schedule\[1\]\.registers\[0\]/);
    assert.match(withEntry({ registers: [] }), /^\$\.schedule\[1\]: names no registers/);
    assert.match(withEntry({ aligned: "yes" }), /^\$\.schedule\[1\]\.aligned: must be one of: true, false/);
    const group = { label: "a", registers: ["1-0:1.8.0"] };
    assert.match(withEntry({ confidential: [group, group] }), /^\$\.schedule\[1\]\.confidential: has a label twice/);
    assert.match(
      withEntry({ confidential: [{ ...group, label: "" }] }),
      /confidential\[0\]\.label: must be a text of 1/,
    );
    const schedule = Array.from({ length: 17 }, (_, index) => ({ ...entry, service: index + 1 }));
    assert.match(complaintAbout({ schedule }), /^\$\.schedule: names 17 services/);
  });

  test("refuses fields that it does not know, wherever they stand", () => {
    assert.equal(complaintAbout({ broker: "x" }), "$.broker: is no field of this document");
    assert.match(withEntry({ every: 5 }), /^\$\.schedule\[1\]\.every: is no field/);
    assert.match(
      withEntry({ confidential: [{ label: "a", registers: [], salt: 1 }] }),
      /\.confidential\[0\]\.salt: is no/,
    );
    const read = readConfiguration(JSON.stringify(valid).replace("{", '{"__proto__":{"x":1},'));
    assert.ok(isComplaint(read) && read.path === "$.__proto__");
  });

  test("quotes nothing of a document that is no JSON", () => {
    const key = "000102030405060708090a0b0c0d0e0f";
    for (const text of [`{"encryption":"${key}`, `{"encryption":${key}}`, `${key}`, `["${key}",}`]) {
      const read = readConfiguration(text);
      assert.ok(isComplaint(read) && read.reason.startsWith("is no JSON"));
      assert.ok(!read.reason.includes("0001"), read.reason);
    }
  });

  test("never throws, whatever the text", () => {
    fc.assert(fc.property(fc.string(), (text) => assert.ok(isComplaint(readConfiguration(text)))));
    fc.assert(fc.property(fc.json(), (text) => assert.ok(isComplaint(readConfiguration(text)))));
    const field = fc.constantFrom(...Object.keys(valid));
    fc.assert(
      fc.property(field, fc.jsonValue(), (name, value) => {
        readConfiguration(JSON.stringify({ ...valid, [name]: value }));
      }),
    );
    assert.ok(isComplaint(readConfiguration(" ".repeat(300_000))));
  });
});
