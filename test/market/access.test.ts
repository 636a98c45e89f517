// Each rule of the access contract, broken and kept, in the engine that nodes run it in.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Value } from "../../src/wire/value.js";
import { TYPES } from "../../tools/market/access/types.js";
import { testContract } from "../../tools/provisioning/contracts/trying.js";
import { vectorsPathOf } from "../../tools/provisioning/contracts/vectors.js";
import { effects, openChains, type Said, type Signer, type TestChain } from "./chain.js";

const file = fileURLToPath(new URL("../../tools/market/access/access.ts", import.meta.url));
const { chain: newChain, close } = await openChains(file);
after(close);

const DAY_S = 86_400;
const TODAY = 20_700;
const METER = "1111111111111111";
const KEY = "0b".repeat(32);
const keeper: Signer = { id: "dd00000000000001", role: 13 };
const rival: Signer = { id: "dd00000000000002", role: 13 };
const permitter: Signer = { id: "dd00000000000003", role: 12 };
const anna: Signer = { id: "aa00000000000001", role: 2 };
const bert: Signer = { id: "aa00000000000002", role: 2 };
const mallory: Signer = { id: "ee00000000000001", role: 2 };
const study: Signer = { id: "bb00000000000001", role: 9, jurisdiction: "AT" };
const office: Signer = { id: "bb00000000000002", role: 10, jurisdiction: "AT" };
const rules = { "rule-9-7": "consent 31 *", "rule-10-9": "law 366 *", "rule-9-3": "decision 31 *" };

interface Grant {
  readonly days: readonly (readonly [number, number, string | null])[];
}

function chainToday(parameters: Readonly<Record<string, Value>> = rules): TestChain {
  const chain = newChain(parameters);
  chain.time_s = TODAY * DAY_S + 3_600;
  return chain;
}

async function subject(chain: TestChain, who: Signer, from: number, until: number | null = null): Promise<void> {
  await chain.done(keeper, TYPES.subject, [METER, who.id, from, until]);
}

/** Its name. */
async function asks(chain: TestChain, who: Signer, purpose: number, from: number, until: number): Promise<string> {
  const need = `${who.id}-${chain.height}`;
  await chain.done(who, TYPES.need, [purpose, 366, "x"]);
  const name = `${who.id}-${chain.height}`;
  await chain.done(who, TYPES.request, [need, METER, from, until, KEY]);
  return name;
}

const stateOf = (chain: TestChain, name: string) =>
  (chain.get(`request/${name}`) as { readonly state: string } | undefined)?.state;
const daysOf = (chain: TestChain, name: string) =>
  (chain.get(`grant/${name}`) as unknown as Grant | undefined)?.days.map(([first, end]) => [first, end]);
const breaches = (said: readonly Said[]) =>
  said.flatMap((each) => (each.type === "violation" ? [`${each.subject} ${each.name}`] : []));

/** Whoever tries comes to a breach of that rule, with his ID. */
async function breach(chain: TestChain, who: Signer, type: number, body: Value): Promise<string> {
  const said = await chain.ask(who, type, body);
  const [first, ...others] = breaches(said);
  assert.deepEqual(others, [], "one breach");
  assert.ok(first?.startsWith(who.id), `a breach of who asked: ${JSON.stringify(said)}`);
  return first!.slice(who.id.length + 1);
}

test("the access contract comes to what its vectors say", async () => {
  const { complaint } = await testContract(file, vectorsPathOf(file, undefined));
  assert.equal(complaint, undefined);
});

test("an administrator states no subject for days that are over, nor beyond the horizon", async () => {
  const chain = chainToday();
  assert.equal(await chain.denied(keeper, TYPES.subject, [METER, anna.id, TODAY - 1, null]), "past");
  assert.equal(await chain.denied(keeper, TYPES.subject, [METER, anna.id, TODAY + 367, null]), "too-far");
  await subject(chain, anna, TODAY);
  assert.deepEqual(chain.get(`subject/${METER}`), [[anna.id, TODAY, 50_000_000]]);
});

test("nobody takes a meter over: the subject confirms, or a second administrator", async () => {
  const chain = chainToday();
  await subject(chain, anna, TODAY);
  const before = chain.get(`subject/${METER}`);
  const statement = `${rival.id}-${chain.height}`;
  await chain.done(rival, TYPES.subject, [METER, mallory.id, TODAY + 1, null]);
  assert.deepEqual(chain.get(`subject/${METER}`), before, "his word alone changes nothing");
  const confirmation = [METER, statement, true];
  assert.equal(await breach(chain, mallory, TYPES.confirmation, confirmation), "not-subject");
  assert.equal(await breach(chain, rival, TYPES.confirmation, confirmation), "not-subject", "nor twice");
  assert.equal(await chain.denied(anna, TYPES.confirmation, [METER, `${rival.id}-99`, true]), "no-such-change");
  await chain.done(anna, TYPES.confirmation, [METER, statement, false]);
  assert.equal(await chain.denied(anna, TYPES.confirmation, confirmation), "no-such-change", "refused for good");

  const moving = `${keeper.id}-${chain.height}`;
  await subject(chain, bert, TODAY + 2);
  await chain.done(anna, TYPES.confirmation, [METER, moving, true]);
  const rows = [
    [anna.id, TODAY, TODAY + 2],
    [bert.id, TODAY + 2, 50_000_000],
  ];
  assert.deepEqual(chain.get(`subject/${METER}`), rows);

  const gone = `${keeper.id}-${chain.height}`;
  await subject(chain, mallory, TODAY + 3);
  chain.time_s += 10 * DAY_S;
  await chain.done(permitter, TYPES.confirmation, [METER, gone, true]);
  const [, , last] = chain.get(`subject/${METER}`) as readonly Value[];
  assert.deepEqual(last, [mallory.id, TODAY + 10, 50_000_000], "never for days that are over");
});

test("one administrator takes no day from a subject by stating him shorter", async () => {
  const chain = chainToday();
  await subject(chain, anna, TODAY);
  const name = await asks(chain, study, 7, TODAY, TODAY + 10);
  await chain.done(anna, TYPES.consent, [name]);
  const before = chain.get(`subject/${METER}`);
  const shorter = `${rival.id}-${chain.height}`;
  await chain.done(rival, TYPES.subject, [METER, anna.id, TODAY, TODAY + 1]);
  assert.deepEqual(chain.get(`subject/${METER}`), before, "it waits for her");
  await chain.done(rival, TYPES.subject, [METER, mallory.id, TODAY + 1, null]);
  assert.deepEqual(chain.get(`subject/${METER}`), before, "and so does who would come behind her");
  assert.deepEqual(daysOf(chain, name), [[TODAY, TODAY + 10]], "what she opened stays open");
  assert.equal(await chain.denied(anna, TYPES.confirmation, [METER, shorter, true]), "no-such-change");
  for (const [from, until] of [
    [TODAY + 2, TODAY + 5],
    [TODAY + 5, TODAY + 400],
  ] as const) {
    const statement = `${rival.id}-${chain.height}`;
    await chain.done(rival, TYPES.subject, [METER, anna.id, from, until]);
    assert.deepEqual(chain.get(`subject/${METER}`), before, "wherever her last day would be");
    assert.equal(await breach(chain, rival, TYPES.confirmation, [METER, statement, true]), "not-subject");
  }
  const agreed = `${keeper.id}-${chain.height}`;
  await subject(chain, anna, TODAY, TODAY + 4);
  await chain.done(anna, TYPES.confirmation, [METER, agreed, true]);
  assert.deepEqual(chain.get(`subject/${METER}`), [[anna.id, TODAY, TODAY + 4]], "she may give days back");
  assert.deepEqual(daysOf(chain, name), [[TODAY, TODAY + 4]]);
  await subject(chain, anna, TODAY + 2);
  assert.deepEqual(chain.get(`subject/${METER}`), [[anna.id, TODAY, 50_000_000]], "nobody loses by more of them");
});

test("an administrator that the policy does not name states nothing", async () => {
  const chain = chainToday({ ...rules, administrators: `${keeper.id},${permitter.id}` });
  assert.equal(await chain.denied(rival, TYPES.subject, [METER, anna.id, TODAY, null]), "role");
  await subject(chain, anna, TODAY);
});

test("a grant does not outlive its subject: days from a change on are the next one's to open", async () => {
  const chain = chainToday();
  await subject(chain, anna, TODAY);
  const name = await asks(chain, study, 7, TODAY, TODAY + 10);
  await chain.done(anna, TYPES.consent, [name]);
  assert.deepEqual(daysOf(chain, name), [[TODAY, TODAY + 10]]);
  const statement = `${keeper.id}-${chain.height}`;
  await subject(chain, bert, TODAY + 4);
  const said = await chain.done(anna, TYPES.confirmation, [METER, statement, true]);
  assert.deepEqual(daysOf(chain, name), [[TODAY, TODAY + 4]], "what she consented to as its subject");
  assert.equal(effects(said, "decision").length, 1, "it is told");
  await chain.done(bert, TYPES.consent, [name]);
  assert.deepEqual(daysOf(chain, name), [
    [TODAY, TODAY + 4],
    [TODAY + 4, TODAY + 10],
  ]);
  await chain.done(anna, TYPES.withdrawal, [name]);
  assert.deepEqual(daysOf(chain, name), [[TODAY + 4, TODAY + 10]], "each withdraws for his own days");
  await chain.done(bert, TYPES.withdrawal, [name]);
  assert.equal(daysOf(chain, name), undefined);
  assert.equal(stateOf(chain, name), "revoked");
});

test("the same subject stated once more may consent as before", async () => {
  const chain = chainToday();
  await subject(chain, anna, TODAY, TODAY + 5);
  await subject(chain, anna, TODAY + 5);
  const name = await asks(chain, study, 7, TODAY, TODAY + 10);
  await subject(chain, anna, TODAY + 3);
  await chain.done(anna, TYPES.consent, [name]);
  assert.deepEqual(daysOf(chain, name), [[TODAY, TODAY + 10]]);
});

test("who was a subject once is no violator for withdrawing what he consented to", async () => {
  const chain = chainToday();
  await subject(chain, anna, TODAY + 1);
  const name = await asks(chain, study, 7, TODAY + 1, TODAY + 10);
  await chain.done(anna, TYPES.consent, [name]);
  const statement = `${keeper.id}-${chain.height}`;
  await subject(chain, bert, TODAY + 1);
  await chain.done(anna, TYPES.confirmation, [METER, statement, true]);
  assert.equal(stateOf(chain, name), "unfulfillable");
  assert.equal(await chain.denied(anna, TYPES.withdrawal, [name]), "no-open-request");
});

test("a withdrawal before anything is granted is none: the subject objects", async () => {
  const chain = chainToday();
  await subject(chain, anna, TODAY);
  const name = await asks(chain, study, 7, TODAY, TODAY + 10);
  assert.equal(await chain.denied(anna, TYPES.withdrawal, [name]), "nothing-granted");
  assert.equal(await breach(chain, mallory, TYPES.withdrawal, [name]), "not-subject");
  await chain.done(anna, TYPES.objection, [name]);
  assert.equal(stateOf(chain, name), "rejected");
  const taken = await asks(chain, study, 7, TODAY, TODAY + 10);
  await chain.done(study, TYPES.withdrawal, [taken]);
  assert.equal(stateOf(chain, taken), "terminated");
});

test("what the law allows no subject ends", async () => {
  const chain = chainToday();
  await subject(chain, anna, TODAY);
  const name = await asks(chain, office, 9, TODAY - 10, TODAY + 10);
  assert.equal(stateOf(chain, name), "accepted");
  assert.equal(await chain.denied(anna, TYPES.withdrawal, [name]), "not-for-the-subject");
});

test("a place lies in what contains it, and who states none is within every prohibition", async () => {
  const request = async (rule: string, prohibited: string | undefined, jurisdiction: string | undefined) => {
    const set = prohibited === undefined ? {} : { "prohibit-7": prohibited };
    const chain = chainToday({ "rule-9-7": `consent 31 ${rule}`, ...set });
    const who = { ...study, jurisdiction };
    await chain.done(who, TYPES.need, [7, 31, "x"]);
    const said = await chain.ask(who, TYPES.request, [`${who.id}-1`, METER, TODAY, TODAY + 1, KEY]);
    return breaches(said)[0]?.slice(who.id.length + 1) ?? "sent";
  };
  assert.equal(await request("AT", undefined, "AT-9"), "sent", "a rule for AT holds in AT-9");
  assert.equal(await request("AT-9", undefined, "AT"), "jurisdiction", "and not the other way round");
  assert.equal(await request("AT-1", undefined, "AT-10"), "jurisdiction", "codes are no beginnings of texts");
  assert.equal(await request("*", "AT", "AT-9"), "prohibited");
  assert.equal(await request("*", "AT", "ATX"), "sent");
  assert.equal(await request("*", "AT-9", "AT"), "sent");
  assert.equal(await request("*", "AT", undefined), "prohibited");
  assert.equal(await request("AT", undefined, undefined), "jurisdiction");
});

test("nobody fills the state: needs, requests of a meter and what has ended have their limits", async () => {
  const chain = chainToday({ ...rules, needs: 2, requests: 3 });
  await chain.done(study, TYPES.need, [7, 31, "x"]);
  await chain.done(study, TYPES.need, [7, 31, "y"]);
  assert.equal(await chain.denied(study, TYPES.need, [7, 31, "z"]), "too-many");
  await chain.done(study, TYPES.withdrawal, [`${study.id}-1`]);
  assert.equal(chain.get(`need/${study.id}-1`), undefined, "a need is taken back");
  const need = `${study.id}-2`;
  const far = [need, METER, TODAY + 360, TODAY + 370, KEY];
  assert.equal(await chain.denied(study, TYPES.request, far), "too-far");
  const size = () => chain.state.size;
  let most = 0;
  for (let turn = 0; turn < 130; turn += 1) {
    const name = `${study.id}-${chain.height}`;
    await chain.done(study, TYPES.request, [need, METER, TODAY, TODAY + 1, KEY]);
    await chain.done(study, TYPES.withdrawal, [name]);
    most = Math.max(most, size());
  }
  assert.ok(most < 110, `what has ended goes: ${most} keys`);
});

test("a key that nothing can be sealed to is no key", async () => {
  const chain = chainToday();
  await chain.done(study, TYPES.need, [7, 31, "x"]);
  const points = ["00".repeat(32), `${"00".repeat(31)}80`, `01${"00".repeat(31)}`, `ed${"ff".repeat(31)}`];
  for (const key of points) {
    assert.equal(
      await chain.denied(study, TYPES.request, [`${study.id}-1`, METER, TODAY, TODAY + 1, key]),
      "malformed",
      key,
    );
  }
});

test("erasure is the subject's where the policy lets him, and the administrator's on an order", async () => {
  const chain = chainToday({ ...rules, erasure: "subject" });
  await subject(chain, anna, TODAY);
  chain.time_s += 5 * DAY_S;
  const name = await asks(chain, study, 7, TODAY, TODAY + 10);
  await chain.done(anna, TYPES.consent, [name]);
  assert.equal(await chain.denied(anna, TYPES.erasure, [METER, TODAY, TODAY + 6, ""]), "not-over");
  assert.equal(await breach(chain, mallory, TYPES.erasure, [METER, TODAY, TODAY + 2, ""]), "not-subject");
  assert.equal(await chain.denied(anna, TYPES.erasure, [METER, TODAY - 1, TODAY + 2, ""]), "not-subject");
  const said = await chain.done(anna, TYPES.erasure, [METER, TODAY + 1, TODAY + 3, ""]);
  assert.equal(effects(said, "erasure").length, 1);
  assert.deepEqual(daysOf(chain, name), [
    [TODAY, TODAY + 1],
    [TODAY + 3, TODAY + 10],
  ]);
  await chain.done(permitter, TYPES.erasure, [METER, TODAY - 30, TODAY + 1, "LG Wien 7 Cg 12/26"]);
  assert.deepEqual(daysOf(chain, name), [[TODAY + 3, TODAY + 10]]);
  const strict = chainToday();
  await subject(strict, anna, TODAY);
  strict.time_s += DAY_S;
  assert.equal(await strict.denied(anna, TYPES.erasure, [METER, TODAY, TODAY + 1, ""]), "not-for-the-subject");
});

test("an erasure uses nobody's right up: the same days count once, days that follow each other as one, an order always", async () => {
  const chain = chainToday({ ...rules, erasure: "subject" });
  await subject(chain, anna, TODAY);
  chain.time_s += 400 * DAY_S;
  const rows = () => chain.get(`erased/${METER}`) as readonly (readonly [number, number, string, number])[];
  const runs = () => rows().map(([first, end]) => [first, end]);
  for (let turn = 0; turn < 70; turn += 1) await chain.done(anna, TYPES.erasure, [METER, TODAY, TODAY + 1, ""]);
  assert.deepEqual(rows(), [[TODAY, TODAY + 1, `${anna.id}-2`, chain.time_s]], "what was erased first stands");
  for (let day = 1; day < 80; day += 1) {
    await chain.done(anna, TYPES.erasure, [METER, TODAY + day - 1, TODAY + day + 1, ""]);
  }
  assert.deepEqual(runs(), [[TODAY, TODAY + 80]], "one day after the other");
  const said = await chain.done(permitter, TYPES.erasure, [METER, TODAY + 70, TODAY + 90, "LG Wien 7 Cg 12/26"]);
  const [told] = effects(said, "erasure");
  assert.deepEqual([told!.from, told!.until, told!.ordered], [TODAY + 70, TODAY + 90, true], "it is told as ordered");
  assert.deepEqual(runs().at(-1), [TODAY + 80, TODAY + 90], "who has erased which days stays told apart");
  for (let day = 101; day < 227; day += 2)
    await chain.done(anna, TYPES.erasure, [METER, TODAY + day, TODAY + day + 1, ""]);
  const scattered = [METER, TODAY + 229, TODAY + 230, ""];
  assert.equal(await chain.denied(anna, TYPES.erasure, scattered), "too-many", "64 runs that she has scattered");
  await chain.done(anna, TYPES.erasure, [METER, TODAY + 226, TODAY + 228, ""]);
  assert.equal(runs().length, 65, "what joins a run of hers is none more");
  await chain.done(anna, TYPES.erasure, [METER, TODAY + 101, TODAY + 150, ""]);
  await chain.done(anna, TYPES.erasure, scattered);
  await chain.done(permitter, TYPES.erasure, [METER, TODAY, TODAY + 400, "LG Wien 7 Cg 13/26"]);
  const days = runs().reduce((sum, [first, end]) => sum + end! - first!, 0);
  assert.equal(days, 400, "no day twice, none missing");
});

test("however many orders a meter has, the next one is carried out, and no grant has days of any", async () => {
  const chain = chainToday({ ...rules, "rule-10-9": "law 2000 *" });
  chain.time_s += 1_400 * DAY_S;
  const name = await asks(chain, office, 9, TODAY, TODAY + 4);
  const first = Array.from({ length: 300 }, (_, at) => [TODAY + 2 * at + 4, TODAY + 2 * at + 5]);
  for (const [from, until] of first) await chain.done(permitter, TYPES.erasure, [METER, from!, until!, "order"]);
  const count = [...chain.state.keys()].filter((key) => key.startsWith("erased/")).length;
  assert.ok(count > 1, "more than one value holds");
  await chain.done(permitter, TYPES.erasure, [METER, TODAY + 1, TODAY + 2, "one more"]);
  assert.deepEqual(daysOf(chain, name), [
    [TODAY, TODAY + 1],
    [TODAY + 2, TODAY + 4],
  ]);
  const late = await asks(chain, office, 9, TODAY + 4 + 2 * 298, TODAY + 4 + 2 * 300);
  const [odd] = [TODAY + 4 + 2 * 298 + 1];
  assert.deepEqual(daysOf(chain, late), [
    [odd, odd + 1],
    [odd + 2, odd + 3],
  ]);
  await chain.done(permitter, TYPES.erasure, [METER, TODAY, TODAY + 1_000, "all of it"]);
  const rows = [...chain.state.keys()].filter((key) => key.startsWith("erased/"));
  assert.deepEqual(rows, [`erased/${METER}`], "runs that come to one are kept as one");
  assert.equal((chain.get(`erased/${METER}`) as readonly Value[]).length, 1);
});

test("a few who ask together press nobody out: the first that waits of who has most goes", async () => {
  const chain = chainToday();
  await subject(chain, anna, TODAY);
  const asking = (digit: number): Signer => ({ ...study, id: `cc000000000000${digit.toString(16).padStart(2, "0")}` });
  const names: string[] = [];
  for (let index = 0; index < 12; index += 1) {
    for (let turn = 0; turn < 8; turn += 1) names.push(await asks(chain, asking(index), 7, TODAY, TODAY + 10));
  }
  for (let turn = 0; turn < 4; turn += 1) names.push(await asks(chain, asking(12), 7, TODAY, TODAY + 10));
  const mine = await asks(chain, study, 7, TODAY, TODAY + 10);
  assert.equal(stateOf(chain, mine), "sent");
  assert.equal(stateOf(chain, names[0]!), "unfulfillable", "the first of the first who has eight");
  assert.equal((chain.get(`of/${METER}`) as readonly Value[]).length, 100);
  for (let turn = 0; turn < 6; turn += 1) await asks(chain, study, 7, TODAY, TODAY + 10);
  const need = `${study.id}-${chain.height}`;
  await chain.done(study, TYPES.need, [7, 366, "x"]);
  assert.equal(await chain.denied(study, TYPES.request, [need, METER, TODAY, TODAY + 1, KEY]), "too-many");
});

test("a subject clears what waits, twenty requests at once, and all of them or none", async () => {
  const chain = chainToday();
  await subject(chain, anna, TODAY);
  const names: string[] = [];
  for (let index = 0; index < 21; index += 1) {
    const who = { ...study, id: `cc000000000000${index.toString(16).padStart(2, "0")}` };
    names.push(await asks(chain, who, 7, TODAY, TODAY + 10));
  }
  assert.equal(await chain.denied(anna, TYPES.objection, names), "too-many");
  assert.equal(await chain.denied(anna, TYPES.objection, [names[0]!, "cc-99"]), "no-open-request");
  assert.equal(await breach(chain, mallory, TYPES.objection, names.slice(0, 2)), "not-subject");
  await chain.done(anna, TYPES.objection, names.slice(0, 20));
  assert.deepEqual(
    names.map((name) => stateOf(chain, name)),
    [...Array.from({ length: 20 }, () => "rejected"), "sent"],
  );
  assert.deepEqual(chain.get(`of/${METER}`), names.slice(20));
});

test("who is wrong about his own days is denied an erasure, and only who reaches for another one's is in breach", async () => {
  const chain = chainToday({ ...rules, erasure: "subject" });
  await subject(chain, anna, TODAY, TODAY + 5);
  chain.time_s += 30 * DAY_S;
  assert.equal(await chain.denied(anna, TYPES.erasure, [METER, TODAY - 1, TODAY + 1, ""]), "not-subject");
  assert.equal(await chain.denied(anna, TYPES.erasure, ["2".repeat(16), TODAY, TODAY + 1, ""]), "not-subject");
  assert.equal(await chain.denied(anna, TYPES.erasure, [METER, TODAY + 5, TODAY + 6, ""]), "not-subject");
  assert.equal(await breach(chain, bert, TYPES.erasure, [METER, TODAY, TODAY + 1, ""]), "not-subject");
});
