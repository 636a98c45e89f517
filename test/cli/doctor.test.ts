// `gridseal doctor`, `config check`, `genesis show` and `completion`: what an operator asks before a node's first start.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  CERTIFICATE_DAYS_MIN,
  judgeClock,
  judgeDates,
  judgePort,
  judgeSpace,
  judgeVersion,
  worstOf,
} from "../../tools/cli/doctor/findings.js";
import { command } from "./command.js";

let folder: string;
let grid: string;

function run(...parameters: readonly string[]) {
  return spawnSync(process.execPath, [command, ...parameters], { encoding: "utf8" });
}

/** Beside what this process serves meanwhile. */
async function runBeside(...parameters: readonly string[]) {
  const child = spawn(process.execPath, [command, ...parameters]);
  let stdout = "";
  child.stdout.on("data", (chunk) => (stdout += chunk));
  const [status] = (await once(child, "close")) as [number];
  return { status, stdout };
}

interface Report {
  readonly status: string;
  readonly findings: readonly { check: string; status: string; output: string; remedy?: string }[];
}
const nodeFile = (path: string) => join(grid, "nodes", "node-1", path);

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gridseal-doctor-"));
  grid = join(folder, "grid");
  const { status, stderr } = run("init", grid, "--nodes", "2", "--meters", "1", "--base-port", "24310");
  assert.equal(status, 0, stderr);
});
after(() => rm(folder, { recursive: true }));

test("a certificate is judged by its dates: not yet, good, soon to end, ended", () => {
  const day_ms = 86_400_000;
  const dates = { from_ms: 0, to_ms: 100 * day_ms };
  const said = [-1, 1, (100 - CERTIFICATE_DAYS_MIN) * day_ms + 1, 101 * day_ms].map(
    (now_ms) => judgeDates("a.pem", dates, now_ms).status,
  );
  assert.deepEqual(said, ["fail", "pass", "warn", "fail"]);
});

test("a port must be held where the node runs and free where it does not", () => {
  assert.equal(judgePort("api", "free", false).status, "pass");
  assert.equal(judgePort("api", "held", true).status, "pass");
  assert.match(judgePort("api", "held", false).output, /another process/);
  assert.equal(judgePort("api", "free", true).status, "fail");
  assert.match(judgePort("api", { refused: "EACCES" }, false).output, /EACCES/);
});

test("space, clocks and versions are judged as health judges them, and what does not pass says what to do", () => {
  const findings = [
    judgeSpace("data", { free_bytes: 50, size_bytes: 100 }),
    judgeSpace("data", { free_bytes: 4, size_bytes: 100 }),
    judgeSpace("data", { free_bytes: 0, size_bytes: 100 }),
    judgeClock("b", 10_000),
    judgeClock("b", -10_001),
    judgeClock("b", 30_000),
    judgeVersion("b", "1.0.0", "1.0.0"),
    judgeVersion("b", undefined, "1.0.0"),
  ];
  assert.deepEqual(
    findings.map(({ status }) => status),
    ["pass", "warn", "fail", "pass", "warn", "fail", "pass", "warn"],
  );
  assert.deepEqual(
    findings.filter(({ status, remedy }) => (status === "pass") !== (remedy === undefined)),
    [],
  );
  assert.equal(worstOf(findings), "fail");
  assert.equal(worstOf([]), "pass");
});

test("a new node is looked over before its first start: peers that are down are a warning, nothing fails", () => {
  const { status, stdout, stderr } = run("doctor", join(grid, "nodes", "node-1"), "--json");
  assert.equal(status, 0, stderr);
  const report = JSON.parse(stdout) as Report;
  assert.equal(report.status, "warn");
  assert.deepEqual(
    report.findings.map(({ check, status }) => `${check} ${status}`),
    [
      "configuration pass",
      "key pass",
      ...["certificate pass", "certificate pass"],
      ...["data pass", "space pass"],
      ...["port pass", "port pass", "port pass"],
      "peer warn",
    ],
  );
});

test("other nodes are looked at wherever it runs, and beside a configuration that is none", () => {
  const silent = ["--api", "http://127.0.0.1:9"];
  const alone = run("doctor", ...silent, "--json");
  assert.equal(alone.status, 1);
  const checks = (text: string) =>
    (JSON.parse(text) as Report).findings.map(({ check, status }) => `${check} ${status}`);
  assert.deepEqual(checks(alone.stdout), ["node fail"]);
  const beside = run("doctor", join(grid, "nothing"), ...silent, "--json");
  assert.deepEqual(checks(beside.stdout), ["configuration fail", "node fail"]);
});

test("a port that another process holds fails with its address", async () => {
  const server = createServer().listen(24_511, "127.0.0.1");
  await once(server, "listening");
  try {
    const { api } = JSON.parse(await readFile(nodeFile("node.json"), "utf8")) as { api: { port: number } };
    assert.equal(api.port, 24_511);
    const { status, stdout } = await runBeside("doctor", nodeFile("node.json"), "--json");
    assert.equal(status, 1);
    const failed = (JSON.parse(stdout) as Report).findings.filter((finding) => finding.status === "fail");
    assert.deepEqual(
      failed.map(({ output }) => output),
      ["api 127.0.0.1:24511 is held by another process"],
    );
  } finally {
    server.close();
  }
});

test("a key that others may read, and another node's certificate, fail with what to do", async () => {
  await chmod(nodeFile("key.json"), 0o644);
  const open = run("doctor", join(grid, "nodes", "node-1"));
  await chmod(nodeFile("key.json"), 0o600);
  assert.equal(open.status, 1);
  assert.match(open.stdout, /fail {2}key .*others may read it .*\n {6}\S/);
  const own = await readFile(nodeFile("tls.cert.pem"));
  await copyFile(join(grid, "nodes", "node-2", "tls.cert.pem"), nodeFile("tls.cert.pem"));
  const foreign = run("doctor", join(grid, "nodes", "node-1"));
  await writeFile(nodeFile("tls.cert.pem"), own);
  assert.equal(foreign.status, 1);
  assert.match(foreign.stdout, /fail {2}certificate .*is not the key of the certificate/);
});

test("config check takes a node's and a meter's configuration or folder, and names the field that is wrong", async () => {
  const meter = join(grid, "meters", "meter-1");
  const good = run("config", "check", join(grid, "nodes", "node-1"), meter, "--json");
  assert.equal(good.status, 0, good.stderr);
  const kinds = good.stdout
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { of: string }).of);
  assert.deepEqual(kinds, ["node", "meter"]);
  const document = JSON.parse(await readFile(join(meter, "configuration.json"), "utf8")) as Record<string, unknown>;
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ shedule: [] }, /\$\.shedule is no field of this document/],
    [{ network: "other" }, /\$\.network is other, and the genesis is that of gridseal/],
    [{ genesis: "00" }, /\$\.genesis is no genesis/],
  ];
  const file = join(folder, "wrong.json");
  for (const [change, reason] of wrong) {
    await writeFile(file, JSON.stringify({ ...document, ...change }));
    const { status, stderr } = run("config", "check", file);
    assert.equal(status, 1);
    assert.match(stderr, reason);
  }
  await writeFile(file, (await readFile(nodeFile("node.json"), "utf8")).replace('"listen"', '"lissten"'));
  assert.match(run("config", "check", file).stderr, /\.lissten is no field of this file/);
});

test("genesis show prints the keys of a genesis that its authority has signed, and refuses another", async () => {
  const path = join(grid, "genesis.cbor");
  const { status, stdout, stderr } = run("genesis", "show", path, "--json");
  assert.equal(status, 0, stderr);
  const { network, keys } = JSON.parse(stdout) as { network: string; keys: { of: string; key: string }[] };
  assert.equal(network, "gridseal");
  assert.deepEqual(
    keys.map(({ of }) => of),
    ["authority", "node-1", "node-2"],
  );
  const bytes = await readFile(path);
  bytes[bytes.length - 1]! ^= 1;
  const damaged = join(folder, "damaged.cbor");
  await writeFile(damaged, bytes);
  const refused = run("genesis", "show", damaged, "--json");
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /is not signed by its authority/);
  const failure = JSON.parse(refused.stdout) as { ok: boolean; code: string; remedy: string };
  assert.deepEqual([failure.ok, failure.code], [false, "GENESIS_INVALID"]);
  assert.ok(failure.remedy.length > 0, "a failure in JSON says what to do");
});

test("a shell completes subcommands and options of commander's tree", async () => {
  const { status, stdout: script } = run("completion", "bash");
  assert.equal(status, 0);
  const file = join(folder, "completion.bash");
  await writeFile(file, script);
  const complete = (...words: readonly string[]) => {
    const line = `source "$1"; COMP_WORDS=(gridseal "\${@:2}"); COMP_CWORD=$(($# - 1)); _gridseal; echo "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync("bash", ["-c", line, "bash", file, ...words], { encoding: "utf8" });
    assert.equal(stderr, "");
    return stdout.trim();
  };
  assert.equal(complete("doc"), "doctor");
  assert.equal(complete("authority", "order", "me"), "members");
  assert.equal(complete("node", "prune", "--pr"), "--prune-before");
  assert.equal(complete("doctor", "node.json", "--a"), "--api");
  for (const shell of ["zsh", "fish"]) {
    const { stdout } = run("completion", shell);
    for (const word of ["doctor", "prune-before", "members"]) assert.ok(stdout.includes(word), `${shell} has ${word}`);
  }
  assert.equal(run("completion", "csh").status, 2);
});
