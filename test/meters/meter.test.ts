// The host's calls, made by a program inside a real XS engine, and what becomes of a meter whose engine fails.

import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startMeter } from "../../tools/meters/meter.js";
import { type Exercise, meterFolder, startExercise } from "./exercise.js";

test("tells the program its platform, configuration and time", async (t) => {
  const clock = () => ({ time_ms: 1_587_933_205_123, quality: 1 as const });
  const { run } = await startExercise(t, await meterFolder(t), { clock });
  const described = (await run({ do: "describe" })) as { uptime_ms: number };
  assert.deepEqual(
    { ...described, uptime_ms: 0 },
    {
      platform: "xsnap",
      configuration: '{"purpose":"exercise"}',
      now: { time_ms: 1_587_933_205_123, quality: 1 },
      uptime_ms: 0,
    },
  );
  assert((await run({ do: "describe" })) instanceof Object);
  const later = (await run({ do: "describe" })) as { uptime_ms: number };
  assert(later.uptime_ms > described.uptime_ms);
});

test("runs the program in XS and not in Node", async (t) => {
  const { run } = await startExercise(t, await meterFolder(t));
  const names = ["TextDecoder", "Buffer", "process", "console", "setTimeout", "crypto", "require"];
  assert.deepEqual(await run({ do: "globals", names }), ["TextDecoder"]);
});

test("gives random bytes that differ, and refuses too many", async (t) => {
  const { run } = await startExercise(t, await meterFolder(t));
  const [first, second] = [await run({ do: "random", length: 32 }), await run({ do: "random", length: 32 })];
  assert.match(String(first), /^[0-9a-f]{64}$/);
  assert.notEqual(first, second);
  assert.deepEqual(await run({ do: "random", length: 5_000 }), {
    error: "Error: random: at most 4096 random bytes at once, got 5000",
  });
});

test("keeps keys and flash through kill -9 of the engine, which starts again by itself", async (t) => {
  const directory = await meterFolder(t);
  const exercise = await startExercise(t, directory);
  await exercise.next("ready");
  await fillStore(exercise);
  process.kill(exercise.meter.pid!, "SIGKILL");
  await exercise.next("ready");
  await checkStore(exercise);
  assert.equal(exercise.meter.counters.starts, 2);
  assert.equal(exercise.meter.counters.faults, 1);
  assert.match(exercise.errors[0]!, /starts again .*: the engine was ended by SIGKILL/);
});

test("keeps keys and flash when the meter is switched off and another is started in its folder", async (t) => {
  const directory = await meterFolder(t);
  const first = await startExercise(t, directory);
  await fillStore(first);
  first.meter.kill();
  await first.meter.exit;
  assert.equal(first.meter.pid, undefined);
  await checkStore(await startExercise(t, directory));
});

async function fillStore({ run }: Exercise): Promise<void> {
  await run({ do: "set", key: "seed", value: "00ff" });
  await run({ do: "set", key: "gone", value: "01" });
  await run({ do: "delete", key: "gone" });
  await run({ do: "write", offset: 4_094, bytes: "f0f0f0f0" });
  await run({ do: "write", offset: 4_094, bytes: "3c3c3c3c" });
  await run({ do: "erase", offset: 4_096 });
}

async function checkStore({ run }: Exercise): Promise<void> {
  assert.equal(await run({ do: "get", key: "seed" }), "00ff");
  assert.equal(await run({ do: "get", key: "gone" }), null);
  assert.equal(await run({ do: "read", offset: 4_094, length: 4 }), "3030ffff");
}

test("tells the program why a call of it failed", async (t) => {
  const { run } = await startExercise(t, await meterFolder(t));
  assert.match(JSON.stringify(await run({ do: "set", key: "../seed", value: "00" })), /keySet: key must be/);
  assert.match(JSON.stringify(await run({ do: "erase", offset: 1 })), /flashErase: flash erases sectors of 4096/);
  assert.match(JSON.stringify(await run({ do: "read", offset: 1 << 20, length: 1 })), /flashRead: flash has 1048576/);
});

test("fires a timer once, replaces one of the same name, and clears one", async (t) => {
  const { run, send, next } = await startExercise(t, await meterFolder(t));
  // At once, so that the timer without delay is on its way when the program clears it.
  send({ do: "timer", name: "b", delay_ms: 0, label: "cleared" });
  send({ do: "timer", name: "a", delay_ms: 0, label: "replaced" });
  send({ do: "clear", name: "b" });
  send({ do: "timer", name: "a", delay_ms: 60, label: "second" });
  send({ do: "timer", name: "far", delay_ms: 1e12, label: "far" });
  send({ do: "timer", name: "c", delay_ms: -5, label: "now" });
  assert.equal((await next("timer")).label, "now");
  assert.equal((await next("timer")).label, "second");
  await run({ do: "timer", name: "last", delay_ms: 100, label: "last" });
  assert.equal((await next("timer")).label, "last");
});

test("shows the program's state", async (t) => {
  const { run, states } = await startExercise(t, await meterFolder(t));
  await run({ do: "show", state: "no broker", counters: { frames: 3 } });
  assert.deepEqual(states, [{ state: "no broker", counters: { frames: 3 } }]);
});

test("contains an exception, reports it with its stack, and starts again", async (t) => {
  const exercise = await startExercise(t, await meterFolder(t));
  await exercise.next("ready");
  exercise.send({ do: "throw" });
  await exercise.next("ready");
  assert.match(exercise.errors[0]!, /thrown on purpose/);
  assert.match(exercise.errors[0]!, /at perform \(test\/meters\/exercise-program\.ts\)/);
  assert.deepEqual([exercise.meter.counters.starts, exercise.meter.counters.faults], [2, 1]);
  assert.equal(typeof (await exercise.run({ do: "random", length: 1 })), "string");
});

test("drops and counts what the engine is too slow to take from the port", async (t) => {
  const exercise = await startExercise(t, await meterFolder(t));
  for (let index = 0; index < 100; index++) exercise.feed(Buffer.alloc(10_000, " "));
  exercise.feed(Buffer.from("\n"));
  const { meterBytes, meterBytesDropped } = exercise.meter.counters;
  assert.equal(meterBytes, 1_000_001);
  assert(meterBytesDropped >= 1_000_000 - 65_536 && meterBytesDropped < 1_000_000, String(meterBytesDropped));
});

test("stops after the agent has handled what had arrived", async (t) => {
  const exercise = await startExercise(t, await meterFolder(t));
  const answer = exercise.run({ do: "set", key: "last", value: "01" });
  await exercise.meter.stop();
  assert.equal(await answer, null);
  await exercise.meter.exit;
});

test("takes nothing from the port of a paused meter and goes on running", async (t) => {
  const exercise = await startExercise(t, await meterFolder(t));
  await exercise.run({ do: "timer", name: "a", delay_ms: 50, label: "still" });
  await exercise.meter.pauseMeter();
  exercise.send({ do: "throw" });
  assert.equal((await exercise.next("timer")).label, "still");
  assert.equal(exercise.meter.counters.faults, 0);
});

test("refuses a folder that another meter runs in, that has no configuration, or whose outbox is foreign", async (t) => {
  const directory = await meterFolder(t);
  const { meter } = await startExercise(t, directory);
  await assert.rejects(startExercise(t, directory), { code: "FOLDER_IN_USE" });
  await meter.stop();
  writeFileSync(join(directory, "outbox.flash"), "short");
  await assert.rejects(startExercise(t, directory), { code: "STORE_CORRUPT" });
  rmSync(join(directory, "configuration.json"));
  await assert.rejects(startExercise(t, directory), { code: "FILE_UNREADABLE" });
});

test("refuses to start a program that throws at first, with its stack", async (t) => {
  const directory = await meterFolder(t);
  const options = { name: "m1", directory, openPort: () => ({ close() {} }) };
  const program = "(function begin() { throw new RangeError('no such service: 9'); })()";
  const throwing = `try { ${program} } catch (thrown) { throw thrown.stack }`;
  await assert.rejects(startMeter({ ...options, program: throwing }), {
    code: "CONFIGURATION_INVALID",
    message: /meter m1 in .* does not start: RangeError: .*no such service: 9\n at begin/,
  });
  await (await startMeter({ ...options, program: "0" })).stop();
});

test("signs as node:crypto does, byte for byte, and verifies what it signed", async (t) => {
  const { run } = await startExercise(t, await meterFolder(t));
  for (const [index, message] of ["", "72", "af82".repeat(50), "00".repeat(1_000)].entries()) {
    const seed = Buffer.alloc(32, 7 * index + 1);
    const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
    const privateKey = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
    const signature = sign(null, Buffer.from(message, "hex"), privateKey).toString("hex");
    const publicKey = createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(12).toString("hex");
    assert.equal(await run({ do: "sign", message, seed: seed.toString("hex") }), signature);
    assert.equal(await run({ do: "verify", signature, message, publicKey }), true);
    assert.equal(await run({ do: "verify", signature, message: `${message}00`, publicKey }), false);
  }
});
