// docs/credit.md on a real network: the credit contract is installed, a settlement agent says what was paid, the rating is computed again
// with proofs, and an objection that is upheld changes it.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createParticipant } from "../../tools/provisioning/participant.js";
import { makeNetwork, readyOf, startNodes, stopNodes, type TestNode, verifyChains, whenEqual } from "./network.js";
import { cleanUp, gridseal, gridsealJson, submitted, temporaryFolder } from "./processes.js";

const SOURCE = fileURLToPath(new URL("../../tools/market/credit/credit.ts", import.meta.url));

async function runGood(...args: readonly string[]): Promise<string> {
  const { status, output, errors } = await gridseal(...args);
  assert.equal(status, 0, `gridseal ${args.join(" ")}: ${errors}${output}`);
  return output;
}

interface Explained {
  readonly grade: string;
  readonly isSame: boolean;
  readonly month: number;
  readonly indicators: readonly { readonly name: string; readonly value: number | null }[];
}

test("a rating is made of sealed facts, computed again with proofs, and moved by an objection", {
  timeout: 300_000,
}, async (t) => {
  const defer = cleanUp(t);
  const network = await makeNetwork(defer, await temporaryFolder(defer), { nodes: 4, meters: 0 });
  const { folder, genesis } = network;
  const people = { agent: "settlement-agent", firm: "supplier", regulator: "regulator" } as const;
  for (const [id, role] of Object.entries(people) as [keyof typeof people, (typeof people)[keyof typeof people]][])
    await createParticipant(
      { network: folder, services: [2], algorithm: "Ed25519", id, role, out: join(folder, id) },
      new Date(),
    );
  await startNodes(network);
  const [first] = network.nodes as [TestNode];
  const api = `http://${first.api.host}:${first.api.port}`;
  const order = join(folder, "install.cose");
  const types = [512, 513, 514, 515, 516].flatMap((type) => ["--type", String(type)]);
  const how = ["--service", "2", "--name", "credit", "--revision", "1", "--message", "any/breach", "--from", "1"];
  const ready = await readyOf(network.nodes, SOURCE, join(folder, "credit.ready"), ...how, ...types);
  const where = ["--network", folder, "--api", api, "-o", order];
  await runGood("contract", "propose", SOURCE, ...how, ...types, ...ready, ...where);
  await runGood("order", "submit", order, "--api", api, "--genesis", genesis);
  const listed = (await runGood("authority", "list", "--network", folder, "--json")).trim().split("\n");
  const { meter: firm } = listed
    .map((row) => JSON.parse(row) as { id: string; meter: string })
    .find(({ id }) => id === "firm")!;

  const ask = async (who: keyof typeof people, type: number, body: object) => {
    const asked = ["--service", "2", "--type", String(type), "--body", JSON.stringify(body)];
    await runGood("operation", "sign", "--as", join(folder, who), ...asked);
    return submitted(join(folder, who), "--api", api);
  };
  const explain = async () =>
    (await gridsealJson("credit", "explain", firm, "--api", api, "--genesis", genesis)) as Explained;
  const settlementOf = ({ indicators }: Explained) => indicators.find(({ name }) => name === "settlement")!.value;
  const now_s = Math.floor(Date.now() / 1_000);

  await ask("agent", 513, { participant: firm, bill: "one", due_s: now_s, paid_s: now_s - 60 });
  await ask("agent", 513, { participant: firm, bill: "two", due_s: now_s, paid_s: null });
  const before = await explain();
  assert.deepEqual([before.isSame, settlementOf(before)], [true, 500]);
  assert.match(await runGood("credit", "explain", firm, "--api", api), /bill two +chain 2, block \d+, operation/);
  assert.match(await ask("firm", 516, { case: 0, upheld: true, reason: "mine" }), /role/);
  await ask("firm", 514, { month: before.month, what: "payments", at: 1, reason: "paid by transfer" });
  await ask("regulator", 516, { case: 0, upheld: true, reason: "the bank says so" });
  const after = await explain();
  assert.deepEqual([after.isSame, settlementOf(after)], [true, 1_000]);

  await whenEqual(network);
  await stopNodes(network);
  await verifyChains(network);
});
