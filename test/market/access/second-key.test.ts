// Who asks is one participant, whatever keys it signs with: budgets and limits count by the issued ID of its credentials.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Value } from "../../../src/wire/value.js";
import { TYPES } from "../../../tools/market/access/types.js";
import { openChains, type Signer, type TestChain } from "../chain.js";

const file = fileURLToPath(new URL("../../../tools/market/access/access.ts", import.meta.url));
const { chain: newChain, close } = await openChains(file);
after(close);

const TODAY = 20_700;
const METER = "1111111111111111";
const KEY = "0b".repeat(32);
const study: Signer = { id: "bb00000000000001", role: 9 };

function chainToday(parameters: Readonly<Record<string, Value>>): TestChain {
  const chain = newChain({ "rule-9-7": "consent 31 *", ...parameters });
  chain.time_s = TODAY * 86_400;
  return chain;
}

/** The rule that who asks is in breach of. */
async function breach(chain: TestChain, who: Signer, wanted: Value): Promise<string | undefined> {
  const said = await chain.ask(who, TYPES.request, wanted);
  return said.find(({ type, subject }) => type === "violation" && subject === who.id)?.name;
}

test("a second key of a participant has no budget of its own, and may take back what the first has asked", async () => {
  const chain = chainToday({ needs: 2, requests: 9 });
  const [first, second] = ["bb00000000000007", "bb00000000000008"].map((id) => ({ ...study, id, issued_id: "works" }));
  const wide = chainToday({ needs: 2, requests: 2 });
  for (const each of [chain, wide]) {
    await each.done(first!, TYPES.need, [7, 31, "x"]);
    await each.done(second!, TYPES.need, [7, 31, "y"]);
    assert.equal(await each.denied(second!, TYPES.need, [7, 31, "z"]), "too-many", "needs are counted together");
  }
  const wanted = [`${first!.id}-1`, METER, TODAY, TODAY + 1, KEY];
  for (let turn = 0; turn < 4; turn += 1) {
    await chain.done(first!, TYPES.request, wanted);
    await chain.done(second!, TYPES.request, wanted);
  }
  assert.equal(await chain.denied(second!, TYPES.request, wanted), "too-many", "and so are requests of a meter");
  const asked = `${first!.id}-${wide.height}`;
  await wide.done(first!, TYPES.request, wanted);
  await wide.done(second!, TYPES.request, wanted);
  for (const who of [first!, second!]) assert.equal(await breach(wide, who, wanted), "budget");
  await wide.done({ ...study, id: "bb00000000000009" }, TYPES.request, wanted);
  await wide.done(second!, TYPES.withdrawal, [asked]);
  assert.equal((wide.get(`request/${asked}`) as { readonly state: string }).state, "terminated");
  await wide.done(first!, TYPES.request, wanted);
});
