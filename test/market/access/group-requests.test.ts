// Groups, and requests for sums over them: each rule broken and kept, in the engine that nodes run it in.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Value } from "../../../src/wire/value.js";
import { TYPES } from "../../../tools/market/access/types.js";
import { effects, openChains, type Signer, type TestChain } from "../chain.js";

const file = fileURLToPath(new URL("../../../tools/market/access/access.ts", import.meta.url));
const { chain: newChain, close } = await openChains(file);
after(close);

const DAY_S = 86_400;
const TODAY = 20_700;
const KEY = "0b".repeat(32);
const POWER = "0100010700ff";
const keeper: Signer = { id: "dd00000000000001", role: 13 };
const permitter: Signer = { id: "dd00000000000003", role: 12 };
const anna: Signer = { id: "aa00000000000001", role: 2 };
const study: Signer = { id: "bb00000000000001", role: 9, jurisdiction: "AT" };
const rules = { "group-9-7": "decision 31 *", "group-9-8": "law 366 AT", "rule-9-3": "law 366 *" };
const ids = (count: number, first = 0) =>
  Array.from({ length: count }, (_, index) => (0x1000 + first + index).toString(16).padStart(16, "0"));

function chainToday(parameters: Readonly<Record<string, Value>> = {}): TestChain {
  const chain = newChain({ ...rules, group_residential: 3, group_nonresidential: 2, ...parameters });
  chain.time_s = TODAY * DAY_S + 3_600;
  return chain;
}

async function need(chain: TestChain, purpose: number, who = study): Promise<string> {
  const name = `${who.id}-${chain.height}`;
  await chain.done(who, TYPES.need, [purpose, 366, "evening peaks"]);
  return name;
}

const wanted = (of: string, more: Readonly<Partial<Record<"group" | "register" | "key", Value>>> = {}): Value => {
  const { group = "north", register = POWER, key = KEY } = more;
  return [of, group, register, 27, TODAY, TODAY + 7, key];
};

/** The rule that is broken, against who asked. */
async function breach(chain: TestChain, who: Signer, type: number, body: Value): Promise<string> {
  const said = await chain.ask(who, type, body);
  const broken = said.filter((each) => each.type === "violation");
  assert.deepEqual(
    broken.map(({ subject }) => subject),
    [who.id],
    JSON.stringify(said),
  );
  return broken[0]!.name;
}

test("an administrator states a group once, as large as the rule of its kind asks for", async () => {
  const chain = chainToday();
  assert.equal(await chain.denied(study, TYPES.group, ["north", "residential", ids(3)]), "role");
  assert.equal(await chain.denied(keeper, TYPES.group, ["north", "residential", ids(2)]), "group");
  for (const body of [
    ["North", "residential", ids(3)],
    ["", "residential", ids(3)],
    ["north", "farm", ids(3)],
    ["north", "residential", [...ids(3)].reverse()],
    ["north", "residential", [...ids(2), ids(2)[1]!]],
    ["north", "residential", ["x", "y", "z"]],
    ["north", "residential", ids(257)],
    ["north", "residential", []],
  ]) {
    assert.equal(await chain.denied(keeper, TYPES.group, body), "malformed", JSON.stringify(body).slice(0, 60));
  }
  const [told] = effects(await chain.done(keeper, TYPES.group, ["north", "residential", ids(3)]), "group");
  assert.deepEqual(told, { name: "north", kind: "residential", meters: 3, by: keeper.id });
  assert.deepEqual(chain.get("group/north"), ["residential", ids(3), keeper.id]);
  assert.equal(await chain.denied(keeper, TYPES.group, ["north", "residential", ids(4)]), "known-group");
});

test("no meter is in two groups: two sums that differ by it would tell its values", async () => {
  const chain = chainToday();
  await chain.done(keeper, TYPES.group, ["north", "residential", ids(3)]);
  assert.equal(await chain.denied(keeper, TYPES.group, ["wide", "non-residential", ids(3, 2)]), "in-two-groups");
  await chain.done(keeper, TYPES.group, ["south", "non-residential", ids(2, 3)]);
  assert.deepEqual(chain.get("groups"), ["north", "south"]);
});

test("the largest groups that a chain has fit one run", async () => {
  const chain = chainToday();
  for (let at = 0; at < 32; at += 1) {
    await chain.done(keeper, TYPES.group, [`g-${at}`, "residential", ids(256, 256 * at)]);
  }
  assert.equal(await chain.denied(keeper, TYPES.group, ["one-more", "residential", ids(3, 10_000)]), "too-many");
});

test("sums are granted by decision or by law, with the rule of the group and the slots of the chain", async () => {
  const chain = chainToday({ group_slot_s: 600, group_lateness_s: 60, group_share: 40 });
  await chain.done(keeper, TYPES.group, ["works", "non-residential", ids(2)]);
  const lawful = `${study.id}-${chain.height + 1}`;
  await chain.done(study, TYPES.groupRequest, wanted(await need(chain, 8), { group: "works" }));
  assert.deepEqual(chain.get(`grant/${lawful}`), {
    ...{ requester: study.id, group: "works", register: POWER, unit: 27, purpose: 8, key: KEY },
    ...{ from: TODAY, until: TODAY + 7, until_s: (TODAY + 37) * DAY_S },
    ...{ slot_s: 600, lateness_s: 60, meters_min: 2, share_percent_max: 40 },
  });
  const asked = `${study.id}-${chain.height + 1}`;
  await chain.done(study, TYPES.groupRequest, wanted(await need(chain, 7), { group: "works" }));
  assert.equal(chain.get(`grant/${asked}`), undefined, "it waits");
  assert.equal(await breach(chain, anna, TYPES.decision, [asked, true]), "role");
  const [decided] = effects(await chain.done(permitter, TYPES.decision, [asked, true]), "decision");
  assert.deepEqual([decided!.granted, decided!.group, decided!.rule], [true, "works", "decision"]);
  assert.notEqual(chain.get(`grant/${asked}`), undefined);
  await chain.done(study, TYPES.withdrawal, [asked]);
  assert.equal(chain.get(`grant/${asked}`), undefined);
  assert.equal((chain.get(`request/${asked}`) as { readonly state: string }).state, "terminated");
  assert.equal(chain.get(`open/${study.id}`), 1, "the other one is open");
});

test("what no rule for groups allows is a breach, and a rule for single meters allows no sums", async () => {
  const chain = chainToday({ "group-9-6": "consent 31 *", "prohibit-8": "CN" });
  await chain.done(keeper, TYPES.group, ["north", "residential", ids(3)]);
  assert.equal(await breach(chain, study, TYPES.groupRequest, wanted(await need(chain, 3))), "role");
  const ofStatistics = await need(chain, 8);
  const abroad = { ...study, jurisdiction: "DE" };
  assert.equal(await breach(chain, abroad, TYPES.groupRequest, wanted(ofStatistics)), "jurisdiction");
  const banned = { ...study, jurisdiction: "CN" };
  assert.equal(await breach(chain, banned, TYPES.groupRequest, wanted(ofStatistics)), "prohibited");
  assert.equal(await breach(chain, study, TYPES.groupRequest, wanted(await need(chain, 6))), "basis");
  const ofResearch = await need(chain, 7);
  const long = [ofResearch, "north", POWER, 27, TODAY, TODAY + 32, KEY];
  assert.equal(await breach(chain, study, TYPES.groupRequest, long), "period");
  assert.equal(await chain.denied(study, TYPES.groupRequest, wanted(ofResearch, { group: "west" })), "unknown-group");
  assert.equal(await chain.denied(study, TYPES.groupRequest, wanted("x-1")), "unknown-need");
  const low = "00".repeat(32);
  assert.equal(await chain.denied(study, TYPES.groupRequest, wanted(ofResearch, { key: low })), "malformed");
  assert.equal(await chain.denied(study, TYPES.groupRequest, wanted(ofResearch, { register: "01" })), "malformed");
});

test("slots that do not cut a day into whole ones are granted to nobody", async () => {
  for (const group_slot_s of [0, 7, 100_000]) {
    const chain = chainToday({ group_slot_s });
    await chain.done(keeper, TYPES.group, ["north", "residential", ids(3)]);
    assert.equal(await chain.denied(study, TYPES.groupRequest, wanted(await need(chain, 8))), "no-slots");
  }
});

test("no subject answers for a group, and none is blamed for trying; it ends in time by itself", async () => {
  const chain = chainToday();
  await chain.done(keeper, TYPES.group, ["north", "residential", ids(3)]);
  const asked = `${study.id}-${chain.height + 1}`;
  await chain.done(study, TYPES.groupRequest, wanted(await need(chain, 7)));
  for (const type of [TYPES.consent, TYPES.objection, TYPES.withdrawal]) {
    assert.equal(await chain.denied(anna, type, [asked]), "not-for-the-subject");
  }
  await chain.pass(chain.time_s + 15 * DAY_S);
  assert.equal((chain.get(`request/${asked}`) as { readonly state: string }).state, "timed-out");
});
