// docs/grid-operator.md on a real network: four nodes have a dispatch chain with the dispatch contract; the operator's network is sealed,
// a schedule gets its verdict with a receipt, an overload is curtailed, and a contract that is not delivered is a breach.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createParticipant } from "../../tools/provisioning/participant.js";
import { makeNetwork, readyOf, startNodes, stopNodes, type TestNode, verifyChains, whenEqual } from "./network.js";
import { cleanUp, gridseal, gridsealJson, startGridseal, submitted, temporaryFolder, until } from "./processes.js";

const SOURCE = fileURLToPath(new URL("../../tools/dispatch/contract/dispatch.ts", import.meta.url));
const SLOT_S = 10;

async function runGood(...args: readonly string[]): Promise<string> {
  const { status, output, errors } = await gridseal(...args);
  assert.equal(status, 0, `gridseal ${args.join(" ")}: ${errors}${output}`);
  return output;
}

const timeOf = (time_s: number) => new Date(1_000 * time_s).toISOString().replace(".000Z", "Z");
const slotAfter = (seconds: number) => Math.ceil((Date.now() / 1_000 + seconds) / SLOT_S) * SLOT_S;

const gridOf = (point: string) => ({
  buses: [
    { id: "busbar", nominal_V: 400 },
    { id: "house", nominal_V: 400 },
  ],
  slack: { bus: "busbar", voltage_ppm: 1_000_000 },
  lines: [{ id: "L1", from: "busbar", to: "house", r_nOhm: 60_000_000, x_nOhm: 25_000_000, rating_mA: 10_000 }],
  points: [{ id: point, bus: "house" }],
});

/** Has the meter sign its counters in the clear for dispatch, where it confides its power alone by default. */
async function signEnergy(file: string): Promise<void> {
  const document = JSON.parse(await readFile(file, "utf8")) as { schedule: { service: number; serviceId: number }[] };
  const schedule = document.schedule.map((entry) =>
    entry.service === 3
      ? { service: 3, serviceId: entry.serviceId, aligned: true, every_s: 5, registers: ["1-0:1.8.n", "1-0:2.8.n"] }
      : entry,
  );
  await writeFile(file, JSON.stringify({ ...document, schedule }));
}

interface Transmission {
  readonly verdict: string;
  readonly binding: { readonly branch: string } | null;
  readonly rows: readonly (readonly [string, number, string, string, number])[];
}

test("schedules are judged on the sealed network, curtailed where it carries less, and held to what is metered", {
  timeout: 400_000,
}, async (t) => {
  const defer = cleanUp(t);
  const network = await makeNetwork(defer, await temporaryFolder(defer), { nodes: 4, meters: 1 });
  const { folder, genesis } = network;
  const identity = { network: folder, services: [3], algorithm: "Ed25519" } as const;
  for (const [id, role] of [
    ["operator", "grid-operator"],
    ["dispatcher", "dispatcher"],
  ] as const)
    await createParticipant({ ...identity, id, role, out: join(folder, id) }, new Date());
  await startNodes(network);
  const [first, second] = network.nodes as [TestNode, TestNode, TestNode, TestNode];
  const api = `http://${second.api.host}:${second.api.port}`;
  const rows = (await runGood("authority", "list", "--network", folder, "--json")).trim().split("\n");
  const meter = rows.map((row) => JSON.parse(row) as { id: string; meter: string }).find(({ id }) => id === "meter-1")!;
  const point = meter.meter;
  const order = async (file: string, ...args: readonly string[]) => {
    const path = join(folder, file);
    await runGood(...args, "--service", "3", "--from", "1", "--network", folder, "--api", api, "-o", path);
    await runGood("order", "submit", path, "--api", api, "--genesis", genesis);
  };
  const types = [768, 769, 770].flatMap((type) => ["--type", String(type)]);
  const settles = ["--slots", `${SLOT_S}:${SLOT_S}:60`, "--message", "1/schedule"];
  const terms = ["--name", "dispatch", "--revision", "1", ...types, ...settles];
  const place = ["--service", "3", "--from", "1"];
  const ready = await readyOf(network.nodes, SOURCE, join(folder, "dispatch.ready"), ...place, ...terms);
  await order("install.cose", "contract", "propose", SOURCE, ...terms, ...ready);
  await order("parameters.cose", "contract", "parameters", "dispatch", `slot_s=${SLOT_S}`, "credit_chain=0");

  /** Signs and submits; what is said of each, by the command that brings it. */
  const ask = async (who: string, ...args: readonly string[]) => {
    await runGood("grid", ...args, "--as", join(folder, who));
    return submitted(join(folder, who), "--api", api);
  };
  const state = async (key: string) => {
    const said = await gridsealJson("state", "get", key, "--service", "3", "--contract", "dispatch", "--api", api);
    return (said as { value: unknown }).value;
  };
  const schedule = async (slot_s: number, energy_mWh: number) => {
    const file = join(folder, `schedule-${slot_s}.csv`);
    await writeFile(file, `${point},${energy_mWh},trade-1,${point}\n`);
    return ask("dispatcher", "schedule", file, "--slot", timeOf(slot_s));
  };

  await t.test("a schedule before there is a network is denied by its rule", async () => {
    assert.match(await schedule(slotAfter(60), 1), /no-network/);
  });

  await t.test("the operator's network comes into force under its hash", async () => {
    const file = join(folder, "grid.json");
    await writeFile(file, JSON.stringify(gridOf(point)));
    await ask("operator", "network", file);
    const { hash, parts } = (await state("network")) as { hash: string; parts: number };
    assert.deepEqual([hash.length, parts], [64, 1]);
  });

  // 10 A at 400 V carry some 6.9 kW: 19,200 mWh in ten seconds.
  const granted_s = slotAfter(60);
  await t.test("what the grid carries is accepted, and the verdict has a receipt", async () => {
    await schedule(granted_s, 15_000);
    const { verdict, rows } = (await state("transmission/0")) as Transmission;
    assert.deepEqual([verdict, rows[0]![1]], ["accepted", 15_000]);
    const chains = await first.chains();
    const height = chains.find(({ service }) => service === 3)!.height;
    const proof = join(folder, "verdict.receipt");
    const which = ["--service", "3", "--effect", `${height}/1`, "-o", proof, "--save", join(folder, "verdict.bin")];
    const got = await gridseal("receipt", "get", ...which, "--api", api);
    if (got.status === 0) {
      await runGood("receipt", "verify", proof, "--effect", join(folder, "verdict.bin"), "--genesis", genesis);
    } else assert.fail(`no receipt of an effect of block ${height}: ${got.errors}`);
  });

  await t.test("what it does not carry is curtailed, and the line is named", async () => {
    await schedule(granted_s + 600, 40_000);
    const { verdict, binding, rows } = (await state("transmission/1")) as Transmission;
    assert.deepEqual([verdict, binding!.branch], ["curtailed", "L1"]);
    const [[, kept, , , asked]] = rows as readonly [Transmission["rows"][number]];
    assert.ok(kept > 18_000 && kept < 20_000 && asked === 40_000, `${kept} of ${asked} mWh`);
  });

  await t.test("a countersigned contract that is not delivered is a breach", async () => {
    await ask("operator", "countersign", "0");
    await signEnergy(join(folder, "meters", "meter-1", "configuration.json"));
    const running = startGridseal(defer, "meter", "run", join(folder, "meters", "meter-1"));
    const violations = async () => {
      const chains = await first.chains();
      return chains.find(({ service }) => service === 3)!.violations;
    };
    await until("a deviation is counted", async () => (await violations()) > 0, 200_000);
    const listed = await runGood("violation", "list", "--rule", "dispatch/deviation", "--api", api, "--json");
    assert.match(listed, new RegExp(point));
    await running.stop();
  });

  await whenEqual(network);
  await stopNodes(network);
  await verifyChains(network);
});
