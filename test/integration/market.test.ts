// Trading, credit and dispatch on chains of other members, whose contracts talk to each other: bids, a clearing, a schedule, a verdict,
// a contract that is countersigned, a breach, a limit that is lowered and takes effect. While dispatch is down the other two go on.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { toHex } from "../../src/wire/bytes.js";
import type { Role } from "../../src/wire/credential.js";
import { communityContracts } from "../../tools/demo/community/contracts.js";
import { withParticipant } from "../../tools/files/operations/participant-folder.js";
import { createNetwork } from "../../tools/provisioning/network.js";
import { createParticipant } from "../../tools/provisioning/participant.js";
import { connectMeter, makeMeter } from "./mqtt.js";
import { freeBasePort, openNetwork, stopNodes, type TestNetwork, type TestNode } from "./network.js";
import { cleanUp, type Defer, gridseal, gridsealJson, temporaryFolder, until } from "./processes.js";

const [TRADING, CREDIT, DISPATCH] = [1, 2, 3] as const;
const [SLOT_S, GATE_S, OPENING_S] = [10, 60, 30] as const;
/** Seconds that bids have before their gate. */
const BIDDING_S = 25;
/** mWh that the flat takes in each slot, and that its owner and the works trade: 10 A at 400 V carry some 19,200 in ten seconds. */
const [TAKEN, TRADED] = [19_000, 30_000] as const;
const PATIENCE_MS = 240_000;

const timeOf = (time_s: number) => new Date(1_000 * time_s).toISOString().replace(".000Z", "Z");
const nowSlot = () => SLOT_S * Math.floor(Date.now() / 1_000 / SLOT_S);
const apiOf = ({ api }: TestNode) => `http://${api.host}:${api.port}`;

async function runGood(...args: readonly string[]): Promise<string> {
  const { status, output, errors } = await gridseal(...args);
  assert.equal(status, 0, `gridseal ${args.join(" ")}: ${errors}${output}`);
  return output;
}

/** Each chain has one member, which follows the others; the contracts chain is that of trading's. */
async function makeChains(defer: Defer, folder: string): Promise<TestNetwork> {
  const chains = [
    { service: TRADING, name: "trading", nodes: [1] },
    { service: CREDIT, name: "credit", nodes: [2] },
    { service: DISPATCH, name: "dispatch", nodes: [3] },
    { service: 5, name: "contracts", nodes: [1] },
  ];
  const contracts = communityContracts({ slot_s: SLOT_S, gate_s: GATE_S, opening_s: OPENING_S });
  const place = { host: "127.0.0.1", basePort: await freeBasePort(3), target: 0 };
  const plan = { network: "trial", nodes: 3, chains, meters: 0, hasContracts: true, contracts, ...place };
  await createNetwork(folder, plan, new Date());
  const network = await openNetwork(defer, folder);
  for (const [index, node] of network.nodes.entries()) {
    const path = join(node.folder, "node.json");
    const document = JSON.parse(await readFile(path, "utf8")) as object;
    const follow = [TRADING, CREDIT, DISPATCH].filter((service) => service !== index + 1);
    await writeFile(path, JSON.stringify({ ...document, follow }));
  }
  return network;
}

/** A meter that takes so much in each slot, read at its end for trading and dispatch. */
async function startMeter(defer: Defer, network: TestNetwork, taken: number): Promise<string> {
  const [trading, , dispatch] = network.nodes as readonly [TestNode, TestNode, TestNode];
  const meter = makeMeter(network);
  const sessions = new Map([
    [TRADING as number, await connectMeter(defer, network, meter, trading.mqtt)],
    [DISPATCH, await connectMeter(defer, network, meter, dispatch.mqtt)],
  ]);
  for (const session of sessions.values()) await session.bear();
  let read_s = 0;
  const timer = setInterval(() => {
    const time_s = nowSlot();
    if (time_s === read_s) return;
    read_s = time_s;
    const obis = Uint8Array.of(1, 0, 1, 8, 0, 255);
    const register = { obis, value: (time_s / SLOT_S - 170_000_000) * taken, scaler: -3, unit: 30 };
    for (const [service, session] of sessions) {
      session.send(meter.record({ service, time_s, registers: [register] }), service).catch(() => {});
    }
  }, 250);
  defer(() => clearInterval(timer));
  return meter.id;
}

const people = {
  operator: { role: "grid-operator", services: [TRADING, DISPATCH] },
  office: { role: "market-operator", services: [CREDIT] },
  anna: { role: "customer", services: [TRADING] },
  works: { role: "supplier", services: [TRADING] },
} as const satisfies Readonly<Record<string, { readonly role: Role; readonly services: readonly number[] }>>;
type Person = keyof typeof people;

/** What the participants do, as they type it. */
async function openWorld(network: TestNetwork) {
  const { folder, nodes } = network;
  const ids = {} as Record<Person, string>;
  for (const id of Object.keys(people) as Person[]) {
    const out = join(folder, id);
    await createParticipant({ network: folder, algorithm: "Ed25519", id, out, ...people[id] }, new Date());
    ids[id] = await withParticipant(out, async ({ kid }) => toHex(kid));
  }
  const apis = nodes.map(apiOf);
  const whereOf = (service: number) => ["--service", String(service), "--api", apis[service - 1]!];
  const submit = (who: Person, service: number) =>
    runGood("operation", "submit", "--as", join(folder, who), ...whereOf(service), "--wait");
  const sign = async (who: Person, service: number, type: number, body: object) => {
    const asked = ["--service", String(service), "--type", String(type), "--body", JSON.stringify(body)];
    await runGood("operation", "sign", "--as", join(folder, who), ...asked);
    return submit(who, service);
  };
  const state = async (service: number, contract: string, key: string) => {
    return (
      (await gridsealJson("state", "get", key, "--contract", contract, ...whereOf(service))) as {
        readonly value?: unknown;
      }
    ).value;
  };
  const bid = (who: Person, slot: number, side: string, price: string, volume: number) => {
    const what = ["--side", side, "--price", price, "--volume", String(volume)];
    return runGood("market", "order", "bid", timeOf(slot), ...what, "--as", join(folder, who));
  };
  const open = async (who: Person, slot: number) => {
    await runGood("market", "order", "open", timeOf(slot), "--as", join(folder, who));
    return gridseal("operation", "submit", "--as", join(folder, who), ...whereOf(TRADING), "--wait");
  };
  return { ids, apis, sign, submit, state, bid, open };
}

const whenTime = (time_s: number) =>
  until(`it is ${timeOf(time_s)}`, async () => Date.now() / 1_000 > time_s + 1, PATIENCE_MS);

test("what one chain's contract says the others take, and who stops delays nobody else", {
  timeout: 900_000,
}, async (t) => {
  const defer = cleanUp(t);
  const network = await makeChains(defer, await temporaryFolder(defer));
  const { folder, genesis } = network;
  const world = await openWorld(network);
  const { ids, apis, submit, sign, state, bid, open } = world;
  await Promise.all(network.nodes.map((node) => node.start()));
  const dispatch = network.nodes[2]!;
  await until("the contracts are ordered", async () => {
    const listed = await runGood("contract", "list", "--api", apis[0]!, "--genesis", genesis);
    return ["auction", "credit", "dispatch"].every((name) => listed.includes(name));
  });
  const flat = await startMeter(defer, network, TAKEN);
  const hall = await startMeter(defer, network, 0);

  await t.test("points, grid and kinds are stated", async () => {
    const points = [
      [flat, ids.anna],
      [hall, ids.works],
    ];
    assert.match(await sign("operator", TRADING, 272, { points }), /done by auction/);
    assert.match(await sign("office", CREDIT, 512, { participant: ids.works, kind: "firm" }), /done by credit/);
    const grid = {
      buses: [
        { id: "busbar", nominal_V: 400 },
        { id: "hall", nominal_V: 400 },
      ],
      slack: { bus: "busbar", voltage_ppm: 1_000_000 },
      lines: [{ id: "L1", from: "busbar", to: "hall", r_nOhm: 60_000_000, x_nOhm: 25_000_000, rating_mA: 10_000 }],
      points: [
        { id: flat, bus: "busbar" },
        { id: hall, bus: "hall" },
      ],
    };
    await writeFile(join(folder, "grid.json"), JSON.stringify(grid));
    await runGood("grid", "network", join(folder, "grid.json"), "--as", join(folder, "operator"));
    assert.match(await submit("operator", DISPATCH), /done by dispatch/);
    const usual = async () => (await state(TRADING, "auction", `limit/${ids.works}`)) as readonly number[] | null;
    const [limit] = (await until("credit has told of the works", usual))!;
    assert.ok(limit! > 26_666, `${limit}`);
  });

  const first = SLOT_S * Math.ceil((Date.now() / 1_000 + GATE_S + BIDDING_S) / SLOT_S);
  await t.test("bids are sealed, opened and cleared, and the grid carries a part", async () => {
    await bid("anna", first, "buy", "0.14", TRADED);
    await bid("works", first, "sell", "0.08", TRADED);
    for (const who of ["anna", "works"] as const) assert.match(await submit(who, TRADING), /done by auction/);
    await whenTime(first - GATE_S);
    for (const who of ["anna", "works"] as const) assert.match((await open(who, first)).output, /done by auction/);
    const transmission = async () => (await state(DISPATCH, "dispatch", "transmission/0")) as Transmission | null;
    const { verdict, rows } = (await until("dispatch has its verdict", transmission, PATIENCE_MS))!;
    assert.equal(verdict, "curtailed");
    const [[, sold], [, bought]] = rows;
    assert.ok(sold === -bought && sold > 18_000 && sold < 20_000, `${sold} and ${bought} mWh are carried`);
    const key = `trade/${String(first).padStart(13, "0")}`;
    await until("trading has heard of it", async () => {
      const trades = (await state(TRADING, "auction", key)) as {
        readonly rows: readonly (readonly unknown[])[];
      } | null;
      return trades?.rows.some(([, , traded]) => traded === sold);
    });
  });

  await t.test(
    "the operator countersigns, and who does not deliver is in breach, rated lower and may owe less",
    async () => {
      await runGood("grid", "countersign", "0", "--as", join(folder, "operator"));
      assert.match(await submit("operator", DISPATCH), /done by dispatch/);
      const limits = async () => (await state(TRADING, "auction", `limit/${ids.works}`)) as readonly number[];
      await until("the limit is lowered", async () => (await limits())[0] === 26_666, PATIENCE_MS);
      const found = await runGood("violation", "list", "--rule", "dispatch/deviation", "--api", apis[2]!);
      assert.match(found, new RegExp(ids.works));
      const explained = await runGood("credit", "explain", ids.works, "--api", apis[1]!, "--genesis", genesis);
      assert.match(explained, /grade +C/);
    },
  );

  await dispatch.kill();
  const second = SLOT_S * Math.ceil((Date.now() / 1_000 + GATE_S + BIDDING_S) / SLOT_S);
  await t.test("without dispatch, trading and credit go on, and the limit takes effect", async () => {
    await bid("works", second, "buy", "0.30", 1_000_000);
    await bid("anna", second, "buy", "0.14", TRADED);
    for (const who of ["anna", "works"] as const) assert.match(await submit(who, TRADING), /done by auction/);
    // Nobody can open it: only what its signer has not tried to open is a breach.
    assert.match(await sign("works", TRADING, 273, { slot: second, digest: "aa".repeat(32) }), /done by auction/);
    await whenTime(second - GATE_S);
    const denied = await open("works", second);
    assert.match(denied.output, /denied by auction: credit-limit/);
    assert.equal(denied.status, 1);
    assert.match((await open("anna", second)).output, /done by auction/);
    await until(
      "the breach is told, and credit has it",
      async () => {
        const { isSame, facts } = (await gridsealJson("credit", "explain", ids.works, "--api", apis[1]!)) as Explained;
        const rules = Object.values(facts).flatMap(({ breaches }) => breaches.map(([rule]) => rule));
        return isSame && rules.includes("auction/unopened");
      },
      PATIENCE_MS,
    );
  });

  await dispatch.start();
  await t.test("nothing is counted twice: every chain is audited", async () => {
    await until("dispatch has its readings again", async () => {
      const { violations } = (await dispatch.chains()).find(({ service }) => service === DISPATCH)!;
      return violations >= 1;
    });
    await stopNodes(network);
    for (const [index, node] of network.nodes.entries()) {
      await runGood("chain", "audit", String(index + 1), "--data", join(node.folder, "data"), "--genesis", genesis);
    }
  });
});

interface Transmission {
  readonly verdict: string;
  readonly rows: readonly [readonly [string, number], readonly [string, number]];
}

interface Explained {
  readonly isSame: boolean;
  readonly facts: Readonly<Record<string, { readonly breaches: readonly (readonly [string])[] }>>;
}
