// Minimum groups: how many meters, and how large a share of one of them, where a chain says nothing and where it does.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type GroupKind, groupRule } from "../../../tools/market/access/groups.js";

const rule = (kind: GroupKind, parameters = {}) => groupRule({ parameters }, kind);

test("households are a group from a hundred meters on, others from fifteen of whom none has more than 15 percent", () => {
  assert.deepEqual(rule("residential"), { meters_min: 100, share_percent_max: 100 });
  assert.deepEqual(rule("non-residential"), { meters_min: 15, share_percent_max: 15 });
});

test("a chain's parameters state other numbers", () => {
  const set = { group_residential: 20, group_nonresidential: 4, group_share: 40 };
  assert.deepEqual(rule("residential", set), { meters_min: 20, share_percent_max: 100 });
  assert.deepEqual(rule("non-residential", set), { meters_min: 4, share_percent_max: 40 });
});
