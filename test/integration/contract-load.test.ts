// A contract that spins the whole budget of a block in each of its operations, on real nodes: one a block, in their order, and the
// machine is none the worse for it. Then it is retired, and operations pass it by.

import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { signOperation } from "../../src/wire/operation.js";
import { withParticipant } from "../../tools/files/operations/participant-folder.js";
import { createParticipant } from "../../tools/provisioning/participant.js";
import { makeNetwork, readyOf, startNodes, stopNodes, type TestNode, verifyChains, whenEqual } from "./network.js";
import { cleanUp, gridseal, gridsealJson, submitted, temporaryFolder } from "./processes.js";

const OPERATIONS = 24;
const TYPE = 40_000;
const source = `
export const reads: string[] = [];
export const writes = ["n/"];
export function operation(context: { put(key: string, value: number): void }) {
  for (let n = 0; ; n += 1) if (n % 100_000 === 0) context.put("n/" + n, n);
}
`;
const vectors = [{ name: "spins", entry: "operation", expect: { failed: "budget" }, limits: { budget: 20 } }];

interface ShownBlock {
  readonly outcomes: readonly { readonly type: string; readonly reason?: string }[];
  readonly round: number;
}

async function runGood(...args: readonly string[]): Promise<string> {
  const { status, output, errors } = await gridseal(...args);
  assert.equal(status, 0, `gridseal ${args.join(" ")}: ${errors}${output}`);
  return output;
}

test("operations that spin their whole budget are sealed one a block, until their contract is retired", {
  timeout: 400_000,
}, async (t) => {
  const defer = cleanUp(t);
  const network = await makeNetwork(defer, await temporaryFolder(defer), { nodes: 4, meters: 0 });
  const { folder, genesis } = network;
  const anna = join(folder, "anna");
  await createParticipant(
    { network: folder, id: "anna", role: "regulator", services: [1], out: anna, algorithm: "Ed25519" },
    new Date(),
  );
  await startNodes(network);
  const [first] = network.nodes as [TestNode];
  const api = `http://${first.api.host}:${first.api.port}`;
  const order = async (file: string, ...args: readonly string[]) => {
    await runGood("contract", ...args, "--network", folder, "--api", api, "-o", join(folder, file));
    await runGood("order", "submit", join(folder, file), "--api", api, "--genesis", genesis);
  };
  /** Signs so many operations, has them sealed, and says what the chain was at before. */
  const ask = async (count: number): Promise<number> => {
    const { height } = (await whenEqual(network)).find(({ service }) => service === 1)!;
    await withParticipant(anna, async ({ signer, kid, outbox }) => {
      const asked = await outbox(1);
      for (let index = 0; index < count; index += 1) {
        const claims = { service: 1, serviceId: 0, time_s: Math.floor(Date.now() / 1_000), quality: 2 } as const;
        await asked.sign(({ next, previous }) =>
          signOperation({ ...claims, seq: next, previous, type: TYPE, body: null }, [], signer, kid),
        );
      }
    });
    await submitted(anna, "--api", api);
    return height;
  };
  const blocksBehind = async (height: number): Promise<ShownBlock[]> => {
    const { height: newest } = (await whenEqual(network)).find(({ service }) => service === 1)!;
    const shown: ShownBlock[] = [];
    for (let at = height + 1; at <= newest; at += 1) {
      const show = ["chain", "show", String(at), "--service", "1", "--api", api];
      const { data } = (await gridsealJson(...show, "--json")) as { data: Pick<ShownBlock, "outcomes"> };
      const round = /certificate +round (\d+)/.exec(await runGood(...show))?.[1];
      shown.push({ outcomes: data.outcomes, round: Number(round) });
    }
    return shown;
  };

  await mkdir(join(folder, "spins"));
  await writeFile(join(folder, "spins/spins.ts"), source);
  await writeFile(join(folder, "spins/spins.vectors.json"), JSON.stringify(vectors));
  const install = ["--service", "1", "--name", "spins", "--revision", "1", "--type", String(TYPE), "--from", "1"];
  const spins = join(folder, "spins/spins.ts");
  const budget = ["--budget", "1000"];
  const ready = await readyOf(network.nodes, spins, join(folder, "spins.ready"), ...install, ...budget);
  await order("install.cose", "propose", spins, ...install, ...budget, ...ready);

  const start_ms = performance.now();
  const before = await ask(OPERATIONS);
  const took_ms = performance.now() - start_ms;
  const sealed = await blocksBehind(before);
  const outcomes = sealed.flatMap((block) => block.outcomes);
  assert.equal(outcomes.length, OPERATIONS);
  assert.ok(
    sealed.every((block) => block.outcomes.length <= 1),
    "no block has room for two",
  );
  assert.deepEqual(new Set(outcomes.map(({ type, reason }) => `${type} ${reason}`)), new Set(["failed budget"]));
  t.diagnostic(`${sealed.length} blocks in ${Math.round(took_ms)} ms, rounds ${sealed.map(({ round }) => round)}`);

  await order("retire.cose", "retire", "spins", "--service", "1", "--from", String(before + 2));
  const behind = await blocksBehind(await ask(1));
  assert.deepEqual(
    behind.flatMap((block) => block.outcomes.map(({ type }) => type)),
    ["unhandled"],
  );
  await whenEqual(network);
  await stopNodes(network);
  await verifyChains(network);
});
