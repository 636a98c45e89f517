// docs/communities.md with real nodes: the contract is ordered, a community is founded, two points join by their owners' consent. Slots
// close, shares stand in the state with a proof, a period is billed, and a bill leads down to the slots and effects that it adds up.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { toHex } from "../../src/wire/bytes.js";
import type { Role } from "../../src/wire/credential.js";
import { withParticipant } from "../../tools/files/operations/participant-folder.js";
import { operationTypes } from "../../tools/market/community/types.js";
import { createParticipant } from "../../tools/provisioning/participant.js";
import { billTest } from "./explorer-bills.js";
import { connectMeter, makeMeter } from "./mqtt.js";
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
import { cleanUp, type Defer, gridseal, gridsealJson, temporaryFolder, until } from "./processes.js";

const COMMUNITY = fileURLToPath(new URL("../../tools/market/community/community.ts", import.meta.url));
const SLOT_S = 10;
/** mWh of each slot */
const [TAKEN, GIVEN] = [3_000_000, 2_000_000];
const TAKEN_OBIS = Uint8Array.of(1, 0, 1, 8, 0, 255);
const GIVEN_OBIS = Uint8Array.of(1, 0, 2, 8, 0, 255);

const timeOf = (time_s: number) => new Date(1_000 * time_s).toISOString().replace(".000Z", "Z");
const nowSlot = () => SLOT_S * Math.floor(Date.now() / 1_000 / SLOT_S);

async function runGood(...args: readonly string[]): Promise<string> {
  const { status, output, errors } = await gridseal(...args);
  assert.equal(status, 0, `gridseal ${args.join(" ")}: ${errors}${output}`);
  return output;
}

/** A meter that is read at each slot's end, its counters further by so many mWh each time. */
async function startMeter(defer: Defer, network: TestNetwork, broker: TestNode, given: boolean): Promise<string> {
  const meter = makeMeter(network);
  const session = await connectMeter(defer, network, meter, broker.mqtt);
  await session.bear();
  let read_s = 0;
  const timer = setInterval(() => {
    const time_s = nowSlot();
    if (time_s === read_s) return;
    read_s = time_s;
    const value = (time_s / SLOT_S - 170_000_000) * (given ? GIVEN : TAKEN);
    const register = { obis: given ? GIVEN_OBIS : TAKEN_OBIS, value, scaler: -3, unit: 30 };
    session.send(meter.record({ time_s, registers: [register] })).catch(() => {});
  }, 250);
  defer(() => clearInterval(timer));
  return meter.id;
}

interface Shares {
  readonly start: number;
  readonly rows: readonly (readonly [string, number, number, number, number, number, number])[];
}

test("a community shares its slots on a chain, and bills lead down to what is sealed", {
  timeout: 400_000,
}, async (t) => {
  const defer = cleanUp(t);
  const network = await makeNetwork(defer, await temporaryFolder(defer), { nodes: 4, meters: 0 });
  const { folder, genesis } = network;
  const people: Record<string, { readonly folder: string; readonly id: string }> = {};
  for (const [id, role] of [
    ["manager", "community-manager"],
    ["grid", "grid-operator"],
    ["anna", "customer"],
    ["bert", "customer"],
  ] as readonly (readonly [string, Role])[]) {
    const out = join(folder, id);
    await createParticipant({ network: folder, id, role, services: [1], out, algorithm: "Ed25519" }, new Date());
    people[id] = { folder: out, id: await withParticipant(out, async ({ kid }) => toHex(kid)) };
  }
  await startNodes(network);
  const [first, second] = network.nodes as [TestNode, TestNode, TestNode, TestNode];
  const api = `http://${second.api.host}:${second.api.port}`;
  const of = ["--api", api, "--genesis", genesis];
  const order = async (file: string, ...args: readonly string[]) => {
    await runGood(...args, "--network", folder, "--api", api, "-o", join(folder, file));
    await runGood("order", "submit", join(folder, file), ...of);
  };
  const submit = (who: string) => runGood("operation", "submit", "--as", people[who]!.folder, "--api", api, "--wait");
  const ask = async (who: string, ...args: readonly string[]) => {
    await runGood("market", ...args, "--as", people[who]!.folder);
    assert.match(await submit(who), /done by community/, args.join(" "));
  };

  const types = Object.values(operationTypes).flatMap((type) => ["--type", String(type)]);
  const place = ["--service", "1", "--name", "community", "--revision", "1", "--from", "1", "--output", "262144"];
  const slots = ["--slots", `${SLOT_S}:${SLOT_S}:60`];
  const terms = [...place, ...types, ...slots];
  const ready = await readyOf(network.nodes, COMMUNITY, join(folder, "community.ready"), ...terms);
  await order("install.cose", "contract", "propose", COMMUNITY, ...terms, ...ready);
  const flat = await startMeter(defer, network, first, false);
  const roof = await startMeter(defer, network, second, true);
  await writeFile(
    join(folder, "assign.csv"),
    `AT-flat,${flat},${timeOf(nowSlot())}\nAT-roof,${roof},${timeOf(nowSlot())}\n`,
  );
  await order("assign.cose", "authority", "order", "assign", join(folder, "assign.csv"));

  const rule = ["--model", "proportional", "--price", "0.12", "--feed", "0.10"];
  await ask("manager", "community", "found", "sun", "--name", "Sun & <Moon>", ...rule);
  const owners = join(folder, "owners.csv");
  await writeFile(owners, `AT-flat,${people.anna!.id}\nAT-roof,${people.bert!.id}\n`);
  await ask("grid", "community", "owners", owners);
  for (const [who, point] of [
    ["anna", "AT-flat"],
    ["bert", "AT-roof"],
  ] as const) {
    await ask("manager", "community", "invite", "sun", point);
    await ask(who, "community", "join", "sun", point);
  }
  const listed = async () => {
    const show = ["market", "community", "show", "sun", "--api", api];
    return ((await gridsealJson(...show)) as { readonly newest?: Shares }).newest;
  };
  await until(
    "shares of both stand in the state",
    async () => {
      const rows = (await listed())?.rows ?? [];
      return rows.length === 2 && rows.every((row) => row[6] === 1);
    },
    150_000,
  );

  await t.test("the newest shares are proved without a node", async () => {
    const file = join(folder, "shares.proof");
    await runGood(
      "state",
      "get",
      "shares/sun/00",
      "--service",
      "1",
      "--contract",
      "community",
      ...of,
      "--proof",
      "-o",
      file,
    );
    const { value } = (await gridsealJson("state", "verify", file, "--genesis", genesis)) as { readonly value: Shares };
    assert.deepEqual(value.rows, [
      ["AT-flat", TAKEN, GIVEN, GIVEN, 0, 0, 1],
      ["AT-roof", 0, 0, 0, GIVEN, 0, 1],
    ]);
    assert.match(await runGood("market", "community", "show", "sun", ...of), /AT-roof +0\.000000 .* 2\.000000/);
  });

  const begin = (await stateOf(api, "sun")).begins[0]!;
  const end = nowSlot() + 3 * SLOT_S;
  const body = JSON.stringify({ community: "sun", begins: [end] });
  const type = String(operationTypes.periods);
  const signed = [
    "operation",
    "sign",
    "--as",
    people.manager!.folder,
    "--service",
    "1",
    "--type",
    type,
    "--body",
    body,
  ];
  await runGood(...signed);
  assert.match(await submit("manager"), /done by community/, "the period's end is named before it comes");
  await until("the period is closed", async () => ((await listed())?.start ?? 0) >= end, 100_000);
  const period = ["--period", timeOf(begin)];
  await ask("manager", "bill", "run", "sun", ...period, "--kind", "final");

  await t.test("a bill is held to its block, printed, and adds up the slots that it names", () =>
    checkBills(network, period, of),
  );
  await billTest(t, { api, community: "sun", point: "AT-flat" });

  await whenEqual(network);
  await stopNodes(network);
  await verifyChains(network);
});

async function checkBills(
  { folder, genesis }: TestNetwork,
  period: readonly string[],
  of: readonly string[],
): Promise<void> {
  const [csv, page] = [join(folder, "bills.csv"), join(folder, "bills.html")];
  await runGood("market", "bill", "show", "sun", ...period, ...of, "--csv", csv, "--page", page);
  const html = await readFile(page, "utf8");
  assert.ok(html.includes("Sun &amp; &lt;Moon&gt;") && !html.includes("<script"), "text is text");
  assert.equal((await readFile(csv, "utf8")).trim().split("\r\n").length, 3, "a heading and a line each");
  const point = ["--point", "AT-flat"];
  const bills = await jsonOf<SealedBill>("market", "bill", "show", "sun", ...period, ...point, ...of);
  const [bill] = bills;
  const [line] = bill!.lines;
  const slots = await jsonOf<SlotShare>("market", "bill", "slots", "sun", ...period, ...point, ...of);
  const covered = slots.reduce((sum, { share }) => sum + share[3], 0);
  assert.deepEqual([slots.length, covered], [line![4], line![1]], "slots and what they cover");
  assert.equal(bill!.amount, Math.floor((covered * 12_000) / 1_000_000 + 0.5));
  for (const { height, index } of [bill!, slots[0]!]) {
    const [file, bytes] = [join(folder, `${height}.receipt`), join(folder, `${height}.effect`)];
    const effect = ["receipt", "get", "--service", "1", "--effect", `${height}/${index}`, "--save", bytes, "-o", file];
    await runGood(...effect, ...of);
    await runGood("receipt", "verify", file, "--genesis", genesis, "--effect", bytes);
  }
}

interface SealedBill {
  readonly lines: readonly (readonly [string, number, number, number, number])[];
  readonly amount: number;
  readonly height: number;
  readonly index: number;
}

interface SlotShare {
  readonly share: Shares["rows"][number];
  readonly height: number;
  readonly index: number;
}

async function jsonOf<Item>(...args: readonly string[]): Promise<readonly Item[]> {
  return JSON.parse(await runGood(...args, "--json")) as readonly Item[];
}

async function stateOf(api: string, id: string): Promise<{ readonly begins: readonly number[] }> {
  return (await gridsealJson("market", "community", "show", id, "--api", api)) as {
    readonly begins: readonly number[];
  };
}
