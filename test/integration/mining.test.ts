// docs/mining.md on a real network: readings are exported and verified, a study is asked for, sealed, and run again by somebody else from
// another node; a lying one is caught, and a budget is not passed.

import assert from "node:assert/strict";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createParticipant } from "../../tools/provisioning/participant.js";
import { makeNetwork, readyOf, startNodes, stopNodes, type TestNode, verifyChains, whenEqual } from "./network.js";
import { cleanUp, gridseal, gridsealJson, startGridseal, submitted, temporaryFolder, until } from "./processes.js";

const SOURCE = fileURLToPath(new URL("../../tools/market/mining/mining.ts", import.meta.url));
const SLOT_S = 10;
const METERS = 3;

async function runGood(...args: readonly string[]): Promise<string> {
  const { status, output, errors } = await gridseal(...args);
  assert.equal(status, 0, `gridseal ${args.join(" ")}: ${errors}${output}`);
  return output;
}

const timeOf = (time_s: number) => new Date(1_000 * time_s).toISOString().replace(".000Z", "Z");

interface Exported {
  readonly chains: readonly {
    readonly header: string;
    readonly to: number;
    readonly records: number;
    readonly meters: number;
  }[];
}

test("a study is exported, computed, sealed and run again by others; a lie and a passed budget are found", {
  timeout: 400_000,
}, async (t) => {
  const defer = cleanUp(t);
  const network = await makeNetwork(defer, await temporaryFolder(defer), { nodes: 4, meters: METERS });
  const { folder, genesis } = network;
  const at = (name: string) => join(folder, name);
  const people = { admin: "metered-data-administrator", researcher: "researcher", regulator: "regulator" } as const;
  for (const [id, role] of Object.entries(people) as [keyof typeof people, (typeof people)[keyof typeof people]][]) {
    await createParticipant(
      { network: folder, services: [4], algorithm: "Ed25519", id, role, out: at(id) },
      new Date(),
    );
  }
  await startNodes(network);
  const [first, second] = network.nodes as [TestNode, TestNode];
  const [api, otherApi] = [first, second].map((node) => `http://${node.api.host}:${node.api.port}`) as [string, string];
  const order = async (file: string, ...args: readonly string[]) => {
    await runGood(...args, "--network", folder, "--api", api, "-o", at(file));
    await runGood("order", "submit", at(file), "--api", api, "--genesis", genesis);
  };
  const place = ["--service", "4", "--from", "1"];
  const types = [1024, 1025, 1026, 1027].flatMap((type) => ["--type", String(type)]);
  const terms = [...place, "--name", "mining", "--revision", "1", ...types];
  const ready = await readyOf(network.nodes, SOURCE, at("mining.ready"), ...terms);
  await order("install.cose", "contract", "propose", SOURCE, ...terms, ...ready);
  const parameters = ["rule-9-7=law 366 *", "group_residential=3", "budget=2"];
  await order("parameters.cose", "contract", "parameters", "mining", ...parameters, ...place);

  const meters = Array.from({ length: METERS }, (_, index) =>
    startGridseal(defer, "meter", "run", at(join("meters", `meter-${index + 1}`))),
  );
  await until(
    "each meter has six records",
    async () => {
      const chains = (await gridsealJson("chain", "list", "--api", api)) as readonly {
        name: string;
        records: number;
      }[];
      return (chains.find(({ name }) => name === "trading")?.records ?? 0) >= METERS * 6;
    },
    150_000,
  );
  for (const meter of meters) await meter.stop();
  await whenEqual(network);

  const exportOf = async (out: string, ...where: readonly string[]) =>
    (await gridsealJson("analytics", "export", ...where, "--genesis", genesis, "-o", at(out))) as Exported;
  const trading = ["--services", "trading"];
  const [chain] = (await exportOf("tables", "--api", api, ...trading, "--format", "both")).chains;
  assert.deepEqual([chain!.meters, chain!.records >= METERS * 6], [METERS, true]);

  await t.test("exports of chains in files come to the same tables", async () => {
    await mkdir(at("exports"));
    await copyFile(genesis, join(at("exports"), "genesis.cbor"));
    for (const name of ["trading", "contracts"]) {
      await runGood("chain", "export", name, "--api", otherApi, "-o", join(at("exports"), `${name}.cbor`));
    }
    const to = ["--to-height", String(chain!.to)];
    await runGood("analytics", "export", at("exports"), ...trading, ...to, "--format", "both", "-o", at("again"));
    const manifests = await Promise.all(
      ["tables", "again"].map((name) => readFile(join(at(name), "manifest.json"), "utf8")),
    );
    assert.equal(manifests[0], manifests[1]);
  });

  const rows = (await runGood("authority", "list", "--network", folder, "--json")).trim().split("\n");
  const listed = rows.map((row) => JSON.parse(row) as { id: string; meter: string });
  const members = listed.filter(({ id }) => id.startsWith("meter-")).map(({ meter }) => meter);
  const now_s = SLOT_S * Math.floor(Date.now() / 1_000 / SLOT_S);
  const study = {
    ...{ kind: "load-curve", service: 1, from: timeOf(now_s - 600), to: timeOf(now_s), slot_s: SLOT_S },
    ...{ cohort: "homes", class: "residential", members, least: METERS },
  };
  await writeFile(at("study.json"), JSON.stringify(study));
  await writeFile(at("small.json"), JSON.stringify({ ...study, members: members.slice(1) }));

  await t.test("figures of too small a group are not shown", async () => {
    const { status, errors } = await gridseal("study", "run", at("small.json"), at("tables"));
    assert.equal(status, 1);
    assert.match(errors, /2 members have data, and figures are of groups of at least 3/);
  });

  await runGood("study", "run", at("study.json"), at("tables"), "-o", at("result.json"));
  await runGood("study", "verify", at("study.json"), at("tables"), "--result", at("result.json"));
  const ask = async (who: keyof typeof people, ...args: readonly string[]) => {
    await runGood("study", ...args, "--as", at(who));
    return submitted(at(who), "--api", api);
  };
  const month = timeOf(now_s).slice(0, 7);
  await ask("admin", "cohort", at("study.json"), "--from", `${month}-01`);
  const wanted = ["ask", at("study.json"), "--purpose", "AcademicResearch"];
  await ask("researcher", ...wanted);
  const studies = async () => {
    const lines = (await runGood("study", "list", "--api", api, "--json")).trim().split("\n");
    return lines.map((line) => JSON.parse(line) as { study?: string; state: string; spent?: number });
  };
  const open = async () => (await studies()).find(({ state }) => state === "asked")!.study!;
  const id = await open();
  await ask("admin", "seal", id, at("result.json"));

  await t.test("somebody else runs it again from another node's chain, and says so", async () => {
    await exportOf("own", "--api", otherApi, ...trading, "--to-height", String(chain!.to));
    const where = ["--study", id, "--api", otherApi, "--genesis", genesis];
    assert.match(await runGood("study", "verify", at("study.json"), at("own"), ...where), /^the same: [0-9a-f]{64}/);
    await runGood("study", "run", at("study.json"), at("own"), "-o", at("own.json"));
    await ask("regulator", "check", id, at("own.json"));
    const shown = await runGood("study", "show", id, "--api", api, "--genesis", genesis);
    assert.match(shown, /sealed[\s\S]*checked by proof[\s\S]*the same/);
  });

  await t.test("a lying study is named by whoever runs it again, and disputed on the chain", async () => {
    await ask("researcher", ...wanted);
    const lie = await open();
    const text = await readFile(at("result.json"), "utf8");
    await writeFile(
      at("lie.json"),
      text.replace(/"member_slots":(\d+)/, (_, slots) => `"member_slots":${Number(slots) + 1}`),
    );
    await ask("admin", "seal", lie, at("lie.json"));
    const where = ["--study", lie, "--api", api, "--genesis", genesis];
    const { status, errors } = await gridseal("study", "verify", at("study.json"), at("tables"), ...where);
    assert.equal(status, 1);
    assert.match(errors, /it is sealed with [0-9a-f]{64}, and comes to [0-9a-f]{64}/);
    await ask("regulator", "check", lie, at("own.json"));
    assert.equal((await studies()).find(({ study: name }) => name === lie)!.state, "disputed");
  });

  await t.test("who has spent its budget gets no further study, and the monitor says so", async () => {
    assert.match(await ask("researcher", ...wanted), /budget/);
    const against = await runGood("violation", "list", "--rule", "mining/budget", "--api", api);
    assert.match(against, /mining\/budget/);
    const lines = await runGood("monitor", "--api", api, "--genesis", genesis, "--seconds", "12");
    const alarms = lines
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { alarm: string; what: string });
    const whatOf = (kind: string) => alarms.find(({ alarm }) => alarm === kind)?.what ?? "";
    assert.match(whatOf("budget"), /has spent 2 of 2/);
    assert.match(whatOf("beyond-budget"), /asked for more than is left of its 2/);
  });

  await whenEqual(network);
  await stopNodes(network);
  await verifyChains(network);
});
