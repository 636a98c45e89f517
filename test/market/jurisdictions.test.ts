// The sets of parameters that come for two jurisdictions: what is outside of one is denied by the paragraph that it names. A trade, a
// tariff, an access, and the places where nodes stand.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PARAMETERS_MAX } from "../../src/wire/contract-order.js";
import type { Value } from "../../src/wire/value.js";
import { readParameterSet } from "../../tools/cli/contract/parameter-set.js";
import { TYPES as accessTypes } from "../../tools/market/access/types.js";
import { operationTypes as auctionTypes } from "../../tools/market/auction/types.js";
import { operationTypes as communityTypes } from "../../tools/market/community/types.js";
import { openChains, type Said, type Signer, type TestChain } from "./chain.js";

const places = ["EU", "CN"] as const;
type Place = (typeof places)[number];
const fileOf = (path: string) => fileURLToPath(new URL(`../../tools/${path}`, import.meta.url));
const setOf = (contract: string, place: Place) => fileOf(`${contract}/parameters/${place}.json`);
const [access, auction, community] = await Promise.all(
  ["access", "auction", "community"].map((name) => openChains(fileOf(`market/${name}/${name}.ts`))),
);
after(() => Promise.all([access!, auction!, community!].map(({ close }) => close())));

type Parameters = Readonly<Record<string, Value>>;

function parametersOf(contract: string, place: Place): Parameters {
  const { parameters } = JSON.parse(readFileSync(setOf(contract, place), "utf8")) as { parameters: Parameters };
  return parameters;
}

/** The parameter and the paragraph that a denial names. */
function lawIn(said: readonly Said[], rule: string): readonly Value[] {
  const denial = said.find(({ type }) => type === "denial");
  assert.equal(denial?.name, rule);
  const { parameter, law } = denial!.body as { parameter: Value; law: Value };
  return [parameter, law];
}

for (const place of places) {
  test(`${place}: every set is dated, of its contract, fits an order, and gives a paragraph to each bound that has one`, async () => {
    for (const [contract, name] of [
      ["market/access", "access"],
      ["market/auction", "auction"],
      ["market/community", "community"],
      ["market/credit", "credit"],
      ["dispatch/contract", "dispatch"],
    ] as const) {
      const path = setOf(contract, place);
      assert.ok(existsSync(path), path);
      const set = await readParameterSet(path, name);
      assert.match(String(set.get("dated")), /^2026-/);
      assert.ok(set.size <= PARAMETERS_MAX, path);
      for (const [parameter, value] of set) {
        assert.ok(typeof value !== "string" || value.length <= 256, `${path}: ${parameter}`);
        const bound = parameter.replace(/_law$/, "");
        assert.ok(bound === parameter || bound === "rules" || set.has(bound), `${path}: ${parameter} is of nothing`);
      }
    }
    await assert.rejects(readParameterSet(setOf("market/access", place), "auction"), { code: "FILE_INVALID" });
  });

  test(`${place}: a tariff above the bound is denied by the paragraph, one at it is taken`, async () => {
    const parameters = parametersOf("market/community", place);
    const chain = community!.chain(parameters);
    const manager: Signer = { id: "aa00000000000001", role: 3 };
    const terms = { community: "sun", name: "Sun", model: "proportional" };
    const highest = Number(parameters.price_max);
    const said = await chain.ask(manager, communityTypes.found, { ...terms, price: highest + 1 });
    assert.deepEqual(lawIn(said, "law"), ["price_max", parameters.price_max_law]);
    await chain.done(manager, communityTypes.found, { ...terms, price: highest });
  });

  test(`${place}: a trade beyond the band of prices is denied by the paragraph`, async () => {
    const parameters = parametersOf("market/auction", place);
    const chain = auction!.chain(parameters);
    const trader: Signer = { id: "cc00000000000001", role: 2 };
    for (const [parameter, price] of [
      ["floor", Number(parameters.floor) - 1],
      ["cap", Number(parameters.cap) + 1],
    ] as const) {
      const opening = { slot: 900_000, side: "buy", price, volume: 1, salt: "0".repeat(32) };
      const said = await chain.ask(trader, auctionTypes.open, opening);
      assert.deepEqual(lawIn(said, "law"), [parameter, parameters[`${parameter}_law`]]);
    }
  });

  const home = place === "EU" ? "AT" : "CN";
  const abroad = place === "EU" ? "CN" : "AT";
  const study: Signer = { id: "bb00000000000001", role: 9, jurisdiction: home };
  const DAY_S = 86_400;
  const TODAY = 20_700;

  async function asked(more: Parameters, who: Signer, { purpose = 7, days = 1 } = {}): Promise<readonly Said[]> {
    const chain: TestChain = access!.chain({ ...parametersOf("market/access", place), ...more });
    chain.time_s = TODAY * DAY_S + 3_600;
    const need = `${who.id}-${chain.height}`;
    await chain.done(who, accessTypes.need, [purpose, 10_000, "x"]);
    const body = [need, "1111111111111111", TODAY - days, TODAY, "0b".repeat(32)];
    return chain.ask(who, accessTypes.request, body);
  }

  test(`${place}: an access beyond a rule, and one for which nodes stand in the wrong place, is denied by the paragraph`, async () => {
    const parameters = parametersOf("market/access", place);
    const law = (parameter: string) => [parameter, parameters[`${parameter}_law`]];
    const here = { [`nodes-${home}`]: "x" };
    const good = await asked(here, study);
    assert.deepEqual(
      good.filter(({ type }) => type === "denial" || type === "violation"),
      [],
    );
    assert.deepEqual(lawIn(await asked(here, { ...study, role: 4 }), "role"), law("rules"));
    assert.deepEqual(lawIn(await asked(here, { ...study, jurisdiction: abroad }), "jurisdiction"), law("rule-9-7"));
    assert.deepEqual(lawIn(await asked(here, study, { days: 367 }), "period"), law("rule-9-7"));
    const spread = { ...here, [`nodes-${abroad}`]: "y" };
    const said = await asked(spread, study);
    assert.deepEqual(lawIn(said, "residency"), law("residency-7"));
    const violation = said.find(({ type }) => type === "violation");
    assert.deepEqual(violation?.body, said[0]!.body, "the violation names it too");
    assert.deepEqual(lawIn(await asked({}, study), "residency"), law("residency-7"), "nobody says where they stand");
  });

  test(`${place}: what is prohibited is denied by the paragraph that the prohibition has`, async () => {
    const prohibition = { "prohibit-7": home, "prohibit-7_law": "a decree" };
    assert.deepEqual(lawIn(await asked(prohibition, study), "prohibited"), ["prohibit-7", "a decree"]);
    const bare = await asked({ "prohibit-7": home }, study);
    assert.deepEqual(Object.keys(bare[0]!.body as object).sort(), ["from", "meter", "need", "purpose", "until"]);
  });
}
