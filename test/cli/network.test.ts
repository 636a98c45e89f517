// `gridseal network show`: a network as its genesis has it, and as a node's sealed orders have it by now.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { command } from "./command.js";

let folder: string;
let grid: string;

function run(...parameters: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...parameters], { encoding: "utf8" });
  return { status, stdout, stderr };
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gridseal-network-"));
  grid = join(folder, "grid");
  const { status, stderr } = run("init", grid, "--nodes", "4", "--meters", "0", "--chain", "dispatch=node-3,node-1");
  assert.equal(status, 0, stderr);
});
after(() => rm(folder, { recursive: true }));

test("names each chain's members in their order, how many agree and verify, and where each node is a member", () => {
  const { status, stdout, stderr } = run("network", "show", "--genesis", join(grid, "genesis.cbor"), "--json");
  assert.equal(status, 0, stderr);
  const { chains, nodes, orders } = JSON.parse(stdout) as {
    orders: number;
    chains: { name: string; members: string[]; quorum: number; verifiers: number }[];
    nodes: { name: string; services: number[]; isBanned: boolean }[];
  };
  assert.equal(orders, 0);
  const dispatch = chains.find(({ name }) => name === "dispatch");
  assert.deepEqual(dispatch?.members, ["node-3", "node-1"]);
  assert.equal(dispatch?.quorum, 2);
  const trading = chains.find(({ name }) => name === "trading");
  assert.deepEqual([trading?.members.length, trading?.quorum, trading?.verifiers], [4, 3, 2]);
  assert.deepEqual(
    nodes.map(({ name, services, isBanned }) => [name, services.join(" "), isBanned]),
    [
      ["node-1", "1 2 3 4 5", false],
      ["node-2", "1 2 4 5", false],
      ["node-3", "1 2 3 4 5", false],
      ["node-4", "1 2 4 5", false],
    ],
  );
});

test("wants the genesis, by which orders are checked", () => {
  const { status, stderr } = run("network", "show");
  assert.equal(status, 2);
  assert.match(stderr, /name the genesis with --genesis/);
});
