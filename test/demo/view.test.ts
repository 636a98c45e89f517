import assert from "node:assert/strict";
import { test } from "node:test";
import { createScreen, drawPicture, type Picture } from "../../tools/demo/view.js";

const picture: Picture = {
  elapsed_s: 12,
  meters: Array.from({ length: 6 }, (_, index) => ({ name: `meter-${index + 1}`, state: "healthy" })),
  nodes: Array.from({ length: 4 }, (_, index) => {
    return { name: `node-${index + 1}`, pid: index === 2 ? undefined : 4_194_300 + index, restarts: index };
  }),
  chains: [{ service: 1, name: "trading", height: 1_234, records: 56_789, violations: 0 }],
  operations: 789,
  published: 123_456,
  verified: 123_450,
  open: 6,
  p50_ms: 430,
  p99_ms: 12_345,
};

test("shows all of it in a terminal of 80 columns: latency, every meter, the processes that can be killed", () => {
  const lines = drawPicture(picture, { columns: 80, rows: 24 });
  for (const line of lines) assert.ok(line.length < 80, line);
  const text = lines.join("\n");
  assert.match(text, /p50 430 ms, p99 12345 ms/);
  assert.match(text, /published 123456,/);
  assert.match(text, /789 of them\s+operations,/);
  assert.match(text, /sealed and verified 123450,/);
  assert.match(text, /under way 6;/);
  for (const { name } of picture.meters) assert.ok(text.includes(`${name}: healthy`), name);
  assert.match(text, /node-1: pid 4194300 /);
  assert.match(text, /node-3: down \(restarted 2×\)/);
});

test("cuts no more than what is longer than the terminal is wide", () => {
  const lines = drawPicture(
    { ...picture, meters: [{ name: "meter-1", state: "x".repeat(90) }] },
    { columns: 40, rows: 24 },
  );
  for (const line of lines) assert.ok(line.length < 40, line);
  assert.ok(lines.some((line) => line.includes("meter-1: xxx")));
});

test("a picture with all that is told, and the cursor behind it, fits the rows: the newest of it stays", () => {
  const chains = Array.from({ length: 6 }, (_, index) => ({ ...picture.chains[0]!, service: index + 1 }));
  const told = Array.from({ length: 12 }, (_, index) => `${index} s  trading   a trade`);
  for (const rows of [8, 16, 18, 20, 24, 40]) {
    const lines = drawPicture({ ...picture, chains, told }, { columns: 80, rows });
    assert.ok(lines.length < rows, `${lines.length} lines on ${rows} rows`);
    if (rows >= 20) assert.equal(lines.at(-1), told.at(-1));
    assert.equal(lines.filter((line) => line.endsWith("a trade")).length === told.length, rows === 40);
  }
});

test("a terminal that moves no cursor gets lines, as a log does", (t) => {
  const { TERM } = process.env;
  t.after(() => Object.assign(process.env, { TERM }));
  const linesWith = (term: string) => {
    process.env.TERM = term;
    const written: string[] = [];
    const output = { isTTY: true, columns: 80, rows: 24, write: (text: string) => written.push(text) > 0 };
    const screen = createScreen(output as unknown as NodeJS.WriteStream);
    screen.tell(["trading   Sun street is founded"]);
    screen.show(picture);
    return written.join("");
  };
  assert.ok(linesWith("xterm").includes("\x1b[J"));
  const log = linesWith("dumb");
  assert.ok(!log.includes("\x1b"), log);
  assert.match(log, /^trading {3}Sun street is founded\n12 s: records published/);
});
