// Sums over groups on real nodes, one of which runs altered code or sleeps. It stops no sum, nobody is told what one meter has read, and
// who lied is named.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { deliveryKeysIn } from "../../tools/cli/access/key.js";
import { type DeliveredShares, dayKeys, takeShare } from "../../tools/crypto/delivered-shares.js";
import { readGenesisFile } from "../../tools/files/genesis-file.js";
import { openGrantSource } from "../../tools/sources/grants.js";
import { openGroupGrantSource } from "../../tools/sources/group-grants.js";
import { type AccessNetwork, apiOf, dayText, openAccess, runGood, SERVICE } from "./access-network.js";
import { type Alteration, alteredCommand } from "./altered.js";
import { stopNodes, type TestNode, verifyChains, whenEqual } from "./network.js";
import { cleanUp, gridsealJson, temporaryFolder, until } from "./processes.js";

interface Summed {
  readonly time: string;
  readonly count: number;
  readonly sum: string | null;
}

/** What the altered node does, by the text of the built program that it has otherwise. */
const lies = {
  "another sum": [
    "slots: done.slots }",
    "slots: done.slots.map((slot) => ({ ...slot, sum: slot.sum === null ? null : slot.sum + 1000n })) }",
  ],
  "a member's value": [
    "rule: { meters_min: numbers[6], share_percent_max: numbers[7] }",
    "rule: { meters_min: 1, share_percent_max: 100 }",
  ],
  "false shares": [
    "chain, encodeShare({ request, meter, day }, item)",
    "chain, encodeShare({ request, meter, day }, item.map((byte, at) => at === item.length - 1 ? byte ^ 1 : byte))",
  ],
  "shares to who asks": [
    "const found = grantInForce(disclosures, service, id);",
    `const sums = groupGrantInForce(disclosures, service, id);
    const runs = sums && [[sums.from, sums.until]];
    const found = grantInForce(disclosures, service, id) ?? (sums && { ...sums, meter: sums.meters[0], days: runs });`,
  ],
} as const satisfies Record<string, NonNullable<Alteration["edits"]>[number]>;

test("one of the nodes that lies or sleeps stops no sum over a group, and tells nobody what a meter has read", {
  timeout: 500_000,
}, async (t) => {
  const defer = cleanUp(t);
  const access = await openAccess(defer, { study: "researcher", keeper: "metered-data-administrator" }, 2);
  const { network, meterIds, open } = access;
  const { folder, nodes } = network;
  const apis = nodes.map(apiOf);
  const meters = [1, 2].map((number) => access.startMeter(number));
  await access.sealed(nodes[0]!, 6);
  await runGood("access", "key", "--as", join(folder, "study"));
  const asked = await askedFor(access);
  const liar = nodes.find(({ name }) => name === asked.working[0])!;
  const liarId = asked.idOf(liar);
  const programs = await temporaryFolder(defer);
  const lie = async (name: keyof typeof lies) => {
    const command = await alteredCommand(join(programs, name.replaceAll(/[^a-z]/g, "-")), { edits: [lies[name]] });
    await liar.stop();
    await liar.start(command);
    await whenEqual(network);
  };
  /** What all of them together deliver, once there are such slots, and that is said beside them. */
  const summed = async (request: string, isIt: (slot: Summed) => boolean, said = /(?:)/) => {
    let errors = "";
    const slots = await until(
      "sums are had",
      async () => {
        const outcome = await open(request, apis);
        errors = outcome.errors;
        if (outcome.status !== 0) return undefined;
        const read = outcome.output
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as Summed);
        return read.some(isIt) && said.test(errors) && read;
      },
      120_000,
    );
    return { slots, errors };
  };
  const hasSum = ({ sum }: Summed) => sum !== null;
  const isRead = ({ count }: Summed) => count > 0;
  const saidOther = new RegExp(`node ${liarId} has signed other sums than 2 others`);

  const honest = await summed(asked.homes, hasSum);
  assert.doesNotMatch(honest.errors, /has signed|share/);
  const before = new Map(honest.slots.filter(hasSum).map(({ time, sum }) => [time, sum]));

  await t.test("another sum than the others'", async () => {
    await lie("another sum");
    const { slots } = await summed(asked.homes, hasSum, saidOther);
    const now = new Map(slots.map(({ time, sum }) => [time, sum]));
    for (const [time, sum] of before) assert.equal(now.get(time), sum, time);
  });

  await t.test("what a member has read, where the sum is withheld as it would tell that", async () => {
    await lie("a member's value");
    const { slots } = await summed(asked.shops, isRead, saidOther);
    for (const { time, sum } of slots) assert.equal(sum, null, time);
  });

  await t.test("false shares to those that work with it", async () => {
    await lie("false shares");
    const named = new RegExp(`"node":"${liarId}".*for the sums over a group node ${liarId} delivers a share`);
    // Where another one's share has come before, nobody looks at the false one.
    await until("it is named in the log of one that it gave them to", async () => {
      await summed(asked.homes, hasSum);
      return nodes.some(({ process }) => named.test(`${process!.output}${process!.errors}`));
    });
  });

  await t.test("its shares to who asks for the sums: too few to open anything", async () => {
    await lie("shares to who asks");
    const { genesis } = await readGenesisFile(network.genesis);
    const today = Math.floor(Date.now() / 86_400_000);
    const delivered: DeliveredShares = {
      ...{ genesis, keys: await deliveryKeysIn(join(folder, "study")), grant: asked.homes, service: Number(SERVICE) },
      ...{ meter: meterIds[0]!, envelopes: new Map() },
    };
    const given: string[] = [];
    for (const node of nodes) {
      const source = openGrantSource(apiOf(node), { service: Number(SERVICE), grant: asked.homes });
      try {
        for await (const share of source.shares({ from: today, until: today + 1 })) {
          assert.equal(takeShare(delivered, asked.idOf(node), share), undefined);
          given.push(node.name);
        }
      } catch (error) {
        assert.match(String(error), /No grant .* is in force/);
      }
    }
    assert.deepEqual([...new Set(given)], [liar.name], "no other node gives any");
    assert.equal((await dayKeys(delivered)).size, 0, "with that no key comes about");
    const { slots } = await summed(asked.homes, hasSum);
    for (const [time, sum] of before) assert.equal(slots.find((slot) => slot.time === time)?.sum, sum, time);
  });

  await t.test("nothing at all, as it sleeps", async () => {
    liar.process!.signal("SIGSTOP");
    const { slots } = await summed(asked.homes, hasSum);
    liar.process!.signal("SIGCONT");
    for (const [time, sum] of before) assert.equal(slots.find((slot) => slot.time === time)?.sum, sum, time);
  });

  for (const meter of meters) await meter.stop();
  await whenEqual(network);
  await stopNodes(network);
  await verifyChains(network);
});

/** A group of homes and one of shops, of one meter each, and what `study` asks of them; of shops such a sum tells a value, and is withheld. */
async function askedFor({ network, meterIds, say }: AccessNetwork) {
  const need = await say("study", "need", "--purpose", "PublicStatistics", "--days", "31", "--text", "evening peaks");
  const days = ["--from", dayText(0), "--until", dayText(1)];
  const ask = async (name: string, kind: string, meter: string): Promise<string> => {
    await say("keeper", "group", name, "--kind", kind, "--meter", meter);
    const power = ["--group", name, "--register", "1-0:1.7.0", "--unit", "27"];
    const request = await say("study", "request", "--need", need.name, ...power, ...days);
    assert.match(request.sealed, /done by access/);
    return request.name;
  };
  const homes = await ask("homes", "residential", meterIds[0]!);
  const shops = await ask("shops", "non-residential", meterIds[1]!);
  const { nodes } = (await gridsealJson("genesis", "show", network.genesis)) as {
    readonly nodes: readonly { readonly name: string; readonly id: string }[];
  };
  const idOf = ({ name }: Pick<TestNode, "name">) => nodes.find((node) => node.name === name)!.id;
  const workingFor = async (grant: string) => {
    const source = openGroupGrantSource(apiOf(network.nodes[1]!), { service: Number(SERVICE), grant });
    const stated = await until("the grant is there", () => source.grant());
    return nodes.filter(({ id }) => stated.computing.includes(id)).map(({ name }) => name);
  };
  const ofShops = await workingFor(shops);
  const working = (await workingFor(homes)).filter((name) => ofShops.includes(name));
  return { homes, shops, working, idOf };
}
