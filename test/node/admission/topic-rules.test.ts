import assert from "node:assert/strict";
import { test } from "node:test";
import { mayUse, topicRules } from "../../../tools/node/admission/topic-rules.js";

const own = "00112233aabbccdd";
const other = "ffffffffffffffff";
const holder = topicRules("grid", { id: own, isNode: false });
const node = topicRules("grid", { id: other, isNode: true });
const stranger = topicRules("grid", undefined);

test("a holder publishes what a meter does and reads what is for it, under its own id alone", () => {
  for (const topic of ["1/record", "-/birth", "-/death", "-/diag"]) {
    assert.ok(mayUse(holder, "publish", `gs1/grid/${topic}/${own}`), topic);
    assert.ok(!mayUse(holder, "publish", `gs1/grid/${topic}/${other}`), topic);
    assert.ok(!mayUse(holder, "subscribe", `gs1/grid/${topic}/${own}`), topic);
  }
  for (const topic of ["+/receipt", "1/members", "-/ack", "-/command", "-/time", "-/violation"]) {
    assert.ok(mayUse(holder, "subscribe", `gs1/grid/${topic}/${own}`), topic);
    assert.ok(!mayUse(holder, "subscribe", `gs1/grid/${topic}/${other}`), topic);
    assert.ok(!mayUse(holder, "subscribe", `gs1/grid/${topic}/+`), topic);
  }
});

test("only a node reads records and publishes acknowledgements, receipts, members, commands and the time", () => {
  for (const topic of ["1/receipt", "1/members", "-/ack", "-/command", "-/time", "-/violation"]) {
    assert.ok(mayUse(node, "publish", `gs1/grid/${topic}/${own}`), topic);
    assert.ok(!mayUse(holder, "publish", `gs1/grid/${topic}/${own}`), topic);
    assert.ok(!mayUse(stranger, "publish", `gs1/grid/${topic}/${own}`), topic);
  }
  assert.ok(mayUse(node, "subscribe", "$share/gridseal/gs1/grid/1/record/+"));
  for (const rules of [holder, stranger]) assert.ok(!mayUse(rules, "subscribe", "gs1/grid/1/record/+"));
});

test("a stranger shows a credential and is told the time", () => {
  assert.ok(mayUse(stranger, "publish", `gs1/grid/-/birth/${own}`));
  assert.ok(mayUse(stranger, "subscribe", `gs1/grid/-/time/${own}`));
});

test("no rule is widened by a wildcard, another network or a longer topic", () => {
  for (const rules of [holder, node, stranger]) {
    for (const topic of ["#", "gs1/grid/#", "gs1/grid/+/+/#", "gs1/+/+/record/+", `gs1/grid/-/time/${own}/x`]) {
      assert.ok(!mayUse(rules, "subscribe", topic), topic);
    }
    assert.ok(!mayUse(rules, "publish", "gs1/grid/-/birth/+"));
    assert.ok(!mayUse(rules, "publish", `gs1/other/-/birth/${own}`));
  }
});
