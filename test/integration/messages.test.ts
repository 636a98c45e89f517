// docs/contracts.md, "Between chains" and "Deadlines", with real nodes: two chains of other members, whose contracts ask and answer; one
// node follows both and carries. Members that are all down delay those alone who wait for them; a deadline seals a block by itself.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { decodeBlock } from "../../src/wire/block.js";
import { type EntryOutcome, outcomesIn } from "../../src/wire/outcome.js";
import { createNetwork } from "../../tools/provisioning/network.js";
import { createParticipant } from "../../tools/provisioning/participant.js";
import { block as blockRoute } from "../../tools/routes/blocks.js";
import { pathOf } from "../../tools/routes/shape.js";
import { verifyExport } from "../wire/stranger.js";
import { freeBasePort, openNetwork, readyOf, stopNodes, type TestNetwork, type TestNode } from "./network.js";
import { cleanUp, gridseal, temporaryFolder, until } from "./processes.js";

const TRADING = 1;
const DISPATCH = 3;
const CONTRACTS = 5;

const asks = `
export const reads = [];
export const writes = ["asked", "answers/", "due/"];
export function operation(context, { type, body }) {
  if (type === 40001) return context.put("due/remind", [context.time_s + body.after_s, "me"]);
  const asked = (context.get("asked") ?? 0) + 1;
  context.put("asked", asked);
  context.message(3, "ask", { asked });
}
export function message(context, { service, number, name, body, height, time_s, contract }) {
  context.put("answers/" + number, body);
  context.effect("answered", { service, number, name, body, contract, later: context.time_s >= time_s && height > 0 });
}
export function due(context, { key, time_s, body }) {
  context.effect("reminded", { key, body, late: context.time_s < time_s });
}
`;
const answers = `
export const reads = [];
export const writes = ["told"];
export function message(context, { number, body }) {
  context.put("told", (context.get("told") ?? 0) + 1);
  context.message(1, "answer", { number, asked: body.asked });
}
`;

async function runGood(...args: readonly string[]): Promise<string> {
  const { status, output, errors } = await gridseal(...args);
  assert.equal(status, 0, `gridseal ${args.join(" ")}: ${errors}${output}`);
  return output;
}

const apiOf = ({ api }: TestNode) => `http://${api.host}:${api.port}`;

/** All outcomes of a chain, in their order. */
async function outcomes(node: TestNode, service: number): Promise<EntryOutcome[]> {
  const height = (await node.chains()).find((chain) => chain.service === service)?.height ?? 0;
  const said: EntryOutcome[] = [];
  for (let at = 1; at <= height; at += 1) {
    const response = await fetch(`${apiOf(node)}${pathOf(blockRoute, { service, height: at }, {})}`);
    said.push(...outcomesIn(decodeBlock(new Uint8Array(await response.arrayBuffer())).results));
  }
  return said;
}

/** What a run has put out first, and as which message. */
const firstOf = (outcome: EntryOutcome) => ("effects" in outcome ? outcome.effects[0] : undefined);
const numberOf = ({ entry }: EntryOutcome) => (entry.kind === "message" ? entry.number : undefined);

const ofKind = (said: readonly EntryOutcome[], kind: string) => said.filter(({ entry }) => entry.kind === kind);

/** Nodes 1 to 3 seal trading and the contracts chain, 4 to 6 dispatch; node 4 follows trading. */
async function makeTwoChains(defer: Parameters<typeof openNetwork>[0], folder: string): Promise<TestNetwork> {
  const chains = [
    { service: TRADING, name: "trading", nodes: [1, 2, 3] },
    { service: DISPATCH, name: "dispatch", nodes: [4, 5, 6] },
    { service: CONTRACTS, name: "contracts", nodes: [1, 2, 3] },
  ];
  const basePort = await freeBasePort(6);
  const plan = { network: "trial", nodes: 6, chains, meters: 0, host: "127.0.0.1", basePort, target: 0 };
  await createNetwork(folder, plan, new Date());
  const network = await openNetwork(defer, folder);
  const path = join(network.nodes[3]!.folder, "node.json");
  const document = JSON.parse(await readFile(path, "utf8")) as object;
  await writeFile(path, JSON.stringify({ ...document, follow: [TRADING] }));
  return network;
}

test("contracts of chains with other members ask and answer, each message once and in order, and a deadline falls due by itself", {
  timeout: 400_000,
}, async (t) => {
  const defer = cleanUp(t);
  const network = await makeTwoChains(defer, await temporaryFolder(defer));
  const { folder, genesis, nodes } = network;
  const [first] = nodes as readonly [TestNode];
  const fourth = nodes[3]!;
  const anna = join(folder, "anna");
  const identity = { network: folder, id: "anna", role: "regulator", services: [1], out: anna } as const;
  await createParticipant({ ...identity, algorithm: "Ed25519" }, new Date());
  await Promise.all(nodes.map((node) => node.start()));

  const api = apiOf(first);
  const install = async (name: string, source: string, ...args: readonly string[]) => {
    const file = join(folder, `${name}.ts`);
    const order = join(folder, `${name}.order`);
    await writeFile(file, source);
    await writeFile(
      join(folder, `${name}.vectors.json`),
      JSON.stringify([{ name: "nothing", entry: "slot", expect: { failed: "shape" } }]),
    );
    const terms = ["--name", name, "--revision", "1", "--from", "1", ...args];
    const members = args[1] === "3" ? nodes.slice(3) : nodes.slice(0, 3);
    const ready = await readyOf(members, file, join(folder, `${name}.ready`), ...terms);
    const where = ["--network", folder, "--api", api, "-o", order];
    await runGood("contract", "propose", file, ...terms, ...ready, ...where);
    await runGood("order", "submit", order, "--api", api, "--genesis", genesis);
  };
  await install("asks", asks, "--service", "1", "--type", "40000", "--type", "40001", "--message", "3/answer");
  await install("answers", answers, "--service", "3", "--message", "1/ask");

  const ask = async (type: number, body: object = {}) => {
    await runGood(
      "operation",
      "sign",
      "--as",
      anna,
      "--service",
      "1",
      "--type",
      String(type),
      "--body",
      JSON.stringify(body),
    );
    await runGood("operation", "submit", "--as", anna, "--api", api, "--wait");
  };
  const answered = async (count: number) => {
    await until(
      `${count} answers`,
      async () => ofKind(await outcomes(first, TRADING), "message").length >= count,
      60_000,
    );
    const told = ofKind(await outcomes(first, TRADING), "message");
    assert.deepEqual(
      told.map((outcome) => [numberOf(outcome), outcome.type, firstOf(outcome)?.name]),
      told.map((_, number) => [number, "done", "answered"]),
    );
    assert.equal(told.length, count);
  };

  await t.test("a message is answered by the other chain", async () => {
    await ask(40_000);
    await answered(1);
  });

  await t.test(
    "while all members of a chain are down, the other goes on; then each message comes once, in order",
    async () => {
      const dispatch = nodes.slice(3);
      await Promise.all(dispatch.map((node) => node.kill()));
      for (let count = 0; count < 6; count += 1) await ask(40_000);
      assert.equal(ofKind(await outcomes(first, TRADING), "operation").length, 7);
      await Promise.all(dispatch.map((node) => node.start()));
      await answered(7);
      const told = ofKind(await outcomes(fourth, DISPATCH), "message");
      assert.deepEqual(
        told.map((outcome) => [numberOf(outcome), firstOf(outcome)?.to?.number]),
        told.map((_, number) => [number, number]),
      );
      assert.equal(told.length, 7);
    },
  );

  await t.test("a deadline falls due once its time has passed, though nobody sends anything", async () => {
    await ask(40_001, { after_s: 3 });
    assert.equal(ofKind(await outcomes(first, TRADING), "due").length, 0);
    await until("the deadline is sealed", async () => ofKind(await outcomes(first, TRADING), "due").length > 0, 60_000);
    const [due, ...more] = ofKind(await outcomes(first, TRADING), "due");
    assert.deepEqual([due!.type, firstOf(due!)?.name, more.length], ["done", "reminded", 0]);
  });

  await stopNodes(network);
  const orders = await exported(network, first, CONTRACTS);
  const report = verifyExport(await readFile(genesis), orders);
  for (const [node, service] of [
    [first, TRADING],
    [fourth, DISPATCH],
  ] as const) {
    const data = join(node.folder, "data");
    const audit = ["chain", "audit", String(service), "--data", data, "--genesis", genesis];
    await runGood(...audit);
    const { chain } = verifyExport(await readFile(genesis), await exported(network, node, service), report.orders);
    assert.equal(chain, service);
  }
});

async function exported({ folder }: TestNetwork, node: TestNode, service: number): Promise<Uint8Array> {
  const file = join(folder, `${node.name}-${service}.chain`);
  await runGood("chain", "export", String(service), "--data", join(node.folder, "data"), "--out", file);
  return readFile(file);
}
