// Who may acknowledge an alarm: whoever can read the monitor's folder, and no other user of the machine.

import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openDesk, type ShownMonitor } from "../../tools/monitor/desk.js";
import { readDeskToken, writeDeskToken } from "../../tools/monitor/desk-token.js";
import { createWatch } from "../../tools/monitor/watch.js";

const monitor: ShownMonitor = { watch: createWatch(), progress: [], acknowledge: (id) => id === "00000001" };

async function open(t: TestContext, token: string | undefined) {
  const desk = await openDesk(0, monitor, token);
  t.after(() => desk.server.close());
  return async (authorization: string | undefined) => {
    const headers = authorization === undefined ? {} : { authorization };
    const url = `http://127.0.0.1:${desk.port}/alarms/00000001/acknowledge`;
    return (await fetch(url, { method: "POST", headers })).status;
  };
}

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-desk-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

test("an alarm is acknowledged with the token of the folder, which its owner alone can read", async (t) => {
  const folder = await folderOf(t);
  const token = await writeDeskToken(folder);
  assert.equal((await stat(join(folder, "desk.token"))).mode & 0o777, 0o600);
  assert.equal(await readDeskToken(folder), token);
  const acknowledge = await open(t, token);
  for (const shown of [undefined, "", `Bearer ${"0".repeat(64)}`, token, `Bearer ${token}0`, "Bearer "]) {
    assert.equal(await acknowledge(shown), 401, `shown: ${shown}`);
  }
  assert.equal(await acknowledge(`Bearer ${token}`), 200);
  assert.notEqual(await writeDeskToken(folder), token, "the next start has another one");
});

test("without a folder nobody acknowledges, and a folder without a token says so", async (t) => {
  assert.equal(await (await open(t, undefined))(`Bearer ${"0".repeat(64)}`), 403);
  const folder = await folderOf(t);
  await assert.rejects(readDeskToken(folder), /desk.token cannot be read/);
  await writeFile(join(folder, "desk.token"), "no token\n");
  await assert.rejects(readDeskToken(folder), /has no token of a monitor/);
});
