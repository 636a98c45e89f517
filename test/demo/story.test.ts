// The demo's story alone: what is asked follows from what is sealed and from time, and no line is longer than a terminal is wide.

import assert from "node:assert/strict";
import { test } from "node:test";
import { queryHash, termsFrom } from "../../tools/analytics/terms.js";
import type { Asked, Seen } from "../../tools/demo/community/asked.js";
import { type Cast, nameIn } from "../../tools/demo/community/cast.js";
import { SLOT_S } from "../../tools/demo/community/contracts.js";
import { ask, createStory, note, type Story } from "../../tools/demo/community/story.js";
import { studyFields } from "../../tools/demo/community/study-plan.js";
import { lineOf } from "../../tools/demo/community/words.js";
import { bidDigest, type Opening } from "../../tools/market/auction/types.js";

const id = (digit: string) => digit.repeat(16);
const cast: Cast = {
  ids: {
    ...{ anna: id("a"), bert: id("b"), works: id("c"), supply: id("d") },
    ...{ manager: id("e"), grid: id("f"), office: id("0"), data: id("6"), campus: id("7") },
    ...{ clearing: id("8"), agency: id("9") },
  },
  points: { anna: id("1"), bert: id("2"), works: id("3") },
};
const NOW = 1_790_000_000;
const salt = () => "5".repeat(32);

function founded(): Story {
  const story = createStory(cast);
  story.isReady = true;
  for (const [contract, name] of [
    ["community", "founded"],
    ["community", "owners"],
    ["auction", "points"],
    ["dispatch", "network"],
    ["credit", "rating"],
    ["mining", "cohort"],
  ] as const)
    note(story, { service: 1, contract, name, body: {} });
  for (const name of ["invited", "joined"]) {
    for (const point of Object.values(cast.points)) {
      note(story, { service: 1, contract: "community", name, body: { point } });
    }
  }
  return story;
}

const typesOf = (asked: readonly Asked[]) => asked.map(({ who, type }) => [who, type]);

test("nothing is asked before the contracts are ordered; then each step once those before it are sealed", () => {
  const story = createStory(cast);
  assert.deepEqual(ask(story, NOW, salt), []);
  story.isReady = true;
  assert.deepEqual(typesOf(ask(story, NOW, salt)), [
    ["manager", 256],
    ["grid", 259],
    ["grid", 272],
    ["grid", 768],
    ["office", 512],
    ["data", 1_024],
  ]);
  assert.deepEqual(ask(story, NOW + 1, salt), [], "what is asked is waited for");
  note(story, { service: 1, contract: "community", name: "founded", body: {} });
  assert.equal(ask(story, NOW + 6, salt).length, 5, "and asked again where it does not come");
});

test("bids are sealed before the gate, opened behind it where they are sealed, and what dispatch carries is signed", () => {
  const story = founded();
  assert.deepEqual(typesOf(ask(story, NOW, salt)), [["manager", 258]], "periods come first");
  const body = { start: NOW - SLOT_S, rows: [[cast.points.anna, 0, 0, 0, 9_000, 0, 1]] };
  note(story, { service: 1, contract: "community", name: "shares", body });
  const bids = ask(story, NOW + 1, salt);
  assert.deepEqual(typesOf(bids), [
    ["anna", 273],
    ["works", 273],
    ["supply", 273],
  ]);
  const { slot } = bids[0]!.body as { readonly slot: number };
  assert.ok(slot - 20 - NOW > 5, "there is time to seal them");
  const [annas] = bids;
  note(story, { service: 1, contract: "auction", name: "bid", body: annas!.body });
  const opened = ask(story, slot - 19, salt).filter(({ type }) => type === 274);
  assert.deepEqual(typesOf(opened), [["anna", 274]], "what is not sealed cannot be opened");
  const opening = opened[0]!.body as unknown as Opening;
  assert.equal(bidDigest(cast.ids.anna, opening), (annas!.body as { readonly digest: string }).digest);
  assert.equal(opening.volume, 9_000, "what the roof has given");
  note(story, { service: 3, contract: "dispatch", name: "transmission", body: { number: 7, slot_s: slot } });
  const signed = ask(story, slot - 8, salt).filter(({ type }) => type === 770);
  assert.deepEqual(signed[0]!.body, { numbers: [7] });
  assert.deepEqual(
    ask(story, slot + 1, salt).filter(({ type }) => type === 770),
    [],
    "not once the slot has begun",
  );
});

test("a period is billed once all its slots are shared, and once alone", () => {
  const story = founded();
  note(story, { service: 1, contract: "community", name: "periods", body: { begins: [NOW, NOW + 60, NOW + 120] } });
  const billed = (now_s: number) => ask(story, now_s, salt).filter(({ type }) => type === 264);
  assert.deepEqual(billed(NOW + 61), []);
  note(story, { service: 1, contract: "community", name: "shares", body: { start: NOW + 40, rows: [] } });
  assert.deepEqual(billed(NOW + 62)[0]!.body, { community: "sun", period: NOW, kind: "final" });
  note(story, { service: 1, contract: "community", name: "bills", body: { kind: "final", period: [NOW, NOW + 60] } });
  assert.deepEqual(billed(NOW + 70), []);
});

test("a study of the homes is asked for once four of their slots are shared, and is run once", () => {
  const story = founded();
  const asked = (now_s: number) => ask(story, now_s, salt).filter(({ service }) => service === 4);
  const share = (start: number) =>
    note(story, { service: 1, contract: "community", name: "shares", body: { start, rows: [] } });
  for (const slot of [0, 1, 2]) share(NOW + slot * SLOT_S);
  assert.deepEqual(asked(NOW + 100), []);
  share(NOW + 3 * SLOT_S);
  const [wanted] = asked(NOW + 101);
  const { cohort, from_s, to_s, query } = wanted!.body as { readonly [name: string]: unknown };
  assert.deepEqual([wanted!.who, wanted!.type, cohort, from_s, to_s], ["campus", 1_025, "sun", NOW, NOW + 4 * SLOT_S]);
  const meters = Object.values(cast.points).sort();
  const fields = studyFields(meters, { from_s: NOW, to_s: NOW + 4 * SLOT_S });
  assert.equal(query, queryHash(termsFrom(fields, "a test")));
  note(story, { service: 4, contract: "mining", name: "asked", body: { study: "s-1", from_s: NOW, to_s: NOW + 80 } });
  assert.deepEqual([asked(NOW + 120), story.wantedStudy], [[], { study: "s-1", from_s: NOW, to_s: NOW + 80 }]);
  note(story, { service: 4, contract: "mining", name: "study", body: {} });
  assert.equal(story.wantedStudy, undefined);
});

test("a line names who it is about, fits into 80 columns, and moves nobody's terminal", () => {
  assert.deepEqual([nameIn(cast, id("a")), nameIn(cast, id("3")), nameIn(cast, "else")], ["anna", "works", "else"]);
  const breach = { subject: cast.ids.works, contracted_mWh: 300_000, metered_mWh: -10_000 };
  const line = lineOf({ service: 3, contract: "dispatch", name: "deviation", body: breach }, cast, 108);
  assert.equal(line, " 108 s  dispatch  works was to feed in 0.300000, and did -0.010000: a breach");
  const founding = { name: `\u001b[2J${"x".repeat(64)}`, terms: [{ model: "proportional", price: 1 }] };
  const long = lineOf({ service: 1, contract: "community", name: "founded", body: founding }, cast, 1)!;
  assert.ok(long.length <= 80 && !long.includes("\u001b"), long);
  assert.equal(lineOf({ service: 1, contract: "community", name: "terms", body: {} }, cast, 1), undefined);
});

test("no line of shares, bills, trades and deviations is cut, with all digits that are sealed", () => {
  const [energy, price] = [99_999_999, 1_234_567];
  const told: readonly (readonly [number, string, string, object])[] = [
    [1, "community", "shares", { start: NOW, rows: [["p", energy, 0, energy, 0, energy]] }],
    [
      1,
      "community",
      "bill",
      { owner: id("c"), kind: "final", amount: -price, consumed: energy, lines: [["covered", energy]] },
    ],
    [1, "auction", "cleared", { slot: NOW, price: 99_999, volume: 99_999_999, bids: 3, opened: 3 }],
    [4, "mining", "asked", { requester: id("7"), kind: "load-curve", size: 3, cost: 1 }],
    [4, "mining", "study", { kind: "load-curve", group: 3, to: 99_999, result: "a".repeat(64) }],
    [3, "dispatch", "deviation", { subject: id("c"), contracted_mWh: 99_999_999, metered_mWh: -9_999_999 }],
  ];
  for (const [service, contract, name, body] of told) {
    const line = lineOf({ service, contract, name, body: body as Seen["body"] }, cast, 999)!;
    assert.ok(line.length < 80, line);
  }
  const [service, contract, name, body] = told[1]!;
  const line = lineOf({ service, contract, name, body: body as Seen["body"] }, cast, 1)!;
  assert.match(line, /99\.999999 kWh, 99\.999999 solar$/);
});
