// docs/contracts.md with real nodes: a contract is made, proposed and sealed; a participant's operations run it on every node; the
// outcome has a receipt; nodes that are killed, or were away, come to the same state; audit and stranger find all chains good.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { withParticipant } from "../../tools/files/operations/participant-folder.js";
import { firstContracts } from "../../tools/provisioning/contracts/founding.js";
import { createParticipant } from "../../tools/provisioning/participant.js";
import { verifyStateProof } from "../wire/stranger-state-proof.js";
import {
  makeNetwork,
  readyOf,
  startNodes,
  stopNodes,
  type TestNetwork,
  type TestNode,
  verifyChains,
  whenEqual,
} from "./network.js";
import { cleanUp, gridseal, gridsealJson, submitted, temporaryFolder, until } from "./processes.js";

async function runGood(...args: readonly string[]): Promise<string> {
  const { status, output, errors } = await gridseal(...args);
  assert.equal(status, 0, `gridseal ${args.join(" ")}: ${errors}${output}`);
  return output;
}

const apiOf = ({ api }: TestNode) => `http://${api.host}:${api.port}`;

/** Has the contract that `contract new` makes say something against who asks beyond the limit. */
async function sayViolation(source: string): Promise<void> {
  const vectors = source.replace(/ts$/, "vectors.json");
  const text = await readFile(source, "utf8");
  const denial = 'context.deny("limit-reached"';
  assert.ok(text.includes(denial), text);
  await writeFile(
    source,
    text.replace(denial, `context.violation("limit-passed", operation.participant, { asked });\n    ${denial}`),
  );
  const list = JSON.parse(await readFile(vectors, "utf8"));
  const [, beyond] = list;
  const { participant: subject } = beyond.argument;
  beyond.expect.emissions.unshift({ type: "violation", name: "limit-passed", subject, body: { asked: 3 } });
  await writeFile(vectors, JSON.stringify(list));
}

/** What its authority, a participant and its nodes' operators do. */
function actsOf({ folder, genesis, nodes }: TestNetwork, api: string, anna: string) {
  const order = async (file: string, ...args: readonly string[]) => {
    await runGood("contract", ...args, "--network", folder, "--api", api, "-o", join(folder, file));
    await runGood("order", "submit", join(folder, file), "--api", api, "--genesis", genesis);
  };
  const ask = async (type: number) => {
    const asked = ["--as", anna, "--service", "1", "--type", String(type), "--body", "null"];
    await runGood("operation", "sign", ...asked);
    return submitted(anna, "--api", api);
  };
  const ready = (source: string, name: string, ...terms: readonly string[]) =>
    readyOf(nodes, source, join(folder, name), ...terms);
  return { order, ask, ready };
}

/** What the contracts chain keeps of what chains hold against somebody. */
const contracts = firstContracts.filter(({ name }) => name === "cases");

interface Regulated {
  readonly folder: string;
  readonly ruth: string;
  /** a node's API */
  readonly of: readonly string[];
}

interface Listed {
  readonly subject: string;
  readonly state: string;
}

async function carriesOn({ folder, ruth, of }: Regulated): Promise<void> {
  const { subject } = JSON.parse((await gridseal("violation", "show", "1:3:0", ...of, "--json")).output) as Listed;
  const told = ["state", "list", "said/", "--service", "contracts", "--contract", "cases", ...of];
  await until("the contracts chain is told", async () => (await gridseal(...told)).output.includes("1:3:0"));
  const step = JSON.stringify({ violation: "1:3:0", subject, state: "acknowledged", reason: "looked at" });
  await runGood("operation", "sign", "--as", ruth, "--service", "5", "--type", "16", "--body", step);
  assert.match(await runGood("operation", "submit", "--as", ruth, ...of, "--wait"), /done by cases/);
  const looked = ["violation", "list", "--state", "acknowledged", "--csv"];
  const file = (name: string) => join(folder, `${name}.cases`);
  for (const name of ["trading", "contracts"]) {
    await runGood("chain", "export", name, ...of, "-o", file(name));
  }
  for (const from of [of, [file("trading"), file("contracts")]]) {
    const rows = (await runGood(...looked, ...from)).trimEnd().split("\r\n");
    assert.deepEqual([rows.length, rows[1]?.split(",")[0]], [2, "1:3:0"], rows.join());
  }
  const { output } = await gridseal("violation", "show", "1:5:0", ...of, "--json");
  assert.equal((JSON.parse(output) as Listed).state, "open");
}

test("a contract is installed by an order, runs for operations on every node, and its outcomes have receipts", {
  timeout: 300_000,
}, async (t) => {
  const defer = cleanUp(t);
  const network = await makeNetwork(defer, await temporaryFolder(defer), { nodes: 4, meters: 0, contracts });
  const { folder, genesis } = network;
  const anna = join(folder, "anna");
  const identity = { network: folder, id: "anna", role: "regulator", services: [1], out: anna } as const;
  await createParticipant({ ...identity, algorithm: "Ed25519" }, new Date());
  const ruth = join(folder, "ruth");
  await createParticipant({ ...identity, id: "ruth", services: [5], out: ruth, algorithm: "ESP256" }, new Date());
  await startNodes(network);
  const [first, second, third] = network.nodes as [TestNode, TestNode, TestNode, TestNode];
  const api = apiOf(first);
  const { order, ask, ready } = actsOf(network, api, anna);
  /** Outcomes of the operations in a block of trading, as any node has them; what the rules tell of them is none. */
  const outcomes = async (height: number, node: TestNode = first) => {
    const show = ["chain", "show", String(height), "--service", "trading", "--api", apiOf(node), "--json"];
    const { data } = (await gridsealJson(...show)) as { data: { outcomes: { type: string }[] } };
    return data.outcomes.map(({ type }) => type).filter((type) => type !== "told");
  };

  await ask(40_000);
  assert.deepEqual(await outcomes(1), ["unhandled"], "before there is a contract");

  const source = join(folder, "limits/limits.ts");
  await runGood("contract", "new", join(folder, "limits"));
  await sayViolation(source);
  const install = ["--service", "1", "--name", "limits", "--revision", "1", "--type", "40000", "--from", "2"];
  await order("install.cose", "propose", source, ...install, ...(await ready(source, "install.ready", ...install)));
  await order("parameters.cose", "parameters", "limits", "limit=1", "--service", "1", "--from", "2");
  assert.match(await runGood("contract", "list", "--api", api, "--genesis", genesis), /limits/);

  await ask(40_000);
  assert.deepEqual(await outcomes(2), ["done"]);
  assert.match(await ask(40_000), /operation 2 of service 1 is sealed in block 3: denied by limits: limit-reached/);
  assert.deepEqual(await outcomes(3), ["denied"], "beyond the limit");

  await t.test("an effect has a receipt that verifies without a node", async () => {
    const file = join(folder, "effect.cbor");
    const bytes = join(folder, "effect.value");
    const get = ["receipt", "get", "--service", "1", "--effect", "2/0", "--api", api, "--genesis", genesis];
    await runGood(...get, "--save", bytes, "-o", file);
    const said = await runGood("receipt", "verify", file, "--genesis", genesis, "--effect", bytes);
    assert.match(said, /"outcome":"done","contract":"limits"/);
  });

  await t.test("what a contract remembers is listed, and proved without a node, absence included", async () => {
    const of = ["--service", "trading", "--contract", "limits", "--api", api];
    const listed = await runGood("state", "list", "asked/", ...of);
    const none = await gridseal("state", "get", "asked/x", ...of.with(3, "limit"));
    assert.deepEqual([none.status, /never had a contract limit/.test(none.errors)], [1, true], none.errors);
    const [, key] = /^(asked[/][0-9a-f]{16}) {2}1\n$/.exec(listed) ?? [];
    assert.ok(key !== undefined, listed);
    for (const [name, asked, says] of [
      ["there", key, /value +1\n/],
      ["absent", "asked/nobody", /value +nothing stands there\n/],
    ] as const) {
      const file = join(folder, `${name}.proof`);
      await runGood("state", "get", asked, ...of, "--genesis", genesis, "--proof", "-o", file);
      assert.match(await runGood("state", "verify", file, "--genesis", genesis), says);
      assert.equal(verifyStateProof(await readFile(genesis), await readFile(file)).key, `limits/${asked}`);
      const bytes = await readFile(file);
      bytes[60]! ^= 1;
      await writeFile(`${file}.changed`, bytes);
      const { status, errors } = await gridseal("state", "verify", `${file}.changed`, "--genesis", genesis);
      assert.deepEqual([status, errors.includes("proves nothing") || errors.includes("no proof")], [1, true], errors);
    }
  });

  await t.test("a node that is killed and one that was away come to the same state", async () => {
    await second.kill();
    await ask(40_001);
    await second.start();
    await third.kill();
    await third.start();
    await ask(40_000);
    assert.deepEqual(await outcomes(5, second), ["denied"]);
    assert.deepEqual(await outcomes(4, third), ["unhandled"]);
  });

  await t.test("what a contract says against somebody is found, shown and held to its block", async () => {
    const of = ["--api", apiOf(third)];
    const table = (await runGood("violation", "list", "--rule", "limits/limit-passed", "--csv", ...of)).split("\r\n");
    assert.equal(table.length, 4, table.join());
    const [id, service, height, , kind, subject] = table[2]!.split(",");
    assert.deepEqual([id, service, height, kind], ["1:3:0", "1", "3", "contract"]);
    const { violations } = (await gridseal("violation", "list", "--subject", subject!, ...of, "--json").then(
      ({ output }) => JSON.parse(output),
    )) as { violations: { id: string }[] };
    assert.deepEqual(
      violations.map((one) => one.id),
      ["1:5:0", "1:3:0"],
    );
    assert.match(
      await runGood("violation", "show", id!, ...of, "--genesis", genesis),
      /sealed +checked in block [0-9a-f]{64}, against genesis [0-9a-f]{16} of network /,
    );
    const data = ["--data", join(second.folder, "data"), "--genesis", genesis];
    assert.match(await runGood("violation", "show", id!, ...data), /rule +limits\/limit-passed/);
  });

  await t.test(
    "what a chain holds against somebody is a case on the contracts chain, which a regulator carries on",
    () => carriesOn({ folder, ruth, of: ["--api", apiOf(third)] }),
  );

  await t.test("a sealed block's contracts run again here, call by call, over the API and over exports", async () => {
    const replay = ["contract", "replay", "3", "--service", "trading", "--genesis", genesis];
    const said = await runGood(...replay, "--trace", "--api", api);
    assert.match(said, /operation at leaf 1 {2}limits {2}denied {2}used \d+ {2}as sealed\n/);
    assert.match(said, /get "asked[/][0-9a-f]{16}" -> 1\n/);
    assert.match(said, /violation limit-passed to [0-9a-f]{16} [{]"asked":2[}]\n/);
    const files = ["trading", "contracts"].map((name) => join(folder, `${name}.export`));
    for (const file of files) {
      const service = file.includes("trading") ? "trading" : "contracts";
      await runGood("chain", "export", service, "--api", api, "-o", file);
    }
    assert.match(await runGood("contract", "replay", "3", ...files, ...replay.slice(3)), /as sealed/);
    const without = await gridseal("contract", "replay", "3", files[0]!, ...replay.slice(3));
    assert.deepEqual([without.status, /INCOMPLETE at .*contracts/.test(without.errors)], [3, true], without.errors);
    const beyond = await gridseal("contract", "replay", "99", "--api", api, ...replay.slice(3));
    assert.deepEqual([beyond.status, /no block 99/.test(beyond.errors)], [1, true], beyond.errors);
  });

  await t.test("two versions of a contract are told apart", async () => {
    const text = await readFile(source, "utf8");
    await writeFile(source, text.replace('context.effect("counted",', 'context.effect("counted", // again\n     '));
    const next = [...install.with(install.indexOf("--revision") + 1, "2").with(-1, "100"), "--budget", "500"];
    await order("next.cose", "propose", source, ...next, ...(await ready(source, "next.ready", ...next)));
    const of = ["--service", "1", "--from", "1", "--to", "2", "--api", api, "--genesis", genesis];
    const said = await runGood("contract", "diff", "limits", ...of);
    assert.match(said, /budget +1000 +500\n/);
    const same = await runGood("contract", "diff", "limits", ...of.with(5, "1"));
    assert.match(same, /the source is the same/);
  });

  await withParticipant(anna, async ({ outbox }) => assert.equal((await outbox(1)).outbox.next, 5));
  await whenEqual(network);
  await stopNodes(network);
  await verifyChains(network);
});
