// What a meter confides, with real nodes and a meter in XS: it stands in no block, temporary block, store, log or answer; who has a grant
// opens it with f + 1 custodians and not with f; what no rule allows is a breach with the ID of who asked; a withdrawal ends delivery.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { toHex } from "../../src/wire/bytes.js";
import { decodeReceipt, verifyReceipt } from "../../src/wire/receipt.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import { readGenesisFile } from "../../tools/files/genesis-file.js";
import { withParticipant } from "../../tools/files/operations/participant-folder.js";
import { answersTo, assertHidden, behindDoors, hearing, keysOf, listenTo } from "./access-doors.js";
import { type AccessNetwork, apiOf, dayText, openAccess, runGood, SERVICE, SLOT_S } from "./access-network.js";
import { stopNodes, type TestNode, verifyChains, whenEqual } from "./network.js";
import { cleanUp, gridseal, gridsealJson, until } from "./processes.js";

interface Opened {
  readonly meter: string;
  readonly seq: number;
  readonly label: string;
  readonly obis: string;
  readonly time: string;
  readonly value: number;
  readonly scaler: number;
  readonly height: number;
  readonly record: string;
  readonly disclosure: string;
}

interface Summed {
  readonly time: string;
  readonly seconds: number;
  readonly count: number;
  readonly sum: string | null;
}

const linesIn = <Line>(output: string): Line[] =>
  output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);

test("a meter's confidence is opened by f + 1 custodians on a sealed grant, and by nobody else", {
  timeout: 400_000,
}, async (t) => {
  const defer = cleanUp(t);
  const people = {
    anna: "customer",
    study: "researcher",
    keeper: "metered-data-administrator",
    stray: "supplier",
    watch: "regulator",
  } as const;
  const access = await openAccess(defer, people);
  const doorsOf = { ...access, people: Object.keys(people) };
  const { network, meterId, say, open, idOf } = access;
  const { folder, genesis } = network;
  const apis = network.nodes.map(apiOf);
  const [first, , third, fourth] = network.nodes as [TestNode, TestNode, TestNode, TestNode];
  const heard = await hearing(defer, third, fourth);
  const api = apis[1]!;
  const told = listenTo(defer, `${apis[0]}/events`);
  const meter = access.startMeter();
  await access.sealed(first, 5);

  await runGood("access", "key", "--as", join(folder, "study"));
  await runGood("access", "key", "--as", join(folder, "stray"));
  const period = ["--meter", meterId, "--from", dayText(0), "--until", dayText(1)];
  await say("keeper", "subject", "--meter", meterId, "--participant", await idOf("anna"), "--from", dayText(0));
  const need = await say("study", "need", "--purpose", "AcademicResearch", "--days", "31", "--text", "evening peaks");
  const asked = await say("study", "request", "--need", need.name, ...period);
  assert.match(asked.sealed, /done by access/);

  await t.test("a request alone opens nothing", async () => {
    const { status, errors } = await open(asked.name, apis);
    assert.equal(status, 1, errors);
    assert.match(errors, /No grant .* is in force/);
  });

  await t.test("what no rule allows is denied, and a breach that names who asked", async () => {
    const stray = await say("stray", "request", "--need", need.name, ...period);
    assert.match(stray.sealed, /denied by access: role/);
    const false_ = await say("stray", "consent", asked.name);
    assert.match(false_.sealed, /denied by access: not-subject/);
    await withdrawsInVain(join(folder, "stray"), asked.name, api);
    const { violations } = (await gridsealJson("violation", "list", "--api", api)) as {
      readonly violations: readonly { readonly subject: string; readonly rule: string }[];
    };
    const strayId = await idOf("stray");
    assert.deepEqual(
      violations.map(({ subject, rule }) => [subject, rule]),
      [
        [strayId, "access/not-subject"],
        [strayId, "access/not-subject"],
        [strayId, "access/role"],
      ],
    );
  });

  const consent = await say("anna", "consent", asked.name);
  assert.match(consent.sealed, /done by access/);
  const listed = await runGood("access", "list", "--service", SERVICE, "--api", api);
  assert.match(listed, new RegExp(`^${asked.name}  accepted  consent  AcademicResearch  ${meterId}`, "m"));
  await listsWhatConcerns(join(folder, "anna"), { request: asked.name, meter: meterId, api });

  let opened: readonly Opened[] = [];
  await t.test("f + 1 custodians open it, with values that receipts prove", async () => {
    const { status, output, errors } = await open(asked.name, apis.slice(0, 2));
    assert.equal(status, 0, errors);
    opened = linesIn<Opened>(output);
    assert.ok(opened.length >= 5, output);
    const read = (await readGenesisFile(genesis)).genesis;
    for (const { meter: of, label, obis, record, height, seq } of opened) {
      assert.equal(of, meterId, obis);
      assert.ok(["power", "phases"].includes(label), label);
      const answer = await fetch(`${apis[3]}/receipts/${SERVICE}/${of}/${seq}`);
      const receipt = decodeReceipt(new Uint8Array(await answer.arrayBuffer()));
      verifyReceipt(receipt, read, nodeVerify);
      assert.deepEqual([toHex(receipt.recordHash), receipt.height], [record, height]);
    }
  });

  await t.test("other custodians open the same, and f open nothing", async () => {
    const others = await open(asked.name, apis.slice(2));
    assert.equal(others.status, 0, others.errors);
    for (const one of apis) {
      const alone = await open(asked.name, [one]);
      assert.equal(alone.status, 1, alone.output);
      assert.match(alone.errors, /too few custodians gave their shares/);
    }
  });

  let sums = { name: "", slot: 0 };
  await t.test(
    "sums over a group are those that f + 1 custodians have signed alike, and a grant of them opens no value",
    async () => {
      sums = await summed(access, asked.name);
    },
  );
  const keys = await keysOf(doorsOf, asked.name);
  await t.test("nodes write no memory where they crash", async () => {
    for (const { process } of network.nodes) {
      const filter = await readFile(`/proc/${process!.pid}/coredump_filter`, "latin1").catch(() => "0");
      assert.equal(Number.parseInt(filter, 16), 0);
    }
  });
  const grants = `/chains/${SERVICE}/grants`;
  const today = Math.floor(Date.now() / 86_400_000);
  const granted = await answersTo(doorsOf, [
    ...[asked.name, sums.name].map((name) => `${grants}/${name}`),
    ...[`${grants}/${asked.name}/days/${today}/shares`, `${grants}/${asked.name}/days/${today}/records`],
    ...[`${grants}/${sums.name}/days/${today}/shares`, `${grants}/${sums.name}/days/${today}/records`],
    ...[`${grants}/${sums.name}/group`, `${grants}/${sums.name}/sums/${sums.slot}/${sums.slot + SLOT_S}`],
  ]);

  await t.test("one that does not answer holds nobody up", async () => {
    await first.stop();
    const { status, errors } = await open(asked.name, apis);
    assert.equal(status, 0, errors);
    await first.start();
  });

  await meter.stop();
  await t.test("after a withdrawal nothing is delivered any more", async () => {
    await say("anna", "withdraw", asked.name);
    await whenEqual(network);
    const { status, errors } = await open(asked.name, apis);
    assert.equal(status, 1);
    assert.match(errors, /No grant .* is in force/);
  });

  const doors = [...(await behindDoors(doorsOf)), ...granted, { door: "events", bytes: told() }];
  await stopNodes(network);
  doors.push({ door: "links of two nodes", bytes: await heard() });
  await t.test("salts, labels, values and keys stand in no store, log, export and answer, and go over no link", () =>
    assertHidden(network, { opened, keys }, doors),
  );
  await verifyChains(network);
});

/** Sums over a group of one meter, which this chain lets be one, beside what a grant of its values opens. */
async function summed(
  { network, meterId, say, open }: AccessNetwork,
  request: string,
): Promise<{ readonly name: string; readonly slot: number }> {
  const apis = network.nodes.map(apiOf);
  await say("keeper", "group", "homes", "--kind", "residential", "--meter", meterId);
  const peaks = await say("study", "need", "--purpose", "PublicStatistics", "--days", "31", "--text", "evening peaks");
  const power = ["--group", "homes", "--register", "1-0:1.7.0", "--unit", "27"];
  const days = ["--from", dayText(0), "--until", dayText(1)];
  const { name, sealed } = await say("study", "request", "--need", peaks.name, ...power, ...days);
  assert.match(sealed, /done by access/);
  let sums: readonly Summed[] = [];
  await until("a slot has a sum", async () => {
    const { status, output, errors } = await open(name, apis);
    if (status === 0) sums = linesIn<Summed>(output).filter(({ sum }) => sum !== null);
    else assert.match(errors, /custodians|no slot yet/);
    return sums.length > 0;
  });
  const values = linesIn<Opened>((await open(request, apis)).output).filter(({ obis }) => obis.startsWith("1-0:1.7.0"));
  for (const { time, seconds, count, sum } of sums) {
    const begin_ms = Date.parse(time);
    const read = values.filter((value) => {
      const passed_ms = Date.parse(value.time) - begin_ms;
      return passed_ms >= 0 && passed_ms < 1_000 * seconds;
    });
    const watts = read.map(({ value, scaler }) => value * 10 ** scaler);
    assert.equal(count, 1, "one meter");
    const isBetween = Number(sum) >= Math.min(...watts) - 1 && Number(sum) <= Math.max(...watts) + 1;
    assert.ok(isBetween, `${time}: ${sum} of ${watts.join(", ")}`);
  }
  const alone = await open(name, apis.slice(0, 1));
  assert.equal(alone.status, 1, alone.output);
  assert.match(alone.errors, /work for .*, and 2 must/);
  const shares = await fetch(
    `${apis[0]}/chains/${SERVICE}/grants/${name}/days/${Math.floor(Date.now() / 86_400_000)}/shares`,
  );
  assert.equal(shares.status, 403, "no share is delivered on it");
  return { name, slot: Date.parse(sums[0]!.time) / 1_000 };
}

/** What is denied ends the command with 1, and is JSON all the same. */
async function withdrawsInVain(folder: string, request: string, api: string): Promise<void> {
  const who = ["--as", folder, "--service", SERVICE];
  await gridsealJson("access", "withdraw", request, ...who);
  const { status, output } = await gridseal("operation", "submit", ...who, "--api", api, "--wait", "--json");
  assert.equal(status, 1, output);
  const [{ result }] = JSON.parse(output) as [{ readonly result: string }];
  assert.equal(result, "denied");
}

/** Also while somebody signs in the folder. */
async function listsWhatConcerns(
  folder: string,
  { request, meter, api }: Readonly<Record<"request" | "meter" | "api", string>>,
): Promise<void> {
  const mine = ["--mine", folder, "--service", SERVICE, "--api", api];
  const listed = await withParticipant(folder, () => runGood("access", "list", ...mine));
  assert.match(listed, new RegExp(`you are the subject of meter ${meter}`));
  assert.match(listed, new RegExp(`asks for AcademicResearch, "evening peaks"[^]*access withdraw ${request} --as`));
}
