import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { startWorker, type Worker } from "../../tools/meters/worker.js";

interface Watched {
  readonly worker: Worker;
  readonly printed: string[];
  readonly exits: string[];
}

function start(t: TestContext, onCall: (request: Uint8Array) => Uint8Array = (request) => request): Watched {
  const printed: string[] = [];
  const exits: string[] = [];
  const worker = startWorker({
    name: "w",
    onCall,
    onPrint: (line) => printed.push(line),
    onExit: (reason) => exits.push(reason),
  });
  t.after(() => worker.kill());
  return { worker, printed, exits };
}

test("answers the program's calls while a script or a delivery runs", async (t) => {
  const asked: string[] = [];
  const { worker } = start(t, (request) => {
    asked.push(Buffer.from(request).toString("latin1"));
    return request.length === 1 ? Buffer.alloc(200_000, 7) : Buffer.from("b,:");
  });
  await worker.evaluate(`
    const ask = (text) => new Uint8Array(issueCommand(Uint8Array.from(text, (c) => c.charCodeAt(0)).buffer));
    globalThis.handleCommand = (message) => { ask("got" + new Uint8Array(message).length + ask("a").length); };
    ask("\\u0000,:" + String.fromCharCode(...ask("bc")));
  `);
  await worker.deliver(new Uint8Array(100_000));
  assert.deepEqual(asked, ["bc", "\0,:b,:", "a", "got100000200000"]);
});

test("says what a script threw, and goes on", async (t) => {
  const { worker, exits } = start(t);
  await assert.rejects(worker.evaluate("throw 'on purpose'"), { message: "on purpose" });
  await assert.rejects(worker.evaluate("("), /SyntaxError/);
  await worker.evaluate("1");
  assert.deepEqual(exits, []);
});

test("takes one message at a time", async (t) => {
  const { worker } = start(t);
  const first = worker.evaluate("1");
  await assert.rejects(worker.evaluate("2"), /busy/);
  await first;
});

test("resets a program that hangs", async (t) => {
  const { worker, exits } = start(t);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const hanging = worker.evaluate("for (;;);");
  t.mock.timers.tick(30_000);
  await assert.rejects(hanging, /hung for 30000 ms: watchdog reset/);
  assert.equal(exits.length, 1);
});

test("reports once what ended the engine", async (t) => {
  const overflowing = start(t);
  await assert.rejects(overflowing.worker.evaluate("const f = () => f() + 1; f()"), /stack overflow/);
  assert.deepEqual(overflowing.exits, ["the engine exited: stack overflow"]);
  const killed = start(t);
  const evaluated = killed.worker.evaluate("for (;;);");
  process.kill(killed.worker.pid!, "SIGKILL");
  await assert.rejects(evaluated, /ended by SIGKILL/);
  await assert.rejects(killed.worker.evaluate("1"), /has ended/);
  assert.deepEqual(killed.exits, ["the engine was ended by SIGKILL"]);
});

test("hands on what the program prints, line by line and cut to a limit", async (t) => {
  const { worker, printed } = start(t);
  await worker.evaluate("print('one'); print('x'.repeat(5000)); print('two')");
  while (printed.length < 3) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    printed.map((line) => line.slice(0, 3) + line.length),
    ["one3", "xxx2000", "two3"],
  );
});
