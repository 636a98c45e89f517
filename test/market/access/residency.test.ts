// Where nodes stand that keep shares, as the contract judges it.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Value } from "../../../src/wire/value.js";
import { TYPES } from "../../../tools/market/access/types.js";
import { openChains, type Signer } from "../chain.js";

const file = fileURLToPath(new URL("../../../tools/market/access/access.ts", import.meta.url));
const { chain: newChain, close } = await openChains(file);
after(close);

const DAY_S = 86_400;
const TODAY = 20_700;
const study: Signer = { id: "bb00000000000001", role: 9, jurisdiction: "AT" };
const rule = { "rule-9-7": "consent 31 *", "rule-9-8": "consent 31 *" };

/** What comes of a request for that purpose: `done`, or the rule that it breaks. */
async function asked(parameters: Readonly<Record<string, Value>>, purpose = 7): Promise<string> {
  const chain = newChain({ ...rule, ...parameters });
  chain.time_s = TODAY * DAY_S + 3_600;
  const need = `${study.id}-${chain.height}`;
  await chain.done(study, TYPES.need, [purpose, 31, "x"]);
  const body = [need, "1111111111111111", TODAY, TODAY + 1, "0b".repeat(32)];
  const said = await chain.ask(study, TYPES.request, body);
  const breach = said.find((each) => each.type === "violation");
  return breach?.name ?? "done";
}

test("a purpose whose data may lie in some places alone is denied while a node that keeps shares stands elsewhere", async () => {
  const residency = { "residency-7": "AT,DE" };
  assert.equal(await asked({}), "done", "nobody has said anything of places");
  assert.equal(await asked({ ...residency, "nodes-AT-9": "x", "nodes-DE": "y" }), "done");
  assert.equal(await asked({ ...residency, "nodes-AT": "x", "nodes-CH": "y" }), "residency");
  assert.equal(await asked({ "residency-7": "AT-9", "nodes-AT": "x" }), "residency", "the land may be another one");
  assert.equal(await asked({ ...residency, "nodes-CH": "y" }, 8), "done", "of another purpose it says nothing");
});

test("where nothing says where nodes stand, nothing shows that they stand at home", async () => {
  assert.equal(await asked({ "residency-7": "*" }), "residency");
  assert.equal(await asked({ "residency-7": "*", "nodes-CH": "y" }), "done");
});
