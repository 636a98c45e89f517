// Which types of operations the demo's participants sign: all that PROTOCOL.md lists, but for those that are excused here with a reason.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Value } from "../../src/wire/value.js";
import type { Seen } from "../../tools/demo/community/asked.js";
import { actors, type Cast } from "../../tools/demo/community/cast.js";
import { demoContracts, GATE_S, SLOT_S } from "../../tools/demo/community/contracts.js";
import { ask, createStory, note, studyJob, wordOf } from "../../tools/demo/community/story.js";
import { bidDigest } from "../../tools/market/auction/types.js";

/** What nobody signs in the demo, and why. */
const excused: ReadonlyMap<number, string> = new Map(
  [64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74].map((type) => [
    type,
    "no meter of the demo hides anything that could be asked for",
  ]),
);

const text = readFileSync(new URL("../../PROTOCOL.md", import.meta.url), "utf8");
const section = text.slice(text.indexOf("| type | name | body |"), text.indexOf("## 5 Credential"));
/** Rows of the table of types: `67, 68` are two, `1,024` is one. */
const listed = [...section.matchAll(/^\| (\d+(?:,\d{3})*(?:, \d+)*) \| [a-z]/gm)].flatMap(([, numbers]) =>
  numbers!.split(", ").map((number) => Number(number.replace(",", ""))),
);

const id = (digit: number) => digit.toString(16).repeat(16);
const cast: Cast = {
  ids: Object.fromEntries(actors.map((name, index) => [name, id(index)])) as Cast["ids"],
  points: { anna: id(13), bert: id(14), works: id(15) },
};
const NOW = 1_790_000_000;

/** What sealed blocks show of a run in which all goes its way, and what is signed meanwhile. */
function signedTypes(): ReadonlySet<number> {
  const story = createStory(cast);
  const signed = new Set<number>();
  let now_s = NOW;
  const turn = () => {
    now_s += 7;
    for (const { type } of ask(story, now_s, () => "5".repeat(32))) signed.add(type);
    const job = studyJob(story);
    if (job !== undefined) signed.add(wordOf(job, { study: job.study.study, result: "0".repeat(64) }).type);
  };
  const show = (name: string, body: Value = {}, violation?: string) => {
    const [contract, effect] = name.split("/") as [string, string];
    const seen: Seen = { service: 1, contract, name: effect, body };
    note(story, violation === undefined ? seen : { ...seen, violation });
    turn();
  };
  story.isReady = true;
  story.incidents.contractsHeight = 30;
  turn();
  const founded = ["community/founded", "community/owners", "auction/points", "dispatch/network", "mining/cohort"];
  for (const name of founded) show(name);
  show("credit/rating", { participant: cast.ids.works, standing: { list: "attention" } });
  for (const name of ["community/invited", "community/joined"]) {
    for (const point of Object.values(cast.points)) show(name, { point });
  }
  show("community/periods", { begins: [NOW, NOW + 60, NOW + 100_000] });
  for (let slot = 0; slot < 4; slot += 1) {
    const rows = [cast.points.anna, cast.points.bert].map((point) => [point, 5, 0, 0, 9_000, 0, 1]);
    show("community/shares", { start: NOW + slot * SLOT_S, rows });
  }
  const [slot, round] = [...story.rounds].at(-1)!;
  for (const [who, opening] of round.bids) {
    const body = { slot, digest: bidDigest(cast.ids[who], opening) };
    note(story, { service: 1, contract: "auction", name: "bid", body });
  }
  for (const { type } of ask(story, slot - GATE_S + 1, () => "")) signed.add(type);
  show("dispatch/transmission", { number: 7, slot_s: now_s + 100 });
  show("community/bills", { kind: "final", period: [NOW, NOW + 60] });
  show("dispatch/deviation", { subject: cast.ids.works }, "3:4:0");
  show("credit/objection", { number: 0 });
  show("mining/asked", { study: "s-1", from_s: NOW, to_s: NOW + 80 });
  show("mining/study");
  return signed;
}

test("the demo's participants sign each type of operations that PROTOCOL.md lists, or a reason says why not", () => {
  assert.ok(listed.length >= 35 && listed.includes(1_027), "the table is read");
  const handled = new Set(demoContracts.flatMap(({ terms }) => terms.types));
  assert.deepEqual(
    listed.filter((type) => !handled.has(type) && !excused.has(type)),
    [],
    "no contract of the demo takes these",
  );
  const signed = signedTypes();
  assert.deepEqual(
    listed.filter((type) => !signed.has(type) && !excused.has(type)),
    [],
    "nobody in the demo signs these",
  );
  assert.deepEqual(
    [...excused.keys()].filter((type) => !listed.includes(type) || signed.has(type)),
    [],
    "what is excused is listed, and signed by nobody",
  );
});

test("whoever leaves the community is invited and joins again", () => {
  const story = createStory(cast);
  story.isReady = true;
  const founded = ["community/founded", "community/owners", "auction/points", "dispatch/network", "credit/rating"];
  for (const name of founded) {
    const [contract, effect] = name.split("/") as [string, string];
    note(story, { service: 1, contract, name: effect, body: {} });
  }
  const say = (name: string, point: string) =>
    note(story, { service: 1, contract: "community", name, body: { point } });
  for (const point of Object.values(cast.points)) for (const name of ["invited", "joined"]) say(name, point);
  say("left", cast.points.bert);
  const asked = ask(story, NOW, () => "").filter(({ type }) => type === 260);
  assert.deepEqual(
    asked.map(({ body }) => (body as { readonly point: string }).point),
    [cast.points.bert],
  );
  say("invited", cast.points.bert);
  assert.deepEqual(
    ask(story, NOW + 1, () => "").map(({ who, type }) => [who, type]),
    [["bert", 261]],
  );
});
