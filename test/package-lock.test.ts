// The lock file pins what is installed: every entry has its checksum, and every package that depends on the platform is there for
// all platforms, whichever one the lock was made on. What runs must run on each Node that it names.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

interface Entry {
  readonly version?: string;
  readonly integrity?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const read = async (name: string) => JSON.parse(await readFile(new URL(`../${name}`, import.meta.url), "utf8"));
const entries = async (): Promise<[string, Entry][]> =>
  Object.entries<Entry>((await read("package-lock.json")).packages).filter(([place]) => place !== "");

test("every entry of the lock file has its integrity: run `npm run lock` where one has not", async () => {
  const without = (await entries()).filter(
    ([, { integrity }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ""),
  );
  assert.deepEqual(
    without.map(([place]) => place),
    [],
  );
});

test("no folder's entry is asked for its path, which Node 24 does not have", () => {
  const files = ["tools", "test"].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
  );
  const asking = files.filter(
    (name) => /\.(ts|tsx|mjs)$/.test(name) && /(\w+)\.path, \1\.name\b/.test(readFileSync(name, "utf8")),
  );
  assert.deepEqual(asking, []);
});

test("the lock file keeps the packages of every platform", async () => {
  const all = await entries();
  const missing = all.flatMap(([place, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !all.some(([other]) => other.endsWith(`node_modules/${name}`)))
      .map((name) => `${place} wants ${name}`),
  );
  assert.deepEqual(missing, []);
});

test("the lock file and package.json name the same versions, each exactly", async () => {
  const { dependencies, devDependencies } = await read("package.json");
  const locked = new Map(await entries());
  for (const [name, version] of Object.entries<string>({ ...dependencies, ...devDependencies })) {
    assert.equal(locked.get(`node_modules/${name}`)?.version, version, name);
  }
});
