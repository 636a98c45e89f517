// Slots with real nodes and headless meters: the metering contract is ordered with a settlement of ten seconds, a meter is assigned to a
// point; slots are sealed, a point's energy is proved without a node, and a meter that falls silent is in breach.

import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { decodeBlock } from "../../src/wire/block.js";
import { toHex } from "../../src/wire/bytes.js";
import { decodeValue } from "../../src/wire/value.js";
import { decodeResults, type Violation } from "../../tools/ledger/violations.js";
import { independentSequence } from "../wire/independent-cbor.js";
import { verifySlotProof } from "../wire/stranger-receipt.js";
import { makeNetwork, readyOf, startNodes, stopNodes, type TestNode, verifyChains, whenEqual } from "./network.js";
import { cleanUp, gridseal, gridsealJson, startGridseal, temporaryFolder, until } from "./processes.js";

const METERING = fileURLToPath(new URL("../../tools/market/metering/metering.ts", import.meta.url));
const SLOT_S = 10;

interface ListedSlot {
  readonly start: number;
  readonly points: number;
  readonly height: number;
}

async function runGood(...args: readonly string[]): Promise<string> {
  const { status, output, errors } = await gridseal(...args);
  assert.equal(status, 0, `gridseal ${args.join(" ")}: ${errors}${output}`);
  return output;
}

const timeOf = (time_s: number) => new Date(1_000 * time_s).toISOString().replace(".000Z", "Z");

test("slots are sealed with the energies of points, proved offline, and the metering contract finds who is silent", {
  timeout: 400_000,
}, async (t) => {
  const defer = cleanUp(t);
  const network = await makeNetwork(defer, await temporaryFolder(defer), { nodes: 4, meters: 3 });
  const { folder, genesis } = network;
  await startNodes(network);
  const [first, second] = network.nodes as [TestNode, TestNode, TestNode, TestNode];
  const api = `http://${second.api.host}:${second.api.port}`;
  const order = async (file: string, ...args: readonly string[]) => {
    await runGood(...args, "--network", folder, "--api", api, "-o", join(folder, file));
    await runGood("order", "submit", join(folder, file), "--api", api, "--genesis", genesis);
  };
  const rows = (await runGood("authority", "list", "--network", folder, "--json")).trim().split("\n");
  const listed = rows.map((row) => JSON.parse(row) as { id: string; meter: string });
  const idOf = (name: string) => listed.find(({ id }) => id === name)!.meter;
  const place = ["--service", "1", "--from", "1"];
  const settles = ["--slots", `${SLOT_S}:${SLOT_S}:60`, "--output", "65536"];
  const terms = [...place, "--name", "metering", "--revision", "1", ...settles];
  const tried = await readyOf(network.nodes, METERING, join(folder, "install.ready"), ...terms);
  await order("install.cose", "contract", "propose", METERING, ...terms, ...tried);
  await order("parameters.cose", "contract", "parameters", "metering", "silent_slots=2", ...place);
  const now = timeOf(Math.floor(Date.now() / 1_000));
  const assigned = ["--point", "AT-roof", "--meter", idOf("meter-2"), "--from", now];
  await order("assign.cose", "authority", "order", "assign", ...assigned);

  const meters = ["meter-1", "meter-2", "meter-3"].map((name) =>
    startGridseal(defer, "meter", "run", join(folder, "meters", name)),
  );
  const slots = async () => {
    const { slots } = (await gridsealJson("chain", "slots", "--service", "trading", "--api", api)) as {
      slots: ListedSlot[];
    };
    return slots;
  };
  const full = await until(
    "slots of three points are closed",
    async () => {
      const closed = (await slots()).filter(({ points }) => points === 3);
      return closed.length >= 3 && closed;
    },
    150_000,
  );

  await t.test("a point's energies are proved without a node", async () => {
    const { start, height } = full.at(-1)!;
    for (const point of ["AT-roof", idOf("meter-1")]) {
      const file = join(folder, `${point}.slot`);
      const which = ["--service", "trading", "--slot", timeOf(start), "--point", point];
      await runGood("receipt", "get", ...which, "-o", file, "--api", api, "--genesis", genesis);
      const said = (await gridsealJson("receipt", "verify", file, "--genesis", genesis)) as Record<string, unknown>;
      const mixed = await gridseal("receipt", "verify", file, "--genesis", genesis, "--record", file);
      assert.equal(mixed.status, 2, "a slot's proof is of no record");
      assert.deepEqual([said.point, said.start, said.height], [point, start, height]);
      // Meters read at the slot's ends, unless the machine holds them up.
      assert.ok(said.quality === 1 || said.quality === 2, String(said.quality));
      assert.ok(Number(said.imported_mWh) >= 0, String(said.imported_mWh));
      const proved = verifySlotProof(await readFile(genesis), await readFile(file));
      assert.deepEqual([proved.point, proved.start, String(proved.taken)], [point, start, String(said.imported_mWh)]);
    }
  });

  await t.test("a meter's slots are as the chain settles, and the meter has a name", async () => {
    const of = ["--service", "trading", "--meter", "meter-1", "--api", api];
    const { status, output, errors } = await gridseal("chain", "slots", ...of, "--json");
    assert.equal(status, 0, errors);
    const { slot, gap, meter } = JSON.parse(output) as { slot: number; gap: number; meter: string };
    assert.deepEqual([slot, gap, meter], [SLOT_S, 60, idOf("meter-1")]);
    assert.match(
      errors,
      /^slots of 10 s, as the chain settles; counters interpolated over 60 s at most, as the chain/m,
    );
    const asked = await gridseal("chain", "slots", ...of, "--slot", "20");
    assert.match(asked.errors, /^slots of 20 s, as asked; .* 60 s at most, as the chain settles$/m);
    const nobody = await gridseal("chain", "slots", ...of.with(3, "meter-9"));
    assert.deepEqual([nobody.status, /nobody with the ID meter-9 has signed/.test(nobody.errors)], [1, true]);
  });

  await t.test("a meter that falls silent is in breach", async () => {
    await meters[0]!.stop();
    const violations = async () => (await first.chains()).find(({ service }) => service === 1)!.violations;
    await until("a violation is counted", async () => (await violations()) > 0, 150_000);
    const file = join(folder, "trading.chain");
    await runGood("chain", "export", "trading", "--api", api, "-o", file);
    assert.ok((await stat(file)).size > 0, "an export");
    const found = independentSequence(await readFile(file)).flatMap(
      (bytes): readonly Violation[] => decodeResults(decodeBlock(bytes).results).violations,
    );
    const [breach] = found;
    assert.ok(breach?.kind === "contract", `a breach, not ${breach?.kind}`);
    assert.deepEqual([toHex(breach.subject), breach.contract, breach.name], [idOf("meter-1"), "metering", "silent"]);
    assert.deepEqual(decodeValue(breach.body), { slots: 2 });
  });

  await Promise.all(meters.slice(1).map((meter) => meter.stop()));
  await whenEqual(network);
  await stopNodes(network);
  await verifyChains(network);
});
