// What docs/deploying.md hands out: units, a container file and a script name commands, options and paths that are there; the package
// has what the command needs, and no more.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { installed } from "../tools/build.mjs";
import { command } from "./cli/command.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");
const folder = mkdtempSync(join(tmpdir(), "gridseal-deploy-"));
after(() => rmSync(folder, { recursive: true }));

const page = read("docs/deploying.md");
const units = readdirSync(join(root, "docs/deploy")).filter((name) => name.endsWith(".service"));
const INSTALLED = "/usr/local/bin/gridseal";

/** Fails where a command line of gridseal names a subcommand or an option that it does not have. */
function assertCommand(words: readonly string[], where: string): void {
  const plain = words.findIndex((word) => !/^[a-z]+$/.test(word));
  const names = plain < 0 ? words : words.slice(0, plain);
  // What follows a command may look like one: its argument.
  const help = [names, names.slice(0, -1)].map((path) =>
    spawnSync(process.execPath, [command, ...path, "--help"], { encoding: "utf8" }),
  );
  const shown = help.find(({ status, stdout }) => status === 0 && stdout.includes("Usage: gridseal"));
  assert.ok(shown !== undefined, `${where}: gridseal ${names.join(" ")} is no command`);
  const options = words.filter((word) => word.startsWith("-")).map((word) => word.split("=")[0]!);
  assert.deepEqual(
    options.filter((option) => !new RegExp(`(^|[ ,])${option}[ ,]`, "m").test(shown.stdout)),
    [],
    `${where}: options of gridseal ${names.join(" ")}`,
  );
}

test("units run commands that are there", () => {
  assert.equal(units.length, 2);
  let count = 0;
  for (const name of units) {
    for (const [, line] of read(`docs/deploy/${name}`).matchAll(/^Exec\w+=\/usr\/local\/bin\/gridseal (.+)$/gm)) {
      assertCommand(line!.split(" "), name);
      count += 1;
    }
  }
  assert.equal(count, 4);
});

test("units and docs/deploying.md name the same files and users", () => {
  for (const name of units) {
    const text = read(`docs/deploy/${name}`);
    assert.ok(page.includes(name), `the page has ${name}`);
    const state = `/var/lib/${/^StateDirectory=(.+)\/%i$/m.exec(text)![1]}`;
    const user = /^User=(.+)$/m.exec(text)![1]!;
    assert.ok(page.includes(`| \`${state}/`), `the page has ${state}`);
    assert.match(page, new RegExp(`\\| ${user}, 0700 \\|`));
    for (const [path] of text.matchAll(/\/(?:etc|var\/lib)\/[\w/-]+\/%i/g)) {
      assert.ok(page.includes(path.replace("/%i", "/")), `the page has ${path}`);
    }
  }
});

test("systemd takes the units", (t) => {
  const version = spawnSync("systemd-analyze", ["--version"]);
  if (version.status !== 0) return t.skip("systemd-analyze is not here");
  for (const name of units) {
    const path = join(folder, name.replace("@", "@trial"));
    writeFileSync(path, read(`docs/deploy/${name}`).replaceAll(INSTALLED, command));
    const { status, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", path], { encoding: "utf8" });
    const about = stderr.split("\n").filter((line) => line.includes("gridseal"));
    assert.deepEqual(about, [], name);
    assert.ok(status === 0 || about.length === 0, stderr);
  }
});

test("the image runs a node as its container file says, from folders of the build", () => {
  const text = read("docs/deploy/Containerfile");
  const [, words] = /^CMD (\[.+\])$/m.exec(text)!;
  assertCommand(JSON.parse(words!) as string[], "Containerfile");
  assert.match(text, /dist\/tools\/cli\/gridseal\.js/);
  assert.match(read("package.json"), /"gridseal": "dist\/tools\/cli\/gridseal\.js"/);
  for (const [, script] of text.matchAll(/npm run (\S+)/g))
    assert.match(read("package.json"), new RegExp(`"${script}":`));
});

test("commands on docs/deploying.md and the script for upgrades are there with their options", () => {
  const lines = [...page.matchAll(/^ {4}gridseal ([^#\n]+)/gm)].map(([, line]) => line!.trim().split(/\s+/));
  assert.ok(lines.length >= 4, `${lines.length} commands`);
  for (const words of lines) assertCommand(words, "docs/deploying.md");
  const script = join(root, "docs/deploy/rolling-upgrade");
  assert.equal(spawnSync("sh", ["-n", script]).status, 0);
  assert.ok(
    units.includes("gridseal-node@.service") && read("docs/deploy/rolling-upgrade").includes("gridseal-node@$node"),
  );
});

test("packages that are loaded on use stay where they are installed: a bundle would hide what older ones export", () => {
  const tools = readdirSync(join(root, "tools"), { recursive: true, encoding: "utf8" });
  const loaded = tools
    .filter((name) => name.endsWith(".ts"))
    .flatMap((name) => [...read(`tools/${name}`).matchAll(/\bimport\("([^."][^"]*)"\)/g)].map(([, found]) => found!));
  assert.ok(loaded.includes("mqtt"), "there are some");
  assert.deepEqual(
    loaded.filter((name) => !name.startsWith("node:") && !installed.includes(name)),
    [],
  );
});

test("the package is built before it is packed, has the command, and runs where it is unpacked", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  assert.equal(scripts.prepack, "npm run --silent build");
  const packed = spawnSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
    cwd: root,
    encoding: "utf8",
  });
  assert.equal(packed.status, 0, packed.stderr);
  const [{ filename, files }] = JSON.parse(packed.stdout) as [{ filename: string; files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  for (const needed of [
    "dist/tools/cli/gridseal.js",
    "dist/meter-xsnap.js",
    "dist/program/licences.txt",
    "docs/deploy/Containerfile",
    "LICENSE",
  ]) {
    assert.ok(paths.includes(needed), `the package has ${needed}`);
  }
  assert.deepEqual(
    paths.filter((path) =>
      /^(test|tools|src|node_modules|bench-results)\/|dist\/tools\/lab\/|dist\/program\/lab\.|\.map$/.test(path),
    ),
    [],
  );
  assert.equal(spawnSync("tar", ["-xzf", join(folder, filename), "-C", folder]).status, 0);
  symlinkSync(join(root, "node_modules"), join(folder, "package/node_modules"));
  const licences = readFileSync(join(folder, "package/dist/program/licences.txt"), "utf8");
  for (const name of ["fastify", "@noble/curves", "preact", "quickjs-wasi"]) {
    assert.match(licences, new RegExp(`^${name} \\S+: MIT$`, "m"), "what is in the bundles, for Node and for browsers");
  }
  const program = join(folder, "package/dist/tools/cli/gridseal.js");
  const made = spawnSync(process.execPath, [program, "init", join(folder, "grid"), "--nodes", "1", "--meters", "1"], {
    encoding: "utf8",
  });
  assert.equal(made.status, 0, made.stderr);
  const checked = spawnSync(process.execPath, [program, "config", "check", join(folder, "grid/nodes/node-1")]);
  assert.equal(checked.status, 0, String(checked.stderr));
  const contracts = paths.flatMap((path) => /^(.+)\.vectors\.json$/.exec(path)?.[1] ?? []);
  assert.ok(contracts.length >= 8, contracts.join(" "));
  for (const contract of contracts) {
    const linted = spawnSync(process.execPath, [
      program,
      "contract",
      "lint",
      join(folder, "package", `${contract}.ts`),
    ]);
    // What it calls bad it has read whole, with all that it imports.
    const said = `${linted.stdout}${linted.stderr}`;
    assert.match(said, /\.ts is good: \d+ bytes|uses what a contract must not/, contract);
  }
});
