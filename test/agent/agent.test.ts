import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toHex } from "../../src/wire/bytes.js";
import { decodeCbor, encodeCbor } from "../../src/wire/cbor.js";
import type { Record } from "../../src/wire/record.js";
import { reasons } from "../../src/wire/record.js";
import { meterTopic } from "../../src/wire/topics.js";
import { createWorld, noFaults, type World } from "./world.js";

const schedule = [
  { service: 1, serviceId: 7, every_s: 2, aligned: true, registers: ["1-0:1.8.n", "1-0:2.8.n"] },
  {
    service: 3,
    serviceId: 0,
    every_s: 3,
    aligned: false,
    registers: ["1-0:1.7.0"],
    confidential: [{ label: "phases", registers: ["1-0:31.7.0", "1-0:51.7.0"] }],
  },
];

/** The sealed records of a service in the order of their seqs: contiguous from 0, each naming the one before it. */
function chainOf(world: World, service: number): Record[] {
  const records = [...world.sealed.values()]
    .map(({ record }) => record)
    .filter(({ claims }) => claims.service === service);
  records.sort((left, right) => left.claims.seq - right.claims.seq);
  for (const [index, { claims }] of records.entries()) {
    assert.equal(claims.seq, index, `service ${service} has no gap`);
    assert.equal(toHex(claims.previous), index === 0 ? "" : toHex(records[index - 1]!.hash), "the chain is intact");
  }
  return records;
}

function assertAllIsSealed(world: World): void {
  assert.deepEqual(world.conflicts, []);
  assert.equal(world.counters.waiting, 0, "the outbox is empty");
  assert.equal(world.counters.damaged, 0);
  for (const service of [1, 2, 3]) chainOf(world, service);
}

describe("agent in a good world", () => {
  test("publishes each record once, sees it sealed and lets go of it", () => {
    const world = createWorld({ seed: 1, schedule, faults: noFaults });
    world.run(60);
    world.setMetering(false);
    world.run(28);
    assertAllIsSealed(world);
    const trading = chainOf(world, 1);
    assert.ok(trading.length >= 29, `${trading.length} records`);
    assert.ok(chainOf(world, 3).length >= 19);
    assert.equal(world.publications.length, world.sealed.size);
    assert.equal(world.topics.get("birth"), 1);
    assert.equal(world.topics.get("diag"), 1);
    assert.equal(world.counters.sealed, world.sealed.size);
    assert.deepEqual(world.states, ["no meter", "healthy"]);
    assert.ok(trading.every(({ claims }) => claims.time_s % 2 === 0 && claims.reason === reasons.clockAligned));
    assert.ok(
      trading.every(({ claims }) => claims.quality === 2),
      "the host's synchronised clock confirms the meter's",
    );
  });

  test("hides the confidential group in digests, and shows it in disclosures", () => {
    const world = createWorld({ seed: 2, schedule, faults: noFaults });
    world.run(10);
    const [record] = chainOf(world, 3);
    assert.deepEqual(
      record!.disclosures.map(({ label, registers }) => [label, registers.length]),
      [["phases", 2]],
    );
    assert.equal(record!.claims.digests?.length, 1);
    assert.equal(record!.claims.registers?.length, 1);
    assert.equal(record!.claims.frameHash?.length, 32);
  });

  test("reads at once on command, but not as often as somebody likes", () => {
    const world = createWorld({ seed: 3, schedule: [{ ...schedule[0], every_s: 3600 }], faults: noFaults });
    world.run(5);
    const before = world.sealed.size;
    const topic = meterTopic("world", "command", world.subscribedMeter!);
    for (let index = 0; index < 5; index += 1) world.message(topic, encodeCbor([1, 1]));
    world.run(10);
    assert.equal(world.sealed.size, before + 1);
    assert.equal(chainOf(world, 1).at(-1)?.claims.reason, reasons.onDemand);
    assert.equal(world.counters.demands, 1);
  });
});

describe("agent in a bad hour", () => {
  test("keeps what it read while there is no broker, and drains it fast when there is one", () => {
    const world = createWorld({ seed: 4, schedule, faults: noFaults, sectors: 16 });
    world.setBroker(false);
    world.run(120);
    assert.equal(world.sealed.size, 0);
    assert.ok(world.states.includes("no broker"));
    const waiting = world.counters.waiting!;
    assert.ok(waiting > 90);
    world.setMetering(false);
    world.setBroker(true);
    world.run(60);
    assertAllIsSealed(world);
    const times = chainOf(world, 1).map(({ claims }) => claims.time_s);
    assert.ok(times.at(-1)! - times[0]! >= 110, "with their original times");
  });

  test("moves to another broker where nodes do not seal, says so, and publishes its birth anew", () => {
    const world = createWorld({ seed: 5, schedule, faults: noFaults, sectors: 16 });
    world.run(10);
    world.setNodes(false);
    world.run(100);
    assert.ok(world.states.includes("not sealed"));
    assert.ok(world.log.some((line) => line.includes("state: not sealed")));
    assert.ok(world.counters.connections! >= 2);
    world.setNodes(true);
    world.run(90);
    world.setMetering(false);
    world.run(330);
    assertAllIsSealed(world);
  });

  test("gives its birth to nodes that have forgotten it", () => {
    const world = createWorld({ seed: 6, schedule, faults: noFaults });
    world.run(10);
    world.setNodes(false);
    world.setNodes(true);
    world.run(40);
    world.setMetering(false);
    world.run(60);
    assertAllIsSealed(world);
    assert.equal(world.topics.get("birth"), 2);
    assert.ok(world.counters["refused unknown-meter"]! >= 1);
  });

  test("parks what nodes refuse, lets nothing go, and tries it again later", () => {
    const world = createWorld({ seed: 7, schedule, faults: noFaults, sectors: 24 });
    world.setRefusal("clock-far-off");
    world.run(100);
    assert.equal(world.sealed.size, 0);
    world.setRefusal(undefined);
    world.run(20);
    assert.ok(world.sealed.size > 8, "what came later is not held up");
    world.setMetering(false);
    assert.ok(world.counters.waiting! > 60);
    world.run(650);
    assertAllIsSealed(world);
  });

  test("says at once that it is revoked, keeps the last refusal in its diagnosis, and asks for nothing all the time", () => {
    const world = createWorld({ seed: 11, schedule, faults: noFaults, sectors: 24 });
    world.run(20);
    world.setRefusal("revoked");
    world.run(3);
    assert.equal(world.states.at(-1), "refused: revoked");
    world.run(600);
    const said = decodeCbor(world.diagnosis!);
    assert.ok(said instanceof Map);
    assert.equal(said.get("state"), "refused: revoked");
    assert.match(
      String(said.get("lastRefusal")),
      /^refused \(revoked\): record \d+ of service \d, by way of mqtt:..[ab]:1883: refused$/,
    );
    assert.ok(Number(said.get("refused revoked")) < 24 * 6, `${said.get("refused revoked")} refusals`);
    assert.ok(world.topics.get("birth")! < 10, "a birth a connection");
    assert.ok(!world.states.slice(world.states.indexOf("refused: revoked")).includes("healthy"));
    world.setRefusal(undefined);
    world.setMetering(false);
    world.run(700);
    assertAllIsSealed(world);
  });

  test("refuses new records when its flash is full, and loses none of the old ones", () => {
    const world = createWorld({ seed: 8, schedule, faults: noFaults, sectors: 2 });
    world.setBroker(false);
    world.run(200);
    assert.ok(world.counters.outboxFull! > 10);
    world.setBroker(true);
    world.run(120);
    world.setMetering(false);
    world.run(40);
    assertAllIsSealed(world);
  });

  test("needs a credential, keeps records until it has one, and says so", () => {
    const world = createWorld({ seed: 9, schedule, faults: noFaults });
    const credential = world.stores.keys.get("credential")!;
    world.stores.keys.delete("credential");
    world.powerOff();
    world.run(30);
    assert.deepEqual(world.states.at(-1), "no credential");
    assert.ok(world.counters.waiting! > 10);
    world.stores.keys.set("credential", credential);
    world.powerOff();
    world.run(30);
    world.setMetering(false);
    world.run(40);
    assertAllIsSealed(world);
  });

  test("says bad frames where the port delivers nothing else, and no meter where it is silent", () => {
    const faults = { ...noFaults, rubbish: 1 };
    const world = createWorld({ seed: 10, schedule, faults });
    world.run(90);
    assert.equal(world.states.at(-1), "bad frames");
    world.setMetering(false);
    world.run(90);
    assert.equal(world.states.at(-1), "no meter");
  });
});

describe("agent in a hostile world", () => {
  const faults = { connect: 0.3, drop: 0.03, lostReceipt: 0.1, blocked: 0.1, busy: 0.05, rubbish: 0.1, cuts: 6 };

  for (const seed of [11, 12, 13, 14, 15, 16]) {
    test(`loses nothing, seals nothing twice and breaks no chain: story ${seed}`, () => {
      const world = createWorld({ seed, schedule, faults, sectors: 4 });
      world.run(240);
      world.heal();
      world.run(60);
      world.setMetering(false);
      world.run(700);
      assert.ok(world.cuts > 3, `${world.cuts} cuts`);
      assert.ok(world.sealed.size > 60, `${world.sealed.size} sealed`);
      assertAllIsSealed(world);
    });
  }
});
