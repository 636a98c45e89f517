// What a terminal shows of long work: nothing for two seconds, then one line that is gone in the end; nothing where there is no terminal.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type ProgressScreen, progressText, withProgress } from "../../tools/terminal/progress.js";

const screenOf = (isTTY: boolean, columns = 80) => {
  const written: string[] = [];
  const screen: ProgressScreen = { isTTY, columns, write: (text) => written.push(text) };
  return { screen, written };
};

test("says how much is done, of how much, and how long the rest takes", () => {
  const what = "auditing trading";
  assert.equal(progressText({ what }, 5_000), "auditing trading, 5 s");
  assert.equal(
    progressText({ what, done: 1, unit: "block" }, 61_000),
    "auditing trading: 1 block, 0.0 blocks/s, 1 min 1 s",
  );
  assert.equal(
    progressText({ what, done: 2_500, total: 10_000, unit: "block" }, 30_000),
    "auditing trading: 2,500 of 10,000 blocks, 25 %, 83 blocks/s, 1 min 30 s left",
  );
  assert.equal(progressText({ what, done: 0, total: 9, unit: "MB" }, 0), "auditing trading: 0 of 9 MB, 0 %");
});

test("short work, and work that no terminal watches, says nothing", async () => {
  const short = screenOf(true);
  const seven = async (tell: (step: { readonly what: string }) => void) => {
    tell({ what: "short" });
    return 7;
  };
  assert.equal(await withProgress(seven, short.screen), 7);
  const unwatched = screenOf(false);
  await withProgress(async (tell) => {
    tell({ what: "long" });
    await pause(2_300);
    tell({ what: "long" });
  }, unwatched.screen);
  assert.deepEqual([short.written, unwatched.written], [[], []]);
});

test("where no terminal watches, what takes minutes says how far it is once a minute", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const { screen, written } = screenOf(false);
  await withProgress(async (tell) => {
    tell({ what: "auditing trading", done: 3, total: 9, unit: "record" });
    t.mock.timers.tick(59_000);
    assert.deepEqual(written, []);
    t.mock.timers.tick(62_000);
  }, screen);
  assert.deepEqual(
    written.map((line) => line.replace(/, \d+ s left/, "")),
    Array(2).fill("auditing trading: 3 of 9 records, 33 %\n"),
  );
});

test("long work draws one line within the terminal's width, and takes it away, also where it fails", async () => {
  const { screen, written } = screenOf(true, 30);
  const failing = withProgress(async (tell) => {
    tell({ what: "copying a store with a very long name", done: 1, unit: "block" });
    await pause(2_600);
    throw new Error("full");
  }, screen);
  await assert.rejects(failing, /full/);
  assert.ok(written.length >= 2, JSON.stringify(written));
  assert.ok(
    written.every((text) => text.startsWith("\r\x1b[K") && text.length <= 30 + 3),
    JSON.stringify(written),
  );
  assert.equal(written.at(-1), "\r\x1b[K");
  assert.match(written[0]!, /copying a store/);
});
