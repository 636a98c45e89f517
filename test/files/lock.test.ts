import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { lockFolder } from "../../tools/files/lock.js";

const inUse = { code: "FOLDER_IN_USE", message: /another node runs in/ };
/** Containers that share a folder have network namespaces of their own. */
const canUnshare = spawnSync("unshare", ["--net", "true"]).status === 0;

test("a folder has one owner of a kind at a time", async (t) => {
  const folder = temporary(t);
  const unlock = await lockFolder(folder, "node");
  await assert.rejects(lockFolder(folder, "node"), inUse);
  await (await lockFolder(folder, "meter"))();
  await unlock();
  await (await lockFolder(folder, "node"))();
  assert.deepEqual(readdirSync(folder), [], "nothing is left of a lock that was given back");
});

test("of many that begin at once at most one takes the folder", async (t) => {
  const folder = temporary(t);
  const taken = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(folder, "node")));
  const holders = taken.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  assert.ok(holders.length <= 1, `${holders.length} hold it`);
  for (const giveBack of holders) await giveBack();
  await (await lockFolder(folder, "node"))();
});

test("a holder that was killed holds nothing, and what is left of it goes", async (t) => {
  const folder = temporary(t);
  const holder = await holderIn(t, folder);
  await assert.rejects(lockFolder(folder, "node"), inUse);
  holder.kill("SIGKILL");
  await once(holder, "exit");
  assert.equal(readdirSync(folder).length, 1);
  const unlock = await lockFolder(folder, "node");
  assert.equal(readdirSync(folder).length, 1);
  await unlock();
});

test("a holder in another network namespace is seen", {
  skip: !canUnshare && "no network namespace can be made here",
}, async (t) => {
  const folder = temporary(t);
  await holderIn(t, folder, "unshare", "--net");
  await assert.rejects(lockFolder(folder, "node"), inUse);
});

test("a folder is locked and given back under whatever name it has", async (t) => {
  const folder = temporary(t);
  const long = join(folder, "x".repeat(100), "y".repeat(100));
  mkdirSync(long, { recursive: true });
  const unlock = await lockFolder(long, "node");
  await assert.rejects(lockFolder(long, "node"), inUse);
  renameSync(long, join(folder, "aside"));
  await unlock();
  assert.deepEqual(readdirSync(join(folder, "aside")), []);
});

test("a file with a lock's name keeps nobody out", async (t) => {
  const folder = temporary(t);
  writeFileSync(join(folder, "lock-node-0000000000000000"), "");
  await (await lockFolder(folder, "node"))();
});

test("a folder that is not there is said", async (t) => {
  const folder = join(temporary(t), "none");
  await assert.rejects(lockFolder(folder, "node"), {
    code: "FILE_UNWRITABLE",
    message: /no lock can be made in .*none/,
  });
});

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "gridseal-lock-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Another process that holds the folder until it is killed. */
async function holderIn(t: TestContext, folder: string, ...through: readonly string[]) {
  const lock = import.meta.resolve("../../tools/files/lock.ts");
  const script = `import { lockFolder } from ${JSON.stringify(lock)}; await lockFolder(${JSON.stringify(folder)}, "node"); process.stdout.write("held"); setInterval(() => {}, 1000);`;
  const [command, ...args] = [
    ...through,
    process.execPath,
    "--import",
    import.meta.resolve("tsx"),
    "--input-type=module",
    "--eval",
    script,
  ];
  const child = spawn(command!, args, { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child;
}
