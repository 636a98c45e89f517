// Nobody else on the machine reads what meters confided, or signs with their keys: whatever the user's mask, and also where folders
// that an older release made are still open.

import assert from "node:assert/strict";
import { chmod, lstat, readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { test } from "node:test";
import { freeBasePort } from "./network.js";
import { cleanUp, gridseal, program, start, temporaryFolder, until } from "./processes.js";

/** What anybody may read: it is the network's, or the owner's to hand out. */
const PUBLIC = /(?:^|\/)(?:genesis\.cbor|[a-z]+\.cert\.pem)$/;

test("stores, backups, outboxes, keys and configurations are their owner's alone", {
  timeout: 200_000,
  skip: process.platform === "win32" && "no modes",
}, async (t) => {
  const defer = cleanUp(t);
  const folder = await temporaryFolder(defer);
  /** With a mask that leaves everything open. */
  const openly = (...args: readonly string[]) =>
    start(defer, "sh", ["-c", 'umask 000; exec "$@"', "sh", process.execPath, program, ...args]);
  const network = join(folder, "network");
  const ports = ["--base-port", String(await freeBasePort(1))];
  const made = await openly("init", network, "--nodes", "1", "--meters", "1", ...ports).ended;
  assert.equal(made.status, 0, made.errors);
  const configuration = join(network, "nodes/node-1/node.json");
  const meter = join(network, "meters/meter-1");

  const sealOne = async () => {
    const node = openly("node", "run", configuration);
    const running = openly("meter", "run", meter, "--emulator", "--json");
    await until("a record is sealed", () => /"sealed":[1-9]/.test(running.output));
    const backup = join(folder, `backup-${Date.now()}`);
    const { status, errors } = await openly("backup", configuration, backup).ended;
    assert.equal(status, 0, errors);
    await running.stop();
    await node.stop();
  };

  await t.test("with a mask of 000", async () => {
    await sealOne();
    assert.deepEqual(await exposed(folder), []);
  });

  await t.test("where the folders were open", async () => {
    const data = join(network, "nodes/node-1/data");
    for (const path of [data, meter]) await chmod(path, 0o755);
    for (const path of [join(data, "data.mdb"), join(data, "lock.mdb")]) await chmod(path, 0o644);
    await sealOne();
    assert.deepEqual(await exposed(folder), []);
  });

  await t.test("a key that others may read is refused", async () => {
    const key = join(network, "nodes/node-1/key.json");
    await chmod(key, 0o640);
    const refused = await gridseal("node", "run", configuration);
    assert.equal(refused.status, 1);
    assert.match(refused.errors, /key\.json holds a secret and others may read it \(mode 0640\): chmod 0600 /);
    await chmod(join(meter, "keyvalue/seed"), 0o604);
    const silent = await gridseal("meter", "run", meter, "--emulator");
    assert.equal(silent.status, 1);
    assert.match(silent.errors, /keyvalue\/seed holds a secret and others may read it/);
  });
});

/** What others can get at below a folder, and should not. */
async function exposed(root: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const { mode } = await lstat(path);
    const place = relative(root, path);
    const allowed = PUBLIC.test(place) ? 0o755 : 0o700;
    if ((mode & 0o777 & ~allowed) !== 0) found.push(`${(mode & 0o777).toString(8)} ${place}`);
  }
  return found;
}
